//! Says of an object what the API server's own validation would say, beyond its schema.
//!
//! The code stands in one file for each kind or concept and follows the server's functions, each
//! named in the rule that it carries. A validator sees the object as it is written: what the
//! server would set by default before it looks, the validator has to assume.

mod admission;
mod api_service;
mod autoscaler;
mod certificate_request;
mod change;
mod config_map;
mod crd;
mod cron_job;
mod csi;
mod cx;
mod daemon_set;
mod deployment;
mod disruption_budget;
mod endpoints;
mod event;
mod expression;
mod field;
mod flow_control;
mod forms;
mod ingress;
mod ip;
mod job;
mod job_policies;
mod lease;
mod limit_range;
mod metadata;
mod namespace;
mod network_policy;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
mod pod;
mod priority_class;
mod rbac;
mod resource_quota;
mod resources;
mod rollout;
mod rule;
mod runtime_class;
mod schedule;
mod secret;
mod seen;
mod selector;
mod service;
mod service_account;
mod service_cidr;
mod shared;
mod stateful_set;
mod storage_class;
mod webhook_client;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cx::{Cx, Defect, LIMIT};
use field::{Field, Trail};
use rule::Rule;

use super::{Check, Context, Kinds, Results};
use crate::document::ObjectRef;
use crate::finding::{Failure, Finding};
use crate::review::{Operation, Review};
use crate::rule::RuleMeta;

/// Looks at an object that is to be created, or at the new state of one that changes.
type Validator = for<'a> fn(&mut Cx<'a>, Field<'a>);

/// Looks at what changes between the new state of an object and the old one, in this order.
type UpdateValidator = for<'a> fn(&mut Cx<'a>, Field<'a>, Field<'a>);

/// Who validates the objects of a kind, whatever their version.
#[derive(Debug, Clone, Copy)]
struct Kind {
    group: &'static str,
    name: &'static str,
    /// Asked at creation and, with the old state in [`Cx::old`], at updates.
    validate: Validator,
    /// Asked beside it at updates.
    update: Option<UpdateValidator>,
}

/// All kinds, as their files list them.
const KINDS: &[&[Kind]] = &[
    admission::KINDS,
    api_service::KINDS,
    autoscaler::KINDS,
    certificate_request::KINDS,
    config_map::KINDS,
    crd::KINDS,
    cron_job::KINDS,
    csi::KINDS,
    daemon_set::KINDS,
    deployment::KINDS,
    disruption_budget::KINDS,
    endpoints::KINDS,
    event::KINDS,
    flow_control::KINDS,
    ingress::KINDS,
    job::KINDS,
    lease::KINDS,
    limit_range::KINDS,
    namespace::KINDS,
    network_policy::KINDS,
    node::KINDS,
    persistent_volume::KINDS,
    persistent_volume_claim::KINDS,
    pod::KINDS,
    priority_class::KINDS,
    rbac::KINDS,
    resource_quota::KINDS,
    runtime_class::KINDS,
    secret::KINDS,
    service::KINDS,
    service_account::KINDS,
    service_cidr::KINDS,
    stateful_set::KINDS,
    storage_class::KINDS,
];

/// All rules, as their files list them.
const RULES: &[&[&Rule]] = &[
    admission::RULES,
    api_service::RULES,
    autoscaler::RULES,
    certificate_request::RULES,
    config_map::RULES,
    crd::RULES,
    cron_job::RULES,
    csi::RULES,
    deployment::RULES,
    disruption_budget::RULES,
    endpoints::RULES,
    event::RULES,
    expression::RULES,
    flow_control::RULES,
    forms::RULES,
    ingress::RULES,
    ip::RULES,
    job::RULES,
    job_policies::RULES,
    lease::RULES,
    limit_range::RULES,
    metadata::RULES,
    namespace::RULES,
    network_policy::RULES,
    node::RULES,
    persistent_volume::RULES,
    persistent_volume_claim::RULES,
    priority_class::RULES,
    rbac::RULES,
    resource_quota::RULES,
    resources::RULES,
    rollout::RULES,
    runtime_class::RULES,
    secret::RULES,
    selector::RULES,
    service::RULES,
    service_account::RULES,
    service_cidr::RULES,
    shared::RULES,
    stateful_set::RULES,
    storage_class::RULES,
    webhook_client::RULES,
];

/// The rules of pods, which have many files.
const RULES_OF_PODS: &[&[&Rule]] = pod::RULES;

static BY_NAME: LazyLock<BTreeMap<(&str, &str), &Kind>> = LazyLock::new(|| {
    KINDS.iter().copied().flatten().map(|kind| ((kind.group, kind.name), kind)).collect()
});

/// Judges objects by the API server's own rules.
#[derive(Debug)]
pub struct ApiCheck {
    metas: BTreeMap<&'static str, RuleMeta>,
    kinds: Arc<dyn Kinds>,
}

impl ApiCheck {
    /// Returns a check that asks `kinds` where the objects of a kind live.
    pub fn new(kinds: Arc<dyn Kinds>) -> Self {
        let rules = RULES.iter().chain(RULES_OF_PODS).copied().flatten();
        Self { metas: rules.map(|rule| (rule.id, rule.meta())).collect(), kinds }
    }

    fn finding(&self, object: &ObjectRef, defect: Defect) -> Option<Finding> {
        let meta = self.metas.get(defect.rule)?;
        let mut finding = Finding::new(meta, defect.span, defect.message)
            .with_object(Some(object.clone()))
            .with_path(defect.path);
        finding.help = defect.help;
        Some(finding)
    }
}

impl Check for ApiCheck {
    fn rules(&self) -> Vec<RuleMeta> {
        self.metas.values().cloned().collect()
    }

    fn check_object(&self, cx: Context<'_>, review: &Review<'_>, results: &mut Results) {
        let Some(object) = &review.object.object else { return };
        // What an API server asks about, it has validated.
        let is_wanted = cx.selection.allows_category("api");
        if !is_wanted || !review.stores_object() || review.asked.is_some() {
            return;
        }
        let kubernetes = review.environment.map_or(cx.kubernetes, |it| it.kubernetes);
        let trail = Trail::default();
        let old_trail = Trail::default();
        let root = Field::root(&review.object.root, &trail);
        let old = match (review.operation, review.old_object) {
            (Operation::Update, Some(old)) => Some(Field::root(&old.root, &old_trail)),
            _ => None,
        };
        let scope = self.kinds.scope(kubernetes, object);
        let mut state =
            Cx::new(kubernetes.minor, object, root, old, scope, review.apply, review.dry_run);
        metadata::validate(&mut state, root);
        if let Some(kind) = BY_NAME.get(&(object.group(), &*object.kind)) {
            (kind.validate)(&mut state, root);
            if let (Some(update), Some(old)) = (kind.update, old) {
                update(&mut state, root, old);
            }
        }
        let defects = state.into_defects();
        if defects.len() >= LIMIT {
            results.failures.push(Failure {
                rule: None,
                span: Some(review.object.span),
                reason: format!("an object has {LIMIT} defects or more; not all are told"),
                help: None,
            });
        }
        let wanted = |it: &Finding| cx.selection.allows(&it.rule);
        let findings = defects.into_iter().filter_map(|it| self.finding(object, it));
        results.findings.extend(findings.filter(wanted));
    }
}

#[cfg(test)]
mod fixture;
