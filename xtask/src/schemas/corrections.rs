//! Where the published schemas and the API server part.

use super::enums::{Enums, spelling};
use super::lifecycles::Lifecycles;
use super::scopes::Scopes;
use super::table::Scope;

/// Fields that the server decodes and does not validate, each with the last minor of which that
/// is true.
///
/// Most came behind a feature gate: while it is off by default, the server drops the field before
/// it validates (`pkg/features/kube_features.go`). `ValidateStatefulSetSpec` calls
/// `ValidatePodTemplateSpec` from 1.34 on, and never looks at the claims.
pub const NOT_VALIDATED: &[(&str, &str, u32)] = &[
    ("io.k8s.api.apps.v1.StatefulSetSpec", "persistentVolumeClaimRetentionPolicy", 26),
    ("io.k8s.api.apps.v1.StatefulSetSpec", "template", 33),
    ("io.k8s.api.apps.v1.StatefulSetSpec", "volumeClaimTemplates", u32::MAX),
    ("io.k8s.api.apps.v1beta1.StatefulSetSpec", "template", 33),
    ("io.k8s.api.apps.v1beta1.StatefulSetSpec", "volumeClaimTemplates", u32::MAX),
    ("io.k8s.api.apps.v1beta2.StatefulSetSpec", "template", 33),
    ("io.k8s.api.apps.v1beta2.StatefulSetSpec", "volumeClaimTemplates", u32::MAX),
    ("io.k8s.api.batch.v1.JobSpec", "completionMode", 21),
    ("io.k8s.api.batch.v1.JobSpec", "podFailurePolicy", 25),
    ("io.k8s.api.batch.v1.JobSpec", "podReplacementPolicy", 28),
    ("io.k8s.api.batch.v1.JobSpec", "successPolicy", 30),
    ("io.k8s.api.core.v1.Container", "resizePolicy", 32),
    ("io.k8s.api.core.v1.Container", "restartPolicy", 28),
    ("io.k8s.api.core.v1.Container", "restartPolicyRules", 34),
    ("io.k8s.api.core.v1.EnvVarSource", "fileKeyRef", 34),
    ("io.k8s.api.core.v1.Lifecycle", "stopSignal", u32::MAX),
    ("io.k8s.api.core.v1.PersistentVolumeClaimSpec", "volumeMode", 12),
    ("io.k8s.api.core.v1.PersistentVolumeSpec", "volumeMode", 12),
    ("io.k8s.api.core.v1.PodSecurityContext", "fsGroupChangePolicy", 19),
    ("io.k8s.api.core.v1.PodSecurityContext", "supplementalGroupsPolicy", 32),
    ("io.k8s.api.core.v1.PodSpec", "preemptionPolicy", 18),
    ("io.k8s.api.core.v1.PodSpec", "resourceClaims", 33),
    ("io.k8s.api.core.v1.PodSpec", "topologySpreadConstraints", 17),
    ("io.k8s.api.core.v1.ResourceRequirements", "claims", 33),
    ("io.k8s.api.core.v1.SecurityContext", "procMount", 32),
    ("io.k8s.api.core.v1.ServiceSpec", "internalTrafficPolicy", 21),
    ("io.k8s.api.core.v1.ServiceSpec", "ipFamilies", 20),
    ("io.k8s.api.core.v1.ServiceSpec", "ipFamilyPolicy", 20),
    ("io.k8s.api.core.v1.ServiceSpec", "trafficDistribution", 30),
    ("io.k8s.api.core.v1.TopologySpreadConstraint", "nodeAffinityPolicy", 25),
    ("io.k8s.api.core.v1.TopologySpreadConstraint", "nodeTaintsPolicy", 25),
    ("io.k8s.api.core.v1.Volume", "image", 34),
    ("io.k8s.api.core.v1.VolumeProjection", "clusterTrustBundle", 36),
    ("io.k8s.api.core.v1.VolumeProjection", "podCertificate", 36),
    ("io.k8s.api.networking.v1.IngressClassParametersReference", "scope", 21),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy", 26),
    ("io.k8s.api.scheduling.v1.PriorityClass", "preemptionPolicy", 18),
    ("io.k8s.api.storage.v1.CSIDriverSpec", "fsGroupPolicy", 19),
    ("io.k8s.api.storage.v1.CSIDriverSpec", "volumeLifecycleModes", 15),
];

