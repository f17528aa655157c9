//! The hash that kustomize appends to the names of generated objects.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::object::{Object, set};
use crate::document::Node;
use crate::hex;

/// Appends the hash of its content to the name of each object that asks for it.
pub(super) fn rename(objects: &mut [Object]) {
    for object in objects {
        if let Some(span) = object.hash {
            let name = format!("{}-{}", object.name(), hash(&object.node));
            object.remember();
            if let Some(metadata) = object.node.get_mut("metadata") {
                set(metadata, "name", Node::string(name, span));
            }
        }
    }
}

/// Returns the hash of a `ConfigMap`, a `Secret`, or anything else by its JSON.
///
/// The bytes that are hashed are those of Go's `encoding/json`, keys sorted.
fn hash(node: &Node) -> String {
    let field = |path: &[&str]| node.at(path).map_or(Value::from(""), Node::to_json);
    let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
    let mut map = Map::new();
    let mut add = |key: &str, value: Value| {
        map.insert(key.to_owned(), if value.is_null() { Value::from("") } else { value });
    };
    match kind {
        "ConfigMap" => {
            if node.get("binaryData").is_some_and(Node::is_mapping) {
                add("binaryData", field(&["binaryData"]));
            }
            add("data", field(&["data"]));
        }
        "Secret" => {
            add("data", field(&["data"]));
            if node.get("stringData").is_some_and(Node::is_mapping) {
                add("stringData", field(&["stringData"]));
            }
            add("type", field(&["type"]));
        }
        _ => return encode(&go_json(&node.to_json())),
    }
    add("kind", Value::from(kind));
    // kustomize looks for the name in the wrong place, and so hashes an empty one.
    add("name", Value::from(""));
    encode(&go_json(&sorted(Value::Object(map))))
}

/// Returns a value with all keys sorted, whatever order the map type keeps.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Writes JSON as Go does, which escapes what HTML and JavaScript would trip over.
fn go_json(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Escapes in JSON what Go escapes.
pub(super) fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Returns the first ten digits of the SHA-256, without those that could spell a word.
fn encode(text: &str) -> String {
    let digits = hex::digits(Sha256::digest(text));
    digits
        .chars()
        .take(10)
        .map(|digit| match digit {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            digit => digit,
        })
        .collect()
}
