//! A template's text to tokens.

use super::{Result, error};

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// What stands between braces.
    Action(Vec<Token>),
}

/// A word of an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name: a function or a word of the language.
    Name(String),
    /// `.name`, and whether nothing separates it from the word before.
    Field(String, bool),
    /// `.`
    Dot,
    /// `$name`
    Variable(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
}

/// Splits a template; `{{-` and `-}}` take the space beside them.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut trim = false;
    loop {
        let (before, after) = match rest.split_once("{{") {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        let before = if trim { before.trim_start() } else { before };
        let Some(mut inside) = after else {
            out.push(Piece::Text(before.to_owned()));
            return Ok(out);
        };
        let is_trim = |text: &str| text.starts_with('-') && text.get(1..2).is_some_and(is_space);
        let before = if is_trim(inside) {
            inside = inside.get(1..).unwrap_or_default();
            before.trim_end()
        } else {
            before
        };
        out.push(Piece::Text(before.to_owned()));
        let comment = inside.trim_start().strip_prefix("/*");
        let (tokens, after) = if let Some(comment) = comment {
            let Some((_, after)) = comment.split_once("*/") else {
                return error("a comment is not closed");
            };
            (None, after)
        } else {
            let (tokens, after) = action(inside)?;
            (Some(tokens), after)
        };
        out.extend(tokens.map(Piece::Action));
        let end = after.trim_start();
        (rest, trim) = match (end.strip_prefix("}}"), end.strip_prefix("-}}")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return error("an action is not closed"),
        };
    }
}

fn is_space(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Reads an action up to its end, which is left.
fn action(text: &str) -> Result<(Vec<Token>, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        let spaced = rest.starts_with(char::is_whitespace);
        rest = rest.trim_start();
        // A minus before the end belongs to it only after a space.
        if rest.starts_with("}}") || (spaced && rest.starts_with("-}}")) {
            return Ok((tokens, rest));
        }
        let Some(first) = rest.chars().next() else { return error("an action is not closed") };
        let simple = [
            (":=", Token::Declare),
            ("=", Token::Assign),
            ("|", Token::Pipe),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
        ];
        if let Some((symbol, token)) = simple.iter().find(|(it, _)| rest.starts_with(it)) {
            tokens.push(token.clone());
            rest = rest.strip_prefix(symbol).unwrap_or_default();
            continue;
        }
        let token;
        (token, rest) = match first {
            '"' => quoted(rest)?,
            '`' => match rest.get(1..).and_then(|inside| inside.split_once('`')) {
                Some((text, after)) => (Token::Text(text.to_owned()), after),
                None => return error("a text is not closed"),
            },
            '.' if !rest
                .get(1..2)
                .is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit())) =>
            {
                let (name, after) = name(rest.get(1..).unwrap_or_default());
                match name {
                    "" => (Token::Dot, after),
                    name => (Token::Field(name.to_owned(), !spaced), after),
                }
            }
            '$' => {
                let (name, after) = name(rest.get(1..).unwrap_or_default());
                (Token::Variable(name.to_owned()), after)
            }
            c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => number(rest)?,
            c if c == '_' || c.is_alphabetic() => {
                let (name, after) = name(rest);
                (Token::Name(name.to_owned()), after)
            }
            c => return error(format!("`{c}` means nothing here")),
        };
        tokens.push(token);
    }
}

fn name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn number(text: &str) -> Result<(Token, &str)> {
    let is_part = |(at, c): (usize, char)| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || (at == 0 && matches!(c, '+' | '-'))
    };
    let end = text.char_indices().find(|it| !is_part(*it)).map_or(text.len(), |(at, _)| at);
    let (digits, after) = text.split_at_checked(end).unwrap_or((text, ""));
    let plain = digits.replace('_', "");
    if let Ok(value) = plain.parse() {
        return Ok((Token::Int(value), after));
    }
    let hex = plain.strip_prefix("0x").and_then(|it| i64::from_str_radix(it, 16).ok());
    match (hex, plain.parse()) {
        (Some(value), _) => Ok((Token::Int(value), after)),
        (None, Ok(value)) => Ok((Token::Float(value), after)),
        (None, Err(_)) => error(format!("`{digits}` is no number")),
    }
}

fn quoted(text: &str) -> Result<(Token, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Text(out), text.get(at + 1..).unwrap_or_default())),
            '\n' => break,
            '\\' => match characters.next().map(|(_, c)| c) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c @ ('"' | '\\' | '\'')) => out.push(c),
                Some(kind @ ('x' | 'u')) => {
                    let digits = if kind == 'x' { 2 } else { 4 };
                    let code: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                    let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    match code {
                        Some(code) => out.push(code),
                        None => return error("a text has an escape that is none"),
                    }
                }
                _ => return error("a text has an escape that is none"),
            },
            character => out.push(character),
        }
    }
    error("a text is not closed")
}
