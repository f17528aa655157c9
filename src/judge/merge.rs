//! Many findings of one defect to one.
//!
//! A base that five overlays use is judged five times and has one defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::document::{FieldPath, ObjectRef};
use crate::finding::Finding;
use crate::rule::RuleId;
use crate::source::Span;

/// The structural rule, which every named format of a credential is more specific than.
const PLAINTEXT: RuleId = RuleId::known("secrets/plaintext-secret");

/// One defect, and every object that shows it.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    /// The defect, with every environment that it reaches. The least object stands for all.
    pub(super) finding: Finding,
    /// What was seen of it, and where: overlays may name the namespace that the base does not.
    pub(super) sightings: BTreeSet<Sighting>,
}

/// An object that shows a defect in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sighting {
    pub(super) environment: Option<Arc<str>>,
    pub(super) object: Option<ObjectRef>,
    pub(super) path: FieldPath,
}

impl From<Finding> for Merged {
    fn from(finding: Finding) -> Self {
        let sighting = |environment| Sighting {
            environment,
            object: finding.object.clone(),
            path: finding.path.clone(),
        };
        let sightings = if finding.environments.is_empty() {
            BTreeSet::from([sighting(None)])
        } else {
            finding.environments.iter().map(|name| sighting(Some(Arc::clone(name)))).collect()
        };
        Self { finding, sightings }
    }
}

/// Returns each defect once, with every environment that it reaches.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Merged> {
    type Key = (RuleId, Span, String, Option<(String, String)>);
    let mut merged: BTreeMap<Key, Merged> = BTreeMap::new();
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
            Some(known) => absorb(known, Merged::from(finding)),
            None => {
                merged.insert(key, Merged::from(finding));
            }
        }
    }
    more_specific_secrets(merged.into_values().collect())
}

fn absorb(known: &mut Merged, other: Merged) {
    known.sightings.extend(other.sightings);
    let (known, other) = (&mut known.finding, other.finding);
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
fn more_specific_secrets(findings: Vec<Merged>) -> Vec<Merged> {
    let is_secret = |merged: &Merged| merged.finding.rule.category() == "secrets";
    let mut secrets: Vec<Merged> = Vec::new();
    let mut kept: Vec<Merged> = Vec::new();
    for merged in findings {
        if is_secret(&merged) { secrets.push(merged) } else { kept.push(merged) }
    }
    // By place; of those that start together the narrowest last, so that it is met while the
    // wider ones are still open.
    secrets.sort_by_key(|it| {
        let span = it.finding.primary.span;
        (span.source, span.start, std::cmp::Reverse(span.end))
    });
    let mut open: Vec<Merged> = Vec::new();
    for mut merged in secrets {
        let span = merged.finding.primary.span;
        let (still, closed): (Vec<_>, Vec<_>) = open.into_iter().partition(|it| {
            let other = it.finding.primary.span;
            other.source == span.source && other.end > span.start
        });
        kept.extend(closed);
        open = Vec::with_capacity(still.len() + 1);
        let mut swallowed = false;
        for mut other in still {
            let (rule, known) = (&merged.finding.rule, &other.finding.rule);
            if *known == PLAINTEXT && *rule != PLAINTEXT {
                // The format's finding inherits what the structural one knew of the object.
                inherit(&mut merged, other);
            } else if *rule == PLAINTEXT || known == rule {
                inherit(&mut other, merged.clone());
                swallowed = true;
                open.push(other);
            } else {
                open.push(other);
            }
        }
        if !swallowed {
            open.push(merged);
        }
    }
    kept.extend(open);
    kept
}

fn inherit(merged: &mut Merged, from: Merged) {
    // Sightings follow what is shown: those of the finding that stays, and in environments that it
    // does not know those of the other.
    let is_named = merged.finding.object.is_some();
    let known: BTreeSet<_> = merged.sightings.iter().map(|it| it.environment.clone()).collect();
    if is_named {
        let others = from.sightings.into_iter().filter(|it| !known.contains(&it.environment));
        merged.sightings.extend(others);
    } else {
        let given: BTreeSet<_> = from.sightings.iter().map(|it| it.environment.clone()).collect();
        merged.sightings.retain(|it| !given.contains(&it.environment));
        merged.sightings.extend(from.sightings);
    }
    let (finding, from) = (&mut merged.finding, from.finding);
    finding.environments.extend(from.environments);
    if !is_named {
        finding.object = from.object;
        finding.path = from.path;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::fixture as meta;
    use crate::source::{Origin, RepoPath, Source, SourceMap};

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
        let names: Vec<_> = merged[0].finding.environments.iter().map(|name| &**name).collect();
        assert_eq!(names, ["dev", "prod"]);
    }

    #[test]
    fn a_named_format_wins_over_the_structural_rule() {
        let plaintext = Finding::new(&meta("secrets/plaintext-secret"), span(10, 50), "readable")
            .with_path(FieldPath::from(["stringData", "token"]));
        let token = Finding::new(&meta("secrets/github-pat"), span(12, 52), "a token");
        let elsewhere = Finding::new(&meta("secrets/plaintext-secret"), span(60, 70), "readable");
        let merged = merge(vec![in_environment(plaintext, "prod"), token, elsewhere]);
        let rules: Vec<_> = merged.iter().map(|it| it.finding.rule.as_str()).collect();
        assert_eq!(rules, ["secrets/github-pat", "secrets/plaintext-secret"]);
        assert_eq!(merged[0].finding.environments.len(), 1);
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
