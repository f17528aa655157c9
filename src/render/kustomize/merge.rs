//! Strategic merge, with the results of kustomize's own (kyaml's `merge2`), which are not always
//! those of `kubectl patch`.
//!
//! The differences that show: items that a patch names come first; `$patch: replace` on an item of
//! a merged list leaves the item as it was; an item of a list with two merge keys that leaves one
//! of them out is lost where its counterpart has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::object::text;
use super::scalar;
use super::schema::{MergeKeys, Schema};
use crate::document::{Entry, Node, NodeKind};
use crate::render::RenderError;
use crate::source::{SourceMap, Span};

type Result<T> = std::result::Result<T, RenderError>;

/// The key of a directive in a patch.
const DIRECTIVE: &str = "$patch";

/// The number of comparisons that one merged list may need.
const COMPARISONS: usize = 20_000_000;

/// Merges a patch into an object; `None` where the patch takes the object away.
pub(super) fn merge(
    object: Node,
    patch: &Node,
    schema: Schema<'_>,
    sources: &SourceMap,
) -> Result<Option<Node>> {
    // kustomize changes the object where it stands, and this makes another.
    let directive = patch.get(DIRECTIVE).map(Directive::of).transpose()?;
    if directive == Some(Directive::Replace) {
        return Ok(Some(object));
    }
    Merger { sources }.walk(Some(object), Some(patch), schema, None)
}

/// Merges values, of which it knows how they are written.
struct Merger<'a> {
    sources: &'a SourceMap,
}

/// What a directive asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

impl Directive {
    fn of(value: &Node) -> Result<Self> {
        match value.as_str() {
            Some("merge") => Ok(Self::Merge),
            Some("replace") => Ok(Self::Replace),
            Some("delete") => Ok(Self::Delete),
            _ => Err(RenderError::broken(
                value.span,
                format!("`{}` is not a directive of a patch", text(value)),
            )
            .with_help("`$patch` is `merge`, `replace` or `delete`")),
        }
    }
}

