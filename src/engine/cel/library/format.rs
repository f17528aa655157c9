//! Named formats of strings.

use std::sync::Arc;

use super::url::Url;
use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::time::Timestamp;
use crate::engine::cel::value::{Evaluated, Failure, OpaqueValue, Value};

pub(super) const ROWS: &[Row] = &[
    row("format#validate(string): optional(list(string))", validate).cost(Cost::Format).since(31),
    row("format.named(string): optional(format)", named).since(31),
    row("format.dns1123Label(): format", |_, _| constant(0)).since(31),
    row("format.dns1123Subdomain(): format", |_, _| constant(1)).since(31),
    row("format.dns1035Label(): format", |_, _| constant(2)).since(31),
    row("format.qualifiedName(): format", |_, _| constant(3)).since(31),
    row("format.dns1123LabelPrefix(): format", |_, _| constant(4)).since(31),
    row("format.dns1123SubdomainPrefix(): format", |_, _| constant(5)).since(31),
    row("format.dns1035LabelPrefix(): format", |_, _| constant(6)).since(31),
    row("format.labelValue(): format", |_, _| constant(7)).since(31),
    row("format.uri(): format", |_, _| constant(8)).since(31),
    row("format.uuid(): format", |_, _| constant(9)).since(31),
    row("format.byte(): format", |_, _| constant(10)).since(31),
    row("format.date(): format", |_, _| constant(11)).since(31),
    row("format.datetime(): format", |_, _| constant(12)).since(31),
];

/// A format that has a name.
#[derive(Debug)]
pub struct Format {
    /// As in `format.named(name)`.
    pub name: &'static str,
    /// By which the cost of a test is reckoned.
    pub(in crate::engine::cel) pattern_size: u64,
    /// What is wrong with a text.
    test: fn(&str) -> Vec<&'static str>,
}

static KNOWN: [Format; 13] = [
    Format { name: "dns1123Label", pattern_size: 30, test: |it| label(it, false) },
    Format { name: "dns1123Subdomain", pattern_size: 60, test: |it| subdomain(it, false) },
    Format { name: "dns1035Label", pattern_size: 30, test: |it| old_label(it, false) },
    Format { name: "qualifiedName", pattern_size: 60, test: qualified_name },
    Format { name: "dns1123LabelPrefix", pattern_size: 30, test: |it| label(it, true) },
    Format { name: "dns1123SubdomainPrefix", pattern_size: 60, test: |it| subdomain(it, true) },
    Format { name: "dns1035LabelPrefix", pattern_size: 30, test: |it| old_label(it, true) },
    Format { name: "labelValue", pattern_size: 40, test: label_value },
    Format {
        name: "uri",
        pattern_size: 1103,
        test: |it| fault(Url::parse_request(it).is_some(), "is not a URI"),
    },
    Format {
        name: "uuid",
        pattern_size: 70,
        test: |it| fault(is_uuid(it), "does not match the UUID format"),
    },
    Format { name: "byte", pattern_size: 84, test: |it| fault(is_base64(it), "invalid base64") },
    Format { name: "date", pattern_size: 71, test: |it| fault(is_date(it), "invalid date") },
    Format {
        name: "datetime",
        pattern_size: 71,
        test: |it| fault(is_date_time(it), "invalid datetime"),
    },
];

fn fault(holds: bool, message: &'static str) -> Vec<&'static str> {
    if holds { Vec::new() } else { vec![message] }
}

const TOO_LONG_63: &str = "must be no more than 63 bytes";
const TOO_LONG_253: &str = "must be no more than 253 bytes";

fn edge(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = bytes.iter().all(|it| edge(*it) || *it == b'-');
    inner && bytes.first().is_some_and(|it| edge(*it)) && bytes.last().is_some_and(|it| edge(*it))
}

/// A name that goes on may end in a dash.
fn masked(text: &str, prefix: bool) -> String {
    match text.strip_suffix('-') {
        Some(rest) if prefix && !rest.is_empty() => {
            let mut rest = rest.to_owned();
            rest.pop();
            rest + "a"
        }
        _ => text.to_owned(),
    }
}

fn label(text: &str, prefix: bool) -> Vec<&'static str> {
    let text = masked(text, prefix);
    let mut out = fault(text.len() <= 63, TOO_LONG_63);
    out.extend(fault(is_label(&text), "must consist of lower case letters, digits and dashes"));
    out
}

fn old_label(text: &str, prefix: bool) -> Vec<&'static str> {
    let text = masked(text, prefix);
    let mut out = fault(text.len() <= 63, TOO_LONG_63);
    let holds = is_label(&text) && text.starts_with(|it: char| it.is_ascii_lowercase());
    out.extend(fault(
        holds,
        "must begin with a lower case letter, followed by letters, digits and dashes",
    ));
    out
}

