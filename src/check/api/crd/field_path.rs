//! Paths of fields as definitions write them: `.spec.replicas`, `.spec['a-b']`.

use crate::check::api::field::Field;

/// Why a path leads nowhere, as the end of a sentence.
type Wrong = &'static str;

const NO_FIELD: Wrong = "must lead to a field of the schema";

/// A path that was walked.
#[derive(Debug)]
pub(super) struct Walked<'a> {
    /// The names of the fields on the way.
    pub(super) names: Vec<String>,
    /// The schema that it leads to.
    pub(super) schema: Field<'a>,
}

/// Walks a path from a schema (`ValidFieldPath`).
pub(super) fn walk<'a>(
    path: &'a str,
    schema: Field<'a>,
    takes_brackets: bool,
) -> Result<Walked<'a>, Wrong> {
    let mut walked = Walked { names: Vec::new(), schema };
    let mut rest = path;
    while !rest.is_empty() {
        let name;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            let Some((head, tail)) = after.split_at_checked(end).filter(|it| !it.0.is_empty())
            else {
                return Err("must have a name after every `.`");
            };
            name = head.to_owned();
            rest = tail;
        } else if let Some(after) = rest.strip_prefix("['") {
            if !takes_brackets {
                return Err("must not have brackets");
            }
            let (head, tail) = quoted(after).ok_or("must have closed quotes in its brackets")?;
            name = head;
            rest = tail.strip_prefix(']').ok_or("must have a `]` after quotes")?;
        } else {
            return Err("must begin with `.`, and have `.` or `['…']` between names");
        }
        let properties = walked.schema.get("properties");
        walked.schema = if properties.is_empty() {
            let values = walked.schema.get("additionalProperties");
            if values.exists() { values } else { return Err(NO_FIELD) }
        } else {
            let mut entries = properties.entries();
            entries.find(|(key, _)| *key == name).map(|it| it.1).ok_or(NO_FIELD)?
        };
        walked.names.push(name);
    }
    Ok(walked)
}

/// Reads a quoted text without its first quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return text.get(at + 1..).map(|rest| (out, rest)),
            '\\' => out.push(chars.next()?.1),
            _ => out.push(c),
        }
    }
    None
}
