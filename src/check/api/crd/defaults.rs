//! Whether the defaults of a schema are values that the schema takes.

use std::collections::BTreeSet;

use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::document::{Node, NodeKind, Scalar};
use crate::engine::re2;
use crate::naming;

pub(in crate::check::api) const DEFAULT: Rule = Rule::new(
    "api/invalid-crd-default",
    "Default of a custom resource that its own schema refuses",
    "The server sets defaults before it validates, so a default that the schema does not take \
     would make every object wrong that leaves the field out. A default has no fields either that \
     would be dropped again.",
    "use a default that the schema takes",
    &["ValidateDefaults", "ValidateCustomResource", "PruneDefaults"],
);

/// Looks at all defaults of a structural schema (`ValidateDefaults`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, schema: Field<'a>) {
    walk(cx, schema, true, false);
}

/// Defaults within the values of maps are not looked at, because there are none.
fn walk<'a>(cx: &mut Cx<'a>, schema: Field<'a>, is_root: bool, in_meta: bool) {
    if !schema.exists() {
        return;
    }
    let is_embedded = is_root || is_set(schema, "x-kubernetes-embedded-resource");
    let default = schema.get("default");
    let in_meta = in_meta && !is_embedded;
    if default.exists() && !in_meta {
        if has_unknown(default, schema, is_embedded) {
            cx.invalid(&DEFAULT, default, "must not have fields that the schema does not have");
        }
        if is_embedded {
            check_object(cx, default);
        }
        value(cx, default, schema);
    }
    walk(cx, schema.get("items"), false, in_meta);
    for (name, property) in schema.get("properties").entries() {
        let names_object = is_embedded && matches!(name, "metadata" | "apiVersion" | "kind");
        walk(cx, property, false, in_meta || names_object);
    }
}

/// An object within an object has a version and a kind (`validateEmbeddedResource`).
fn check_object<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    for key in ["apiVersion", "kind"] {
        if object.get(key).is_empty() {
            cx.required(&DEFAULT, object.get(key), "an object has one");
        }
    }
    let kind = object.get("kind");
    if !kind.is_empty()
        && let Some(wrong) = naming::dns_1035_label(&kind.text().to_lowercase())
    {
        cx.invalid(&DEFAULT, kind, wrong);
    }
}

fn is_set(schema: Field<'_>, key: &'static str) -> bool {
    schema.get(key).is_true()
}

/// Says whether something of a value would be dropped (`Prune`).
fn has_unknown<'a>(value: Field<'a>, schema: Field<'a>, is_embedded: bool) -> bool {
    let is_open = is_set(schema, "x-kubernetes-preserve-unknown-fields");
    let (properties, values) = (schema.get("properties"), schema.get("additionalProperties"));
    let items = schema.get("items");
    let in_items = value.items().any(|it| items.exists() && has_unknown(it, items, false));
    in_items
        || value.entries().any(|(key, value)| {
            if is_embedded && matches!(key, "metadata" | "apiVersion" | "kind") {
                return false;
            }
            let property = properties.get(key);
            if property.exists() {
                let is_embedded = is_set(property, "x-kubernetes-embedded-resource");
                has_unknown(value, property, is_embedded)
            } else if values.exists() {
                match values.bool() {
                    Some(is_open) => !is_open,
                    None => has_unknown(value, values, false),
                }
            } else {
                !is_open
            }
        })
}

/// Looks at a value and reports what is wrong with it.
fn value<'a>(cx: &mut Cx<'a>, value: Field<'a>, schema: Field<'a>) {
    if let Some(wrong) = wrong(value, schema) {
        cx.invalid(&DEFAULT, value, wrong);
        return;
    }
    for name in schema.get("required").items() {
        let is_object = value.node().is_some_and(Node::is_mapping);
        if is_object && value.node().is_some_and(|it| it.get(name.text()).is_none()) {
            cx.required(&DEFAULT, value.get(name.text()), "the schema requires it");
        }
    }
    for (inner, schema) in parts(value, schema) {
        self::value(cx, inner, schema);
    }
}

/// Returns the parts of a value with their schemas.
fn parts<'a>(
    value: Field<'a>,
    schema: Field<'a>,
) -> impl Iterator<Item = (Field<'a>, Field<'a>)> + use<'a> {
    let (properties, values) = (schema.get("properties"), schema.get("additionalProperties"));
    let items = schema.get("items");
    let entries = value.entries().map(move |(key, value)| {
        let property = properties.get(key);
        (value, if property.exists() { property } else { values })
    });
    entries.chain(value.items().map(move |it| (it, items))).filter(|it| it.1.exists())
}

