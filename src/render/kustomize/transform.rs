//! The transformers that set one thing in many objects: namespace, names, labels, replicas.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::budget::Budget;
use super::field::{self, Create, Field};
use super::object::{Object, map_at, set, text};
use crate::document::{Node, NodeKind, Scalar};
use crate::graph::kustomization::{Pair, Pairs, Replica, Text};
use crate::render::RenderError;
use crate::source::Span;

type Result<T> = std::result::Result<T, RenderError>;

/// Which subjects of role bindings get the namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// All service accounts.
    All,
    /// None.
    None,
}

/// Sets the namespace of all objects.
pub(super) fn namespace(
    objects: &mut [Object],
    namespace: &Text,
    fields: &[Field],
    subjects: Subjects,
    unset_only: bool,
) -> Result<()> {
    let span = namespace.span;
    let set_text = |node: &mut Node| {
        if !unset_only || text(node).is_empty() {
            *node = Node::string(Arc::clone(&namespace.text), span);
        }
    };
    for object in objects.iter_mut() {
        // What Helm made has the namespace that Helm was told.
        let is_helm = object
            .node
            .at(&["metadata", "annotations", "internal.config.kubernetes.io/helm-generated"])
            .and_then(Node::as_str)
            == Some("true");
        if is_helm {
            continue;
        }
        object.remember();
        let id = object.id();
        if !id.is_cluster_scoped()
            && let Some(metadata) = map_at(&mut object.node, "metadata", span)
        {
            match metadata.get_mut("namespace") {
                Some(node) if !matches!(node.kind, NodeKind::Scalar(_)) => {
                    return Err(RenderError::broken(node.span, "a namespace must be a text"));
                }
                Some(node) => set_text(node),
                None => set(metadata, "namespace", Node::string(Arc::clone(&namespace.text), span)),
            }
        }
        let is_binding = matches!(&*id.kind, "RoleBinding" | "ClusterRoleBinding");
        if is_binding && let Some(list) = object.node.get_mut("subjects") {
            bind(list, subjects, span, &set_text);
        }
        for field in fields {
            let skip = &*field.path == "metadata/namespace"
                || (&*field.path == "metadata/name" && &*id.api_version != "v1")
                || (is_binding && &*field.path == "subjects/namespace");
            if !skip {
                field::visit(&mut object.node, field, Create::Text, span, &mut |node| {
                    if !matches!(node.kind, NodeKind::Scalar(_)) {
                        return Err(RenderError::broken(
                            node.span,
                            "a namespace is set here, but a list or a map stands here",
                        ));
                    }
                    set_text(node);
                    Ok(())
                })?;
            }
        }
    }
    let mut seen = BTreeSet::new();
    for object in objects.iter() {
        let id = object.id();
        if seen.contains(&id) {
            let message = format!("with this namespace two objects are both called {id}");
            return Err(RenderError::broken(span, message)
                .with_help("give one of them another name, or keep them in two kustomizations"));
        }
        seen.insert(id);
    }
    Ok(())
}

fn bind(list: &mut Node, subjects: Subjects, span: Span, set_text: &dyn Fn(&mut Node)) {
    let NodeKind::Sequence(items) = &mut list.kind else { return };
    for item in items {
        let is = |key: &str, value: &str| item.get(key).and_then(Node::as_str) == Some(value);
        let chosen = match subjects {
            Subjects::Default => is("name", "default"),
            Subjects::All => is("kind", "ServiceAccount"),
            Subjects::None => false,
        };
        if chosen {
            if item.get("namespace").is_none() {
                set(item, "namespace", Node::string("", span));
            }
            if let Some(node) = item.get_mut("namespace") {
                set_text(node);
            }
        }
    }
}

/// The longest text that is added to a name; Kubernetes allows 253 bytes in all.
const NAME: usize = 1024;

/// Which end of a name is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Prefix,
    Suffix,
}

/// Adds a prefix or a suffix to the names of all objects.
pub(super) fn affix(
    objects: &mut [Object],
    affix: &Text,
    end: End,
    fields: &[Field],
) -> Result<()> {
    if affix.is_empty() {
        return Ok(());
    }
    if affix.text.len() > NAME {
        return Err(RenderError::unsupported(
            affix.span,
            format!("a text of more than {NAME} bytes cannot be a part of a name"),
        ));
    }
    for object in objects {
        let original = object.original_id();
        let is_fixed = matches!(&*original.kind, "CustomResourceDefinition" | "Namespace")
            || (&*original.kind == "APIService" && original.group() == "apiregistration.k8s.io");
        if is_fixed {
            continue;
        }
        for field in fields.iter().filter(|field| field.kinds.has_id(&original)) {
            if &*field.path == "metadata/name" {
                match end {
                    End::Prefix => object.prefixes.push(Arc::clone(&affix.text)),
                    End::Suffix => object.suffixes.push(Arc::clone(&affix.text)),
                }
                object.remember();
            }
            field::visit(&mut object.node, field, Create::Text, affix.span, &mut |node| {
                let old = text(node);
                let new = match end {
                    End::Prefix => format!("{}{old}", affix.text),
                    End::Suffix => format!("{old}{}", affix.text),
                };
                *node = Node::string(new, affix.span);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Adds entries to the maps of all objects: labels and selectors, or annotations.
pub(super) fn entries(
    objects: &mut [Object],
    pairs: &Pairs,
    fields: &[Field],
    budget: &mut Budget,
) -> Result<()> {
    if let Some(first) = pairs.0.first() {
        budget.grow(pairs.0.len().saturating_mul(objects.len()), first.key.span)?;
    }
    for object in objects {
        for Pair { key, value } in &pairs.0 {
            for field in fields {
                field::visit(&mut object.node, field, Create::Map, key.span, &mut |node| {
                    let NodeKind::Mapping(entries) = &mut node.kind else {
                        let message =
                            format!("the label `{}` is set here, but no map stands here", key.text);
                        return Err(RenderError::broken(node.span, message));
                    };
                    let new = Node::string(Arc::clone(&value.text), value.span);
                    match entries.iter_mut().find(|entry| entry.key == key.text) {
                        Some(entry) => {
                            entry.key_span = key.span;
                            entry.value = new;
                        }
                        None => entries.push(crate::document::Entry {
                            key: Arc::clone(&key.text),
                            key_span: key.span,
                            value: new,
                        }),
                    }
                    Ok(())
                })?;
            }
        }
    }
    Ok(())
}

/// Sets the number of replicas of the objects of one name.
///
/// Returns whether an object has the name.
pub(super) fn replicas(
    objects: &mut [Object],
    replica: &Replica,
    fields: &[Field],
) -> Result<bool> {
    let name = replica.name.as_ref().map(Text::as_str).unwrap_or_default();
    let (count, span) = match &replica.count {
        Some(count) => (count.value, count.span),
        None => (0, replica.span),
    };
    let mut found = false;
    for field in fields {
        for object in objects.iter_mut() {
            let fits =
                object.all_ids().iter().any(|id| &*id.name == name && field.kinds.has_id(id));
            if !fits {
                continue;
            }
            found = true;
            field::visit(&mut object.node, field, Create::Text, span, &mut |node| {
                *node = Node { span, kind: NodeKind::Scalar(Scalar::Int(count)) };
                Ok(())
            })?;
        }
    }
    Ok(found)
}
