//! The order in which objects are put out.

use super::field::Kinds;
use super::object::Object;
use crate::graph::kustomization::{SortOptions, Text};
use crate::render::RenderError;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts objects as `sortOptions` says, else in kustomize's legacy order, which is its default.
pub(super) fn sort(
    objects: &mut [Object],
    options: Option<&SortOptions>,
) -> Result<(), RenderError> {
    let legacy = match options {
        None => None,
        Some(options) => {
            let order = options.order.as_ref();
            match (order.map(Text::as_str), &options.legacy) {
                (Some("fifo"), None) => return Ok(()),
                (Some("fifo"), Some(legacy)) => {
                    return Err(RenderError::broken(
                        legacy.span,
                        "`legacySortOptions` is set, but the order is not `legacy`",
                    ));
                }
                (Some("legacy"), legacy) => legacy.as_ref(),
                _ => {
                    let span = order.map_or(options.span, |order| order.span);
                    let message = "`sortOptions.order` is neither `fifo` nor `legacy`";
                    return Err(RenderError::broken(span, message));
                }
            }
        }
    };
    let texts = |texts: &[Text]| texts.iter().map(|text| text.text.to_string()).collect();
    let (first, last): (Vec<String>, Vec<String>) = match legacy {
        Some(legacy) => (texts(&legacy.order_first), texts(&legacy.order_last)),
        None => (FIRST.map(str::to_owned).to_vec(), LAST.map(str::to_owned).to_vec()),
    };
    let rank = |kind: &str| {
        let at = |list: &[String]| list.iter().position(|it| it == kind);
        match (at(&last), at(&first)) {
            (Some(at), _) => (2, at),
            (None, Some(at)) => (0, at),
            (None, None) => (1, 0),
        }
    };
    objects.sort_by_cached_key(|object| {
        let id = object.id();
        let group = sort_text(id.group(), id.version(), &id.kind);
        let name = format!("{}|{}", or(&object.namespace(), "~X"), or(&id.name, "~N"));
        (rank(&id.kind), group, name)
    });
    Ok(())
}

/// Returns the rank of kinds in a list of fields: kustomize's `Gvk.IsLessThan`.
pub(super) fn rank(kinds: &Kinds) -> (usize, String) {
    let at = |list: &[&str]| list.iter().position(|it| *it == &*kinds.kind);
    let order = match (at(&FIRST), at(&LAST)) {
        (Some(at), _) => at,
        (None, Some(at)) => FIRST.len() + 1 + at,
        (None, None) => FIRST.len(),
    };
    (order, sort_text(&kinds.group, &kinds.version, &kinds.kind))
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn sort_text(group: &str, version: &str, kind: &str) -> String {
    format!("{}_{}_{}", or(group, "~G"), or(version, "~V"), or(kind, "~K"))
}
