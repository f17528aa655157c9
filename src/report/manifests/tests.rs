//! The writer: the texts of kustomize, and that everything is read again as what it was.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::load::{self, Dialect, Limits};
use crate::source::{Origin, RepoPath, Source, SourceId, SourceMap, Span};

fn nowhere() -> Span {
    Span::start_of(SourceId::NOWHERE)
}

fn node(kind: NodeKind) -> Node {
    Node { span: nowhere(), kind }
}

fn tree(value: &serde_json::Value) -> Node {
    use serde_json::Value;
    node(match value {
        Value::Null => NodeKind::Scalar(Scalar::Null),
        Value::Bool(value) => NodeKind::Scalar(Scalar::Bool(*value)),
        Value::Number(number) => NodeKind::Scalar(match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Scalar::Int(value),
            (None, Some(value)) => Scalar::Uint(value),
            (None, None) => Scalar::Float(number.as_f64().unwrap()),
        }),
        Value::String(text) => NodeKind::Scalar(Scalar::String(text.as_str().into())),
        Value::Array(items) => NodeKind::Sequence(items.iter().map(tree).collect()),
        Value::Object(map) => NodeKind::Mapping(
            map.iter()
                .map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    key_span: nowhere(),
                    value: tree(value),
                })
                .collect(),
        ),
    })
}

fn written(documents: &[serde_json::Value]) -> String {
    let documents: Vec<Document> = documents.iter().map(|it| Document::new(tree(it))).collect();
    let mut out = Vec::new();
    write_manifests(&documents, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads documents as kustomize does.
fn read(text: &str) -> Vec<serde_json::Value> {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, text.into()));
    let source = sources.get(id).unwrap();
    let parsed = load::parse(source, id, Dialect::Kustomize, &Limits::default());
    assert_eq!(parsed.problems, [], "{text}");
    parsed.documents.iter().map(|document| document.root.to_json()).collect()
}

#[track_caller]
fn assert_written(value: serde_json::Value, text: &str) {
    let written = written(std::slice::from_ref(&value));
    assert_eq!(written, text);
    assert_eq!(read(&written), [value]);
}

#[test]
fn lists_are_not_indented_and_keys_are_sorted() {
    assert_written(
        serde_json::json!({
            "spec": {"b": [1, {"z": [], "x": {}}, ["a", ["b"]]], "a": {"c": null, "d": true}},
            "apiVersion": "v1",
        }),
        "apiVersion: v1\nspec:\n  a:\n    c: null\n    d: true\n  b:\n  - 1\n  - x: {}\n    z: []\n  \
         - - a\n    - - b\n",
    );
}

#[test]
fn documents_stand_apart() {
    let documents = [serde_json::json!({"a": 1}), serde_json::json!({"a": "x\n"})];
    let text = written(&documents);
    assert_eq!(text, "a: 1\n---\na: |\n  x\n");
    assert_eq!(read(&text), documents);
    assert_eq!(written(&[]), "");
}

#[test]
fn what_would_be_read_as_something_else_is_quoted() {
    for text in [
        "",
        "~",
        "null",
        "Null",
        "true",
        "FALSE",
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "n",
        "1",
        "-1",
        "+1",
        "0x1F",
        "0o17",
        "017",
        "0b1",
        "1_000",
        "1.5",
        ".5",
        "1e3",
        ".inf",
        "-.INF",
        ".nan",
        "2001-01-01",
        "2001-1-1 1:2:3",
        "2001-01-01T00:00:00Z",
        "1:20",
        "190:20:30.15",
        "<<",
        "18446744073709551616",
        "a\tb",
        "\u{feff}",
        "\u{1}",
        "\u{7f}",
    ] {
        let value = serde_json::json!({ "a": text });
        let written = written(std::slice::from_ref(&value));
        assert!(written.starts_with("a: \"") && written.ends_with("\"\n"), "{written}");
        assert_eq!(read(&written), [value]);
    }
}

#[test]
fn indicators_and_spaces_are_quoted_once() {
    for text in [
        " a", "a ", "- a", "-", "? a", ":", "a: b", "a:", "a #b", "#a", "*a", "&a", "!a", "|", ">",
        "'a", "\"a", "%a", "@a", "`a", "{a}", "[a]", ",a", "---", "--- a", "...",
    ] {
        let quoted = text.replace('\'', "''");
        assert_written(serde_json::json!({ "a": text }), &format!("a: '{quoted}'\n"));
    }
    for text in
        ["-a", "?a", ":a", "a:b", "a#b", "a, b", "a{b}", "a'b", "a\"b", "=", "é", "漢 字", "a-- b"]
    {
        assert_written(serde_json::json!({ "a": text }), &format!("a: {text}\n"));
    }
}

