//! Kinds of an `OpenAPI` v3 document, as an API server publishes it, as JSON Schemas.
//!
//! Such a document means more than it says: an object has no other fields than those that are
//! named, and an integer or a string is a type of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How references within a document begin.
const COMPONENTS: &str = "#/components/schemas/";
/// Keywords that say nothing about what is valid.
const SILENT: [&str; 5] = ["default", "description", "example", "externalDocs", "title"];

/// Returns the JSON Schema of a kind of a document; `None` where the document has no such kind.
pub fn schema_of(document: &Value, group: &str, version: &str, kind: &str) -> Option<Value> {
    let components = document.get("components")?.get("schemas")?.as_object()?;
    let is_it = |it: &Value| {
        let text = |key| it.get(key).and_then(Value::as_str).unwrap_or_default();
        text("group") == group && text("version") == version && text("kind") == kind
    };
    let (name, _) = components.iter().find(|(_, schema)| {
        let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        kinds.is_some_and(|kinds| kinds.iter().any(is_it))
    })?;
    let mut out: BTreeMap<String, Value> = BTreeMap::new();
    let mut left = vec![name.clone()];
    while let Some(name) = left.pop() {
        let Some(schema) = components.get(&name).filter(|_| !out.contains_key(&name)) else {
            continue;
        };
        let schema = match name.rsplit('.').next() {
            Some("Quantity") => json!({"anyOf": [{"type": "string"}, {"type": "number"}]}),
            Some("IntOrString") => int_or_string(),
            _ => strict(schema),
        };
        references(&schema, &mut left);
        out.insert(name, schema);
    }
    let reference = format!("{COMPONENTS}{}", name.replace('~', "~0").replace('/', "~1"));
    Some(json!({"allOf": [{"$ref": reference}], "components": {"schemas": out}}))
}

fn int_or_string() -> Value {
    json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})
}

/// Adds the names of the components that a schema refers to.
fn references(schema: &Value, out: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str)
                && let Some(name) = name.strip_prefix(COMPONENTS)
            {
                out.push(name.replace("~1", "/").replace("~0", "~"));
            }
            members.values().for_each(|value| references(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, out)),
        _ => {}
    }
}

/// Returns a schema with what the API server means by it said in JSON Schema.
fn strict(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let is_set = |key: &str| members.get(key) == Some(&Value::Bool(true));
    if is_set("x-kubernetes-int-or-string")
        || members.get("format").and_then(Value::as_str) == Some("int-or-string")
    {
        return int_or_string();
    }
    let mut out = Map::new();
    for (key, value) in members {
        if SILENT.contains(&key.as_str()) || key.starts_with("x-") || key == "nullable" {
            continue;
        }
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(fields)) => {
                fields.iter().map(|(name, field)| (name.clone(), strict(field))).collect()
            }
            ("items" | "additionalProperties" | "not", value) => strict(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(items)) => {
                items.iter().map(|it| if key == "allOf" { strict(it) } else { loose(it) }).collect()
            }
            (_, value) => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if is_set("x-kubernetes-embedded-resource")
        && let Some(Value::Object(fields)) = out.get_mut("properties")
    {
        for name in ["apiVersion", "kind", "metadata"] {
            fields.entry(name).or_insert_with(|| json!({}));
        }
    }
    if out.contains_key("properties")
        && !out.contains_key("additionalProperties")
        && !is_set("x-kubernetes-preserve-unknown-fields")
    {
        out.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if is_set("nullable")
        && let Some(Value::String(name)) = out.get("type")
    {
        let types = json!([name, "null"]);
        out.insert("type".to_owned(), types);
    }
    Value::Object(out)
}

/// Returns an alternative of a schema, which adds conditions and names no fields of its own.
fn loose(schema: &Value) -> Value {
    match schema.get("properties") {
        Some(_) => schema.clone(),
        None => strict(schema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_named_fields_has_no_others() {
        let schema = json!({
            "type": "object",
            "description": "x",
            "properties": {
                "port": {"x-kubernetes-int-or-string": true},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                        "properties": {"a": {"type": "string"}}},
                "labels": {"type": "object", "additionalProperties": {"type": "string", "default": ""}},
                "note": {"type": "string", "nullable": true},
            },
        });
        assert_eq!(
            strict(&schema),
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "port": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "any": {"type": "object", "properties": {"a": {"type": "string"}}},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "note": {"type": ["string", "null"]},
                },
            })
        );
    }

    #[test]
    fn a_kind_brings_what_it_refers_to_and_no_more() {
        let document = json!({"components": {"schemas": {
            "com.example.v1.Widget": {
                "type": "object",
                "properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/com.example.v1.Spec"}]}},
                "x-kubernetes-group-version-kind": [
                    {"group": "example.com", "version": "v1", "kind": "Widget"}
                ],
            },
            "com.example.v1.Spec": {"type": "object", "properties": {
                "again": {"$ref": "#/components/schemas/com.example.v1.Spec"},
                "size": {"$ref": "#/components/schemas/io.k8s.Quantity"},
            }},
            "io.k8s.Quantity": {"type": "string"},
            "com.example.v1.Other": {"type": "object"},
        }}});
        let schema = schema_of(&document, "example.com", "v1", "Widget").unwrap();
        let names: Vec<&String> =
            schema["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["com.example.v1.Spec", "com.example.v1.Widget", "io.k8s.Quantity"]);
        assert_eq!(schema_of(&document, "example.com", "v2", "Widget"), None);
    }
}
