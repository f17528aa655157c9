//! What a schema of a custom resource may consist of, structural or not.

use std::collections::BTreeSet;

use super::field_path;
use super::structural::is_convertible;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;

pub(in crate::check::api) const SCHEMA: Rule = Rule::new(
    "api/invalid-crd-schema",
    "Schema of a custom resource that the API server does not take",
    "Schemas of custom resources are those of OpenAPI 3, without references, definitions, \
     `uniqueItems` and patterns of keys. Lists that are sets or maps say so in a way that the \
     server can merge by: keys are scalar properties that are required or have a default.",
    "mend the schema; where it was generated, mend the markers of the Go type",
    &["ValidateCustomResourceDefinitionOpenAPISchema", "validateMapListKeysMapSet"],
);

/// The types of a schema.
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What the root of a schema may not have where the status is a subresource
/// (`allowedFieldsAtRootSchema`).
const NOT_AT_ROOT: [&str; 21] = [
    "$ref",
    "$schema",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "dependencies",
    "enum",
    "id",
    "maxProperties",
    "minProperties",
    "not",
    "oneOf",
    "patternProperties",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// Looks at the root of a schema (`validateCustomResourceDefinitionValidation`).
pub(super) fn check_root<'a>(cx: &mut Cx<'a>, schema: Field<'a>, has_status: bool) {
    if has_status {
        let kind = schema.get("type");
        if !kind.is_empty() && kind.text() != "object" {
            cx.invalid(
                &SCHEMA,
                kind,
                "must be `object` at the root, where status is a subresource",
            );
        }
        for key in NOT_AT_ROOT {
            let field = schema.get(key);
            if field.exists() && field.bool() != Some(false) && field.str() != Some("") {
                cx.forbidden(&SCHEMA, field, "at the root, where status is a subresource");
                cx.named(schema);
                break;
            }
        }
    }
    if schema.get("nullable").is_true() {
        cx.forbidden(&SCHEMA, schema.get("nullable"), "at the root");
    }
}

/// What is known of the place of a schema.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    is_root: bool,
    /// Within `metadata`, `kind` or `apiVersion` of an object.
    in_meta: bool,
    /// Why defaults are not allowed.
    no_defaults: Option<&'static str>,
}

/// Looks at a schema and all that it is made of.
pub(super) fn check<'a>(cx: &mut Cx<'a>, schema: Field<'a>) {
    walk(cx, schema, Place { is_root: true, ..Place::default() });
}

fn walk<'a>(cx: &mut Cx<'a>, schema: Field<'a>, place: Place) {
    if !schema.exists() {
        return;
    }
    check_parts(cx, schema, place);
    let inner = Place { is_root: false, ..place };
    let values = schema.get("additionalProperties");
    let properties = schema.get("properties");
    if values.exists() {
        if !properties.is_empty() && values.bool() != Some(true) {
            cx.forbidden(&SCHEMA, values, "beside `properties`");
        }
        let mut inner = inner;
        if place.in_meta {
            inner.no_defaults = Some("for values of maps in metadata");
        }
        walk(cx, values, inner);
    }
    for (name, property) in properties.entries() {
        let mut inner = inner;
        let has_meta = place.is_root || schema.get("x-kubernetes-embedded-resource").is_true();
        if has_meta && matches!(name, "metadata" | "kind" | "apiVersion") {
            inner.in_meta = true;
            if place.is_root {
                inner.no_defaults = Some("in `metadata`, `kind` and `apiVersion`");
            }
        }
        walk(cx, property, inner);
    }
    walk(cx, schema.get("not"), inner);
    for key in ["allOf", "oneOf", "anyOf"] {
        for item in schema.get(key).items() {
            walk(cx, item, inner);
        }
    }
    for (_, definition) in schema.get("definitions").entries() {
        walk(cx, definition, inner);
    }
    let items = schema.get("items");
    if items.items().len() > 0 {
        for item in items.items() {
            walk(cx, item, inner);
        }
    } else {
        walk(cx, items, inner);
    }
    for (_, dependency) in schema.get("dependencies").entries() {
        walk(cx, dependency, inner);
    }
    check_extensions(cx, schema);
    check_validations(cx, schema);
}

