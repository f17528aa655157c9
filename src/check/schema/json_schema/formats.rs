//! The formats that kubeconform knows in every draft.

/// Says whether a string is a duration: one of Go, one of ISO 8601, or one in words.
///
/// `validateDuration` of kubeconform's `pkg/validator`, with `ParseDuration` of
/// `k8s.io/kube-openapi/pkg/validation/strfmt`.
pub(super) fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_in_words(text) || is_iso_duration(text)
}

/// `time.ParseDuration` of Go: `1h30m`, `-1.5s`, `0`.
fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    while !rest.is_empty() {
        let whole = digits(rest);
        rest = rest.get(whole..).unwrap_or_default();
        let mut fraction = 0;
        if let Some(after) = rest.strip_prefix('.') {
            fraction = digits(after);
            rest = after.get(fraction..).unwrap_or_default();
        }
        if whole == 0 && fraction == 0 {
            return false;
        }
        let units = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, after) = rest.split_at(end);
        if !units.contains(&unit) {
            return false;
        }
        rest = after;
    }
    true
}

/// Numbers with units, with anything between: `3 weeks`. One that is known is enough.
fn is_in_words(text: &str) -> bool {
    // The last spelling of each also stands for what begins with it.
    const UNITS: [&[&str]; 8] = [
        &["ns", "nano"],
        &["us", "µs", "micro"],
        &["ms", "milli"],
        &["s", "sec"],
        &["m", "min"],
        &["h", "hr", "hour"],
        &["d", "day"],
        &["w", "wk", "week"],
    ];
    let mut rest = text;
    let mut any = false;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = rest.get(start..).unwrap_or_default();
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        let after = after.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let end = after.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        rest = after;
        if unit.is_empty() {
            continue;
        }
        if digits.parse::<i64>().is_err() {
            return false;
        }
        let unit = unit.to_lowercase();
        any |= UNITS.iter().any(|spellings| {
            spellings.contains(&&*unit) || spellings.last().is_some_and(|it| unit.starts_with(it))
        });
    }
    any
}

/// A duration of RFC 3339, appendix A: `P1DT12H`, `P3W`.
fn is_iso_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P').filter(|it| !it.is_empty()) else { return false };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    let mut parts = rest.split('T');
    let fits = |mut part: &str, mut units: &str| {
        while !part.is_empty() {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = part.split_at(digits);
            let mut chars = after.chars();
            let known = chars.next().and_then(|unit| units.split_once(unit));
            let (false, Some((_, left))) = (number.is_empty(), known) else { return false };
            (part, units) = (chars.as_str(), left);
        }
        true
    };
    let date = parts.next().is_some_and(|date| fits(date, "YMD"));
    let time = parts.next().is_none_or(|time| !time.is_empty() && fits(time, "HMS"));
    date && time && parts.next().is_none()
}

/// Says whether a string is a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|it| it == b'-' || it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go_of_iso_and_in_words() {
        for good in [
            "1h30m", "0", "-1.5s", "1µs", ".5h", "5m0s", "P1DT12H", "PT1H30M", "P3W", "P1Y2M3D",
            "3 weeks", "1day", "2 Hours",
        ] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "1", "h", "P", "PT", "P1YT", "P1Y1Y", "P1Y2X", "soon", "1x", "1.h.", "-"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }

    #[test]
    fn uuids_have_five_groups() {
        assert!(is_uuid("123e4567-e89b-12d3-a456-426614174000"));
        for bad in ["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"]
        {
            assert!(!is_uuid(bad), "{bad}");
        }
    }
}
