//! Text to tokens.

use std::ops::Range;
use std::sync::Arc;

use super::CompileError;
use super::ast::Literal;

/// A token and its bytes.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) range: Range<usize>,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name, also one that is reserved.
    Ident(Arc<str>),
    /// A name in backticks.
    EscapedIdent(Arc<str>),
    /// Digits of a whole number, without a sign.
    Int(Arc<str>),
    /// Digits of a fraction, without a sign.
    Double(Arc<str>),
    /// Any other literal.
    Literal(Literal),
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end of the text.
    End,
}

/// Operators and brackets; the longer of two that begin alike comes first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!",
    "?", ":", "+", "*", "/", "%",
];

/// Splits a text into tokens; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, CompileError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut out = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let kind = lexer.next()?;
        let end = kind == TokenKind::End;
        out.push(Token { range: start..lexer.at, kind });
        if end {
            return Ok(out);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, start: usize, message: impl Into<String>) -> CompileError {
        CompileError { range: start..self.at.max(start), message: message.into() }
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.trim_start_matches(['\t', ' ', '\r', '\n', '\u{c}']);
            self.at += rest.len() - blank.len();
            if !blank.starts_with("//") {
                return;
            }
            self.at += blank.find('\n').unwrap_or(blank.len());
        }
    }

    fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !test(byte)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn next(&mut self) -> Result<TokenKind, CompileError> {
        let rest = self.rest();
        let mut bytes = rest.bytes();
        let Some(first) = bytes.next() else { return Ok(TokenKind::End) };
        let second = bytes.next().unwrap_or_default();
        let third = bytes.next().unwrap_or_default();
        let quote = |byte: u8| byte == b'"' || byte == b'\'';
        let raw = |byte: u8| byte == b'r' || byte == b'R';
        let bytes = |byte: u8| byte == b'b' || byte == b'B';
        match first {
            _ if quote(first) => self.string(false, false),
            _ if raw(first) && quote(second) => self.string(true, false),
            _ if bytes(first) && quote(second) => self.string(false, true),
            _ if bytes(first) && raw(second) && quote(third) => self.string(true, true),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                Ok(match name {
                    "true" => TokenKind::Literal(Literal::Bool(true)),
                    "false" => TokenKind::Literal(Literal::Bool(false)),
                    "null" => TokenKind::Literal(Literal::Null),
                    "in" => TokenKind::Sign("in"),
                    _ => TokenKind::Ident(Arc::from(name)),
                })
            }
            b'0'..=b'9' => self.number(),
            b'.' if second.is_ascii_digit() => self.number(),
            b'`' => self.escaped_ident(),
            _ => {
                if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                    self.at += sign.len();
                    return Ok(TokenKind::Sign(sign));
                }
                let start = self.at;
                let character = rest.chars().next().unwrap_or_default();
                self.at += character.len_utf8();
                Err(self.error(start, format!("the character `{character}` has no meaning here")))
            }
        }
    }

    fn escaped_ident(&mut self) -> Result<TokenKind, CompileError> {
        let start = self.at;
        self.at += 1;
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-/ ".contains(&byte));
        if name.is_empty() || !self.rest().starts_with('`') {
            return Err(self.error(start, "a name in backticks holds letters, digits and `_.-/ `"));
        }
        self.at += 1;
        Ok(TokenKind::EscapedIdent(Arc::from(name)))
    }

    fn number(&mut self) -> Result<TokenKind, CompileError> {
        let start = self.at;
        if let Some(rest) = self.rest().strip_prefix("0x")
            && rest.starts_with(|it: char| it.is_ascii_hexdigit())
        {
            self.at += 2;
            let digits = self.take_while(|byte| byte.is_ascii_hexdigit());
            if self.rest().starts_with(['u', 'U']) {
                self.at += 1;
                return match u64::from_str_radix(digits, 16) {
                    Ok(value) => Ok(TokenKind::Literal(Literal::Uint(value))),
                    Err(_) => Err(self.error(start, "invalid uint literal")),
                };
            }
            return Ok(TokenKind::Int(Arc::from(format!("0x{digits}"))));
        }
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if self.rest().starts_with(['u', 'U']) && !digits.is_empty() {
            self.at += 1;
            return match digits.parse() {
                Ok(value) => Ok(TokenKind::Literal(Literal::Uint(value))),
                Err(_) => Err(self.error(start, "invalid uint literal")),
            };
        }
        let mut fraction = false;
        let digit = |text: Option<&str>| {
            text.is_some_and(|text| text.starts_with(|it: char| it.is_ascii_digit()))
        };
        if digit(self.rest().strip_prefix('.')) {
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
            fraction = true;
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digit(Some(unsigned)) {
                self.at += 1 + exponent.len() - unsigned.len();
                self.take_while(|byte| byte.is_ascii_digit());
                fraction = true;
            }
        }
        let text = Arc::from(self.text.get(start..self.at).unwrap_or_default());
        Ok(if fraction { TokenKind::Double(text) } else { TokenKind::Int(text) })
    }

    fn string(&mut self, raw: bool, bytes: bool) -> Result<TokenKind, CompileError> {
        let start = self.at;
        self.at += usize::from(raw) + usize::from(bytes);
        let quote = self.rest().get(..1).unwrap_or_default();
        let triple = quote.repeat(3);
        let long = self.rest().starts_with(&triple);
        let fence = if long { triple.as_str() } else { quote };
        self.at += fence.len();
        let mut out = Unescaped { bytes, text: Vec::new() };
        loop {
            let rest = self.rest();
            if rest.starts_with(fence) {
                self.at += fence.len();
                break;
            }
            let Some(character) = rest.chars().next() else {
                return Err(self.error(start, "the string has no end"));
            };
            match character {
                '\n' | '\r' if !long => {
                    return Err(self.error(start, "the string has no end on its line"));
                }
                '\r' => {
                    self.at += if rest.starts_with("\r\n") { 2 } else { 1 };
                    out.text.push(b'\n');
                }
                '\\' if !raw => {
                    let from = self.at;
                    let Some(length) = out.escape(rest) else {
                        self.at += rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                        return Err(self.error(from, "the escape sequence is unknown"));
                    };
                    self.at += length;
                }
                _ => {
                    self.at += character.len_utf8();
                    out.push(character);
                }
            }
        }
        Ok(TokenKind::Literal(if bytes {
            Literal::Bytes(Arc::from(out.text))
        } else {
            Literal::String(Arc::from(String::from_utf8_lossy(&out.text)))
        }))
    }
}

/// The content of a string.
struct Unescaped {
    bytes: bool,
    text: Vec<u8>,
}

impl Unescaped {
    fn push(&mut self, character: char) {
        self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Reads one escape sequence and returns its length.
    fn escape(&mut self, rest: &str) -> Option<usize> {
        let kind = rest.as_bytes().get(1).copied()?;
        let simple = match kind {
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'"' | b'\'' | b'\\' | b'?' | b'`' => kind,
            _ => 0,
        };
        if simple != 0 {
            self.text.push(simple);
            return Some(2);
        }
        let (from, length, radix) = match kind {
            b'x' | b'X' => (2, 2, 16),
            b'u' if !self.bytes => (2, 4, 16),
            b'U' if !self.bytes => (2, 8, 16),
            b'0'..=b'3' => (1, 3, 8),
            _ => return None,
        };
        let digits = rest.get(from..from + length)?;
        if !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
            return None;
        }
        let value = u32::from_str_radix(digits, radix).ok()?;
        if self.bytes {
            self.text.push(u8::try_from(value).ok()?);
        } else {
            self.push(char::from_u32(value)?);
        }
        Some(from + length)
    }
}
