//! `"%s is %.2f".format([a, b])`.

use std::fmt::Write as _;

use super::Scratch;
use super::convert::double_text;
use crate::engine::cel::value::{Evaluated, Failure, Value};

/// A clause of a template.
pub(in crate::engine::cel) struct Clause {
    pub(in crate::engine::cel) verb: char,
    precision: Option<usize>,
}

/// Decimals beyond which a float has no digits to show: more are refused.
const MAX_PRECISION: usize = 10_000;

/// Splits a template; `text` is told what stands between the clauses.
pub(in crate::engine::cel) fn clauses<E: From<String>>(
    template: &str,
    mut text: impl FnMut(&str),
    mut clause: impl FnMut(Clause) -> Result<String, E>,
    has_argument: impl Fn(usize) -> bool,
) -> Result<usize, E> {
    let mut rest = template;
    let mut count = 0;
    loop {
        let at = rest.find('%').unwrap_or(rest.len());
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        text(before);
        let Some(after) = after.strip_prefix('%') else { return Ok(count) };
        if let Some(after) = after.strip_prefix('%') {
            text("%");
            rest = after;
            continue;
        }
        if !has_argument(count) {
            return Err(format!("index {count} out of range").into());
        }
        if after.is_empty() {
            return Err("unexpected end of string".to_owned().into());
        }
        let (found, after) = read(after)?;
        text(&clause(found)?);
        count += 1;
        rest = after;
    }
}

fn read(text: &str) -> Result<(Clause, &str), String> {
    let parsing = |why: String| format!("could not parse formatting clause: {why}");
    let mut rest = text;
    let mut precision = None;
    if let Some(after) = text.strip_prefix('.') {
        let end = after.bytes().position(|it| !it.is_ascii_digit()).ok_or_else(|| {
            let why = "error while parsing precision: could not find end of precision specifier";
            parsing(why.to_owned())
        })?;
        let (digits, after) = after.split_at_checked(end).unwrap_or((after, ""));
        let value = digits.parse().ok().filter(|it| *it <= MAX_PRECISION).ok_or_else(|| {
            parsing("error while parsing precision: it is no number that makes sense".to_owned())
        })?;
        precision = Some(value);
        rest = after;
    }
    let mut characters = rest.chars();
    let verb = characters.next().unwrap_or_default();
    if !"sdfebxXo".contains(verb) {
        return Err(parsing(format!("unrecognized formatting clause \"{verb}\"")));
    }
    Ok((Clause { verb, precision }, characters.as_str()))
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

pub(super) fn format<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(template), Value::List(list)] = args else {
        return Err(Failure::no_overload());
    };
    let mut out = String::new();
    let mut next = 0;
    clauses(
        template.as_str(),
        |text| out.push_str(text),
        |clause| {
            let value = list.get(next).ok_or_else(Failure::no_overload)??;
            next += 1;
            clause.apply(&value)
        },
        |at| at < list.len(),
    )?;
    Ok(Value::string(out))
}

impl Clause {
    /// What the clause takes, as messages call it.
    pub(in crate::engine::cel) fn refusal(&self, given: &str) -> String {
        let what = match self.verb {
            'd' => "decimal clause can only be used on integers",
            'f' => "fixed-point clause can only be used on doubles",
            'e' => "scientific clause can only be used on doubles",
            'b' => "only integers and bools can be formatted as binary",
            'o' => "octal clause can only be used on integers",
            'x' | 'X' => "only integers, byte buffers, and strings can be formatted as hex",
            _ => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, \
                 lists, types, durations, and timestamps"
            }
        };
        format!("error during formatting: {what}, was given {given}")
    }

    fn apply(&self, value: &Value<'_>) -> Result<String, Failure> {
        let refused = || Failure::new(self.refusal(value.type_name()));
        Ok(match (self.verb, value) {
            ('s', _) => plain(value)?,
            ('d', Value::Int(value)) => value.to_string(),
            ('d', Value::Uint(value)) => value.to_string(),
            ('f' | 'e', _) => {
                let number = match value {
                    Value::Double(value) => *value,
                    Value::String(text) => match text.as_str() {
                        "NaN" => f64::NAN,
                        "Infinity" => f64::INFINITY,
                        "-Infinity" => f64::NEG_INFINITY,
                        _ => return Err(refused()),
                    },
                    _ => return Err(refused()),
                };
                // Upstream's locale knows no negative zero.
                let number = if number == 0.0 { 0.0 } else { number };
                let precision = self.precision.unwrap_or(6);
                match self.verb {
                    'f' => fixed(number, precision),
                    _ => scientific(number, precision),
                }
            }
            ('b', Value::Bool(value)) => u8::from(*value).to_string(),
            (verb, Value::Int(value)) => {
                let sign = if *value < 0 { "-" } else { "" };
                format!("{sign}{}", radix(verb, value.unsigned_abs()).ok_or_else(refused)?)
            }
            (verb, Value::Uint(value)) => radix(verb, *value).ok_or_else(refused)?,
            ('x' | 'X', Value::String(text)) => hex(text.as_str().as_bytes(), self.verb == 'X'),
            ('x' | 'X', Value::Bytes(bytes)) => hex(bytes, self.verb == 'X'),
            _ => return Err(refused()),
        })
    }
}