impl Merger<'_> {
    /// Returns a value of a patch in the style of the one that it replaces: what stands in for a
    /// quoted text is quoted too, and so a text.
    fn in_style_of(&self, is_quoted: bool, patch: &Node) -> Node {
        if is_quoted && patch.as_str().is_none() {
            Node::string(scalar::written(patch, self.sources), patch.span)
        } else {
            patch.clone()
        }
    }

    /// Merges what stands in one field. `schema` is that of the value, or of the items of the list.
    fn walk(
        &self,
        old: Option<Node>,
        patch: Option<&Node>,
        schema: Schema<'_>,
        keys: Option<MergeKeys<'_>>,
    ) -> Result<Option<Node>> {
        let old_is_null = old.as_ref().is_none_or(Node::is_null);
        let patch_is_null = patch.is_none_or(Node::is_null);
        if old_is_null && patch_is_null {
            // A null that is written out is kept where the patch says nothing.
            return Ok(old.filter(|old| patch.is_none() && old.span.start < old.span.end));
        }
        let (Some(old), false) = (old, old_is_null) else {
            return patch.map_or(Ok(None), |patch| self.add(patch, schema, keys));
        };
        let Some(patch) = patch else {
            return self.settle(old, schema, keys).map(Some);
        };
        if patch_is_null {
            return Ok(None);
        }
        let schema = schema.or_object(&old).or_object(patch);
        let is_quoted = patch.as_str().is_none() && scalar::is_quoted(&old, self.sources);
        match (old.kind, &patch.kind) {
            (NodeKind::Scalar(_), NodeKind::Scalar(_)) => {
                Ok(Some(self.in_style_of(is_quoted, patch)))
            }
            (NodeKind::Mapping(entries), NodeKind::Mapping(_)) => {
                self.merge_map(old.span, entries, patch, schema)
            }
            (NodeKind::Sequence(items), NodeKind::Sequence(patches)) => match keys {
                None => Ok(Some(patch.clone())),
                Some(keys) => match list_directive(patches)? {
                    Some(Directive::Delete) => Ok(None),
                    Some(Directive::Replace) => {
                        let mut patch = patch.clone();
                        drop_directive(&mut patch);
                        self.add(&patch, schema, Some(keys))
                    }
                    Some(Directive::Merge) => {
                        let mut patch = patch.clone();
                        drop_directive(&mut patch);
                        self.merge_list(old.span, items, patch.items(), schema, keys).map(Some)
                    }
                    None => self.merge_list(old.span, items, patches, schema, keys).map(Some),
                },
            },
            (old_kind, patch_kind) => {
                let name = |kind: &NodeKind| match kind {
                    NodeKind::Scalar(_) => "a single value",
                    NodeKind::Sequence(_) => "a list",
                    NodeKind::Mapping(_) => "a map",
                };
                let message =
                    format!("the patch sets {} where {} stands", name(patch_kind), name(&old_kind));
                Err(RenderError::broken(patch.span, message))
            }
        }
    }

    /// Returns what a patch adds where nothing stands: its nulls and directives do not come along.
    fn add(
        &self,
        patch: &Node,
        schema: Schema<'_>,
        keys: Option<MergeKeys<'_>>,
    ) -> Result<Option<Node>> {
        let schema = schema.or_object(patch);
        match &patch.kind {
            NodeKind::Scalar(_) => Ok(Some(patch.clone())),
            NodeKind::Mapping(entries) => {
                if let Some(directive) = patch.get(DIRECTIVE)
                    && Directive::of(directive)? == Directive::Delete
                {
                    return Ok(None);
                }
                let mut out = Vec::with_capacity(entries.len());
                for entry in entries.iter().filter(|entry| &*entry.key != DIRECTIVE) {
                    if entry.value.is_null() {
                        continue;
                    }
                    let keys = schema.merge_keys(&entry.key);
                    if let Some(value) = self.add(&entry.value, schema.field(&entry.key), keys)? {
                        out.push(Entry { value, ..entry.clone() });
                    }
                }
                Ok(Some(Node { span: patch.span, kind: NodeKind::Mapping(out) }))
            }
            NodeKind::Sequence(items) => match keys {
                None => Ok(Some(patch.clone())),
                Some(keys) => {
                    let mut added = Vec::with_capacity(items.len());
                    for item in items.iter().filter(|item| !is_directive(item)) {
                        added.extend(self.add(item, schema, None)?);
                    }
                    self.merge_list(patch.span, added, &[], schema, keys).map(Some)
                }
            },
        }
    }

    /// Returns what a merge makes of a value that the patch does not touch.
    fn settle(&self, old: Node, schema: Schema<'_>, keys: Option<MergeKeys<'_>>) -> Result<Node> {
        let schema = schema.or_object(&old);
        match old.kind {
            NodeKind::Scalar(_) => Ok(old),
            NodeKind::Mapping(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                // A null that is written out is kept.
                let is_kept = |entry: &Entry| {
                    !entry.value.is_null() || entry.value.span.start < entry.value.span.end
                };
                for mut entry in entries.into_iter().filter(is_kept) {
                    let keys = schema.merge_keys(&entry.key);
                    entry.value = self.settle(entry.value, schema.field(&entry.key), keys)?;
                    out.push(entry);
                }
                Ok(Node { span: old.span, kind: NodeKind::Mapping(out) })
            }
            NodeKind::Sequence(items) => match keys {
                None => Ok(Node { span: old.span, kind: NodeKind::Sequence(items) }),
                Some(keys) => self.merge_list(old.span, items, &[], schema, keys),
            },
        }
    }

    fn merge_map(
        &self,
        span: Span,
        entries: Vec<Entry>,
        patch: &Node,
        schema: Schema<'_>,
    ) -> Result<Option<Node>> {
        match patch.get(DIRECTIVE).map(Directive::of).transpose()? {
            Some(Directive::Delete) => return Ok(None),
            Some(Directive::Replace) => return self.add(patch, schema, None),
            Some(Directive::Merge) | None => {}
        }
        let mut out = Vec::with_capacity(entries.len());
        let mut old_keys = BTreeSet::new();
        for Entry { key, key_span, value } in entries {
            let change = patch.entry(&key);
            let keys = schema.merge_keys(&key);
            let value =
                self.walk(Some(value), change.map(|entry| &entry.value), schema.field(&key), keys)?;
            old_keys.insert(Arc::clone(&key));
            if let Some(value) = value {
                // Where the patch sets the whole value, it is the patch's key that a reader looks for.
                let set_here = change.is_some_and(|entry| entry.value.span == value.span);
                let key_span = change.filter(|_| set_here).map_or(key_span, |entry| entry.key_span);
                out.push(Entry { key, key_span, value });
            }
        }
        for entry in patch.entries() {
            if &*entry.key == DIRECTIVE || entry.value.is_null() || old_keys.contains(&entry.key) {
                continue;
            }
            let keys = schema.merge_keys(&entry.key);
            if let Some(value) = self.add(&entry.value, schema.field(&entry.key), keys)? {
                out.push(Entry { value, ..entry.clone() });
            }
        }
        Ok(Some(Node { span, kind: NodeKind::Mapping(out) }))
    }

    /// Merges a list by its merge keys.
    fn merge_list(
        &self,
        span: Span,
        mut old: Vec<Node>,
        patches: &[Node],
        schema: Schema<'_>,
        keys: MergeKeys<'_>,
    ) -> Result<Node> {
        let size = old.len() + patches.len();
        if size.saturating_mul(size) > COMPARISONS {
            let span = patches.first().map_or(span, |patch| patch.span);
            return Err(RenderError::broken(span, "the lists are too long to be merged"));
        }
        let keys = keys.list();
        if keys.is_empty() {
            return Ok(merge_values(span, old, patches));
        }
        let mut tuples: Vec<Vec<Arc<str>>> = Vec::new();
        for item in patches.iter().chain(&old) {
            let tuple: Vec<Arc<str>> = keys.iter().map(|key| key_text(item, key)).collect();
            if !tuples.contains(&tuple) {
                tuples.push(tuple);
            }
        }
        if keys.len() > 1 {
            complete(&mut tuples);
        }
        let known: Vec<usize> = (0..keys.len())
            .filter(|at| tuples.iter().any(|tuple| tuple.get(*at).is_some_and(|it| !it.is_empty())))
            .collect();
        let valid: Vec<usize> = if known.is_empty() { (0..keys.len()).collect() } else { known };

        let mut merged: Vec<Node> = Vec::new();
        for tuple in &tuples {
            let wanted: Vec<(&str, Arc<str>)> = valid
                .iter()
                .filter_map(|at| Some((*keys.get(*at)?, Arc::clone(tuple.get(*at)?))))
                .collect();
            // An item is found by the keys that have a value.
            let mut sought: Vec<(&str, Arc<str>)> =
                wanted.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
            if sought.is_empty() {
                sought.clone_from(&wanted);
            }
            let at = old.iter().position(|item| has_all(item, &sought));
            let patch = patches.iter().find(|item| has_all(item, &sought));
            let before = at.and_then(|at| old.get(at)).cloned();
            let replaced = before.is_some()
                && patch.and_then(|patch| patch.get(DIRECTIVE)).and_then(Node::as_str)
                    == Some("replace");
            let value = self
                .walk(before, patch, schema, None)?
                .filter(|value| !value.is_null())
                .filter(|value| !value.is_mapping() || !value.entries().is_empty());
            let Some(value) = value else {
                old.retain(|item| !may_be(item, &wanted));
                continue;
            };
            if let Some(slot) = at.filter(|_| !replaced).and_then(|at| old.get_mut(at)) {
                *slot = value.clone();
            }
            put(&mut merged, value, &wanted);
        }
        // What the patch does not name follows, in its old order.
        for item in old {
            let wanted: Vec<(&str, Arc<str>)> = valid
                .iter()
                .filter_map(|at| keys.get(*at))
                .filter(|key| item.get(key).is_some_and(|value| !value.is_null()))
                .map(|key| (*key, key_text(&item, key)))
                .collect();
            if wanted.is_empty() {
                merged.push(item);
                continue;
            }
            if valid.len() > 1 {
                merged.retain(|other| !may_be(other, &wanted));
            }
            put(&mut merged, item, &wanted);
        }
        Ok(Node { span, kind: NodeKind::Sequence(merged) })
    }
}

