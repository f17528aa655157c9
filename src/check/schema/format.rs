//! The forms of strings that the API server's decoder insists on.

/// The suffixes of a quantity, beside an exponent.
const SUFFIXES: [&str; 16] =
    ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Says whether a string is a quantity (`ParseQuantity` of `k8s.io/apimachinery`).
pub(super) fn is_quantity(text: &str) -> bool {
    // The decoder cuts blanks off before it parses.
    let text = text.trim_matches(|c: char| c.is_whitespace() && !c.is_ascii_control());
    let Some((number, suffix)) = split_quantity(text) else { return false };
    // A sign alone is zero to the parser; nothing at all is not.
    if number.is_empty() && suffix.is_empty() {
        return false;
    }
    SUFFIXES.contains(&suffix)
        || suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| exponent.parse::<i64>().is_ok())
}

/// Returns the quantity that a string was probably meant to be.
pub(super) fn near_quantity(text: &str) -> Option<String> {
    let (number, suffix) = split_quantity(text.trim())?;
    let digits = number.chars().any(|c| c.is_ascii_digit());
    let wanted = suffix.trim().to_ascii_lowercase();
    let wanted = wanted.strip_suffix('b').unwrap_or(&wanted);
    let suffix = SUFFIXES.iter().rev().find(|it| it.to_ascii_lowercase() == wanted)?;
    digits.then(|| format!("{number}{suffix}"))
}

fn split_quantity(text: &str) -> Option<(&str, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = whole
        .strip_prefix('.')
        .map_or(whole, |it| it.trim_start_matches(|c: char| c.is_ascii_digit()));
    text.split_at_checked(text.len() - rest.len())
}

/// Says whether a string is padded base64, as Go's `StdEncoding` reads it: line breaks are free.
pub(super) fn is_base64(text: &str) -> bool {
    let mut total = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        total += 1;
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
    }
    total.is_multiple_of(4) && padding <= 2 && (padding == 0 || total > padding)
}

/// Says whether a string is a date and time of RFC 3339, as Go's `time.Parse` reads it: the hour
/// may have one digit, and a fraction any number of them.
pub(super) fn is_date_time(text: &str) -> bool {
    after_seconds(text).is_some_and(|rest| {
        let zone = match rest.strip_prefix(['.', ',']) {
            Some(fraction) => {
                let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                if zone.len() == fraction.len() { rest } else { zone }
            }
            None => rest,
        };
        is_zone(zone)
    })
}

/// Says whether a string is a date and time with exactly six digits of a fraction, which is how
/// `metav1.MicroTime` reads it.
pub(super) fn is_micro_time(text: &str) -> bool {
    after_seconds(text)
        .and_then(|rest| rest.strip_prefix(['.', ',']))
        .and_then(|rest| rest.split_at_checked(6))
        .is_some_and(|(fraction, zone)| {
            fraction.bytes().all(|byte| byte.is_ascii_digit()) && is_zone(zone)
        })
}

/// Reads a date and a time up to the seconds, and returns what follows.
fn after_seconds(text: &str) -> Option<&str> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let rest = rest.strip_prefix('T')?;
    let (hour, rest) = digits(rest, 2).or_else(|| digits(rest, 1))?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60).then_some(rest)
}

/// Says whether a string is a zone; offsets of 24 hours and 60 minutes are allowed.
fn is_zone(text: &str) -> bool {
    let offset = || {
        let (hours, rest) = digits(text.strip_prefix(['+', '-'])?, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
        (hours <= 24 && minutes <= 60 && rest.is_empty()).then_some(())
    };
    text == "Z" || offset().is_some()
}

/// Reads a number of so many digits from the start.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (head, rest) = text.split_at_checked(count)?;
    let number = head.bytes().all(|byte| byte.is_ascii_digit()).then(|| head.parse().ok())?;
    number.map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_follow_the_parser() {
        for good in [
            "0", "1", "100m", "1.5Gi", ".5", "5.", "+3", "-1", "1e3", "1E3", "12e-3", "1E", "2k",
            "1Ki", " 1Gi ",
        ] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in ["", "128mb", "1g", "100mi", "1 Gi", "1K", "1e", "1e3m", "one", "1,5", "0x10"] {
            assert!(!is_quantity(bad), "{bad}");
        }
    }

    #[test]
    fn micro_times_have_six_digits_of_a_fraction() {
        assert!(is_micro_time("2024-02-29T23:59:59.000000Z"));
        assert!(is_micro_time("2024-02-29T23:59:59.123456+01:00"));
        for bad in
            ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.123Z", "2024-02-29T23:59:59.1234567Z"]
        {
            assert!(!is_micro_time(bad), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_quantity_has_a_neighbour() {
        assert_eq!(near_quantity("128mb").as_deref(), Some("128M"));
        assert_eq!(near_quantity("1 gi").as_deref(), Some("1Gi"));
        assert_eq!(near_quantity("1K").as_deref(), Some("1k"));
        assert_eq!(near_quantity("lots"), None);
    }

    #[test]
    fn base64_is_padded_and_may_be_wrapped() {
        for good in ["", "YQ==", "YWI=", "YWJj", "YWJj\nYWJj\n", "Y\nQ=="] {
            assert!(is_base64(good), "{good:?}");
        }
        for bad in ["Y", "YQ", "YQ=", "hunter2!", "Y===", "====", "YQ==YQ==", "YW_-"] {
            assert!(!is_base64(bad), "{bad:?}");
        }
    }

    #[test]
    fn times_have_a_zone() {
        for good in [
            "2024-02-29T23:59:59Z",
            "2024-01-01T00:00:00.123456Z",
            "2024-01-01T00:00:00,1Z",
            "2024-01-01T00:00:00+02:00",
            "2024-01-01T7:00:00Z",
            "2024-01-01T00:00:00-24:60",
        ] {
            assert!(is_date_time(good), "{good}");
        }
        for bad in [
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+0200",
        ] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }
}
