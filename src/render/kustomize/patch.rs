//! Patches: which form one has, what it applies to, and its application.

use std::collections::BTreeSet;

use super::files::Files;
use super::merge;
use super::object::{Id, Object, map_at, set, text};
use super::select::Patterns;
use super::{inline, json_patch};
use crate::document::{Node, NodeKind};
use crate::graph::kustomization::{Patch, Selector, Text};
use crate::load::{Dialect, Parsed};
use crate::render::RenderError;
use crate::rule::closest;
use crate::source::{Source, Span};

type Result<T> = std::result::Result<T, RenderError>;

/// A patch, read.
enum Body {
    /// Partial objects.
    Merge(Vec<Object>),
    /// Operations of a JSON patch.
    Json(Vec<Node>),
}

/// What a patch may change besides the content.
#[derive(Debug, Clone, Copy, Default)]
struct Allowed {
    name: bool,
    kind: bool,
}

/// Applies an entry of `patches`.
///
/// With `tolerant`, a patch whose object is not there is passed over: it may lie in what is left
/// out of the render.
pub(super) fn apply(
    objects: &mut Vec<Object>,
    patch: &Patch,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    let text = patch.patch.as_ref().filter(|it| !it.text.trim().is_empty());
    let file = patch.path.as_ref().filter(|it| !it.is_empty());
    let (body, span) = match (text, file) {
        (Some(text), None) => (read_inline(text.text.trim(), text.span, files)?, text.span),
        (None, Some(reference)) => match files.require(reference)? {
            Some(file) => (read_file(files, &file, reference.span)?, reference.span),
            None => return Ok(()),
        },
        (Some(_), Some(reference)) => {
            return Err(RenderError::broken(
                reference.span,
                "a patch has both a `path` and a `patch`",
            )
            .with_help("keep one of the two"));
        }
        (None, None) => {
            return Err(RenderError::broken(patch.span, "a patch has no `path` and no `patch`"));
        }
    };
    let options = patch.options.as_ref();
    let allowed = Allowed {
        name: options.and_then(|it| it.allow_name_change).is_some_and(|it| it.value),
        kind: options.and_then(|it| it.allow_kind_change).is_some_and(|it| it.value),
    };
    match body {
        Body::Json(operations) => {
            let Some(target) = &patch.target else {
                return Err(RenderError::broken(span, "the JSON patch has no `target`")
                    .with_help("name the objects that it applies to under `target`"));
            };
            let patterns = Patterns::new(target)?;
            for object in objects.iter_mut().filter(|object| patterns.fits(object)) {
                object.remember();
                change(object, &operations, files)?;
            }
            Ok(())
        }
        Body::Merge(patches) => {
            strategic(objects, patch.target.as_ref(), &patches, allowed, span, files, tolerant)
        }
    }
}

