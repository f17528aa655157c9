//! The schema that an `openapi` field brings: how lists of custom kinds are merged.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Node, NodeKind};
use crate::render::RenderError;

/// How many references to other definitions are followed one after the other.
const REFERENCES: usize = 32;

/// The extension that names the kinds of a definition.
const KINDS: &str = "x-kubernetes-group-version-kind";

/// The definitions of a schema by their names.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    by_name: BTreeMap<String, Definition>,
    /// The names of definitions by the API version and the kind that they describe.
    kinds: BTreeMap<(String, String), String>,
    cluster_scoped: BTreeSet<(String, String)>,
}

/// A schema, as far as it matters for the merging of lists.
#[derive(Debug, Default)]
pub(super) struct Definition {
    reference: Option<String>,
    properties: BTreeMap<String, Self>,
    additional: Option<Box<Self>>,
    items: Option<Box<Self>>,
    merge_keys: Option<Vec<String>>,
}

impl Definitions {
    /// Reads a document of the Open API.
    pub(super) fn read(root: &Node) -> Result<Self, RenderError> {
        let mut out = Self::default();
        if !root.is_mapping() {
            return Err(RenderError::broken(root.span, "a schema must be a map of definitions"));
        }
        for entry in root.get("definitions").map(Node::entries).unwrap_or_default() {
            for kind in entry.value.get(KINDS).map(Node::items).unwrap_or_default() {
                if let Some(kind) = type_of(kind) {
                    out.kinds.insert(kind, entry.key.to_string());
                }
            }
            out.by_name.insert(entry.key.to_string(), Definition::read(&entry.value));
        }
        let mut namespaced = BTreeSet::new();
        for path in root.get("paths").map(Node::entries).unwrap_or_default() {
            let Some(kind) = path.value.at(&["get", KINDS]).and_then(type_of) else { continue };
            if path.key.contains("namespaces/{namespace}") {
                namespaced.insert(kind);
            } else {
                out.cluster_scoped.insert(kind);
            }
        }
        out.cluster_scoped.retain(|kind| !namespaced.contains(kind));
        Ok(out)
    }

    /// Returns the definition of a kind.
    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<&Definition> {
        let name = self.kinds.get(&(api_version.to_owned(), kind.to_owned()))?;
        self.by_name.get(name)
    }

    /// Says whether the paths show a kind as one without namespaces.
    pub(super) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        self.cluster_scoped.contains(&(api_version.to_owned(), kind.to_owned()))
    }

    /// Returns the definition of a field.
    pub(super) fn field<'s>(&'s self, of: &'s Definition, key: &str) -> Option<Resolved<'s>> {
        let found = of.properties.get(key).or(of.additional.as_deref())?;
        self.resolve(found)
    }

    /// Returns the definition of the items of a list; of anything else, itself.
    pub(super) fn items<'s>(&'s self, of: &'s Definition) -> Resolved<'s> {
        let items = of.items.as_ref().and_then(|items| self.resolve(items));
        items.unwrap_or(Resolved::Here(of))
    }

    fn resolve<'s>(&'s self, mut found: &'s Definition) -> Option<Resolved<'s>> {
        for _ in 0..REFERENCES {
            let Some(name) = &found.reference else { return Some(Resolved::Here(found)) };
            match self.by_name.get(name) {
                Some(next) => found = next,
                None => return Some(Resolved::Elsewhere(name)),
            }
        }
        None
    }
}

/// Where a definition is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resolved<'s> {
    /// In the schema itself.
    Here(&'s Definition),
    /// In Kubernetes' own schema, under this name.
    Elsewhere(&'s str),
}

impl Definition {
    fn read(node: &Node) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        let is_list = text("type").as_deref() == Some("array");
        let nested = |key: &str| {
            node.get(key).filter(|it| it.is_mapping()).map(|it| Box::new(Self::read(it)))
        };
        let properties = node.get("properties").map(Node::entries).unwrap_or_default();
        Self {
            reference: text("$ref").and_then(|it| it.strip_prefix("#/definitions/").map(unescaped)),
            properties: properties
                .iter()
                .map(|entry| (entry.key.to_string(), Self::read(&entry.value)))
                .collect(),
            additional: nested("additionalProperties"),
            items: nested("items").filter(|_| is_list),
            merge_keys: merge_keys(node).filter(|_| is_list),
        }
    }

    /// Returns the keys by which a list is merged; none: the items are what is compared.
    pub(super) fn merge_keys(&self) -> Option<&[String]> {
        self.merge_keys.as_deref()
    }
}

/// Reads how a list is merged: only the strategies that name `merge` count.
fn merge_keys(node: &Node) -> Option<Vec<String>> {
    let strategy = node.get("x-kubernetes-patch-strategy")?.as_str()?;
    if !strategy.split(',').any(|it| it == "merge") {
        return None;
    }
    let texts = |node: &Node| node.as_str().map(str::to_owned);
    if let Some(NodeKind::Sequence(keys)) =
        node.get("x-kubernetes-list-map-keys").map(|it| &it.kind)
    {
        return Some(keys.iter().filter_map(texts).collect());
    }
    Some(node.get("x-kubernetes-patch-merge-key").and_then(texts).into_iter().collect())
}

/// Returns the API version and the kind that an extension names.
fn type_of(node: &Node) -> Option<(String, String)> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let version = text("version")?;
    let api_version = match text("group").filter(|it| !it.is_empty()) {
        Some(group) => format!("{group}/{version}"),
        None => version.to_owned(),
    };
    Some((api_version, text("kind")?.to_owned()))
}

/// Undoes the escapes of a JSON pointer.
fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}
