//! `ResourceQuotas`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::IMMUTABLE;
use super::resources::{self, amount};
use super::rule::Rule;
use crate::naming::Wrong;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "ResourceQuota", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&SCOPE];

const SCOPE: Rule = Rule::new(
    "api/invalid-quota-scope",
    "Scope of a quota that does not fit",
    "A scope narrows a quota to some pods, so it goes with `pods`, `cpu` and `memory` only, and \
     two scopes that exclude each other leave no pods.",
    "write a second ResourceQuota for what the scope does not fit",
    &["validateResourceQuotaScopes", "validateScopedResourceSelectorRequirement"],
);

const SCOPES: &[&str] = &[
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];
const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];
const CONTRADICTIONS: [[&str; 2]; 2] =
    [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
/// The amounts of resources that pods take.
const OF_PODS: &[&str] =
    &["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let hard = spec.get("hard");
    for (name, value) in hard.entries() {
        resources::check_name(cx, value, quota_name(name));
        if let Some(amount) = amount(value) {
            resources::check_amount(cx, name, value, &amount);
        }
    }
    check_scopes(cx, spec.get("scopes"), hard);
    check_selector(cx, spec.at(&["scopeSelector", "matchExpressions"]), hard);
}

/// Checks a name that quotas limit (`ValidateResourceQuotaResourceName`).
fn quota_name(name: &str) -> Wrong {
    resources::resource_name(name).or_else(|| {
        let known = name.contains('/') || is_limited(name);
        (!known).then_some("must be a resource that quotas limit, or have a domain")
    })
}

/// Says whether quotas limit a name without a domain (`IsStandardQuotaResourceName`).
fn is_limited(name: &str) -> bool {
    name != "storage" && resources::is_standard(name)
}

fn scopes(minor: u32) -> impl Iterator<Item = &'static str> {
    let known = move |it: &&str| match *it {
        "CrossNamespacePodAffinity" => minor >= 21,
        "VolumeAttributesClass" => minor >= 33,
        _ => true,
    };
    SCOPES.iter().copied().filter(known)
}

/// Says whether a scope fits a resource (`IsResourceQuotaScopeValidForResource`).
fn fits(scope: &str, name: &str) -> bool {
    match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ if SCOPES.contains(&scope) => OF_PODS.contains(&name),
        _ => true,
    }
}

fn misfit<'a>(scope: &str, hard: Field<'a>) -> Option<&'a str> {
    hard.entries().map(|(name, _)| name).find(|name| is_limited(name) && !fits(scope, name))
}

fn check_scopes<'a>(cx: &mut Cx<'a>, list: Field<'a>, hard: Field<'a>) {
    let known: Vec<&str> = scopes(cx.minor).collect();
    for scope in list.items() {
        let text = scope.text();
        // The schema refuses other texts.
        if text.is_empty() {
            cx.not_supported(&SCOPE, scope, &known);
            cx.named(list);
        } else if let Some(name) = misfit(text, hard) {
            cx.invalid(&SCOPE, scope, &format!("does not go with `{name}`"));
            cx.named(list);
        }
    }
    check_contradictions(cx, list, &list.items().map(Field::text).collect());
}

fn check_contradictions<'a>(cx: &mut Cx<'a>, told: Field<'a>, scopes: &BTreeSet<&str>) {
    for pair in CONTRADICTIONS {
        if pair.iter().all(|it| scopes.contains(it)) {
            let [one, two] = pair;
            cx.invalid(&SCOPE, told, &format!("must not hold both `{one}` and `{two}`"));
        }
    }
}

/// The server names no items of the list.
fn check_selector<'a>(cx: &mut Cx<'a>, list: Field<'a>, hard: Field<'a>) {
    let known: Vec<&str> = scopes(cx.minor).collect();
    for requirement in list.items() {
        let (scope, operator) = (requirement.get("scopeName"), requirement.get("operator"));
        if scope.is_empty() {
            cx.not_supported(&SCOPE, scope, &known);
            cx.named(list.get("scopeName"));
        } else if let Some(name) = misfit(scope.text(), hard) {
            cx.invalid(&SCOPE, scope, &format!("does not go with `{name}`"));
            cx.named(list);
        }
        let takes_values = matches!(scope.text(), "PriorityClass" | "VolumeAttributesClass");
        if !takes_values && known.contains(&scope.text()) && operator.text() != "Exists" {
            let problem = format!("must be `Exists` for the scope `{}`", scope.text());
            cx.invalid(&SCOPE, operator, &problem);
            cx.named(list.get("operator"));
        }
        let values = requirement.get("values");
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                cx.required(&SCOPE, values, "`In` and `NotIn` need at least one");
                cx.named(list.get("values"));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                cx.forbidden(&SCOPE, values, "when the operator is `Exists` or `DoesNotExist`");
                cx.named(list.get("values"));
            }
            "" => {
                cx.not_supported(&SCOPE, operator, OPERATORS);
                cx.named(list.get("operator"));
            }
            _ => {}
        }
    }
    let named = list.items().map(|it| it.get("scopeName").text()).collect();
    check_contradictions(cx, list, &named);
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let scopes = |object: Field<'a>| -> BTreeSet<&'a str> {
        object.at(&["spec", "scopes"]).items().map(Field::text).collect()
    };
    if scopes(new) != scopes(old) {
        cx.immutable(&IMMUTABLE, new.at(&["spec", "scopes"]));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused, assert_update};

    fn quota(spec: &str) -> String {
        format!("apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
    }

    #[test]
    fn names_and_amounts() {
        assert_clean(&quota(
            "hard: {pods: 4, requests.cpu: 1m, count/deployments.apps: 2, requests.nvidia.com/gpu: 4}",
        ));
        assert_refused(&quota("hard: {request.cpu: 1}"), &["spec.hard[request.cpu]"]);
        assert_refused(&quota("hard: {storage: 1Gi}"), &["spec.hard.storage"]);
        assert_refused(
            &quota("hard: {pods: -1, services: 100m}"),
            &["spec.hard.pods", "spec.hard.services"],
        );
    }

    #[test]
    fn scopes_fit() {
        assert_clean(&quota("hard: {pods: 4}, scopes: [BestEffort]"));
        assert_one(
            &quota("hard: {cpu: 4}, scopes: [BestEffort]"),
            "api/invalid-quota-scope",
            "`BestEffort` in `spec.scopes[0]` does not go with `cpu`",
            "spec.scopes",
            "BestEffort",
        );
        assert_refused(&quota("scopes: [BestEffort, NotBestEffort]"), &["spec.scopes"]);
    }

    #[test]
    fn selectors_of_scopes() {
        let selector = |fields: &str| {
            quota(&format!(
                "hard: {{pods: 4}}, scopeSelector: {{matchExpressions: [{{{fields}}}]}}"
            ))
        };
        assert_clean(&selector("scopeName: PriorityClass, operator: In, values: [high]"));
        assert_refused(
            &selector("scopeName: PriorityClass, operator: In"),
            &["spec.scopeSelector.matchExpressions.values"],
        );
        assert_refused(
            &selector("scopeName: Terminating, operator: In, values: [a]"),
            &["spec.scopeSelector.matchExpressions.operator"],
        );
    }

    #[test]
    fn scopes_stay() {
        let old = quota("hard: {pods: 4}, scopes: [Terminating]");
        assert_update(&old, &quota("hard: {pods: 5}, scopes: [Terminating]"), &[]);
        assert_update(&old, &quota("hard: {pods: 4}"), &["spec.scopes"]);
    }
}
