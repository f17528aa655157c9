//! Where an `Application` puts its objects: the cluster and the namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Document, Entry, Node, NodeKind, ObjectRef};
use crate::graph::{Graph, Placement};
use crate::render::deliver::Shared;
use crate::source::{RepoPath, Span};

/// The URL of the cluster that Argo CD itself runs in.
pub(super) const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// The name of the cluster that Argo CD itself runs in.
pub(super) const IN_CLUSTER: &str = "in-cluster";

/// The kinds of Kubernetes that live in a namespace, by group.
const NAMESPACED: [(&str, &[&str]); 11] = [
    (
        "",
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
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("batch", &["CronJob", "Job"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("events.k8s.io", &["Event"]),
    ("networking.k8s.io", &["Ingress", "NetworkPolicy"]),
    ("policy", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", &["Role", "RoleBinding"]),
    ("resource.k8s.io", &["ResourceClaim", "ResourceClaimTemplate"]),
];

/// The kinds of Kubernetes that have no namespace, by group.
const CLUSTER_SCOPED: [(&str, &[&str]); 9] = [
    ("", &["Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
];

/// Where objects go.
pub(super) struct Destination<'a> {
    /// The cluster and the environment that the configuration gives it; none for the cluster that
    /// Argo CD runs in.
    cluster: Option<(Arc<str>, Option<&'a str>)>,
    namespace: Option<&'a Node>,
}

impl<'a> Destination<'a> {
    pub(super) fn of(shared: &Shared<'a>, document: &'a Document) -> Self {
        let field = |key| document.root.at(&["spec", "destination", key]);
        let text = |key| field(key).and_then(Node::as_str).filter(|it| !it.is_empty());
        let known = &shared.known.clusters;
        let (name, server) = (text("name"), text("server").map(|it| it.trim_end_matches('/')));
        let declared = known.iter().find(|it| match (name, server) {
            (Some(name), _) => it.name == name,
            (None, Some(server)) => it.server.trim_end_matches('/') == server,
            (None, None) => false,
        });
        let own = match (name, server) {
            (Some(name), _) => name == IN_CLUSTER,
            (None, Some(server)) => server == IN_CLUSTER_SERVER,
            (None, None) => true,
        };
        let cluster = match declared {
            Some(it) if !own || it.environment.is_some() => {
                Some((Arc::from(it.name.as_str()), it.environment.as_deref()))
            }
            _ if own => None,
            _ => name.or(server).map(|it| (Arc::from(it), None)),
        };
        let namespace =
            field("namespace").filter(|node| node.as_str().is_some_and(|text| !text.is_empty()));
        Self { cluster, namespace }
    }

    /// Names the cluster, where it is not the one that holds the `Application`.
    pub(super) fn cluster(&self) -> Option<Arc<str>> {
        self.cluster.as_ref().map(|(name, _)| Arc::clone(name))
    }

    /// Returns the environments of a folder that is applied here.
    ///
    /// `holder` are those of what holds the `Application`. Another cluster is what the
    /// configuration says of it, else what the folder says, else what the holder is.
    pub(super) fn place(
        &self,
        graph: &Graph,
        folder: &RepoPath,
        holder: &[Placement],
        span: Span,
    ) -> Vec<Placement> {
        let Some((cluster, environment)) = &self.cluster else {
            return if folder.is_root() {
                holder.to_vec()
            } else {
                graph.place(folder, holder, span)
            };
        };
        let of_cluster = graph.of_cluster(cluster, *environment, span);
        if folder.is_root() {
            return if of_cluster.is_empty() { holder.to_vec() } else { of_cluster };
        }
        let placed = graph.place(folder, &of_cluster, span);
        if placed.is_empty() { holder.to_vec() } else { placed }
    }

    /// Gives objects without a namespace the one of the destination, and takes it from those that
    /// have none by nature.
    ///
    /// Argo CD asks the cluster which kinds are which. A custom kind is known here by a definition
    /// among the objects; any other is left as it is.
    pub(super) fn set_namespace(&self, objects: &mut [Document]) {
        let defined: BTreeMap<(String, String), bool> =
            objects.iter().filter_map(definition).collect();
        for document in objects {
            let Some(object) = &document.object else { continue };
            match is_namespaced(object, &defined) {
                Some(true) if object.namespace.is_none() => {
                    if let Some(namespace) = self.namespace {
                        give(document, namespace);
                    }
                }
                Some(false) if object.namespace.is_some() => take(document),
                Some(_) | None => {}
            }
        }
    }
}

/// Reads the group, the kind and the scope of a definition.
fn definition(document: &Document) -> Option<((String, String), bool)> {
    let object = document.object.as_ref()?;
    if object.group() != "apiextensions.k8s.io" || &*object.kind != "CustomResourceDefinition" {
        return None;
    }
    let text = |path: &[&str]| {
        document.root.get("spec").and_then(|spec| spec.at(path)).and_then(Node::as_str)
    };
    let kind = (text(&["group"])?.to_owned(), text(&["names", "kind"])?.to_owned());
    Some((kind, text(&["scope"])? == "Namespaced"))
}

fn is_namespaced(object: &ObjectRef, defined: &BTreeMap<(String, String), bool>) -> Option<bool> {
    let has = |table: &[(&str, &[&str])]| {
        table
            .iter()
            .any(|(group, kinds)| *group == object.group() && kinds.contains(&&*object.kind))
    };
    if has(&NAMESPACED) {
        return Some(true);
    }
    if has(&CLUSTER_SCOPED) {
        return Some(false);
    }
    defined.get(&(object.group().to_owned(), object.kind.to_string())).copied()
}

fn give(document: &mut Document, namespace: &Node) {
    let Some(metadata) = document.root.get_mut("metadata") else { return };
    let NodeKind::Mapping(entries) = &mut metadata.kind else { return };
    match entries.iter_mut().find(|entry| &*entry.key == "namespace") {
        Some(entry) => entry.value = namespace.clone(),
        None => entries.push(Entry {
            key: Arc::from("namespace"),
            key_span: namespace.span,
            value: namespace.clone(),
        }),
    }
    document.object = ObjectRef::of(&document.root);
}

fn take(document: &mut Document) {
    let Some(metadata) = document.root.get_mut("metadata") else { return };
    let NodeKind::Mapping(entries) = &mut metadata.kind else { return };
    entries.retain(|entry| &*entry.key != "namespace");
    document.object = ObjectRef::of(&document.root);
}