fn subdomain(text: &str, prefix: bool) -> Vec<&'static str> {
    let text = masked(text, prefix);
    let mut out = fault(text.len() <= 253, TOO_LONG_253);
    let holds = text.split('.').all(is_label);
    out.extend(fault(holds, "must consist of lower case letters, digits, dashes and dots"));
    out
}

/// Letters and digits at the ends, dashes, dots and underscores between them.
fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = bytes.iter().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(it));
    let edge = |it: Option<&u8>| it.is_some_and(u8::is_ascii_alphanumeric);
    inner && edge(bytes.first()) && edge(bytes.last())
}

fn qualified_name(text: &str) -> Vec<&'static str> {
    let mut out = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, rest)) if rest.contains('/') => {
            return vec!["must be a name with an optional DNS subdomain and a slash before it"];
        }
        Some(("", name)) => {
            out.push("prefix part must be non-empty");
            name
        }
        Some((prefix, name)) => {
            out.extend(subdomain(prefix, false));
            name
        }
    };
    if name.is_empty() {
        out.push("name part must be non-empty");
    }
    out.extend(fault(name.len() <= 63, TOO_LONG_63));
    out.extend(fault(is_word(name), "name part must consist of letters, digits, `-`, `_` and `.`"));
    out
}

fn label_value(text: &str) -> Vec<&'static str> {
    let mut out = fault(text.len() <= 63, TOO_LONG_63);
    let holds = text.is_empty() || is_word(text);
    out.extend(fault(holds, "must be empty, or consist of letters, digits, `-`, `_` and `.`"));
    out
}

/// Groups of 8, 4, 4, 4 and 12 digits; each dash may be missing.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        if !group.bytes().all(|it| it.is_ascii_hexdigit()) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && padding <= 2
        && body.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'+' || it == b'/')
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && Timestamp::of_format(text).is_some()
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    if !is_date(date) {
        return false;
    }
    let two = |text: &str, limit: &str| {
        text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit()) && text <= limit
    };
    let clock = |text: &str, limits: &[&str]| {
        let parts: Vec<&str> = text.split(':').collect();
        parts.len() == limits.len()
            && parts.iter().zip(limits).all(|(part, limit)| two(part, limit))
    };
    let Some((hms, rest)) = time.split_at_checked(8) else { return false };
    if !clock(hms, &["23", "59", "59"]) {
        return false;
    }
    let zone = |text: &str| {
        text == "z" || text.strip_prefix(['+', '-']).is_some_and(|it| clock(it, &["99", "99"]))
    };
    if zone(rest) {
        return true;
    }
    // Any character, then decimals.
    let mut characters = rest.chars();
    characters.next().is_some_and(|it| it != '\n') && {
        let decimals = characters.as_str();
        let bare = decimals.trim_start_matches(|it: char| it.is_ascii_digit());
        bare.len() < decimals.len() && zone(bare)
    }
}

/// Decodes base 64 with the alphabet of URLs, as a field of the format `byte` is read.
pub(in crate::engine::cel) fn decode_base64(text: &str) -> Option<Arc<[u8]>> {
    let text: Vec<u8> = text.bytes().filter(|it| *it != b'\r' && *it != b'\n').collect();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut groups = text.chunks_exact(4).peekable();
    while let Some(group) = groups.next() {
        let padding = group.iter().rev().take_while(|it| **it == b'=').count();
        if padding > 2 || (padding > 0 && groups.peek().is_some()) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in group.iter().take(4 - padding) {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * padding;
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend(bytes.iter().take(3 - padding));
    }
    Some(Arc::from(out))
}

fn constant<'a>(index: usize) -> Evaluated<'a> {
    let format = KNOWN.get(index).ok_or_else(Failure::no_overload)?;
    Ok(Value::Opaque(OpaqueValue::Format(format)))
}

fn named<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(name)] = args else { return Err(Failure::no_overload()) };
    let format = KNOWN.iter().find(|it| it.name == name.as_str());
    let value = format.map(|it| Arc::new(Value::Opaque(OpaqueValue::Format(it))));
    Ok(Value::Optional(value))
}

fn validate<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::Opaque(OpaqueValue::Format(format)), Value::String(text)] = args else {
        return Err(Failure::no_overload());
    };
    let faults = (format.test)(text.as_str());
    let list = Value::list(faults.iter().map(|it| Value::string(*it)).collect());
    Ok(Value::Optional((!faults.is_empty()).then(|| Arc::new(list))))
}
