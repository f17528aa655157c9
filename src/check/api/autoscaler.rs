//! `HorizontalPodAutoscalers`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::OUT_OF_RANGE;
use super::resources::{self, amount};
use super::rule::Rule;
use super::shared::{MISSING, UNSUPPORTED};
use crate::naming;
use crate::quantity::Quantity;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "autoscaling", name: "HorizontalPodAutoscaler", validate, update: None }];

pub(super) const RULES: &[&Rule] = &[&REPLICAS, &TARGET, &METRIC, &SCALING];

const REPLICAS: Rule = Rule::new(
    "api/invalid-replica-bounds",
    "Bounds of an autoscaler that leave no room",
    "An autoscaler keeps between `minReplicas` and `maxReplicas` pods: at least one (none only by \
     metrics of objects or from outside, from 1.37 on), and never fewer at most than at least.",
    "make `minReplicas` at least 1 and `maxReplicas` no less than that",
    &["validateHorizontalPodAutoscalerSpec", "validateMetrics"],
);

const TARGET: Rule = Rule::new(
    "api/invalid-scale-target",
    "Autoscaler without something to scale",
    "The target is named by API version, kind and name.",
    "write `apiVersion`, `kind` and `name` of the workload",
    &["ValidateCrossVersionObjectReference"],
);

const METRIC: Rule = Rule::new(
    "api/invalid-metric",
    "Metric of an autoscaler that cannot be measured",
    "A metric has a type, the one field of that name, and a target that fits it: a value, an average \
     value or an average utilization, each greater than zero.",
    "write the field of the metric's type, and one target in it",
    &["validateMetricSpec", "validateMetricTarget"],
);

const SCALING: Rule = Rule::new(
    "api/invalid-scaling-rules",
    "Rules of scaling that cannot be followed",
    "Rules have policies of a number of pods or a percentage within some seconds, at most 1800, and \
     wait at most an hour before they follow a change.",
    "mend the policy, or leave `policies` out for the default ones",
    &["validateScalingRules", "validateScalingPolicy"],
);

/// A type of metric: its name, its field, and what is checked in that.
type Source = (&'static str, &'static str, for<'a> fn(&mut Cx<'a>, Field<'a>));

/// In the order in which the server looks at them.
const SOURCES: [Source; 5] = [
    ("Object", "object", check_object),
    ("External", "external", check_external),
    ("Pods", "pods", check_pods),
    ("Resource", "resource", check_resource),
    ("ContainerResource", "containerResource", check_container_resource),
];

const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    check_replicas(cx, spec);
    let target = spec.get("scaleTargetRef");
    let old = cx.old.map(|it| it.at(&["spec", "scaleTargetRef"]));
    let same = old.is_some_and(|it| {
        ["apiVersion", "kind"].iter().all(|key| it.get(key).text() == target.get(key).text())
    });
    check_target(cx, target);
    if !same {
        let is_core = target.get("kind").text() == "ReplicationController";
        check_version(cx, target.get("apiVersion"), is_core);
    }
    match cx.object.version() {
        "v1" => {
            let share = spec.get("targetCPUUtilizationPercentage");
            if share.int().is_some_and(|it| it < 1) {
                cx.at_least(share, 1);
                // The server makes a metric of it.
                let resource = spec.get("metrics").index(0).get("resource");
                cx.named(resource.at(&["target", "averageUtilization"]));
            }
        }
        "v2beta1" => {}
        _ => {
            check_metrics(cx, spec.get("metrics"));
            check_behavior(cx, spec.get("behavior"));
        }
    }
}

fn check_replicas<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    let (min, max) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    let had_none = cx.old.is_some_and(|it| it.at(&["spec", "minReplicas"]).int() == Some(0));
    let lowest = i64::from(cx.minor < 37 && !had_none);
    let least = min.int().unwrap_or(1);
    if least < lowest {
        cx.invalid(&REPLICAS, min, &format!("must be at least {lowest}"));
    }
    if let Some(most) = max.int() {
        if most < 1 {
            cx.invalid(&REPLICAS, max, "must be at least 1");
        }
        if most < least {
            cx.invalid(&REPLICAS, max, "is less than `minReplicas`");
        }
    } else if !max.exists() {
        cx.required(&REPLICAS, max, "");
    }
    let from_outside = |it: Field<'a>| matches!(it.get("type").text(), "Object" | "External");
    if least == 0 && lowest == 0 && !spec.get("metrics").items().any(from_outside) {
        let why = "no pods at all need a metric of the type `Object` or `External`";
        cx.required(&REPLICAS, spec.get("metrics"), why);
    }
}

fn check_target<'a>(cx: &mut Cx<'a>, target: Field<'a>) {
    for key in ["kind", "name"] {
        let field = target.get(key);
        if field.is_empty() {
            cx.required(&TARGET, field, "");
        } else if let Some(wrong) = naming::path_segment(field.text()) {
            cx.invalid(&TARGET, field, wrong);
        }
    }
}

