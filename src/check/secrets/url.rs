//! Passwords in the user part of URLs: `scheme://user:password@host`.

use std::ops::Range;

use super::format::{Candidate, Verdict};
use super::placeholder;

/// The longest user part that is read; signed tokens stand there too.
const LONGEST: usize = 2048;

/// Finds the password after the keyword `://`.
pub(super) fn password(text: &[u8], keyword: Range<usize>) -> Option<Candidate> {
    let scheme_end = keyword.start.checked_sub(1)?;
    text.get(scheme_end).filter(|byte| byte.is_ascii_alphanumeric())?;
    let authority = authority(text.get(keyword.end..)?);
    // As URL parsers do, the last `@` ends the user part.
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let (user_part, host) = (authority.get(..at)?, authority.get(at + 1..)?);
    let colon = user_part.iter().position(|byte| *byte == b':')?;
    let (user, password) = (user_part.get(..colon)?, user_part.get(colon + 1..)?);
    let is_secret = !placeholder::is_placeholder(password)
        && !is_documentation(user, password)
        && is_host(host);
    let start = keyword.end + colon + 1;
    is_secret.then(|| Candidate {
        token: start..start + password.len(),
        related: None,
        verdict: Verdict::Plausible,
    })
}

/// Returns the text up to the path, or up to whatever ends a URL in prose, code and markup.
fn authority(rest: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| {
        matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'\\' | b'|' | b',' | b';' | b'&')
            || *byte <= b' '
    };
    let len = rest.iter().take(LONGEST).position(is_end).unwrap_or(rest.len().min(LONGEST));
    rest.get(..len).unwrap_or_default()
}

/// Says whether this is a host, and not one that stands in documentation.
fn is_host(host: &[u8]) -> bool {
    const DOCUMENTED: &[&[u8]] =
        &[b"host", b"hostname", b"server", b"domain", b"address", b"sha256", b"sha512", b"example"];
    let name = host.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
    let is_example = name
        .split(|byte| *byte == b'.')
        .any(|label| label == b"example" || label == b"my-domain" || label == b"yourdomain");
    host.first().is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b'$' | b'{' | b'_')
    }) && !is_example
        && !DOCUMENTED.contains(&name.as_slice())
}

/// Says whether user and password are the two words that documentation uses.
fn is_documentation(user: &[u8], password: &[u8]) -> bool {
    let (user, password) = (user.to_ascii_lowercase(), password.to_ascii_lowercase());
    let is_image = user.first().is_some_and(u8::is_ascii_alphabetic)
        && password.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && password.contains(&b'.');
    let is_format = password.starts_with(b"%") && password.len() <= 3;
    let is_usual = (user == b"user" || user == b"username" || user == b"u")
        && (password.starts_with(b"pass") || password == b"p");
    is_image || is_format || is_usual
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let at = text.find("://")?;
        password(text.as_bytes(), at..at + 3).map(|candidate| text.get(candidate.token).unwrap())
    }

    #[test]
    fn passwords_are_found_in_urls_of_any_scheme() {
        for (text, secret) in [
            ("https://ci:h0rse-staple@git.corp.io/a.git", "h0rse-staple"),
            ("postgres://app:hunter2@db:5432/app?sslmode=off", "hunter2"),
            ("url=redis://:hunter2@redis.svc:6379/0", "hunter2"),
            ("mongodb+srv://root:p@ss@cluster.corp.io", "p@ss"),
            ("amqp://guest:guest@rabbit", "guest"),
            ("https://u:%40hunter2@$(HOST)/x", "%40hunter2"),
        ] {
            assert_eq!(found(text), Some(secret), "{text}");
        }
    }

    #[test]
    fn what_has_no_password_is_left_alone() {
        for text in [
            "https://git@github.com/a/b",
            "ssh://git@host:22/a",
            "https://host:8080/path@v1",
            "https://$(USER):$(PASS)@host.corp.io",
            "https://${USER}:${PASS}@host.corp.io",
            "https://user:<password>@git.corp.io",
            "https://user:password@git.corp.io",
            "https://{user}:{pass}@git.corp.io",
            "https://%s:%s@git.corp.io",
            "https://alice:s3cret@example.com/",
            "https://alice:s3cret@db.example.org/",
            "docker://alpine:3.18@sha256:0123",
            "https://alice:@git.corp.io",
            "https://alice:xxxx@git.corp.io",
            "https://alice:****@git.corp.io",
            "\"://\" + user + \":\" + pass + \"@\" + host",
            "https://a.corp.io:443?to=x@y.io",
            "://:@",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
