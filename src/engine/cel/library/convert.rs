//! Conversions between the types of the language.

use std::sync::Arc;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::time::{Duration, Timestamp};
use crate::engine::cel::value::{Evaluated, Failure, OpaqueValue, Value};

pub(super) const ROWS: &[Row] = &[
    row("type(A): type(A)", type_of),
    row("dyn(A): dyn", dynamic),
    row("bool(bool): bool", to_bool),
    row("bool(string): bool", to_bool),
    row("bytes(bytes): bytes", to_bytes),
    row("bytes(string): bytes", to_bytes).cost(Cost::Traverse),
    row("double(double): double", to_double),
    row("double(int): double", to_double),
    row("double(string): double", to_double),
    row("double(uint): double", to_double),
    row("duration(duration): duration", to_duration),
    row("duration(string): duration", to_duration),
    row("int(int): int", to_int),
    row("int(double): int", to_int),
    row("int(duration): int", to_int),
    row("int(string): int", to_int),
    row("int(timestamp): int", to_int),
    row("int(uint): int", to_int),
    row("string(string): string", to_string),
    row("string(bool): string", to_string),
    row("string(bytes): string", to_string).cost(Cost::Traverse),
    row("string(double): string", to_string),
    row("string(duration): string", to_string),
    row("string(int): string", to_string),
    row("string(timestamp): string", to_string),
    row("string(uint): string", to_string),
    row("string(ip): string", to_string).since(30),
    row("string(cidr): string", to_string).since(30),
    row("timestamp(timestamp): timestamp", to_timestamp),
    row("timestamp(int): timestamp", to_timestamp),
    row("timestamp(string): timestamp", to_timestamp),
    row("uint(uint): uint", to_uint),
    row("uint(double): uint", to_uint),
    row("uint(int): uint", to_uint),
    row("uint(string): uint", to_uint),
];

/// Functions whose calls on constants are done when the expression is compiled.
pub(in crate::engine::cel) const FOLDED: &[&str] =
    &["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];

fn no_conversion(value: &Value<'_>, to: &str) -> Failure {
    Failure::new(format!("type conversion error from '{}' to '{to}'", value.type_name()))
}

fn type_of<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value] => Ok(Value::Type(Arc::from(value.type_name()))),
        _ => Err(Failure::no_overload()),
    }
}

fn dynamic<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value] => Ok(value.clone()),
        _ => Err(Failure::no_overload()),
    }
}

fn to_bool<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ Value::Bool(_)] => Ok(value.clone()),
        [value @ Value::String(text)] => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(no_conversion(value, "bool")),
        },
        _ => Err(Failure::no_overload()),
    }
}

fn to_bytes<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ Value::Bytes(_)] => Ok(value.clone()),
        [Value::String(text)] => Ok(Value::Bytes(Arc::from(text.as_str().as_bytes()))),
        _ => Err(Failure::no_overload()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a conversion to a float is asked for")]
fn to_double<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ Value::Double(_)] => Ok(value.clone()),
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [value @ Value::String(text)] => {
            let parsed = parse_double(text.as_str());
            parsed.map(Value::Double).ok_or_else(|| no_conversion(value, "double"))
        }
        _ => Err(Failure::no_overload()),
    }
}

/// Reads a number as Go's `strconv.ParseFloat` does.
fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), "inf" | "infinity" | "nan") {
        return text.to_ascii_lowercase().parse().ok();
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        let magnitude = parse_hex_double(hex)?;
        return Some(if text.starts_with('-') { -magnitude } else { magnitude });
    }
    let value: f64 = without_underscores(text)?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// Removes the underscores that stand between digits; `None` where one stands elsewhere.
fn without_underscores(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('_').collect();
    let digit = |it: Option<char>| it.is_some_and(|it| it.is_ascii_digit());
    let fine = parts.windows(2).all(|pair| match pair {
        [left, right] => digit(left.chars().next_back()) && digit(right.chars().next()),
        _ => true,
    });
    fine.then(|| parts.concat())
}

