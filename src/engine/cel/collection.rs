//! Lists and maps: how they are read, compared and added up.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::types::{ListKind, ListType, Type};
use super::value::{
    Evaluated, EvaluationError, Failure, Key, List, ListView, Map, MapView, Text, Value,
};
use crate::document::{Entry, Node, NodeKind};

impl<'a> List<'a> {
    /// Returns the number of items.
    pub fn len(&self) -> usize {
        match self {
            Self::Nodes(items, _) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// Says whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns an item.
    pub(super) fn get(&self, index: usize) -> Option<Evaluated<'a>> {
        match self {
            Self::Nodes(items, view) => items.get(index).map(|node| view.read(node)),
            Self::Made(items) => items.get(index).cloned().map(Ok),
        }
    }

    /// Returns all items as they can be read.
    pub fn values(&self) -> impl Iterator<Item = Result<Value<'a>, EvaluationError>> + '_ {
        self.iter().map(|item| item.map_err(EvaluationError::from))
    }

    /// Returns all items.
    pub(super) fn iter(&self) -> impl Iterator<Item = Evaluated<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn equals(&self, other: &Self) -> Result<bool, Failure> {
        if self.len() != other.len() {
            return Ok(false);
        }
        match self {
            Self::Nodes(_, ListView::Typed(ListType { kind: ListKind::Set, .. })) => {
                self.equals_as_set(other)
            }
            Self::Nodes(_, ListView::Typed(ListType { kind: ListKind::Map(keys), .. })) => {
                self.equals_as_map(other, keys)
            }
            _ => {
                for (left, right) in self.iter().zip(other.iter()) {
                    if !left?.equals(&right?)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn equals_as_set(&self, other: &Self) -> Result<bool, Failure> {
        let mut left = Vec::with_capacity(self.len());
        for item in self.iter() {
            left.push(identity(&item?));
        }
        let mut right = Vec::with_capacity(other.len());
        for item in other.iter() {
            right.push(identity(&item?));
        }
        left.sort();
        left.dedup();
        right.sort();
        right.dedup();
        Ok(left == right)
    }

    fn equals_as_map(&self, other: &Self, keys: &[Arc<str>]) -> Result<bool, Failure> {
        let mut left = BTreeMap::new();
        for item in self.iter() {
            let item = item?;
            left.insert(map_key(&item, keys), item);
        }
        let mut seen = BTreeSet::new();
        for item in other.iter() {
            let item = item?;
            let key = map_key(&item, keys);
            match left.get(&key) {
                Some(own) if own.equals(&item)? => {
                    seen.insert(key);
                }
                _ => return Ok(false),
            }
        }
        Ok(seen.len() == left.len())
    }

    /// Adds a list, as `+` does.
    pub(super) fn plus(&self, other: &Self) -> Evaluated<'a> {
        let mut items = Vec::with_capacity(self.len() + other.len());
        for item in self.iter() {
            items.push(item?);
        }
        match self {
            Self::Nodes(_, ListView::Typed(ListType { kind: ListKind::Set, .. })) => {
                let mut known: BTreeSet<String> = items.iter().map(identity).collect();
                for item in other.iter() {
                    let item = item?;
                    if known.insert(identity(&item)) {
                        items.push(item);
                    }
                }
            }
            Self::Nodes(_, ListView::Typed(ListType { kind: ListKind::Map(keys), .. })) => {
                let mut places: BTreeMap<String, usize> =
                    items.iter().enumerate().map(|(at, item)| (map_key(item, keys), at)).collect();
                for item in other.iter() {
                    let item = item?;
                    let place = *places.entry(map_key(&item, keys)).or_insert(items.len());
                    match items.get_mut(place) {
                        Some(known) => *known = item,
                        None => items.push(item),
                    }
                }
            }
            _ => {
                for item in other.iter() {
                    items.push(item?);
                }
            }
        }
        Ok(Value::list(items))
    }
}

/// Tells scalar items of a set apart.
fn identity(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => format!("s{}", text.as_str()),
        other => format!("{}{other}", other.type_name()),
    }
}

/// Tells items of a list apart by their keys.
fn map_key(item: &Value<'_>, keys: &[Arc<str>]) -> String {
    let mut out = String::new();
    for key in keys {
        let value = match item {
            Value::Map(map) => map.find_text(key).and_then(Result::ok),
            _ => None,
        };
        let part = value.as_ref().map(identity).unwrap_or_default();
        let _ = write!(out, "{}:{part};", part.len());
    }
    out
}

impl<'a> ListView<'a> {
    fn read(self, node: &'a Node) -> Evaluated<'a> {
        match self {
            Self::Typed(list) => Value::read(node, &list.item),
            Self::Dynamic => Ok(Value::dynamic(node)),
        }
    }
}

impl<'a> Map<'a> {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Nodes(entries, _) => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// Says whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value of a string key.
    pub(super) fn find_text(&self, key: &str) -> Option<Evaluated<'a>> {
        match self {
            Self::Nodes(entries, view) => view.find(entries, key),
            Self::Made(entries) => {
                entries.get(&Key::String(Arc::from(key))).map(|(_, value)| Ok(value.clone()))
            }
        }
    }

    /// Returns the value of a key.
    pub(super) fn find(&self, key: &Value<'a>) -> Result<Option<Value<'a>>, Failure> {
        let found = match (self, key) {
            (_, Value::String(text)) => self.find_text(text.as_str()),
            (Self::Nodes(_, MapView::Typed(_) | MapView::Object(_)), _) => {
                return Err(Failure::no_overload());
            }
            (Self::Nodes(_, MapView::Dynamic), _) => None,
            (Self::Made(entries), _) => entries.get(&key.key()).map(|(_, value)| Ok(value.clone())),
        };
        found.transpose()
    }

    /// Returns all keys that can be selected, and their values as they can be read.
    pub fn entries(&self) -> Vec<(Value<'a>, Result<Value<'a>, EvaluationError>)> {
        let entry = |key: Value<'a>| {
            let value = self.find_erased(&key).map_err(EvaluationError::from);
            (key, value)
        };
        self.keys().into_iter().map(entry).collect()
    }

    /// Returns the value of one of its own keys.
    pub(super) fn find_erased(&self, key: &Value<'_>) -> Evaluated<'a> {
        let found = match (self, key) {
            (_, Value::String(text)) => self.find_text(text.as_str()),
            (Self::Made(entries), _) => entries.get(&key.key()).map(|(_, value)| Ok(value.clone())),
            (Self::Nodes(..), _) => None,
        };
        found.unwrap_or_else(|| Err(Failure::new("no such key")))
    }

    /// Returns all keys that can be selected.
    pub(super) fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Self::Nodes(entries, view) => {
                entries.iter().filter_map(|entry| view.key(&entry.key)).collect()
            }
            Self::Made(entries) => entries.values().map(|(key, _)| key.clone()).collect(),
        }
    }

    pub(super) fn equals(&self, other: &Self) -> Result<bool, Failure> {
        if self.len() != other.len() {
            return Ok(false);
        }
        if let (Self::Nodes(left, view), Self::Nodes(right, _)) = (self, other)
            && !matches!(view, MapView::Dynamic)
        {
            return view.equals(left, right);
        }
        for key in self.keys() {
            let (left, right) = (self.find(&key)?, other.find(&key)?);
            match (left, right) {
                (Some(left), Some(right)) if left.equals(&right)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl<'a> MapView<'a> {
    /// Returns the type of a key of the document; `None` where it cannot be selected.
    fn type_of(self, key: &str) -> Option<&'a Type> {
        match self {
            Self::Typed(of) => Some(of),
            Self::Object(object) => {
                let escaped = super::escape(key)?;
                object.fields.get(&*escaped)
            }
            Self::Dynamic => Some(&Type::Dyn),
        }
    }

    fn find(self, entries: &'a [Entry], key: &str) -> Option<Evaluated<'a>> {
        let entry = |key: &str| entries.iter().find(|it| &*it.key == key);
        match self {
            Self::Object(object) => {
                let of = object.field(key)?;
                let node = if super::needs_unescape(key) {
                    &entry(&super::unescape(key)?)?.value
                } else {
                    &entry(key)?.value
                };
                // A null is as good as absent.
                if node.is_null() {
                    return None;
                }
                Some(Value::read(node, of))
            }
            Self::Typed(of) => Some(Value::read(&entry(key)?.value, of)),
            Self::Dynamic => Some(Ok(Value::dynamic(&entry(key)?.value))),
        }
    }

    fn key(self, key: &'a str) -> Option<Value<'a>> {
        let Self::Object(object) = self else { return Some(Value::String(Text::Borrowed(key))) };
        let escaped = super::escape(key)?;
        object.fields.contains_key(&*escaped).then(|| match escaped {
            Cow::Borrowed(text) => Value::String(Text::Borrowed(text)),
            Cow::Owned(text) => Value::string(text),
        })
    }

    fn equals(self, left: &'a [Entry], right: &'a [Entry]) -> Result<bool, Failure> {
        let index: BTreeMap<&str, &Node> =
            right.iter().map(|entry| (&*entry.key, &entry.value)).collect();
        for entry in left {
            let other = index.get(&*entry.key);
            let Some(of) = self.type_of(&entry.key) else {
                // A field that is not known is compared as it stands, where both have it.
                if other.is_some_and(|other| !same_data(&entry.value, other)) {
                    return Ok(false);
                }
                continue;
            };
            let object = matches!(self, Self::Object(_));
            let present = |node: &&Node| !(object && node.is_null());
            let own = Some(&entry.value).filter(present);
            let other = other.copied().filter(present);
            match (own, other) {
                (None, None) => {}
                (Some(left), Some(right)) => {
                    if !Value::read(left, of)?.equals(&Value::read(right, of)?)? {
                        return Ok(false);
                    }
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Compares two trees without their places.
fn same_data(left: &Node, right: &Node) -> bool {
    match (&left.kind, &right.kind) {
        (NodeKind::Scalar(left), NodeKind::Scalar(right)) => left == right,
        (NodeKind::Sequence(left), NodeKind::Sequence(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same_data(l, r))
        }
        (NodeKind::Mapping(left), NodeKind::Mapping(entries)) => {
            left.len() == entries.len()
                && left.iter().all(|entry| {
                    right.get(&entry.key).is_some_and(|other| same_data(&entry.value, other))
                })
        }
        _ => false,
    }
}
