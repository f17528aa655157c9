//! Patterns of JSON Schemas in the syntax of Go, in which those of Kubernetes are written.
//!
//! The library reads patterns as JavaScript does, and refuses a schema with one that is none there:
//! `(?i)` is common in definitions. So they are set aside under a keyword of our own.

use std::borrow::Cow;

use jsonschema::json::Node as JsonNode;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use regex::Regex;
use serde_json::{Map, Value};

use super::node::{Spot, Tree};
use crate::engine::re2;
use crate::wording;

/// The keyword under which patterns are set aside.
pub(super) const KEYWORD: &str = "x-tidewaiter-pattern";

/// Keywords whose value is a schema, or a list of schemas.
const SCHEMAS: [&str; 15] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is an object of schemas.
const MAPS: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// Sets the patterns of a schema aside; returns about how large they will be when compiled.
pub(super) fn set_aside(schema: &mut Value) -> usize {
    match schema {
        Value::Array(items) => items.iter_mut().map(set_aside).sum(),
        Value::Object(members) => {
            let mut count = 0;
            if let Some(pattern) =
                members.get("pattern").filter(|it| it.as_str().is_some()).cloned()
            {
                members.remove("pattern");
                count += pattern.as_str().map_or(0, weight);
                members.insert(KEYWORD.to_owned(), pattern);
            }
            for (key, value) in members.iter_mut() {
                if SCHEMAS.contains(&key.as_str()) {
                    count += set_aside(value);
                } else if key == "components" {
                    count += value.get_mut("schemas").map_or(0, of_map);
                } else if MAPS.contains(&key.as_str()) {
                    if key == "patternProperties" {
                        let patterns = value.as_object().into_iter().flatten();
                        count += patterns.map(|(pattern, _)| weight(pattern)).sum::<usize>();
                    }
                    count += of_map(value);
                }
            }
            count
        }
        _ => 0,
    }
}

/// Returns about how large a pattern will be when compiled: what is repeated counts as often.
fn weight(pattern: &str) -> usize {
    let mut around: Vec<usize> = Vec::new();
    let (mut sum, mut last) = (0_usize, 0_usize);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '(' => {
                around.push(sum.saturating_add(last));
                (sum, last) = (0, 0);
            }
            ')' => {
                last = sum.saturating_add(last);
                sum = around.pop().unwrap_or(0);
            }
            '{' => {
                let (inner, after) = rest.split_once('}').unwrap_or((rest, ""));
                let most = inner.split(',').filter_map(|it| it.trim().parse().ok()).max();
                last = last.saturating_mul(most.unwrap_or(1));
                rest = after;
            }
            _ => (sum, last) = (sum.saturating_add(last), 1),
        }
    }
    around.into_iter().fold(sum.saturating_add(last), usize::saturating_add)
}

fn of_map(map: &mut Value) -> usize {
    let Value::Object(members) = map else { return 0 };
    members.values_mut().map(set_aside).sum()
}

/// A pattern, compiled, and as it is written.
struct Pattern {
    compiled: Regex,
    text: String,
}

/// Compiles the pattern of a schema.
pub(super) fn keyword<'a, const SPARSE: bool>(
    _: &'a Map<String, Value>,
    pattern: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i, Tree<SPARSE>>>, ValidationError<'a>> {
    let text = pattern.as_str().unwrap_or_default();
    let compiled = re2::compile(text).map_err(|_| {
        let text = wording::code(text);
        ValidationError::schema(format!("the pattern {text} is no regular expression of Go"))
    })?;
    Ok(Box::new(Pattern { compiled, text: text.to_owned() }))
}

impl<'i, const SPARSE: bool> Keyword<'i, Tree<SPARSE>> for Pattern {
    fn validate(&self, instance: Spot<'i>) -> Result<(), ValidationError<'i>> {
        if Keyword::<Tree<SPARSE>>::is_valid(self, instance) {
            Ok(())
        } else {
            Err(ValidationError::custom(self.text.as_str()))
        }
    }

    fn is_valid(&self, instance: Spot<'i>) -> bool {
        let text: Option<Cow<'i, str>> = JsonNode::<Tree<SPARSE>>::as_string(&instance);
        text.is_none_or(|text| self.compiled.is_match(&text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_are_set_aside_and_fields_of_that_name_are_not() {
        let mut schema = json!({
            "pattern": "a",
            "properties": {"pattern": {"pattern": "b"}, "x": {"items": [{"pattern": "c"}]}},
            "enum": [{"pattern": "d"}],
        });
        set_aside(&mut schema);
        assert_eq!(
            schema,
            json!({
                KEYWORD: "a",
                "properties": {"pattern": {KEYWORD: "b"}, "x": {"items": [{KEYWORD: "c"}]}},
                "enum": [{"pattern": "d"}],
            })
        );
    }

    #[test]
    fn what_is_repeated_weighs_more() {
        assert_eq!(weight("abc"), 3);
        assert_eq!(weight("a{1,63}b{63}"), 126);
        assert_eq!(weight("((ab{100}){100}c){100}"), 1_010_100);
        assert_eq!(weight(")("), 0);
    }
}