fn is_directive(item: &Node) -> bool {
    matches!(item.entries(), [only] if &*only.key == DIRECTIVE)
}

/// Returns the directive for a whole list: an item that holds nothing else.
fn list_directive(items: &[Node]) -> Result<Option<Directive>> {
    let directive = items.iter().find(|item| is_directive(item));
    directive.and_then(|item| item.get(DIRECTIVE)).map(Directive::of).transpose()
}

fn drop_directive(list: &mut Node) {
    if let NodeKind::Sequence(items) = &mut list.kind {
        items.retain(|item| !is_directive(item));
    }
}

/// Merges a list of plain values: the patch's first, then the others.
fn merge_values(span: Span, old: Vec<Node>, patches: &[Node]) -> Node {
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for item in patches.iter().cloned().chain(old) {
        if !item.is_null() && seen.insert(text(&item)) {
            items.push(item);
        }
    }
    Node { span, kind: NodeKind::Sequence(items) }
}

fn key_text(item: &Node, key: &str) -> Arc<str> {
    item.get(key).map_or_else(|| Arc::from(""), text)
}

fn has_all(item: &Node, wanted: &[(&str, Arc<str>)]) -> bool {
    wanted.iter().all(|(key, value)| item.get(key).is_some_and(|it| text(it) == *value))
}

/// Like [`has_all`], but an empty value stands for any.
fn may_be(item: &Node, wanted: &[(&str, Arc<str>)]) -> bool {
    wanted
        .iter()
        .all(|(key, value)| item.get(key).is_some_and(|it| value.is_empty() || text(it) == *value))
}

fn put(items: &mut Vec<Node>, value: Node, wanted: &[(&str, Arc<str>)]) {
    match items.iter_mut().find(|item| may_be(item, wanted)) {
        Some(slot) => *slot = value,
        None => items.push(value),
    }
}

/// Gives tuples that agree where both have a value the values that one of them lacks.
fn complete(tuples: &mut [Vec<Arc<str>>]) {
    for first in 0..tuples.len() {
        for second in 0..tuples.len() {
            let (Some(a), Some(b)) = (tuples.get(first), tuples.get(second)) else { continue };
            let equal = a.iter().zip(b).any(|(a, b)| a == b);
            let compatible = a.iter().zip(b).all(|(a, b)| a == b || a.is_empty() || b.is_empty());
            if !equal || !compatible {
                continue;
            }
            let full: Vec<Arc<str>> = a
                .iter()
                .zip(b)
                .map(|(a, b)| Arc::clone(if a.is_empty() { b } else { a }))
                .collect();
            for at in [first, second] {
                if let Some(slot) = tuples.get_mut(at) {
                    slot.clone_from(&full);
                }
            }
        }
    }
}
