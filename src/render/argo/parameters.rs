//! Parameters of a source that lie beside its files.

use std::borrow::Cow;

use crate::document::{Node, NodeKind};
use crate::load::{Dialect, Repository};
use crate::source::RepoPath;

/// What the files do not change (`mergeSourceParameters`).
const KEPT: [&str; 5] = ["repoURL", "path", "targetRevision", "chart", "ref"];

/// Returns a source with what `.argocd-source.yaml` and `.argocd-source-<name>.yaml` in its folder
/// say, and the files that were read.
pub(super) fn of<'a>(
    repository: &Repository,
    folder: &RepoPath,
    name: &str,
    source: &'a Node,
) -> (Cow<'a, Node>, Vec<RepoPath>) {
    let mut source = Cow::Borrowed(source);
    let mut read = Vec::new();
    for file in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{name}.yaml")] {
        let Some(beside) = folder.join(&file) else { continue };
        let parsed = repository.parsed(&beside, Dialect::Kubectl);
        let Some(document) = parsed.and_then(|parsed| parsed.documents.first()) else { continue };
        let mut patch = document.root.clone();
        if let NodeKind::Mapping(entries) = &mut patch.kind {
            entries.retain(|entry| !KEPT.contains(&&*entry.key));
            merge(source.to_mut(), patch);
            read.push(beside);
        }
    }
    (source, read)
}

/// Applies a JSON merge patch (RFC 7396).
pub(super) fn merge(target: &mut Node, patch: Node) {
    let NodeKind::Mapping(changes) = patch.kind else {
        *target = patch;
        return;
    };
    if !target.is_mapping() {
        *target = Node::mapping(patch.span);
    }
    let NodeKind::Mapping(entries) = &mut target.kind else { return };
    for change in changes {
        let at = entries.iter().position(|entry| entry.key == change.key);
        match at.and_then(|at| entries.get_mut(at)) {
            _ if change.value.is_null() => entries.retain(|entry| entry.key != change.key),
            Some(entry) => merge(&mut entry.value, change.value),
            None => {
                let mut value = Node::mapping(change.value.span);
                merge(&mut value, change.value);
                entries.push(crate::document::Entry { value, ..change });
            }
        }
    }
}
