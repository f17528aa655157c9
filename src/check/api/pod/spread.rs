//! How pods are spread over the cluster, and the keys of labels that are filled in from the pod.

use std::collections::{BTreeMap, BTreeSet};

use super::Spec;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::document::Step;
use crate::naming;
use crate::wording;

pub(super) const RULES: &[&Rule] = &[&SPREAD, &KEYS];

const SPREAD: Rule = Rule::new(
    "api/invalid-topology-spread",
    "Spread constraint that cannot be kept",
    "A constraint names the label of nodes that makes two places one, how far the numbers of pods \
     may differ, and what happens otherwise. Two constraints of a pod differ in the first or the \
     last, and only those that forbid have a least number of places.",
    "mend the constraint",
    &["validateTopologySpreadConstraints"],
);

const KEYS: Rule = Rule::new(
    "api/invalid-match-label-keys",
    "Keys of labels that contradict the selector",
    "`matchLabelKeys` and `mismatchLabelKeys` add requirements with the values of the pod's own \
     labels to a selector, so there has to be one, and a key stands in one place only.",
    "remove the key from one of the places",
    &[
        "ValidateMatchLabelKeysAndMismatchLabelKeys",
        "ValidateMatchLabelKeysInTopologySpread",
        "validateLabelKeys",
    ],
);

const ACTIONS: &[&str] = &["DoNotSchedule", "ScheduleAnyway"];
const NODE_POLICIES: &[&str] = &["Honor", "Ignore"];

/// The minor in which a constraint may count the nodes by default.
const NODE_POLICY: u32 = 26;
/// The minor in which constraints may take keys from the pod by default.
const KEYS_OF_SPREAD: u32 = 27;
/// The minor in which those keys are merged into the selector.
const MERGED: u32 = 34;
/// The minor in which terms of affinity may take keys from the pod by default.
const KEYS_OF_TERMS: u32 = 31;
/// The minor in which selectors of constraints are checked.
const SELECTORS: u32 = 28;
/// The minor in which a least number of places counts by default.
const MIN_DOMAINS: u32 = 27;

/// Looks at constraints (`validateTopologySpreadConstraints`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let constraints = spec.field.get("topologySpreadConstraints");
    if constraints.is_empty() {
        return;
    }
    // The server names the first of two that are the same, so the last ones are kept.
    let mut later = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for (at, constraint) in constraints.items().enumerate().collect::<Vec<_>>().into_iter().rev() {
        let key = constraint.get("topologyKey").text();
        if !later.insert((key, constraint.get("whenUnsatisfiable").text())) {
            twice.insert(at);
        }
    }
    for (at, constraint) in constraints.items().enumerate() {
        let skew = constraint.get("maxSkew");
        match skew.int() {
            Some(it) if it <= 0 => cx.invalid(&SPREAD, skew, "must be greater than 0"),
            None if !skew.exists() => cx.required(&SPREAD, skew, "it is greater than 0"),
            _ => {}
        }
        if constraint.get("topologyKey").is_empty() {
            cx.required(&SPREAD, constraint.get("topologyKey"), "");
        }
        let action = constraint.get("whenUnsatisfiable");
        cx.require_one_of(action, ACTIONS);
        if twice.contains(&at) {
            cx.invalid(&SPREAD, constraint, "has the same key and action as another constraint");
            cx.named(constraint.get("{topologyKey, whenUnsatisfiable}"));
        }
        let least = constraint.get("minDomains");
        if cx.minor >= MIN_DOMAINS && least.exists() {
            if least.int().is_some_and(|it| it <= 0) {
                cx.invalid(&SPREAD, least, "must be greater than 0");
            }
            if action.text() != "DoNotSchedule" && !wording::is_placeholder(action.text()) {
                cx.invalid(&SPREAD, least, "is for constraints with `DoNotSchedule` only");
            }
        }
        if cx.minor >= NODE_POLICY {
            cx.one_of(constraint.get("nodeAffinityPolicy"), NODE_POLICIES);
            cx.one_of(constraint.get("nodeTaintsPolicy"), NODE_POLICIES);
        }
        check_keys(cx, spec, constraint);
        if cx.minor >= SELECTORS
            && !spec.had_before(|it| &it.invalid_selectors, has_invalid_selector)
        {
            selector::check(cx, constraint.get("labelSelector"));
        }
    }
}

/// Says whether a spec has constraints with selectors that servers once took.
fn has_invalid_selector(spec: Field<'_>) -> bool {
    let mut constraints = spec.get("topologySpreadConstraints").items();
    constraints.any(|it| !selector::is_valid(it.get("labelSelector")))
}

fn check_keys<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, constraint: Field<'a>) {
    let keys = constraint.get("matchLabelKeys");
    if keys.is_empty() || cx.minor < KEYS_OF_SPREAD {
        return;
    }
    let labels = constraint.get("labelSelector");
    if !labels.exists() {
        cx.forbidden(&KEYS, keys, "without `labelSelector`");
    }
    for key in keys.items() {
        check_key(cx, key);
    }
    if cx.minor >= MERGED {
        check_twice(cx, spec, constraint);
        return;
    }
    let selected = selected_keys(labels);
    for key in keys.items() {
        if selected.contains(key.text()) {
            cx.invalid(&KEYS, key, "stands in `labelSelector` too");
        }
    }
}