fn radix(verb: char, value: u64) -> Option<String> {
    Some(match verb {
        'b' => format!("{value:b}"),
        'o' => format!("{value:o}"),
        'x' => format!("{value:x}"),
        'X' => format!("{value:X}"),
        _ => return None,
    })
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|it| if upper { format!("{it:02X}") } else { format!("{it:02x}") }).collect()
}

fn unusual(number: f64) -> Option<String> {
    if number.is_nan() {
        return Some("NaN".to_owned());
    }
    number.is_infinite().then(|| if number > 0.0 { "\u{221e}" } else { "-\u{221e}" }.to_owned())
}

/// Writes a float with the thousands set apart, as upstream's locale does.
fn fixed(number: f64, precision: usize) -> String {
    if let Some(text) = unusual(number) {
        return text;
    }
    let text = format!("{number:.precision$}");
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Writes a float with an exponent, as upstream's locale does: always with six decimals, because
/// upstream takes the precision for a width.
fn scientific(number: f64, width: usize) -> String {
    const RAISED: [char; 10] = [
        '\u{2070}', '\u{b9}', '\u{b2}', '\u{b3}', '\u{2074}', '\u{2075}', '\u{2076}', '\u{2077}',
        '\u{2078}', '\u{2079}',
    ];
    let text = unusual(number).unwrap_or_else(|| {
        let text = format!("{number:.6e}");
        let Some((mantissa, exponent)) = text.split_once('e') else { return text };
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { "\u{207b}" } else { "" };
        let digits = format!("{:02}", exponent.abs());
        let raised = digits.bytes().filter_map(|it| RAISED.get(usize::from(it - b'0')));
        format!("{mantissa}\u{d7}10{sign}{}", raised.collect::<String>())
    });
    format!("{text:>width$}")
}

/// Writes a value for `%s`.
fn plain(value: &Value<'_>) -> Result<String, Failure> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double_text(*value),
        Value::String(text) => text.as_str().to_owned(),
        Value::Bytes(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| Failure::new("invalid UTF-8 in bytes, cannot convert to string"))?
            .to_owned(),
        Value::Timestamp(time) => time.to_string(),
        Value::Duration(span) => span.to_string(),
        Value::Type(name) => name.to_string(),
        Value::List(_) | Value::Map(_) => nested(value)?,
        Value::Optional(_) | Value::Opaque(_) => {
            let clause = Clause { verb: 's', precision: None };
            return Err(Failure::new(clause.refusal(value.type_name())));
        }
    })
}

/// Writes a value that stands in a list or a map.
fn nested(value: &Value<'_>) -> Result<String, Failure> {
    Ok(match value {
        Value::String(text) => quoted(text.as_str()),
        Value::Bytes(bytes) => format!("b{}", quoted(&String::from_utf8_lossy(bytes))),
        Value::Double(value) if !value.is_finite() => quoted(&double_text(*value)),
        Value::Double(value) => format!("{value:.6}"),
        Value::Timestamp(time) => format!("timestamp(\"{time}\")"),
        Value::Duration(span) => format!("duration(\"{span}\")"),
        Value::List(list) => {
            let items: Result<Vec<_>, _> = list.iter().map(|item| nested(&item?)).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(map) => {
            let mut entries = Vec::new();
            for key in map.keys() {
                if let Some(value) = map.find(&key)? {
                    entries.push((nested(&key)?, nested(&value)?));
                }
            }
            entries.sort();
            let entries: Vec<_> = entries.into_iter().map(|(k, v)| format!("{k}:{v}")).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Optional(_) | Value::Opaque(_) => {
            let message = format!("no formatting function for {}", value.type_name());
            return Err(Failure::new(message));
        }
        other => plain(other)?,
    })
}

/// Quotes as Go's `%q` does.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            other if other.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
