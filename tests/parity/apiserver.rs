//! What an API server does to an object before it asks about it, as far as it matters to rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// How an object came to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// By server-side apply, which leaves no copy.
    ByServer,
    /// By `kubectl apply`, which keeps what it applied in an annotation.
    ByKubectl,
}

impl Applied {
    pub(crate) const ALL: [Self; 2] = [Self::ByServer, Self::ByKubectl];
}

/// Returns the review of an object that Flux applies.
pub(crate) fn review(object: &Value, applied: Applied) -> Value {
    let stored = stored(object, applied);
    let (group, version) = match stored["apiVersion"].as_str().unwrap_or_default().split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", stored["apiVersion"].as_str().unwrap_or_default()),
    };
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-4000-8000-000000000001",
            "kind": {"group": group, "version": version, "kind": stored["kind"]},
            "requestKind": {"group": group, "version": version, "kind": stored["kind"]},
            "name": stored["metadata"]["name"],
            "namespace": stored["metadata"]["namespace"],
            "operation": "CREATE",
            "userInfo": {
                "username": "system:serviceaccount:flux-system:kustomize-controller",
                "groups": [
                    "system:serviceaccounts",
                    "system:serviceaccounts:flux-system",
                    "system:authenticated",
                ],
            },
            "object": stored,
            "oldObject": null,
            "dryRun": false,
            "options": {
                "apiVersion": "meta.k8s.io/v1",
                "kind": "PatchOptions",
                "fieldManager": "kustomize-controller",
            },
        },
    })
}

/// Returns an object with what the server adds to it.
///
/// What is wrong with the object stays: whether a server would take it is not asked here.
fn stored(object: &Value, applied: Applied) -> Value {
    let mut stored = object.clone();
    let copy = object.to_string();
    let namespaced = is_namespaced(object);
    let root = stored.as_object_mut().unwrap();
    if let Some(metadata) = mapping(root, "metadata") {
        if metadata.get("name").is_none_or(Value::is_null)
            && let Some(prefix) = metadata.get("generateName").and_then(Value::as_str)
        {
            let name = format!("{prefix}x7k2p");
            metadata.insert("name".to_owned(), json!(name));
        }
        if namespaced {
            fill(metadata, "namespace", json!("default"));
        }
        fill(metadata, "uid", json!("26d5f124-601e-4868-902c-0104e9a7d043"));
        fill(metadata, "creationTimestamp", json!("2026-05-01T08:00:00Z"));
        fill(metadata, "generation", json!(1));
        fill(
            metadata,
            "managedFields",
            json!([{
                "manager": "kustomize-controller",
                "operation": "Apply",
                "apiVersion": "v1",
                "time": "2026-05-01T08:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {}, "f:data": {"f:token": {}}},
            }]),
        );
        if applied == Applied::ByKubectl
            && let Some(annotations) = mapping(metadata, "annotations")
        {
            let key = "kubectl.kubernetes.io/last-applied-configuration";
            annotations.insert(key.to_owned(), json!(format!("{copy}\n")));
        }
    }
    let of = |group: &str, kind: &str| {
        object["apiVersion"].as_str().is_some_and(|it| it == group) && object["kind"] == kind
    };
    if of("v1", "Secret") {
        secret(root);
    }
    if of("v1", "Service") {
        service(root);
    }
    if of("apps/v1", "Deployment") {
        fill(root, "status", json!({}));
        if let Some(spec) = mapping(root, "spec") {
            fill(spec, "replicas", json!(1));
            fill(spec, "revisionHistoryLimit", json!(10));
            fill(spec, "progressDeadlineSeconds", json!(600));
            fill(
                spec,
                "strategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
            );
        }
    }
    if object["apiVersion"] == "rbac.authorization.k8s.io/v1" {
        binding(root);
    }
    if let Some(pod) = pod(root) {
        defaults(pod);
    }
    stored
}

