//! What changes between two states of an object, when what the server fills in is no change.

use super::field::Field;
use super::resources;
use crate::document::{Node, NodeKind, Scalar};

/// What the server fills in where the field is missing, by the name of the field.
///
/// Names mean the same wherever pods, workloads and claims have them.
const DEFAULTS: &[(&str, &str)] = &[
    ("apiVersion", "v1"),
    ("cachingMode", "ReadWrite"),
    ("completionMode", "NonIndexed"),
    ("defaultMode", "420"),
    ("dnsPolicy", "ClusterFirst"),
    ("enableServiceLinks", "true"),
    ("expirationSeconds", "3600"),
    ("failureThreshold", "3"),
    ("fsType", "ext4"),
    ("hostIPC", "false"),
    ("hostNetwork", "false"),
    ("hostPID", "false"),
    ("hostPort", "0"),
    ("initialDelaySeconds", "0"),
    ("iscsiInterface", "default"),
    ("keyring", "/etc/ceph/keyring"),
    ("kind", "Shared"),
    ("path", "/"),
    ("periodSeconds", "10"),
    ("podManagementPolicy", "OrderedReady"),
    ("pool", "rbd"),
    ("preemptionPolicy", "PreemptLowerPriority"),
    ("protocol", "TCP"),
    ("readOnly", "false"),
    ("restartPolicy", "Always"),
    ("schedulerName", "default-scheduler"),
    ("scheme", "HTTP"),
    ("stdin", "false"),
    ("stdinOnce", "false"),
    ("storageMode", "ThinProvisioned"),
    ("successThreshold", "1"),
    ("terminationGracePeriodSeconds", "30"),
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
    ("timeoutSeconds", "1"),
    ("tty", "false"),
    ("user", "admin"),
    ("volumeMode", "Filesystem"),
];

/// What the server or an admission plugin fills in with a value that is not known here.
const FILLED_IN: &[&str] = &["creationTimestamp", "nodeName", "priority", "status"];

/// What the server fills in by the image that stands beside it.
const PULL_POLICY: &str = "imagePullPolicy";

/// The old name of `serviceAccountName`, which the server keeps the same: whoever removes either
/// finds it filled in from the other.
const ACCOUNT: (&str, &str) = ("serviceAccountName", "serviceAccount");

/// Pointers to texts, for which an empty text is a value.
const EMPTY_IS_A_VALUE: &[&str] = &["storageClassName", "volumeAttributesClassName"];

/// Fields that hold amounts by name.
const AMOUNTS: &[&str] = &["capacity", "limits", "overhead", "requests"];

/// Returns the first difference in a field of two states, as the place in the new one; it may be
/// missing there.
pub(super) fn first_in<'a>(new: Field<'a>, old: Field<'a>, key: &'a str) -> Option<Field<'a>> {
    first_below(new.get(key), old.get(key), key)
}

/// Returns the first difference of two states, but for the fields of these names at the top.
pub(super) fn first_beside<'a>(
    new: Field<'a>,
    old: Field<'a>,
    ignored: &[&str],
) -> Option<Field<'a>> {
    entries(new, old)
        .filter(|(key, _, _)| !ignored.contains(key))
        .find_map(|(key, new, old)| first_below(new, old, key))
}

/// Returns the fields of two maps side by side: those of the new one, then what only the old has.
fn entries<'a>(
    new: Field<'a>,
    old: Field<'a>,
) -> impl Iterator<Item = (&'a str, Field<'a>, Field<'a>)> {
    let both = new.entries().map(move |(key, value)| (key, value, old.get(key)));
    let only_old = old.entries().map(move |(key, value)| (key, new.get(key), value));
    both.chain(only_old.filter(|(_, new, _)| !new.exists()))
}

fn first_below<'a>(new: Field<'a>, old: Field<'a>, key: &str) -> Option<Field<'a>> {
    let differs = match (new.node(), old.node()) {
        (None, None) => false,
        (None, Some(_)) if key == ACCOUNT.0 => false,
        _ if key == ACCOUNT.1 => false,
        (Some(node), None) | (None, Some(node)) => !is_default(node, key),
        (Some(one), Some(two)) => match (&one.kind, &two.kind) {
            (NodeKind::Mapping(_), NodeKind::Mapping(_)) => {
                let inner = AMOUNTS.contains(&key);
                return entries(new, old).find_map(|(name, one, two)| {
                    let same = (inner && resources::amount(one) == resources::amount(two))
                        || (name == PULL_POLICY && pull_policy(new) == pull_policy(old));
                    if same { None } else { first_below(one, two, name) }
                });
            }
            (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
                if a.len() == b.len() {
                    return new
                        .items()
                        .zip(old.items())
                        .find_map(|(new, old)| first_below(new, old, ""));
                }
                true
            }
            (NodeKind::Scalar(a), NodeKind::Scalar(b)) => !is_same(a, b),
            _ => true,
        },
    };
    differs.then_some(new)
}

/// Returns the policy by which a container's image is pulled, or what the server takes for it.
pub(super) fn pull_policy(container: Field<'_>) -> &str {
    match container.get(PULL_POLICY).text() {
        "" => {
            let image = container.get("image").text();
            let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
            let newest = name.ends_with(":latest") || !name.contains([':', '@']);
            if newest && !image.contains('@') { "Always" } else { "IfNotPresent" }
        }
        text => text,
    }
}

fn is_same(one: &Scalar, two: &Scalar) -> bool {
    match (one, two) {
        (Scalar::Int(a), Scalar::Float(b)) | (Scalar::Float(b), Scalar::Int(a)) => {
            a.to_string() == b.to_string()
        }
        _ => one == two,
    }
}

/// Says whether a field that is missing would come to have this value.
fn is_default(node: &Node, key: &str) -> bool {
    if FILLED_IN.contains(&key) {
        return true;
    }
    let text = match &node.kind {
        NodeKind::Sequence(items) => return items.is_empty(),
        NodeKind::Mapping(entries) => {
            return entries.iter().all(|it| is_default(&it.value, &it.key));
        }
        NodeKind::Scalar(Scalar::Null) => return true,
        NodeKind::Scalar(Scalar::String(text)) if text.is_empty() => {
            return !EMPTY_IS_A_VALUE.contains(&key);
        }
        NodeKind::Scalar(Scalar::String(text)) => text.to_string(),
        NodeKind::Scalar(Scalar::Int(number)) => number.to_string(),
        NodeKind::Scalar(Scalar::Bool(value)) => value.to_string(),
        NodeKind::Scalar(_) => return false,
    };
    DEFAULTS.iter().any(|(name, value)| *name == key && *value == text)
}
