//! What may change in a pod that exists.

use std::collections::BTreeSet;

use super::annotations::{APP_ARMOR, MIRROR};
use super::placement;
use crate::check::api::change;
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::resources;
use crate::check::api::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&CHANGED, &CONTAINERS, &DEADLINE, &TOLERATIONS, &GATES];

const CHANGED: Rule = Rule::new(
    "api/pod-changed",
    "Spec of a pod changes",
    "A pod that exists keeps its spec but for its images, its deadline, which may come closer, more \
     tolerations and fewer gates.",
    "delete the pod and create another, or leave that to a Deployment",
    &["ValidatePodUpdate", "ValidatePodSpecificAnnotationUpdates"],
);

const CONTAINERS: Rule = Rule::new(
    "api/pod-containers-changed",
    "Containers are added to a pod or removed from it",
    "A pod keeps its containers, in their order.",
    "delete the pod and create another",
    &["ValidateContainerUpdates"],
);

const DEADLINE: Rule = Rule::new(
    "api/pod-deadline-extended",
    "Deadline of a pod is extended",
    "The deadline of a pod may be set and come closer; it cannot be taken away.",
    "keep the deadline",
    &["ValidatePodUpdate"],
);

const TOLERATIONS: Rule = Rule::new(
    "api/pod-tolerations-removed",
    "Tolerations of a pod change",
    "A pod may get more tolerations, and tolerate what it tolerates for another time; it keeps those \
     that it has.",
    "keep the tolerations",
    &["validateOnlyAddedTolerations"],
);

const GATES: Rule = Rule::new(
    "api/pod-gates-added",
    "Scheduling gates are added to a pod",
    "Gates of a pod that exists can only be removed.",
    "remove the new gate",
    &["validateOnlyDeletedSchedulingGates"],
);

/// What may change otherwise than by equality.
const CHANGES: &[&str] = &[
    "containers",
    "initContainers",
    "ephemeralContainers",
    "activeDeadlineSeconds",
    "tolerations",
    "schedulingGates",
    "terminationGracePeriodSeconds",
    "affinity",
    "nodeSelector",
];

/// Looks at the new state of a pod and the old one (`ValidatePodUpdate`).
pub(super) fn pod<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    check_annotations(
        cx,
        new.at(&["metadata", "annotations"]),
        old.at(&["metadata", "annotations"]),
    );
    let (new, old) = (new.get("spec"), old.get("spec"));
    for list in ["containers", "initContainers"] {
        if new.get(list).len() != old.get(list).len() {
            cx.immutable(&CONTAINERS, new.get(list));
            return;
        }
    }
    if !check_deadline(cx, new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")) {
        return;
    }
    check_tolerations(cx, new.get("tolerations"), old.get("tolerations"));
    check_gates(cx, new.get("schedulingGates"), old.get("schedulingGates"));
    check_rest(cx, new, old);
}

fn check_annotations<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let is_fixed = |key: &str| key == MIRROR || key.starts_with(APP_ARMOR);
    for (key, value) in old.entries().filter(|(key, _)| is_fixed(key)) {
        if new.get(key).str() != value.str() {
            cx.immutable(&CHANGED, new.get(key));
        }
    }
    for (key, value) in new.entries().filter(|(key, _)| is_fixed(key)) {
        if !old.get(key).exists() {
            cx.immutable(&CHANGED, value);
        }
    }
}

/// Says whether the rest is still to be looked at.
fn check_deadline<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) -> bool {
    match (new.int(), old.int()) {
        (Some(new_value), Some(old_value)) if new_value > old_value => {
            cx.invalid(&DEADLINE, new, "must not be more than before");
            false
        }
        (None, Some(_)) if !new.exists() => {
            cx.immutable(&DEADLINE, new);
            true
        }
        _ => true,
    }
}

fn check_tolerations<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if old.is_empty() {
        return;
    }
    let of = |it: Field<'a>| ["key", "operator", "value", "effect"].map(|key| it.get(key).text());
    let kept: BTreeSet<[&str; 4]> = new.items().map(of).collect();
    if old.items().any(|it| !kept.contains(&of(it))) {
        cx.immutable(&TOLERATIONS, new);
    }
}

fn check_gates<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let before: BTreeSet<&str> = old.items().map(|it| it.get("name").text()).collect();
    for gate in new.items() {
        let name = gate.get("name");
        if !before.contains(name.text()) {
            cx.immutable(&GATES, name);
        }
    }
}

/// A policy that stands nowhere stays, whatever image comes.
fn changed_policy<'a>(new: Field<'a>, old: Field<'a>) -> Option<Field<'a>> {
    let written = [new, old].iter().any(|it| it.get("imagePullPolicy").exists());
    let policy = new.get("imagePullPolicy");
    (written && change::pull_policy(new) != change::pull_policy(old)).then_some(policy)
}

