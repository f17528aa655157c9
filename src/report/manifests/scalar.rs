//! How go-yaml v2 writes a text: which quotes it takes, and where it breaks lines.

use crate::load::is_typed;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` and lines of their own.
    Literal,
}

/// The longest key, in bytes, that is written without a `?`.
pub(super) const SIMPLE_KEY: usize = 128;

/// Says whether a text holds a line break, so that as a key it needs a `?`.
pub(super) fn is_multiline(text: &str) -> bool {
    text.bytes().any(|byte| !(b' '..0x80).contains(&byte)) && text.contains(is_break)
}

/// Returns how a text is written.
///
/// As `stringv` of go-yaml's `encode.go` and `yaml_emitter_analyze_scalar` and
/// `yaml_emitter_select_scalar_style` of its `emitterc.go` decide. Two texts are quoted beyond
/// that, since go-yaml writes them so that they are read as something else: those with the line
/// breaks of Unicode, and `<<`.
pub(super) fn form(text: &str, simple_key: bool) -> Form {
    if text.is_empty() || text == "<<" {
        return Form::Double;
    }
    if is_word(text) {
        return if is_typed(text) { Form::Double } else { Form::Plain };
    }
    let found = Analysis::of(text);
    if text.contains('\n') {
        return if found.block && !simple_key { Form::Literal } else { Form::Double };
    }
    if is_typed(text) || is_base60(text) {
        Form::Double
    } else if found.plain {
        Form::Plain
    } else if found.single {
        Form::Single
    } else {
        Form::Double
    }
}

/// Says whether a text begins with a letter and holds nothing that quotes might be for, as most do.
fn is_word(text: &str) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_');
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.iter().all(plain)
}

/// Which forms a text allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        indicator |= match bytes {
            [
                b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
                | b'"' | b'%' | b'@' | b'`',
                ..,
            ]
            | [b'?' | b':' | b'-'] => true,
            [b'?' | b':' | b'-', next, ..] => is_blank(*next),
            _ => false,
        };
        let (mut breaks, mut special) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        let mut previous = 0;
        let mut ascii = true;
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b' ' => break_space |= previous == b'\n',
                b'\n' => {
                    breaks = true;
                    space_break |= previous == b' ';
                }
                b':' => indicator |= bytes.get(at + 1).is_none_or(|next| is_blank(*next)),
                b'#' => indicator |= previous == b' ' || previous == b'\n',
                0x21..=0x7e => {}
                0x80.. => ascii = false,
                _ => special = true,
            }
            previous = *byte;
        }
        special |= !ascii && text.chars().any(|c| !is_printable(c));
        let edge = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\n'));
        let trailing_space = bytes.last() == Some(&b' ');
        Self {
            plain: !(indicator
                || edge(bytes.first())
                || edge(bytes.last())
                || break_space
                || space_break
                || special
                || breaks),
            single: !(break_space || space_break || special),
            block: !(trailing_space || space_break || special),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Says whether a character stands for itself between quotes.
///
/// `is_printable` of go-yaml's `yamlprivateh.go`, without the line breaks of Unicode.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}')
        || (matches!(c, '\u{e000}'..='\u{fffd}') && c != '\u{feff}')
}

/// Says whether a text is a number of base 60 to YAML 1.1, e.g. `190:20:30`.
///
/// Matches `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`.
fn is_base60(text: &str) -> bool {
    let Some((first, rest)) = text.split_once(':') else { return false };
    let first = first.strip_prefix(['-', '+']).unwrap_or(first);
    let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit() || it == b'_');
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !digits(first) {
        return false;
    }
    let (rest, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    digits(fraction)
        && rest
            .split(':')
            .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// Appends the escape of a character, `\` included.
pub(super) fn push_escape(c: char, out: &mut String) {
    use std::fmt::Write as _;
    let short = match c {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ => {
            // Writing to a string does not fail.
            let _ = match u32::from(c) {
                code @ ..=0xff => write!(out, "\\x{code:02X}"),
                code @ ..=0xffff => write!(out, "\\u{code:04X}"),
                code => write!(out, "\\U{code:08X}"),
            };
            return;
        }
    };
    out.push_str(short);
}

/// Returns a number as Go's JSON and then go-yaml write it.
///
/// JSON writes a number without an exponent up to 10^21, so a whole one that fits an integer comes
/// back as one; any other is written with `%g`.
pub(super) fn float(value: f64) -> String {
    let plain = value.to_string();
    if plain.parse::<i64>().is_ok() || plain.parse::<u64>().is_ok() {
        return if plain == "-0" { "0".to_owned() } else { plain };
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return plain };
    let Ok(exponent) = exponent.parse::<i32>() else { return plain };
    // Go decides as for six digits where it writes as few as it can.
    if (-4..6).contains(&exponent) {
        return plain;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (value, text) in [
            (0.5, "0.5"),
            (-0.0, "0"),
            (3.0, "3"),
            (1e19, "10000000000000000000"),
            (-1e19, "-1e+19"),
            (1e20, "1e+20"),
            (123_456_789.5, "1.234567895e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn base_sixty_is_quoted() {
        for text in ["1:20", "+190:20:30.5", "1_0:59."] {
            assert_eq!(form(text, false), Form::Double, "{text}");
        }
        for text in ["1:60", "1:2:", "a:1", ":1", "1:20.5.6", "10.0.0.1:80"] {
            assert_ne!(form(text, false), Form::Double, "{text}");
        }
    }
}
