//! The clusters that generators go over.

use std::collections::BTreeMap;

use super::parameters::{normalized, set};
use crate::config::Cluster;
use crate::document::{Document, Node};
use crate::render::argo::destination::{IN_CLUSTER, IN_CLUSTER_SERVER};
use crate::render::flux::decoded;
use crate::source::Span;

/// What says of a Secret that it is a cluster.
const SECRET_TYPE: (&str, &str) = ("argocd.argoproj.io/secret-type", "cluster");

/// Annotations that no template sees, as they are the state of a program (`cluster.go`).
const HIDDEN: [&str; 7] = [
    "argocd.argoproj.io/application-set-refresh",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// Returns the cluster that a Secret declares.
pub(in crate::render) fn declared_by(document: &Document) -> Option<Cluster> {
    let object = document.object.as_ref()?;
    if (&*object.api_version, &*object.kind) != ("v1", "Secret") {
        return None;
    }
    let texts = |key| -> BTreeMap<String, String> {
        let all = document.root.at(&["metadata", key]).map_or(&[][..], Node::entries);
        let text = |node: &Node| node.as_str().map(str::to_owned);
        all.iter().filter_map(|it| Some((it.key.to_string(), text(&it.value)?))).collect()
    };
    let labels = texts("labels");
    if labels.get(SECRET_TYPE.0).map(String::as_str) != Some(SECRET_TYPE.1) {
        return None;
    }
    let field = |key| {
        let plain = document.root.at(&["stringData", key]).and_then(Node::as_str);
        let packed = document.root.at(&["data", key]).and_then(Node::as_str);
        plain.map(str::to_owned).or_else(|| packed.and_then(decoded))
    };
    Some(Cluster {
        name: field("name")?,
        server: field("server")?,
        environment: None,
        project: field("project").unwrap_or_default(),
        labels,
        annotations: texts("annotations"),
        values: BTreeMap::new(),
    })
}

/// Returns the cluster that Argo CD runs in.
pub(super) fn own() -> Cluster {
    Cluster {
        name: IN_CLUSTER.to_owned(),
        server: IN_CLUSTER_SERVER.to_owned(),
        ..Cluster::default()
    }
}

/// Returns the parameters of a cluster; `span` is the place of the generator.
pub(super) fn parameters(cluster: &Cluster, go: bool, span: Span) -> Node {
    let text = |text: &str| Node::string(text, span);
    let mut out = Node::mapping(span);
    set(&mut out, "name", text(&cluster.name));
    set(&mut out, "nameNormalized", text(&normalized(&cluster.name)));
    set(&mut out, "server", text(&cluster.server));
    set(&mut out, "project", text(&cluster.project));
    let annotations: Vec<(&String, &String)> =
        cluster.annotations.iter().filter(|(key, _)| !HIDDEN.contains(&key.as_str())).collect();
    let groups = [("annotations", annotations), ("labels", cluster.labels.iter().collect())];
    let mut metadata = Node::mapping(span);
    for (name, all) in groups {
        let mut group = Node::mapping(span);
        for (key, value) in all {
            if go {
                set(&mut group, key, text(value));
            } else {
                set(&mut out, &format!("metadata.{name}.{key}"), text(value));
            }
        }
        if !group.entries().is_empty() {
            set(&mut metadata, name, group);
        }
    }
    if go {
        set(&mut out, "metadata", metadata);
    }
    let mut values = Node::mapping(span);
    for (key, value) in &cluster.values {
        if go {
            set(&mut values, key, text(value));
        } else {
            set(&mut out, &format!("values.{key}"), text(value));
        }
    }
    if !values.entries().is_empty() {
        set(&mut out, "values", values);
    }
    out
}
