//! What Flux's kustomize-controller makes of a `Kustomization`.

mod dependencies;
mod functions;
mod generate;
mod scalar;
mod substitute;
mod template;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) use dependencies::{Dependencies, dependencies};
pub use values::Values;
use values::Variables;
pub(super) use values::decoded;

use super::deliver::{Applier, Known, Made, Shared};
use super::{Gap, GapKind, RenderError, Rendered, kustomize_as};
use crate::document::{Document, Entry, Node, NodeKind, Scalar};
use crate::graph::{Located, Placement, SourceRef};
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// Says whether a document is a `Kustomization` of Flux.
pub(super) fn is_kustomization(document: &Document) -> bool {
    document.object.as_ref().is_some_and(|object| {
        object.group() == "kustomize.toolkit.fluxcd.io" && &*object.kind == "Kustomization"
    })
}

/// Says whether everything that a `Kustomization` takes values from is known.
pub(super) fn is_ready(
    document: &Document,
    values: Option<&Values>,
    environments: &[Placement],
    known: &Known,
) -> bool {
    let variables = Variables::of(document, values, environments, known);
    // What is wrong with them is said when it is rendered.
    variables.map_or(true, |variables| !variables.is_waiting())
}

/// Renders a folder as Flux does, with a kustomization of its own where there is none.
pub(super) fn render_folder(
    shared: &Shared<'_>,
    folder: &RepoPath,
    span: Span,
) -> Result<Rendered, RenderError> {
    render(shared, folder, None, span)
}

fn render(
    shared: &Shared<'_>,
    folder: &RepoPath,
    document: Option<&Document>,
    span: Span,
) -> Result<Rendered, RenderError> {
    let repository = shared.repository;
    let sources = shared.graph.sources();
    let file = repository.sources().path(document.map_or(span, |it| it.span));
    let source = document.and_then(|it| it.root.at(&["spec", "sourceRef"])).map(source);
    let is_left_out = |path: &RepoPath| sources.is_left_out(&file, source, path);
    let mut made = generate::of_folder(repository, folder, span, &is_left_out)?;
    if let Some(document) = document {
        generate::extend(&mut made.kustomization, document, repository, folder)?;
    }
    generate::keep_order(&mut made.kustomization);
    let mut rendered = kustomize_as(repository, folder, &made.kustomization, &shared.cache)?;
    rendered.read.extend(made.file);
    Ok(rendered)
}

/// Renders what a `Kustomization` applies; `None` where it is a base that an overlay completes.
pub(super) fn make(
    shared: &Shared<'_>,
    document: &Document,
    values: Option<&Values>,
    environments: &[Placement],
) -> Option<Made> {
    let object = document.object.as_ref()?;
    let source_ref = document.root.at(&["spec", "sourceRef"])?;
    let path = document.root.at(&["spec", "path"]);
    let text = path.and_then(Node::as_str).unwrap_or("./");
    let span = path.unwrap_or(source_ref).span;
    let reference = source(source_ref);
    let file = shared.repository.sources().path(document.span);
    // What another cluster gets is named by the folder, not by the cluster that applies it.
    let elsewhere = document.root.at(&["spec", "kubeConfig"]).filter(|it| it.is_mapping());
    let holder = if elsewhere.is_some() { &[] } else { environments };
    let outside = |kind, span, text: &str| Made {
        by: Applier::Flux(object.clone()),
        folder: None,
        environments: environments.to_vec(),
        cluster: None,
        apply: Apply::ServerSide,
        rendered: Ok(Rendered::nothing(Gap { kind, span, text: text.to_owned() })),
        withheld: BTreeSet::new(),
    };
    Some(match shared.graph.sources().flux(shared.repository, &file, reference, text) {
        Located::Elsewhere => outside(GapKind::OtherRepository, source_ref.span, reference.name),
        Located::Missing => outside(GapKind::MissingPath, span, text),
        Located::Folder(folder) => {
            let mut placed = shared.graph.place(&folder, holder, span);
            if placed.is_empty() {
                placed = environments.to_vec();
            }
            let variables = Variables::of(document, values, environments, shared.known);
            Made {
                by: Applier::Flux(object.clone()),
                environments: placed,
                cluster: elsewhere.map(cluster),
                apply: Apply::ServerSide,
                withheld: variables.as_ref().map(Variables::secrets).unwrap_or_default(),
                rendered: applied(shared, &folder, document, variables, span),
                folder: Some(folder),
            }
        }
    })
}

/// Reads a `sourceRef`.
fn source(node: &Node) -> SourceRef<'_> {
    let field = |key| node.get(key).and_then(Node::as_str).unwrap_or_default();
    SourceRef { kind: field("kind"), name: field("name") }
}

/// Names another cluster by what holds the way to it.
fn cluster(config: &Node) -> Arc<str> {
    let named = ["secretRef", "configMapRef"]
        .iter()
        .find_map(|key| config.at(&[key, "name"]).and_then(Node::as_str));
    Arc::from(named.unwrap_or("kubeConfig"))
}

fn applied(
    shared: &Shared<'_>,
    folder: &RepoPath,
    document: &Document,
    variables: Result<Variables<'_>, RenderError>,
    span: Span,
) -> Result<Rendered, RenderError> {
    let mut rendered = render(shared, folder, Some(document), span)?;
    let variables = variables?;
    if variables.are_used() {
        rendered.gaps.extend(substitute::substitute(&mut rendered.objects, &variables)?);
    }
    if !shared.known.as_rendered {
        add_common_metadata(&mut rendered.objects, document);
    }
    Ok(rendered)
}

/// Adds `spec.commonMetadata`, which Flux sets when it applies the objects.
fn add_common_metadata(objects: &mut [Document], document: &Document) {
    for field in ["labels", "annotations"] {
        let common = document.root.at(&["spec", "commonMetadata", field]);
        for entry in common.map_or(&[][..], Node::entries) {
            if !matches!(&entry.value.kind, NodeKind::Scalar(Scalar::String(_))) {
                continue;
            }
            for object in objects.iter_mut() {
                let Some(metadata) = object.root.get_mut("metadata") else { continue };
                let Some(all) = child(metadata, field, entry.key_span) else { continue };
                match all.iter_mut().find(|it| it.key == entry.key) {
                    Some(own) => own.clone_from(entry),
                    None => all.push(entry.clone()),
                }
            }
        }
    }
}

/// Returns the entries of a mapping inside of another, which is made where it is not there.
fn child<'a>(node: &'a mut Node, key: &str, span: Span) -> Option<&'a mut Vec<Entry>> {
    let NodeKind::Mapping(entries) = &mut node.kind else { return None };
    let found = entries.iter().position(|entry| &*entry.key == key);
    let at = found.unwrap_or(entries.len());
    if found.is_none() {
        entries.push(Entry { key: Arc::from(key), key_span: span, value: Node::mapping(span) });
    }
    let value = &mut entries.get_mut(at)?.value;
    if value.is_null() {
        *value = Node::mapping(span);
    }
    match &mut value.kind {
        NodeKind::Mapping(entries) => Some(entries),
        NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
    }
}

#[cfg(test)]
mod tests;
