//! An object on its way through the transformers, and what it was called before.

use std::sync::{Arc, LazyLock};

use super::{scalar, schema};
use crate::document::{Document, Entry, Node, NodeKind, Scalar};
use crate::source::{SourceMap, Span};

/// What names an object: kustomize's `ResId`, with the effective namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) api_version: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

/// The namespace of what has none.
const CLUSTER: &str = "_non_namespaceable_";

// Ids are made all the time; these texts are shared by nearly all of them.
static CLUSTER_TEXT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(CLUSTER));
static DEFAULT_TEXT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("default"));
static EMPTY_TEXT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

impl Id {
    pub(super) fn new(
        api_version: Arc<str>,
        kind: Arc<str>,
        namespace: &Arc<str>,
        name: Arc<str>,
    ) -> Self {
        let namespace = if schema::is_cluster_scoped(&api_version, &kind) {
            Arc::clone(&CLUSTER_TEXT)
        } else if namespace.is_empty() {
            Arc::clone(&DEFAULT_TEXT)
        } else {
            Arc::clone(namespace)
        };
        Self { api_version, kind, namespace, name }
    }

    pub(super) fn is_cluster_scoped(&self) -> bool {
        &*self.namespace == CLUSTER
    }

    pub(super) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(super) fn version(&self) -> &str {
        self.api_version.split_once('/').map_or(&*self.api_version, |(_, version)| version)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if self.is_cluster_scoped() || &*self.namespace == "default" {
            return Ok(());
        }
        write!(f, " in {}", self.namespace)
    }
}

/// What happens when a generated object meets one of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

/// An object and what kustomize remembers of it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) node: Node,
    /// Former namespaces, names and kinds, oldest first.
    previous: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    pub(super) prefixes: Vec<Arc<str>>,
    pub(super) suffixes: Vec<Arc<str>>,
    /// Whether the hash of the content goes to the name, and the place that asks for the object.
    pub(super) hash: Option<Span>,
    pub(super) behavior: Behavior,
    /// Whether a generator made it.
    pub(super) is_generated: bool,
    /// The variables that take their value here.
    pub(super) variables: Vec<Arc<str>>,
    /// The number of values at the time of loading.
    pub(super) size: usize,
    /// Whether an `openapi` schema has the kind as one without namespaces.
    pub(super) is_cluster_scoped: bool,
}

impl Object {
    pub(super) fn new(mut node: Node, sources: &SourceMap) -> Self {
        normalize_annotations(&mut node, sources);
        let size = count(&node);
        Self {
            node,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            hash: None,
            behavior: Behavior::Create,
            is_generated: false,
            variables: Vec::new(),
            size,
            is_cluster_scoped: false,
        }
    }

    pub(super) fn api_version(&self) -> Arc<str> {
        text_at(&self.node, &["apiVersion"])
    }

    pub(super) fn kind(&self) -> Arc<str> {
        text_at(&self.node, &["kind"])
    }

    pub(super) fn name(&self) -> Arc<str> {
        text_at(&self.node, &["metadata", "name"])
    }

    /// Returns the namespace as it stands, empty where there is none.
    pub(super) fn namespace(&self) -> Arc<str> {
        text_at(&self.node, &["metadata", "namespace"])
    }

    pub(super) fn id(&self) -> Id {
        self.scoped(Id::new(self.api_version(), self.kind(), &self.namespace(), self.name()))
    }

    fn scoped(&self, mut id: Id) -> Id {
        if self.is_cluster_scoped {
            id.namespace = Arc::clone(&CLUSTER_TEXT);
        }
        id
    }

    /// Returns the former ids, oldest first, without the current one.
    pub(super) fn previous_ids(&self) -> impl Iterator<Item = Id> {
        let api_version = self.api_version();
        self.previous.iter().map(move |(namespace, name, kind)| {
            let api_version = Arc::clone(&api_version);
            self.scoped(Id::new(api_version, Arc::clone(kind), namespace, Arc::clone(name)))
        })
    }

