//! Texts with variables, read as Flux's `envsubst` reads them.
//!
//! The language is that of `github.com/fluxcd/pkg/envsubst`, whose grammar is narrower than a
//! shell's: `${name}` with an operator behind the name, and `$$` for a dollar.

use std::borrow::Cow;

use super::functions::{self, Refused};

/// How deep expressions may stand inside of each other.
const DEPTH: usize = 50;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text that stays, escapes resolved.
    Text(String),
    /// A variable.
    Expression(Expression<'a>),
}

/// A variable and what is done with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    /// The expression as it is written.
    raw: &'a str,
    /// The name of the variable.
    pub(super) name: &'a str,
    operator: &'a str,
    arguments: Vec<Part<'a>>,
}

/// Why a text cannot be read, or a value cannot be put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad<'a> {
    /// No name follows `${`; holds what does.
    Name(&'a str),
    /// The expression has no form that is known; holds its start.
    Form(&'a str),
    /// Expressions stand too deep inside of each other.
    Depth,
    /// A function cannot be applied to a value; holds the expression.
    Function(&'a str, Refused),
}

/// What is known of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup<'v> {
    /// It has a value.
    Set(&'v str),
    /// It has none, and becomes empty.
    Unset,
    /// Only the cluster knows.
    Unknown,
}

/// How much may be done for one Kustomization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Bytes that may be written.
    pub(super) bytes: usize,
    /// Steps that functions may take.
    pub(super) steps: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { bytes: 64 << 20, steps: 200_000_000 }
    }
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Vec<Part<'_>>, Bad<'_>> {
    let mut scanner = Scanner { text, at: 0 };
    let mut parts = Vec::new();
    loop {
        let start = scanner.at;
        match scanner.scan(Mode { expressions: true, escapes: "$", closing: false }, |_, _| true) {
            Token::End => return Ok(parts),
            Token::Text(text) => parts.push(Part::Text(text.into_owned())),
            Token::Open => parts.push(scanner.expression(start, 0)?),
            Token::Close | Token::Refused => return Err(scanner.bad(start)),
        }
    }
}

/// Puts values in; an expression whose value is not known stays as it is written.
///
/// `kept` is told the names of those.
pub(super) fn fill<'a, 'v>(
    parts: &[Part<'a>],
    lookup: &dyn Fn(&str) -> Lookup<'v>,
    kept: &mut dyn FnMut(&str),
    allowance: &mut Allowance,
) -> Result<String, Bad<'a>> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expression(expression) => {
                if let Some(value) = value(expression, lookup, allowance)? {
                    out.push_str(&value);
                } else {
                    expression.unknown(lookup, kept);
                    out.push_str(expression.raw);
                }
            }
        }
        if out.len() > allowance.bytes {
            let raw = match part {
                Part::Text(_) => "",
                Part::Expression(expression) => expression.raw,
            };
            return Err(Bad::Function(raw, Refused::TooMuch));
        }
    }
    allowance.bytes -= out.len();
    Ok(out)
}

impl Expression<'_> {
    fn unknown<'v>(&self, lookup: &dyn Fn(&str) -> Lookup<'v>, kept: &mut dyn FnMut(&str)) {
        if lookup(self.name) == Lookup::Unknown {
            kept(self.name);
        }
        for part in &self.arguments {
            if let Part::Expression(inner) = part {
                inner.unknown(lookup, kept);
            }
        }
    }
}

/// Returns the value of an expression; none where it depends on what is not known.
fn value<'a, 'v>(
    expression: &Expression<'a>,
    lookup: &dyn Fn(&str) -> Lookup<'v>,
    allowance: &mut Allowance,
) -> Result<Option<Cow<'v, str>>, Bad<'a>> {
    let own = match lookup(expression.name) {
        Lookup::Unknown => return Ok(None),
        Lookup::Set(value) => value,
        Lookup::Unset => "",
    };
    let is_default = functions::is_default(expression.operator);
    if is_default && !own.is_empty() {
        return Ok(Some(Cow::Borrowed(own)));
    }
    let mut arguments = Vec::with_capacity(expression.arguments.len());
    for argument in &expression.arguments {
        arguments.push(match argument {
            Part::Text(text) => text.clone(),
            Part::Expression(inner) => match value(inner, lookup, allowance)? {
                Some(value) => value.into_owned(),
                None => return Ok(None),
            },
        });
    }
    let made = functions::apply(expression.operator, own, &arguments, &mut allowance.steps)
        .map_err(|refused| Bad::Function(expression.raw, refused))?;
    if made.len() > allowance.bytes {
        return Err(Bad::Function(expression.raw, Refused::TooMuch));
    }
    Ok(Some(Cow::Owned(made)))
}

