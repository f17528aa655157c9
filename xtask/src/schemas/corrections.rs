//! Where the published schemas and the API server part.

use super::enums::{Enums, spelling};

/// Required fields that the API server takes as empty when they are missing.
///
/// Their Go types are structs, lists, numbers or booleans whose zero value passes validation, or
/// the server sets a default first.
pub const NOT_ENFORCED: &[(&str, &str)] = &[
    ("io.k8s.api.apps.v1.ControllerRevision", "revision"),
    ("io.k8s.api.apps.v1.StatefulSetSpec", "serviceName"),
    ("io.k8s.api.batch.v1.PodFailurePolicy", "rules"),
    ("io.k8s.api.core.v1.HTTPHeader", "value"),
    ("io.k8s.api.core.v1.ISCSIPersistentVolumeSource", "lun"),
    ("io.k8s.api.core.v1.ISCSIVolumeSource", "lun"),
    ("io.k8s.api.core.v1.LimitRangeSpec", "limits"),
    ("io.k8s.api.core.v1.PreferredSchedulingTerm", "preference"),
    ("io.k8s.api.core.v1.SleepAction", "seconds"),
    ("io.k8s.api.core.v1.Sysctl", "value"),
    ("io.k8s.api.discovery.v1.EndpointSlice", "endpoints"),
    ("io.k8s.api.discovery.v1beta1.EndpointSlice", "endpoints"),
    ("io.k8s.api.networking.v1.NetworkPolicySpec", "podSelector"),
    ("io.k8s.api.rbac.v1.RoleRef", "apiGroup"),
    ("io.k8s.api.rbac.v1alpha1.RoleRef", "apiGroup"),
    ("io.k8s.api.rbac.v1beta1.RoleRef", "apiGroup"),
    ("io.k8s.api.scheduling.v1.PriorityClass", "value"),
    ("io.k8s.api.scheduling.v1alpha1.PriorityClass", "value"),
    ("io.k8s.api.scheduling.v1beta1.PriorityClass", "value"),
    ("io.k8s.api.storage.v1.CSIDriver", "spec"),
    ("io.k8s.api.storage.v1.CSINodeSpec", "drivers"),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion",
        "served",
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion",
        "storage",
    ),
];

/// Definitions beside the kinds themselves whose missing `spec` is judged as an empty one.
pub const TEMPLATES: &[&str] = &[
    "io.k8s.api.batch.v1.JobTemplateSpec",
    "io.k8s.api.batch.v1beta1.JobTemplateSpec",
    "io.k8s.api.core.v1.PodTemplateSpec",
];

/// Values of enumerations with the first minor that has them; the others were always there.
pub const VALUES_SINCE: &[(&str, &str, &str, u32)] = &[
    ("io.k8s.api.batch.v1.PodFailurePolicyRule", "action", "FailIndex", 28),
    ("io.k8s.api.core.v1.Toleration", "operator", "Gt", 35),
    ("io.k8s.api.core.v1.Toleration", "operator", "Lt", 35),
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
