//! The sets of parameters that generators make: mappings, whose values keep their places.

use std::sync::Arc;

use crate::document::{Entry, Node, NodeKind, Scalar};
pub(super) use crate::engine::go_template::{normalized, shown};
use crate::source::Span;

/// Sets a parameter.
pub(super) fn set(parameters: &mut Node, key: &str, value: Node) {
    let NodeKind::Mapping(entries) = &mut parameters.kind else { return };
    match entries.iter_mut().find(|entry| &*entry.key == key) {
        Some(entry) => entry.value = value,
        None => entries.push(Entry { key: Arc::from(key), key_span: value.span, value }),
    }
}

/// Returns the parameters of a path (`buildPathParameters`, `parseFileParams`); `file` is the name
/// of the file, where it is the path of one.
pub(super) fn of_path(
    parameters: &mut Node,
    go: bool,
    prefix: Option<&str>,
    (path, file): (&str, Option<&str>),
    span: Span,
) {
    let base = path.rsplit('/').next().unwrap_or(path);
    let mut all = vec![("basename", base.to_owned()), ("basenameNormalized", normalized(base))];
    if let Some(file) = file {
        all.push(("filename", file.to_owned()));
        all.push(("filenameNormalized", normalized(file)));
    }
    let text = |text: &str| Node::string(text, span);
    if go {
        let mut inner = Node::mapping(span);
        set(&mut inner, "path", text(path));
        for (key, value) in all {
            set(&mut inner, key, text(&value));
        }
        let segments = path.split('/').map(text).collect();
        set(&mut inner, "segments", Node { span, kind: NodeKind::Sequence(segments) });
        match prefix {
            Some(prefix) => {
                let mut outer = Node::mapping(span);
                set(&mut outer, "path", inner);
                set(parameters, prefix, outer);
            }
            None => set(parameters, "path", inner),
        }
        return;
    }
    let name = prefix.map_or_else(|| "path".to_owned(), |prefix| format!("{prefix}.path"));
    for (key, value) in all {
        set(parameters, &format!("{name}.{key}"), text(&value));
    }
    for (index, segment) in path.split('/').enumerate().filter(|(_, it)| !it.is_empty()) {
        set(parameters, &format!("{name}[{index}]"), text(segment));
    }
    set(parameters, &name, text(path));
}

/// Returns every value below a node as a text, under a name with dots.
pub(super) fn flat(node: &Node) -> Vec<(String, Node)> {
    fn add(prefix: &str, node: &Node, out: &mut Vec<(String, Node)>) {
        let name = |key: &str| {
            if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
        };
        match &node.kind {
            NodeKind::Mapping(entries) if !entries.is_empty() => {
                for entry in entries {
                    add(&name(&entry.key), &entry.value, out);
                }
            }
            NodeKind::Sequence(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    add(&name(&index.to_string()), item, out);
                }
            }
            _ => out.push((prefix.to_owned(), Node::string(shown(node), node.span))),
        }
    }
    let mut out = Vec::new();
    add("", node, &mut out);
    out
}

/// Merges parameters over others, mappings by their keys.
///
/// As with `mergo`, what is empty does not replace anything.
pub(super) fn merge_over(target: &mut Node, over: &Node) {
    match (&mut target.kind, &over.kind) {
        (NodeKind::Mapping(own), NodeKind::Mapping(others)) => {
            for other in others {
                match own.iter_mut().find(|entry| entry.key == other.key) {
                    Some(entry) => merge_over(&mut entry.value, &other.value),
                    None => own.push(other.clone()),
                }
            }
        }
        _ if is_empty(over) => {}
        _ => target.clone_from(over),
    }
}

/// Says whether a value is the empty one of its type.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(Scalar::Null | Scalar::Bool(false) | Scalar::Int(0) | Scalar::Uint(0)) => {
            true
        }
        NodeKind::Scalar(Scalar::String(text)) => text.is_empty(),
        NodeKind::Scalar(Scalar::Float(value)) => *value == 0.0,
        NodeKind::Scalar(_) => false,
        NodeKind::Sequence(items) => items.is_empty(),
        NodeKind::Mapping(entries) => entries.is_empty(),
    }
}
