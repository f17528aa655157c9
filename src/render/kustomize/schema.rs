//! What kustomize knows of Kubernetes' own kinds: their scope, and how their lists are merged.
//!
//! The tables follow the `OpenAPI` schema that kustomize embeds (of Kubernetes 1.21), not the newest
//! one: what kustomize does not know it treats as a custom kind. An `openapi` field adds to them.

use std::sync::Arc;

use super::openapi::{Definition, Definitions, Resolved};
use crate::document::Node;

/// The kinds that have no namespace, as `apiVersion` and kind, sorted.
const CLUSTER_SCOPED: [(&str, &str); 35] = [
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("apiregistration.k8s.io/v1beta1", "APIService"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("networking.k8s.io/v1beta1", "IngressClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("node.k8s.io/v1beta1", "RuntimeClass"),
    ("policy/v1beta1", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("storage.k8s.io/v1", "CSINode"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "VolumeAttachment"),
    ("storage.k8s.io/v1beta1", "CSIDriver"),
    ("storage.k8s.io/v1beta1", "CSINode"),
    ("storage.k8s.io/v1beta1", "StorageClass"),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"),
    ("v1", "ComponentStatus"),
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "PersistentVolume"),
];

/// The other kinds, by `apiVersion`: their metadata is merged as Kubernetes merges it.
const NAMESPACED: [(&str, &[&str]); 23] = [
    ("apps/v1", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling/v1", &["HorizontalPodAutoscaler", "Scale"]),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"]),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"]),
    ("batch/v1", &["CronJob", "Job"]),
    ("batch/v1beta1", &["CronJob"]),
    ("coordination.k8s.io/v1", &["Lease"]),
    ("coordination.k8s.io/v1beta1", &["Lease"]),
    ("discovery.k8s.io/v1", &["EndpointSlice"]),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"]),
    ("events.k8s.io/v1", &["Event"]),
    ("events.k8s.io/v1beta1", &["Event"]),
    ("extensions/v1beta1", &["Ingress"]),
    ("networking.k8s.io/v1", &["Ingress", "NetworkPolicy"]),
    ("networking.k8s.io/v1beta1", &["Ingress"]),
    ("policy/v1", &["PodDisruptionBudget"]),
    ("policy/v1beta1", &["Eviction", "PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io/v1", &["Role", "RoleBinding"]),
    ("rbac.authorization.k8s.io/v1beta1", &["Role", "RoleBinding"]),
    ("storage.k8s.io/v1beta1", &["CSIStorageCapacity"]),
    ("authentication.k8s.io/v1", &["TokenRequest", "TokenReview"]),
    ("authorization.k8s.io/v1", &["LocalSubjectAccessReview", "SubjectAccessReview"]),
    (
        "v1",
        &[
            "Binding",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
];

/// Says whether kustomize knows that a kind has no namespace. Of unknown kinds it assumes one.
pub(super) fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.binary_search(&(api_version, kind)).is_ok()
}

/// The release of Kubernetes whose schema kustomize has.
pub(super) const VERSION: &str = "v1.21.2";

/// Says whether kustomize knows a kind.
pub(super) fn is_known(api_version: &str, kind: &str) -> bool {
    !matches!(At::of(api_version, kind), At::Unknown)
}

/// The schemas that are in force.
#[derive(Debug, Clone, Default)]
pub(super) struct Schemas {
    /// What an `openapi` field brings.
    pub(super) custom: Option<Arc<Definitions>>,
    /// Whether kustomize's own kinds are not known beside it.
    pub(super) only_custom: bool,
}

impl Schemas {
    /// Returns the schema of an object.
    pub(super) fn of(&self, api_version: &str, kind: &str) -> Schema<'_> {
        let custom = self.custom.as_ref();
        let at = match custom.and_then(|custom| Some((custom, custom.kind(api_version, kind)?))) {
            Some((all, definition)) => At::Custom(all, definition),
            None if self.only_custom => At::Unknown,
            None => At::of(api_version, kind),
        };
        Schema { at, schemas: self }
    }

    /// Says whether an `openapi` schema has a kind as one without namespaces.
    pub(super) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        self.custom.as_ref().is_some_and(|custom| custom.is_cluster_scoped(api_version, kind))
    }
}

/// A place in the schema of a kind, as far as it matters for the merging of lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'s> {
    at: At<'s>,
    schemas: &'s Schemas,
}

impl<'s> Schema<'s> {
    /// Returns the schema of a field. Of a list, this is the schema of its items.
    pub(super) fn field(self, key: &str) -> Self {
        let at = match self.at {
            At::Custom(all, definition) => self.custom_field(all, definition, key),
            at => at.field(key),
        };
        Self { at, ..self }
    }

