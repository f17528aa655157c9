//! The forms of names that Kubernetes insists on.
//!
//! Each function says what is wrong with a text, as the end of a sentence (`must be …`), and
//! nothing where the text is right. From `k8s.io/apimachinery/pkg/util/validation` and
//! `pkg/api/validation`.

/// The longest DNS label (RFC 1123), and the longest value of a label.
pub const LABEL_MAX: usize = 63;
/// The longest DNS subdomain (RFC 1123).
pub const SUBDOMAIN_MAX: usize = 253;

/// What is wrong with a name.
pub type Wrong = Option<&'static str>;

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Says whether a text is one or more of `inner`, and begins and ends with one of `edge`.
fn is_framed(text: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|it| edge(*it))
        && bytes.last().is_some_and(|it| edge(*it))
        && bytes.iter().all(|it| inner(*it))
}

fn is_label(text: &str) -> bool {
    is_framed(text, is_lower_alphanumeric, |it| is_lower_alphanumeric(it) || it == b'-')
}

/// Checks a DNS label: `web-1` (`IsDNS1123Label`).
pub fn dns_label(text: &str) -> Wrong {
    if text.len() > LABEL_MAX {
        return Some("must be no more than 63 characters");
    }
    if is_label(text) {
        return None;
    }
    Some(
        "must be a DNS label: lower-case letters, digits and `-`, beginning and ending with a \
         letter or a digit",
    )
}

/// Checks a DNS subdomain: `web.example.com` (`IsDNS1123Subdomain`).
pub fn dns_subdomain(text: &str) -> Wrong {
    if text.len() > SUBDOMAIN_MAX {
        return Some("must be no more than 253 characters");
    }
    if is_subdomain(text) {
        return None;
    }
    Some(
        "must be a DNS subdomain: lower-case letters, digits, `-` and `.`, each part beginning and \
         ending with a letter or a digit",
    )
}

fn is_subdomain(text: &str) -> bool {
    // A part begins after a dot and at the beginning, and ends before a dot and at the end.
    let mut last = b'.';
    for byte in text.bytes() {
        let fits = match byte {
            b'.' => is_lower_alphanumeric(last),
            b'-' => last != b'.',
            _ => is_lower_alphanumeric(byte),
        };
        if !fits {
            return false;
        }
        last = byte;
    }
    is_lower_alphanumeric(last)
}

/// Checks a DNS label that begins with a letter: `web-1` (`IsDNS1035Label`).
pub fn dns_1035_label(text: &str) -> Wrong {
    if text.len() > LABEL_MAX {
        return Some("must be no more than 63 characters");
    }
    if is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    Some(
        "must be a DNS label that begins with a letter: lower-case letters, digits and `-`, ending \
         with a letter or a digit",
    )
}

/// Checks a DNS subdomain whose first part may be `*` (`IsWildcardDNS1123Subdomain`).
pub fn wildcard_dns_subdomain(text: &str) -> Wrong {
    if text.len() <= SUBDOMAIN_MAX && text.strip_prefix("*.").is_some_and(is_subdomain) {
        return None;
    }
    Some("must be `*.` and a DNS subdomain, such as `*.example.com`")
}

/// Checks a host name of two parts or more, without the final dot (`IsFullyQualifiedDomainName`).
pub fn fully_qualified_domain_name(text: &str) -> Wrong {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return Some("must be a domain name");
    }
    if let Some(wrong) = dns_subdomain(name) {
        return Some(wrong);
    }
    if name.split('.').any(|label| label.len() > LABEL_MAX) {
        return Some("must have no part of more than 63 characters");
    }
    (!name.contains('.')).then_some("must be a domain name with at least two parts")
}

/// Checks the key of a label or an annotation: `app` or `example.com/app` (`IsQualifiedName`).
pub fn qualified_name(text: &str) -> Wrong {
    let name = match split_at_slash(text) {
        None => text,
        Some((_, rest)) if rest.bytes().any(|it| it == b'/') => {
            return Some("must have at most one `/`, between a DNS subdomain and a name");
        }
        Some(("", _)) => return Some("must have a DNS subdomain before the `/`"),
        Some((prefix, _)) if dns_subdomain(prefix).is_some() => {
            return Some("must have a DNS subdomain before the `/`, such as `example.com/name`");
        }
        Some((_, name)) => name,
    };
    if name.is_empty() {
        return Some("must have a name");
    }
    if name.len() > LABEL_MAX {
        return Some("must be no more than 63 characters, without the prefix");
    }
    if is_name_with_signs(name) {
        return None;
    }
    Some("must be letters, digits, `-`, `_` and `.`, beginning and ending with a letter or a digit")
}

/// Splits at the first `/`. Keys are short: to look at each byte takes less time than a search.
fn split_at_slash(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|it| it == b'/')?;
    text.get(..at).zip(text.get(at + 1..))
}

fn is_name_with_signs(text: &str) -> bool {
    let inner = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    is_framed(text, |it| it.is_ascii_alphanumeric(), inner)
}

/// Checks the value of a label, which may be empty (`IsValidLabelValue`).
pub fn label_value(text: &str) -> Wrong {
    if text.len() > LABEL_MAX {
        return Some("must be no more than 63 characters");
    }
    if text.is_empty() || is_name_with_signs(text) {
        return None;
    }
    Some("must be letters, digits, `-`, `_` and `.`, beginning and ending with a letter or a digit")
}

