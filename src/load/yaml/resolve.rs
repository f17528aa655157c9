//! What a scalar without quotes means, in each dialect.
//!
//! Follows `resolve` of go-yaml's `resolve.go`, v2 and v3, and then JSON, as the API server does.

use std::sync::Arc;

use super::{Dialect, timestamp};
use crate::document::Scalar;

/// Why a scalar has no JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoValue(pub(super) String);

/// What a scalar resolves to, before it becomes JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    /// A JSON value.
    Scalar(Scalar),
    /// `.inf` and `.nan`, which JSON lacks.
    NotFinite(&'static str),
    /// `<<`.
    Merge,
}

impl Resolved {
    fn string(text: &str) -> Self {
        Self::Scalar(Scalar::String(Arc::from(text)))
    }

    fn float(value: f64) -> Self {
        if value.is_nan() {
            Self::NotFinite(".nan")
        } else if value.is_infinite() {
            Self::NotFinite(if value > 0.0 { ".inf" } else { "-.inf" })
        } else {
            Self::Scalar(number(value))
        }
    }
}

/// Returns the scalar that the API server sees for a float: a whole one arrives as an integer,
/// because Go's JSON writes it without a fraction.
fn number(value: f64) -> Scalar {
    // Below this, every whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 {
        return Scalar::Float(value);
    }
    if value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range: exact")]
        let whole = value as i64;
        return Scalar::Int(whole);
    }
    // Above, the text counts, which has as few digits as tell the number, and then zeros.
    value.to_string().parse().map_or(Scalar::Float(value), Scalar::Int)
}

/// Resolves a plain scalar that has no tag; `None` where it is the text that stands there.
pub(super) fn plain(text: &str, dialect: Dialect) -> Option<Resolved> {
    let Some(first) = text.bytes().next() else {
        return Some(Resolved::Scalar(Scalar::Null));
    };
    match first {
        b'<' if text == "<<" => Some(Resolved::Merge),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, dialect)
        }
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Some(Resolved::NotFinite(".nan")),
            ".inf" | ".Inf" | ".INF" => Some(Resolved::NotFinite(".inf")),
            _ => go_float(text).map(Resolved::float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Some(Resolved::NotFinite(".inf")),
            "-.inf" | "-.Inf" | "-.INF" => Some(Resolved::NotFinite("-.inf")),
            _ => numeric(text, dialect),
        },
        _ => None,
    }
}

/// Says whether a text without quotes is anything but a string to go-yaml v2, a time included.
pub(crate) fn is_typed(text: &str) -> bool {
    plain(text, Dialect::Kubectl).is_some() || timestamp::parse(text).is_some()
}

fn word(text: &str, dialect: Dialect) -> Option<Resolved> {
    let scalar = match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::Kubectl => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::Kubectl => {
            Scalar::Bool(false)
        }
        _ => return None,
    };
    Some(Resolved::Scalar(scalar))
}

fn numeric(text: &str, dialect: Dialect) -> Option<Resolved> {
    if let Some(time) = timestamp::parse(text) {
        return match dialect {
            Dialect::Kubectl => None,
            Dialect::Kustomize => Some(Resolved::string(&time)),
        };
    }
    let digits = without_underscores(text);
    if let Some(scalar) = integer(&digits) {
        return Some(Resolved::Scalar(scalar));
    }
    if is_yaml_float(&digits) {
        // Out of range is an error in Go, which then leaves the text a string.
        return match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Some(Resolved::float(value)),
            _ => None,
        };
    }
    // Go's own prefixes were tried above; what is left is a sign after the prefix.
    if let Some(bits) = digits.strip_prefix("0b")
        && let Ok(value) = i64::from_str_radix(bits, 2)
    {
        return Some(Resolved::Scalar(Scalar::Int(value)));
    }
    if let Some(bits) = digits.strip_prefix("-0b")
        && let Ok(value) = i64::from_str_radix(&format!("-{bits}"), 2)
    {
        return Some(Resolved::Scalar(Scalar::Int(value)));
    }
    // So does the octal prefix of YAML 1.2, which only v3 knows.
    if dialect == Dialect::Kustomize
        && let Some(bits) = digits.strip_prefix("0o")
        && let Ok(value) = i64::from_str_radix(bits, 8)
    {
        return Some(Resolved::Scalar(Scalar::Int(value)));
    }
    None
}

fn without_underscores(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// Parses an integer as Go's `strconv.ParseInt` and `ParseUint` do with base 0.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, signed, body) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match body.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, body.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, body.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, body.get(2..)?),
        [b'0', _, ..] => (8, body.get(1..)?),
        _ => (10, body),
    };
    // Rust's parsers take a sign here, Go's do not.
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    if let Ok(value) = i64::try_from(value) {
        return Some(Scalar::Int(value));
    }
    // ParseUint takes no sign.
    if signed {
        return None;
    }
    u64::try_from(value).ok().map(Scalar::Uint)
}

/// Matches `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_yaml_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    mantissa_fits
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !digits.is_empty() && all_digits(digits)
        })
}

