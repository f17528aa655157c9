//! kustomize's default fields (its `builtinpluginconsts`), version 5.8.

use super::config::{Config, NameReference};
use super::field::{Field, Kinds};

/// A row of [`NAME_REFERENCES`].
type References = (&'static str, &'static [&'static str], &'static [Row], &'static [Row]);

/// A field as it stands in the tables: kinds (`group/version/kind`, empty parts for any) and path.
type Row = (&'static str, &'static str);

const NAMESPACE: [(&str, &str, bool); 3] = [
    ("//Namespace", "metadata/name", true),
    ("apiregistration.k8s.io//APIService", "spec/service/namespace", true),
    (
        "apiextensions.k8s.io//CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

const LABELS: [Row; 10] = [
    ("//", "metadata/labels"),
    ("/v1/ReplicationController", "spec/template/metadata/labels"),
    ("//Deployment", "spec/template/metadata/labels"),
    ("//ReplicaSet", "spec/template/metadata/labels"),
    ("//DaemonSet", "spec/template/metadata/labels"),
    ("apps//StatefulSet", "spec/template/metadata/labels"),
    ("apps//StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels"),
    ("batch//Job", "spec/template/metadata/labels"),
    ("batch//CronJob", "spec/jobTemplate/metadata/labels"),
    ("batch//CronJob", "spec/jobTemplate/spec/template/metadata/labels"),
];

/// The selectors that `commonLabels` changes too, and whether they are made.
const SELECTORS: [(&str, &str, bool); 12] = [
    ("/v1/Service", "spec/selector", true),
    ("/v1/ReplicationController", "spec/selector", true),
    ("//Deployment", "spec/selector/matchLabels", true),
    ("//ReplicaSet", "spec/selector/matchLabels", true),
    ("//DaemonSet", "spec/selector/matchLabels", true),
    ("apps//StatefulSet", "spec/selector/matchLabels", true),
    ("batch//Job", "spec/selector/matchLabels", false),
    ("batch//CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("policy//PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("networking.k8s.io//NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("networking.k8s.io//NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    ("networking.k8s.io//NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];

/// The selectors inside the pods of a `Deployment` and a `StatefulSet`.
const POD_SELECTORS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

const ANNOTATIONS: [Row; 9] = [
    ("//", "metadata/annotations"),
    ("/v1/ReplicationController", "spec/template/metadata/annotations"),
    ("//Deployment", "spec/template/metadata/annotations"),
    ("//ReplicaSet", "spec/template/metadata/annotations"),
    ("//DaemonSet", "spec/template/metadata/annotations"),
    ("//StatefulSet", "spec/template/metadata/annotations"),
    ("batch//Job", "spec/template/metadata/annotations"),
    ("batch//CronJob", "spec/jobTemplate/metadata/annotations"),
    ("batch//CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
];

const IMAGES: [&str; 6] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

const REPLICAS: [&str; 4] =
    ["//Deployment", "//ReplicationController", "//ReplicaSet", "//StatefulSet"];

/// Where the specification of a pod stands in the kinds that have one.
const PODS: [Row; 8] = [
    ("/v1/Pod", "spec/"),
    ("//PodTemplate", "template/spec/"),
    ("//Deployment", "spec/template/spec/"),
    ("//ReplicaSet", "spec/template/spec/"),
    ("//DaemonSet", "spec/template/spec/"),
    ("//StatefulSet", "spec/template/spec/"),
    ("//Job", "spec/template/spec/"),
    ("//CronJob", "spec/jobTemplate/spec/template/spec/"),
];

/// The same for the references that know no templates and replica sets, but replication controllers.
const CONTROLLED_PODS: [Row; 7] = [
    ("//Pod", "spec/"),
    ("//StatefulSet", "spec/template/spec/"),
    ("//Deployment", "spec/template/spec/"),
    ("//ReplicationController", "spec/template/spec/"),
    ("//CronJob", "spec/jobTemplate/spec/template/spec/"),
    ("//Job", "spec/template/spec/"),
    ("//DaemonSet", "spec/template/spec/"),
];

/// The kinds whose names are referred to. kustomize also lists `IngressClass`, under a group that no
/// kind has, so it never follows these names. A row has the kind, its references inside of pods, the kinds that
/// hold these pods, and all other references.
const NAME_REFERENCES: [References; 15] = [
    ("//Deployment", &[], &[], &[("//HorizontalPodAutoscaler", "spec/scaleTargetRef/name")]),
    (
        "//ReplicationController",
        &[],
        &[],
        &[("//HorizontalPodAutoscaler", "spec/scaleTargetRef/name")],
    ),
    ("//ReplicaSet", &[], &[], &[("//HorizontalPodAutoscaler", "spec/scaleTargetRef/name")]),
    ("//StatefulSet", &[], &[], &[("//HorizontalPodAutoscaler", "spec/scaleTargetRef/name")]),
    (
        "/v1/ConfigMap",
        &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
        &PODS,
        &[
            ("//Node", "spec/configSource/configMap"),
            ("//Role", "rules/resourceNames"),
            ("//ClusterRole", "rules/resourceNames"),
            (
                "//Ingress",
                "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap",
            ),
        ],
    ),
    (
        "/v1/Secret",
        &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
        &PODS,
        &[
            ("//Ingress", "spec/tls/secretName"),
            ("//Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
            ("//Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
            ("//Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
            ("//ServiceAccount", "imagePullSecrets/name"),
            ("//StorageClass", "parameters/secretName"),
            ("//StorageClass", "parameters/adminSecretName"),
            ("//StorageClass", "parameters/userSecretName"),
            ("//StorageClass", "parameters/secretRef"),
            ("//Role", "rules/resourceNames"),
            ("//ClusterRole", "rules/resourceNames"),
            (
                "serving.knative.dev/v1/Service",
                "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            ),
            ("//PersistentVolume", "spec/azureFile/secretName"),
        ],
    ),
    (
        "/v1/Service",
        &[],
        &[],
        &[
            ("apps//StatefulSet", "spec/serviceName"),
            ("//Ingress", "spec/rules/http/paths/backend/serviceName"),
            ("//Ingress", "spec/backend/serviceName"),
            ("//Ingress", "spec/rules/http/paths/backend/service/name"),
            ("//Ingress", "spec/defaultBackend/service/name"),
            ("apiregistration.k8s.io//APIService", "spec/service/name"),
            (
                "admissionregistration.k8s.io//ValidatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
            (
                "admissionregistration.k8s.io//MutatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
        ],
    ),
    (
        "rbac.authorization.k8s.io//Role",
        &[],
        &[],
        &[("rbac.authorization.k8s.io//RoleBinding", "roleRef/name")],
    ),
    (
        "rbac.authorization.k8s.io//ClusterRole",
        &[],
        &[],
        &[
            ("rbac.authorization.k8s.io//RoleBinding", "roleRef/name"),
            ("rbac.authorization.k8s.io//ClusterRoleBinding", "roleRef/name"),
        ],
    ),
    (
        "/v1/ServiceAccount",
        &["serviceAccountName"],
        &CONTROLLED_PODS,
        &[
            ("rbac.authorization.k8s.io//RoleBinding", "subjects"),
            ("rbac.authorization.k8s.io//ClusterRoleBinding", "subjects"),
        ],
    ),
    (
        "/v1/PersistentVolumeClaim",
        &["volumes/persistentVolumeClaim/claimName"],
        &CONTROLLED_PODS,
        &[],
    ),
    (
        "/v1/PersistentVolume",
        &[],
        &[],
        &[("//PersistentVolumeClaim", "spec/volumeName"), ("//ClusterRole", "rules/resourceNames")],
    ),
    (
        "storage.k8s.io/v1/StorageClass",
        &[],
        &[],
        &[
            ("//PersistentVolume", "spec/storageClassName"),
            ("//PersistentVolumeClaim", "spec/storageClassName"),
            ("//StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
        ],
    ),
    ("scheduling.k8s.io/v1/PriorityClass", &["priorityClassName"], &CONTROLLED_PODS, &[]),
    (
        "admissionregistration.k8s.io//ValidatingAdmissionPolicy",
        &[],
        &[],
        &[("admissionregistration.k8s.io//ValidatingAdmissionPolicyBinding", "spec/policyName")],
    ),
];

/// The kinds in whose pods `$(NAME)` is replaced.
const VARIABLE_PODS: [Row; 7] = [
    ("//CronJob", "spec/jobTemplate/spec/template/spec/"),
    ("//DaemonSet", "spec/template/spec/"),
    ("//Deployment", "spec/template/spec/"),
    ("//Job", "spec/template/spec/"),
    ("//Pod", "spec/"),
    ("//ReplicaSet", "spec/template/spec/"),
    ("//StatefulSet", "spec/template/spec/"),
];

const VARIABLES_IN_PODS: [&str; 8] = [
    "containers/args",
    "containers/command",
    "containers/env/value",
    "containers/volumeMounts/mountPath",
    "initContainers/args",
    "initContainers/command",
    "initContainers/env/value",
    "initContainers/volumeMounts/mountPath",
];

const VARIABLES: [Row; 16] = [
    ("//CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"),
    ("//DaemonSet", "spec/template/spec/volumes/nfs/server"),
    ("//Deployment", "spec/template/spec/volumes/nfs/server"),
    ("//Job", "spec/template/spec/volumes/nfs/server"),
    ("//Pod", "spec/volumes/nfs/server"),
    ("//ReplicaSet", "spec/template/spec/volumes/nfs/server"),
    ("//Deployment", "spec/template/metadata/annotations"),
    ("//Ingress", "spec/rules/host"),
    ("//Ingress", "spec/tls/hosts"),
    ("//Ingress", "spec/tls/secretName"),
    ("//Service", "spec/ports/port"),
    ("//Service", "spec/ports/targetPort"),
    ("//StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
    ("//PersistentVolume", "spec/nfs/server"),
    ("//", "metadata/labels"),
    ("//", "metadata/annotations"),
];

fn kinds(text: &str) -> Kinds {
    let mut parts = text.split('/');
    let mut next = || std::sync::Arc::from(parts.next().unwrap_or_default());
    Kinds { group: next(), version: next(), kind: next() }
}

fn rows(rows: &[Row], create: bool) -> Vec<Field> {
    rows.iter().map(|(on, path)| Field::new(kinds(on), path, create)).collect()
}

fn in_pods(paths: &[&str], pods: &[Row]) -> Vec<Field> {
    let field = |path: &str, (on, pod): &Row| Field::new(kinds(on), &format!("{pod}{path}"), false);
    paths.iter().flat_map(|path| pods.iter().map(|pod| field(path, pod))).collect()
}

/// Returns kustomize's own fields.
pub(super) fn defaults() -> Config {
    let labels = rows(&LABELS, true);
    let mut common_labels = labels.clone();
    for (on, path, create) in SELECTORS {
        common_labels.push(Field::new(kinds(on), path, create));
    }
    let pods =
        [("apps//Deployment", "spec/template/spec/"), ("apps//StatefulSet", "spec/template/spec/")];
    common_labels.extend(in_pods(&POD_SELECTORS, &pods));
    let mut var_reference = in_pods(&VARIABLES_IN_PODS, &VARIABLE_PODS);
    var_reference.extend(rows(&VARIABLES, false));
    let names = vec![Field::new(Kinds::default(), "metadata/name", false)];
    Config {
        name_prefix: names.clone(),
        name_suffix: names,
        namespace: NAMESPACE
            .iter()
            .map(|(on, path, create)| Field::new(kinds(on), path, *create))
            .collect(),
        common_labels,
        labels: Vec::new(),
        template_labels: labels,
        common_annotations: rows(&ANNOTATIONS, true),
        name_reference: NAME_REFERENCES
            .iter()
            .map(|(target, paths, pods, others)| {
                let mut referrers = in_pods(paths, pods);
                referrers.extend(rows(others, false));
                NameReference { target: kinds(target), referrers }
            })
            .collect(),
        var_reference,
        images: IMAGES.iter().map(|path| Field::new(Kinds::default(), path, true)).collect(),
        replicas: REPLICAS.iter().map(|on| Field::new(kinds(on), "spec/replicas", true)).collect(),
    }
}