/// The minor since which a server serves a new beta version only when it is told to.
pub const DISABLED_SINCE: u32 = 24;

/// Beta versions that came later and were served by default nevertheless
/// (`legacyBetaEnabledByDefaultResources` of `pkg/controlplane/instance.go`).
pub const ENABLED: &[(&str, &str)] = &[("flowcontrol.apiserver.k8s.io", "v1beta3")];

/// Deprecations that the server announces without the functions that announce the others.
const DEPRECATED: &[([&str; 3], u32, [&str; 3])] = &[
    (["", "v1", "Endpoints"], 33, ["discovery.k8s.io", "v1", "EndpointSlice"]),
    (["", "v1", "EndpointsList"], 33, ["discovery.k8s.io", "v1", "EndpointSliceList"]),
];

/// Adds the deprecations that the modules do not tell.
pub fn add_lifecycles(lifecycles: &mut Lifecycles) {
    for (kind, deprecated, replacement) in DEPRECATED {
        let entry = lifecycles.entry(kind.map(str::to_owned)).or_default();
        entry.deprecated = *deprecated;
        entry.replacement = Some(replacement.map(str::to_owned));
    }
}

/// Kinds that went before the oldest release of the crate that knows plurals and scopes.
const SCOPES: &[(&str, &str, &str, Scope)] = &[
    (
        "admissionregistration.k8s.io",
        "InitializerConfiguration",
        "initializerconfigurations",
        Scope::Cluster,
    ),
    ("apps", "Scale", "scale", Scope::Subresource),
    ("auditregistration.k8s.io", "AuditSink", "auditsinks", Scope::Cluster),
    ("extensions", "DaemonSet", "daemonsets", Scope::Namespaced),
    ("extensions", "Deployment", "deployments", Scope::Namespaced),
    ("extensions", "NetworkPolicy", "networkpolicies", Scope::Namespaced),
    ("extensions", "PodSecurityPolicy", "podsecuritypolicies", Scope::Cluster),
    ("extensions", "ReplicaSet", "replicasets", Scope::Namespaced),
    ("extensions", "Scale", "scale", Scope::Subresource),
    ("settings.k8s.io", "PodPreset", "podpresets", Scope::Namespaced),
];

/// Definitions beside the kinds themselves whose missing `spec` is judged as an empty one.
pub const TEMPLATES: &[&str] = &[
    "io.k8s.api.batch.v1.JobTemplateSpec",
    "io.k8s.api.batch.v1beta1.JobTemplateSpec",
    "io.k8s.api.core.v1.PodTemplateSpec",
];

/// Values of enumerations with the first minor that has them; the others were always there.
pub const VALUES_SINCE: &[(&str, &str, &str, u32)] = &[
    ("io.k8s.api.batch.v1.PodFailurePolicyRule", "action", "FailIndex", 29),
    ("io.k8s.api.core.v1.ContainerPort", "protocol", "SCTP", 19),
    ("io.k8s.api.core.v1.EndpointPort", "protocol", "SCTP", 19),
    ("io.k8s.api.core.v1.PersistentVolumeClaimSpec", "accessModes", "ReadWriteOncePod", 27),
    ("io.k8s.api.core.v1.PersistentVolumeSpec", "accessModes", "ReadWriteOncePod", 27),
    ("io.k8s.api.core.v1.ResourceQuotaSpec", "scopes", "CrossNamespacePodAffinity", 22),
    ("io.k8s.api.core.v1.ResourceQuotaSpec", "scopes", "VolumeAttributesClass", 34),
    (
        "io.k8s.api.core.v1.ScopedResourceSelectorRequirement",
        "scopeName",
        "CrossNamespacePodAffinity",
        22,
    ),
    (
        "io.k8s.api.core.v1.ScopedResourceSelectorRequirement",
        "scopeName",
        "VolumeAttributesClass",
        34,
    ),
    ("io.k8s.api.core.v1.ServicePort", "protocol", "SCTP", 19),
    ("io.k8s.api.core.v1.ServiceSpec", "trafficDistribution", "PreferSameNode", 34),
    ("io.k8s.api.core.v1.ServiceSpec", "trafficDistribution", "PreferSameZone", 34),
    ("io.k8s.api.core.v1.Toleration", "operator", "Gt", 35),
    ("io.k8s.api.core.v1.Toleration", "operator", "Lt", 35),
    ("io.k8s.api.networking.v1.NetworkPolicyPort", "protocol", "SCTP", 19),
];

