//! `StatefulSets`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::INVALID;
use super::persistent_volume_claim;
use super::rollout::{self, Amount, EMPTY_SELECTOR, STRATEGY};
use super::rule::Rule;
use super::shared::UNSUPPORTED;
use super::{change, pod};
use crate::naming;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "apps", name: "StatefulSet", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&CHANGED, &CLAIM_NAME, &HISTORY];

const CHANGED: Rule = Rule::new(
    "api/stateful-set-changed",
    "Field of a StatefulSet changes that is fixed at creation",
    "The pods of a StatefulSet keep their names, their order, their claims and their service, so \
     only their number, their template and how they are replaced may change.",
    "delete the StatefulSet with `--cascade=orphan` and create it anew",
    &["ValidateStatefulSetUpdate"],
);

const CLAIM_NAME: Rule = Rule::new(
    "api/invalid-claim-template-name",
    "Claim template with a name that no volume can have",
    "The name of a claim template is that of the volume which the containers mount.",
    "choose a DNS label",
    &["ValidateStatefulSetSpec", "ValidateVolumes"],
);

const HISTORY: Rule = Rule::new(
    "api/negative-revision-history",
    "Negative number of revisions",
    "With a negative number all old revisions of a StatefulSet are kept for ever.",
    "use a number that is not negative",
    &["WarningsOnCreate"],
)
.warning();

const POLICIES: &[&str] = &["OrderedReady", "Parallel"];
const STRATEGIES: &[&str] = &["OnDelete", "RollingUpdate"];
const RETENTION: &[&str] = &["Delete", "Retain"];

/// The minor in which the templates of pods and claims are looked at.
const TEMPLATES: u32 = 34;
/// The minor in which the name of the service is looked at.
const SERVICE_NAME: u32 = 33;
/// The minor in which more than one pod may be missing, by default.
const MAX_UNAVAILABLE: u32 = 37;
/// The minor in which claims may go with their pods, by default.
const RETENTION_SINCE: u32 = 27;
/// The minor in which the first number may be chosen, by default.
const ORDINALS: u32 = 27;

/// What may change in the spec of a `StatefulSet` that exists, and since which minor.
const CHANGES: &[(&str, u32)] = &[
    ("replicas", 0),
    ("template", 0),
    ("updateStrategy", 0),
    ("minReadySeconds", 22),
    ("persistentVolumeClaimRetentionPolicy", 23),
    ("ordinals", 26),
    ("revisionHistoryLimit", 33),
];

/// Looks at a `StatefulSet` (`ValidateStatefulSet`).
fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    let policy = spec.get("podManagementPolicy");
    cx.one_of_if_any(policy, POLICIES);
    check_strategy(cx, spec.get("updateStrategy"));
    if cx.minor >= RETENTION_SINCE {
        let retention = spec.get("persistentVolumeClaimRetentionPolicy");
        for key in ["whenDeleted", "whenScaled"] {
            cx.one_of_if_any(retention.get(key), RETENTION);
        }
    }
    let claims = spec.get("volumeClaimTemplates");
    if cx.minor >= TEMPLATES && cx.old.is_none() {
        for claim in claims.items() {
            persistent_volume_claim::claim_spec(cx, claim.get("spec"));
        }
    }
    rollout::check_counts(cx, spec, &["replicas", "minReadySeconds"]);
    let start = spec.at(&["ordinals", "start"]);
    if cx.minor >= ORDINALS && start.int().is_some_and(|it| it < 0) {
        cx.invalid(&INVALID, start, "must not be negative");
    }
    if cx.minor >= SERVICE_NAME && cx.old.is_none() {
        cx.name_if_any(spec.get("serviceName"), naming::dns_label);
    }
    check_template(cx, spec, claims);
    let history = spec.get("revisionHistoryLimit");
    if history.int().is_some_and(|it| it < 0) {
        cx.invalid(&HISTORY, history, "keeps all old revisions");
    }
    pod::warn_of_template(cx, spec.get("template"));
}

fn check_template<'a>(cx: &mut Cx<'a>, spec: Field<'a>, claims: Field<'a>) {
    let template = spec.get("template");
    if rollout::check_selector(cx, spec) {
        if cx.minor < TEMPLATES {
            pod::check_template_metadata_only(cx, template);
        } else {
            let mark = cx.mark();
            check_pods(cx, template, claims);
            // What the server would not take now may keep its template.
            if cx.mark() > mark && cx.old.is_some_and(|old| cx.would_refuse(old, validate)) {
                cx.forget_since(mark);
            }
        }
    } else {
        cx.invalid(&EMPTY_SELECTOR, spec.get("selector"), "cannot be evaluated");
    }
    rollout::check_restart(cx, template);
}

/// Looks at the template of the pods, which have a volume for each claim.
fn check_pods<'a>(cx: &mut Cx<'a>, template: Field<'a>, claims: Field<'a>) {
    let names: Vec<&str> = claims.items().map(|it| it.at(&["metadata", "name"]).text()).collect();
    for claim in claims.items() {
        cx.require_name_by(&CLAIM_NAME, claim.at(&["metadata", "name"]), naming::dns_label);
    }
    let old = cx.old.map(|it| it.at(&["spec", "template"]));
    pod::check_template(cx, template, old, &names);
}

