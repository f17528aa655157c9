//! The forms of strings that the API server's decoder insists on.

/// The suffixes of a quantity, beside an exponent.
const SUFFIXES: [&str; 16] =
    ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Says whether a string is a quantity (`ParseQuantity` of `k8s.io/apimachinery`).
pub(super) fn is_quantity(text: &str) -> bool {
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

/// Says whether a string is a date and time of RFC 3339, as Go's `time.Parse` reads it.
pub(super) fn is_date_time(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>, allowed: std::ops::RangeInclusive<u32>| {
        text.get(range)
            .filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|it| it.parse().ok())
            .is_some_and(|it: u32| allowed.contains(&it))
    };
    let sign =
        |at: usize, allowed: &[u8]| text.as_bytes().get(at).is_some_and(|it| allowed.contains(it));
    let date_and_time = number(0..4, 0..=9999)
        && sign(4, b"-")
        && number(5..7, 1..=12)
        && sign(7, b"-")
        && number(8..10, 1..=31)
        && sign(10, b"T")
        && number(11..13, 0..=23)
        && sign(13, b":")
        && number(14..16, 0..=59)
        && sign(16, b":")
        && number(17..19, 0..=59);
    let rest = text.get(19..).unwrap_or_default();
    let zone = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let at = text.len() - zone.len();
    date_and_time
        && (zone == "Z"
            || zone.len() == 6
                && sign(at, b"+-")
                && number(at + 1..at + 3, 0..=23)
                && sign(at + 3, b":")
                && number(at + 4..at + 6, 0..=59))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_follow_the_parser() {
        for good in [
            "0", "1", "100m", "1.5Gi", ".5", "5.", "+3", "-1", "1e3", "1E3", "12e-3", "1E", "2k",
            "1Ki",
        ] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in ["", "128mb", "1g", "100mi", "1 Gi", "1K", "1e", "1e3m", "one", "1,5", "0x10"] {
            assert!(!is_quantity(bad), "{bad}");
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
        for good in
            ["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.123456Z", "2024-01-01T00:00:00+02:00"]
        {
            assert!(is_date_time(good), "{good}");
        }
        for bad in [
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-13-01T00:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00+0200",
        ] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }
}
