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
    let names_a_server = names_a_server(before.get(start..)?);
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

/// Says whether one of the settings before the password is the address of a server.
fn names_a_server(settings: &[u8]) -> bool {
    const MARKS: &[&[u8]] = &[b"server=", b"host=", b"data source=", b"addr=", b"address="];
    let starts = |text: &[u8], mark: &[u8]| {
        text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    let mut settings = settings.split(|byte| matches!(byte, b';' | b'?' | b'&'));
    // The first one stands after whatever the string is given to.
    let first = settings.next().unwrap_or_default();
    let is_first = (0..first.len())
        .filter_map(|at| first.get(at..))
        .any(|rest| starts(rest, b"jdbc:") || MARKS.iter().any(|mark| starts(rest, mark)));
    is_first || settings.any(|it| MARKS.iter().any(|mark| starts(it.trim_ascii_start(), mark)))
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