    fn custom_field(self, all: &'s Definitions, of: &'s Definition, key: &str) -> At<'s> {
        let resolved = all.field(of, key).map(|field| match field {
            Resolved::Here(list) => all.items(list),
            elsewhere @ Resolved::Elsewhere(_) => elsewhere,
        });
        match resolved {
            Some(Resolved::Here(definition)) => At::Custom(all, definition),
            Some(Resolved::Elsewhere(name)) if !self.schemas.only_custom => At::named(name),
            Some(Resolved::Elsewhere(_)) | None => At::Unknown,
        }
    }

    /// Returns how the list in a field is merged; `None` where it is replaced.
    pub(super) fn merge_keys(self, key: &str) -> Option<MergeKeys<'s>> {
        match self.at {
            At::Custom(all, definition) => match all.field(definition, key)? {
                Resolved::Here(field) => field.merge_keys().map(MergeKeys::Custom),
                Resolved::Elsewhere(_) => None,
            },
            at => at.merge_keys(key).map(MergeKeys::Own),
        }
    }

    /// Returns the schema for a value where none is known: that of the object that it is.
    pub(super) fn or_object(self, node: &Node) -> Self {
        if !matches!(self.at, At::Unknown) {
            return self;
        }
        let text = |key| node.get(key).and_then(Node::as_str);
        match (text("apiVersion"), text("kind")) {
            (Some(api_version), Some(kind)) => self.schemas.of(api_version, kind),
            _ => self,
        }
    }
}

/// What is known of a place.
#[derive(Debug, Clone, Copy)]
enum At<'s> {
    /// Nothing is known from here on: lists are replaced.
    Unknown,
    /// A place that an `openapi` schema describes.
    Custom(&'s Definitions, &'s Definition),
    /// The object itself.
    Root(&'static str),
    /// `metadata`.
    Metadata,
    /// `spec` and the like on the way to a pod template or to a list of the kind's own.
    Spec(&'static str),
    /// `jobTemplate` and its `spec` of a `CronJob`.
    JobTemplate,
    /// A pod template.
    Template,
    /// The specification of a pod.
    PodSpec,
    /// An item of `containers`, `initContainers`.
    Container,
    /// An item of `ephemeralContainers`, which has no merged ports.
    EphemeralContainer,
    /// An item of `volumes`, and what leads from there to a claim template.
    Volume,
    /// The template of a claim, in a volume or a `StatefulSet`.
    Claim,
    /// `status`.
    Status(&'static str),
}

/// The merge keys of a list. No key: the items are themselves what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergeKeys<'s> {
    /// Those of Kubernetes' own kinds.
    Own(&'static [&'static str]),
    /// Those of an `openapi` schema.
    Custom(&'s [String]),
}

impl<'s> MergeKeys<'s> {
    /// Returns the keys in order.
    pub(super) fn list(self) -> Vec<&'s str> {
        match self {
            Self::Own(keys) => keys.to_vec(),
            Self::Custom(keys) => keys.iter().map(String::as_str).collect(),
        }
    }
}

