//! Deployments, ReplicaSets and ReplicationControllers.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::pod;
use super::rollout::{self, Amount, EMPTY_SELECTOR, STRATEGY};
use super::rule::Rule;
use super::selector::Labels;
use super::shared::UNSUPPORTED;

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "apps", name: "Deployment", validate, update: Some(update) },
    Kind { group: "extensions", name: "Deployment", validate, update: None },
    Kind {
        group: "apps",
        name: "ReplicaSet",
        validate: validate_replica_set,
        update: Some(update),
    },
    Kind { group: "extensions", name: "ReplicaSet", validate: validate_replica_set, update: None },
    Kind { group: "", name: "ReplicationController", validate: validate_controller, update: None },
];

pub(super) const RULES: &[&Rule] = &[&PROGRESS, &NO_TEMPLATE];

const PROGRESS: Rule = Rule::new(
    "api/invalid-progress-deadline",
    "Rollout fails before its first pod can be ready",
    "A Deployment whose deadline for progress is not longer than the time for which a pod has to be \
     ready could never make progress.",
    "raise `progressDeadlineSeconds` or lower `minReadySeconds`",
    &["ValidateDeploymentSpec"],
);

const NO_TEMPLATE: Rule = Rule::new(
    "api/no-template",
    "ReplicationController without a template",
    "The controller makes its pods from the template.",
    "add `template`",
    &["ValidatePodTemplateSpecForRC"],
);

const STRATEGIES: &[&str] = &["Recreate", "RollingUpdate"];

/// The time for which a rollout may make no progress, in seconds, where none is given.
const PROGRESS_DEADLINE: i64 = 600;
/// What may be missing, or too many, where nothing is given.
const QUARTER: Amount = Amount::Percent(25);

fn old_spec<'a>(cx: &Cx<'a>) -> Option<Field<'a>> {
    cx.old.map(|it| it.get("spec"))
}

/// Looks at a Deployment (`ValidateDeployment`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    rollout::check_counts(cx, spec, &["replicas", "minReadySeconds", "revisionHistoryLimit"]);
    check_template(cx, spec);
    check_strategy(cx, spec.get("strategy"));
    let deadline = spec.get("progressDeadlineSeconds");
    rollout::check_counts(cx, spec, &["progressDeadlineSeconds"]);
    let ready = spec.get("minReadySeconds").int().unwrap_or_default();
    let old_version = &*cx.object.api_version == "extensions/v1beta1" && !deadline.exists();
    if !old_version && deadline.int().unwrap_or(PROGRESS_DEADLINE) <= ready {
        let problem = "must be more than `minReadySeconds`";
        if deadline.exists() {
            cx.invalid(&PROGRESS, deadline, problem);
        } else {
            cx.invalid(&PROGRESS, spec.get("minReadySeconds"), "must be less than 600 seconds");
            cx.named(deadline);
        }
    }
    pod::warn_of_name(cx, object);
    pod::warn_of_template(cx, spec.get("template"));
}

fn check_template<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    if rollout::check_selector(cx, spec) {
        let old = old_spec(cx);
        rollout::check_template(cx, spec, old);
    } else {
        cx.invalid(&EMPTY_SELECTOR, spec.get("selector"), "cannot be evaluated");
    }
}

/// Looks at how pods are replaced (`ValidateDeploymentStrategy`).
fn check_strategy<'a>(cx: &mut Cx<'a>, strategy: Field<'a>) {
    let (kind, rolling) = (strategy.get("type"), strategy.get("rollingUpdate"));
    match kind.text() {
        "Recreate" => {
            if rolling.exists() {
                cx.forbidden(&STRATEGY, rolling, "with the strategy `Recreate`");
                cx.help("remove it; a patch sets it to `null`");
            }
        }
        "" | "RollingUpdate" => {
            let (missing, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            let missing_amount = rollout::check_amount(cx, &STRATEGY, missing, QUARTER);
            let surge_amount = rollout::check_amount(cx, &STRATEGY, surge, QUARTER);
            if missing_amount.is_zero() && surge_amount.is_zero() {
                cx.invalid(&STRATEGY, missing, "must not be 0 when `maxSurge` is 0");
            }
            rollout::check_percent(cx, &STRATEGY, missing, missing_amount);
        }
        _ => {
            cx.not_supported(&UNSUPPORTED, kind, STRATEGIES);
            cx.named(strategy);
        }
    }
}

/// Looks at a ReplicaSet (`ValidateReplicaSet`).
fn validate_replica_set<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    rollout::check_counts(cx, spec, &["replicas", "minReadySeconds"]);
    check_template(cx, spec);
    pod::warn_of_name(cx, object);
    pod::warn_of_template(cx, spec.get("template"));
}

/// The selector stays (`ValidateDeploymentUpdate`, `ValidateReplicaSetUpdate`).
fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    if cx.object.version() == "v1" || cx.object.version() == "v1beta2" {
        rollout::check_unchanged(cx, new.get("spec"), old.get("spec"), &["selector"]);
    }
}

/// Looks at a ReplicationController (`ValidateReplicationController`).
fn validate_controller<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    rollout::check_counts(cx, spec, &["replicas", "minReadySeconds"]);
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    let labels = template.at(&["metadata", "labels"]);
    // The labels of the template are the selector where there is none.
    if selector.is_empty() && labels.is_empty() {
        cx.required(&EMPTY_SELECTOR, selector, "");
    }
    if template.exists() {
        if !Labels::of(labels).have_all_of(selector) {
            rollout::mismatch(cx, labels);
        }
        let old = old_spec(cx);
        rollout::check_template(cx, spec, old);
    } else {
        cx.required(&NO_TEMPLATE, template, "");
    }
    pod::warn_of_name(cx, object);
    pod::warn_of_template(cx, template);
}
