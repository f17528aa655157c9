//! Evaluates policies: rules that are written in Rego.
//!
//! A policy says of one review what is wrong with it; everything else (which objects it is asked
//! about, its id, severity and help, where its findings point) is the host's part.

mod bundle;
mod embedded;
mod input;
mod lint;
mod metadata;
mod violation;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use bundle::{Bundle, BundleError};
pub use embedded::modules as built_in_modules;

use self::bundle::Policy;
use self::violation::Violation;
use super::{Check, Context, Results};
use crate::document::{ObjectRef, Part};
use crate::engine::rego::Value;
use crate::finding::{Failure, Finding};
use crate::review::Review;
use crate::rule::{Registry, RuleMeta, Scope};

/// How long one policy may take on one review. Policies take microseconds; this is for those that
/// never end, on a machine that is slow.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Evaluates the policies of a [`Bundle`].
#[derive(Debug)]
pub struct PolicyCheck {
    bundle: Bundle,
    // Positions of the policies of single objects, by the kinds that they name.
    by_kind: BTreeMap<String, Vec<usize>>,
    of_any_kind: Vec<usize>,
}

impl PolicyCheck {
    /// Returns the check of a bundle.
    pub fn new(bundle: Bundle) -> Self {
        let mut by_kind: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut of_any_kind = Vec::new();
        for (position, policy) in bundle.policies.iter().enumerate() {
            // The other scopes are in the registry, and are judged where their input is whole.
            if policy.meta.scope != Scope::Object {
                continue;
            }
            if policy.kinds.is_empty() {
                of_any_kind.push(position);
            }
            for pattern in &policy.kinds {
                let positions = by_kind.entry(pattern.kind.clone()).or_default();
                if !positions.contains(&position) {
                    positions.push(position);
                }
            }
        }
        Self { bundle, by_kind, of_any_kind }
    }

    /// Returns the check of the policies that are built in.
    ///
    /// That they load is a matter for the tests of the program; the errors are there because
    /// nothing panics.
    pub fn built_in() -> Result<Self, Vec<BundleError>> {
        Bundle::lint(built_in_modules()).map(Self::new)
    }

    /// Returns the check of the policies that are built in and of the user's own, each the name of
    /// its file and its text. `others` are the rules that are no policies.
    ///
    /// Errors of the latter name places in these files.
    pub fn with(own: Vec<(String, String)>, others: &Registry) -> Result<Self, Vec<BundleError>> {
        Bundle::extended(built_in_modules(), own, others).map(Self::new)
    }

    /// Returns the policies that are asked about an object, in the order of their ids.
    fn policies_for<'a>(
        &'a self,
        cx: Context<'a>,
        object: &'a ObjectRef,
    ) -> impl Iterator<Item = &'a Policy> {
        let mut positions = self.of_any_kind.clone();
        positions.extend(self.by_kind.get(&*object.kind).into_iter().flatten());
        positions.sort_unstable();
        positions
            .into_iter()
            .filter_map(|position| self.bundle.policies.get(position))
            .filter(move |policy| policy.applies_to(object) && cx.selection.allows(&policy.meta.id))
    }
}

impl Check for PolicyCheck {
    fn rules(&self) -> Vec<RuleMeta> {
        self.bundle.policies.iter().map(|policy| policy.meta.clone()).collect()
    }

    fn prepare(&self) {
        for policy in &self.bundle.policies {
            // The error is told where the rule is asked.
            drop(policy.deny.prepare());
        }
    }

    fn check_object(&self, cx: Context<'_>, review: &Review<'_>, results: &mut Results) {
        let Some(object) = &review.object.object else {
            return;
        };
        let mut policies = self.policies_for(cx, object).peekable();
        // The input is built only where somebody reads it: most objects have no policy.
        if policies.peek().is_none() {
            return;
        }
        let input = input::of(review);
        for policy in policies {
            judge(policy, &input, cx, review, object, results);
        }
    }
}

