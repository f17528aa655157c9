//! The one tree that values, JSON, Rego input and locations all derive from.
//!
//! A node's span says where its value was set. Rendering moves nodes and spans together, so a
//! value that a patch set carries the span of the patch.

mod path;

use std::sync::Arc;

pub use path::{FieldPath, Part, Step};

use crate::source::Span;

/// A value and the place that set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value was set.
    pub span: Span,
    /// The value.
    pub kind: NodeKind,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A value without children.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order of the text.
    Mapping(Vec<Entry>),
}

/// A value without children, as the API server would read it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above [`i64::MAX`].
    Uint(u64),
    /// Any other number; never infinite, never NaN.
    Float(f64),
    /// A string.
    String(Arc<str>),
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, as the string that JSON would have.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns a node that holds a string.
    pub fn string(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { span, kind: NodeKind::Scalar(Scalar::String(text.into())) }
    }

    /// Returns an empty mapping.
    pub fn mapping(span: Span) -> Self {
        Self { span, kind: NodeKind::Mapping(Vec::new()) }
    }

    /// Returns the value of a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns the entry of a key, where this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// Returns the value of a key for change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.kind {
            NodeKind::Mapping(entries) => {
                entries.iter_mut().find(|entry| &*entry.key == key).map(|entry| &mut entry.value)
            }
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => &[],
        }
    }

    /// Returns the items of a sequence; none for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => &[],
        }
    }

    /// Returns the string, where this is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(Scalar::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the boolean, where this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Scalar(Scalar::Bool(value)) => Some(value),
            _ => None,
        }
    }

    /// Says whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar(Scalar::Null))
    }

    /// Says whether this is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, NodeKind::Mapping(_))
    }

    /// Returns the deepest node on `path` that exists, and how many steps led to it.
    pub fn descend(&self, path: &[Step]) -> (&Self, usize) {
        let mut node = self;
        for (depth, step) in path.iter().enumerate() {
            let next = match step {
                Step::Key(key) => node.get(key),
                Step::Index(index) => node.items().get(*index),
            };
            match next {
                Some(next) => node = next,
                None => return (node, depth),
            }
        }
        (node, path.len())
    }

    /// Returns where to point for `path`: its key or its value, else its nearest ancestor.
    ///
    /// A missing field is the common case of a finding, so this never fails: it then gives the
    /// key of the nearest ancestor that exists, or the start of the document.
    pub fn locate(&self, path: &[Step], part: Part) -> Span {
        let (node, depth) = self.descend(path);
        if depth == path.len() && part == Part::Value {
            return node.span;
        }
        // The key that led to the node, or the item itself where an index did.
        let Some((last, above)) = path.get(..depth).and_then(<[Step]>::split_last) else {
            return self.entries().first().map_or(self.span, |entry| entry.key_span);
        };
        let (parent, _) = self.descend(above);
        match last {
            Step::Key(key) => parent.entry(key).map_or(node.span, |entry| entry.key_span),
            Step::Index(_) => node.span,
        }
    }

    /// Returns the way to the deepest node whose text holds the byte at `offset`.
    ///
    /// Holds for trees that stand in one text as they were read.
    pub fn path_at(&self, offset: u32) -> FieldPath {
        let holds = |span: Span| (span.start..span.end).contains(&offset);
        let mut path = FieldPath::root();
        let mut node = self;
        loop {
            let next = match &node.kind {
                NodeKind::Scalar(_) => None,
                NodeKind::Sequence(items) => {
                    items.iter().enumerate().find(|(_, item)| holds(item.span)).map(|(at, item)| {
                        path.push_index(at);
                        item
                    })
                }
                NodeKind::Mapping(entries) => entries
                    .iter()
                    .find(|entry| holds(entry.key_span) || holds(entry.value.span))
                    .map(|entry| {
                        path.push_key(Arc::clone(&entry.key));
                        &entry.value
                    }),
            };
            match next {
                Some(next) => node = next,
                None => return path,
            }
        }
    }

    /// Returns the tree of a JSON value; every part of it has the place `span`.
    pub fn from_json(value: &serde_json::Value, span: Span) -> Self {
        use serde_json::Value;
        let kind = match value {
            Value::Null => NodeKind::Scalar(Scalar::Null),
            Value::Bool(it) => NodeKind::Scalar(Scalar::Bool(*it)),
            Value::Number(it) => NodeKind::Scalar(match (it.as_i64(), it.as_u64(), it.as_f64()) {
                (Some(it), ..) => Scalar::Int(it),
                (_, Some(it), _) => Scalar::Uint(it),
                (.., it) => Scalar::Float(it.unwrap_or_default()),
            }),
            Value::String(it) => NodeKind::Scalar(Scalar::String(it.as_str().into())),
            Value::Array(items) => {
                NodeKind::Sequence(items.iter().map(|it| Self::from_json(it, span)).collect())
            }
            Value::Object(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.as_str().into(),
                        key_span: span,
                        value: Self::from_json(value, span),
                    })
                    .collect(),
            ),
        };
        Self { span, kind }
    }

    /// Returns the JSON value, as the API server would receive it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            NodeKind::Scalar(scalar) => match scalar {
                Scalar::Null => Value::Null,
                Scalar::Bool(value) => Value::Bool(*value),
                Scalar::Int(value) => Value::from(*value),
                Scalar::Uint(value) => Value::from(*value),
                Scalar::Float(value) => Value::from(*value),
                Scalar::String(text) => Value::String(text.to_string()),
            },
            NodeKind::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            NodeKind::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.to_string(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// What an object calls itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// E.g. `apps/v1`.
    pub api_version: Arc<str>,
    /// E.g. `Deployment`.
    pub kind: Arc<str>,
    /// The namespace, where the object names one.
    pub namespace: Option<Arc<str>>,
    /// The name, or the prefix of `generateName`; empty where the object has neither.
    pub name: Arc<str>,
}