/// Looks at the parts of a schema one by one (`specStandardValidatorV3.validate`).
fn check_parts<'a>(cx: &mut Cx<'a>, schema: Field<'a>, place: Place) {
    let kind = schema.get("type");
    if kind.text() == "null" {
        cx.forbidden(&SCHEMA, kind, "to `null`");
        cx.help("set `nullable: true` instead");
    } else if !kind.is_empty() && !TYPES.contains(&kind.text()) {
        cx.not_supported(&SCHEMA, kind, &TYPES);
    }
    if schema.get("default").exists()
        && let Some(why) = place.no_defaults
    {
        cx.forbidden(&SCHEMA, schema.get("default"), why);
    }
    for key in ["id", "$schema", "patternProperties", "definitions"] {
        if !schema.get(key).is_empty() {
            cx.forbidden(&SCHEMA, schema.get(key), "in a schema of a custom resource");
        }
    }
    for key in ["additionalItems", "dependencies", "$ref"] {
        if schema.get(key).exists() {
            cx.forbidden(&SCHEMA, schema.get(key), "in a schema of a custom resource");
        }
    }
    if schema.get("items").items().len() > 0 {
        cx.invalid(&SCHEMA, schema.get("items"), "must be one schema, not a list");
    }
    if schema.get("uniqueItems").is_true() {
        cx.forbidden(&SCHEMA, schema.get("uniqueItems"), "because its cost is quadratic");
        cx.help("set `x-kubernetes-list-type: set` instead");
    }
    let embedded = schema.get("x-kubernetes-embedded-resource");
    if place.in_meta && embedded.is_true() {
        cx.forbidden(&SCHEMA, embedded, "within `metadata`");
    }
}

/// Looks at how lists and maps are to be merged.
fn check_extensions<'a>(cx: &mut Cx<'a>, schema: Field<'a>) {
    let preserved = schema.get("x-kubernetes-preserve-unknown-fields");
    if preserved.bool() == Some(false) {
        cx.invalid(&SCHEMA, preserved, "must be `true` or missing");
    }
    let map_type = schema.get("x-kubernetes-map-type");
    if map_type.exists() {
        check_type(cx, schema, "object", "must be `object`, because a map type is set");
        if !matches!(map_type.text(), "atomic" | "granular") {
            cx.not_supported(&SCHEMA, map_type, &["atomic", "granular"]);
        }
    }
    let (list_type, keys) =
        (schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys"));
    let items = schema.get("items");
    if list_type.exists() {
        check_type(cx, schema, "array", "must be `array`, because a list type is set");
        if !matches!(list_type.text(), "atomic" | "set" | "map") {
            cx.not_supported(&SCHEMA, list_type, &["atomic", "set", "map"]);
        }
    }
    if schema.get("type").text() == "array" && list_type.text() == "set" {
        check_set(cx, items);
    }
    if !keys.is_empty() && list_type.text() != "map" {
        if list_type.exists() {
            cx.invalid(&SCHEMA, list_type, "must be `map`, because keys are set");
        } else {
            cx.required(&SCHEMA, list_type, "keys are set, so it must be `map`");
        }
    }
    if list_type.text() == "map" {
        check_map(cx, keys, items);
    }
    if matches!(list_type.text(), "set" | "map") && items.get("nullable").is_true() {
        cx.forbidden(&SCHEMA, items.get("nullable"), "for items of a set or a map");
    }
}

fn check_type<'a>(cx: &mut Cx<'a>, schema: Field<'a>, wanted: &str, wrong: &str) {
    let kind = schema.get("type");
    if kind.is_empty() {
        cx.required(&SCHEMA, kind, wrong);
    } else if kind.text() != wanted {
        cx.invalid(&SCHEMA, kind, wrong);
    }
}

