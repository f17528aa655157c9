use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::document::Document;
use crate::load::{Dialect, Limits, Parsed};
use crate::source::{Origin, RepoPath, Source, SourceMap};

fn parsed(text: &str) -> (SourceMap, Document) {
    let mut sources = SourceMap::default();
    let id =
        sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, text.as_bytes().to_vec()));
    let parsed = Parsed::of(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    (sources, parsed.documents.into_iter().next().unwrap())
}

fn alone() -> Beside {
    Arc::new(|name| Err(format!("`{name}` is not there")))
}

/// Returns the defects of a text, each as `what: the text that is underlined: message (help)`.
fn told_by(schema: &JsonSchema, text: &str) -> Vec<String> {
    let (sources, document) = parsed(text);
    let kind = document.root.get("kind").and_then(Node::as_str).unwrap_or("Widget");
    schema
        .check(kind, &document.root)
        .into_iter()
        .map(|defect| {
            let mut line = format!(
                "{:?} {}: `{}`: {}",
                defect.breach,
                defect.path,
                sources.text(defect.span).lines().next().unwrap_or_default(),
                defect.message
            );
            if let Some(help) = defect.help {
                write!(line, " ({help})").unwrap();
            }
            line
        })
        .collect()
}

fn told(schema: Value, text: &str) -> Vec<String> {
    told_by(&JsonSchema::compile(schema, alone()).unwrap(), text)
}

fn refused(schema: Value) -> String {
    JsonSchema::compile(schema, alone()).unwrap_err()
}

fn widget(spec: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "kind": {"type": "string"},
            "spec": spec,
        },
    })
}

#[test]
fn an_unknown_field_is_underlined_with_the_nearest_one() {
    let schema = widget(&json!({
        "type": "object",
        "properties": {"replicas": {"type": "integer"}, "image": {"type": "string"}},
        "additionalProperties": false,
    }));
    assert_eq!(
        told(schema, "kind: Widget\nspec:\n  replcas: 3\n  image: a\n  other: b\n"),
        [
            "UnknownField spec.replcas: `replcas`: unknown field `replcas` in `spec` (did you mean `replicas`?)",
            "UnknownField spec.other: `other`: unknown field `other` in `spec`",
        ]
    );
}

#[test]
fn a_field_that_lacks_is_shown_where_it_would_be() {
    let schema = widget(&json!({"type": "object", "required": ["size"]}));
    assert_eq!(
        told(schema.clone(), "kind: Widget\nspec: {}\n"),
        ["MissingField spec.size: `spec`: missing field `size` in `spec`"]
    );
    assert_eq!(
        told(schema, "kind: Widget\n"),
        ["MissingField spec: `Widget`: missing field `spec` in the Widget"]
    );
}

#[test]
fn wrong_types_say_what_is_there_instead() {
    let schema = widget(&json!({"type": "object", "properties": {
        "size": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "port": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    }}));
    assert_eq!(
        told(schema, "kind: Widget\nspec:\n  size: \"3\"\n  name: 4\n  port: [1]\n"),
        [
            "WrongType spec.size: `\"3\"`: expected an integer in `spec.size`, found the string `3` (remove the quotes)",
            "WrongType spec.name: `4`: expected a string in `spec.name`, found the integer `4` (put the value in quotes)",
            "WrongType spec.port: `[1]`: expected an integer or a string in `spec.port`, found a list",
        ]
    );
}

#[test]
fn values_are_held_against_what_the_schema_says_of_them() {
    let schema = widget(&json!({"type": "object", "properties": {
        "mode": {"type": "string", "enum": ["Always", "Never"]},
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "size": {"type": "integer", "minimum": 1},
        "list": {"type": "array", "uniqueItems": true, "maxItems": 1},
        "date": {"type": "string", "format": "date-time"},
        "every": {"type": "string", "format": "duration"},
        "short": {"type": "string", "maxLength": 2},
    }}));
    let text = "kind: Widget\nspec:\n  mode: Alway\n  name: A1\n  size: 0\n  list: [1, 1]\n  \
                date: today\n  every: soon\n  short: äöü\n";
    assert_eq!(
        told(schema.clone(), text),
        [
            "InvalidValue spec.mode: `Alway`: `Alway` is not a value of `spec.mode` (did you mean `Always`? It takes `Always` or `Never`)",
            "InvalidValue spec.name: `A1`: `A1` in `spec.name` does not match the pattern `^[a-z]+$`",
            "InvalidValue spec.size: `0`: `0` in `spec.size` is less than `1`",
            "InvalidValue spec.list: `list`: `spec.list` has more than 1 item",
            "InvalidValue spec.list: `list`: `spec.list` has two items that are equal (remove one of them)",
            "InvalidValue spec.date: `today`: `today` in `spec.date` is not a date and time of RFC 3339 (write it as in `2006-01-02T15:04:05Z`)",
            "InvalidValue spec.every: `soon`: `soon` in `spec.every` is not a duration (write it as in `1h30m` or `PT1H30M`)",
            "InvalidValue spec.short: `äöü`: the value of `spec.short` is longer than 2 characters",
        ]
    );
    let good = "kind: Widget\nspec: {mode: Never, name: a, size: 1, list: [1], \
                date: '2006-01-02T15:04:05Z', every: 1h30m, short: äö}\n";
    assert_eq!(told(schema, good), [""; 0]);
}

