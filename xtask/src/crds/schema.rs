//! What of a schema says how objects are judged, without what is written for people.

use serde_json::{Map, Value, json};

/// What a schema says to people only.
const PROSE: [&str; 5] = ["description", "title", "example", "externalDocs", "$schema"];

/// Returns the schema of an object without prose, and with an open `status`.
///
/// Nobody declares a status, and its schema would take as much room as the rest. It stays where
/// rules at the root of the object look at it.
pub fn reduced(schema: &Value) -> Value {
    let mut root = without_prose(schema);
    let rules = root.get("x-kubernetes-validations").map(Value::to_string).unwrap_or_default();
    if !rules.contains(".status")
        && let Some(status) = root.get_mut("properties").and_then(|it| it.get_mut("status"))
    {
        *status = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
    root
}

/// Descends into what is a schema itself; values (defaults, enumerations) and names of properties
/// stay as they are.
fn without_prose(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut reduced = Map::new();
    for (key, value) in schema {
        if PROSE.contains(&key.as_str()) {
            continue;
        }
        let value = match (key.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(named)) => {
                named.iter().map(|(name, it)| (name.clone(), without_prose(it))).collect()
            }
            ("items" | "additionalProperties" | "not", Value::Object(_)) => without_prose(value),
            ("allOf" | "anyOf" | "oneOf" | "items", Value::Array(all)) => {
                all.iter().map(without_prose).collect()
            }
            _ => value.clone(),
        };
        reduced.insert(key.clone(), value);
    }
    Value::Object(reduced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_goes_and_names_and_values_stay() {
        let schema = json!({
            "description": "prose",
            "type": "object",
            "properties": {
                "description": {"type": "string", "description": "prose", "default": {"title": "kept"}},
                "list": {"type": "array", "items": {"title": "prose", "enum": ["description"]}},
            },
            "anyOf": [{"description": "prose", "required": ["title"]}],
        });
        assert_eq!(
            reduced(&schema),
            json!({
                "type": "object",
                "properties": {
                    "description": {"type": "string", "default": {"title": "kept"}},
                    "list": {"type": "array", "items": {"enum": ["description"]}},
                },
                "anyOf": [{"required": ["title"]}],
            })
        );
    }

    #[test]
    fn a_status_is_open_unless_rules_look_at_it() {
        let status = json!({"type": "object", "properties": {"ready": {"type": "boolean"}}});
        let schema = |rule: &str| {
            json!({
                "properties": {"status": status},
                "x-kubernetes-validations": [{"rule": rule}],
            })
        };
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        assert_eq!(reduced(&schema("self.spec.a"))["properties"]["status"], open);
        assert_eq!(reduced(&schema("self.status.ready"))["properties"]["status"], status);
    }
}