/// Items of a set are compared as a whole.
fn check_set<'a>(cx: &mut Cx<'a>, items: Field<'a>) {
    let key = match items.get("type").text() {
        "array" => "x-kubernetes-list-type",
        "object" => "x-kubernetes-map-type",
        _ => return,
    };
    let merged = items.get(key);
    let is_open = items.get("type").text() == "object" && !merged.exists();
    if is_open || (merged.exists() && merged.text() != "atomic") {
        cx.invalid(&SCHEMA, merged, "must be `atomic` for the items of a set");
    }
}

/// Items of a map are told apart by keys.
fn check_map<'a>(cx: &mut Cx<'a>, keys: Field<'a>, items: Field<'a>) {
    if keys.is_empty() {
        cx.required(&SCHEMA, keys, "a list of type `map` needs keys");
    }
    if !items.exists() {
        return cx.required(&SCHEMA, items, "a list of type `map` needs a schema of its items");
    }
    if items.get("type").text() != "object" {
        return cx.invalid(&SCHEMA, items.get("type"), "must be `object` for the items of a map");
    }
    let properties = items.get("properties");
    let required: BTreeSet<&str> = items.get("required").items().map(Field::text).collect();
    let mut seen = BTreeSet::new();
    for key in keys.items() {
        let name = key.text();
        let property = properties.get(name);
        if !seen.insert(name) {
            cx.invalid(&SCHEMA, keys, "must not have a key twice");
        }
        if !property.exists() {
            cx.invalid_value_of(&SCHEMA, keys, key, "must be a property of the items");
            continue;
        }
        let kind = property.get("type");
        if matches!(kind.text(), "array" | "object") {
            cx.invalid(&SCHEMA, kind, "must be scalar, because items are told apart by it");
        }
        if !required.contains(name) && !property.get("default").exists() {
            let why = "items are told apart by the property, so it must be required or have one";
            cx.required(&SCHEMA, property.get("default"), why);
        }
        if property.get("nullable").is_true() {
            cx.forbidden(&SCHEMA, property.get("nullable"), "for a key of a map");
        }
    }
}

/// Looks at what stands beside the expressions of rules.
fn check_validations<'a>(cx: &mut Cx<'a>, schema: Field<'a>) {
    for validation in schema.get("x-kubernetes-validations").items() {
        let (rule, message) = (validation.get("rule"), validation.get("message"));
        let (text, told) = (rule.text().trim(), message.text().trim());
        if text.is_empty() {
            cx.required(&SCHEMA, rule, "");
        } else if !message.is_empty() && told.is_empty() {
            cx.invalid(&SCHEMA, message, "must not be blank");
        } else if has_lines(told) {
            cx.invalid(&SCHEMA, message, "must be one line");
        } else if has_lines(text) && told.is_empty() {
            cx.required(&SCHEMA, message, "a rule of several lines needs a message");
        }
        let expression = validation.get("messageExpression");
        if !expression.is_empty() && expression.text().trim().is_empty() {
            cx.required(&SCHEMA, expression, "");
        }
        let reason = validation.get("reason");
        if reason.exists() && !REASONS.contains(&reason.text()) {
            cx.not_supported(&SCHEMA, reason, &REASONS);
        }
        let path = validation.get("fieldPath");
        if path.is_empty() {
            continue;
        }
        if path.text().trim().is_empty() {
            cx.invalid(&SCHEMA, path, "must not be blank");
        }
        if has_lines(path.text()) {
            cx.invalid(&SCHEMA, path, "must be one line");
        }
        if is_convertible(schema)
            && let Err(wrong) = field_path::walk(path.text(), schema, true)
        {
            cx.invalid(&SCHEMA, path, wrong);
        }
    }
}

/// Why a rule may say that it refuses (`supportedValidationReason`).
const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

fn has_lines(text: &str) -> bool {
    text.contains(['\n', '\r'])
}
