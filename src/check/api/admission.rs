//! Admission registration: webhook configurations and admission policies.

mod policies;
mod resources;
mod webhooks;

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::expression::{self, Names, Wanted};
use super::field::Field;
use super::rule::Rule;
use super::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use crate::naming;
use crate::rule::Minors;

const GROUP: &str = "admissionregistration.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        name: "ValidatingWebhookConfiguration",
        validate: webhooks::validate,
        update: None,
    },
    Kind {
        group: GROUP,
        name: "MutatingWebhookConfiguration",
        validate: webhooks::validate,
        update: None,
    },
    Kind {
        group: GROUP,
        name: "ValidatingAdmissionPolicy",
        validate: policies::validating,
        update: None,
    },
    Kind {
        group: GROUP,
        name: "ValidatingAdmissionPolicyBinding",
        validate: policies::validating_binding,
        update: None,
    },
    Kind {
        group: GROUP,
        name: "MutatingAdmissionPolicy",
        validate: policies::mutating,
        update: None,
    },
    Kind {
        group: GROUP,
        name: "MutatingAdmissionPolicyBinding",
        validate: policies::mutating_binding,
        update: None,
    },
];

pub(super) const RULES: &[&Rule] =
    &[&CONDITION, &resources::RESOURCES, &webhooks::WEBHOOK, &policies::POLICY, &policies::BINDING];

const CONDITION: Rule = Rule::new(
    "api/invalid-match-condition",
    "Match condition without a name or an expression",
    "Each of at most 64 match conditions has a name of its own, in the form of a key of a label, \
     and an expression.",
    "name the condition, and write its expression",
    &["validateMatchConditions", "validateMatchCondition"],
)
.in_minors(Minors::since(CONDITIONS_SINCE));

/// The first minor in which match conditions are not dropped.
const CONDITIONS_SINCE: u32 = 28;

const FAILURE_POLICIES: [&str; 2] = ["Fail", "Ignore"];
const MATCH_POLICIES: [&str; 2] = ["Equivalent", "Exact"];
const REINVOCATION_POLICIES: [&str; 2] = ["IfNeeded", "Never"];

/// Looks at a value of a few that the server sets where it is missing.
fn one_of<'a>(cx: &mut Cx<'a>, field: Field<'a>, values: &[&str]) {
    if field.exists() && !values.contains(&field.text()) {
        cx.not_supported(&UNSUPPORTED, field, values);
    }
}

/// The most match conditions.
const MAX_CONDITIONS: usize = 64;

/// Looks at match conditions (`validateMatchConditions`).
fn check_conditions<'a>(
    cx: &mut Cx<'a>,
    conditions: Field<'a>,
    old: Option<Field<'a>>,
    has_params: bool,
) {
    if conditions.len() > MAX_CONDITIONS {
        cx.too_long(&CONDITION, conditions, MAX_CONDITIONS, "items");
    }
    let mut names = BTreeSet::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.get("name"), condition.get("expression"));
        if expression.text().trim().is_empty() {
            cx.required(&CONDITION, expression, "");
        } else if cx.minor >= CONDITIONS_SINCE {
            let is_stored = old.is_some_and(|it| {
                it.items().any(|it| it.get("expression").text() == expression.text())
            });
            let names = Names { params: has_params, authorizer: true, patches: false };
            let environment = expression::at_admission(cx.minor, is_stored, names);
            expression::check(cx, expression, &environment, Wanted::Bool);
        }
        if name.is_empty() {
            cx.required(&CONDITION, name, "");
        } else if let Some(wrong) = naming::qualified_name(name.text()) {
            cx.invalid(&CONDITION, name, wrong);
        }
        if !name.is_empty() && !names.insert(name.text()) {
            cx.duplicate(&DUPLICATE, name);
        }
    }
}

/// Wants a text that is not blank.
fn required<'a>(cx: &mut Cx<'a>, field: Field<'a>) -> bool {
    let is_there = !field.text().trim().is_empty();
    if !is_there {
        cx.required(&MISSING, field, "");
    }
    is_there
}

#[cfg(test)]
mod tests;