/// Evaluates one policy. What cannot be evaluated closes the gate.
fn judge(
    policy: &Policy,
    input: &Value,
    cx: Context<'_>,
    review: &Review<'_>,
    object: &ObjectRef,
    results: &mut Results,
) {
    let root = &review.object.root;
    let mut fail = |reason: String| {
        results.failures.push(Failure {
            rule: Some(policy.meta.id.clone()),
            span: Some(root.locate(&[], Part::Key)),
            reason: format!("cannot judge {} `{}`: {reason}", object.kind, object.name),
            help: None,
        });
    };
    let left = cx.deadline.map(|it| it.saturating_duration_since(Instant::now()));
    if left.is_some_and(|left| left.is_zero()) {
        return fail("the time for the answer is over".to_owned());
    }
    let value = match policy.deny.eval_within(input, left.unwrap_or(TIME_LIMIT)) {
        Ok(value) => value,
        Err(error) => {
            let place = error.place().map(|place| format!(" ({place})")).unwrap_or_default();
            return fail(format!("{error}{place}"));
        }
    };
    let Some(values) = value.items() else {
        return fail(format!("`deny` is no set but {}", value.type_name()));
    };
    let violations: Result<Vec<_>, _> = values.iter().map(Violation::read).collect();
    match violations {
        Ok(violations) => results.findings.extend(violations.into_iter().map(|violation| {
            let part = if violation.path.is_empty() { Part::Key } else { Part::Value };
            let span = root.locate(&violation.path, part);
            let mut finding = Finding::new(&policy.meta, span, violation.message)
                .with_object(Some(object.clone()))
                .with_path(violation.path);
            finding.help = violation.help;
            finding.severity = violation.severity.unwrap_or(policy.meta.severity);
            finding
        })),
        Err(reason) => fail(format!("a violation {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Entry, Node, NodeKind};
    use crate::environment::KubernetesVersion;
    use crate::review::Operation;
    use crate::rule::Selection;
    use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

    fn policy(scope: &str, body: &str) -> PolicyCheck {
        let text = format!(
            "# METADATA\n# title: T\n# description: D\n# custom:\n#   severity: low\n#   since: \
             0.1.0\n#   help: H\n#   scope: {scope}\npackage tidewaiter.a.b\n\n{body}\n"
        );
        PolicyCheck::new(Bundle::load([("a/b/policy.rego", text)]).unwrap())
    }

    fn check(check: &PolicyCheck, skip: &[&str]) -> Results {
        let mut sources = SourceMap::default();
        let path = RepoPath::new("a.yaml");
        let id = sources.add(Source::new(path, Origin::File, b"kind: Pod".to_vec()));
        let span = Span::new(id, 0, 4);
        let entry = |key: &str, value: &str| Entry {
            key: key.into(),
            key_span: span,
            value: Node::string(value, span),
        };
        let entries = vec![entry("kind", "Pod"), entry("apiVersion", "v1"), entry("x", "hunter2")];
        let object = Document::new(Node { span, kind: NodeKind::Mapping(entries) });
        let mut registry = Registry::default();
        for meta in check.rules() {
            registry.add(meta).unwrap();
        }
        let skip = skip.iter().map(ToString::to_string).collect();
        let selection = Selection::new(&registry, Vec::new(), skip).unwrap();
        let kubernetes = KubernetesVersion { major: 1, minor: 37 };
        let cx = Context { sources: &sources, kubernetes, selection: &selection, deadline: None };
        let review = Review {
            operation: Operation::Create,
            object: &object,
            old_object: None,
            apply: crate::review::Apply::Client,
            dry_run: false,
            environment: None,
            provenance: None,
            asked: None,
        };
        let mut results = Results::default();
        check.check_object(cx, &review, &mut results);
        results
    }

    fn failure(body: &str) -> String {
        let results = check(&policy("object", body), &[]);
        assert_eq!(results.findings, []);
        let [failure] = results.failures.as_slice() else { panic!("{results:?}") };
        assert_eq!(failure.rule.as_ref().unwrap().as_str(), "a/b");
        failure.reason.clone()
    }

    const FINDING: &str = "deny contains {\"msg\": \"wrong\"} if input.object.kind == \"Pod\"";

    #[test]
    fn a_violation_becomes_a_finding() {
        let results = check(&policy("object", FINDING), &[]);
        assert_eq!(results.findings.len(), 1);
        assert_eq!(results.findings[0].message, "wrong");
        assert_eq!(results.failures, []);
    }

    #[test]
    fn a_rule_that_is_not_wanted_is_not_evaluated() {
        assert_eq!(check(&policy("object", FINDING), &["a/b"]).findings, []);
    }

    #[test]
    fn a_rule_of_another_scope_is_listed_and_not_evaluated() {
        for scope in ["environment", "change"] {
            let policy = policy(scope, FINDING);
            assert_eq!(policy.rules().len(), 1);
            assert_eq!(check(&policy, &[]).findings, []);
        }
    }

    #[test]
    fn a_rule_that_breaks_is_a_failure_and_shows_no_value() {
        let reason = failure("deny contains {\"msg\": \"m\"} if sum(input.object.x) > 0");
        assert_eq!(
            reason,
            "cannot judge Pod ``: `sum` requires array/set argument (a/b/policy.rego:11:47)"
        );
    }

    #[test]
    fn a_violation_of_the_wrong_shape_is_a_failure() {
        let reason = failure("deny contains {\"msgs\": input.object.x}");
        assert_eq!(reason, "cannot judge Pod ``: a violation has the unknown key `msgs`");
        let reason = failure("deny contains input.object.x");
        assert_eq!(reason, "cannot judge Pod ``: a violation is no object but string");
    }
}
