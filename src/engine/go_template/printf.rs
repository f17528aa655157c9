//! The function `printf`.

use super::value::{DEPTH, Value};

/// How wide a value may be padded.
const WIDTH: usize = 1_000;

/// Writes values as a format says (`fmt.Sprintf`), for the verbs that templates use.
pub(super) fn printf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut arguments = arguments.iter();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = characters.next_if(|c| matches!(c, '-' | '+' | '#' | ' ' | '0')) {
            flags.push(flag);
        }
        let number = |characters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<usize>().ok().map(|it| it.min(WIDTH))
        };
        let width = number(&mut characters).unwrap_or_default();
        let precision =
            characters.next_if_eq(&'.').map(|_| number(&mut characters).unwrap_or_default());
        let Some(verb) = characters.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = arguments.next() else {
            out.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(MISSING)"]);
            continue;
        };
        let text = shown(verb, value, precision, flags.contains('+'));
        let missing = width.saturating_sub(text.chars().count());
        if flags.contains('-') {
            out.push_str(&text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if flags.contains('0') && matches!(verb, 'd' | 'f' | 'x' | 'X') {
            let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |it| ("-", it));
            out.push_str(sign);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(digits);
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(&text);
        }
    }
    let left: Vec<String> =
        arguments.map(|it| format!("{}={}", it.kind(), it.shown(DEPTH))).collect();
    if !left.is_empty() {
        out.extend(["%!(EXTRA ", &left.join(", "), ")"]);
    }
    out
}

fn shown(verb: char, value: &Value, precision: Option<usize>, plus: bool) -> String {
    let sign =
        |text: String| if plus && !text.starts_with('-') { format!("+{text}") } else { text };
    match (verb, value) {
        ('v', value) => value.shown(DEPTH),
        ('s', Value::Text(text)) => match precision {
            Some(count) => text.chars().take(count).collect(),
            None => text.to_string(),
        },
        ('s', Value::List(_) | Value::Map(_)) => value.shown(DEPTH),
        ('q', Value::Text(text)) => format!("{text:?}"),
        ('t', Value::Bool(value)) => value.to_string(),
        ('d', Value::Int(value)) => sign(value.to_string()),
        ('x', Value::Int(value)) => format!("{value:x}"),
        ('X', Value::Int(value)) => format!("{value:X}"),
        ('o', Value::Int(value)) => format!("{value:o}"),
        ('b', Value::Int(value)) => format!("{value:b}"),
        ('c', Value::Int(value)) => {
            u32::try_from(*value).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('f', Value::Float(value)) => sign(format!("{value:.*}", precision.unwrap_or(6))),
        ('g', Value::Float(value)) => super::value::float(*value),
        (_, Value::Nil) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={})", value.kind(), value.shown(DEPTH)),
    }
}
