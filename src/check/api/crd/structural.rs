//! What makes a schema structural: types are plain, and conditions only narrow them.

use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::engine::re2;

pub(in crate::check::api) const STRUCTURAL: Rule = Rule::new(
    "api/non-structural-schema",
    "Schema of a custom resource that is not structural",
    "The server drops unknown fields and sets defaults by the schema, so every field, item and \
     value has its type where the structure is told, and what stands within `allOf`, `anyOf`, \
     `oneOf` and `not` only narrows values of fields that the structure has.",
    "give every property and all items a `type`, and move structure out of the conditions",
    &["ValidateStructural", "validateStructuralInvariants", "validateStructuralCompleteness"],
);

/// Says whether the server can read a schema as a structural one at all (`NewStructural`).
pub(super) fn is_convertible(schema: Field<'_>) -> bool {
    if !schema.exists() {
        return true;
    }
    let is_free = |key| schema.get(key).is_empty();
    if !["id", "$schema", "$ref", "patternProperties", "dependencies", "definitions"]
        .into_iter()
        .all(is_free)
        || schema.get("additionalItems").exists()
        || schema.get("items").items().len() > 0
        || schema.get("x-kubernetes-preserve-unknown-fields").bool() == Some(false)
    {
        return false;
    }
    is_convertible(schema.get("items"))
        && is_convertible(schema.get("not"))
        && is_convertible(schema.get("additionalProperties"))
        && schema.get("properties").entries().all(|it| is_convertible(it.1))
        && ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .all(|key| schema.get(key).items().all(is_convertible))
}

/// Where a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Looks at a schema that the server can read.
pub(super) fn check<'a>(cx: &mut Cx<'a>, schema: Field<'a>) {
    invariants(cx, schema, Level::Root);
    completeness(cx, schema, Some(schema), schema);
}

/// Looks at the structure of a schema (`validateStructuralInvariants`).
fn invariants<'a>(cx: &mut Cx<'a>, schema: Field<'a>, level: Level) {
    let (kind, items) = (schema.get("type"), schema.get("items"));
    let properties = schema.get("properties");
    if kind.text() == "array" && !items.exists() {
        cx.required(&STRUCTURAL, items, "an array needs a schema of its items");
    }
    if items.exists() {
        invariants(cx, items, Level::Item);
    }
    for (_, property) in properties.entries() {
        // `null` in a map of schemas is an empty schema.
        invariants(cx, property, Level::Field);
    }
    let values = schema.get("additionalProperties");
    if values.exists() {
        if level == Level::Root {
            cx.forbidden(&STRUCTURAL, values, "at the root");
        }
        if values.bool().is_none() {
            invariants(cx, values, Level::Field);
        }
    }
    let flag = |name| schema.get(name).is_true();
    let is_embedded = flag("x-kubernetes-embedded-resource");
    let is_either = flag("x-kubernetes-int-or-string");
    let is_preserved = flag("x-kubernetes-preserve-unknown-fields");
    if is_either {
        for (is_set, key) in [
            (is_preserved, "x-kubernetes-preserve-unknown-fields"),
            (is_embedded, "x-kubernetes-embedded-resource"),
        ] {
            if is_set {
                cx.invalid(&STRUCTURAL, schema.get(key), "must be false for an int-or-string");
            }
        }
    }
    conditions(cx, schema, level, is_int_or_string(schema.get("anyOf")), {
        let mut first = schema.get("allOf").items();
        first.next().is_some_and(|it| is_int_or_string(it.get("anyOf")))
    });
    if is_embedded && kind.text() != "object" {
        let why = "must be `object` for an embedded resource";
        if kind.is_empty() {
            cx.required(&STRUCTURAL, kind, why);
        } else {
            cx.invalid(&STRUCTURAL, kind, why);
        }
    } else if kind.is_empty() && !is_either && !is_preserved {
        cx.required(
            &STRUCTURAL,
            kind,
            match level {
                Level::Root => "the root has one",
                Level::Item => "the items of an array have one",
                Level::Field => "every field has one",
            },
        );
    }
    if is_embedded && values.exists() {
        cx.forbidden(&STRUCTURAL, values, "for an embedded resource");
    }
    if level == Level::Root && !kind.is_empty() && kind.text() != "object" {
        cx.invalid(&STRUCTURAL, kind, "must be `object` at the root");
    }
    if level == Level::Root || is_embedded {
        for (name, wanted, wrong) in [
            ("kind", "string", "must be `string`"),
            ("apiVersion", "string", "must be `string`"),
            ("metadata", "object", "must be `object`"),
        ] {
            let field = properties.get(name);
            if field.exists() && field.get("type").text() != wanted {
                cx.invalid(&STRUCTURAL, field.get("type"), wrong);
            }
        }
    }
    if level == Level::Root {
        metadata(cx, properties.get("metadata"));
    }
    if is_embedded && !is_preserved && properties.is_empty() {
        cx.required(&STRUCTURAL, properties, "an embedded resource has properties");
    }
}

/// The root may narrow names, and nothing else in `metadata`.
fn metadata<'a>(cx: &mut Cx<'a>, metadata: Field<'a>) {
    let names_only = |properties: Field<'_>| {
        let only = properties.entries().all(|it| matches!(it.0, "name" | "generateName"));
        only && !properties.is_empty()
    };
    for (key, value) in metadata.entries() {
        let is_told = match key {
            "type" | "default" => false,
            "properties" => !names_only(value) && !value.is_empty(),
            "additionalProperties" => true,
            _ => !value.is_empty() && value.bool() != Some(false),
        };
        if is_told {
            cx.forbidden(&STRUCTURAL, value, "in `metadata`, which has a schema of its own");
            cx.named(metadata);
            return;
        }
    }
}