#[test]
fn texts_of_several_lines_are_literal() {
    for (text, wanted) in [
        ("a\nb", "a: |-\n  a\n  b\n"),
        ("a\nb\n", "a: |\n  a\n  b\n"),
        ("a\n\n", "a: |+\n  a\n\n"),
        ("\n", "a: |2+\n\n"),
        ("\na", "a: |2-\n\n  a\n"),
        ("  a\n b\n", "a: |2\n    a\n   b\n"),
        ("a\n\n  b\n", "a: |\n  a\n\n    b\n"),
        ("a \nb\n", "a: \"a \\nb\\n\"\n"),
        ("a\n ", "a: \"a\\n \"\n"),
        ("a\r\nb", "a: \"a\\r\\nb\"\n"),
        ("a\tb\n", "a: \"a\\tb\\n\"\n"),
        ("# a\n- b\n---\n", "a: |\n  # a\n  - b\n  ---\n"),
    ] {
        assert_written(serde_json::json!({ "a": text }), wanted);
    }
}

#[test]
fn long_lines_are_broken_after_eighty_columns() {
    let words = "word ".repeat(20);
    let words = words.trim();
    let head = "word ".repeat(15);
    assert_written(
        serde_json::json!({ "a": words }),
        &format!("a: {head}word\n  word word word word\n"),
    );
    assert_written(
        serde_json::json!({ "a": [format!("{words}:")] }),
        &format!("a:\n- '{head}word\n  word word word word:'\n"),
    );
    assert_written(
        serde_json::json!({ "a": format!("\t{}", words.replace(' ', "  ")) }),
        &format!(
            "a: \"\\t{0}word\n  \\ word  word  word  word  word  word  word\"\n",
            "word  ".repeat(12)
        ),
    );
}

#[test]
fn long_and_broken_keys_have_a_line_of_their_own() {
    let key = "k".repeat(129);
    assert_written(
        serde_json::json!({ key.as_str(): {"a": 1}, "x\ny": [1, 2] }),
        &format!("? {key}\n: a: 1\n? |-\n  x\n  y\n: - 1\n  - 2\n"),
    );
    assert_written(
        serde_json::json!({"": 1, "on": 2, " ": 3, "1": 4}),
        "\"\": 1\n' ': 3\n\"1\": 4\n\"on\": 2\n",
    );
}

/// Returns texts that are hard on a writer.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just(" "),
        Just("  "),
        Just("\n"),
        Just("\n\n"),
        Just("\t"),
        Just("\r"),
        Just(": "),
        Just(":"),
        Just(" #"),
        Just("#"),
        Just("- "),
        Just("-"),
        Just("---"),
        Just("..."),
        Just("? "),
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("{"),
        Just("]"),
        Just(","),
        Just("&"),
        Just("*"),
        Just("!"),
        Just("|"),
        Just(">"),
        Just("%"),
        Just("@"),
        Just("`"),
        Just("<<"),
        Just("="),
        Just("~"),
        Just("null"),
        Just("yes"),
        Just("true"),
        Just("0"),
        Just("1"),
        Just("0x"),
        Just("."),
        Just("e3"),
        Just("_"),
        Just("2001-01-01"),
        Just("T"),
        Just("Z"),
        Just("a"),
        Just("word"),
        Just("word word word word word word word word word word"),
        Just("é"),
        Just("漢字"),
        Just("\u{1f600}"),
        Just("\u{feff}"),
        Just("\u{85}"),
        Just("\u{a0}"),
        Just("\u{2028}"),
        Just("\u{2029}"),
        Just("\u{202e}"),
        Just("\u{0}"),
        Just("\u{1b}"),
        Just("\u{7f}"),
        Just("\u{fffd}"),
        Just("\u{fffe}"),
    ];
    prop_oneof![
        4 => vec(pieces, 0..12).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[a-z :#'-]{100,300}",
        1 => "[0-9eExXobT:._+-]{1,12}",
    ]
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>()
            .prop_filter("JSON has no such number", |it| it.is_finite() && it.fract() != 0.0)
            .prop_map(Value::from),
        4 => texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(texts(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everything_is_read_again_as_what_it_was(value in values(), key in texts()) {
        let documents = [serde_json::json!({ key: value })];
        prop_assert_eq!(read(&written(&documents)), documents);
    }
}
