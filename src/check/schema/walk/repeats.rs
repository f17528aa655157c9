//! Items that a list has twice, as server-side apply tells items apart.

use std::collections::BTreeMap;

use crate::document::{Node, NodeKind, Scalar};

use super::super::lookup::Apart;
use super::super::table::Items;

/// An item that stands earlier in the same list already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    /// The later item, from 0.
    pub(super) index: usize,
    /// The earlier item, from 0.
    pub(super) first: usize,
    /// What tells both apart from the others, e.g. `name: web`; nothing where it is not short.
    pub(super) label: Option<String>,
}

/// The part of an item that tells it apart. Ordered, so that long lists take no quadratic time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    Bool(bool),
    Integer(i128),
    Number(u64),
    Text(&'a str),
}

/// More keys than these no list has.
const KEYS: usize = 4;

/// Returns the items that stand in the list already, in the order of the list.
pub(super) fn of<'a>(apart: Apart<'a>, nodes: &'a [Node]) -> Vec<Repeat> {
    if apart.items == Items::Atomic || nodes.len() < 2 {
        return Vec::new();
    }
    let mut seen: BTreeMap<[Option<Identity<'a>>; KEYS], usize> = BTreeMap::new();
    let mut repeats = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        // What has no identity has the wrong type, or lacks the keys.
        let Some(identity) = identity(apart, node) else { continue };
        match seen.get(&identity) {
            Some(&first) => repeats.push(Repeat { index, first, label: label(apart, &identity) }),
            None => {
                seen.insert(identity, index);
            }
        }
    }
    repeats
}

fn identity<'a>(apart: Apart<'a>, node: &'a Node) -> Option<[Option<Identity<'a>>; KEYS]> {
    let mut identity = [const { None }; KEYS];
    match apart.items {
        Items::Atomic => return None,
        Items::Set => *identity.first_mut()? = Some(scalar(node)?),
        Items::Map => {
            for (slot, (key, default)) in identity.iter_mut().zip(apart.keys()) {
                *slot = match node.get(key) {
                    Some(value) => Some(scalar(value)?),
                    None => default.map(Identity::Text),
                };
            }
        }
    }
    identity.iter().any(Option::is_some).then_some(identity)
}

fn scalar(node: &Node) -> Option<Identity<'_>> {
    let NodeKind::Scalar(scalar) = &node.kind else { return None };
    Some(match scalar {
        Scalar::Null => return None,
        Scalar::Bool(value) => Identity::Bool(*value),
        Scalar::Int(value) => Identity::Integer((*value).into()),
        Scalar::Uint(value) => Identity::Integer((*value).into()),
        Scalar::Float(value) => Identity::Number(value.to_bits()),
        Scalar::String(text) => Identity::Text(text),
    })
}

fn label(apart: Apart<'_>, identity: &[Option<Identity<'_>>]) -> Option<String> {
    let text = |identity: &Identity<'_>| match identity {
        Identity::Bool(value) => value.to_string(),
        Identity::Integer(value) => value.to_string(),
        Identity::Number(bits) => f64::from_bits(*bits).to_string(),
        Identity::Text(text) => (*text).to_owned(),
    };
    match apart.items {
        Items::Atomic => None,
        Items::Set => identity.first()?.as_ref().map(text),
        Items::Map => {
            let keys = apart.keys().zip(identity);
            let parts: Vec<String> = keys
                .filter_map(|((key, _), it)| Some(format!("{key}: {}", text(it.as_ref()?))))
                .collect();
            Some(parts.join(", "))
        }
    }
}
