//! How workloads replace their pods, and what all workloads have.

use super::cx::Cx;
use super::field::Field;
use super::forms::IMMUTABLE;
use super::rule::Rule;
use super::selector::{self, Labels};
use super::{change, pod};
use crate::document::{NodeKind, Part, Scalar};
use crate::rule::Minors;
use crate::wording;

pub(super) const RULES: &[&Rule] =
    &[&MISMATCH, &EMPTY_SELECTOR, &RESTART, &TEMPLATE_DEADLINE, &STRATEGY, &COUNT, &DISK];

pub(super) const MISMATCH: Rule = Rule::new(
    "api/selector-mismatch",
    "Selector does not select the pods of the template",
    "A workload finds its pods by its selector, so the labels of its template have to fit it; \
     otherwise it would make pods for ever.",
    "put the labels of the selector into `template.metadata.labels`",
    &["ValidateDeploymentSpec", "ValidatePodTemplateSpecForReplicaSet", "ValidateJobSpec"],
);

pub(super) const EMPTY_SELECTOR: Rule = Rule::new(
    "api/empty-selector",
    "Selector of a workload that selects everything",
    "An empty selector would make all pods of the namespace those of the workload.",
    "select by the labels of the template",
    &["ValidateDeploymentSpec", "ValidateStatefulSetSpec", "ValidateDaemonSetSpec"],
);

const RESTART: Rule = Rule::new(
    "api/workload-restart-policy",
    "Workload whose pods do not restart",
    "Workloads that keep pods running take the restart policy `Always` only, Jobs only the two \
     others.",
    "use a Job for pods that end, or change the restart policy",
    &["ValidatePodTemplateSpecForReplicaSet", "ValidateJobSpec"],
);

const TEMPLATE_DEADLINE: Rule = Rule::new(
    "api/workload-deadline",
    "Workload whose pods have a deadline",
    "Pods that are kept running have no deadline.",
    "remove `activeDeadlineSeconds`, or use a Job",
    &["ValidatePodTemplateSpecForReplicaSet"],
);

pub(super) const STRATEGY: Rule = Rule::new(
    "api/invalid-rollout",
    "Strategy by which pods cannot be replaced",
    "Pods are replaced step by step, by a number or a percentage that may be missing or too many, \
     not both none; other strategies have no steps.",
    "mend the strategy",
    &["ValidateDeploymentStrategy", "ValidateRollingUpdateDeployment"],
);

const COUNT: Rule = Rule::new(
    "api/negative-count",
    "Number of a workload that is negative",
    "Numbers of pods, seconds and revisions are not negative.",
    "use a number that is not negative",
    &["ValidateNonnegativeField"],
);

const DISK: Rule = Rule::new(
    "api/shared-writable-disk",
    "Several pods write to one disk",
    "A persistent disk of Google's cloud can be written to from one node only, so before 1.29 the \
     server took it in workloads of several pods only to be read.",
    "set `readOnly`, or use a StatefulSet with a claim for each pod",
    &["ValidateReadOnlyPersistentDisks"],
)
.in_minors(Minors::until(28));

/// Wants numbers that are not negative.
pub(super) fn check_counts<'a>(cx: &mut Cx<'a>, spec: Field<'a>, keys: &[&'a str]) {
    for key in keys {
        let number = spec.get(key);
        if number.int().is_some_and(|it| it < 0) {
            cx.invalid(&COUNT, number, "must not be negative");
        }
    }
}

/// Says whether the server takes the labels of the template for a selector that is missing.
pub(super) fn defaults_selector(cx: &Cx<'_>) -> bool {
    matches!(cx.object.version(), "v1beta1") && cx.minor < 16
}

/// Looks at the selector of a workload that must have one, and at the template's labels.
///
/// Where the selector is wrong, the server does not look at the template: it says so.
pub(super) fn check_selector<'a>(cx: &mut Cx<'a>, spec: Field<'a>) -> bool {
    let selector = spec.get("selector");
    if !selector.exists() {
        if !defaults_selector(cx) {
            cx.required(&EMPTY_SELECTOR, selector, "");
        }
        return true;
    }
    selector::check(cx, selector);
    if selector::is_empty(selector) {
        cx.invalid(&EMPTY_SELECTOR, selector, "must not be empty");
        return true;
    }
    if !selector::is_valid(selector) {
        return false;
    }
    check_match(cx, selector, spec.get("template"));
    true
}

/// Holds a valid selector against the labels of a template.
pub(super) fn check_match<'a>(cx: &mut Cx<'a>, selector: Field<'a>, template: Field<'a>) {
    let labels = template.at(&["metadata", "labels"]);
    if !Labels::of(labels).match_selector(selector) {
        mismatch(cx, labels);
    }
}

/// Says that the labels of a template do not fit the selector.
pub(super) fn mismatch<'a>(cx: &mut Cx<'a>, labels: Field<'a>) {
    if labels.exists() {
        cx.invalid(&MISMATCH, labels, "must fit the selector");
    } else {
        cx.required(&MISMATCH, labels, "they have to fit the selector");
    }
}

