//! Asks all checks about an object, and lets one of them say what two have found.

use std::collections::BTreeSet;

use super::{Check, Context, Results};
use crate::document::{FieldPath, Node, Step};
use crate::finding::Finding;
use crate::review::{Apply, Review};
use crate::rule::Severity;

/// Judges an object by all checks.
///
/// What the schema and the server's own validation both refuse is said once, in the words of
/// validation, which knows more.
pub fn judge_object(checks: &[Box<dyn Check>], cx: Context<'_>, review: &Review<'_>) -> Results {
    let mut results = Results::default();
    for check in checks {
        check.check_object(cx, review, &mut results);
    }
    settle(&mut results.findings);
    if review.apply == Apply::ServerSide
        && let Some(old) = review.old_object
    {
        let (old, new) = (&old.root, &review.object.root);
        results.findings.retain(|it| !lacks_what_is_dropped(it, old, new));
    }
    results
}

/// Objects into which the server fills nothing in.
const UNFILLED: [&str; 2] = ["appArmorProfile", "seccompProfile"];

/// Says whether a finding misses a field of an empty object that server-side apply drops.
///
/// Who applied the fields of an object and now applies it empty gives them up, and with the last
/// of them the object goes (`structured-merge-diff`). Where the server had filled something in, the
/// object stays for that.
fn lacks_what_is_dropped(finding: &Finding, old: &Node, new: &Node) -> bool {
    let is_missing = ["schema/missing-field", "api/missing-field"].contains(&finding.rule.as_str());
    let Some((_, object)) = finding.path.split_last().filter(|_| is_missing) else { return false };
    let entries = |root: &Node| match root.descend(object) {
        (node, depth) if depth == object.len() && node.is_mapping() => Some(node.entries().len()),
        _ => None,
    };
    let is_unfilled = matches!(object.last(), Some(Step::Key(key)) if UNFILLED.contains(&&**key));
    is_unfilled && entries(new) == Some(0) && entries(old).is_some_and(|it| it > 0)
}

/// Leaves out what the schema says of fields of which validation says the same or more.
///
/// The findings are those of one object.
fn settle(findings: &mut Vec<Finding>) {
    let paths = |at_least: Severity| -> BTreeSet<FieldPath> {
        let said = findings.iter().filter(|it| it.rule.category() == "api");
        said.filter(|it| it.severity >= at_least).map(|it| it.path.clone()).collect()
    };
    let (refused, warned) = (paths(Severity::High), paths(Severity::Low));
    if warned.is_empty() {
        return;
    }
    findings.retain(|it| {
        let said = match it.rule.as_str() {
            "schema/missing-field" | "schema/invalid-value" | "schema/duplicate-item" => &refused,
            "schema/repeated-item" => &warned,
            _ => return true,
        };
        !is_said(said, &it.path)
    });
}

/// Says whether one of the paths is this one, or lies below it, or is where it hangs.
///
/// The server reads a missing object as an empty one and names what that lacks; a value that a
/// field does not take, it sometimes tells of the object around.
fn is_said(paths: &BTreeSet<FieldPath>, path: &FieldPath) -> bool {
    let mut parent = path.clone();
    let is_of_parent = parent.pop().is_some() && !parent.is_empty() && paths.contains(&parent);
    // Paths are ordered by their steps, so those below follow directly.
    is_of_parent || paths.range(path..).next().is_some_and(|it| it.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Dialect, Limits, parse};
    use crate::rule::{Doors, Enforcement, RuleId, RuleMeta, Scope};
    use crate::source::{Origin, RepoPath, Source, SourceMap};

    fn finding(rule: &'static str, severity: Severity, path: FieldPath) -> Finding {
        let mut sources = SourceMap::default();
        let source = Source::new(RepoPath::new("a.yaml"), Origin::File, Vec::new());
        let span = crate::source::Span::new(sources.add(source), 0, 0);
        let meta = RuleMeta {
            id: RuleId::known(rule),
            title: "".into(),
            description: "".into(),
            help: "".into(),
            severity,
            enforcement: Enforcement::Deny,
            scope: Scope::Object,
            doors: Doors::Both,
            minors: crate::rule::Minors::ALL,
            since: "0.1.0".into(),
            references: Vec::new(),
        };
        Finding::new(&meta, span, "").with_path(path)
    }

    fn kept(schema: (&'static str, &[&'static str]), api: &[(Severity, &[&'static str])]) -> bool {
        let path =
            |keys: &[&'static str]| keys.iter().fold(FieldPath::root(), |path, key| path.key(*key));
        let mut findings = vec![finding(schema.0, Severity::High, path(schema.1))];
        for (severity, keys) in api {
            findings.push(finding("api/anything", *severity, path(keys)));
        }
        let others = findings.len() - 1;
        settle(&mut findings);
        findings.len() > others
    }

    #[test]
    fn validation_has_the_word_about_what_is_missing() {
        let missing = ("schema/missing-field", &["spec", "template"][..]);
        for path in [&["spec", "template"][..], &["spec", "template", "spec"], &["spec"]] {
            assert!(!kept(missing, &[(Severity::High, path)]), "{path:?}");
        }
        for path in [&["spec", "templates"][..], &["spec", "selector"], &["metadata"], &[]] {
            assert!(kept(missing, &[(Severity::High, path)]), "{path:?}");
        }
        assert!(kept(missing, &[]));
    }

    #[test]
    fn an_object_that_server_side_apply_drops_lacks_nothing() {
        let mut sources = SourceMap::default();
        let mut read = |text: &str| {
            let source = Source::new(RepoPath::new("a.yaml"), Origin::File, text.into());
            let id = sources.add(source);
            let parsed = parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
            parsed.documents.into_iter().next().unwrap().root
        };
        let full = read("spec: {seccompProfile: {type: RuntimeDefault}}");
        let empty = read("spec: {seccompProfile: {}}");
        let path = FieldPath::from(["spec", "seccompProfile", "type"]);
        let missing = |rule| finding(rule, Severity::High, path.clone());
        assert!(lacks_what_is_dropped(&missing("api/missing-field"), &full, &empty));
        assert!(!lacks_what_is_dropped(&missing("api/missing-field"), &empty, &empty));
        assert!(!lacks_what_is_dropped(&missing("api/invalid-value"), &full, &empty));
    }

    #[test]
    fn a_warning_does_not_stand_for_a_refusal() {
        let path = &["spec", "ports"][..];
        assert!(kept(("schema/duplicate-item", path), &[(Severity::Low, path)]));
        assert!(!kept(("schema/duplicate-item", path), &[(Severity::High, path)]));
        assert!(!kept(("schema/repeated-item", path), &[(Severity::Low, path)]));
        assert!(kept(("schema/wrong-type", path), &[(Severity::High, path)]));
    }
}
