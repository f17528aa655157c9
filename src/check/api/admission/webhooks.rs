//! Configurations of admission webhooks, those that validate and those that mutate.

use std::collections::BTreeSet;

use super::{
    FAILURE_POLICIES, MATCH_POLICIES, REINVOCATION_POLICIES, check_conditions, one_of, resources,
};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::rule::Rule;
use crate::check::api::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use crate::check::api::{selector, webhook_client};
use crate::naming;

pub(in crate::check::api) const WEBHOOK: Rule = Rule::new(
    "api/invalid-webhook",
    "Webhook that the API server does not register",
    "A webhook has the name of a domain of three parts, answers within 30 seconds, has no side \
     effects that a dry run would keep, and understands a version of AdmissionReview that the \
     server speaks.",
    "set `sideEffects: None`, `admissionReviewVersions: [v1]` and a name such as \
     `check.example.com`",
    &["validateValidatingWebhook", "validateMutatingWebhook", "validateAdmissionReviewVersions"],
);

const NO_SIDE_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const SIDE_EFFECTS: [&str; 4] = ["None", "NoneOnDryRun", "Some", "Unknown"];

/// The versions of AdmissionReview that servers speak.
const REVIEW_VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// What may stay wrong, because it is so already.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    side_effects: bool,
    versions: bool,
    names: bool,
    selectors: bool,
    conditions: bool,
}

impl Kept {
    fn of(cx: &Cx<'_>, new: Field<'_>) -> Self {
        let Some(old) = cx.old.map(|it| it.get("webhooks")) else { return Self::default() };
        let hooks = || old.items();
        let mut names = BTreeSet::new();
        let invalid = |it: Field<'_>| selector::has_invalid_value(it);
        Self {
            side_effects: hooks()
                .any(|it| !NO_SIDE_EFFECTS.contains(&it.get("sideEffects").text())),
            versions: hooks().any(|it| {
                let versions = it.get("admissionReviewVersions");
                !versions.is_empty()
                    && !versions.items().any(|it| REVIEW_VERSIONS.contains(&it.text()))
            }),
            names: hooks().any(|it| !names.insert(it.get("name").text())),
            selectors: hooks().any(|it| {
                invalid(it.get("namespaceSelector")) || invalid(it.get("objectSelector"))
            }),
            conditions: old.len() == new.len()
                && hooks().zip(new.items()).all(|(old, new)| {
                    old.get("matchConditions").equals(new.get("matchConditions"))
                }),
        }
    }
}

/// Looks at a configuration of either kind.
pub(super) fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let webhooks = object.get("webhooks");
    let kept = Kept::of(cx, webhooks);
    // What is missing in an object of version v1beta1 has a default.
    let is_v1 = cx.object.version() == "v1";
    let is_mutating = &*cx.object.kind == "MutatingWebhookConfiguration";
    let mut names = BTreeSet::new();
    for webhook in webhooks.items() {
        check(cx, webhook, kept, is_v1);
        if is_mutating {
            one_of(cx, webhook.get("reinvocationPolicy"), &REINVOCATION_POLICIES);
        }
        let name = webhook.get("name");
        if is_v1 && !kept.names && !name.is_empty() && !names.insert(name.text()) {
            cx.duplicate(&DUPLICATE, name);
        }
    }
}

fn check<'a>(cx: &mut Cx<'a>, webhook: Field<'a>, kept: Kept, is_v1: bool) {
    let get = |key| webhook.get(key);
    check_name(cx, get("name"));
    for rule in get("rules").items() {
        resources::check_rule(cx, rule);
    }
    one_of(cx, get("failurePolicy"), &FAILURE_POLICIES);
    one_of(cx, get("matchPolicy"), &MATCH_POLICIES);
    let effects = get("sideEffects");
    if effects.exists() {
        let allowed: &[&str] =
            if is_v1 && !kept.side_effects { &NO_SIDE_EFFECTS } else { &SIDE_EFFECTS };
        if !allowed.contains(&effects.text()) {
            cx.not_supported(&UNSUPPORTED, effects, allowed);
        }
    } else if is_v1 {
        cx.required(&MISSING, effects, "");
        cx.help("set `None`, or `NoneOnDryRun`");
    }
    let timeout = get("timeoutSeconds");
    if timeout.int().is_some_and(|it| !(1..=30).contains(&it)) {
        cx.invalid(&WEBHOOK, timeout, "must be between 1 and 30");
    }
    for key in ["namespaceSelector", "objectSelector"] {
        selector::check_leniently(cx, get(key), kept.selectors);
    }
    webhook_client::check(cx, get("clientConfig"));
    if !kept.conditions {
        let old = cx.old.and_then(|it| {
            let mut webhooks = it.get("webhooks").items();
            webhooks.find(|it| it.get("name").text() == get("name").text())
        });
        let old = old.map(|it| it.get("matchConditions"));
        check_conditions(cx, get("matchConditions"), old, false);
    }
    let versions = get("admissionReviewVersions");
    if is_v1 || !versions.is_empty() {
        check_versions(cx, versions, kept);
    }
}

/// Looks at the name of a webhook (`IsFullyQualifiedName`).
fn check_name<'a>(cx: &mut Cx<'a>, name: Field<'a>) {
    if name.is_empty() {
        cx.required(&MISSING, name, "");
    } else if let Some(wrong) = naming::dns_subdomain(name.text()) {
        cx.invalid(&WEBHOOK, name, wrong);
    } else if name.text().split('.').count() < 3 {
        cx.invalid(&WEBHOOK, name, "must be a domain of three parts, such as `check.example.com`");
    }
}

fn check_versions<'a>(cx: &mut Cx<'a>, versions: Field<'a>, kept: Kept) {
    if versions.is_empty() {
        cx.required(&MISSING, versions, "");
        cx.help("set `[v1]`");
        return;
    }
    let mut seen = BTreeSet::new();
    for version in versions.items() {
        if !seen.insert(version.text()) {
            cx.duplicate(&DUPLICATE, version);
        } else if let Some(wrong) = naming::dns_1035_label(version.text()) {
            cx.invalid(&WEBHOOK, version, wrong);
        }
    }
    if !kept.versions && !REVIEW_VERSIONS.iter().any(|it| seen.contains(it)) {
        cx.invalid(&WEBHOOK, versions, "must have `v1` or `v1beta1` in it");
    }
}