/// Says whether conditions are the two types that an int-or-string may have.
fn is_int_or_string(conditions: Field<'_>) -> bool {
    let is_only = |condition: Field<'_>, wanted: &str| {
        condition.entries().all(|(key, value)| match key {
            "type" => value.text() == wanted,
            _ => value.is_empty(),
        }) && condition.get("type").exists()
    };
    let mut items = conditions.items();
    items.len() == 2
        && items.next().is_some_and(|it| is_only(it, "integer"))
        && items.next().is_some_and(|it| is_only(it, "string"))
}

/// Looks at the conditions of a schema (`validateValueValidation`).
fn conditions<'a>(
    cx: &mut Cx<'a>,
    schema: Field<'a>,
    level: Level,
    skips_any_of: bool,
    skips_first: bool,
) {
    if !skips_any_of {
        for condition in schema.get("anyOf").items() {
            nested(cx, condition, level, false);
        }
    }
    for (at, condition) in schema.get("allOf").items().enumerate() {
        nested(cx, condition, level, skips_first && at == 0);
    }
    for condition in schema.get("oneOf").items() {
        nested(cx, condition, level, false);
    }
    nested(cx, schema.get("not"), level, false);
    let pattern = schema.get("pattern");
    if let Some(wrong) = pattern.str().and_then(wrong_pattern) {
        cx.invalid(&STRUCTURAL, pattern, wrong);
    }
}

/// What a condition may not have, because it is structure.
const STRUCTURE: [&str; 11] = [
    "type",
    "default",
    "title",
    "description",
    "nullable",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// Looks at one condition (`validateNestedValueValidation`).
fn nested<'a>(cx: &mut Cx<'a>, condition: Field<'a>, level: Level, skips_any_of: bool) {
    if !condition.exists() {
        return;
    }
    conditions(cx, condition, level, skips_any_of, false);
    nested(cx, condition.get("items"), level, false);
    for (_, property) in condition.get("properties").entries() {
        nested(cx, property, Level::Field, false);
    }
    for key in STRUCTURE {
        let field = condition.get(key);
        let is_set = match key {
            "default" | "x-kubernetes-list-type" | "x-kubernetes-map-type" => field.exists(),
            _ => !field.is_empty() && field.bool() != Some(false),
        };
        if is_set {
            cx.forbidden(&STRUCTURAL, field, "within a condition");
        }
    }
    let values = condition.get("additionalProperties");
    if values.exists() && values.bool() != Some(false) {
        cx.forbidden(&STRUCTURAL, values, "within a condition");
    }
    let rules = condition.get("x-kubernetes-validations");
    if !rules.is_empty() {
        cx.forbidden(&STRUCTURAL, rules, "within a condition");
    }
    let metadata = condition.at(&["properties", "metadata"]);
    if metadata.exists() {
        cx.forbidden(&STRUCTURAL, metadata, "within a condition");
    }
}

/// Looks whether what conditions speak of is there (`validateStructuralCompleteness`). `schema` is
/// the structure at `place`, where there is one.
fn completeness<'a>(
    cx: &mut Cx<'a>,
    conditions: Field<'a>,
    schema: Option<Field<'a>>,
    place: Field<'a>,
) {
    narrowed(cx, conditions.get("not"), schema, place);
    for key in ["allOf", "anyOf", "oneOf"] {
        for condition in conditions.get(key).items() {
            narrowed(cx, condition, schema, place);
        }
    }
}

fn narrowed<'a>(
    cx: &mut Cx<'a>,
    condition: Field<'a>,
    schema: Option<Field<'a>>,
    place: Field<'a>,
) {
    if !condition.exists() {
        return;
    }
    let Some(schema) = schema.filter(|it| it.exists()) else {
        return cx.required(&STRUCTURAL, place, "a condition speaks of it");
    };
    completeness(cx, condition, Some(schema), place);
    let items = schema.get("items");
    narrowed(cx, condition.get("items"), Some(items), items);
    for (name, property) in condition.get("properties").entries() {
        let field = schema.get("properties").get(name);
        narrowed(cx, property, Some(field), field);
        if !property.exists() && !field.exists() {
            cx.required(&STRUCTURAL, field, "a condition speaks of it");
        }
    }
}

/// Says what is wrong with a regular expression, which Go reads.
fn wrong_pattern(pattern: &str) -> Option<&'static str> {
    re2::compile(pattern)
        .is_err()
        .then_some("must be a regular expression of RE2, which knows no look-around")
}

#[cfg(test)]
mod tests {
    use super::wrong_pattern;

    #[test]
    fn patterns_are_those_of_go() {
        for right in [
            "",
            "^a+$",
            "a??",
            "^{{.*}}$",
            "x{,2}",
            "[[:alpha:]]+",
            "[]a]",
            "(?P<a>b)",
            "(?i)a",
            "a{1000}",
        ] {
            assert_eq!(wrong_pattern(right), None, "{right}");
        }
        for wrong in
            ["(", "(?=a)", "a**", "a++", "a{2}{3}", "a{1001}", "(?x)a", "[a", "\\Z", "+a", ")"]
        {
            assert!(wrong_pattern(wrong).is_some(), "{wrong}");
        }
    }
}