    /// Returns the first id that the object had.
    pub(super) fn original_id(&self) -> Id {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Returns the former ids and the current one.
    pub(super) fn all_ids(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.previous_ids().collect();
        ids.push(self.id());
        ids
    }

    /// Remembers the current id before it changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        if !id.name.is_empty() {
            self.previous.push((id.namespace, id.name, id.kind));
        }
    }

    /// Says whether kustomize has notes of its own in the annotations, which then are there.
    pub(super) fn has_notes(&self) -> bool {
        !self.previous.is_empty() || self.is_generated
    }

    /// Takes over what kustomize remembers of the object that this one replaces.
    pub(super) fn inherit(&mut self, old: &Self) {
        self.previous.clone_from(&old.previous);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.variables.clone_from(&old.variables);
        self.behavior = old.behavior;
        self.is_generated = old.is_generated;
        if old.hash.is_none() {
            self.hash = None;
        }
    }

    /// Returns the value of a label or an annotation as text.
    pub(super) fn metadata_map(&self, field: &str) -> Vec<(Arc<str>, Arc<str>)> {
        let map = self.node.at(&["metadata", field]);
        map.map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| (Arc::clone(&entry.key), text(&entry.value)))
            .collect()
    }

    /// Says whether a patch took everything away.
    pub(super) fn is_empty(&self) -> bool {
        self.node.is_null() || (self.node.is_mapping() && self.node.entries().is_empty())
    }

    pub(super) fn into_document(mut self, sources: &SourceMap) -> Document {
        normalize_annotations(&mut self.node, sources);
        Document::new(self.node)
    }
}

/// Does to annotations what kustomize does: they become text, and an empty map goes away.
///
/// kustomize keeps notes of its own in the annotations and rewrites them all when it removes them.
fn normalize_annotations(node: &mut Node, sources: &SourceMap) {
    let Some(metadata) = node.get_mut("metadata") else { return };
    let Some(annotations) = metadata.get_mut("annotations") else { return };
    if let NodeKind::Mapping(entries) = &mut annotations.kind
        && !entries.is_empty()
    {
        for entry in entries {
            if matches!(&entry.value.kind, NodeKind::Scalar(scalar) if !matches!(scalar, Scalar::String(_)))
            {
                let text = scalar::written(&entry.value, sources);
                entry.value.kind = NodeKind::Scalar(Scalar::String(text));
            }
        }
        return;
    }
    let empty = annotations.is_null() || annotations.entries().is_empty();
    if empty && (annotations.is_null() || annotations.is_mapping()) {
        remove(metadata, "annotations");
    }
}

/// Returns the number of values in a tree.
pub(super) fn count(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Scalar(_) => 1,
        NodeKind::Sequence(items) => 1 + items.iter().map(count).sum::<usize>(),
        NodeKind::Mapping(entries) => {
            1 + entries.iter().map(|entry| count(&entry.value)).sum::<usize>()
        }
    }
}

/// Returns the number of levels in a tree.
pub(super) fn depth(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Scalar(_) => 0,
        NodeKind::Sequence(items) => items.iter().map(depth).max().unwrap_or(0),
        NodeKind::Mapping(entries) => {
            entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0)
        }
    }
}

/// Returns a scalar as the text that YAML would have; empty for a list or a map.
pub(super) fn text(node: &Node) -> Arc<str> {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalar_text(scalar),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => Arc::clone(&EMPTY_TEXT),
    }
}

pub(super) fn scalar_text(scalar: &Scalar) -> Arc<str> {
    match scalar {
        Scalar::Null => Arc::clone(&EMPTY_TEXT),
        Scalar::Bool(value) => Arc::from(value.to_string()),
        Scalar::Int(value) => Arc::from(value.to_string()),
        Scalar::Uint(value) => Arc::from(value.to_string()),
        Scalar::Float(value) => Arc::from(value.to_string()),
        Scalar::String(text) => Arc::clone(text),
    }
}

fn text_at(node: &Node, path: &[&str]) -> Arc<str> {
    node.at(path).map_or_else(|| Arc::clone(&EMPTY_TEXT), text)
}

/// Sets a key of a mapping: a new value for an old key, or a new entry at the end.
pub(super) fn set(node: &mut Node, key: &str, value: Node) {
    let NodeKind::Mapping(entries) = &mut node.kind else { return };
    if let Some(entry) = entries.iter_mut().find(|entry| &*entry.key == key) {
        entry.value = value;
    } else {
        let key_span = value.span;
        entries.push(Entry { key: Arc::from(key), key_span, value });
    }
}

/// Removes a key of a mapping.
pub(super) fn remove(node: &mut Node, key: &str) {
    if let NodeKind::Mapping(entries) = &mut node.kind {
        entries.retain(|entry| &*entry.key != key);
    }
}

/// Returns the value of a key, made as an empty map where it is not there or null.
pub(super) fn map_at<'n>(node: &'n mut Node, key: &str, span: Span) -> Option<&'n mut Node> {
    if node.get(key).is_none_or(Node::is_null) {
        set(node, key, Node::mapping(span));
    }
    node.get_mut(key)
}