/// Parses a text that starts with a dot as Go's `strconv.ParseFloat` does: an underscore may
/// stand between two digits.
fn go_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(digit(at.checked_sub(1)) && digit(Some(at + 1))) {
            return None;
        }
    }
    let plain = without_underscores(text);
    if !is_yaml_float(&plain) {
        return None;
    }
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Returns what kustomize makes of a folded scalar (`>`): it writes every object once and reads
/// it again, and go-yaml v3 writes folded text wrongly.
///
/// Its `yaml_emitter_write_folded_scalar` looks at the start of the text, not at the next line,
/// to decide whether a line break has to be doubled. So a break before a line that starts with a
/// blank is read back as two, and where the text itself starts with a blank, single breaks are
/// read back as spaces.
pub(super) fn folded_again(text: &str) -> Arc<str> {
    let blank = |text: &str| text.starts_with([' ', '\t']);
    // Without a first character that is not blank, no break is ever doubled.
    let doubles = !text.starts_with([' ', '\t', '\n']);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        out.push_str(line);
        let next = after.trim_start_matches('\n');
        let breaks = 1 + after.len() - next.len();
        let extra = usize::from(doubles && !line.is_empty() && !blank(line));
        let written = breaks + extra;
        let is_text = |line: &str| !line.is_empty() && !blank(line);
        let read = if next.is_empty() {
            // One break at the end is clipped to one, more of them are kept.
            if breaks == 1 { 1 } else { written }
        } else if is_text(line) && is_text(next) {
            written - 1
        } else {
            written
        };
        if read == 0 {
            out.push(' ');
        }
        out.extend(std::iter::repeat_n('\n', read));
        rest = next;
    }
    out.push_str(rest);
    Arc::from(out)
}

/// Resolves a scalar that carries a tag of the YAML core schema, e.g. `int` of `!!int`.
pub(super) fn tagged(suffix: &str, text: &str, dialect: Dialect) -> Result<Resolved, NoValue> {
    let wrong = || NoValue(format!("`{text}` is not a value of the type `!!{suffix}`"));
    let resolved = plain(text, dialect).unwrap_or_else(|| Resolved::string(text));
    match suffix {
        "binary" => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text.split_whitespace().collect::<String>())
                .map_err(|_| NoValue("the value of `!!binary` is not base64".to_owned()))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| NoValue("the value of `!!binary` is not UTF-8 text".to_owned()))?;
            Ok(Resolved::string(&text))
        }
        "int" => match resolved {
            Resolved::Scalar(Scalar::Int(_) | Scalar::Uint(_)) => Ok(resolved),
            _ => Err(wrong()),
        },
        "float" => match resolved {
            Resolved::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_))
            | Resolved::NotFinite(_) => Ok(resolved),
            _ => Err(wrong()),
        },
        "bool" => match resolved {
            Resolved::Scalar(Scalar::Bool(_)) => Ok(resolved),
            _ => Err(wrong()),
        },
        "null" => match resolved {
            Resolved::Scalar(Scalar::Null) => Ok(resolved),
            _ => Err(wrong()),
        },
        "timestamp" => match timestamp::parse(text) {
            Some(_) if dialect == Dialect::Kubectl => Ok(Resolved::string(text)),
            Some(time) => Ok(Resolved::string(&time)),
            None => Err(wrong()),
        },
        "merge" => Ok(Resolved::Merge),
        // `!!str`, and tags that mean nothing to Kubernetes: what stands behind them is text.
        _ => Ok(Resolved::string(text)),
    }
}

/// Returns the JSON key of a scalar that stands as a key; `plain` is its text where it has neither
/// quotes nor a tag.
///
/// kubectl converts numbers and booleans to text (`convertToJSONableObject` of
/// `sigs.k8s.io/yaml`); kustomize refuses them.
pub(super) fn key(
    resolved: Resolved,
    plain: Option<&str>,
    dialect: Dialect,
) -> Result<Arc<str>, NoValue> {
    let refused = |text: &str, what: &str| {
        NoValue(format!("the key `{text}` is {what}, and kustomize takes only strings"))
    };
    let (text, what) = match resolved {
        Resolved::Merge => return Ok(Arc::from("<<")),
        Resolved::NotFinite(text) => (text.to_owned(), "a number"),
        Resolved::Scalar(Scalar::String(text)) => {
            return match plain.and_then(timestamp::parse) {
                Some(_) if dialect == Dialect::Kustomize => Err(refused(&text, "a time")),
                _ => Ok(text),
            };
        }
        // kustomize takes a key that is not there for an empty one.
        Resolved::Scalar(Scalar::Null) if plain == Some("") && dialect == Dialect::Kustomize => {
            return Ok(Arc::from(""));
        }
        Resolved::Scalar(Scalar::Null) => {
            return Err(NoValue("the key is empty or `null`".to_owned()));
        }
        Resolved::Scalar(Scalar::Bool(value)) => (value.to_string(), "a boolean"),
        Resolved::Scalar(Scalar::Uint(value)) => {
            return Err(NoValue(format!("the key `{value}` is a number that is too large")));
        }
        // A whole number that was written as a float is still a float to go-yaml.
        Resolved::Scalar(Scalar::Int(value)) => {
            let float = plain
                .map(without_underscores)
                .filter(|digits| integer(digits).is_none())
                .and_then(|digits| digits.parse::<f64>().ok());
            (float.map_or_else(|| value.to_string(), go_key), "a number")
        }
        Resolved::Scalar(Scalar::Float(value)) => (go_key(value), "a number"),
    };
    match dialect {
        Dialect::Kubectl => Ok(Arc::from(text)),
        Dialect::Kustomize => Err(refused(&text, what)),
    }
}