/// Applies an entry of `patchesStrategicMerge`: YAML, or the path of a file.
///
/// Returns how many patches it holds.
pub(super) fn apply_strategic(
    objects: &mut Vec<Object>,
    entry: &Text,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<usize> {
    let parsed = inline::parse(&entry.text, entry.span, files.sources(), Dialect::Kustomize);
    let is_inline = parsed.problems.iter().all(|problem| !problem.is_fatal())
        && parsed.documents.iter().any(|document| document.root.is_mapping());
    let patches = if is_inline {
        files.objects_of(&parsed, entry.span)?
    } else {
        match files.require(entry)? {
            Some(file) => match read_file(files, &file, entry.span)? {
                Body::Merge(patches) => patches,
                Body::Json(_) => {
                    return Err(RenderError::broken(
                        entry.span,
                        "a strategic merge patch is expected, but this is a JSON patch",
                    )
                    .with_help("use `patches` with a `target`"));
                }
            },
            None => return Ok(0),
        }
    };
    strategic(objects, None, &patches, Allowed::default(), entry.span, files, tolerant)?;
    Ok(patches.len())
}

/// Applies an entry of `patchesJson6902`.
pub(super) fn apply_json(
    objects: &mut [Object],
    patch: &Patch,
    files: &mut Files<'_>,
) -> Result<()> {
    let Some(target) = &patch.target else {
        return Err(RenderError::broken(patch.span, "the JSON patch has no `target`"));
    };
    let body = match (&patch.patch, &patch.path) {
        (Some(text), _) if !text.is_empty() => read_inline(&text.text, text.span, files)?,
        (_, Some(reference)) => match files.require(reference)? {
            Some(file) => read_file(files, &file, reference.span)?,
            None => return Ok(()),
        },
        _ => return Err(RenderError::broken(patch.span, "the patch has no `path` and no `patch`")),
    };
    let Body::Json(operations) = body else {
        return Err(RenderError::broken(
            patch.span,
            "a JSON patch is expected, but this is a strategic merge patch",
        )
        .with_help("use `patches`, which takes both forms"));
    };
    let patterns = Patterns::new(target)?;
    for object in objects.iter_mut().filter(|object| patterns.fits(object)) {
        change(object, &operations, files)?;
    }
    Ok(())
}

/// Applies a JSON patch to an object.
///
/// Where kustomize keeps notes of its own in the annotations, a patch can add to them even if the
/// object has none.
fn change(object: &mut Object, operations: &[Node], files: &mut Files<'_>) -> Result<()> {
    let span = object.node.span;
    if object.has_notes()
        && let Some(metadata) = object.node.get_mut("metadata")
    {
        map_at(metadata, "annotations", span);
    }
    json_patch::apply(&mut object.node, operations, files.budget)
}

fn read_inline(text: &str, span: Span, files: &Files<'_>) -> Result<Body> {
    let parse = |dialect| inline::parse(text, span, files.sources(), dialect);
    let parsed = parse(Dialect::Kustomize);
    let json = || operations(&parse(Dialect::Kubectl));
    body(files, &parsed, json, (text, span))
}

fn read_file(files: &Files<'_>, path: &crate::source::RepoPath, span: Span) -> Result<Body> {
    let empty = Parsed::default();
    let parse = |dialect| files.parsed(path, dialect).unwrap_or(&empty);
    let text = files.repository.source(path).map(Source::text).unwrap_or_default();
    let json = || operations(parse(Dialect::Kubectl));
    body(files, parse(Dialect::Kustomize), json, (text, span))
}

fn body(
    files: &Files<'_>,
    parsed: &Parsed,
    json: impl FnOnce() -> Option<Vec<Node>>,
    (text, span): (&str, Span),
) -> Result<Body> {
    let is_list = parsed
        .documents
        .first()
        .is_some_and(|document| matches!(document.root.kind, NodeKind::Sequence(_)));
    if is_list && let Some(operations) = json() {
        if text.starts_with('[') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err(RenderError::broken(
                span,
                "the patch starts with `[`, so kustomize reads it as JSON, which it is not",
            )
            .with_help("write each operation on a line of its own after `- `, or quote all keys"));
        }
        return Ok(Body::Json(operations));
    }
    files.objects_of(parsed, span).map(Body::Merge)
}

/// Returns the operations of a JSON patch. Its scalars are read as kubectl reads them.
fn operations(parsed: &Parsed) -> Option<Vec<Node>> {
    match parsed.documents.first().map(|document| &document.root.kind) {
        Some(NodeKind::Sequence(items)) => Some(items.clone()),
        _ => None,
    }
}

