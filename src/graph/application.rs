//! The sources of an `Application` of Argo CD, and what Argo CD takes each of them for.

use super::kustomization::{self, Found};
use crate::document::{Document, Node, NodeKind, Scalar};
use crate::load::Repository;
use crate::source::{RepoPath, Span};

/// What Argo CD takes a source for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A folder with a kustomization.
    Kustomize,
    /// A chart.
    Helm,
    /// A folder of manifests, which are applied as they stand.
    Directory,
    /// A folder that a program of its own makes objects of.
    Plugin,
}

/// The fields of a source that say what it is (`ApplicationSource.ExplicitType`).
const EXPLICIT: [(&str, SourceKind); 4] = [
    ("kustomize", SourceKind::Kustomize),
    ("helm", SourceKind::Helm),
    ("directory", SourceKind::Directory),
    ("plugin", SourceKind::Plugin),
];

/// Returns the sources of an `Application`, in their order.
///
/// `sources` comes before `source`, as Argo CD has it. Where a hydrator commits what is rendered to
/// another branch, the source is what it renders.
pub fn sources(document: &Document) -> Vec<&Node> {
    let spec = |path: &[&str]| document.root.get("spec").and_then(|spec| spec.at(path));
    if let Some(dry) = spec(&["sourceHydrator", "drySource"]) {
        return vec![dry];
    }
    let several = spec(&["sources"]).map_or(&[][..], Node::items);
    if several.is_empty() {
        spec(&["source"]).into_iter().collect()
    } else {
        several.iter().collect()
    }
}

/// Says whether a field of a source says what it is; one that is set to nothing does not
/// (`NormalizeSource`).
fn is_explicit(kind: SourceKind, options: &Node) -> bool {
    match kind {
        SourceKind::Plugin => !options.is_null(),
        SourceKind::Kustomize | SourceKind::Helm | SourceKind::Directory => has_content(options),
    }
}

/// Says whether anything is set at all.
fn has_content(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(Scalar::Null | Scalar::Bool(false)) => false,
        NodeKind::Scalar(Scalar::String(text)) => !text.is_empty(),
        NodeKind::Scalar(_) => true,
        NodeKind::Sequence(items) => !items.is_empty(),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| has_content(&entry.value)),
    }
}

/// Returns what a source says that it is; fails with the place of a second answer.
pub fn explicit_kind(source: &Node) -> Result<Option<SourceKind>, Span> {
    let mut said = EXPLICIT
        .iter()
        .filter_map(|(key, kind)| Some((source.entry(key)?, *kind)))
        .filter(|(entry, kind)| is_explicit(*kind, &entry.value));
    let first = said.next().map(|(_, kind)| kind);
    match said.next() {
        Some((second, _)) => Err(second.key_span),
        None => Ok(first),
    }
}

/// Returns what a source is by what it says, else by the files of its folder (`discovery.AppType`).
///
/// Fails with the place of a second answer.
pub fn source_kind(
    repository: &Repository,
    folder: &RepoPath,
    source: &Node,
) -> Result<SourceKind, Span> {
    if let Some(kind) = explicit_kind(source)? {
        return Ok(kind);
    }
    if kustomization::find(repository, folder) != Found::None {
        return Ok(SourceKind::Kustomize);
    }
    let chart = folder.join("Chart.yaml").filter(|path| repository.file(path).is_some());
    Ok(if chart.is_some() { SourceKind::Helm } else { SourceKind::Directory })
}
