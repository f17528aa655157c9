//! JSON patches (RFC 6902), with the leniency of the library that kustomize uses.

use std::sync::Arc;

use super::budget::Budget;
use super::object::{count, depth, text};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::render::RenderError;
use crate::source::Span;

type Result<T> = std::result::Result<T, RenderError>;

/// The depth to which patches may nest values.
pub(super) const DEPTH: usize = 500;

/// Applies all operations of a patch in order.
pub(super) fn apply(root: &mut Node, operations: &[Node], budget: &mut Budget) -> Result<()> {
    for operation in operations {
        let name = operation.get("op").and_then(Node::as_str).unwrap_or_default();
        let at = pointer(operation, "path")?;
        let value = || {
            operation
                .get("value")
                .cloned()
                .unwrap_or(Node { span: operation.span, kind: NodeKind::Scalar(Scalar::Null) })
        };
        match name {
            "add" => {
                let value = value();
                budget.grow(count(&value), at.span)?;
                add(root, &at, value)?;
            }
            "remove" => {
                remove(root, &at)?;
            }
            "replace" => {
                let value = value();
                budget.grow(count(&value), at.span)?;
                replace(root, &at, value)?;
            }
            "move" => {
                let from = pointer(operation, "from")?;
                let moved = remove(root, &from)?;
                add(root, &at, moved)?;
            }
            "copy" => {
                let from = pointer(operation, "from")?;
                let copied = find(root, &from)?;
                budget.grow(count(copied), at.span)?;
                let copied = copied.clone();
                add(root, &at, copied)?;
            }
            "test" => {
                let expected = value();
                let found = find(root, &at).ok();
                let same = match found {
                    Some(found) => found.to_json() == expected.to_json(),
                    None => expected.is_null(),
                };
                if !same {
                    let message =
                        format!("the object does not have the tested value at `{}`", at.text);
                    return Err(RenderError::broken(expected.span, message));
                }
            }
            _ => {
                let span = operation.get("op").map_or(operation.span, |op| op.span);
                return Err(RenderError::broken(
                    span,
                    format!("`{name}` is not an operation of a JSON patch"),
                )
                .with_help("use `add`, `remove`, `replace`, `move`, `copy` or `test`"));
            }
        }
    }
    Ok(())
}

/// A path into an object, and the value that holds it.
struct Pointer {
    steps: Vec<Arc<str>>,
    text: Arc<str>,
    span: Span,
}

impl Pointer {
    fn missing(&self) -> RenderError {
        RenderError::broken(self.span, format!("the object has nothing at `{}`", self.text))
            .with_help(
                "a JSON patch can only change what is there; `add` needs the parent to exist",
            )
    }

    fn split(&self) -> Result<(&[Arc<str>], &str)> {
        match self.steps.split_last() {
            Some((last, above)) => Ok((above, last)),
            None => Err(RenderError::unsupported(
                self.span,
                "a JSON patch of the whole object is not supported",
            )),
        }
    }
}

fn pointer(operation: &Node, field: &str) -> Result<Pointer> {
    let Some(path) = operation.get(field) else {
        return Err(RenderError::broken(
            operation.span,
            format!("the operation of a JSON patch has no `{field}`"),
        ));
    };
    let text = text(path);
    let steps = text
        .split('/')
        .skip(1)
        .map(|step| Arc::from(step.replace("~1", "/").replace("~0", "~")))
        .collect();
    Ok(Pointer { steps, text, span: path.span })
}

fn step<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.kind {
        NodeKind::Mapping(entries) => {
            entries.iter_mut().find(|entry| &*entry.key == key).map(|entry| &mut entry.value)
        }
        NodeKind::Sequence(items) => {
            let at = index(key, items.len())?;
            items.get_mut(at)
        }
        NodeKind::Scalar(_) => None,
    }
}

/// Returns the position that a step names; negative ones count from the end.
fn index(key: &str, len: usize) -> Option<usize> {
    match key.strip_prefix('-') {
        Some(back) => len.checked_sub(back.parse().ok()?),
        None => key.parse().ok(),
    }
}

fn parent<'n>(root: &'n mut Node, at: &Pointer, above: &[Arc<str>]) -> Result<&'n mut Node> {
    let mut node = root;
    for key in above {
        node = step(node, key).ok_or_else(|| at.missing())?;
    }
    Ok(node)
}

fn find<'n>(root: &'n Node, at: &Pointer) -> Result<&'n Node> {
    let mut node = root;
    for key in &at.steps {
        let next = match &node.kind {
            NodeKind::Mapping(_) => node.get(key),
            NodeKind::Sequence(items) => index(key, items.len()).and_then(|at| items.get(at)),
            NodeKind::Scalar(_) => None,
        };
        node = next.ok_or_else(|| at.missing())?;
    }
    Ok(node)
}

fn bounded(at: &Pointer, value: &Node) -> Result<()> {
    if at.steps.len() + depth(value) > DEPTH {
        let message = format!("the patch nests values deeper than {DEPTH} levels");
        return Err(RenderError::broken(at.span, message));
    }
    Ok(())
}

fn add(root: &mut Node, at: &Pointer, value: Node) -> Result<()> {
    bounded(at, &value)?;
    let (above, last) = at.split()?;
    let holder = parent(root, at, above)?;
    match &mut holder.kind {
        NodeKind::Mapping(entries) => put(entries, last, at.span, value),
        NodeKind::Sequence(items) => {
            let position = if last == "-" {
                Some(items.len())
            } else {
                index(last, items.len() + 1).filter(|at| *at <= items.len())
            };
            match position {
                Some(position) => items.insert(position, value),
                None => return Err(at.missing()),
            }
        }
        NodeKind::Scalar(_) => return Err(at.missing()),
    }
    Ok(())
}

fn put(entries: &mut Vec<Entry>, key: &str, key_span: Span, value: Node) {
    match entries.iter_mut().find(|entry| &*entry.key == key) {
        Some(entry) => {
            entry.key_span = key_span;
            entry.value = value;
        }
        None => entries.push(Entry { key: Arc::from(key), key_span, value }),
    }
}

fn remove(root: &mut Node, at: &Pointer) -> Result<Node> {
    let (above, last) = at.split()?;
    let holder = parent(root, at, above)?;
    let removed = match &mut holder.kind {
        NodeKind::Mapping(entries) => entries
            .iter()
            .position(|entry| &*entry.key == last)
            .map(|position| entries.remove(position).value),
        NodeKind::Sequence(items) => index(last, items.len())
            .filter(|position| *position < items.len())
            .map(|position| items.remove(position)),
        NodeKind::Scalar(_) => None,
    };
    removed.ok_or_else(|| at.missing())
}

fn replace(root: &mut Node, at: &Pointer, value: Node) -> Result<()> {
    bounded(at, &value)?;
    let (above, last) = at.split()?;
    let holder = parent(root, at, above)?;
    match &mut holder.kind {
        // Unlike RFC 6902 has it, a key of a map need not be there.
        NodeKind::Mapping(entries) => {
            put(entries, last, at.span, value);
            Ok(())
        }
        NodeKind::Sequence(_) | NodeKind::Scalar(_) => {
            let slot = step(holder, last).ok_or_else(|| at.missing())?;
            *slot = value;
            Ok(())
        }
    }
}
