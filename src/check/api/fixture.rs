//! What the tests of validators share: they judge manifests as texts.

use std::sync::Arc;

use super::ApiCheck;
use crate::check::schema::BuiltinKinds;
use crate::check::{Check as _, Context, Results};
use crate::document::Document;
use crate::environment::KubernetesVersion;
use crate::load::{Dialect, Limits, parse};
use crate::review::{Apply, Operation, Review};
use crate::rule::Selection;
use crate::source::{Origin, RepoPath, Source, SourceMap};

/// What a finding says: rule, message, path and the underlined text.
pub(super) type Said = (String, String, String, String);

/// The minor version in which tests judge when they name none.
const MINOR: u32 = 37;

fn document(sources: &mut SourceMap, name: &str, text: &str) -> Document {
    let path = RepoPath::new(name);
    let id = sources.add(Source::new(path, Origin::File, text.as_bytes().to_vec()));
    let mut parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.documents.len(), 1, "one document");
    parsed.documents.remove(0)
}

fn judged(minor: u32, old: Option<&str>, text: &str) -> Vec<Said> {
    let mut sources = SourceMap::default();
    let object = document(&mut sources, "new.yaml", text);
    let old = old.map(|old| document(&mut sources, "old.yaml", old));
    let selection = Selection::default();
    let cx = Context {
        sources: &sources,
        kubernetes: KubernetesVersion { major: 1, minor },
        selection: &selection,
        deadline: None,
    };
    let review = Review {
        operation: if old.is_some() { Operation::Update } else { Operation::Create },
        object: &object,
        old_object: old.as_ref(),
        apply: Apply::Client,
        dry_run: false,
        environment: None,
        provenance: None,
        asked: None,
    };
    let mut results = Results::default();
    ApiCheck::new(Arc::new(BuiltinKinds)).check_object(cx, &review, &mut results);
    assert_eq!(results.failures, []);
    let said = |it: crate::finding::Finding| {
        let underlined = sources.text(it.primary.span).to_owned();
        (it.rule.to_string(), it.message, it.path.to_string(), underlined)
    };
    results.findings.into_iter().map(said).collect()
}

/// Returns what is found in a manifest, by a minor version.
pub(super) fn findings(minor: u32, text: &str) -> Vec<Said> {
    judged(minor, None, text)
}

/// Asserts that nothing is found.
#[track_caller]
pub(super) fn assert_clean(text: &str) {
    assert_eq!(findings(MINOR, text), []);
}

/// Asserts that a manifest has exactly one defect, and which.
#[track_caller]
pub(super) fn assert_one(text: &str, rule: &str, message: &str, path: &str, under: &str) {
    let expected = (rule.into(), message.into(), path.into(), under.into());
    assert_eq!(findings(MINOR, text), [expected]);
}

/// Asserts which fields are refused, in the order in which they are found.
#[track_caller]
pub(super) fn assert_refused(text: &str, fields: &[&str]) {
    let found = findings(MINOR, text);
    let paths: Vec<&str> = found.iter().map(|it| it.2.as_str()).collect();
    assert_eq!(paths, fields, "{found:#?}");
}

/// Asserts which fields of an update are refused.
#[track_caller]
pub(super) fn assert_update(old: &str, new: &str, fields: &[&str]) {
    let found = judged(MINOR, Some(old), new);
    let paths: Vec<&str> = found.iter().map(|it| it.2.as_str()).collect();
    assert_eq!(paths, fields, "{found:#?}");
}

/// Returns a pod with a container and these other fields of its spec, in flow style.
pub(super) fn pod(fields: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n\
         spec: {{containers: [{{name: c, image: i}}], {fields}}}\n"
    )
}

/// Returns a pod whose container has these other fields, in flow style.
pub(super) fn container(fields: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n\
         spec: {{containers: [{{name: c, image: i, {fields}}}]}}\n"
    )
}

/// Asserts of each of several fields of a pod's spec what is refused, without the leading `spec.`.
#[track_caller]
pub(super) fn assert_pods(cases: &[(&str, &[&str])]) {
    assert_each(pod, "spec.", cases);
}

/// Asserts of each of several fields of a container what is refused, without the path of the
/// container.
#[track_caller]
pub(super) fn assert_containers(cases: &[(&str, &[&str])]) {
    assert_each(container, "spec.containers[0].", cases);
}

#[track_caller]
fn assert_each(object: fn(&str) -> String, prefix: &str, cases: &[(&str, &[&str])]) {
    for (fields, refused) in cases {
        let found = findings(MINOR, &object(fields));
        let paths: Vec<&str> =
            found.iter().map(|it| it.2.strip_prefix(prefix).unwrap_or(&it.2)).collect();
        assert_eq!(paths, *refused, "{fields}: {found:#?}");
    }
}
