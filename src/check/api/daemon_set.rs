//! `DaemonSets`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::rollout::{self, Amount, EMPTY_SELECTOR, STRATEGY};
use super::shared::UNSUPPORTED;
use super::{pod, selector};

pub(super) const KINDS: &[Kind] = &[
    Kind { group: "apps", name: "DaemonSet", validate, update: Some(update) },
    Kind { group: "extensions", name: "DaemonSet", validate, update: None },
];

const STRATEGIES: &[&str] = &["OnDelete", "RollingUpdate"];
/// The minor in which a `DaemonSet` may have more pods than nodes for a while, by default.
const SURGE: u32 = 22;

/// Looks at a `DaemonSet` (`ValidateDaemonSet`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let (labels, template) = (spec.get("selector"), spec.get("template"));
    let old = cx.old.map(|it| it.get("spec"));
    let keep = old.is_some_and(|it| selector::has_invalid_value(it.get("selector")));
    selector::check_leniently(cx, labels, keep);
    if labels.exists() {
        if selector::is_valid(labels) {
            rollout::check_match(cx, labels, template);
        }
        if selector::is_empty(labels) {
            cx.invalid(&EMPTY_SELECTOR, labels, "must not be empty");
        }
    } else if !rollout::defaults_selector(cx) {
        // A selector that is missing selects nothing, so the server says that of the labels.
        cx.required(&EMPTY_SELECTOR, labels, "");
        cx.named(template.at(&["metadata", "labels"]));
    }
    rollout::check_template(cx, spec, old);
    rollout::check_counts(
        cx,
        spec,
        &["minReadySeconds", "templateGeneration", "revisionHistoryLimit"],
    );
    check_strategy(cx, spec.get("updateStrategy"));
    pod::warn_of_template(cx, template);
}

/// Looks at how pods are replaced (`ValidateDaemonSetUpdateStrategy`).
fn check_strategy<'a>(cx: &mut Cx<'a>, strategy: Field<'a>) {
    let (kind, rolling) = (strategy.get("type"), strategy.get("rollingUpdate"));
    match kind.text() {
        "OnDelete" => {}
        "" | "RollingUpdate" => {
            let (missing, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            let missing_amount = rollout::check_amount(cx, &STRATEGY, missing, Amount::Count(1));
            let surge_amount = if cx.minor >= SURGE {
                rollout::check_amount(cx, &STRATEGY, surge, Amount::Count(0))
            } else {
                Amount::Count(0)
            };
            rollout::check_percent(cx, &STRATEGY, missing, missing_amount);
            rollout::check_percent(cx, &STRATEGY, surge, surge_amount);
            match (missing_amount.is_zero(), surge_amount.is_zero()) {
                (false, false) => {
                    cx.invalid(&STRATEGY, surge, "must be 0 unless `maxUnavailable` is 0");
                }
                (true, true) => {
                    cx.invalid(&STRATEGY, missing, "must not be 0 when `maxSurge` is 0");
                }
                _ => {}
            }
        }
        _ => {
            cx.not_supported(&UNSUPPORTED, kind, STRATEGIES);
            cx.named(strategy);
        }
    }
}

/// The selector stays (`ValidateDaemonSetSpecUpdate`).
fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    rollout::check_unchanged(cx, new.get("spec"), old.get("spec"), &["selector"]);
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_refused, assert_update};

    fn daemon_set(spec: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: a}}\nspec:\n  \
             template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}\n  \
             {spec}\n"
        )
    }

    #[test]
    fn pods_are_missing_or_too_many() {
        let with = |rolling: &str| {
            daemon_set(&format!(
                "selector: {{matchLabels: {{app: web}}}}\n  updateStrategy: {{rollingUpdate: {{{rolling}}}}}"
            ))
        };
        let at = |key: &str| format!("spec.updateStrategy.rollingUpdate.{key}");
        assert_refused(&with("maxUnavailable: 0, maxSurge: 10%"), &[]);
        assert_refused(&with("maxSurge: 1"), &[&at("maxSurge")]);
        assert_refused(&with("maxUnavailable: 0"), &[&at("maxUnavailable")]);
        assert_refused(&with("maxUnavailable: 200%"), &[&at("maxUnavailable")]);
    }

    #[test]
    fn the_selector_is_there_and_stays() {
        assert_refused(&daemon_set("minReadySeconds: 1"), &["spec.template.metadata.labels"]);
        assert_refused(&daemon_set("selector: {}"), &["spec.selector"]);
        let old = daemon_set("selector: {matchLabels: {app: web}}");
        assert_update(&old, &old.replace("web", "db"), &["spec.selector"]);
    }
}