#[test]
fn of_alternatives_the_nearest_says_what_is_wrong() {
    let schema = widget(&json!({"type": "object", "properties": {
        "from": {"anyOf": [
            {"type": "string"},
            {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        ]},
        "one": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    }}));
    assert_eq!(
        told(schema, "kind: Widget\nspec:\n  from: {name: 1}\n  one: {c: 1}\n"),
        [
            "WrongType spec.from.name: `1`: expected a string in `spec.from.name`, found the integer `1` (put the value in quotes)",
            "InvalidValue spec.one: `one`: `spec.one` fits none of the 2 forms that it may have (it needs one of `a`, `b`)",
        ]
    );
}

#[test]
fn items_are_named_where_names_tell_them_apart() {
    let schema = widget(&json!({"type": "array", "items": {"type": "object", "properties": {
        "port": {"type": "integer"},
    }}}));
    assert_eq!(
        told(schema.clone(), "spec:\n- {name: web, port: a}\n- {name: db}\n")[0],
        "WrongType spec[0].port: `a`: expected an integer in `spec[web].port`, found the string `a`"
    );
    assert_eq!(
        told(schema, "spec:\n- {name: web, port: a}\n- {name: web}\n")[0],
        "WrongType spec[0].port: `a`: expected an integer in `spec[0].port`, found the string `a`"
    );
}

#[test]
fn keys_may_be_numbers_empty_or_hold_slashes() {
    let schema = widget(&json!({"additionalProperties": {"type": "string"}}));
    assert_eq!(
        told(schema, "spec: {\"1\": 1, \"\": 2, a/b~c: 3}\n"),
        [
            "WrongType spec.1: `1`: expected a string in `spec.1`, found the integer `1` (put the value in quotes)",
            "WrongType spec[]: `2`: expected a string in `spec[]`, found the integer `2` (put the value in quotes)",
            "WrongType spec[a/b~c]: `3`: expected a string in `spec[a/b~c]`, found the integer `3` (put the value in quotes)",
        ]
    );
}

#[test]
fn no_value_of_a_secret_is_shown() {
    let schema = json!({"properties": {
        "data": {"additionalProperties": {"enum": ["a"]}},
        "key": {"type": "string", "pattern": "^x"},
        "size": {"type": "integer"},
    }});
    let lines = told(schema, "kind: Secret\ndata: {a: hunter2}\nkey: hunter2\nsize: hunter2\n");
    assert_eq!(lines.len(), 3);
    for line in lines {
        // The place is underlined, and its text is not part of the message.
        let message = line.split("`hunter2`: ").nth(1).unwrap();
        assert!(!message.contains("hunter2"), "{line}");
    }
}

#[test]
fn placeholders_and_the_data_of_sops_pass() {
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "kind": {},
        "size": {"type": "integer"},
        "mode": {"enum": ["a"]},
        "port": {"anyOf": [{"type": "integer"}, {"enum": ["b"]}]},
    }});
    let text = "kind: Widget\nsize: ${SIZE}\nmode: '{{ mode }}'\nport: <PORT>\nsops: {mac: x}\n";
    assert_eq!(told(schema, text), [""; 0]);
}

#[test]
fn the_draft_is_the_fourth_unless_the_schema_names_another() {
    // A boolean that makes the limit exclusive is of draft 4 alone.
    let four = json!({"properties": {"size": {"minimum": 1, "exclusiveMinimum": true}}});
    assert_eq!(told(four.clone(), "size: 1\n").len(), 1);
    let mut seven = four;
    seven["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    assert!(refused(seven).contains("is not of type \"number\""));
    let newest = json!({
        "$schema": "http://json-schema.org/schema#",
        "dependentRequired": {"a": ["b"]},
    });
    assert_eq!(told(newest, "a: 1\n").len(), 1);
    assert_eq!(
        refused(json!({"$schema": "https://example.com/mine"})),
        "its `$schema` `https://example.com/mine` is none of the drafts 4, 6, 7, 2019-09 and 2020-12"
    );
}

