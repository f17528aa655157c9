//! Lists that are sets or maps, and resources within resources.
//!
//! Follows `ValidateListSetsAndMaps` of `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype`,
//! and `Coerce` and `Validate` of `…/schema/objectmeta`.

use super::super::defect::Breach;
use super::super::{builtin, walk};
use super::items;
use super::place::{Place, name_of};
use super::shape::{Additional, ListKind, Shape, ShapeId, Shapes};
use crate::document::{Entry, FieldPath, Node, NodeKind};
use crate::environment::KubernetesVersion;
use crate::naming;
use crate::wording::{self, Crumb, is_placeholder};

/// Tells repeated items, and what is wrong with embedded resources.
///
/// `lists` is false where the former state broke the rules of lists already: then they are not
/// checked, as the server does not.
pub(super) fn validate<'a>(
    shapes: &'a Shapes,
    root: ShapeId,
    node: &'a Node,
    kubernetes: KubernetesVersion,
    lists: bool,
    place: &mut Place<'a>,
) {
    Walk { shapes, kubernetes, lists, embedded: true, place }.value(node, root);
}

/// Says whether an object keeps the rules of its lists.
pub(super) fn is_valid(
    shapes: &Shapes,
    root: ShapeId,
    node: &Node,
    version: KubernetesVersion,
) -> bool {
    let mut place = Place::new("");
    Walk { shapes, kubernetes: version, lists: true, embedded: false, place: &mut place }
        .value(node, root);
    place.defects.is_empty()
}

