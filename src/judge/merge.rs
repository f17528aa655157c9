//! Many findings of one defect to one.
//!
//! A base that five overlays use is judged five times and has one defect.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::rule::RuleId;
use crate::source::Span;

/// The structural rule, which every named format of a credential is more specific than.
const PLAINTEXT: RuleId = RuleId::known("secrets/plaintext-secret");

/// Returns each defect once, with every environment that it reaches.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    type Key = (RuleId, Span, String, Option<(String, String)>);
    let mut merged: BTreeMap<Key, Finding> = BTreeMap::new();
    for finding in findings {
        // The namespace differs between overlays of one base, and the defect does not. The path
        // differs where an overlay moved the list item, and the place does not.
        let object = finding.object.as_ref();
        let key = (
            finding.rule.clone(),
            finding.primary.span,
            finding.message.clone(),
            object.map(|object| (object.kind.to_string(), object.name.to_string())),
        );
        match merged.get_mut(&key) {
            Some(known) => absorb(known, finding),
            None => {
                merged.insert(key, finding);
            }
        }
    }
    more_specific_secrets(merged.into_values().collect())
}

fn absorb(known: &mut Finding, other: Finding) {
    known.environments.extend(other.environments);
    // The order of evaluation must not show: the least object and path stand for all.
    if (&other.object, &other.path) < (&known.object, &known.path) {
        known.object = other.object;
        known.path = other.path;
    }
    known.severity = known.severity.max(other.severity);
    for label in other.related {
        if !known.related.contains(&label) {
            known.related.push(label);
        }
    }
    known.related.sort();
}

/// Of two findings of credentials on one value, keeps the more specific one.
fn more_specific_secrets(findings: Vec<Finding>) -> Vec<Finding> {
    let is_secret = |finding: &Finding| finding.rule.category() == "secrets";
    let mut secrets: Vec<Finding> = Vec::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if is_secret(&finding) { secrets.push(finding) } else { kept.push(finding) }
    }
    // By place; of those that start together the narrowest last, so that it is met while the
    // wider ones are still open.
    secrets.sort_by_key(|it| {
        (it.primary.span.source, it.primary.span.start, std::cmp::Reverse(it.primary.span.end))
    });
    let mut open: Vec<Finding> = Vec::new();
    for mut finding in secrets {
        let span = finding.primary.span;
        let (still, closed): (Vec<_>, Vec<_>) = open.into_iter().partition(|it| {
            it.primary.span.source == span.source && it.primary.span.end > span.start
        });
        kept.extend(closed);
        open = Vec::with_capacity(still.len() + 1);
        let mut swallowed = false;
        for mut other in still {
            if other.rule == PLAINTEXT && finding.rule != PLAINTEXT {
                // The format's finding inherits what the structural one knew of the object.
                inherit(&mut finding, other);
            } else if finding.rule == PLAINTEXT || other.rule == finding.rule {
                inherit(&mut other, finding.clone());
                swallowed = true;
                open.push(other);
            } else {
                open.push(other);
            }
        }
        if !swallowed {
            open.push(finding);
        }
    }
    kept.extend(open);
    kept
}

fn inherit(finding: &mut Finding, from: Finding) {
    finding.environments.extend(from.environments);
    if finding.object.is_none() {
        finding.object = from.object;
        finding.path = from.path;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::FieldPath;
    use crate::rule::{Doors, Enforcement, RuleMeta, Scope, Severity};
    use crate::source::{Origin, RepoPath, Source, SourceMap};

    fn meta(id: &str) -> RuleMeta {
        RuleMeta {
            id: id.parse().unwrap(),
            title: "t".into(),
            description: "d".into(),
            help: "h".into(),
            severity: Severity::High,
            enforcement: Enforcement::Deny,
            scope: Scope::Object,
            doors: Doors::Both,
            since: "0.1.0".into(),
            references: Vec::new(),
        }
    }

    fn span(start: u32, end: u32) -> Span {
        let mut sources = SourceMap::default();
        let id = sources.add(Source::new(RepoPath::new("a"), Origin::File, Vec::new()));
        Span::new(id, start, end)
    }

    fn in_environment(mut finding: Finding, name: &str) -> Finding {
        finding.environments.insert(name.into());
        finding
    }

    #[test]
    fn a_defect_of_a_base_is_one_finding_of_all_environments() {
        let rule = meta("rbac/wildcard-verb");
        let finding = Finding::new(&rule, span(3, 6), "the role grants every verb");
        let merged = merge(vec![
            in_environment(finding.clone(), "prod"),
            Finding::new(&rule, span(9, 12), "the role grants every verb"),
            in_environment(finding, "dev"),
        ]);
        assert_eq!(merged.len(), 2);
        let names: Vec<_> = merged[0].environments.iter().map(|name| &**name).collect();
        assert_eq!(names, ["dev", "prod"]);
    }

    #[test]
    fn a_named_format_wins_over_the_structural_rule() {
        let plaintext = Finding::new(&meta("secrets/plaintext-secret"), span(10, 50), "readable")
            .with_path(FieldPath::from(["stringData", "token"]));
        let token = Finding::new(&meta("secrets/github-pat"), span(12, 52), "a token");
        let elsewhere = Finding::new(&meta("secrets/plaintext-secret"), span(60, 70), "readable");
        let merged = merge(vec![in_environment(plaintext, "prod"), token, elsewhere]);
        let rules: Vec<_> = merged.iter().map(|it| it.rule.as_str()).collect();
        assert_eq!(rules, ["secrets/github-pat", "secrets/plaintext-secret"]);
        assert_eq!(merged[0].environments.len(), 1);
    }

    #[test]
    fn one_token_found_twice_is_reported_once() {
        let rule = meta("secrets/github-pat");
        let merged = merge(vec![
            Finding::new(&rule, span(10, 50), "a token"),
            Finding::new(&rule, span(12, 50), "a token, in base64"),
        ]);
        assert_eq!(merged.len(), 1);
    }
}