/// Writes a float as Go's `strconv.FormatFloat(value, 'g', -1, 32)` does.
fn go_key(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what Go does")]
    let short = value as f32;
    if short.is_infinite() {
        return if short > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{short:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        // With the shortest form, Go decides as if six digits were wanted.
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => short.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, dialect: Dialect) -> Resolved {
        super::plain(text, dialect).unwrap_or_else(|| Resolved::string(text))
    }

    fn kubectl(text: &str) -> Resolved {
        plain(text, Dialect::Kubectl)
    }

    fn int(value: i64) -> Resolved {
        Resolved::Scalar(Scalar::Int(value))
    }

    #[test]
    fn words_are_booleans_only_for_kubectl() {
        for text in ["y", "Yes", "on", "ON"] {
            assert_eq!(kubectl(text), Resolved::Scalar(Scalar::Bool(true)), "{text}");
            assert_eq!(plain(text, Dialect::Kustomize), Resolved::string(text), "{text}");
        }
        for text in ["yES", "oN", "nope", "nulL", "tRUE"] {
            assert_eq!(kubectl(text), Resolved::string(text), "{text}");
        }
    }

    #[test]
    fn integers_follow_go() {
        for (text, value) in [
            ("0644", 420),
            ("0o14", 12),
            ("0x1F", 31),
            ("-0b11", -3),
            ("0b+1", 1),
            ("0b-1", -1),
            ("1_000", 1000),
            ("+12", 12),
            ("089", 89),
            ("0_8", 8),
            ("1.", 1),
            ("1e3", 1000),
            // The digits of the number, not its value in binary.
            ("1159410489930300400.0", 1_159_410_489_930_300_400),
            ("-0", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(kubectl(text), int(value), "{text}");
        }
        assert_eq!(kubectl("18446744073709551615"), Resolved::Scalar(Scalar::Uint(u64::MAX)));
    }

    #[test]
    fn floats_follow_go() {
        for (text, value) in [
            ("1.5", 1.5),
            (".0_1", 0.01),
            ("1_0.5_0", 10.5),
            ("18446744073709551616", 18_446_744_073_709_552_000.0),
        ] {
            assert_eq!(kubectl(text), Resolved::Scalar(Scalar::Float(value)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_stays_text() {
        for text in [
            "1:30",
            "190:20:30",
            "0x1p-2",
            "1e400",
            "0xg",
            "-",
            "+",
            ".",
            "..",
            "1.2.3",
            "0b2",
            "._1",
            "1e",
            "--1",
            "+-1",
            "0x",
            "2001-01-01",
            "10Gi",
        ] {
            assert_eq!(kubectl(text), Resolved::string(text), "{text}");
        }
    }

    #[test]
    fn kustomize_rewrites_dates() {
        assert_eq!(
            plain("2001-01-01", Dialect::Kustomize),
            Resolved::string("2001-01-01T00:00:00Z")
        );
    }

    #[test]
    fn folded_text_is_what_kustomize_writes() {
        let again = |text| folded_again(text).to_string();
        assert_eq!(again("sum(x{\n  job\n}[2m])\n"), "sum(x{\n\n  job\n}[2m])\n");
        assert_eq!(again("a b\nc\n"), "a b\nc\n");
        assert_eq!(again("plain\n"), "plain\n");
    }

    #[test]
    fn tags_are_honoured() {
        assert_eq!(tagged("str", "1", Dialect::Kubectl), Ok(Resolved::string("1")));
        assert_eq!(tagged("binary", "aGk=", Dialect::Kubectl), Ok(Resolved::string("hi")));
        assert!(tagged("int", "x", Dialect::Kubectl).is_err());
        assert!(tagged("bool", "yes", Dialect::Kustomize).is_err());
    }

    #[test]
    fn keys_become_text_only_for_kubectl() {
        let key = |text, dialect| key(plain(text, dialect), Some(text), dialect);
        for (text, wanted) in [
            ("on", "true"),
            ("0644", "420"),
            ("1.10", "1.1"),
            ("1e3", "1000"),
            ("1e7", "1e+07"),
            ("0.0000001", "1e-07"),
            ("1e39", ".inf"),
            ("2001-01-01", "2001-01-01"),
        ] {
            assert_eq!(key(text, Dialect::Kubectl).as_deref(), Ok(wanted), "{text}");
        }
        for text in ["1", "true", "1.5", "2001-01-01", ".inf", "~"] {
            assert!(key(text, Dialect::Kustomize).is_err(), "{text}");
        }
        assert!(key("~", Dialect::Kubectl).is_err());
        assert!(key("18446744073709551615", Dialect::Kubectl).is_err());
    }
}