impl ObjectRef {
    /// Reads the reference of a node that has an `apiVersion` and a `kind`, both strings.
    pub fn of(node: &Node) -> Option<Self> {
        let text = |node: &Node| match &node.kind {
            NodeKind::Scalar(Scalar::String(text)) => Some(Arc::clone(text)),
            _ => None,
        };
        let metadata = |key| node.at(&["metadata", key]).and_then(text);
        Some(Self {
            api_version: text(node.get("apiVersion")?)?,
            kind: text(node.get("kind")?)?,
            namespace: metadata("namespace").filter(|namespace| !namespace.is_empty()),
            name: metadata("name")
                .or_else(|| metadata("generateName"))
                .unwrap_or_else(|| Arc::from("")),
        })
    }

    /// Returns the API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.slash().and_then(|at| self.api_version.get(..at)).unwrap_or_default()
    }

    /// Returns the version without the group.
    pub fn version(&self) -> &str {
        self.slash().and_then(|at| self.api_version.get(at + 1..)).unwrap_or(&self.api_version)
    }

    /// Returns where the version begins to be named. Asked often, of a few bytes.
    fn slash(&self) -> Option<usize> {
        self.api_version.bytes().rposition(|it| it == b'/')
    }
}

/// One document of a source: an object, a patch, a kustomization, values, anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Where the document stands.
    pub span: Span,
    /// What it calls itself, where it has an `apiVersion` and a `kind`.
    pub object: Option<ObjectRef>,
    /// The tree.
    pub root: Node,
}

impl Document {
    /// Wraps a tree and reads what it calls itself.
    pub fn new(root: Node) -> Self {
        Self { span: root.span, object: ObjectRef::of(&root), root }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, RepoPath, Source, SourceMap};

    fn tree() -> (SourceMap, Node) {
        let text = "spec: {replicas: 3}";
        let mut sources = SourceMap::default();
        let id = sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, text.into()));
        let span = |start, end| Span::new(id, start, end);
        let replicas = Node { span: span(17, 18), kind: NodeKind::Scalar(Scalar::Int(3)) };
        let spec = Node {
            span: span(6, 19),
            kind: NodeKind::Mapping(vec![Entry {
                key: "replicas".into(),
                key_span: span(7, 15),
                value: replicas,
            }]),
        };
        let root = Node {
            span: span(0, 19),
            kind: NodeKind::Mapping(vec![Entry {
                key: "spec".into(),
                key_span: span(0, 4),
                value: spec,
            }]),
        };
        (sources, root)
    }

    #[test]
    fn json_comes_back_as_it_went_in() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x",{}],"b":{"z":1,"y":[]}}"#;
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let span = tree().1.span;
        let node = Node::from_json(&value, span);
        assert_eq!(node.to_json(), value);
        let large = Node { span, kind: NodeKind::Scalar(Scalar::Uint(u64::MAX)) };
        assert_eq!(Node::from_json(&u64::MAX.into(), span), large);
    }

    #[test]
    fn locate_underlines_key_or_value() {
        let (sources, root) = tree();
        let path = FieldPath::from(["spec", "replicas"]);
        assert_eq!(sources.text(root.locate(&path, Part::Value)), "3");
        assert_eq!(sources.text(root.locate(&path, Part::Key)), "replicas");
    }

    #[test]
    fn a_missing_field_points_at_its_nearest_ancestor() {
        let (sources, root) = tree();
        let path = FieldPath::from(["spec", "template", "spec"]);
        assert_eq!(sources.text(root.locate(&path, Part::Value)), "spec");
        let path = FieldPath::from(["metadata"]);
        assert_eq!(sources.text(root.locate(&path, Part::Value)), "spec");
    }

    #[test]
    fn an_offset_leads_to_its_field() {
        let (_, root) = tree();
        assert_eq!(root.path_at(17).to_string(), "spec.replicas");
        assert_eq!(root.path_at(8).to_string(), "spec.replicas");
        assert_eq!(root.path_at(6).to_string(), "spec");
    }

    #[test]
    fn json_follows_the_tree() {
        let (_, root) = tree();
        assert_eq!(root.to_json(), serde_json::json!({"spec": {"replicas": 3}}));
    }
}
