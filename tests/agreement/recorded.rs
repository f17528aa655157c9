//! What a real API server said of the variants, as it was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::cases::{Case, Question};
use super::variants::Variant;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/recorded.tsv")
}

/// Returns the variants that have a verdict, as cases.
pub(crate) fn read(variants: Vec<Variant>) -> Vec<Case> {
    let text = fs::read_to_string(path()).unwrap();
    let mut verdicts: BTreeMap<&str, (u64, Vec<String>)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.split('\t');
            let (name, code) = (parts.next().unwrap(), parts.next().unwrap());
            (name, (code.parse().unwrap(), parts.map(str::to_owned).collect()))
        })
        .collect();
    let cases: Vec<Case> = variants
        .into_iter()
        .filter_map(|variant| {
            let (code, fields) = verdicts.remove(variant.name.as_str())?;
            Some(case(variant, code, fields))
        })
        .collect();
    let left: Vec<&str> = verdicts.into_keys().collect();
    assert_eq!(left, [""; 0], "recorded.tsv has verdicts of what is no variant: record again");
    cases
}

fn case(variant: Variant, code: u64, fields: Vec<String>) -> Case {
    Case {
        id: format!("r:{}", variant.name),
        mutation: String::new(),
        question: Question::Object(variant.object),
        accepted: code < 300,
        code,
        message: String::new(),
        fields,
    }
}

/// Writes down what a server of this version said.
pub(crate) fn write(version: &str, cases: &[Case]) {
    let mut text = format!(
        "# What kube-apiserver {version} says of the variants: name, HTTP status, the fields it names.\n\
         # Written by `RECORD=1 tests/agreement/run`; not edited by hand.\n"
    );
    for case in cases {
        let name = case.id.trim_start_matches("r:");
        text.push_str(
            &[&[name.to_owned(), case.code.to_string()], &*case.fields].concat().join("\t"),
        );
        text.push('\n');
    }
    fs::write(path(), text).unwrap();
}
