//! Variables: `$(NAME)` in fields that know it, replaced by a value of an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::Budget;
use super::field::{self, Create, Field};
use super::object::{Id, Object, scalar_text, text};
use super::replace::{step_into, steps};
use crate::document::{Node, NodeKind, Scalar};
use crate::graph::kustomization::{Text, Var};
use crate::render::RenderError;
use crate::source::Span;

type Result<T> = std::result::Result<T, RenderError>;

/// A variable as a kustomization defines it.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    field: Arc<str>,
    field_span: Span,
    span: Span,
}

/// Variables by name.
pub(super) type Variables = BTreeMap<Arc<str>, Variable>;

/// Notes in the objects which variables take their value there.
pub(super) fn define(
    objects: &mut [Object],
    variables: &mut Variables,
    vars: &[Var],
) -> Result<()> {
    for var in vars {
        let name = var.name.as_ref().map_or_else(|| Arc::from(""), |name| Arc::clone(&name.text));
        if let Some(objref) = &var.objref {
            let text = |text: &Option<Text>| {
                text.as_ref().map_or_else(|| Arc::from(""), |text| Arc::clone(&text.text))
            };
            let api_version = match text(&objref.api_version) {
                given if !given.is_empty() => given,
                _ => match (text(&objref.group), text(&objref.version)) {
                    (group, version) if group.is_empty() => version,
                    (group, version) => Arc::from(format!("{group}/{version}")),
                },
            };
            let namespace = text(&objref.namespace);
            let wanted = Id::new(api_version, text(&objref.kind), &namespace, text(&objref.name));
            let exact = !namespace.is_empty() || wanted.is_cluster_scoped();
            let fits = |object: &&mut Object| {
                object.all_ids().iter().any(|id| {
                    id.api_version == wanted.api_version
                        && id.kind == wanted.kind
                        && id.name == wanted.name
                        && (!exact || id.namespace == wanted.namespace)
                })
            };
            let mut found = objects.iter_mut().filter(fits);
            let (first, second) = (found.next(), found.next());
            if second.is_some() {
                return Err(RenderError::broken(
                    objref.span,
                    format!("several objects fit the variable `{name}`"),
                ));
            }
            if let Some(object) = first {
                object.variables.push(Arc::clone(&name));
            }
        }
        let field = var.fieldref.as_ref().and_then(|it| it.field_path.as_ref());
        let field = field
            .filter(|it| !it.is_empty())
            .map_or_else(|| Arc::from("metadata.name"), |it| Arc::clone(&it.text));
        let at = var.fieldref.as_ref().and_then(|it| it.field_path.as_ref());
        let field_span = at.map_or(var.span, |at| at.span);
        insert(variables, name, Variable { field, field_span, span: var.span })?;
    }
    Ok(())
}

/// Adds variables of another kustomization.
pub(super) fn merge(variables: &mut Variables, others: Variables) -> Result<()> {
    for (name, variable) in others {
        insert(variables, name, variable)?;
    }
    Ok(())
}

fn insert(variables: &mut Variables, name: Arc<str>, variable: Variable) -> Result<()> {
    let span = variable.span;
    let message = format!("the variable `{name}` is defined twice");
    match variables.insert(name, variable) {
        Some(_) => Err(RenderError::broken(span, message)),
        None => Ok(()),
    }
}

/// Replaces the variables in all objects.
pub(super) fn resolve(
    objects: &mut [Object],
    variables: &Variables,
    fields: &[Field],
    budget: &mut Budget,
    tolerant: bool,
) -> Result<()> {
    let mut values: BTreeMap<&str, Node> = BTreeMap::new();
    for (name, variable) in variables {
        let Some(object) = objects.iter().find(|object| object.variables.contains(name)) else {
            if tolerant {
                continue;
            }
            return Err(RenderError::broken(
                variable.span,
                format!("no object fits the variable `{name}`"),
            ));
        };
        // `a[0]` is written for `a.0` here.
        let path = variable.field.replace('[', ".").replace(']', "");
        let mut node = Some(&object.node);
        for step in steps(&path) {
            node = node.and_then(|node| step_into(node, &step));
        }
        match node {
            Some(node) => {
                values.insert(name, node.clone());
            }
            None => {
                return Err(RenderError::broken(
                    variable.field_span,
                    format!(
                        "{} has no field `{}` for the variable `{name}`",
                        object.id(),
                        variable.field
                    ),
                ));
            }
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    for object in objects {
        for field in fields {
            let span = object.node.span;
            field::visit(&mut object.node, field, Create::Nothing, span, &mut |node| {
                set(node, &values, budget)
            })?;
        }
    }
    Ok(())
}

fn set(node: &mut Node, values: &BTreeMap<&str, Node>, budget: &mut Budget) -> Result<()> {
    match &mut node.kind {
        NodeKind::Scalar(Scalar::String(_)) => expand(node, values, budget)?,
        NodeKind::Scalar(_) => {}
        NodeKind::Mapping(entries) => {
            for entry in entries {
                if entry.value.as_str().is_some() {
                    expand(&mut entry.value, values, budget)?;
                }
            }
        }
        NodeKind::Sequence(items) => {
            for item in items {
                if item.as_str().is_none() {
                    return Err(RenderError::broken(
                        item.span,
                        "only texts can stand in a list whose items may hold variables",
                    ));
                }
                expand(item, values, budget)?;
            }
        }
    }
    Ok(())
}

/// Replaces `$(NAME)`; `$$` stands for `$`. A value that is one variable takes over its type.
fn expand(node: &mut Node, values: &BTreeMap<&str, Node>, budget: &mut Budget) -> Result<()> {
    let Some(input) = node.as_str() else { return Ok(()) };
    let mut out = String::with_capacity(input.len());
    let mut rest = input;
    let mut span = node.span;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) =
            after.strip_prefix('(').and_then(|inner| inner.split_once(')'))
        {
            match values.get(name) {
                Some(value) if matches!(value.kind, NodeKind::Scalar(_)) => {
                    if before.is_empty() && tail.is_empty() && out.is_empty() {
                        *node = value.clone();
                        return Ok(());
                    }
                    span = value.span;
                    let value = text(value);
                    budget.text(out.len() + value.len(), value.len(), span)?;
                    out.push_str(&value);
                }
                _ => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    let new = Scalar::String(Arc::from(out));
    if scalar_text(&new) != text(node) {
        *node = Node { span, kind: NodeKind::Scalar(new) };
    }
    Ok(())
}
