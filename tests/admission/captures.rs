//! What real API servers asked, with the answer that was written down before it was first given.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::ask::{ask, causes, gate, production, review};

/// Captures of this many requests of each version.
const CAPTURES: [(&str, usize); 2] = [("1.37.2", 44), ("1.20.2", 31)];

/// One request of an API server.
#[derive(Debug)]
struct Capture {
    /// What caused it, with the position in the file.
    step: String,
    expect: Value,
    review: Value,
}

fn captures(version: &str) -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/admission");
    let text = fs::read_to_string(folder.join(format!("captures-{version}.jsonl"))).unwrap();
    let read = |(number, line): (usize, &str)| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        Capture {
            step: format!("{version}, line {}, {}", number + 1, line["step"].as_str().unwrap()),
            expect: line["expect"].take(),
            review: line["review"].take(),
        }
    };
    text.lines().enumerate().map(read).collect()
}

fn all() -> Vec<Capture> {
    CAPTURES.iter().flat_map(|(version, _)| captures(version)).collect()
}

/// Returns the rules and fields that are expected.
fn expected(list: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = list.as_array().unwrap().iter();
    items.map(|it| (text(&it["rule"]), text(&it["field"]))).collect()
}

/// Holds an answer against what is expected: in production, where `production` is set.
#[track_caller]
fn assert_expected(capture: &Capture, answer: &Value, production: bool) {
    let Capture { step, expect, review } = capture;
    let mut denied = expected(&expect["denied"]);
    if production {
        denied.extend(expected(&expect["production"]));
    }
    let allowed = denied.is_empty();
    if !production {
        assert_eq!(expect["allowed"], allowed, "{step}: the expectation contradicts itself");
    }
    let response = &answer["response"];
    assert_eq!(answer["apiVersion"], review["apiVersion"], "{step}");
    assert_eq!(answer["kind"], review["kind"], "{step}");
    assert_eq!(response["uid"], review["request"]["uid"], "{step}");
    assert_eq!(response["allowed"], allowed, "{step}: {answer}");
    let code = if allowed { Value::Null } else { 403.into() };
    assert_eq!(response["status"]["code"], code, "{step}: {answer}");
    assert_eq!(expect["code"] == 200, expect["allowed"] == true, "{step}");
    let given = causes(answer);
    assert_eq!(given.iter().cloned().collect::<BTreeSet<_>>(), denied, "{step}: {answer}");
    assert_eq!(given.len(), denied.len(), "{step}: a finding is told twice: {answer}");
    let warnings = response["warnings"].as_array().map_or(0, Vec::len);
    assert_eq!(warnings, expect["warned"].as_array().unwrap().len(), "{step}: {answer}");
}

#[test]
fn every_capture_is_there() {
    for (version, count) in CAPTURES {
        assert_eq!(captures(version).len(), count, "{version}");
    }
    let uids: BTreeSet<String> =
        all().iter().map(|it| it.review["request"]["uid"].to_string()).collect();
    assert_eq!(uids.len(), all().len(), "a uid stands twice");
}

#[test]
fn every_capture_has_the_expected_answer() {
    let gate = gate();
    for capture in all() {
        assert_expected(&capture, &ask(&gate, &capture.review), false);
    }
}

#[test]
fn every_capture_has_the_expected_answer_in_production() {
    let gate = production();
    for capture in all() {
        let answer = ask(&gate, &capture.review);
        assert_expected(&capture, &answer, true);
        assert_eq!(answer["response"]["auditAnnotations"]["environment"], "production");
    }
}

/// Runs all captures as one text, and holds the answers and their findings against what is expected.
fn run_all(text: &str) {
    let run = review(&["--explain"], text);
    assert_eq!(run.stderr, "");
    assert_eq!(run.code, Some(1), "some are denied");
    let answers = run.answers();
    assert_eq!(answers.len(), all().len());
    for (capture, answer) in all().iter().zip(&answers) {
        assert_expected(capture, answer, false);
        let found = answer["findings"].as_array().unwrap();
        let denied: Vec<&Value> = found.iter().filter(|it| it["enforcement"] == "deny").collect();
        let explained: Vec<(String, String)> = denied
            .iter()
            .map(|it| (it["rule"].as_str().unwrap().to_owned(), field(&it["path"])))
            .collect();
        assert_eq!(explained, causes(answer), "{}", capture.step);
        assert_eq!(answer["failures"], serde_json::json!([]), "{}", capture.step);
    }
}

/// Returns a path of the report as Kubernetes writes it.
fn field(path: &Value) -> String {
    let mut out = String::new();
    for step in path.as_array().unwrap() {
        match (step.as_u64(), step.as_str()) {
            (Some(index), _) => out.push_str(&format!("[{index}]")),
            (None, Some(key)) if out.is_empty() => out.push_str(key),
            (None, Some(key)) => out.push_str(&format!(".{key}")),
            (None, None) => panic!("no step of a path: {step}"),
        }
    }
    out
}

#[test]
fn the_command_answers_captures_that_are_json_lines() {
    let lines: Vec<String> = all().iter().map(|it| it.review.to_string()).collect();
    run_all(&lines.join("\n"));
}

#[test]
fn the_command_answers_captures_that_are_yaml_documents() {
    let documents: Vec<String> = all().iter().map(|it| yaml(&it.review, 0)).collect();
    run_all(&format!("---{}", documents.join("\n---")));
}

/// Writes a value as YAML in block style, as other tools than ours would.
fn yaml(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => fields
            .iter()
            .map(|(key, value)| {
                let key = Value::String(key.clone());
                format!("\n{indent}{key}: {}", yaml(value, depth + 1))
            })
            .collect(),
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("\n{indent}- {}", yaml(item, depth + 1))).collect()
        }
        other => other.to_string(),
    }
}
