//! What users of the action rely on.

use std::collections::BTreeMap;
use std::fs;

use crate::runner::{action, root};

/// Returns the first two cells of each row of the table below a heading.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/action.md")).unwrap();
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name.to_owned(), rest.split(" | ").next()?.to_owned()))
    });
    rows.collect()
}

#[test]
fn the_document_has_the_inputs_with_their_defaults() {
    let action = action();
    let inputs: BTreeMap<String, String> = action["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, input)| {
            let default = input["default"].as_str().expect("defaults are strings");
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            (name.clone(), default)
        })
        .collect();
    assert_eq!(rows("Inputs"), inputs);
}

#[test]
fn the_document_has_the_outputs() {
    let action = action();
    let outputs: Vec<&String> = action["outputs"].as_object().unwrap().keys().collect();
    let rows = rows("Outputs");
    assert_eq!(
        rows.keys().collect::<std::collections::BTreeSet<_>>(),
        outputs.into_iter().collect()
    );
}

#[test]
fn expressions_stand_in_the_environment_only() {
    let action = action();
    for step in action["runs"]["steps"].as_array().unwrap() {
        for (key, value) in step.as_object().unwrap() {
            assert!(key == "env" || !value.to_string().contains("${{"), "{key}: {value}");
        }
    }
}

#[test]
fn workflows_use_nothing_that_can_be_moved() {
    for name in ["ci.yml", "release.yml"] {
        let text = fs::read_to_string(root().join(".github/workflows").join(name)).unwrap();
        for line in text.lines().filter(|it| it.contains("uses:") && !it.contains("uses: ./")) {
            let (_, pin) = line.split_once('@').unwrap();
            let (commit, comment) = pin.split_at(40);
            assert!(commit.chars().all(|c| c.is_ascii_hexdigit()), "{name}: {line}");
            assert!(comment.starts_with(" # v"), "{name}: {line}");
        }
    }
}
