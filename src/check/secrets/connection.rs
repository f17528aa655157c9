//! Passwords in connection strings: `Server=db;Password=…` and `jdbc:…?password=…`.

use std::ops::Range;

use super::format::{Candidate, Verdict};
use super::placeholder;

/// How far before the password the string may begin.
const BEFORE: usize = 300;
/// The longest password that is read.
const LONGEST: usize = 256;

/// Finds the password after the keyword `password=` or `pwd=`.
pub(super) fn password(text: &[u8], keyword: Range<usize>) -> Option<Candidate> {
    let before = text.get(keyword.start.saturating_sub(BEFORE)..keyword.start)?;
    // A setting that stands alone is not part of a connection string.
    if !matches!(before.trim_ascii_end().last(), Some(b';' | b'?' | b'&')) {
        return None;
    }
    let is_outside = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'\n' | b'<' | b'>');
    let start = before.iter().rposition(is_outside).map_or(0, |at| at + 1);
    let string = before.get(start..)?.to_ascii_lowercase();
    let names_a_server = [&b"jdbc:"[..], b"server=", b"host=", b"data source=", b"addr="]
        .iter()
        .any(|mark| placeholder::contains(&string, mark));
    let rest = text.get(keyword.end..text.len().min(keyword.end + LONGEST))?;
    let ends = |byte: &u8| is_outside(byte) || matches!(byte, b';' | b'&' | b'\\') || *byte <= b' ';
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let is_secret = names_a_server && !placeholder::is_placeholder(rest.get(..len)?);
    is_secret.then(|| Candidate {
        token: keyword.end..keyword.end + len,
        related: None,
        verdict: Verdict::Plausible,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
        let at = text.find(keyword)?;
        password(text.as_bytes(), at..at + keyword.len())
            .map(|candidate| text.get(candidate.token).unwrap())
    }

    #[test]
    fn passwords_are_found_in_connection_strings() {
        for (text, keyword) in [
            (
                "Server=tcp:db.corp.io,1433; User ID=app; Password=hunter2; Encrypt=True",
                "Password=",
            ),
            ("dsn: \"Data Source=db;Pwd=hunter2\"", "Pwd="),
            ("jdbc:postgresql://db/app?user=app&password=hunter2", "password="),
            ("url=jdbc:sqlserver://db:1433;user=app;password=hunter2;encrypt=true", "password="),
        ] {
            assert_eq!(found(text, keyword), Some("hunter2"), "{text}");
        }
    }

    #[test]
    fn other_settings_are_left_alone() {
        for text in [
            "password=hunter2",
            "Server=db\n;password=hunter2",
            "https://corp.io/reset?password=hunter2",
            "Server=db;Password=${DB_PASSWORD};",
            "Server=db;Password=;Encrypt=True",
            "Server=db;Password=<password>;",
            "jdbc:postgresql://db/app?user=app&password=changeme",
        ] {
            let keyword = if text.contains("Password=") { "Password=" } else { "password=" };
            assert_eq!(found(text, keyword), None, "{text}");
        }
    }
}
