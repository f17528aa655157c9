//! The forms that names of objects take, by kind.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::check::KindScope;
use crate::check::api::cx::Cx;
use crate::naming::{self, Wrong};

/// The form of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A DNS subdomain (`NameIsDNSSubdomain`).
    Subdomain,
    /// A DNS label (`NameIsDNSLabel`).
    Label,
    /// A DNS label that begins with a letter (`NameIsDNS1035Label`).
    Label1035,
    /// A part of a path, the least that is asked of every name (`IsPathSegmentName`).
    Segment,
    /// The key of a `ConfigMap` (`IsConfigMapKey`).
    DataKey,
    /// An IP address (`ValidateIPAddressName`).
    Address,
    /// A group and a resource (`ValidateStorageVersionName`).
    GroupResource,
}

impl Form {
    /// Says what is wrong with a name, or with a prefix of names to be made.
    pub(super) fn check(self, name: &str, is_prefix: bool) -> Wrong {
        let masked = || if is_prefix { masked(name) } else { Cow::Borrowed(name) };
        match self {
            Self::Subdomain => naming::dns_subdomain(&masked()),
            Self::Label => naming::dns_label(&masked()),
            Self::Label1035 => naming::dns_1035_label(&masked()),
            // What is added to a prefix makes `.` and `..` other names.
            Self::Segment if is_prefix && matches!(name, "." | "..") => None,
            Self::Segment => naming::path_segment(name),
            Self::DataKey => naming::config_map_key(name),
            Self::Address => name.parse::<IpAddr>().is_err().then_some("must be an IP address"),
            Self::GroupResource => {
                let right = name.rsplit_once('.').is_some_and(|(group, resource)| {
                    naming::dns_subdomain(group).is_none()
                        && naming::dns_1035_label(resource).is_none()
                });
                (!right).then_some("must be a group, a `.` and a resource, such as `apps.v1`")
            }
        }
    }
}

/// Returns a prefix as the server looks at it: a final dash does not end the name that it begins.
/// The server cuts two characters off for it (`maskTrailingDash`).
fn masked(name: &str) -> Cow<'_, str> {
    let mut chars = name.chars();
    match (chars.next_back(), chars.next_back()) {
        (Some('-'), Some(_)) => Cow::Owned(format!("{}a", chars.as_str())),
        _ => Cow::Borrowed(name),
    }
}

/// The groups whose kinds the API server itself serves, and their older names.
const BUILT_IN: [&str; 24] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "auditregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "lifecycle.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
];
const ALSO_BUILT_IN: [&str; 3] = ["settings.k8s.io", "storage.k8s.io", "storagemigration.k8s.io"];

/// Says whether the API server itself serves the kinds of a group.
pub(super) fn is_built_in(group: &str) -> bool {
    BUILT_IN.contains(&group) || ALSO_BUILT_IN.contains(&group)
}

/// Groups that the API servers of `OpenShift` itself serve, which take names such as `system:admin`.
const FREE: [&str; 11] = [
    "apps.openshift.io",
    "authorization.openshift.io",
    "build.openshift.io",
    "image.openshift.io",
    "oauth.openshift.io",
    "project.openshift.io",
    "quota.openshift.io",
    "route.openshift.io",
    "security.openshift.io",
    "template.openshift.io",
    "user.openshift.io",
];

/// Returns the form that the server asks of the name of an object.
pub(super) fn form(cx: &Cx<'_>) -> Form {
    let since = |minor, form, before| if cx.minor >= minor { form } else { before };
    match (cx.object.group(), &*cx.object.kind) {
        ("", "Namespace") => Form::Label,
        ("", "Service") => since(36, Form::Label, Form::Label1035),
        ("apps", "StatefulSet") => since(27, Form::Label, Form::Subdomain),
        ("rbac.authorization.k8s.io", _)
        | ("", "Event")
        | ("policy", "PodDisruptionBudget")
        | ("certificates.k8s.io", "CertificateSigningRequest" | "ClusterTrustBundle")
        | ("apiregistration.k8s.io", "APIService") => Form::Segment,
        ("networking.k8s.io", "IPAddress") => Form::Address,
        ("internal.apiserver.k8s.io", "StorageVersion") => Form::GroupResource,
        ("coordination.k8s.io", "LeaseCandidate") => Form::DataKey,
        (group, _) if cx.scope.is_none() && FREE.contains(&group) => Form::Segment,
        _ => Form::Subdomain,
    }
}

