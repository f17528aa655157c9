//! Fields that a schema does not have.
//!
//! Follows `PruneWithOptions` of `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning`.

use super::super::defect::Breach;
use super::super::suggest::{self, Fields};
use super::place::{Place, name_of};
use super::shape::{Additional, Shape, ShapeId, Shapes, Types};
use crate::document::{Entry, Node, NodeKind};
use crate::wording::{self, Crumb, is_placeholder};

/// What every object has, whatever its schema says.
pub(super) const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// How many unknown fields of one object get a suggestion; looking for one takes time.
const SUGGESTIONS: usize = 20;

/// The fields that a part of a schema has.
#[derive(Debug, Clone, Copy)]
struct Of<'a> {
    shapes: &'a Shapes,
    id: ShapeId,
}

impl<'a> Of<'a> {
    fn shape(self) -> &'a Shape {
        self.shapes.get(self.id)
    }
}

impl<'a> Fields<'a> for Of<'a> {
    fn names(self) -> impl Iterator<Item = &'a str> {
        self.shape().properties.iter().map(|(name, _)| &**name)
    }

    fn required(self) -> impl Iterator<Item = &'a str> {
        self.shape().required.iter().map(|name| &**name)
    }

    fn has(self, name: &str) -> bool {
        self.shape().property(name).is_some()
    }

    fn objects(self) -> impl Iterator<Item = (&'a str, Self, &'static str)> {
        self.shape().properties.iter().filter_map(move |(name, id)| {
            let shape = self.shapes.get(*id);
            let (id, suffix) = match shape.items {
                Some(items) => (items, "[]"),
                None => (*id, ""),
            };
            let of = Self { id, ..self };
            (!of.shape().properties.is_empty()).then_some((&**name, of, suffix))
        })
    }

    fn maps_of_strings(self) -> impl Iterator<Item = &'a str> {
        self.shape().properties.iter().filter_map(move |(name, id)| {
            match self.shapes.get(*id).additional {
                Additional::Of(of) if self.shapes.get(of).types == Types::STRING => Some(&**name),
                _ => None,
            }
        })
    }
}

/// Tells the unknown fields of an object.
pub(super) fn find<'a>(shapes: &'a Shapes, root: ShapeId, node: &'a Node, place: &mut Place<'a>) {
    let mut walk = Walk { shapes, place, above: Vec::new(), suggestions: SUGGESTIONS };
    walk.value(node, Some(root), true);
}

struct Walk<'a, 'p> {
    shapes: &'a Shapes,
    place: &'p mut Place<'a>,
    /// The fields of the objects around, with the number of crumbs that lead there.
    above: Vec<(usize, Of<'a>)>,
    suggestions: usize,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, node: &'a Node, id: Option<ShapeId>, is_root: bool) {
        if self.place.is_full() {
            return;
        }
        let shape = id.map(|id| self.shapes.get(id));
        let keeps = shape.is_some_and(|it| it.preserve);
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => {
                let of = shape.and_then(|it| it.items);
                if of.is_none() && keeps {
                    return;
                }
                for (index, item) in items.iter().enumerate() {
                    self.place.crumbs.push(Crumb::Item(index, name_of(item)));
                    match of {
                        // What is kept is kept within lists as well.
                        Some(of) if keeps => self.kept(item, of),
                        _ => self.value(item, of, false),
                    }
                    self.place.crumbs.pop();
                }
            }
            NodeKind::Mapping(entries) => {
                if let Some(id) = id {
                    self.above.push((self.place.crumbs.len(), Of { shapes: self.shapes, id }));
                }
                for entry in entries {
                    self.entry(entry, entries, id, is_root, keeps);
                }
                if id.is_some() {
                    self.above.pop();
                }
            }
        }
    }

    /// Walks on within a list whose unknown fields are kept, as if its items said so too.
    fn kept(&mut self, node: &'a Node, id: ShapeId) {
        let shape = self.shapes.get(id);
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => {
                let Some(of) = shape.items else { return };
                for (index, item) in items.iter().enumerate() {
                    self.place.crumbs.push(Crumb::Item(index, name_of(item)));
                    self.kept(item, of);
                    self.place.crumbs.pop();
                }
            }
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    self.entry(entry, entries, Some(id), false, true);
                }
            }
        }
    }

    fn entry(
        &mut self,
        entry: &'a Entry,
        entries: &'a [Entry],
        id: Option<ShapeId>,
        is_root: bool,
        keeps: bool,
    ) {
        let shape = id.map(|id| self.shapes.get(id));
        let embedded = is_root || shape.is_some_and(|it| it.embedded);
        if embedded && META.contains(&&*entry.key) {
            return;
        }
        let of = match shape.map(|it| (it.property(&entry.key), it.additional)) {
            Some((Some(of), _) | (None, Additional::Of(of))) => Some(of),
            Some((None, Additional::Any)) => None,
            Some((None, Additional::Unsaid)) | None => {
                let is_sops = is_root && super::is_sops(entry);
                if !keeps && !is_sops && !is_placeholder(&entry.key) {
                    self.unknown(entry, entries, id);
                }
                return;
            }
        };
        self.place.crumbs.push(Crumb::Key(&entry.key));
        self.value(&entry.value, of, false);
        self.place.crumbs.pop();
    }

    fn unknown(&mut self, entry: &'a Entry, entries: &'a [Entry], id: Option<ShapeId>) {
        let message =
            format!("unknown field {} in {}", wording::code(&entry.key), self.place.whole());
        let mut suggestion = None;
        if let (Some(id), true) = (id, self.suggestions > 0) {
            self.suggestions -= 1;
            let of = Of { shapes: self.shapes, id };
            suggestion = suggest::field(entry, of, entries, &self.above);
        }
        let here = self.place.path();
        let help = suggestion.map(|it| match it {
            suggest::Field::Sibling(name) => {
                self.place.meant.push(here.key(name));
                format!("did you mean `{name}`?")
            }
            suggest::Field::Above(crumbs) => {
                let crumbs = self.place.crumbs.get(..crumbs).unwrap_or_default();
                let place = wording::whole(crumbs, self.place.kind);
                format!("it is a field of {place}: check the indentation")
            }
            suggest::Field::Below(path) => {
                format!("it is a field of {}: check the indentation", self.below(&path))
            }
            suggest::Field::Keys(maps) => {
                let places: Vec<String> = maps.into_iter().map(|it| self.below(it)).collect();
                format!("keys of your own belong into {}", places.join(" or "))
            }
        });
        let path = here.key(entry.key.clone());
        if self.place.unknown_in.last() != Some(&here) {
            self.place.unknown_in.push(here);
        }
        self.place.tell_at(Breach::UnknownField, path, entry.key_span, message, help);
    }

    fn below(&self, path: &str) -> String {
        match wording::place(&self.place.crumbs) {
            place if place.is_empty() => format!("`{path}`"),
            place => format!("`{place}.{path}`"),
        }
    }
}
