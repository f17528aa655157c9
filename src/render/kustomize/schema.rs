//! What kustomize knows of Kubernetes' own kinds: their scope, and how their lists are merged.
//!
//! The tables follow the `OpenAPI` schema that kustomize embeds (of Kubernetes 1.21), not the newest
//! one: what kustomize does not know it treats as a custom kind.

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

/// A place in the schema of a kind, as far as it matters for the merging of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// Nothing is known from here on: lists are replaced.
    Unknown,
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
pub(super) type MergeKeys = &'static [&'static str];

impl Schema {
    /// Returns the schema of an object.
    pub(super) fn of(api_version: &str, kind: &str) -> Self {
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

    /// Returns the schema of a field. Of a list, this is the schema of its items.
    pub(super) fn field(self, key: &str) -> Self {
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

    /// Returns how the list in a field is merged; `None` where it is replaced.
    pub(super) fn merge_keys(self, key: &str) -> Option<MergeKeys> {
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

    fn keys(api_version: &str, kind: &str, path: &str) -> Option<MergeKeys> {
        let mut schema = Schema::of(api_version, kind);
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