/// Says whether the server asks more of the finalizers of a kind than that they are names
/// (`ValidateObjectMeta` of `pkg/apis/core/validation`).
pub(super) fn has_known_finalizers(cx: &Cx<'_>) -> bool {
    match (cx.object.group(), &*cx.object.kind) {
        (
            "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "apiregistration.k8s.io"
            | "coordination.k8s.io",
            _,
        )
        | ("node.k8s.io", "RuntimeClass")
        | ("policy", "PodDisruptionBudget")
        | ("", "Event") => false,
        (group, _) => is_built_in(group),
    }
}

/// Says whether objects of a kind are questions, which are answered and not kept: they have no
/// name.
pub(super) fn is_question(cx: &Cx<'_>) -> bool {
    matches!(cx.object.group(), "authentication.k8s.io" | "authorization.k8s.io")
}

/// The longest name of a `CronJob`, to whose jobs' names eleven characters are added.
pub(super) const CRON_JOB_MAX: usize = 52;

/// Says whether names are made of the object's own.
pub(super) fn wants_room(cx: &Cx<'_>) -> bool {
    cx.object.group() == "batch" && &*cx.object.kind == "CronJob"
}

/// Says whether the server looks at a prefix, and not only at the name that it makes of it
/// (`ValidateObjectMetaWithOpts`).
pub(super) fn has_checked_prefix(cx: &Cx<'_>) -> bool {
    !matches!(
        (cx.object.group(), &*cx.object.kind),
        ("", "ReplicationController") | ("resource.k8s.io", "DeviceClass")
    )
}

/// Says whether the server looks at a prefix in another way than at a name.
pub(super) fn masks_prefix(cx: &Cx<'_>) -> bool {
    cx.object.group() != "rbac.authorization.k8s.io"
}

/// How much of a prefix is kept (`MaxGeneratedNameLength`), and what is added to it.
const MADE_PREFIX: usize = 58;
const MADE_SUFFIX: &str = "bcdfg";

/// Returns a name as the server makes it of a prefix (`GenerateName`).
pub(super) fn made_of(prefix: &str) -> String {
    let end = prefix.floor_char_boundary(MADE_PREFIX);
    format!("{}{MADE_SUFFIX}", prefix.get(..end).unwrap_or(prefix))
}

/// Says whether the server makes up names for objects of a kind that have none.
pub(super) fn is_made_up(cx: &Cx<'_>) -> bool {
    cx.object.group().is_empty() && &*cx.object.kind == "LimitRange"
}

/// Says whether it is known that the kind is an API's, and not that of some tool's own file.
pub(super) fn is_known(cx: &Cx<'_>) -> bool {
    cx.scope.is_some()
}

/// Says whether objects of the kind live in namespaces, where that is known.
pub(super) fn is_namespaced(cx: &Cx<'_>) -> bool {
    cx.scope == Some(KindScope::Namespaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_end_in_a_dash() {
        for (prefix, wrong) in
            [("web-", false), ("-", true), ("a--", false), ("a.", true), ("Web-", true)]
        {
            assert_eq!(Form::Subdomain.check(prefix, true).is_some(), wrong, "{prefix}");
        }
        assert!(Form::Subdomain.check("web-", false).is_some());
        assert_eq!(Form::Segment.check("..", true), None);
        assert!(Form::Segment.check("..", false).is_some());
    }

    #[test]
    fn unusual_forms() {
        assert_eq!(Form::Address.check("2001:db8::1", false), None);
        assert!(Form::Address.check("web", false).is_some());
        assert_eq!(Form::GroupResource.check("apps.deployments", false), None);
        assert!(Form::GroupResource.check("deployments", false).is_some());
        assert_eq!(Form::DataKey.check("A_b", false), None);
    }
}
