//! Deployments, `ReplicaSets` and `ReplicationControllers`.

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
    "api/missing-template",
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

/// Looks at a `ReplicaSet` (`ValidateReplicaSet`).
fn validate_replica_set<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    rollout::check_counts(cx, spec, &["replicas", "minReadySeconds"]);
    check_template(cx, spec);
    pod::warn_of_name(cx, object);
    pod::warn_of_template(cx, spec.get("template"));
}

/// The selector stays (`ValidateDeploymentUpdate`, `ValidateReplicaSetUpdate`).
fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (strategy, before) = (new.at(&["spec", "strategy"]), old.at(&["spec", "strategy"]));
    if strategy.get("type").text() == "Recreate" && before.get("type").text() != "Recreate" {
        rollout::check_filled_in(cx, strategy, before);
    }
    if cx.object.version() == "v1" || cx.object.version() == "v1beta2" {
        rollout::check_unchanged(cx, new.get("spec"), old.get("spec"), &["selector"]);
    }
}

/// Looks at a `ReplicationController` (`ValidateReplicationController`).
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
        // At an update the selector stays that once came from the labels.
        let kept = cx.old.map(|it| it.get("spec")).filter(|_| selector.is_empty()).map(|old| {
            let selector = old.get("selector");
            let labels = old.at(&["template", "metadata", "labels"]);
            if selector.is_empty() { labels } else { selector }
        });
        if !Labels::of(labels).have_all_of(kept.unwrap_or(selector)) {
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

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_one, assert_refused, assert_update};

    fn workload(kind: &str, spec: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  \
             template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}\n  \
             {spec}\n"
        )
    }

    fn deployment(spec: &str) -> String {
        workload("Deployment", &format!("selector: {{matchLabels: {{app: web}}}}\n  {spec}"))
    }

    #[test]
    fn the_selector_fits_the_template() {
        for (selector, refused) in [
            ("{matchLabels: {app: web}}", vec![]),
            ("{matchLabels: {app: '${APP}'}}", vec![]),
            ("{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", vec![]),
            (
                "{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}",
                vec!["spec.template.metadata.labels"],
            ),
            ("{matchLabels: {app: db}}", vec!["spec.template.metadata.labels"]),
            ("{}", vec!["spec.selector"]),
            ("null", vec!["spec.selector"]),
            ("{matchLabels: {a b: c}}", vec!["spec.selector.matchLabels", "spec.selector"]),
            (
                "{matchExpressions: [{key: app, operator: Is}]}",
                vec!["spec.selector.matchExpressions[0].operator", "spec.selector"],
            ),
        ] {
            for kind in ["Deployment", "ReplicaSet"] {
                assert_refused(&workload(kind, &format!("selector: {selector}")), &refused);
            }
        }
        assert_one(
            &workload("Deployment", "selector: {matchLabels: {app: db}}"),
            "api/selector-mismatch",
            "`spec.template.metadata.labels` must fit the selector",
            "spec.template.metadata.labels",
            "{app: web}",
        );
    }

    #[test]
    fn strategies_have_steps() {
        for (strategy, refused) in [
            ("{type: Recreate}", vec![]),
            ("{rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}", vec![]),
            (
                "{rollingUpdate: {maxUnavailable: 0, maxSurge: 0%}}",
                vec!["spec.strategy.rollingUpdate.maxUnavailable"],
            ),
            (
                "{rollingUpdate: {maxUnavailable: 101%}}",
                vec!["spec.strategy.rollingUpdate.maxUnavailable"],
            ),
            ("{rollingUpdate: {maxSurge: '1'}}", vec!["spec.strategy.rollingUpdate.maxSurge"]),
            ("{type: Recreate, rollingUpdate: {}}", vec!["spec.strategy.rollingUpdate"]),
            ("{type: OnDelete}", vec!["spec.strategy"]),
        ] {
            assert_refused(&deployment(&format!("strategy: {strategy}")), &refused);
        }
    }

    #[test]
    fn numbers_make_sense() {
        assert_refused(&deployment("replicas: -1"), &["spec.replicas"]);
        assert_refused(&deployment("minReadySeconds: 600"), &["spec.progressDeadlineSeconds"]);
        assert_refused(
            &deployment("progressDeadlineSeconds: 0"),
            &["spec.progressDeadlineSeconds"],
        );
    }

    #[test]
    fn pods_are_kept_running() {
        let object = deployment("replicas: 1")
            .replace("containers:", "restartPolicy: Never, activeDeadlineSeconds: 5, containers:");
        assert_refused(
            &object,
            &["spec.template.spec.restartPolicy", "spec.template.spec.activeDeadlineSeconds"],
        );
    }

    #[test]
    fn the_selector_stays() {
        let old = deployment("replicas: 1");
        assert_update(&old, &deployment("replicas: 2"), &[]);
        assert_update(&old, &old.replace("web", "db"), &["spec.selector"]);
    }

    #[test]
    fn steps_that_the_server_filled_in_stay() {
        let recreate = deployment("strategy: {type: Recreate}");
        let steps = ["spec.strategy.rollingUpdate"];
        assert_update(&deployment("replicas: 1"), &recreate, &steps);
        assert_update(&deployment("strategy: {rollingUpdate: {maxSurge: 1}}"), &recreate, &[]);
        assert_update(&recreate, &recreate, &[]);
    }

    #[test]
    fn controllers_select_by_their_template() {
        let controller =
            |spec: &str| workload("ReplicationController", spec).replace("apps/v1", "v1");
        assert_refused(&controller("replicas: 1"), &[]);
        assert_refused(&controller("selector: {app: db}"), &["spec.template.metadata.labels"]);
        assert_update(
            &controller("replicas: 1"),
            &controller("replicas: 1").replace("web", "db"),
            &["spec.template.metadata.labels"],
        );
        let none = "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec: {selector: {a: b}}\n";
        assert_refused(none, &["spec.template"]);
    }
}