impl At<'_> {
    fn of(api_version: &str, kind: &str) -> Self {
        let find = |kinds: &'static [&'static str]| kinds.iter().copied().find(|it| *it == kind);
        if let Ok(at) = CLUSTER_SCOPED.binary_search(&(api_version, kind)) {
            return CLUSTER_SCOPED.get(at).map_or(Self::Unknown, |(_, kind)| Self::Root(kind));
        }
        NAMESPACED
            .iter()
            .find(|(version, _)| *version == api_version)
            .and_then(|(_, kinds)| find(kinds))
            .map_or(Self::Unknown, Self::Root)
    }

    /// Returns the place that a definition of Kubernetes' own schema describes.
    fn named(definition: &str) -> Self {
        match definition.strip_prefix("io.k8s.") {
            Some("api.core.v1.PodTemplateSpec") => Self::Template,
            Some("api.core.v1.PodSpec") => Self::PodSpec,
            Some("api.core.v1.Container") => Self::Container,
            Some("api.core.v1.EphemeralContainer") => Self::EphemeralContainer,
            Some("api.core.v1.Volume") => Self::Volume,
            Some("api.core.v1.PersistentVolumeClaim") => Self::Root("PersistentVolumeClaim"),
            Some("api.core.v1.PersistentVolumeClaimTemplate") => Self::Claim,
            Some("api.apps.v1.DeploymentSpec") => Self::Spec("Deployment"),
            Some("api.apps.v1.StatefulSetSpec") => Self::Spec("StatefulSet"),
            Some("api.batch.v1.JobSpec") => Self::Spec("Job"),
            Some("api.batch.v1.JobTemplateSpec") => Self::JobTemplate,
            Some("apimachinery.pkg.apis.meta.v1.ObjectMeta") => Self::Metadata,
            _ => Self::Unknown,
        }
    }

    fn field(self, key: &str) -> Self {
        match (self, key) {
            (Self::Root(_) | Self::Template | Self::Claim | Self::JobTemplate, "metadata") => {
                Self::Metadata
            }
            (Self::Root("Pod") | Self::Template, "spec") => Self::PodSpec,
            (
                Self::Root("PodTemplate")
                | Self::Spec(
                    "DaemonSet"
                    | "Deployment"
                    | "Job"
                    | "ReplicaSet"
                    | "ReplicationController"
                    | "StatefulSet",
                ),
                "template",
            ) => Self::Template,
            (Self::Root(kind), "spec") => Self::Spec(kind),
            (Self::Root(kind), "status") => Self::Status(kind),
            (Self::Spec("CronJob"), "jobTemplate") => Self::JobTemplate,
            (Self::JobTemplate, "spec") => Self::Spec("Job"),
            (Self::Spec("StatefulSet"), "volumeClaimTemplates")
            | (Self::Volume, "volumeClaimTemplate") => Self::Claim,
            (Self::Claim, "status") => Self::Status("PersistentVolumeClaim"),
            (Self::PodSpec, "containers" | "initContainers") => Self::Container,
            (Self::PodSpec, "ephemeralContainers") => Self::EphemeralContainer,
            (Self::PodSpec, "volumes") | (Self::Volume, "ephemeral") => Self::Volume,
            _ => Self::Unknown,
        }
    }

    fn merge_keys(self, key: &str) -> Option<&'static [&'static str]> {
        match (self, key) {
            (Self::Metadata, "finalizers") | (Self::Spec("Node"), "podCIDRs") => Some(&[]),
            (Self::Metadata, "ownerReferences") => Some(&["uid"]),
            (
                Self::PodSpec,
                "containers"
                | "initContainers"
                | "ephemeralContainers"
                | "volumes"
                | "imagePullSecrets",
            )
            | (Self::Container | Self::EphemeralContainer, "env")
            | (Self::Root("ServiceAccount"), "secrets")
            | (
                Self::Root("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration"),
                "webhooks",
            )
            | (Self::Spec("CSINode"), "drivers") => Some(&["name"]),
            (Self::PodSpec, "hostAliases") | (Self::Status("Pod"), "podIPs") => Some(&["ip"]),
            (Self::PodSpec, "topologySpreadConstraints") => {
                Some(&["topologyKey", "whenUnsatisfiable"])
            }
            (Self::Container | Self::EphemeralContainer, "volumeMounts") => Some(&["mountPath"]),
            (Self::Container | Self::EphemeralContainer, "volumeDevices") => Some(&["devicePath"]),
            (Self::Container, "ports") => Some(&["containerPort", "protocol"]),
            (Self::Spec("Service"), "ports") => Some(&["port", "protocol"]),
            (Self::Status(_), "conditions") | (Self::Status("Node"), "addresses") => {
                Some(&["type"])
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(api_version: &str, kind: &str, path: &str) -> Option<&'static [&'static str]> {
        let mut schema = At::of(api_version, kind);
        let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
        for step in above.split('/').filter(|step| !step.is_empty()) {
            schema = schema.field(step);
        }
        schema.merge_keys(last)
    }

    #[test]
    fn the_cluster_scoped_kinds_are_sorted() {
        assert!(CLUSTER_SCOPED.is_sorted());
    }

    #[test]
    fn unknown_kinds_have_a_namespace() {
        assert!(is_cluster_scoped("v1", "Namespace"));
        assert!(!is_cluster_scoped("v1", "Service"));
        assert!(!is_cluster_scoped("example.com/v1", "Namespace"));
        assert!(!is_cluster_scoped("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"));
    }

    #[test]
    fn lists_of_pods_have_merge_keys_wherever_the_pod_stands() {
        let containers = Some(&["name"][..]);
        assert_eq!(keys("v1", "Pod", "spec/containers"), containers);
        assert_eq!(keys("apps/v1", "Deployment", "spec/template/spec/containers"), containers);
        let cron_job = "spec/jobTemplate/spec/template/spec/containers";
        assert_eq!(keys("batch/v1", "CronJob", cron_job), containers);
        assert_eq!(
            keys("apps/v1", "StatefulSet", "spec/template/spec/containers/ports"),
            Some(&["containerPort", "protocol"][..])
        );
        assert_eq!(keys("apps/v1", "Deployment", "metadata/finalizers"), Some(&[][..]));
        assert_eq!(keys("v1", "ServiceAccount", "secrets"), containers);
    }

    #[test]
    fn other_lists_are_replaced() {
        assert_eq!(keys("apps/v1", "Deployment", "spec/template/spec/tolerations"), None);
        assert_eq!(keys("apps/v1", "Deployment", "spec/template/spec/containers/args"), None);
        assert_eq!(keys("example.com/v1", "Deployment", "spec/template/spec/containers"), None);
        assert_eq!(keys("apps/v1beta1", "Deployment", "spec/template/spec/containers"), None);
        assert_eq!(keys("networking.k8s.io/v1", "Ingress", "spec/rules"), None);
    }
}