/// What the next token may be, besides text.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    /// Whether `${` begins an expression.
    expressions: bool,
    /// The escapes that hold: none, `$` for `$$`, or `$\` for `\/` and `\\` too.
    escapes: &'static str,
    /// Whether `}` ends the expression.
    closing: bool,
}

enum Token<'a> {
    End,
    /// `${`.
    Open,
    /// `}`.
    Close,
    /// Characters that are accepted.
    Text(Cow<'a, str>),
    /// A character that is not.
    Refused,
}

/// Goes through a text. Which tokens may come next, the grammar says at every step.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a token; `accept` is asked with each character and the bytes so far, its own included.
    fn scan(&mut self, mode: Mode, accept: impl Fn(char, usize) -> bool) -> Token<'a> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Token::End };
        if mode.expressions && rest.starts_with("${") {
            self.at += 2;
            return Token::Open;
        }
        if mode.closing {
            self.at += first.len_utf8();
            return if first == '}' { Token::Close } else { Token::Refused };
        }
        let start = self.at;
        // Only a text with escapes is put together anew.
        let mut unescaped: Option<String> = None;
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else { break };
            if mode.expressions && rest.starts_with("${") {
                break;
            }
            let length = unescaped.as_ref().map_or(self.at - start, String::len) + c.len_utf8();
            if let Some(escaped) = escaped(rest, mode.escapes) {
                unescaped.get_or_insert_with(|| self.since(start).to_owned()).push(escaped);
                self.at += 2;
                continue;
            }
            if !accept(c, length) {
                break;
            }
            if let Some(text) = &mut unescaped {
                text.push(c);
            }
            self.at += c.len_utf8();
        }
        if self.at == start {
            return Token::Refused;
        }
        Token::Text(unescaped.map_or_else(|| Cow::Borrowed(self.since(start)), Cow::Owned))
    }

    /// Reads text that must be there, as it is written.
    fn plain(&mut self, accept: impl Fn(char, usize) -> bool) -> Option<&'a str> {
        let start = self.at;
        match self.scan(Mode::default(), accept) {
            Token::Text(_) => Some(self.since(start)),
            Token::End | Token::Open | Token::Close | Token::Refused => None,
        }
    }

    /// Names what cannot be read: the start of its line from `start` on.
    fn bad(&self, start: usize) -> Bad<'a> {
        Bad::Form(shown(self.text.get(start..).unwrap_or_default()))
    }

    /// Reads an expression after its `${`, which stands at `start`.
    fn expression(&mut self, start: usize, depth: usize) -> Result<Part<'a>, Bad<'a>> {
        if depth >= DEPTH {
            return Err(Bad::Depth);
        }
        if self.peek() == Some('#') {
            let operator = self.plain(|c, length| c == '#' && length == 1);
            let name = self.plain(is_of_name);
            let (Some(operator), Some(name)) = (operator, name) else {
                return Err(self.bad(start));
            };
            return self.close(start, name, operator, Vec::new());
        }
        let Some(name) = self.plain(is_of_name) else {
            return Err(Bad::Name(shown(self.text.get(start..).unwrap_or_default())));
        };
        match self.peek() {
            Some(':') => {
                let mut next = self.rest().chars().skip(1);
                match next.next() {
                    Some('=' | '-' | '?' | '+') => self.default(start, name, depth),
                    // The upstream scanner goes back by the width of what it saw.
                    Some(c) if c.is_ascii() => self.part(start, name, depth),
                    _ => Err(self.bad(start)),
                }
            }
            Some('=') => self.default(start, name, depth),
            Some(',' | '^') => {
                let operator = self.plain(|c, length| matches!(c, ',' | '^') && length < 3);
                self.close(start, name, operator.unwrap_or_default(), Vec::new())
            }
            Some('/') => self.replacement(start, name, depth),
            Some(sign @ ('#' | '%')) => {
                let operator = self.plain(|c, length| c == sign && length < 3);
                let argument = self.argument(start, depth, "", |c| c != '}')?;
                self.close(start, name, operator.unwrap_or_default(), vec![argument])
            }
            _ => self.close(start, name, "", Vec::new()),
        }
    }

    fn close(
        &mut self,
        start: usize,
        name: &'a str,
        operator: &'a str,
        arguments: Vec<Part<'a>>,
    ) -> Result<Part<'a>, Bad<'a>> {
        let mode = Mode { closing: true, ..Mode::default() };
        match self.scan(mode, |_, _| false) {
            Token::Close => Ok(Part::Expression(Expression {
                raw: self.since(start),
                name,
                operator,
                arguments,
            })),
            Token::End | Token::Open | Token::Text(_) | Token::Refused => Err(self.bad(start)),
        }
    }

    /// Reads one argument: an expression, or text without one.
    fn argument(
        &mut self,
        start: usize,
        depth: usize,
        escapes: &'static str,
        accept: impl Fn(char) -> bool,
    ) -> Result<Part<'a>, Bad<'a>> {
        let at = self.at;
        let mode = Mode { expressions: true, escapes, closing: false };
        match self.scan(mode, |c, _| accept(c)) {
            Token::Open => self.expression(at, depth + 1),
            Token::Text(text) => Ok(Part::Text(text.into_owned())),
            Token::End | Token::Close | Token::Refused => Err(self.bad(start)),
        }
    }

    /// Reads `:=default` and its like: text and expressions up to the brace.
    fn default(&mut self, start: usize, name: &'a str, depth: usize) -> Result<Part<'a>, Bad<'a>> {
        let operator = if self.peek() == Some('=') {
            self.plain(|c, length| c == '=' && length == 1)
        } else {
            self.plain(|c, length| match length {
                1 => c == ':',
                2 => matches!(c, '=' | '-' | '?' | '+'),
                _ => false,
            })
        };
        let mut arguments = Vec::new();
        while self.peek() != Some('}') {
            arguments.push(self.argument(start, depth, "", |c| c != '}')?);
        }
        self.close(start, name, operator.unwrap_or_default(), arguments)
    }

    /// Reads `:offset` and `:offset:length`.
    fn part(&mut self, start: usize, name: &'a str, depth: usize) -> Result<Part<'a>, Bad<'a>> {
        let operator = self.plain(|c, length| c == ':' && length == 1).unwrap_or_default();
        let mut arguments = vec![self.argument(start, depth, "", |c| !matches!(c, ':' | '}'))?];
        if self.peek() != Some('}') {
            if self.plain(|c, _| c == ':').is_none() {
                return Err(self.bad(start));
            }
            arguments.push(self.argument(start, depth, "", |c| c != '}')?);
        }
        self.close(start, name, operator, arguments)
    }

    /// Reads `/pattern/replacement` and its like.
    fn replacement(
        &mut self,
        start: usize,
        name: &'a str,
        depth: usize,
    ) -> Result<Part<'a>, Bad<'a>> {
        let operator = self.plain(|c, length| match length {
            1 => c == '/',
            2 => matches!(c, '/' | '#' | '%'),
            _ => false,
        });
        let mut arguments = vec![self.argument(start, depth, "$\\", |c| c != '/')?];
        if self.plain(|c, _| c == '/').is_none() {
            return Err(self.bad(start));
        }
        if self.peek() != Some('}') {
            arguments.push(self.argument(start, depth, "$\\", |c| c != '}')?);
        }
        self.close(start, name, operator.unwrap_or_default(), arguments)
    }
}

/// Returns the character that an escape at the start of a text stands for.
fn escaped(rest: &str, escapes: &str) -> Option<char> {
    let mut chars = rest.chars();
    let (first, second) = (chars.next()?, chars.next()?);
    let is_escape = escapes.contains(first)
        && match first {
            '$' => second == '$',
            '\\' => matches!(second, '/' | '\\'),
            _ => false,
        };
    is_escape.then_some(second)
}

fn is_of_name(c: char, _: usize) -> bool {
    // Go's `unicode.IsLetter` and `unicode.IsDigit`; other letters are refused with the variables.
    c.is_alphanumeric() || c == '_'
}

/// Returns as much of a text as a message shows.
fn shown(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(40).map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or_default()
}
