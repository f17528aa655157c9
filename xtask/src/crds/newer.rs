//! Fields that came after the release whose definition is at hand.
//!
//! For some projects the newest bindings are a year younger than the newest module. The definition
//! stays, with its rules; what the bindings know beyond it is added, so that nobody is told that a
//! field of today is unknown.

use serde_json::Value;

/// Adds the fields and values that `newer` has and `schema` has not, and lifts the requirement of
/// fields that are optional there.
pub fn add(schema: &mut Value, newer: &Value) {
    merge(schema, newer, true);
}

/// `lift`: bindings call every field of a map's values optional, and so say nothing of them.
fn merge(schema: &mut Value, newer: &Value, lift: bool) {
    if let (Some(own), Some(other)) = (schema["enum"].as_array().cloned(), newer["enum"].as_array())
    {
        let more = other.iter().filter(|it| !own.contains(it)).cloned();
        schema["enum"] = own.iter().cloned().chain(more).collect();
    }
    if let (true, Value::Object(fields)) = (schema["properties"].is_object(), &newer["properties"])
    {
        for (name, field) in fields {
            match &mut schema["properties"][name] {
                new @ Value::Null => *new = field.clone(),
                known => merge(known, field, true),
            }
        }
        let required = newer["required"].as_array().cloned().unwrap_or_default();
        if let Some(own) = schema.get_mut("required").and_then(Value::as_array_mut).filter(|_| lift)
        {
            own.retain(|name| {
                let optional = name.as_str().is_some_and(|it| fields.contains_key(it));
                !optional || required.contains(name)
            });
        }
    }
    for (key, lift) in [("items", true), ("additionalProperties", false)] {
        if let (Some(own @ Value::Object(_)), Some(other)) = (schema.get_mut(key), newer.get(key)) {
            merge(own, other, lift);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_newer_is_added_and_what_was_stricter_is_kept() {
        let mut schema = json!({
            "type": "object",
            "required": ["name", "kind"],
            "x-kubernetes-validations": [{"rule": "true"}],
            "properties": {
                "name": {"type": "string", "maxLength": 5},
                "kind": {"type": "string", "enum": ["A"]},
                "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "map": {"additionalProperties": {"required": ["d"], "properties": {"d": {}}}},
            },
        });
        let newer = json!({
            "type": "object",
            "required": ["kind"],
            "properties": {
                "name": {"type": "string", "nullable": true},
                "kind": {"type": "string", "enum": ["A", "B"]},
                "list": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "boolean"}}}},
                "open": {"type": "object", "properties": {"c": {"type": "string"}}},
                "extra": {"type": "integer"},
                "map": {"additionalProperties": {"properties": {"d": {"nullable": true}}}},
            },
        });
        add(&mut schema, &newer);
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "required": ["kind"],
                "x-kubernetes-validations": [{"rule": "true"}],
                "properties": {
                    "name": {"type": "string", "maxLength": 5},
                    "kind": {"type": "string", "enum": ["A", "B"]},
                    "list": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}},
                        },
                    },
                    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "extra": {"type": "integer"},
                    "map": {"additionalProperties": {"required": ["d"], "properties": {"d": {}}}},
                },
            })
        );
    }
}