/// Checks the API version of a target (`ValidateAPIVersion`, from 1.34 on).
fn check_version<'a>(cx: &mut Cx<'a>, version: Field<'a>, may_be_core: bool) {
    if cx.minor < 34 {
        return;
    }
    let text = version.text();
    if text.matches('/').count() > 1 {
        cx.invalid(&TARGET, version, "must be a group, `/` and a version");
    } else if !may_be_core && text.split_once('/').is_none_or(|(group, _)| group.is_empty()) {
        if version.is_empty() {
            cx.required(&TARGET, version, "it says in which group the kind is");
        } else {
            cx.invalid(&TARGET, version, "must name the group of the kind, such as `apps/v1`");
        }
    }
}

fn check_metrics<'a>(cx: &mut Cx<'a>, metrics: Field<'a>) {
    for metric in metrics.items() {
        let kind = metric.get("type");
        let known = SOURCES.iter().find(|it| it.0 == kind.text());
        if kind.is_empty() {
            cx.required(&METRIC, kind, "");
        } else if known.is_none() {
            cx.not_supported(&UNSUPPORTED, kind, &TYPES);
        }
        let wanted = known.map(|it| it.1);
        let present: Vec<&Source> = SOURCES.iter().filter(|it| metric.get(it.1).exists()).collect();
        if let Some((_, key, check)) = present.first() {
            check(cx, metric.get(key));
        }
        if let Some(wanted) = wanted
            && !metric.get(wanted).exists()
        {
            cx.required(&METRIC, metric.get(wanted), "the type of the metric is this");
        }
        if present.len() > 1 || wanted.is_none() {
            for (_, key, _) in present.iter().filter(|it| Some(it.1) != wanted) {
                cx.forbidden(&METRIC, metric.get(key), "beside the field of the metric's type");
            }
        } else if let Some((_, key, _)) = present.first()
            && Some(*key) != wanted
        {
            cx.forbidden(&METRIC, metric.get(key), "where the type of the metric is another");
        }
    }
}

fn check_object<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let described = source.get("describedObject");
    check_target(cx, described);
    let old = cx.old.map(|it| it.at(&["spec", "metrics"]));
    let kept = old.is_some_and(|it| {
        it.items().any(|it| {
            let version = it.get("object").get("describedObject").get("apiVersion");
            version.text().matches('/').count() > 1
        })
    });
    if !kept {
        check_version(cx, described.get("apiVersion"), true);
    }
    check_identifier(cx, source.get("metric"));
    let target = source.get("target");
    check_measure(cx, target);
    if !target.get("value").exists() && !target.get("averageValue").exists() {
        cx.required(&METRIC, target.get("averageValue"), "the target is this or `value`");
    }
}

fn check_external<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    check_identifier(cx, source.get("metric"));
    let target = source.get("target");
    check_measure(cx, target);
    match (target.get("value").exists(), target.get("averageValue").exists()) {
        (false, false) => {
            cx.required(&METRIC, target.get("averageValue"), "the target is this or `value`");
        }
        (true, true) => cx.forbidden(&METRIC, target.get("value"), "beside `averageValue`"),
        _ => {}
    }
}

fn check_pods<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    check_identifier(cx, source.get("metric"));
    let target = source.get("target");
    check_measure(cx, target);
    if !target.get("averageValue").exists() {
        cx.required(&METRIC, target.get("averageValue"), "metrics of pods have an average");
    }
}

fn check_resource<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    cx.require(source.get("name"));
    check_use(cx, source.get("target"));
}

fn check_container_resource<'a>(cx: &mut Cx<'a>, source: Field<'a>) {
    let name = source.get("name");
    if cx.require(name)
        && let Some(wrong) = resources::container_resource_name(name.text())
    {
        cx.invalid(&METRIC, name, wrong);
    }
    cx.require_name(source.get("container"), naming::dns_label);
    check_use(cx, source.get("target"));
}

/// Checks the target of a resource that containers use.
fn check_use<'a>(cx: &mut Cx<'a>, target: Field<'a>) {
    check_measure(cx, target);
    let (share, value) = (target.get("averageUtilization"), target.get("averageValue"));
    match (share.exists(), value.exists()) {
        (false, false) => cx.required(&METRIC, share, "the target is this or `averageValue`"),
        (true, true) => cx.forbidden(&METRIC, value, "beside `averageUtilization`"),
        _ => {}
    }
}