#[test]
fn a_schema_refers_to_itself_and_to_what_lies_beside_it() {
    let beside: Beside = Arc::new(|name| match name {
        "_definitions.json" => Ok(Arc::new(json!({"definitions": {"size": {
            "type": "object",
            "properties": {"width": {"type": "integer"}, "next": {"$ref": "#/definitions/size"}},
            "additionalProperties": false,
        }}}))),
        other => Err(format!("`{other}` is not there")),
    });
    for reference in [
        "_definitions.json#/definitions/size",
        "https://kubernetesjsonschema.dev/v1.18.1/_definitions.json#/definitions/size",
    ] {
        let schema = json!({"properties": {"spec": {"$ref": reference}}});
        let schema = JsonSchema::compile(schema, Arc::clone(&beside)).unwrap();
        assert_eq!(
            told_by(&schema, "spec: {width: 1, next: {widht: 2}}\n"),
            [
                "UnknownField spec.next.widht: `widht`: unknown field `widht` in `spec.next` (did you mean `width`?)"
            ],
            "{reference}"
        );
    }
    let reaches = |reference: &str| {
        JsonSchema::compile(json!({"$ref": reference}), Arc::clone(&beside)).unwrap_err()
    };
    assert!(reaches("other.json").contains("`other.json` is not there"));
    assert!(reaches("file:///etc/passwd").contains("it refers to `file:///etc/passwd`"));
    assert!(reaches("../secret.json").contains("it refers to `file:///secret.json`"));
    assert!(reaches("%2e%2e/secret.json").contains("it refers to"));
}

#[test]
fn a_schema_that_does_not_compile_says_where() {
    assert!(
        refused(json!({"properties": {"a": {"type": "strin"}}})).contains("`/properties/a/type`")
    );
    assert_eq!(
        refused(json!({"pattern": "(?=x)"})),
        "the pattern `(?=x)` is no regular expression of Go"
    );
    assert!(refused(json!({"$ref": "#/definitions/x"})).contains("/definitions/x"));
    let huge = json!({"pattern": "((((a{100}){100}){100}){100})"});
    assert_eq!(refused(huge), "its patterns are too large");
    let large = json!({"pattern": "(([a-z]{100}){100}){100}"});
    assert!(refused(large).contains("is no regular expression of Go"));
}

#[test]
fn patterns_are_those_of_go() {
    let schema = json!({"properties": {
        "pattern": {"type": "string", "pattern": "^(?i)(abort|warn)?$"},
    }});
    assert_eq!(told(schema.clone(), "pattern: WARN\n"), [""; 0]);
    assert_eq!(
        told(schema, "pattern: stop\n"),
        [
            "InvalidValue pattern: `stop`: `stop` in `pattern` does not match the pattern `^(?i)(abort|warn)?$`"
        ]
    );
    let keys = json!({
        "$schema": "http://json-schema.org/draft-06/schema#",
        "propertyNames": {"pattern": "^[a-z]+$"},
    });
    assert_eq!(
        told(keys, "kind: Widget\nA: 1\n"),
        ["InvalidValue : `Widget`: a key of the Widget does not match the pattern `^[a-z]+$`"]
    );
}

#[test]
fn what_null_means_depends_on_who_asks() {
    let schema = json!({"type": "object", "required": ["b"], "properties": {
        "a": {"type": "string"},
        "b": {"type": "string"},
    }, "additionalProperties": false});
    let text = "a: null\nb: null\n";
    assert_eq!(told(schema.clone(), text).len(), 2);
    let open_api = JsonSchema::compile_open_api(schema).unwrap();
    assert_eq!(
        told_by(&open_api, text),
        ["MissingField b: `a: null`: missing field `b` in the Widget"]
    );
}

/// A schema in which each definition refers twice to the next one, in the way of `branch`.
fn branching(branch: impl Fn(Value) -> Value, depth: usize) -> Value {
    let mut definitions = serde_json::Map::new();
    for at in 0..depth {
        definitions.insert(
            format!("d{at}"),
            branch(json!({"$ref": format!("#/definitions/d{}", at + 1)})),
        );
    }
    definitions.insert(format!("d{depth}"), json!({"type": "string"}));
    json!({"definitions": definitions, "$ref": "#/definitions/d0"})
}

#[test]
fn a_schema_that_branches_without_end_ends() {
    let text = "kind: Widget\nspec: 1\n";
    for schema in [
        branching(|next| json!({"anyOf": [next, {"allOf": [next]}]}), 60),
        branching(|next| json!({"allOf": [next, {"not": {"not": next}}]}), 60),
        branching(|next| json!({"oneOf": [next, {"allOf": [next]}, {"anyOf": [next]}]}), 60),
    ] {
        let lines = told(schema, text);
        assert!(!lines.is_empty());
    }
}

#[test]
fn a_long_chain_of_references_ends() {
    for schema in [
        branching(|next| next, 2_000),
        branching(|next| json!({"allOf": [next]}), 2_000),
        branching(|next| json!({"not": next}), 2_000),
    ] {
        told(schema, "kind: Widget\n");
    }
    assert_eq!(refused(branching(|next| next, 4_000)), "it refers to more than 3000 schemas");
    told(json!({"$ref": "#"}), "kind: Widget\n");
    told(json!({"allOf": [{"$ref": "#"}], "not": {"$ref": "#"}}), "kind: Widget\n");
}

#[test]
fn many_defects_are_cut() {
    let mut text = "kind: Widget\nspec:\n".to_owned();
    for at in 0..3000 {
        writeln!(text, "- a{at}").unwrap();
    }
    let schema = widget(&json!({"items": {"type": "integer"}}));
    assert_eq!(told(schema, &text).len(), crate::check::schema::defect::LIMIT);
}
