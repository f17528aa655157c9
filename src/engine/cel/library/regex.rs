//! Regular expressions.

use std::sync::Arc;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::value::{Evaluated, Failure, Text, Value};

pub(super) const ROWS: &[Row] = &[
    row("matches(string, string): bool", matches).cost(Cost::Match),
    row("string#matches(string): bool", matches).cost(Cost::Match),
    row("string#find(string): string", find).cost(Cost::Match),
    row("string#findAll(string): list(string)", find_all).cost(Cost::Match),
    row("string#findAll(string, int): list(string)", find_all).cost(Cost::Match),
];

/// Functions whose second argument is a pattern, which is read when the expression is compiled.
pub(in crate::engine::cel) const PATTERNS: &[&str] = &["matches", "find", "findAll"];

/// Compiled patterns that are kept during an evaluation.
const MAX_KEPT: usize = 16;

/// Patterns that were compiled in this evaluation.
#[derive(Debug, Default)]
pub(in crate::engine::cel) struct Patterns(Vec<(Arc<str>, Arc<::regex::Regex>)>);

impl Patterns {
    fn get(&mut self, pattern: &str) -> Result<Arc<::regex::Regex>, Failure> {
        if let Some((_, known)) = self.0.iter().find(|(text, _)| **text == *pattern) {
            return Ok(Arc::clone(known));
        }
        let compiled = crate::engine::re2::compile(pattern)
            .map_err(|error| Failure::new(format!("error parsing regexp: {error}")))?;
        let compiled = Arc::new(compiled);
        if self.0.len() >= MAX_KEPT {
            self.0.remove(0);
        }
        self.0.push((Arc::from(pattern), Arc::clone(&compiled)));
        Ok(compiled)
    }
}

/// Returns the pattern of a call: the one that was compiled with the expression, or a new one.
fn pattern_of(scratch: &mut Scratch, text: &str) -> Result<Arc<::regex::Regex>, Failure> {
    match scratch.pattern.take() {
        Some(compiled) => Ok(compiled),
        None => scratch.patterns.get(text),
    }
}

fn matches<'a>(scratch: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text), Value::String(pattern)] = args else {
        return Err(Failure::no_overload());
    };
    Ok(Value::Bool(pattern_of(scratch, pattern.as_str())?.is_match(text.as_str())))
}

fn find<'a>(scratch: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text), Value::String(pattern)] = args else {
        return Err(Failure::no_overload());
    };
    let pattern = pattern_of(scratch, pattern.as_str())?;
    Ok(match text {
        Text::Borrowed(text) => {
            Value::String(Text::Borrowed(pattern.find(text).map_or("", |it| it.as_str())))
        }
        Text::Owned(text) => Value::string(pattern.find(text).map_or("", |it| it.as_str())),
    })
}

fn find_all<'a>(scratch: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (text, pattern, limit) = match args {
        [Value::String(text), Value::String(pattern)] => (text, pattern, -1),
        [Value::String(text), Value::String(pattern), Value::Int(limit)] => (text, pattern, *limit),
        _ => return Err(Failure::no_overload()),
    };
    let pattern = pattern_of(scratch, pattern.as_str())?;
    let limit = if limit < 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
    let found = pattern.find_iter(text.as_str()).take(limit);
    Ok(Value::list(found.map(|it| Value::string(it.as_str())).collect()))
}