/// Says whether a value fits a schema in all its parts.
fn fits<'a>(value: Field<'a>, schema: Field<'a>) -> bool {
    let has_required = schema.get("required").items().all(|name| {
        value.node().is_none_or(|it| !it.is_mapping() || it.get(name.text()).is_some())
    });
    wrong(value, schema).is_none()
        && has_required
        && parts(value, schema).all(|(value, schema)| fits(value, schema))
}

/// Says what is wrong with a value itself, not with its parts.
fn wrong<'a>(value: Field<'a>, schema: Field<'a>) -> Option<&'static str> {
    if schema.bool().is_some() {
        return None;
    }
    let Some(node) = value.node() else {
        let may = is_set(schema, "nullable") || schema.get("type").is_empty();
        return (!may).then_some("must not be `null`");
    };
    wrong_type(node, schema)
        .or_else(|| wrong_size(node, schema))
        .or_else(|| {
            let values = schema.get("enum");
            let is_one = values.is_empty() || values.items().any(|it| it.equals(value));
            (!is_one).then_some("must be one of the values of `enum`")
        })
        .or_else(|| {
            let all = |key| schema.get(key).items();
            let count = |key| all(key).filter(|it| fits(value, *it)).count();
            let not = schema.get("not");
            let is_wrong = count("allOf") < schema.get("allOf").len()
                || (!schema.get("anyOf").is_empty() && count("anyOf") == 0)
                || (!schema.get("oneOf").is_empty() && count("oneOf") != 1)
                || (not.exists() && fits(value, not));
            is_wrong.then_some("must fit the conditions of the schema")
        })
}

fn wrong_type(node: &Node, schema: Field<'_>) -> Option<&'static str> {
    let (right, wrong) = match schema.get("type").text() {
        "string" => (node.as_str().is_some(), "must be a string"),
        "boolean" => (node.as_bool().is_some(), "must be a boolean"),
        "integer" => (is_whole(node), "must be an integer"),
        "number" => (number(node).is_some(), "must be a number"),
        "object" => (node.is_mapping(), "must be an object"),
        "array" => (matches!(node.kind, NodeKind::Sequence(_)), "must be a list"),
        _ => return None,
    };
    (!right).then_some(wrong)
}

fn is_whole(node: &Node) -> bool {
    match node.kind {
        NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_)) => true,
        NodeKind::Scalar(Scalar::Float(value)) => value.fract() == 0.0,
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "JSON Schema compares numbers as floats")]
fn number(node: &Node) -> Option<f64> {
    match node.kind {
        NodeKind::Scalar(Scalar::Int(value)) => Some(value as f64),
        NodeKind::Scalar(Scalar::Uint(value)) => Some(value as f64),
        NodeKind::Scalar(Scalar::Float(value)) => Some(value),
        _ => None,
    }
}

fn wrong_size(node: &Node, schema: Field<'_>) -> Option<&'static str> {
    let bound = |key| schema.get(key).node().and_then(number);
    let out_of = |size: usize, min, max| {
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        let size = size as f64;
        bound(min).is_some_and(|it| size < it) || bound(max).is_some_and(|it| size > it)
    };
    if let Some(value) = number(node) {
        let is_open = |key| is_set(schema, key);
        let below = bound("minimum")
            .is_some_and(|it| value < it || (value <= it && is_open("exclusiveMinimum")));
        let above = bound("maximum")
            .is_some_and(|it| value > it || (value >= it && is_open("exclusiveMaximum")));
        let uneven = bound("multipleOf").is_some_and(|it| it > 0.0 && (value / it).fract() != 0.0);
        return (below || above || uneven).then_some("must be within the bounds of the schema");
    }
    let wrong = match &node.kind {
        NodeKind::Scalar(Scalar::String(text)) => {
            let length = text.chars().count();
            if out_of(length, "minLength", "maxLength") {
                return Some("must have a length within the bounds of the schema");
            }
            let pattern = schema.get("pattern");
            let matches = pattern.is_empty()
                || re2::compile(pattern.text()).is_ok_and(|it| it.is_match(text));
            return (!matches).then_some("must match the pattern of the schema");
        }
        NodeKind::Sequence(items) => out_of(items.len(), "minItems", "maxItems"),
        NodeKind::Mapping(entries) => {
            let keys: BTreeSet<&str> = entries.iter().map(|it| &*it.key).collect();
            out_of(keys.len(), "minProperties", "maxProperties")
        }
        NodeKind::Scalar(_) => false,
    };
    wrong.then_some("must have a size within the bounds of the schema")
}
