//! What server-side apply makes of an object that it merges into its former state.
//!
//! A field that its manager no longer names goes away. Where that empties an object or a list, the
//! merge leaves `null` behind (`RemoveItems` of `sigs.k8s.io/structured-merge-diff`), which the
//! schema rarely takes.

use std::borrow::Cow;

use super::items::Correlation;
use super::shape::{ListKind, Shape, ShapeId, Shapes};
use crate::document::{Node, NodeKind, Scalar};

/// Returns the object as it is after the merge; a copy only where something is emptied.
pub(super) fn merged<'a>(
    shapes: &Shapes,
    root: ShapeId,
    node: Cow<'a, Node>,
    old: &Node,
) -> Cow<'a, Node> {
    if !has_empty(&node) {
        return node;
    }
    let mut node = node.into_owned();
    merge(shapes, root, &mut node, old);
    Cow::Owned(node)
}

fn has_empty(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(_) => false,
        NodeKind::Sequence(items) => items.is_empty() || items.iter().any(has_empty),
        NodeKind::Mapping(entries) => {
            entries.is_empty() || entries.iter().any(|entry| has_empty(&entry.value))
        }
    }
}

fn merge(shapes: &Shapes, id: ShapeId, node: &mut Node, old: &Node) {
    let shape = shapes.get(id);
    if is_emptied(shapes, shape, node, old) {
        node.kind = NodeKind::Scalar(Scalar::Null);
        return;
    }
    match &mut node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => {
            let (ListKind::Map(_), Some(of)) = (&shape.list, shape.items) else { return };
            let correlation = Correlation::of(shape, old.items());
            for item in items {
                if let Some(old) = correlation.get(item) {
                    merge(shapes, of, item, old);
                }
            }
        }
        NodeKind::Mapping(_) if shape.atomic => {}
        NodeKind::Mapping(entries) => {
            for entry in entries {
                if let (Some(of), Some(old)) = (shape.field(&entry.key), old.get(&entry.key)) {
                    merge(shapes, of, &mut entry.value, old);
                }
            }
        }
    }
}

fn is_emptied(shapes: &Shapes, shape: &Shape, node: &Node, old: &Node) -> bool {
    match (&node.kind, &old.kind) {
        (NodeKind::Sequence(new), NodeKind::Sequence(old)) => {
            new.is_empty() && !old.is_empty() && shape.list != ListKind::Atomic
        }
        (NodeKind::Mapping(new), NodeKind::Mapping(entries)) => {
            // What a default filled in belongs to nobody, and stays.
            let stays = || {
                shape
                    .properties
                    .iter()
                    .any(|(name, id)| shapes.get(*id).default.is_some() && old.get(name).is_none())
            };
            new.is_empty() && !entries.is_empty() && !shape.atomic && !stays()
        }
        _ => false,
    }
}