fn strategic(
    objects: &mut Vec<Object>,
    target: Option<&Selector>,
    patches: &[Object],
    allowed: Allowed,
    span: Span,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    if let Some(target) = target {
        let patch = match patches {
            [] => return Ok(()),
            [patch] => patch,
            _ => {
                return Err(RenderError::broken(
                    target.span,
                    "a `target` is set for a file of several patches",
                )
                .with_help("keep one patch to a file, or let each name its object itself"));
            }
        };
        let patterns = Patterns::new(target)?;
        let selected: BTreeSet<usize> = (0..)
            .zip(objects.iter())
            .filter(|(_, object)| patterns.fits(object))
            .map(|(at, _)| at)
            .collect();
        for at in selected {
            if let Some(object) = objects.get_mut(at) {
                files.budget.grow(patch.size, span)?;
                merge_into(object, patch, allowed, files)?;
            }
        }
    } else {
        for patch in patches {
            files.budget.work(objects.len(), span)?;
            let wanted = patch.original_id();
            let mut found = (0..)
                .zip(objects.iter())
                .filter(|(_, object)| !object.is_empty() && object.all_ids().contains(&wanted))
                .map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => {
                    if let Some(object) = objects.get_mut(at) {
                        files.budget.grow(patch.size, span)?;
                        files.budget.work(object.size, span)?;
                        merge_into(object, patch, allowed, files)?;
                    }
                }
                (Some(_), Some(_)) => {
                    return Err(RenderError::broken(
                        span,
                        format!(
                            "several objects were or are called {wanted}, which the patch is for"
                        ),
                    ));
                }
                (None, _) if tolerant => {}
                (None, _) => {
                    let message = format!("no object is called {wanted}, which the patch is for");
                    return Err(
                        RenderError::broken(span, message).with_help(near(objects, &wanted))
                    );
                }
            }
        }
    }
    objects.retain(|object| !object.is_empty());
    Ok(())
}

/// Returns what may help where no object is the one that a patch is for.
fn near(objects: &[Object], wanted: &Id) -> String {
    let ids: Vec<Id> = objects.iter().map(Object::id).collect();
    let same = ids.iter().find(|id| id.kind == wanted.kind && id.name == wanted.name);
    if let Some(same) = same {
        if same.api_version != wanted.api_version {
            return format!(
                "there is one of `apiVersion: {}`, which the patch must have too",
                same.api_version
            );
        }
        return format!("there is {same}; set `metadata.namespace` of the patch to that");
    }
    let names = ids.iter().filter(|id| id.kind == wanted.kind).map(|id| &*id.name);
    match closest(&wanted.name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`apiVersion`, `kind`, name and namespace of a patch must be those of the object"
            .to_owned(),
    }
}

/// Merges a patch into an object, which keeps its name, its namespace and its kind.
fn merge_into(
    object: &mut Object,
    patch: &Object,
    allowed: Allowed,
    files: &Files<'_>,
) -> Result<()> {
    if allowed.name || allowed.kind {
        object.remember();
    }
    let kept = |path: &[&str]| object.node.at(path).cloned();
    let (name, namespace, kind, api_version) = (
        kept(&["metadata", "name"]),
        kept(&["metadata", "namespace"]),
        kept(&["kind"]),
        kept(&["apiVersion"]),
    );
    let (api_version_text, kind_text) = (object.api_version(), object.kind());
    let schema = files.schemas.of(&api_version_text, &kind_text);
    let placeholder = Node::mapping(object.node.span);
    let old = std::mem::replace(&mut object.node, placeholder);
    let span = old.span;
    let Some(mut merged) = merge::merge(old, &patch.node, schema, files.sources())? else {
        object.node = Node::mapping(span);
        return Ok(());
    };
    if let Some(api_version) = api_version {
        set(&mut merged, "apiVersion", api_version);
    }
    if !allowed.kind
        && let Some(kind) = kind
    {
        set(&mut merged, "kind", kind);
    }
    if let Some(metadata) = map_at(&mut merged, "metadata", span) {
        if !allowed.name
            && let Some(name) = name
        {
            set(metadata, "name", name);
        }
        match namespace.filter(|namespace| !text(namespace).is_empty()) {
            Some(namespace) => set(metadata, "namespace", namespace),
            None => super::object::remove(metadata, "namespace"),
        }
    }
    object.node = merged;
    Ok(())
}
