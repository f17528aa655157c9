//! The audit log: who asked what, and what was answered. Never a value of an object.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::logs::now;
use crate::admission::{Decision, Record};
use crate::rule::RuleId;

/// Characters of a uid; those of an API server have 36.
const UID: usize = 128;

/// One line of the audit log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    ts: String,
    uid: String,
    user: &'a str,
    groups: &'a [String],
    operation: &'a str,
    gvk: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    sub_resource: &'a str,
    namespace: &'a str,
    name: &'a str,
    dry_run: bool,
    decision: &'a str,
    code: u16,
    rules: BTreeMap<&'a str, &'a str>,
    failed_rules: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    ms: f64,
    digest: &'a str,
}

impl<'a> Line<'a> {
    /// Returns the line of a decision. `refused` says why nothing was judged, in words of ours.
    pub(super) fn new(
        record: &'a Record,
        refused: Option<&'a str>,
        took: Duration,
        digest: &'a str,
    ) -> Self {
        let Record { group, version, kind, .. } = record;
        let gvk = [group, version, kind].into_iter().filter(|it| !it.is_empty());
        Self {
            ts: now(),
            uid: record.uid.chars().take(UID).collect(),
            user: &record.user,
            groups: &record.groups,
            operation: record.operation,
            gvk: gvk.map(String::as_str).collect::<Vec<_>>().join("/"),
            sub_resource: &record.sub_resource,
            namespace: &record.namespace,
            name: &record.name,
            dry_run: record.dry_run,
            decision: record.decision.map_or("", Decision::as_str),
            code: record.code,
            rules: record.rules.iter().map(|(rule, it)| (rule.as_str(), it.as_str())).collect(),
            failed_rules: record.failed_rules.iter().map(RuleId::as_str).collect(),
            refused,
            ms: (took.as_secs_f64() * 1e6).round() / 1e3,
            digest,
        }
    }
}