/// Reads `1.8p3`: a fraction in base 16 and an exponent of two.
fn parse_hex_double(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let value = value * 2.0_f64.powi(exponent.checked_sub(shift)?);
    value.is_finite().then_some(value)
}

fn to_duration<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ Value::Duration(_)] => Ok(value.clone()),
        [value @ Value::String(text)] => Duration::parse(text.as_str())
            .map(Value::Duration)
            .ok_or_else(|| no_conversion(value, "google.protobuf.Duration")),
        _ => Err(Failure::no_overload()),
    }
}

/// Reads a whole number as Go does: a sign is allowed, nothing else but digits.
fn plain_number(text: &str, signed: bool) -> Option<&str> {
    let digits = if signed { text.strip_prefix(['+', '-']).unwrap_or(text) } else { text };
    let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    plain.then(|| text.strip_prefix('+').unwrap_or(text))
}

fn to_int<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ Value::Int(_)] => Ok(value.clone()),
        [Value::Uint(value)] => {
            Ok(Value::Int(i64::try_from(*value).map_err(|_| Failure::overflow())?))
        }
        [Value::Double(value)] => {
            if !value.is_finite()
                || *value <= -9_223_372_036_854_775_808.0
                || *value >= 9_223_372_036_854_775_807.0
            {
                return Err(Failure::overflow());
            }
            #[expect(clippy::cast_possible_truncation, reason = "within the bounds above")]
            let whole = *value as i64;
            Ok(Value::Int(whole))
        }
        [Value::Duration(span)] => Ok(Value::Int(span.0)),
        [Value::Timestamp(time)] => Ok(Value::Int(time.seconds())),
        [value @ Value::String(text)] => plain_number(text.as_str(), true)
            .and_then(|it| it.parse().ok())
            .map(Value::Int)
            .ok_or_else(|| no_conversion(value, "int")),
        _ => Err(Failure::no_overload()),
    }
}

fn to_uint<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let overflow = || Failure::new("unsigned integer overflow");
    match args {
        [value @ Value::Uint(_)] => Ok(value.clone()),
        [Value::Int(value)] => Ok(Value::Uint(u64::try_from(*value).map_err(|_| overflow())?)),
        [Value::Double(value)] => {
            if !value.is_finite() || *value < 0.0 || *value >= 18_446_744_073_709_551_616.0 {
                return Err(overflow());
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the bounds above"
            )]
            let whole = *value as u64;
            Ok(Value::Uint(whole))
        }
        [value @ Value::String(text)] => plain_number(text.as_str(), false)
            .and_then(|it| it.parse().ok())
            .map(Value::Uint)
            .ok_or_else(|| no_conversion(value, "uint")),
        _ => Err(Failure::no_overload()),
    }
}

fn to_timestamp<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let overflow = || Failure::new("timestamp overflow");
    match args {
        [value @ Value::Timestamp(_)] => Ok(value.clone()),
        [Value::Int(seconds)] => {
            Timestamp::from_seconds(*seconds).map(Value::Timestamp).ok_or_else(overflow)
        }
        [value @ Value::String(text)] => match Timestamp::parse(text.as_str()) {
            Some(time) => time.map(Value::Timestamp).ok_or_else(overflow),
            None => Err(no_conversion(value, "google.protobuf.Timestamp")),
        },
        _ => Err(Failure::no_overload()),
    }
}

fn to_string<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [value] = args else { return Err(Failure::no_overload()) };
    Ok(Value::string(match value {
        Value::String(_) => return Ok(value.clone()),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double_text(*value),
        Value::Duration(span) => span.to_string(),
        Value::Timestamp(time) => time.to_string(),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                return Err(Failure::new("invalid UTF-8 in bytes, cannot convert to string"));
            }
        },
        Value::Opaque(OpaqueValue::Ip(ip)) => ip.to_string(),
        Value::Opaque(OpaqueValue::Cidr(cidr)) => cidr.to_string(),
        _ => return Err(Failure::no_overload()),
    }))
}

/// Writes a float as Go's `%g` does: the shortest digits, an exponent where the number is large
/// or small.
pub(in crate::engine::cel) fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
