//! Durations as Go writes them, and sizes as Kubernetes does.

use std::time::Duration;

/// The longest duration, so that no sum of times overflows.
const LONGEST: Duration = Duration::from_hours(24);

/// Reads a duration as `time.ParseDuration` of Go does, e.g. `3s`, `1m30s`, `1.5s`.
///
/// Negative ones, and those of more than a day, are refused.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write it as `3s`, `500ms` or `1m30s`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, after) = split(rest, |c| !is_number(c));
        let (unit, after) = split(after, is_number);
        rest = after;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.saturating_add(part);
        if total > LONGEST {
            return Err(format!("`{text}` is more than a day"));
        }
    }
    Ok(total)
}

/// Reads a number of bytes, e.g. `64Mi`; without a unit, bytes.
pub fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text, |c| !c.is_ascii_digit());
    let factor = match unit {
        "" => Some(1),
        "Ki" => Some(1 << 10),
        "Mi" => Some(1 << 20),
        "Gi" => Some(1 << 30),
        _ => None,
    };
    let number: Option<usize> = number.parse().ok();
    factor
        .zip(number)
        .and_then(|(factor, number)| number.checked_mul(factor))
        .ok_or_else(|| format!("`{text}` is not a size: write it as `64Mi`"))
}

fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(at).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("3s", 3000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1.5s", 1500),
            ("0", 0),
            ("0s", 0),
            ("2500us", 2),
            ("24h", 86_400_000),
        ] {
            assert_eq!(duration(text).unwrap().as_millis(), millis, "{text}");
        }
        for wrong in ["", "3", "s", "-3s", "3 s", "3x", "1..5s", "25h", "9999999999999999999h", "é"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes("64Mi"), Ok(64 << 20));
        assert_eq!(bytes("7"), Ok(7));
        for wrong in ["", "Mi", "64M", "-1", "99999999999999999999Gi", "18446744073709551615Ki"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
