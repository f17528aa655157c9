//! Reads templates.

use super::{Expression, Function, Part, Value, Variable};

/// The longest template, in bytes.
const LONGEST: usize = 4096;
/// How deeply conditions and parentheses may be nested.
const DEPTH: usize = 32;

/// Why a template is refused. Columns count characters, from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in super::super) struct InvalidTemplate(String);

fn invalid(message: impl Into<String>) -> InvalidTemplate {
    InvalidTemplate(message.into())
}

/// A piece of a template: text, or what stands within `{{` and `}}`.
#[derive(Debug)]
enum Piece<'a> {
    Text(&'a str),
    Action(Action<'a>),
}

#[derive(Debug)]
struct Action<'a> {
    tokens: Vec<(Token<'a>, usize)>,
    /// The column after the last token.
    end: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Field(&'a str),
    Word(&'a str),
    Text(String),
    Number(i64),
    Open,
    Close,
    Pipe,
}

pub(super) fn template(text: &str) -> Result<Vec<Part>, InvalidTemplate> {
    if text.len() > LONGEST {
        return Err(invalid(format!("it is longer than {LONGEST} bytes")));
    }
    let pieces = pieces(text)?;
    let mut pieces = pieces.into_iter();
    let (parts, end) = block(&mut pieces, DEPTH)?;
    match end {
        None => Ok(parts),
        Some((word, column, _)) => {
            Err(invalid(format!("there is no `if` before this `{word}` (column {column})")))
        }
    }
}

/// Splits a template, and takes away the space beside trim markers.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, InvalidTemplate> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut trims = false;
    let column = |rest: &str| text.chars().count() - rest.chars().count() + 1;
    loop {
        let (before, after) = match rest.split_once("{{") {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        let mut plain = if trims { before.trim_start_matches(is_space) } else { before };
        let Some(after) = after else {
            out.push(Piece::Text(plain));
            return Ok(out);
        };
        let opened = column(after) - 2;
        let trimmed = after.strip_prefix('-').filter(|it| it.starts_with(is_space));
        if trimmed.is_some() {
            plain = plain.trim_end_matches(is_space);
        }
        out.push(Piece::Text(plain));
        let inner = trimmed.unwrap_or(after);
        let unclosed = || invalid(format!("the `{{{{` in column {opened} is not closed by `}}}}`"));
        let start = inner.trim_start_matches(is_space);
        if let Some(comment) = start.strip_prefix("/*") {
            let (_, end) = comment.split_once("*/").ok_or_else(unclosed)?;
            let end = end.trim_start_matches(is_space);
            trims = end.starts_with("-}}");
            let end = end.strip_prefix('-').unwrap_or(end);
            rest = end.strip_prefix("}}").ok_or_else(unclosed)?;
            continue;
        }
        let mut tokens = Vec::new();
        let mut left = inner;
        (trims, rest) = loop {
            let space = left.starts_with(is_space);
            left = left.trim_start_matches(is_space);
            if let Some(end) = left.strip_prefix("}}") {
                break (false, end);
            }
            if space && let Some(end) = left.strip_prefix("-}}") {
                break (true, end);
            }
            if left.is_empty() {
                return Err(unclosed());
            }
            let at = column(left);
            let (token, next) = token(left, at)?;
            tokens.push((token, at));
            left = next;
        };
        let end = column(left);
        out.push(Piece::Action(Action { tokens, end }));
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Reads one token of an action, which is not empty.
fn token(text: &str, column: usize) -> Result<(Token<'_>, &str), InvalidTemplate> {
    let unclosed = || invalid(format!("the text in column {column} is not closed"));
    for (sign, token) in [("(", Token::Open), (")", Token::Close), ("|", Token::Pipe)] {
        if let Some(rest) = text.strip_prefix(sign) {
            return Ok((token, rest));
        }
    }
    if let Some(raw) = text.strip_prefix('`') {
        let (inner, rest) = raw.split_once('`').ok_or_else(unclosed)?;
        return Ok((Token::Text(inner.to_owned()), rest));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let mut inner = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().ok_or_else(unclosed)? {
                '"' => return Ok((Token::Text(inner), chars.as_str())),
                '\\' => match chars.next().ok_or_else(unclosed)? {
                    'n' => inner.push('\n'),
                    't' => inner.push('\t'),
                    other => inner.push(other),
                },
                '\n' => return Err(unclosed()),
                other => inner.push(other),
            }
        }
    }
    let ends = |c: char| is_space(c) || matches!(c, '(' | ')' | '|' | '}' | '"' | '`');
    let (word, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let token = match word.strip_prefix('.') {
        Some(name) if is_name(name) => Token::Field(name),
        None if is_name(word) => Token::Word(word),
        _ => match word.parse() {
            Ok(number) => Token::Number(number),
            Err(_) => {
                return Err(invalid(format!("`{word}` (column {column}) is not understood")));
            }
        },
    };
    Ok((token, rest))
}

/// What ended a block: the word, its column, and what follows it.
type End<'a> = Option<(&'a str, usize, Action<'a>)>;

/// Reads the parts up to an `else` or `end` of the block around, or to the end.
fn block<'a>(
    pieces: &mut std::vec::IntoIter<Piece<'a>>,
    depth: usize,
) -> Result<(Vec<Part>, End<'a>), InvalidTemplate> {
    let Some(depth) = depth.checked_sub(1) else { return Err(too_deep()) };
    let mut parts = Vec::new();
    while let Some(piece) = pieces.next() {
        let mut action = match piece {
            Piece::Text("") => continue,
            Piece::Text(text) => {
                parts.push(Part::Text(text.to_owned()));
                continue;
            }
            Piece::Action(action) => action,
        };
        let first = action.tokens.first().cloned();
        match first {
            Some((Token::Word(word @ ("else" | "end")), column)) => {
                action.tokens.remove(0);
                return Ok((parts, Some((word, column, action))));
            }
            Some((Token::Word("if"), column)) => {
                action.tokens.remove(0);
                parts.push(condition(pieces, &action, column, depth)?);
            }
            Some((
                Token::Word(word @ ("range" | "with" | "define" | "template" | "block")),
                column,
            )) => {
                return Err(invalid(format!(
                    "`{word}` (column {column}) is not understood: only values, comments and `if` are"
                )));
            }
            _ => parts.push(Part::Value(expression(&action)?)),
        }
    }
    Ok((parts, None))
}

/// Reads the arms of an `if`, whose condition is `action`.
fn condition<'a>(
    pieces: &mut std::vec::IntoIter<Piece<'a>>,
    action: &Action<'a>,
    column: usize,
    depth: usize,
) -> Result<Part, InvalidTemplate> {
    let mut arms = Vec::new();
    let mut wanted = Some(expression(action)?);
    loop {
        let (parts, end) = block(pieces, depth)?;
        let is_last = wanted.is_none();
        arms.push((wanted, parts));
        match end {
            None => return Err(invalid(format!("the `if` in column {column} has no `end`"))),
            Some(("end", _, rest)) => {
                return match rest.tokens.first() {
                    None => Ok(Part::If(arms)),
                    Some((_, at)) => Err(invalid(format!("nothing is expected in column {at}"))),
                };
            }
            Some((_, at, _)) if is_last => {
                return Err(invalid(format!("the `else` in column {at} follows another one")));
            }
            Some((_, _, mut rest)) => {
                wanted = match rest.tokens.first() {
                    None => None,
                    Some((Token::Word("if"), _)) => {
                        rest.tokens.remove(0);
                        Some(expression(&rest)?)
                    }
                    Some((_, at)) => {
                        return Err(invalid(format!("`if` is expected in column {at}")));
                    }
                };
            }
        }
    }
}

fn too_deep() -> InvalidTemplate {
    invalid("it is nested too deeply")
}

fn expression(action: &Action<'_>) -> Result<Expression, InvalidTemplate> {
    let mut tokens = action.tokens.iter().peekable();
    let pipeline = pipeline(&mut tokens, action.end, DEPTH)?;
    match tokens.next() {
        None => Ok(pipeline),
        Some((_, at)) => Err(invalid(format!("nothing is expected in column {at}"))),
    }
}

type Tokens<'t, 'a> = std::iter::Peekable<std::slice::Iter<'t, (Token<'a>, usize)>>;

/// Reads commands that hand on their value, up to a `)` or the end.
fn pipeline(
    tokens: &mut Tokens<'_, '_>,
    end: usize,
    depth: usize,
) -> Result<Expression, InvalidTemplate> {
    let Some(depth) = depth.checked_sub(1) else { return Err(too_deep()) };
    let mut handed = None;
    loop {
        let value = command(tokens, end, depth, handed)?;
        if tokens.next_if(|(token, _)| *token == Token::Pipe).is_none() {
            return Ok(value);
        }
        handed = Some(value);
    }
}

/// Reads a value, or a function with its arguments; `handed` is the last one.
fn command(
    tokens: &mut Tokens<'_, '_>,
    end: usize,
    depth: usize,
    handed: Option<Expression>,
) -> Result<Expression, InvalidTemplate> {
    let expected = || invalid(format!("something is expected in column {end}"));
    let (first, column) = tokens.peek().copied().ok_or_else(expected)?;
    let mut arguments = Vec::new();
    let name = match first {
        Token::Word(name) if !matches!(*name, "true" | "false") => {
            tokens.next();
            *name
        }
        _ => {
            let value = operand(tokens, end, depth)?;
            let more =
                tokens.peek().is_some_and(|(it, _)| !matches!(it, Token::Pipe | Token::Close));
            if more || handed.is_some() {
                let text = match first {
                    Token::Field(name) => format!("`.{name}`"),
                    _ => "the value".to_owned(),
                };
                let what =
                    if more { "takes nothing after it" } else { "takes nothing from a pipe" };
                return Err(invalid(format!("{text} (column {column}) {what}")));
            }
            return Ok(value);
        }
    };
    while tokens.peek().is_some_and(|(it, _)| !matches!(it, Token::Pipe | Token::Close)) {
        arguments.push(operand(tokens, end, depth)?);
    }
    arguments.extend(handed);
    let (function, least) = match name {
        "and" => (Function::And, 1),
        "or" => (Function::Or, 1),
        "not" => (Function::Not, 1),
        "eq" => (Function::Eq, 2),
        "ne" => (Function::Ne, 2),
        "print" => (Function::Print, 0),
        "printf" => (Function::Printf, 1),
        _ => {
            return Err(invalid(format!(
                "there is no function `{name}` (column {column}): only `and`, `or`, `not`, `eq`, \
                 `ne`, `print` and `printf` are known"
            )));
        }
    };
    let takes = |what: &str| invalid(format!("`{name}` (column {column}) takes {what}"));
    match function {
        Function::Not if arguments.len() != 1 => return Err(takes("one thing")),
        Function::Ne if arguments.len() != 2 => return Err(takes("two things")),
        Function::Eq if arguments.len() < least => return Err(takes("two things or more")),
        Function::Printf => checked_verbs(&arguments, name, *column)?,
        _ if arguments.len() < least => return Err(takes("one thing or more")),
        _ => {}
    }
    Ok(Expression::Call(function, arguments))
}

/// Refuses a format whose verbs are not known, or are not as many as the values.
fn checked_verbs(
    arguments: &[Expression],
    name: &str,
    column: usize,
) -> Result<(), InvalidTemplate> {
    let at = format!("`{name}` (column {column})");
    let Some((Expression::Constant(Value::Text(format)), values)) = arguments.split_first() else {
        return Err(invalid(format!("{at} starts with a text in quotes")));
    };
    let mut verbs = 0_usize;
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        match chars.next() {
            Some('%') => {}
            Some('s' | 'v' | 'd' | 'q') => verbs += 1,
            _ => {
                return Err(invalid(format!(
                    "{at} has a verb other than `%s`, `%v`, `%d`, `%q` and `%%`"
                )));
            }
        }
    }
    if verbs == values.len() {
        Ok(())
    } else {
        Err(invalid(format!("{at} has {verbs} verbs for {} values", values.len())))
    }
}

fn operand(
    tokens: &mut Tokens<'_, '_>,
    end: usize,
    depth: usize,
) -> Result<Expression, InvalidTemplate> {
    let Some((token, column)) = tokens.next() else {
        return Err(invalid(format!("something is expected in column {end}")));
    };
    Ok(match token {
        Token::Field(name) => match Variable::named(name) {
            Some(variable) => Expression::Variable(variable),
            None => return Err(unknown_variable(name, *column)),
        },
        Token::Text(text) => Expression::Constant(Value::Text(text.clone())),
        Token::Number(number) => Expression::Constant(Value::Number(*number)),
        Token::Word("true") => Expression::Constant(Value::Bool(true)),
        Token::Word("false") => Expression::Constant(Value::Bool(false)),
        Token::Open => {
            let value = pipeline(tokens, end, depth)?;
            if tokens.next_if(|(token, _)| *token == Token::Close).is_none() {
                return Err(invalid(format!("the `(` in column {column} is not closed")));
            }
            value
        }
        Token::Word(word) => {
            return Err(invalid(format!("`{word}` (column {column}) belongs into parentheses")));
        }
        Token::Close | Token::Pipe => {
            return Err(invalid(format!("something else is expected in column {column}")));
        }
    })
}

fn unknown_variable(name: &str, column: usize) -> InvalidTemplate {
    // Names differ in case and in a letter or two.
    let alike = |known: &str| {
        let shared = known
            .chars()
            .zip(name.chars())
            .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
            .count();
        let part = name.len() > 2 && known.to_lowercase().contains(&name.to_lowercase());
        shared * 2 > known.len() || part
    };
    let near = Variable::ALL.iter().map(|(known, _)| *known).find(|known| alike(known));
    let help = if let Some(near) = near {
        format!("did you mean `.{near}`?")
    } else {
        let names: Vec<String> =
            Variable::ALL.iter().map(|(name, _)| format!("`.{name}`")).collect();
        format!("there are {}", names.join(", "))
    };
    invalid(format!("there is no variable `.{name}` (column {column}); {help}"))
}