/// The limits of a pod are its requests where it names none.
fn changed_resources<'a>(new: Field<'a>, old: Field<'a>) -> Option<Field<'a>> {
    let changed = change::first_beside(new, old, &["requests"]);
    changed.or_else(|| {
        let lists = [new.get("requests"), new.get("limits"), old.get("requests")];
        let names: BTreeSet<&str> =
            lists.iter().flat_map(|it| it.entries()).map(|it| it.0).collect();
        let request = |of: Field<'a>, name| {
            let request = of.get("requests").get(name);
            let limit = of.get("limits").get(name);
            resources::amount(if request.exists() { request } else { limit })
        };
        let differs = names.into_iter().any(|name| request(new, name) != request(old, name));
        differs.then(|| new.get("requests"))
    })
}

/// All but a few fields stay as they are; the server tells of the spec as a whole.
fn check_rest<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let mut changed = change::first_beside(new, old, CHANGES);
    // Those that were added to the running pod stay where the new state leaves them out.
    if !new.get("ephemeralContainers").is_empty() {
        changed = changed.or_else(|| change::first_in(new, old, "ephemeralContainers"));
    }
    for list in ["containers", "initContainers"] {
        let pairs = new.get(list).items().zip(old.get(list).items());
        changed = changed.or_else(|| {
            pairs.into_iter().find_map(|(new, old)| {
                change::first_beside(new, old, &["image", "imagePullPolicy", "resources"])
                    .or_else(|| changed_policy(new, old))
                    .or_else(|| changed_resources(new.get("resources"), old.get("resources")))
            })
        });
    }
    let (grace, before) =
        (new.get("terminationGracePeriodSeconds"), old.get("terminationGracePeriodSeconds"));
    let shortened = before.int().is_some_and(|it| it < 0) && grace.int() == Some(1);
    if !shortened
        && grace.int().unwrap_or(super::GRACE_PERIOD) != before.int().unwrap_or(super::GRACE_PERIOD)
    {
        changed = changed.or(Some(grace));
    }
    let gated = !old.get("schedulingGates").is_empty();
    if gated {
        placement::check_additions(cx, &CHANGED, new, old);
        let (new, old) = (new.get("affinity"), old.get("affinity"));
        changed = changed.or_else(|| change::first_beside(new, old, &["nodeAffinity"]));
    } else {
        for key in ["affinity", "nodeSelector"] {
            changed = changed.or_else(|| change::first_in(new, old, key));
        }
    }
    if let Some(field) = changed {
        cx.immutable(&CHANGED, field);
        cx.named(new);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::assert_update;

    fn pod(spec: &str) -> String {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
    }

    #[test]
    fn a_pod_keeps_its_spec() {
        let old = pod(
            "containers: [{name: c, image: i}], tolerations: [{key: a}], activeDeadlineSeconds: 5",
        );
        for (new, refused) in [
            (
                "containers: [{name: c, image: j}], tolerations: [{key: a}, {key: b}], activeDeadlineSeconds: 4",
                vec![],
            ),
            (
                "containers: [{name: c, image: i, imagePullPolicy: Always, tty: false}], restartPolicy: Always, tolerations: [{key: a}], activeDeadlineSeconds: 5",
                vec![],
            ),
            (
                "containers: [{name: c, image: i, tty: true}], tolerations: [{key: a}], activeDeadlineSeconds: 5",
                vec!["spec"],
            ),
            ("containers: [{name: c, image: i}, {name: d, image: i}]", vec!["spec.containers"]),
            (
                "containers: [{name: c, image: i}], tolerations: [{key: b}], activeDeadlineSeconds: 5",
                vec!["spec.tolerations"],
            ),
            (
                "containers: [{name: c, image: i}], tolerations: [{key: a}], activeDeadlineSeconds: 6",
                vec!["spec.activeDeadlineSeconds"],
            ),
            (
                "containers: [{name: c, image: i}], tolerations: [{key: a}]",
                vec!["spec.activeDeadlineSeconds"],
            ),
        ] {
            assert_update(&old, &pod(new), &refused);
        }
    }

    #[test]
    fn a_pod_that_waits_may_be_narrowed_down() {
        let with = |fields: &str| pod(&format!("containers: [{{name: c, image: i}}], {fields}"));
        let old = with("schedulingGates: [{name: a}], nodeSelector: {a: b}");
        assert_update(&old, &with("nodeSelector: {a: b, c: d}"), &[]);
        assert_update(&old, &with("nodeSelector: {a: c}"), &["spec.nodeSelector"]);
        assert_update(
            &old,
            &with("schedulingGates: [{name: b}], nodeSelector: {a: b}"),
            &["spec.schedulingGates[0].name"],
        );
    }
}
