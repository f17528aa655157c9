//! `PodDisruptionBudgets`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::selector;
use crate::check::api::shared::UNSUPPORTED;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "policy", name: "PodDisruptionBudget", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&BUDGET];

const BUDGET: Rule = Rule::new(
    "api/invalid-disruption-budget",
    "Budget that says two things, or an impossible one",
    "A budget says how many pods have to stay or how many may be missing, not both: a number that \
     is not negative, or a percentage of at most 100.",
    "write `minAvailable` or `maxUnavailable`",
    &["ValidatePodDisruptionBudgetSpec"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let bounds = [spec.get("minAvailable"), spec.get("maxUnavailable")];
    if let [least, most] = bounds
        && least.exists()
        && most.exists()
    {
        cx.forbidden(&BUDGET, most, "beside `minAvailable`");
        cx.named(spec);
    }
    for bound in bounds {
        check_bound(cx, bound);
    }
    let old = cx.old.map(|it| it.at(&["spec", "selector"]));
    let keeps = old.is_some_and(selector::has_invalid_value);
    selector::check_leniently(cx, spec.get("selector"), keeps);
    let policy = spec.get("unhealthyPodEvictionPolicy");
    if policy.text().is_empty() && policy.exists() && cx.minor >= 27 {
        cx.not_supported(&UNSUPPORTED, policy, &["AlwaysAllow", "IfHealthyBudget"]);
    }
}

/// Checks a number that is not negative, or a percentage of at most 100.
fn check_bound<'a>(cx: &mut Cx<'a>, bound: Field<'a>) {
    if bound.int().is_some_and(|it| it < 0) {
        cx.invalid(&BUDGET, bound, "must not be negative");
    }
    let Some(text) = bound.str() else { return };
    let digits = text.strip_suffix('%').unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        cx.invalid(&BUDGET, bound, "must be a number, or a percentage such as `50%`");
    } else if digits.parse::<u64>().is_ok_and(|it| it > 100) {
        cx.invalid(&BUDGET, bound, "must be at most 100%");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused};

    #[test]
    fn a_budget_says_one_thing() {
        let budget = |spec: &str| {
            format!(
                "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
            )
        };
        assert_clean(&budget("minAvailable: 0, selector: {}"));
        assert_clean(&budget("maxUnavailable: 100%"));
        assert_refused(&budget("minAvailable: 1, maxUnavailable: 1"), &["spec"]);
        for bound in ["-1", "101%", "'1'", "half"] {
            assert_refused(&budget(&format!("minAvailable: {bound}")), &["spec.minAvailable"]);
        }
    }
}
