//! How go-yaml v2 writes a string, which decides how it is read after variables are filled in.
//!
//! Flux fills them in the YAML text of an object. A string that stands there without quotes can
//! become a number, and one in quotes cannot.

use std::fmt::Write as _;

/// Where a string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the key of a mapping.
    Key,
    /// It is a value of a mapping.
    Value,
    /// It is an item of a list.
    Item,
}

/// Writes a string that holds a `$`, and so is neither a number nor a word of YAML.
///
/// `stringv` of go-yaml's `encode.go`, and the emitter's choice of a style.
pub(super) fn written(text: &str, place: Place) -> String {
    let look = Look::of(text);
    let several = text.contains('\n');
    if several && look.block && place != Place::Key {
        literal(text)
    } else if !several && look.plain {
        text.to_owned()
    } else if !several && look.single {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        double_quoted(text)
    }
}

/// Which styles a string may have.
struct Look {
    plain: bool,
    single: bool,
    block: bool,
}

impl Look {
    /// `yaml_emitter_analyze_scalar`, as far as blocks are concerned.
    fn of(text: &str) -> Self {
        let mut look = Self { plain: true, single: true, block: true };
        if text.starts_with("---") || text.starts_with("...") {
            look.plain = false;
        }
        let mut before: Option<char> = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            let is_followed_by_blank = next.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            look.plain &= match (before, c) {
                (None, '?' | ':' | '-') | (Some(_), ':') => !is_followed_by_blank,
                (None, c) => !"#,[]{}&*!|>'\"%@`".contains(c),
                (Some(' ' | '\t' | '\n' | '\r'), '#') => false,
                _ => true,
            };
            if !is_printable(c) || matches!(c, '\u{2028}' | '\u{2029}') {
                look = Self { plain: false, single: false, block: false };
            }
            match (before, c, next) {
                (None, ' ' | '\n', _) | (_, '\n', None) => look.plain = false,
                (_, ' ', None) => {
                    look.plain = false;
                    look.block = false;
                }
                // A space before the end of a line would be lost.
                (_, ' ', Some('\n')) => look = Self { plain: false, single: false, block: false },
                _ => {}
            }
            if (before, c) == (Some('\n'), ' ') {
                look.single = false;
            }
            before = Some(c);
        }
        look
    }
}

/// `is_printable` of go-yaml, which knows no characters beyond the basic plane.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

fn literal(text: &str) -> String {
    let mut out = String::from("|");
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text == "\n" || text.ends_with("\n\n") {
        out.push('+');
    }
    out.push('\n');
    for line in text.split_inclusive('\n') {
        if line != "\n" {
            out.push_str("  ");
        }
        out.push_str(line);
    }
    out
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if is_printable(c) => {
                out.push(c);
                continue;
            }
            c => {
                let code = u32::from(c);
                // Writing to a string cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
                continue;
            }
        };
        out.push('\\');
        out.push(short);
    }
    out.push('"');
    out
}
