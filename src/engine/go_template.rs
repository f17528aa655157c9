//! Templates of Go (`text/template`), with the functions that Argo CD gives them.
//!
//! The functions are those of `Masterminds/sprig` that depend on nothing but their arguments, and
//! Argo CD's own. What they take is bounded in steps, depth and size.

mod eval;
mod functions;
mod lex;
mod lists;
mod parse;
mod printf;
mod text;
mod value;

use crate::document::Node;
use eval::Run;
pub use text::normalized;
use value::{DEPTH, Value};

/// What a key that is not there gives: the option `missingkey`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// The text `<no value>`.
    #[default]
    Default,
    /// The empty value of its type, which for parameters is `<no value>` too.
    Zero,
    /// An error.
    Error,
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

type Result<T> = std::result::Result<T, TemplateError>;

fn error<T>(message: impl Into<String>) -> Result<T> {
    Err(TemplateError(message.into()))
}

/// Fills in a template with data, as `.` stands for it.
///
/// Numbers of the data are floating point, as they come from JSON.
pub fn render(text: &str, data: &Node, missing: MissingKey) -> Result<String> {
    let template = parse::parse(text)?;
    Run::new(missing).execute(&template, &Value::of(data))
}

/// Writes a value as Go prints it (`%v`), a number as one of JSON.
pub fn shown(node: &Node) -> String {
    Value::of(node).shown(DEPTH)
}

#[cfg(test)]
mod tests;
