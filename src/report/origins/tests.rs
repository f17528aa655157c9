//! Origins as they are printed.

use super::*;
use crate::load::{self, Dialect, Limits};
use crate::source::{Origin, Source};

const PLAIN: Style = Style { color: false, unicode: true, width: 80, links: false };

/// Reads the objects of a file.
fn objects(text: &str) -> (SourceMap, Vec<Document>) {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, text.into()));
    let source = sources.get(id).unwrap();
    let parsed = load::parse(source, id, Dialect::Kustomize, &Limits::default());
    (sources, parsed.documents)
}

fn origins(text: &str, format: ListFormat) -> String {
    let (sources, objects) = objects(text);
    let mut out = Vec::new();
    let display = Display { prefix: "up".to_owned(), source_url: None };
    write_origins(&objects, &sources, &display, format, PLAIN, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_line_stands_beside_the_place_that_set_it() {
    let text = "kind: A\nspec:\n  - name: b\n    args: [x]\n  - []\n---\nkind: C\n";
    assert_eq!(
        origins(text, ListFormat::Text),
        "up/a.yaml:1:7  │ kind: A\n\
         up/a.yaml:2:1  │ spec:\n\
         up/a.yaml:4:5  │ - args:\n\
         up/a.yaml:4:12 │   - x\n\
         up/a.yaml:3:11 │   name: b\n\
         up/a.yaml:5:5  │ - []\n\
         \u{20}              │ ---\n\
         up/a.yaml:7:7  │ kind: C\n"
    );
}

#[test]
fn lines_of_a_text_have_their_own_lines() {
    let text = "data:\n  a: | # said\n    one\n\n      two\n  b: \"x\\ny\"\n";
    assert_eq!(
        origins(text, ListFormat::Text),
        "up/a.yaml:1:1 │ data:\n\
         up/a.yaml:3:5 │   a: |\n\
         up/a.yaml:3:5 │     one\n\
         up/a.yaml:4:1 │ \n\
         up/a.yaml:5:7 │       two\n\
         up/a.yaml:6:6 │   b: |-\n\
         up/a.yaml:6:6 │     x\n\
         up/a.yaml:6:6 │     y\n"
    );
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    let text = "a: x\u{202e}y\n";
    assert_eq!(origins(text, ListFormat::Text), "up/a.yaml:1:4 │ a: x\\u{202e}y\n");
}

#[test]
fn a_value_that_stands_in_no_file_has_no_place() {
    let (sources, mut objects) = objects("a: b\n");
    let span = crate::source::Span::start_of(crate::source::SourceId::NOWHERE);
    objects[0].root = crate::document::Node::mapping(span);
    let mut out = Vec::new();
    let display = Display::default();
    write_origins(&objects, &sources, &display, ListFormat::Text, PLAIN, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "- │ {}\n");
}

#[test]
fn the_published_schema_is_that_of_the_structs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/output/origins-v1.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&json::schema()).unwrap());
    #[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites generated files")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, &fresh).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert!(published == fresh, "{path} is stale: run this test with UPDATE=1");
}

#[test]
fn origins_for_programs_follow_the_schema() {
    let text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\nspec: [1]\n";
    let json: serde_json::Value = serde_json::from_str(&origins(text, ListFormat::Json)).unwrap();
    let validator = jsonschema::validator_for(&json::schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json).map(|err| err.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(json["objects"][0]["object"]["kind"], "A");
    assert_eq!(json["objects"][1]["object"], serde_json::Value::Null);
    // The line between the documents counts.
    assert_eq!(
        json["objects"][1]["lines"],
        serde_json::json!([
            {"number": 6, "text": "spec:", "path": ["spec"],
             "location": {"path": "a.yaml", "line": 5, "column": 1, "endLine": 5, "endColumn": 5}},
            {"number": 7, "text": "- 1", "path": ["spec", 0],
             "location": {"path": "a.yaml", "line": 5, "column": 8, "endLine": 5, "endColumn": 9}},
        ])
    );
}
