//! `List` kinds to the objects in them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::document::{Document, Entry, Node, NodeKind, ObjectRef, Scalar};

/// One object of a document: the document itself, or an item of a list.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    /// The object.
    pub document: Cow<'a, Document>,
    /// Whether it is an item of a list.
    pub in_list: bool,
}

/// The depth to which lists in lists are unwrapped.
const NESTED_LISTS: usize = 8;

/// Returns the objects of a document: itself, or the items where it is a `List` of any kind.
///
/// As kubectl does (`UnstructuredJSONScheme.decodeToList`), an item without an `apiVersion` and a
/// `kind` takes the list's, without the `List` at the end.
pub fn objects(document: &Document) -> Vec<Object<'_>> {
    let mut out = Vec::new();
    match items(document) {
        Some(items) => {
            for item in items {
                unwrap(item, document.object.as_ref(), NESTED_LISTS, &mut out);
            }
        }
        None => out.push(Object { document: Cow::Borrowed(document), in_list: false }),
    }
    out
}

fn unwrap(item: &Node, list: Option<&ObjectRef>, depth: usize, out: &mut Vec<Object<'_>>) {
    let mut document = Document::new(item.clone());
    if document.object.is_none()
        && let Some(list) = list
        && let Some(kind) = list.kind.strip_suffix("List").filter(|kind| !kind.is_empty())
    {
        adopt(&mut document.root, "kind", kind);
        adopt(&mut document.root, "apiVersion", &list.api_version);
        document.object = ObjectRef::of(&document.root);
    }
    match items(&document) {
        Some(inner) if depth > 0 => {
            for item in inner {
                unwrap(item, document.object.as_ref(), depth - 1, out);
            }
        }
        _ => out.push(Object { document: Cow::Owned(document), in_list: true }),
    }
}

fn items(document: &Document) -> Option<&[Node]> {
    document.object.as_ref().filter(|object| object.kind.ends_with("List"))?;
    match &document.root.get("items")?.kind {
        NodeKind::Sequence(items) => Some(items),
        NodeKind::Scalar(Scalar::Null) => Some(&[]),
        NodeKind::Scalar(_) | NodeKind::Mapping(_) => None,
    }
}

fn adopt(node: &mut Node, key: &str, value: &str) {
    let span = node.span;
    if let NodeKind::Mapping(entries) = &mut node.kind
        && !entries.iter().any(|entry| &*entry.key == key)
    {
        let value = Node::string(value, span);
        entries.insert(0, Entry { key: Arc::from(key), key_span: span, value });
    }
}
