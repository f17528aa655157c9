//! Reads fields of reconcilers' objects that become a part of a kustomization.

use super::RenderError;
use crate::document::{Node, NodeKind};
use crate::graph::kustomization::{DecodeField, Item, Reader, Text};

/// Returns the items of a list; none where it is not there.
pub(super) fn list<'a>(name: &str, node: Option<&'a Node>) -> Result<&'a [Node], RenderError> {
    match node.map(|node| (&node.kind, node.span)) {
        None => Ok(&[]),
        Some((NodeKind::Sequence(items), _)) => Ok(items),
        Some((_, span)) => Err(RenderError::broken(span, format!("`{name}` must be a list"))),
    }
}

/// Reads a text.
pub(super) fn text(name: &str, node: &Node) -> Result<Text, RenderError> {
    item(name, node)
}

/// Reads an item that kustomize has too.
pub(super) fn item<T: Item>(name: &str, node: &Node) -> Result<T, RenderError> {
    let mut reader = Reader::default();
    let read = T::read(name, node, &mut reader);
    match read {
        Some(read) => refused(reader).map_or(Ok(read), Err),
        None => Err(refused(reader)
            .unwrap_or_else(|| RenderError::broken(node.span, format!("`{name}` cannot be read")))),
    }
}

/// Reads a field that kustomize has too.
pub(super) fn field<T: DecodeField>(name: &str, node: &Node) -> Result<T, RenderError> {
    let mut reader = Reader::default();
    let read = T::read(name, node, &mut reader);
    refused(reader).map_or(Ok(read), Err)
}

fn refused(reader: Reader) -> Option<RenderError> {
    reader.defects.into_iter().find(|defect| !defect.is_lenient).map(RenderError::from)
}