fn check_measure<'a>(cx: &mut Cx<'a>, target: Field<'a>) {
    let kind = target.get("type");
    if kind.is_empty() {
        cx.required(&METRIC, kind, "");
    } else if !matches!(kind.text(), "Utilization" | "Value" | "AverageValue") {
        cx.not_supported(&METRIC, kind, &["Utilization", "Value", "AverageValue"]);
    }
    for key in ["value", "averageValue"] {
        let value = target.get(key);
        if amount(value).is_some_and(|it| it <= Quantity::ZERO) {
            cx.invalid(&METRIC, value, "must be greater than zero");
        }
    }
    let share = target.get("averageUtilization");
    if share.int().is_some_and(|it| it < 1) {
        cx.invalid(&METRIC, share, "must be greater than zero");
    }
}

fn check_identifier<'a>(cx: &mut Cx<'a>, metric: Field<'a>) {
    cx.require_name(metric.get("name"), naming::path_segment);
}

fn check_behavior<'a>(cx: &mut Cx<'a>, behavior: Field<'a>) {
    for rules in [behavior.get("scaleUp"), behavior.get("scaleDown")] {
        if !rules.exists() {
            continue;
        }
        cx.between(rules.get("stabilizationWindowSeconds"), 0, 3600);
        cx.one_of(rules.get("selectPolicy"), &["Disabled", "Max", "Min"]);
        let policies = rules.get("policies");
        if policies.exists() && policies.is_empty() {
            cx.required(&MISSING, policies, "rules have at least one policy");
        }
        for policy in policies.items() {
            cx.one_of(policy.get("type"), &["Percent", "Pods"]);
            for key in ["value", "periodSeconds"] {
                let number = policy.get(key);
                if number.int().is_some_and(|it| it <= 0) {
                    cx.invalid(&SCALING, number, "must be greater than zero");
                }
            }
            let period = policy.get("periodSeconds");
            if period.int().is_some_and(|it| it > 1800) {
                cx.invalid(&SCALING, period, "must be at most 1800");
            }
        }
        let tolerance = rules.get("tolerance");
        if cx.minor >= 35 && amount(tolerance).is_some_and(|it| it.is_negative()) {
            cx.invalid(&OUT_OF_RANGE, tolerance, "must not be negative");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_one, assert_refused};

    const TARGET: &str = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: b}";

    fn scaler(fields: &str) -> String {
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec: {{{TARGET}, maxReplicas: 3, {fields}}}\n"
        )
    }

    #[test]
    fn bounds_leave_room() {
        assert_clean(&scaler("minReplicas: 3"));
        assert_one(
            &scaler("minReplicas: 4"),
            "api/invalid-replica-bounds",
            "`3` in `spec.maxReplicas` is less than `minReplicas`",
            "spec.maxReplicas",
            "3",
        );
        assert_refused(&scaler("minReplicas: -1"), &["spec.minReplicas"]);
        assert_refused(&scaler("minReplicas: 0"), &["spec.metrics"]);
        assert_refused(
            &scaler("").replace("maxReplicas: 3", "maxReplicas: 0"),
            &["spec.maxReplicas", "spec.maxReplicas"],
        );
    }

    #[test]
    fn targets_have_groups() {
        assert_refused(&scaler("").replace("apps/v1", "v1"), &["spec.scaleTargetRef.apiVersion"]);
        assert_clean(
            &scaler("").replace("apps/v1, kind: Deployment", "v1, kind: ReplicationController"),
        );
    }

    #[test]
    fn metrics_have_one_source_and_one_target() {
        let metric = |fields: &str| scaler(&format!("metrics: [{{{fields}}}]"));
        let cpu = "type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}";
        assert_clean(&metric(cpu));
        assert_refused(
            &metric(&cpu.replace("50", "0")),
            &["spec.metrics[0].resource.target.averageUtilization"],
        );
        assert_refused(
            &metric(&cpu.replace("type: Resource", "type: Pods")),
            &["spec.metrics[0].pods", "spec.metrics[0].resource"],
        );
        assert_refused(
            &metric(&cpu.replace("averageUtilization: 50", "value: 1")),
            &["spec.metrics[0].resource.target.averageUtilization"],
        );
        assert_refused(
            &metric(
                "type: External, external: {metric: {name: ''}, target: {type: Value, value: 1, averageValue: 1}}",
            ),
            &["spec.metrics[0].external.metric.name", "spec.metrics[0].external.target.value"],
        );
    }

    #[test]
    fn rules_have_policies() {
        assert_refused(
            &scaler("behavior: {scaleUp: {policies: []}}"),
            &["spec.behavior.scaleUp.policies"],
        );
        assert_clean(&scaler("behavior: {scaleUp: {stabilizationWindowSeconds: 0}}"));
        assert_refused(
            &scaler(
                "behavior: {scaleDown: {policies: [{type: Pods, value: 0, periodSeconds: 1801}]}}",
            ),
            &[
                "spec.behavior.scaleDown.policies[0].value",
                "spec.behavior.scaleDown.policies[0].periodSeconds",
            ],
        );
    }
}