/// Enumerations that the server's validation holds and its OpenAPI document does not show.
const ENUMS: &[(&str, &str, &[&str])] = &[
    ("io.k8s.api.admissionregistration.v1.ParamRef", "parameterNotFoundAction", &["Allow", "Deny"]),
    (
        "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
        "whenDeleted",
        &["Delete", "Retain"],
    ),
    (
        "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
        "whenScaled",
        &["Delete", "Retain"],
    ),
    ("io.k8s.api.autoscaling.v2.HPAScalingPolicy", "type", &["Percent", "Pods"]),
    ("io.k8s.api.autoscaling.v2.HPAScalingRules", "selectPolicy", &["Disabled", "Max", "Min"]),
    (
        "io.k8s.api.autoscaling.v2.MetricSpec",
        "type",
        &["ContainerResource", "External", "Object", "Pods", "Resource"],
    ),
    ("io.k8s.api.autoscaling.v2.MetricTarget", "type", &["AverageValue", "Utilization", "Value"]),
    ("io.k8s.api.core.v1.AzureDiskVolumeSource", "kind", &["Dedicated", "Managed", "Shared"]),
    ("io.k8s.api.core.v1.Container", "restartPolicy", &["Always", "Never", "OnFailure"]),
    (
        "io.k8s.api.core.v1.ContainerResizePolicy",
        "restartPolicy",
        &["NotRequired", "RestartContainer"],
    ),
    ("io.k8s.api.core.v1.PodOS", "name", &["linux", "windows"]),
    (
        "io.k8s.api.core.v1.ServiceSpec",
        "trafficDistribution",
        &["PreferClose", "PreferSameNode", "PreferSameZone"],
    ),
    ("io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod", "type", &["ByNamespace", "ByUser"]),
    ("io.k8s.api.flowcontrol.v1.LimitResponse", "type", &["Queue", "Reject"]),
    ("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec", "type", &["Exempt", "Limited"]),
    ("io.k8s.api.flowcontrol.v1.Subject", "kind", &["Group", "ServiceAccount", "User"]),
    (
        "io.k8s.api.networking.v1.IngressClassParametersReference",
        "scope",
        &["Cluster", "Namespace"],
    ),
    ("io.k8s.api.rbac.v1.RoleRef", "apiGroup", &["rbac.authorization.k8s.io"]),
    ("io.k8s.api.rbac.v1.RoleRef", "kind", &["ClusterRole", "Role"]),
    ("io.k8s.api.rbac.v1.Subject", "apiGroup", &["rbac.authorization.k8s.io"]),
    ("io.k8s.api.rbac.v1.Subject", "kind", &["Group", "ServiceAccount", "User"]),
    (
        "io.k8s.api.storage.v1.CSIDriverSpec",
        "fsGroupPolicy",
        &["File", "None", "ReadWriteOnceWithFSType"],
    ),
    ("io.k8s.api.storage.v1.CSIDriverSpec", "volumeLifecycleModes", &["Ephemeral", "Persistent"]),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion",
        "strategy",
        &["None", "Webhook"],
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec",
        "scope",
        &["Cluster", "Namespaced"],
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
        "type",
        &["array", "boolean", "integer", "number", "object", "string"],
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
        "x-kubernetes-list-type",
        &["atomic", "map", "set"],
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
        "x-kubernetes-map-type",
        &["atomic", "granular"],
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
        "operator",
        &["DoesNotExist", "Exists", "In", "NotIn"],
    ),
];

/// Adds the enumerations that the package does not have.
pub fn add_enums(enums: &mut Enums) {
    for (definition, field, values) in ENUMS {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        enums.entry((spelling(definition), (*field).to_owned())).or_insert(values);
    }
}

/// Adds the kinds that the crate does not have.
pub fn add_scopes(scopes: &mut Scopes) {
    for (group, kind, plural, scope) in SCOPES {
        let key = ((*group).to_owned(), (*kind).to_owned());
        scopes.entry(key).or_insert(((*plural).to_owned(), *scope));
    }
}
