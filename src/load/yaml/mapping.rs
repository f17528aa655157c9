//! Mappings under construction: keys that come twice, and merges in two dialects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Dialect;
use crate::document::{Entry, Node, NodeKind};
use crate::source::Span;

/// A key that waits for its value.
pub(super) struct Key {
    pub(super) text: Arc<str>,
    pub(super) span: Span,
    /// Whether it is `<<`, whose value is merged.
    pub(super) merge: bool,
}

/// How many entries are searched one by one before an index is kept.
const LINEAR: usize = 16;

/// A mapping under construction.
#[derive(Default)]
pub(super) struct Mapping {
    pub(super) key: Option<Key>,
    entries: Vec<Entry>,
    index: BTreeMap<Arc<str>, usize>,
    /// Keys that a merge brought and no explicit entry has set.
    merged: BTreeSet<Arc<str>>,
    /// Merges of kustomize's dialect, which never override what stands in the mapping.
    pending: Vec<Entry>,
    first: Option<u32>,
    last: Option<u32>,
}

impl Mapping {
    /// Returns an empty mapping, built in `room`.
    pub(super) fn new(room: Vec<Entry>) -> Self {
        Self { entries: room, ..Self::default() }
    }

    /// Sets an explicit entry, and returns where its key stood before.
    pub(super) fn set(&mut self, entry: Entry) -> Option<Span> {
        self.grow(entry.key_span.start, entry.value.span, entry.key_span);
        let merged = self.merged.remove(&entry.key);
        let before = self.put(entry);
        before.filter(|_| !merged)
    }

    fn grow(&mut self, start: u32, value: Span, key: Span) {
        // An alias or a merge gives a value that stands elsewhere.
        let end = if value.source == key.source { value.end.max(key.end) } else { key.end };
        let end = if value.start < key.start { key.end } else { end };
        self.first = Some(self.first.map_or(start, |first| first.min(start)));
        self.last = Some(self.last.map_or(end, |last| last.max(end)));
    }

    fn put(&mut self, entry: Entry) -> Option<Span> {
        let position = if self.entries.len() <= LINEAR {
            self.entries.iter().position(|other| other.key == entry.key)
        } else {
            self.index.get(&entry.key).copied()
        };
        if let Some(slot) = position.and_then(|position| self.entries.get_mut(position)) {
            let before = slot.key_span;
            *slot = entry;
            return Some(before);
        }
        if self.entries.len() == LINEAR {
            let keys = self.entries.iter().map(|entry| Arc::clone(&entry.key));
            self.index = keys.zip(0..).collect();
        }
        if self.entries.len() >= LINEAR {
            self.index.insert(Arc::clone(&entry.key), self.entries.len());
        }
        self.entries.push(entry);
        None
    }

    /// Merges a map, or a list of maps of which the first wins; `None` for anything else.
    ///
    /// Returns the explicit keys whose values are lost, and where they stand.
    pub(super) fn merge(
        &mut self,
        value: Node,
        key: &Key,
        dialect: Dialect,
    ) -> Option<Vec<(Arc<str>, Span)>> {
        self.grow(key.span.start, value.span, key.span);
        let mut overridden = Vec::new();
        let maps = match value.kind {
            NodeKind::Mapping(_) => vec![value],
            NodeKind::Sequence(items) if items.iter().all(Node::is_mapping) => items,
            NodeKind::Sequence(_) | NodeKind::Scalar(_) => return None,
        };
        // go-yaml v2 sets the entries at once, over what stands there; the first map comes last.
        for map in maps.into_iter().rev() {
            let NodeKind::Mapping(entries) = map.kind else { continue };
            for entry in entries {
                match dialect {
                    Dialect::Kubectl => {
                        let key = Arc::clone(&entry.key);
                        let before = self.put(entry);
                        if self.merged.insert(Arc::clone(&key))
                            && let Some(first) = before
                        {
                            overridden.push((key, first));
                        }
                    }
                    Dialect::Kustomize => self.pending.push(entry),
                }
            }
        }
        Some(overridden)
    }

    /// Returns the entries, and where they start and end.
    pub(super) fn finish(mut self) -> (Vec<Entry>, Option<u32>, Option<u32>) {
        let explicit: BTreeSet<Arc<str>> = if self.pending.is_empty() {
            BTreeSet::new()
        } else {
            self.entries.iter().map(|entry| Arc::clone(&entry.key)).collect()
        };
        for entry in std::mem::take(&mut self.pending) {
            if !explicit.contains(&entry.key) {
                self.put(entry);
            }
        }
        (self.entries, self.first, self.last)
    }
}
