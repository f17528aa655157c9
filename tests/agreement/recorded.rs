//! What a real API server said of the variants, as it was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tidewaiter::environment::KubernetesVersion;

use super::cases::{Case, Question};
use super::variants::Variant;

/// Returns the file of a minor version.
fn path(kubernetes: KubernetesVersion) -> PathBuf {
    folder().join(format!("{kubernetes}.tsv"))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/recorded")
}

/// Returns the versions whose verdicts were recorded, the oldest first.
pub(crate) fn versions() -> Vec<KubernetesVersion> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut versions: Vec<KubernetesVersion> = entries
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().parse().unwrap())
        .collect();
    versions.sort();
    versions
}

/// Returns the variants that have a verdict, as cases.
pub(crate) fn read(kubernetes: KubernetesVersion, variants: Vec<Variant>) -> Vec<Case> {
    let text = fs::read_to_string(path(kubernetes)).unwrap();
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
    assert_eq!(left, [""; 0], "{kubernetes}.tsv has verdicts of what is no variant: record again");
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
    let kubernetes = version.parse().unwrap();
    fs::write(path(kubernetes), text).unwrap();
}
