//! `RuntimeClasses`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::shared::DUPLICATE;
use super::{pod, selector};
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "node.k8s.io", name: "RuntimeClass", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    cx.require_name(handler(object), naming::dns_label);
    // The first version has all of it in a spec.
    let spec = if cx.object.version() == "v1alpha1" { object.get("spec") } else { object };
    let overhead = spec.get("overhead");
    pod::check_overhead(cx, overhead.get("podFixed"), overhead);
    let scheduling = spec.get("scheduling");
    selector::check_labels(cx, &selector::SELECTOR, scheduling.get("nodeSelector"));
    let tolerations = scheduling.get("tolerations");
    pod::check_tolerations(cx, tolerations);
    let mut seen = BTreeSet::new();
    for toleration in tolerations.items() {
        if !seen.insert(["key", "operator", "value", "effect"].map(|it| toleration.get(it).text()))
        {
            cx.invalid(&DUPLICATE, toleration, "stands there twice");
        }
    }
}

fn handler(object: Field<'_>) -> Field<'_> {
    let spec = object.get("spec");
    if spec.exists() { spec.get("runtimeHandler") } else { object.get("handler") }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    cx.unchanged(handler(new), handler(old));
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    fn class(fields: &str) -> String {
        format!("apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {{name: a}}\n{fields}\n")
    }

    #[test]
    fn a_handler_is_named_once_and_stays() {
        assert_clean(&class("handler: runsc"));
        assert_refused(&class(""), &["handler"]);
        assert_refused(&class("handler: a.b"), &["handler"]);
        assert_update(&class("handler: a"), &class("handler: b"), &["handler"]);
    }

    #[test]
    fn tolerations_differ() {
        let toleration = "{key: a, operator: Exists}";
        assert_refused(
            &class(&format!(
                "handler: b\nscheduling: {{tolerations: [{toleration}, {toleration}]}}"
            )),
            &["scheduling.tolerations[1]"],
        );
    }
}
