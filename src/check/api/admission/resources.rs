//! Which requests webhooks and policies are asked about.

use std::collections::BTreeSet;

use super::{MATCH_POLICIES, one_of};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::check::api::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use crate::naming;

pub(in crate::check::api) const RESOURCES: Rule = Rule::new(
    "api/invalid-admission-rule",
    "Rule of a webhook or a policy that contradicts itself",
    "A rule names groups, versions, resources and operations, at least one of each. `*` stands for \
     all of them, so nothing stands beside it.",
    "remove what `*` covers, or the `*`",
    &["validateRule", "validateRuleWithOperations", "validateResources"],
);

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
/// What a mutating policy can be asked about.
const MUTATING_OPERATIONS: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];
const SCOPES: [&str; 3] = ["*", "Cluster", "Namespaced"];

/// Looks at one rule (`validateRuleWithOperations`).
pub(super) fn check_rule<'a>(cx: &mut Cx<'a>, rule: Field<'a>) {
    let operations = rule.get("operations");
    listed(cx, operations);
    for operation in operations.items() {
        if !OPERATIONS.contains(&operation.text()) {
            cx.not_supported(&UNSUPPORTED, operation, &OPERATIONS);
        }
    }
    listed(cx, rule.get("apiGroups"));
    let versions = rule.get("apiVersions");
    listed(cx, versions);
    for version in versions.items() {
        if version.is_empty() {
            cx.required(&MISSING, version, "");
        }
    }
    check_resources(cx, rule.get("resources"));
    one_of(cx, rule.get("scope"), &SCOPES);
}

/// Wants items, and none beside `*`.
fn listed<'a>(cx: &mut Cx<'a>, list: Field<'a>) {
    if list.is_empty() {
        cx.required(&MISSING, list, "");
    }
    if list.len() > 1 && list.items().any(|it| it.text() == "*") {
        cx.invalid(&RESOURCES, list, "must not have anything beside `*`");
    }
}

/// Looks at resources, which may name subresources (`validateResources`).
fn check_resources<'a>(cx: &mut Cx<'a>, resources: Field<'a>) {
    if resources.is_empty() {
        cx.required(&MISSING, resources, "");
    }
    let (mut all_subresources, mut all_resources) = (BTreeSet::new(), BTreeSet::new());
    let (mut has_all, mut has_every_resource, mut has_resource) = (false, false, false);
    for item in resources.items() {
        let text = item.text();
        match text {
            "" => {
                cx.required(&MISSING, item, "");
                continue;
            }
            "*/*" => has_all = true,
            "*" => has_every_resource = true,
            _ => {}
        }
        let Some((resource, subresource)) = text.split_once('/') else {
            // As the server does: only the last one counts.
            has_resource = text != "*";
            continue;
        };
        if all_subresources.contains(resource) || all_resources.contains(subresource) {
            cx.invalid(&RESOURCES, item, "must not stand beside what covers it");
        }
        if subresource == "*" {
            all_subresources.insert(resource);
        }
        if resource == "*" {
            all_resources.insert(subresource);
        }
    }
    if resources.len() > 1 && has_all {
        cx.invalid(&RESOURCES, resources, "must not have anything beside `*/*`");
    }
    if has_every_resource && has_resource {
        cx.invalid(&RESOURCES, resources, "must not have resources beside `*`");
    }
}

/// Looks at the resources that a policy is for (`validateMatchResources`).
pub(super) fn check_match<'a>(cx: &mut Cx<'a>, resources: Field<'a>, is_mutating: bool) {
    if !resources.exists() {
        return;
    }
    one_of(cx, resources.get("matchPolicy"), &MATCH_POLICIES);
    selector::check(cx, resources.get("namespaceSelector"));
    selector::check(cx, resources.get("objectSelector"));
    for key in ["resourceRules", "excludeResourceRules"] {
        for rule in resources.get(key).items() {
            let mut names = BTreeSet::new();
            for name in rule.get("resourceNames").items() {
                if let Some(wrong) = naming::path_segment(name.text()) {
                    cx.invalid(&RESOURCES, name, wrong);
                }
                if !names.insert(name.text()) {
                    cx.duplicate(&DUPLICATE, name);
                }
            }
            check_rule(cx, rule);
        }
    }
    if !is_mutating {
        return;
    }
    let rules = resources.get("resourceRules");
    for operation in rules.items().flat_map(|it| it.get("operations").items()) {
        if !MUTATING_OPERATIONS.contains(&operation.text()) {
            cx.not_supported(&UNSUPPORTED, operation, &MUTATING_OPERATIONS);
            cx.named(rules.get("operations"));
        }
    }
}