/// Looks at how pods are replaced.
fn check_strategy<'a>(cx: &mut Cx<'a>, strategy: Field<'a>) {
    let (kind, rolling) = (strategy.get("type"), strategy.get("rollingUpdate"));
    match kind.text() {
        "OnDelete" => {
            if rolling.exists() {
                cx.forbidden(&STRATEGY, rolling, "with the strategy `OnDelete`");
            }
        }
        "" | "RollingUpdate" => {
            let partition = rolling.get("partition");
            if partition.int().is_some_and(|it| it < 0) {
                cx.invalid(&STRATEGY, partition, "must not be negative");
            }
            if cx.minor >= MAX_UNAVAILABLE {
                let missing = rolling.get("maxUnavailable");
                let amount = rollout::check_amount(cx, &STRATEGY, missing, Amount::Count(1));
                if amount.is_zero() {
                    cx.invalid(&STRATEGY, missing, "must not be 0");
                }
                rollout::check_percent(cx, &STRATEGY, missing, amount);
            }
        }
        _ => {
            cx.not_supported(&UNSUPPORTED, kind, STRATEGIES);
            cx.named(strategy);
        }
    }
}

/// Looks at what changes (`ValidateStatefulSetUpdate`).
fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (new, old) = (new.get("spec"), old.get("spec"));
    let (strategy, before) = (new.get("updateStrategy"), old.get("updateStrategy"));
    if strategy.get("type").text() == "OnDelete" && before.get("type").is_empty() {
        rollout::check_filled_in(cx, strategy, before);
    }
    if cx.minor >= 37 {
        for key in ["selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy"] {
            if let Some(field) = change::first_in(new, old, key) {
                cx.immutable(&CHANGED, field);
                cx.named(new.get(key));
            }
        }
        return;
    }
    let allowed: Vec<&str> = CHANGES.iter().filter(|it| cx.minor >= it.1).map(|it| it.0).collect();
    if let Some(field) = change::first_beside(new, old, &allowed) {
        cx.immutable(&CHANGED, field);
        cx.named(new);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_refused, assert_update, findings};

    fn stateful_set(spec: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: a}}\nspec:\n  \
             selector: {{matchLabels: {{app: web}}}}\n  \
             template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i, volumeMounts: [{{name: data, mountPath: /a}}]}}]}}}}\n  \
             {spec}\n"
        )
    }

    const CLAIMS: &str = "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]";

    #[test]
    fn claims_are_volumes() {
        assert_refused(&stateful_set(CLAIMS), &[]);
        let missing = "spec.template.spec.containers[0].volumeMounts[0].name";
        assert_refused(&stateful_set("replicas: 1"), &[missing]);
        assert_eq!(findings(33, &stateful_set("replicas: 1")), []);
        assert_refused(
            &stateful_set(&CLAIMS.replace("data", "Data")),
            &["spec.volumeClaimTemplates[0].metadata.name", missing],
        );
    }

    #[test]
    fn fields_of_the_set() {
        for (fields, refused) in [
            ("serviceName: web, podManagementPolicy: Parallel, ordinals: {start: 1}", ""),
            ("serviceName: a.b", "serviceName"),
            ("podManagementPolicy: All", "podManagementPolicy"),
            ("ordinals: {start: -1}", "ordinals.start"),
            (
                "persistentVolumeClaimRetentionPolicy: {whenScaled: Keep}",
                "persistentVolumeClaimRetentionPolicy.whenScaled",
            ),
            ("updateStrategy: {type: OnDelete, rollingUpdate: {}}", "updateStrategy.rollingUpdate"),
            ("updateStrategy: {type: Recreate}", "updateStrategy"),
            (
                "updateStrategy: {rollingUpdate: {maxUnavailable: 0}}",
                "updateStrategy.rollingUpdate.maxUnavailable",
            ),
        ] {
            let fields = fields.replace(", pod", "\n  pod").replace(", ordinals", "\n  ordinals");
            let found = findings(37, &stateful_set(&format!("{CLAIMS}\n  {fields}")));
            let paths: Vec<&str> =
                found.iter().map(|it| it.2.strip_prefix("spec.").unwrap()).collect();
            assert_eq!(paths.join(" "), refused, "{fields}");
        }
    }

    #[test]
    fn only_some_fields_change() {
        let old = stateful_set(&format!("{CLAIMS}\n  serviceName: web\n  replicas: 1"));
        assert_update(&old, &old.replace("replicas: 1", "replicas: 2"), &[]);
        assert_update(&old, &old.replace("storage: 1Gi", "storage: 1024Mi"), &[]);
        assert_update(
            &old,
            &old.replace("storage: 1Gi", "storage: 2Gi"),
            &["spec.volumeClaimTemplates"],
        );
        assert_update(
            &old,
            &old.replace("serviceName: web", "serviceName: db"),
            &["spec.serviceName"],
        );
    }
}
