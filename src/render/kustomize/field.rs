//! Fields of some kinds, and the way to them.

use std::sync::Arc;

use super::object::{Id, set};
use crate::document::{Node, NodeKind, Scalar};
use crate::render::RenderError;
use crate::source::Span;

/// The longest path that a configuration may ask for.
const STEPS: usize = 64;

/// Kinds by group, version and kind; an empty part stands for any.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kinds {
    pub(super) group: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) kind: Arc<str>,
}

impl Kinds {
    pub(super) fn has(&self, group: &str, version: &str, kind: &str) -> bool {
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        fits(&self.group, group) && fits(&self.version, version) && fits(&self.kind, kind)
    }

    pub(super) fn has_id(&self, id: &Id) -> bool {
        self.has(id.group(), id.version(), &id.kind)
    }
}

/// A field of some kinds: kustomize's `FieldSpec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kinds: Kinds,
    /// The path as it is written, with `/` between the steps.
    pub(super) path: Arc<str>,
    /// Whether the field is made where it is not there.
    pub(super) create: bool,
}

impl Field {
    pub(super) fn new(kinds: Kinds, path: &str, create: bool) -> Self {
        Self { kinds, path: Arc::from(path), create }
    }

    /// Returns the steps of the path. A slash behind a backslash is part of a key.
    pub(super) fn steps(&self) -> Vec<String> {
        let mut steps: Vec<String> = Vec::new();
        for part in self.path.trim_start_matches('/').split('/') {
            match steps.last_mut() {
                Some(last) if last.ends_with('\\') => {
                    last.pop();
                    last.push('/');
                    last.push_str(part);
                }
                _ => steps.push(part.to_owned()),
            }
        }
        steps
    }
}

/// Adds a field to a list, unless a field that is there already covers it.
///
/// Fails where both say otherwise whether the field is to be made.
pub(super) fn add(fields: &mut Vec<Field>, field: Field) -> Result<(), Arc<str>> {
    let known = fields.iter().find(|known| {
        known.path == field.path
            && field.kinds.has(&known.kinds.group, &known.kinds.version, &known.kinds.kind)
    });
    match known {
        Some(known) if known.create != field.create => Err(field.path),
        Some(_) => Ok(()),
        None => {
            fields.push(field);
            Ok(())
        }
    }
}

/// What is made where a field that is to be created is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    Nothing,
    Text,
    Map,
}

/// Visits the values of a field in an object.
///
/// `span` is the place that is given to whatever is made on the way.
pub(super) fn visit(
    node: &mut Node,
    field: &Field,
    create: Create,
    span: Span,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default();
    let api_version = text("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if !field.kinds.has(group, version, text("kind")) {
        return Ok(());
    }
    let steps = field.steps();
    if steps.len() > STEPS {
        let message = format!("the path of a field has more than {STEPS} steps");
        return Err(RenderError::broken(span, message));
    }
    let create = if field.create { create } else { Create::Nothing };
    descend(node, &steps, create, span, visitor)
}

fn descend(
    node: &mut Node,
    steps: &[String],
    create: Create,
    span: Span,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let Some((step, rest)) = steps.split_first() else {
        return visitor(node);
    };
    let node_span = node.span;
    match &mut node.kind {
        NodeKind::Sequence(items) => {
            for item in items {
                descend(item, steps, create, span, visitor)?;
            }
            Ok(())
        }
        NodeKind::Scalar(Scalar::Null) => Ok(()),
        NodeKind::Scalar(_) => Err(RenderError::broken(
            node_span,
            format!("a map or a list with `{step}` in it is expected here"),
        )),
        NodeKind::Mapping(_) => {
            let name = step.strip_suffix("[]").unwrap_or(step);
            let is_list = name.len() < step.len();
            if name.is_empty() || name == "*" {
                return Err(RenderError::broken(
                    span,
                    format!("the path of a field has the step `{step}`, which kustomize refuses"),
                ));
            }
            let made = match create {
                _ if is_list => None,
                Create::Nothing => None,
                _ if !rest.is_empty() => Some(Node::mapping(span)),
                Create::Text => Some(Node::string("", span)),
                Create::Map => Some(Node::mapping(span)),
            };
            match (node.get(name), made) {
                (None, Some(new)) => set(node, name, new),
                (Some(value), Some(new)) if value.is_null() => set(node, name, new),
                (Some(value), None) if value.is_null() && is_list => {
                    let kind = NodeKind::Sequence(Vec::new());
                    set(node, name, Node { span: value.span, kind });
                }
                _ => {}
            }
            match node.get_mut(name) {
                Some(value) => descend(value, rest, create, span, visitor),
                None => Ok(()),
            }
        }
    }
}