/// Checks an identifier of the language C (`IsCIdentifier`).
pub fn c_identifier(text: &str) -> Wrong {
    let first = |it: char| it.is_ascii_alphabetic() || it == '_';
    let right =
        text.starts_with(first) && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    (!right).then_some("must be letters, digits and `_`, beginning with a letter or `_`")
}

/// Checks the name of a port: `http` (`IsValidPortName`, RFC 6335).
pub fn port_name(text: &str) -> Wrong {
    if text.len() > 15 {
        return Some("must be no more than 15 characters");
    }
    if !text.bytes().all(|it| is_lower_alphanumeric(it) || it == b'-') {
        return Some("must be lower-case letters, digits and `-`");
    }
    if !text.bytes().any(|it| it.is_ascii_lowercase()) {
        return Some("must have at least one letter");
    }
    if text.contains("--") {
        return Some("must not have two `-` after one another");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Some("must not begin or end with `-`");
    }
    None
}

/// Checks a name that is a part of a path in a URL (`IsValidPathSegmentName`).
pub fn path_segment(text: &str) -> Wrong {
    match text {
        "." | ".." => Some("must not be `.` or `..`"),
        _ if text.contains(['/', '%']) => Some("must not have `/` or `%`"),
        _ => None,
    }
}

/// Checks the key of a `ConfigMap` or a Secret (`IsConfigMapKey`).
pub fn config_map_key(text: &str) -> Wrong {
    if text.len() > SUBDOMAIN_MAX {
        return Some("must be no more than 253 characters");
    }
    if text.is_empty()
        || !text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'))
    {
        return Some("must be letters, digits, `-`, `_` and `.`");
    }
    no_parent(text)
}

/// Keys become names of files, which must not lead out of their folder.
fn no_parent(text: &str) -> Wrong {
    match text {
        "." => Some("must not be `.`"),
        ".." => Some("must not be `..`"),
        _ if text.starts_with("..") => Some("must not begin with `..`"),
        _ => None,
    }
}

/// Checks the name of an environment variable as servers before 1.30 did (`IsEnvVarName`).
pub fn env_var_name(text: &str) -> Wrong {
    let first = |it: char| it.is_ascii_alphabetic() || matches!(it, '-' | '_' | '.');
    let right = text.starts_with(first)
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
    if !right {
        return Some("must be letters, digits, `-`, `_` and `.`, not beginning with a digit");
    }
    no_parent(text)
}

/// Checks the name of an environment variable: printable ASCII without `=`
/// (`IsRelaxedEnvVarName`).
pub fn relaxed_env_var_name(text: &str) -> Wrong {
    let right =
        !text.is_empty() && text.bytes().all(|it| (b' '..=b'~').contains(&it) && it != b'=');
    (!right).then_some("must be printable ASCII without `=`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_forms(check: fn(&str) -> Wrong, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(check(text), None, "{text:?}");
        }
        for text in bad {
            assert!(check(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn dns_names() {
        let (longest, long) = ("a".repeat(63), "a".repeat(64));
        assert_forms(dns_label, &["a", "1", "a-1", &longest], &["", "-a", "a-", "A", "a.b", &long]);
        let longer = "a.".repeat(127) + "a";
        assert_forms(
            dns_subdomain,
            &["a", "a.b-c.1", &long],
            &["", ".", "a.", "a..b", "a_b", &longer],
        );
        assert_forms(dns_1035_label, &["a", "a-1"], &["", "1", "1a", "a-", &long]);
        assert_forms(
            wildcard_dns_subdomain,
            &["*.a", "*.a.b"],
            &["*", "*.", "a.b", "*a.b", "a.*.b"],
        );
        assert_forms(fully_qualified_domain_name, &["a.b", "a.b."], &["", "a", ".", "a..b"]);
    }

    #[test]
    fn labels() {
        let (longest, long) = ("a".repeat(63), "a".repeat(64));
        assert_forms(
            qualified_name,
            &["a", "A_b.c-1", "example.com/a", &longest],
            &["", "/a", "a/", "a/b/c", "-a", "a-", "Example.com/a", "a b", &long],
        );
        assert_forms(label_value, &["", "a", "A.b_c-1"], &["-a", "a-", "a b", "a/b", &long]);
    }

    #[test]
    fn other_names() {
        assert_forms(c_identifier, &["a", "_a1"], &["", "1a", "a-b"]);
        assert_forms(
            port_name,
            &["a", "http-2", "123456789012-a"],
            &["", "80", "HTTP", "a--b", "-a", "a-", "1234567890123-ab"],
        );
        assert_forms(path_segment, &["", "a:b", "..."], &[".", "..", "a/b", "a%"]);
        assert_forms(config_map_key, &["a", ".a", "A_b-c"], &["", ".", "..", "..a", "a/b", "a b"]);
        assert_forms(env_var_name, &["a", "_A.b-c", "-a"], &["", "1a", "..", "..a", "a=b"]);
        assert_forms(relaxed_env_var_name, &["1 a!", "a/b"], &["", "a=b", "ä", "a\n"]);
    }
}
