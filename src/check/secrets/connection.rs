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
    let rest = text.get(keyword.end..text.len().min(keyword.end + LONGEST))?;
    let ends =
        |byte: &u8| is_outside(*byte) || matches!(byte, b';' | b'&' | b'\\') || *byte <= b' ';
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let is_secret = !placeholder::is_placeholder(rest.get(..len)?) && names_a_server(before);
    is_secret.then(|| Candidate {
        token: keyword.end..keyword.end + len,
        related: None,
        verdict: Verdict::Plausible,
    })
}

/// Says whether one of the settings before the password is the address of a server.
///
/// INVARIANT: an earlier password ends the search, so that no setting is read for two passwords.
fn names_a_server(before: &[u8]) -> bool {
    const MARKS: &[&[u8]] = &[b"server=", b"host=", b"data source=", b"addr=", b"address="];
    const PASSWORDS: &[&[u8]] = &[b"password=", b"pwd="];
    let starts = |text: &[u8], marks: &[&[u8]]| {
        marks.iter().any(|mark| {
            text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
        })
    };
    let mut settings = before.rsplit(|byte| matches!(byte, b';' | b'?' | b'&')).peekable();
    while let Some(setting) = settings.next() {
        let outside = setting.iter().rposition(|byte| is_outside(*byte));
        let inside = setting.get(outside.map_or(0, |at| at + 1)..).unwrap_or_default();
        let trimmed = inside.trim_ascii_start();
        if starts(trimmed, MARKS) {
            return true;
        }
        if starts(trimmed, PASSWORDS) {
            return false;
        }
        if outside.is_some() || settings.peek().is_none() {
            // The first one stands after whatever the string is given to.
            return (0..inside.len())
                .filter_map(|at| inside.get(at..))
                .any(|rest| starts(rest, &[b"jdbc:"]) || starts(rest, MARKS));
        }
    }
    false
}

/// Says whether no connection string holds this byte.
fn is_outside(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'\n' | b'<' | b'>')
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
