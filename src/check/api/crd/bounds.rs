//! How large the data of a schema can be, and what of it has no bound.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::api::field::Field;
use crate::engine::cel::{Bounds, FieldBounds, escape};
use crate::wording::code;

/// From this minor on a number or string is as long as its schema says.
const INT_OR_STRING_SINCE: u32 = 34;

/// From this minor on the names in metadata are as long as names can be.
const NAMES_SINCE: u32 = 37;

/// How long the name of an object can be, and what one begins with that is generated.
const NAMES: [(&str, i64); 2] = [("name", 253), ("generateName", 252)];

/// How many parts without bounds are named.
const SHOWN: usize = 3;

/// How many parts of a schema are looked at for the sake of one message.
const LOOKED_AT: usize = 1_000;

/// Returns the bounds of a number or a string.
pub(super) fn int_or_string(schema: Field<'_>, minor: u32) -> Bounds {
    let longest = schema.get("maxLength").int().filter(|_| minor >= INT_OR_STRING_SINCE);
    Bounds::int_or_string(longest)
}

/// Returns the bounds of a string.
pub(super) fn string(schema: Field<'_>) -> Bounds {
    let longest = schema.get("maxLength").int();
    let values = schema.get("enum");
    match schema.get("format").text() {
        "byte" => Bounds::bytes(longest),
        "duration" => Bounds::duration(),
        "date" => Bounds::date(),
        "date-time" => Bounds::date_time(),
        _ if longest.is_none() && !values.is_empty() => {
            let lengths = values.items().map(|it| it.text().len());
            Bounds::one_of(lengths.max().unwrap_or(0))
        }
        _ => Bounds::string(longest),
    }
}

/// Returns the bounds of an object, of whose properties those are known that expressions see.
pub(super) fn object<'a>(
    schema: Field<'a>,
    properties: impl IntoIterator<Item = (&'a str, Arc<Bounds>)>,
) -> Bounds {
    let required: BTreeSet<&str> = schema.get("required").items().map(Field::text).collect();
    let declared = schema.get("properties");
    Bounds::object(properties.into_iter().map(|(name, value)| FieldBounds {
        escaped: escape(name).map(Arc::from),
        length: name.len(),
        is_sent: required.contains(name) && !declared.at(&[name, "default"]).exists(),
        value,
    }))
}

/// Returns the bounds of the metadata that all objects have, whatever a schema says of them.
pub(super) fn metadata(declared: Field<'_>, minor: u32) -> Bounds {
    let names = NAMES.into_iter().map(|(name, longest)| {
        let said = declared.at(&["properties", name, "maxLength"]).int();
        let longest = said.map_or(longest, |it| it.min(longest));
        let longest = Some(longest).filter(|_| minor >= NAMES_SINCE);
        let value = Arc::new(Bounds::string(longest));
        FieldBounds { escaped: Some(Arc::from(name)), length: name.len(), is_sent: false, value }
    });
    Bounds::object(names)
}

/// Parts of a schema that have no bound.
#[derive(Debug, Default)]
pub(super) struct Open {
    found: Vec<String>,
    looked_at: usize,
}

impl Open {
    /// Returns what has no bound of the parts around a rule, and of those below that it names.
    pub(super) fn of<'a>(
        around: &[(Field<'a>, String)],
        schema: Field<'a>,
        place: &str,
        expression: &str,
    ) -> Vec<String> {
        let mut open = Self::default();
        for (schema, place) in around {
            open.note(*schema, place);
        }
        open.below(schema, place, expression);
        open.found
    }

    fn note(&mut self, schema: Field<'_>, place: &str) {
        let has = |key| schema.get(key).exists();
        let missing = match schema.get("type").text() {
            "array" if !has("maxItems") => "maxItems",
            "object" if has("additionalProperties") && !has("maxProperties") => "maxProperties",
            "string" if !has("maxLength") && !has("enum") => match schema.get("format").text() {
                "duration" | "date" | "date-time" => return,
                _ => "maxLength",
            },
            _ => return,
        };
        if self.found.len() < SHOWN {
            self.found.push(format!("{} of {}", code(missing), code(place)));
        }
    }

    fn below(&mut self, schema: Field<'_>, place: &str, expression: &str) {
        self.looked_at += 1;
        if self.looked_at > LOOKED_AT || self.found.len() >= SHOWN {
            return;
        }
        self.note(schema, place);
        for (key, sign) in [("items", "[]"), ("additionalProperties", ".*")] {
            let inner = schema.get(key);
            if inner.exists() {
                self.below(inner, &format!("{place}{sign}"), expression);
            }
        }
        for (name, property) in schema.get("properties").entries() {
            if escape(name).is_some_and(|it| expression.contains(&*it) || expression.contains(name))
            {
                self.below(property, &join(place, name), expression);
            }
        }
    }
}

/// Returns the place of a property.
pub(super) fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}
