//! Nodes.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{IMMUTABLE, INVALID};
use super::ip;
use super::resources::{self, amount};
use super::rule::Rule;
use super::shared::DUPLICATE;
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "", name: "Node", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&TAINT];

const TAINT: Rule = Rule::new(
    "api/invalid-taint",
    "Taint of a node that is none",
    "A taint has the key and the value of a label and an effect; a node has each key with each \
     effect once.",
    "mend the taint",
    &["validateNodeTaints"],
);

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_taints(cx, object);
    let status = object.get("status");
    for part in ["capacity", "allocatable"] {
        for (name, value) in status.get(part).entries() {
            if let Some(amount) = amount(value) {
                resources::check_amount(cx, name, value, &amount);
            }
        }
    }
    let (one, ranges) = (object.at(&["spec", "podCIDR"]), object.at(&["spec", "podCIDRs"]));
    // The single range wins over the list.
    if !one.is_empty() && ranges.items().next().is_none_or(|it| it.text() != one.text()) {
        if let Some(wrong) = ip::wrong_range(cx.minor, one.text()) {
            cx.invalid(&ip::RANGE, one, wrong);
            cx.named(ranges.index(0));
        }
        return;
    }
    for range in ranges.items() {
        ip::check_range(cx, range, None);
    }
    if ranges.len() > 1 {
        let families: BTreeSet<_> =
            ranges.items().map(|it| ip::range(it.text()).map(ip::Range::is_v6)).collect();
        if ranges.len() > 2 || families.len() < 2 {
            cx.invalid(&INVALID, ranges, "must hold at most one range of each family of addresses");
        }
    }
}

/// The server takes the taints for a part of the metadata.
fn check_taints<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let mut seen = BTreeSet::new();
    let named = object.get("metadata").get("taints");
    for taint in object.at(&["spec", "taints"]).items() {
        let (key, value, effect) = (taint.get("key"), taint.get("value"), taint.get("effect"));
        let place = taint.beside(named);
        if key.is_empty() {
            cx.required(&TAINT, key, "");
            cx.named(place.get("key"));
        } else if let Some(wrong) = naming::qualified_name(key.text()) {
            cx.invalid(&TAINT, key, wrong);
            cx.named(place.get("key"));
        }
        if let Some(wrong) = naming::label_value(value.text()) {
            cx.invalid(&TAINT, value, wrong);
            cx.named(place.get("value"));
        }
        if effect.is_empty() {
            cx.required(&TAINT, effect, "");
            cx.named(place.get("effect"));
        }
        if !seen.insert((key.text(), effect.text())) {
            cx.invalid(&DUPLICATE, taint, "has the key and the effect of an earlier taint");
            cx.named(place);
        }
    }
}

/// Returns the ranges of a node's pods; the single range wins over the list.
fn pod_ranges(spec: Field<'_>) -> Vec<&str> {
    let (one, all) = (spec.get("podCIDR").text(), spec.get("podCIDRs").items());
    let all: Vec<&str> = all.map(Field::text).collect();
    if one.is_empty() || all.first() == Some(&one) { all } else { vec![one] }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    if !old_spec.get("providerID").is_empty() {
        cx.unchanged(spec.get("providerID"), old_spec.get("providerID"));
    }
    if !pod_ranges(old_spec).is_empty() && pod_ranges(spec) != pod_ranges(old_spec) {
        cx.immutable(&IMMUTABLE, spec.get("podCIDRs"));
    }
    if !spec.get("externalID").equals(old_spec.get("externalID")) {
        cx.immutable(&IMMUTABLE, spec.get("externalID"));
    }
    let mut seen = BTreeSet::new();
    for address in new.at(&["status", "addresses"]).items() {
        if !seen.insert((address.get("type").text(), address.get("address").text())) {
            cx.invalid(&DUPLICATE, address, "stands there twice");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    fn node(spec: &str) -> String {
        format!("apiVersion: v1\nkind: Node\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
    }

    #[test]
    fn taints() {
        assert_clean(&node("taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoExecute}]"));
        assert_refused(
            &node("taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}]"),
            &["metadata.taints[1]"],
        );
        assert_refused(
            &node("taints: [{key: a/b/c}]"),
            &["metadata.taints[0].key", "metadata.taints[0].effect"],
        );
    }

    #[test]
    fn what_is_set_once_stays() {
        assert_update(&node(""), &node("providerID: a"), &[]);
        assert_update(&node("providerID: a"), &node("providerID: b"), &["spec.providerID"]);
    }
}
