//! The `ValueAddTransformer`: one text set in fields, or put into the paths that stand there.

use std::sync::Arc;

use super::budget::Budget;
use super::field::{self, Create, Field, Kinds};
use super::files::{self, Files};
use super::object::{Object, text};
use super::plugin::read;
use super::select::Patterns;
use super::transform::{self, Subjects};
use crate::document::{Node, NodeKind};
use crate::graph::kustomization::{Selector, Spanned, Text};
use crate::render::RenderError;

type Result<T> = std::result::Result<T, RenderError>;

/// Runs the transformer that `plugin` configures.
pub(super) fn run(objects: &mut [Object], plugin: &Node, files: &mut Files<'_>) -> Result<()> {
    let value = match read::<Option<Text>>(plugin, "value")? {
        Some(value) if !value.text.trim().is_empty() => {
            Text { text: value.text.trim().into(), span: value.span }
        }
        _ => Text { text: files.folder.name().into(), span: plugin.span },
    };
    let mut targets: Vec<&Node> =
        plugin.get("targets").map(Node::items).unwrap_or_default().iter().collect();
    if let Some(path) = read::<Option<Text>>(plugin, "targetFilePath")?.filter(|it| !it.is_empty())
    {
        let Some(file) = files.require(&path)? else { return Ok(()) };
        let root = files::document(files.repository, &file)?;
        let shared = root.and_then(|root| root.get("targets")).map(Node::items);
        targets.extend(shared.unwrap_or_default());
    }
    if targets.is_empty() {
        return Err(RenderError::broken(plugin.span, "the transformer has no `targets`"));
    }
    for target in targets {
        one(objects, target, &value, files.budget)?;
    }
    Ok(())
}

fn one(objects: &mut [Object], target: &Node, value: &Text, budget: &mut Budget) -> Result<()> {
    let Some(path) = read::<Option<Text>>(target, "fieldPath")?.filter(|it| !it.is_empty()) else {
        return Err(RenderError::broken(target.span, "the target has no `fieldPath`"));
    };
    let position = read::<Option<Spanned<i64>>>(target, "filePathPosition")?;
    let position = match position.map(|it| (usize::try_from(it.value), it.span)) {
        None => 0,
        Some((Ok(position), _)) => position,
        Some((Err(_), span)) => {
            let message = "`filePathPosition` must not be negative";
            return Err(RenderError::broken(span, message));
        }
    };
    let selector = read::<Option<Selector>>(target, "selector")?;
    let patterns = selector.as_ref().map(Patterns::new).transpose()?;
    let field = Field::new(Kinds::default(), &path.text, true);
    for object in objects {
        if patterns.as_ref().is_some_and(|patterns| !patterns.fits(object)) {
            continue;
        }
        if &*path.text == "metadata/namespace" {
            let one = std::slice::from_mut(object);
            transform::namespace(one, value, &[], Subjects::Default, false)?;
            continue;
        }
        field::visit(&mut object.node, &field, Create::Text, value.span, &mut |node| {
            if !matches!(node.kind, NodeKind::Scalar(_)) {
                let message = "a single value is set here, but a list or a map stands here";
                return Err(RenderError::broken(node.span, message));
            }
            let new: Arc<str> = match position {
                0 => Arc::clone(&value.text),
                position => {
                    let new = inserted(&text(node), position - 1, &value.text);
                    budget.text(new.len(), new.len(), value.span)?;
                    new.into()
                }
            };
            *node = Node::string(new, value.span);
            Ok(())
        })?;
    }
    Ok(())
}

/// Puts a part into a path; behind its end where it has fewer parts.
fn inserted(path: &str, at: usize, part: &str) -> String {
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|it| !it.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}