/// Says whether a namespace is filled in. Custom resources are namespaced more often than not.
fn is_namespaced(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    !kind.starts_with("Cluster")
        && ![
            "APIService",
            "CustomResourceDefinition",
            "IngressClass",
            "MutatingWebhookConfiguration",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PriorityClass",
            "RuntimeClass",
            "StorageClass",
            "ValidatingWebhookConfiguration",
        ]
        .contains(&kind)
}

/// Merges `stringData` into `data`, in base64.
fn secret(root: &mut Map<String, Value>) {
    if let Some(Value::Object(plain)) = root.remove("stringData") {
        let Some(data) = mapping(root, "data") else { return };
        for (key, value) in plain {
            let encoded = value.as_str().map(|it| json!(STANDARD.encode(it)));
            data.insert(key, encoded.unwrap_or(value));
        }
    }
    fill(root, "type", json!("Opaque"));
}

fn service(root: &mut Map<String, Value>) {
    let Some(spec) = mapping(root, "spec") else { return };
    fill(spec, "type", json!("ClusterIP"));
    fill(spec, "sessionAffinity", json!("None"));
    fill(spec, "internalTrafficPolicy", json!("Cluster"));
    for port in objects(spec.get_mut("ports")) {
        fill(port, "protocol", json!("TCP"));
        let number =
            port.get("port").cloned().filter(|it| it.as_u64().is_some_and(|it| it < 65536));
        if let Some(number) = number {
            fill(port, "targetPort", number);
        }
    }
}

fn binding(root: &mut Map<String, Value>) {
    for subject in objects(root.get_mut("subjects")) {
        if subject.get("kind").is_some_and(|it| it == "User" || it == "Group") {
            fill(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
        }
    }
}

/// Returns the pod of an object of a kind of Kubernetes.
fn pod(root: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let text = |key: &str| root.get(key).and_then(Value::as_str).unwrap_or_default();
    let path: &[&str] = match (text("apiVersion"), text("kind")) {
        ("v1", "Pod") => &["spec"],
        ("v1", "PodTemplate") => &["template", "spec"],
        ("batch/v1", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        (
            "v1" | "apps/v1" | "batch/v1",
            "ReplicationController"
            | "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "Job",
        ) => &["spec", "template", "spec"],
        _ => return None,
    };
    let mut at = root;
    for key in path {
        at = at.get_mut(*key)?.as_object_mut()?;
    }
    Some(at)
}

fn defaults(pod: &mut Map<String, Value>) {
    fill(pod, "restartPolicy", json!("Always"));
    fill(pod, "dnsPolicy", json!("ClusterFirst"));
    fill(pod, "schedulerName", json!("default-scheduler"));
    fill(pod, "terminationGracePeriodSeconds", json!(30));
    fill(pod, "securityContext", json!({}));
    for list in ["containers", "initContainers"] {
        for container in objects(pod.get_mut(list)) {
            let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
            let is_latest = image.ends_with(":latest") || !image.contains([':', '@']);
            let policy = if is_latest { "Always" } else { "IfNotPresent" };
            fill(container, "imagePullPolicy", json!(policy));
            fill(container, "resources", json!({}));
            fill(container, "terminationMessagePath", json!("/dev/termination-log"));
            fill(container, "terminationMessagePolicy", json!("File"));
            for port in objects(container.get_mut("ports")) {
                fill(port, "protocol", json!("TCP"));
            }
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                if let Some(Value::Object(probe)) = container.get_mut(probe) {
                    fill(probe, "timeoutSeconds", json!(1));
                    fill(probe, "periodSeconds", json!(10));
                    fill(probe, "successThreshold", json!(1));
                    fill(probe, "failureThreshold", json!(3));
                }
            }
        }
    }
}

/// Sets a field that is missing.
fn fill(object: &mut Map<String, Value>, key: &str, value: Value) {
    if object.get(key).is_none_or(Value::is_null) {
        object.insert(key.to_owned(), value);
    }
}

/// Returns a field that is a mapping; an empty one where there is none.
fn mapping<'a>(
    object: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Map<String, Value>> {
    fill(object, key, json!({}));
    object.get_mut(key)?.as_object_mut()
}

/// Returns the items of a list that are mappings.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}
