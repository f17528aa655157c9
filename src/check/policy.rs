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
use std::time::Duration;

pub use bundle::{Bundle, BundleError};
pub use embedded::modules as built_in_modules;

use self::bundle::Policy;
use self::violation::Violation;
use super::{Check, Context, Results};
use crate::document::{ObjectRef, Part};
use crate::engine::rego::Value;
use crate::finding::{Failure, Finding};
use crate::review::Review;
use crate::rule::{RuleMeta, Scope};

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
        Bundle::load(built_in_modules()).map(Self::new)
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
            judge(policy, &input, review, object, results);
        }
    }
}

/// Evaluates one policy. What cannot be evaluated closes the gate.
fn judge(
    policy: &Policy,
    input: &Value,
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
    let value = match policy.deny.eval(input) {
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