/// Looks for keys that the selector has by more than one requirement. In a pod, unlike a template,
/// the server adds requirements with the pod's own labels before it looks.
fn check_twice<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, term: Field<'a>) {
    let (labels, keys) = (term.get("labelSelector"), term.get("matchLabelKeys"));
    if !labels.exists() || keys.is_empty() {
        return;
    }
    // The last of two keys that are the same counts.
    let by_key: BTreeMap<&str, Field<'a>> = keys.items().map(|it| (it.text(), it)).collect();
    let mut seen: BTreeSet<&str> = labels.get("matchLabels").entries().map(|it| it.0).collect();
    let own: BTreeSet<&str> = if spec.is_pod && cx.old.is_none() {
        cx.root.at(&["metadata", "labels"]).entries().map(|it| it.0).collect()
    } else {
        BTreeSet::new()
    };
    let expressions = labels.get("matchExpressions").items().map(|it| it.get("key").text());
    let merged = keys.items().chain(term.get("mismatchLabelKeys").items()).map(Field::text);
    for key in expressions.chain(merged.filter(|it| own.contains(it))) {
        if let Some(field) = by_key.get(key)
            && seen.contains(key)
        {
            cx.invalid(&KEYS, *field, "stands in `labelSelector` too");
            if let Some(Step::Index(at)) = field.path().last() {
                cx.named(term.index(*at));
            }
        }
        seen.insert(key);
    }
}

fn check_key<'a>(cx: &mut Cx<'a>, key: Field<'a>) {
    if let Some(wrong) = naming::qualified_name(key.text()) {
        cx.invalid(&KEYS, key, wrong);
    }
}

/// Returns the keys that a selector names.
fn selected_keys(labels: Field<'_>) -> BTreeSet<&str> {
    let expressions = labels.get("matchExpressions").items().map(|it| it.get("key").text());
    labels.get("matchLabels").entries().map(|it| it.0).chain(expressions).collect()
}

/// Looks at the keys of a term of affinity.
pub(super) fn check_keys_of_term<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, term: Field<'a>) {
    let (same, other) = (term.get("matchLabelKeys"), term.get("mismatchLabelKeys"));
    if cx.minor < KEYS_OF_TERMS || (same.is_empty() && other.is_empty()) {
        return;
    }
    let labels = term.get("labelSelector");
    for keys in [same, other] {
        if keys.is_empty() {
            continue;
        }
        if !labels.exists() {
            cx.forbidden(&KEYS, keys, "without `labelSelector`");
            continue;
        }
        for key in keys.items() {
            check_key(cx, key);
        }
    }
    check_twice(cx, spec, term);
    let others: BTreeSet<&str> = other.items().map(super::super::field::Field::text).collect();
    for key in same.items() {
        if others.contains(key.text()) {
            cx.invalid(&KEYS, key, "stands in `mismatchLabelKeys` too");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_pods, findings};

    #[test]
    fn constraints() {
        let with = |fields: &str| {
            format!(
                "topologySpreadConstraints: [{{maxSkew: 1, topologyKey: k, labelSelector: {{matchLabels: {{a: b}}}}, {fields}}}]"
            )
        };
        let at = |key: &str| format!("topologySpreadConstraints[0].{key}");
        assert_pods(&[
            (&with("whenUnsatisfiable: DoNotSchedule, minDomains: 1"), &[]),
            (&with("whenUnsatisfiable: ScheduleAnyway, minDomains: 1"), &[&at("minDomains")]),
            (&with("whenUnsatisfiable: Never"), &[&at("whenUnsatisfiable")]),
            (
                &with("whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: x"),
                &[&at("nodeTaintsPolicy")],
            ),
            (
                &with("whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [a b]"),
                &[&at("matchLabelKeys[0]")],
            ),
        ]);
    }

    #[test]
    fn keys_of_a_pod_stand_there_once() {
        let object = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: x}}\nspec:\n  \
            containers: [{name: c, image: i}]\n  topologySpreadConstraints:\n  \
            - {maxSkew: 1, topologyKey: k, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [app], labelSelector: {matchLabels: {app: x}}}\n";
        let paths = |minor| findings(minor, object).into_iter().map(|it| it.2).collect::<Vec<_>>();
        assert_eq!(paths(33), ["spec.topologySpreadConstraints[0].matchLabelKeys[0]"]);
        assert_eq!(paths(37), ["spec.topologySpreadConstraints[0][0]"]);
    }

    #[test]
    fn two_constraints_differ() {
        let one =
            "{maxSkew: 1, topologyKey: k, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}";
        assert_pods(&[(
            &format!("topologySpreadConstraints: [{one}, {one}]"),
            &["topologySpreadConstraints[0][{topologyKey, whenUnsatisfiable}]"],
        )]);
    }
}