/// Looks at the template of a workload that keeps its pods running.
pub(super) fn check_template<'a>(cx: &mut Cx<'a>, spec: Field<'a>, old: Option<Field<'a>>) {
    let template = spec.get("template");
    pod::check_template(cx, template, old.map(|it| it.get("template")), &[]);
    check_restart(cx, template);
    if cx.minor <= 28 && spec.get("replicas").int().is_some_and(|it| it > 1) {
        for volume in template.at(&["spec", "volumes"]).items() {
            let disk = volume.get("gcePersistentDisk");
            if disk.exists() && !disk.get("readOnly").is_true() {
                cx.forbidden(&DISK, disk, "in several pods, unless it is `readOnly`");
                cx.named(disk.get("readOnly"));
            }
        }
    }
}

/// Pods that are kept running restart always and have no deadline.
pub(super) fn check_restart<'a>(cx: &mut Cx<'a>, template: Field<'a>) {
    let policy = template.at(&["spec", "restartPolicy"]);
    if policy.str().is_some_and(|it| !it.is_empty() && it != "Always") {
        cx.not_supported(&RESTART, policy, &["Always"]);
    }
    let deadline = template.at(&["spec", "activeDeadlineSeconds"]);
    if deadline.exists() {
        cx.forbidden(&TEMPLATE_DEADLINE, deadline, "in a workload that keeps its pods running");
    }
}

/// Looks at the restart policy of pods that end.
pub(super) fn check_restart_of_job<'a>(cx: &mut Cx<'a>, template: Field<'a>, has_policy: bool) {
    let policy = template.at(&["spec", "restartPolicy"]);
    match policy.text() {
        "" | "Always" => {
            if policy.exists() && !policy.is_empty() {
                cx.not_supported(&RESTART, policy, &["OnFailure", "Never"]);
            } else {
                cx.required(&RESTART, policy, "a Job takes `OnFailure` or `Never`");
            }
        }
        "Never" => {}
        "OnFailure" => {
            if has_policy {
                cx.invalid(&RESTART, policy, "must be `Never` beside `podFailurePolicy`");
            }
        }
        _ => cx.not_supported(&RESTART, policy, &["OnFailure", "Never"]),
    }
}

/// A number or a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// A number of pods, or what counts as one.
    Count(i64),
    /// A percentage.
    Percent(i64),
}

impl Amount {
    /// Says whether it stands for no pods at all, as the server sees it.
    pub(super) fn is_zero(self) -> bool {
        matches!(self, Self::Count(0) | Self::Percent(0))
    }
}

/// Looks at a number or a percentage (`ValidatePositiveIntOrPercent`), and returns it; a text that
/// is neither counts as the number in it.
pub(super) fn check_amount<'a>(
    cx: &mut Cx<'a>,
    rule: &'static Rule,
    field: Field<'a>,
    default: Amount,
) -> Amount {
    match field.node().map(|it| &it.kind) {
        None => default,
        Some(NodeKind::Scalar(Scalar::Int(number))) => {
            if *number < 0 {
                cx.invalid(rule, field, "must not be negative");
            }
            Amount::Count(*number)
        }
        Some(NodeKind::Scalar(Scalar::String(text))) => {
            let digits = text
                .strip_suffix('%')
                .filter(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
            match digits {
                Some(digits) => Amount::Percent(digits.parse().unwrap_or(i64::MAX)),
                None if wording::is_placeholder(text) => default,
                None => {
                    cx.invalid(rule, field, "must be a number or a percentage, such as `25%`");
                    Amount::Count(text.parse().unwrap_or(0))
                }
            }
        }
        Some(_) => Amount::Count(1),
    }
}

/// Wants a percentage of at most 100 (`IsNotMoreThan100Percent`).
pub(super) fn check_percent<'a>(
    cx: &mut Cx<'a>,
    rule: &'static Rule,
    field: Field<'a>,
    amount: Amount,
) {
    if matches!(amount, Amount::Percent(it) if it > 100) {
        cx.invalid(rule, field, "must not be more than 100%");
    }
}

/// Looks for the steps that the server filled in for the strategy before, which stay beside one
/// that has no steps.
pub(super) fn check_filled_in<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let steps = new.get("rollingUpdate");
    if !steps.exists() && !old.get("rollingUpdate").exists() {
        let path = steps.path();
        let message =
            format!("the server's own {} stays when the strategy changes", cx.place(&path));
        let help = "delete the object first, or write `rollingUpdate` out once before the strategy \
                    changes";
        cx.report(&STRATEGY, path, Part::Value, message, Some(help.to_owned()));
    }
}

/// Wants fields of a spec to be as they were.
pub(super) fn check_unchanged<'a>(
    cx: &mut Cx<'a>,
    new: Field<'a>,
    old: Field<'a>,
    keys: &[&'a str],
) {
    for key in keys {
        if change::first_in(new, old, key).is_some() {
            cx.immutable(&IMMUTABLE, new.get(key));
        }
    }
}
