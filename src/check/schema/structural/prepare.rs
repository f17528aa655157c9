//! The object that the API server validates: without nulls that mean nothing, with defaults.
//!
//! Follows `PruneNonNullableNullsWithoutDefaults` and `Default` of
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting`.

use std::borrow::Cow;
use std::sync::Arc;

use super::shape::{Additional, Shape, ShapeId, Shapes};
use crate::document::{Entry, Node, NodeKind};
use crate::source::Span;

/// Returns the object as it is validated; a copy only where something changes.
///
/// Server-side apply decodes nothing, so that it keeps nulls: `keeps_nulls`.
pub(super) fn prepare<'a>(
    shapes: &Shapes,
    root: ShapeId,
    node: Cow<'a, Node>,
    keeps_nulls: bool,
) -> Cow<'a, Node> {
    let prepare = Prepare { shapes, keeps_nulls };
    if !prepare.changes(&node, root) {
        return node;
    }
    let anchor = node.span;
    let mut copy = node.into_owned();
    prepare.apply(&mut copy, root, anchor);
    Cow::Owned(copy)
}

struct Prepare<'a> {
    shapes: &'a Shapes,
    keeps_nulls: bool,
}

impl Prepare<'_> {
    /// Says whether a null means nothing here: it goes away, or the default takes its place.
    fn is_void(shape: &Shape, node: &Node) -> bool {
        node.is_null() && !shape.nullable
    }

    fn changes(&self, node: &Node, id: ShapeId) -> bool {
        let shape = self.shapes.get(id);
        match &node.kind {
            NodeKind::Scalar(_) => false,
            NodeKind::Sequence(items) => shape.items.is_some_and(|of| {
                let default = self.shapes.get(of).default.is_some();
                items.iter().any(|it| {
                    default && Self::is_void(self.shapes.get(of), it) || self.changes(it, of)
                })
            }),
            NodeKind::Mapping(entries) => {
                let within = entries.iter().any(|entry| {
                    shape.field(&entry.key).is_some_and(|of| {
                        Self::is_void(self.shapes.get(of), &entry.value)
                            || self.changes(&entry.value, of)
                    })
                });
                within || shape.defaults_within && self.missing(shape, entries).next().is_some()
            }
        }
    }

    /// Returns the properties that a default fills in.
    fn missing<'s>(
        &'s self,
        shape: &'s Shape,
        entries: &'s [Entry],
    ) -> impl Iterator<Item = (&'s Arc<str>, &'s Node)> {
        shape.properties.iter().filter_map(|(name, id)| {
            let default = self.shapes.get(*id).default.as_deref()?;
            entries.iter().all(|entry| entry.key != *name).then_some((name, default))
        })
    }

    /// Puts in defaults and takes out nulls. What is put in stands at `anchor`.
    fn apply(&self, node: &mut Node, id: ShapeId, anchor: Span) {
        let shape = self.shapes.get(id);
        match &mut node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => {
                let Some(of) = shape.items else { return };
                for item in items {
                    let anchor = item.span;
                    self.fill(item, of, anchor);
                    self.apply(item, of, anchor);
                }
            }
            NodeKind::Mapping(entries) => {
                entries.retain(|entry| match shape.field(&entry.key) {
                    Some(of) => {
                        let of = self.shapes.get(of);
                        !Self::is_void(of, &entry.value) || self.keeps_nulls || of.default.is_some()
                    }
                    None => true,
                });
                if shape.defaults_within {
                    let new: Vec<Entry> = self
                        .missing(shape, entries)
                        .map(|(name, default)| Entry {
                            key: Arc::clone(name),
                            key_span: anchor,
                            value: at(default, anchor),
                        })
                        .collect();
                    entries.extend(new);
                }
                for entry in entries {
                    let anchor = entry.key_span;
                    let of = match (shape.property(&entry.key), shape.additional) {
                        (Some(of), _) | (None, Additional::Of(of)) => of,
                        (None, Additional::Unsaid | Additional::Any) => continue,
                    };
                    self.fill(&mut entry.value, of, anchor);
                    self.apply(&mut entry.value, of, anchor);
                }
            }
        }
    }

    /// Replaces a null that means nothing by the default.
    fn fill(&self, node: &mut Node, id: ShapeId, anchor: Span) {
        let shape = self.shapes.get(id);
        if let (true, Some(default)) = (Self::is_void(shape, node), &shape.default) {
            *node = at(default, anchor);
        }
    }
}

/// Returns a copy that stands at a place.
fn at(node: &Node, span: Span) -> Node {
    let kind = match &node.kind {
        NodeKind::Scalar(scalar) => NodeKind::Scalar(scalar.clone()),
        NodeKind::Sequence(items) => {
            NodeKind::Sequence(items.iter().map(|it| at(it, span)).collect())
        }
        NodeKind::Mapping(entries) => NodeKind::Mapping(
            entries
                .iter()
                .map(|entry| Entry {
                    key: Arc::clone(&entry.key),
                    key_span: span,
                    value: at(&entry.value, span),
                })
                .collect(),
        ),
    };
    Node { span, kind }
}
