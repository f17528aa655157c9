//! What makes two values, and two items of a list, the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::shape::{ListKind, Shape, ShapeId, Shapes};
use crate::document::{Node, NodeKind, Scalar};

/// Says whether two values are the same, wherever they stand.
pub(super) fn same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (NodeKind::Scalar(one), NodeKind::Scalar(other)) => one == other,
        (NodeKind::Sequence(one), NodeKind::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (NodeKind::Mapping(one), NodeKind::Mapping(other)) => {
            if one.len() != other.len() {
                return false;
            }
            if one.iter().zip(other).all(|(one, other)| one.key == other.key) {
                return one.iter().zip(other).all(|(one, other)| same(&one.value, &other.value));
            }
            let others: BTreeMap<&str, &Node> =
                other.iter().map(|entry| (&*entry.key, &entry.value)).collect();
            one.iter().all(|entry| others.get(&*entry.key).is_some_and(|it| same(&entry.value, it)))
        }
        _ => false,
    }
}

/// Returns a text that two values share exactly if they are the same.
pub(super) fn key(node: &Node) -> String {
    let mut out = String::new();
    write_key(node, &mut out);
    out
}

fn write_key(node: &Node, out: &mut String) {
    // Writing into a string cannot fail.
    let _ = match &node.kind {
        NodeKind::Scalar(Scalar::Null) => out.write_str("null"),
        NodeKind::Scalar(Scalar::Bool(it)) => write!(out, "{it}"),
        NodeKind::Scalar(Scalar::Int(it)) => write!(out, "{it}"),
        NodeKind::Scalar(Scalar::Uint(it)) => write!(out, "{it}"),
        NodeKind::Scalar(Scalar::Float(it)) => write!(out, "{it:?}"),
        NodeKind::Scalar(Scalar::String(it)) => write!(out, "{it:?}"),
        NodeKind::Sequence(items) => {
            out.push('[');
            for item in items {
                write_key(item, out);
                out.push(',');
            }
            out.write_str("]")
        }
        NodeKind::Mapping(entries) => {
            let sorted: BTreeMap<&str, &Node> =
                entries.iter().map(|entry| (&*entry.key, &entry.value)).collect();
            out.push('{');
            for (key, value) in sorted {
                let _ = write!(out, "{key:?}:");
                write_key(value, out);
                out.push(',');
            }
            out.write_str("}")
        }
    };
}

/// Returns the key of an item of a map: the values of its key fields.
pub(super) fn map_key(item: &Node, fields: &[Arc<str>]) -> String {
    let mut out = String::new();
    for field in fields {
        match item.get(field) {
            Some(value) => write_key(value, &mut out),
            None => out.push('-'),
        }
        out.push(',');
    }
    out
}

/// Returns the position of the first repetition of each key that occurs more than once.
pub(super) fn duplicates(keys: impl Iterator<Item = String>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    let mut repeated = Vec::new();
    for (index, key) in keys.enumerate() {
        if seen.contains(&key) {
            if told.insert(key) {
                repeated.push(index);
            }
        } else {
            seen.insert(key);
        }
    }
    repeated
}

/// The former state of a value, and the part of the schema that says how it is structured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) node: &'a Node,
    pub(super) spine: ShapeId,
}

/// Says whether a value is the same as before (`CachedDeepEqual`): what the schema does not know
/// counts as changed.
pub(super) fn unchanged(shapes: &Shapes, before: Before<'_>, node: &Node) -> bool {
    let shape = shapes.get(before.spine);
    match (&before.node.kind, &node.kind) {
        (NodeKind::Sequence(old), NodeKind::Sequence(new)) => {
            if old.len() != new.len() {
                return false;
            }
            let (ListKind::Map(_), Some(spine)) = (&shape.list, shape.items) else {
                return same(before.node, node);
            };
            let correlation = Correlation::of(shape, old);
            new.iter().all(|item| {
                let old = correlation.get(item);
                old.is_some_and(|node| unchanged(shapes, Before { node, spine }, item))
            })
        }
        (NodeKind::Mapping(old), NodeKind::Mapping(new)) => {
            old.len() == new.len()
                && new.iter().all(|entry| {
                    let (Some(spine), Some(node)) =
                        (shape.field(&entry.key), before.node.get(&entry.key))
                    else {
                        return false;
                    };
                    unchanged(shapes, Before { node, spine }, &entry.value)
                })
        }
        _ => same(before.node, node),
    }
}

/// Finds the former state of an item: where the list is a map, the item of the same key.
#[derive(Debug)]
pub(super) struct Correlation<'a> {
    fields: &'a [Arc<str>],
    by_key: BTreeMap<String, &'a Node>,
}

impl<'a> Correlation<'a> {
    pub(super) fn of(shape: &'a Shape, before: &'a [Node]) -> Self {
        let fields: &[Arc<str>] = match &shape.list {
            ListKind::Map(fields) if !before.is_empty() => fields,
            _ => &[],
        };
        let mut by_key = BTreeMap::new();
        if !fields.is_empty() {
            for item in before {
                by_key.entry(map_key(item, fields)).or_insert(item);
            }
        }
        Self { fields, by_key }
    }

    pub(super) fn get(&self, item: &Node) -> Option<&'a Node> {
        if self.by_key.is_empty() {
            return None;
        }
        self.by_key.get(&map_key(item, self.fields)).copied()
    }
}