struct Walk<'a, 'p> {
    shapes: &'a Shapes,
    kubernetes: KubernetesVersion,
    lists: bool,
    embedded: bool,
    place: &'p mut Place<'a>,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, node: &'a Node, id: ShapeId) {
        let shape = self.shapes.get(id);
        if !shape.lists_within || self.place.is_full() {
            return;
        }
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => {
                if self.lists {
                    self.list(shape, items);
                }
                let Some(of) = shape.items else { return };
                for (index, item) in items.iter().enumerate() {
                    self.place.crumbs.push(Crumb::Item(index, name_of(item)));
                    self.value(item, of);
                    self.place.crumbs.pop();
                }
            }
            NodeKind::Mapping(entries) => {
                if shape.embedded && self.embedded {
                    self.resource(node, entries);
                }
                for entry in entries {
                    let of = match (shape.property(&entry.key), shape.additional) {
                        (Some(of), _) | (None, Additional::Of(of)) => of,
                        (None, Additional::Unsaid | Additional::Any) => continue,
                    };
                    self.place.crumbs.push(Crumb::Key(&entry.key));
                    self.value(&entry.value, of);
                    self.place.crumbs.pop();
                }
            }
        }
    }

    fn list(&mut self, shape: &Shape, items: &'a [Node]) {
        match &shape.list {
            ListKind::Atomic => {}
            ListKind::Set => {
                for index in items::duplicates(items.iter().map(items::key)) {
                    self.duplicate(items, index, |what, shown| match shown {
                        Some(shown) => format!("{shown} is in {what} already"),
                        None => format!("{what} has this value already"),
                    });
                }
            }
            ListKind::Map(fields) => {
                let broken = items.iter().position(|it| !it.is_null() && !it.is_mapping());
                if let Some(index) = broken {
                    let Some(item) = items.get(index) else { return };
                    self.place.crumbs.push(Crumb::Item(index, None));
                    let found = wording::found(item, self.place.shows_values());
                    let message =
                        format!("expected an object in {}, found {found}", self.place.whole());
                    self.place.tell(Breach::WrongType, item.span, message, None);
                    self.place.crumbs.pop();
                    return;
                }
                for index in items::duplicates(items.iter().map(|it| items::map_key(it, fields))) {
                    let keys: Vec<String> = items
                        .get(index)
                        .map(|item| {
                            let key = |name: &std::sync::Arc<str>| {
                                let value = item.get(name)?;
                                let value = if is_placeholder(value.as_str()?) {
                                    None
                                } else {
                                    wording::scalar(value)
                                };
                                Some(format!("{} {}", wording::code(name), value?))
                            };
                            fields.iter().filter_map(key).collect()
                        })
                        .unwrap_or_default();
                    self.duplicate(items, index, |what, _| match keys.as_slice() {
                        [] => format!("{what} has an item of the same key already"),
                        keys => format!("{what} has an item of {} already", keys.join(", ")),
                    });
                }
            }
        }
    }

    fn duplicate(
        &mut self,
        items: &'a [Node],
        index: usize,
        message: impl FnOnce(String, Option<String>) -> String,
    ) {
        let Some(item) = items.get(index) else { return };
        if super::values::has_placeholder(item) {
            return;
        }
        let what = self.place.whole();
        let shown = if self.place.shows_values() { wording::scalar(item) } else { None };
        let path = self.place.path().index(index);
        self.place.tell_at(Breach::DuplicateItem, path, item.span, message(what, shown), None);
    }

    /// Checks a resource within a resource (`validateEmbeddedResource`).
    fn resource(&mut self, node: &'a Node, entries: &'a [Entry]) {
        for name in ["apiVersion", "kind"] {
            let path = self.place.path().key(name);
            let what = self.place.whole();
            let Some(entry) = entries.iter().find(|it| &*it.key == name) else {
                let message = format!("missing field `{name}` in {what}");
                self.place.tell_at(Breach::MissingField, path, node.span, message, None);
                continue;
            };
            let span = entry.value.span;
            let Some(text) = entry.value.as_str() else {
                let found = wording::found(&entry.value, self.place.shows_values());
                let message = format!("expected a string in `{name}` of {what}, found {found}");
                self.place.tell_at(Breach::WrongType, path, span, message, None);
                continue;
            };
            let wrong = match name {
                _ if is_placeholder(text) => None,
                _ if text.is_empty() => Some("is empty".to_owned()),
                "apiVersion" => {
                    (text.matches('/').count() > 1).then(|| "is no API version".to_owned())
                }
                _ => naming::dns_1035_label(&text.to_lowercase())
                    .map(|it| format!("is no kind: {it}")),
            };
            if let Some(wrong) = wrong {
                let message = format!("`{name}` of {what} {wrong}");
                self.place.tell_at(Breach::InvalidValue, path, span, message, None);
            }
        }
        if let Some(metadata) = entries.iter().find(|it| &*it.key == "metadata") {
            self.place.crumbs.push(Crumb::Key("metadata"));
            object_meta(self.kubernetes, &metadata.value, self.place);
            self.names(&metadata.value);
            self.place.crumbs.pop();
        }
    }

    /// Checks the names, labels and annotations of a resource within a resource.
    fn names(&mut self, metadata: &'a Node) {
        let mut wrong: Vec<(FieldPath, &Node, String)> = Vec::new();
        let here = self.place.path();
        for key in ["name", "namespace"] {
            let Some(value) = metadata.get(key) else { continue };
            let Some(text) = value.as_str().filter(|it| !it.is_empty() && !is_placeholder(it))
            else {
                continue;
            };
            let reason =
                if key == "name" { naming::path_segment(text) } else { naming::dns_label(text) };
            if let Some(reason) = reason {
                wrong.push((here.key(key), value, format!("{} {reason}", wording::code(text))));
            }
        }
        for key in ["labels", "annotations"] {
            for entry in metadata.get(key).map(Node::entries).unwrap_or_default() {
                if is_placeholder(&entry.key) {
                    continue;
                }
                let name = if key == "annotations" {
                    entry.key.to_lowercase()
                } else {
                    entry.key.to_string()
                };
                if let Some(reason) = naming::qualified_name(&name) {
                    wrong.push((
                        here.key(key),
                        &entry.value,
                        format!("{} {reason}", wording::code(&entry.key)),
                    ));
                }
                let text = entry.value.as_str().filter(|it| key == "labels" && !is_placeholder(it));
                if let Some(reason) = text.and_then(naming::label_value) {
                    wrong.push((
                        here.key(key),
                        &entry.value,
                        format!("the value of {} {reason}", wording::code(&entry.key)),
                    ));
                }
            }
        }
        for (path, node, message) in wrong {
            self.place.tell_at(Breach::InvalidValue, path, node.span, message, None);
        }
    }
}

/// Tells what is wrong with the types and the names of the fields of `metadata`, where the walk is.
pub(super) fn object_meta<'a>(
    version: KubernetesVersion,
    metadata: &'a Node,
    place: &mut Place<'a>,
) {
    if metadata.is_null() {
        return;
    }
    let Some(schema) = builtin::object_meta(version) else { return };
    let is_root = place.crumbs.len() == 1;
    for defect in walk::part(metadata, place.kind, &place.crumbs, schema) {
        // The lists of an embedded resource are not merged, so nothing tells their items apart.
        if !is_root && defect.breach == Breach::DuplicateItem {
            continue;
        }
        place.tell_at(defect.breach, defect.path, defect.span, defect.message, defect.help);
    }
}
