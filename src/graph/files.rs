//! What every file is, and which of them are parsed, each in the dialect in which it is used.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::classify::{self, Charts};
use super::edges::Edges;
use super::reach::Reach;
use super::reconcilers::{self, Entry};
use super::role::Role;
use super::sources::{OtherRepository, Sources};
use crate::discover;
use crate::load::{Dialect, Repository};
use crate::source::{Origin, RepoPath, Source};

/// What a file is, and in which dialect its documents were read, if they were.
pub(super) struct FileRole<'a> {
    pub(super) path: &'a RepoPath,
    pub(super) role: Role,
    pub(super) dialect: Option<Dialect>,
}

/// Gives every file that Kubernetes might read its role, and parses those whose content matters.
pub(super) fn read_files<'a>(
    repository: &'a Repository,
    edges: &'a Edges,
    charts: &Charts,
    reach: &Reach<'_>,
    claimed: &BTreeSet<RepoPath>,
) -> Vec<FileRole<'a>> {
    let kustomizations: BTreeMap<&RepoPath, Role> = edges
        .folders
        .iter()
        .flat_map(|(folder, node)| {
            let role = reach.set_aside.get(folder).copied().unwrap_or(Role::Kustomization);
            node.files.iter().map(move |path| (path, role))
        })
        .collect();
    let read_by_roots = edges.uses(&reach.read);
    let paths: Vec<&RepoPath> = repository
        .files()
        .map(|(path, _)| path)
        .filter(|path| {
            // What comes over standard input has no name to tell by.
            let unnamed = || repository.source(path).is_some_and(|it| it.origin() == Origin::Stdin);
            discover::is_manifest(path) || reach.uses.contains_key(*path) || unnamed()
        })
        .collect();
    paths
        .into_par_iter()
        .map(|path| {
            let used = reach.uses.get(path).and_then(classify::by_use);
            let is_claimed = claimed.iter().any(|folder| path.is_within(folder));
            let role = match (used, kustomizations.get(path)) {
                (Some(Role::Object), _) => Role::Object,
                (_, Some(role)) => *role,
                (Some(role), None) => role,
                (None, None) if classify::is_test_data(path) && !is_claimed => Role::TestData,
                (None, None) => charts
                    .role(path)
                    .or_else(|| classify::by_place(path))
                    .or_else(|| {
                        let used = reach.unused.get(path).and_then(classify::by_use)?;
                        Some(if used == Role::Object { Role::UnusedComponent } else { used })
                    })
                    .or_else(|| reach.beside(edges, path))
                    .or_else(|| {
                        (!is_claimed && reach.governed.contains(&path.parent()))
                            .then_some(Role::Unreferenced)
                    })
                    .unwrap_or(Role::Other),
            };
            let in_scope = repository.file(path).is_some_and(|file| file.in_scope);
            let wanted = in_scope || read_by_roots.contains_key(path);
            let text = repository.source(path).map(Source::text).unwrap_or_default();
            let dialect = match role {
                Role::Object | Role::Patch => Some(Dialect::Kustomize),
                Role::Other | Role::Unreferenced if may_be_object(text) => Some(Dialect::Kubectl),
                _ => None,
            };
            let dialect = dialect.filter(|_| wanted || reconcilers::may_apply(text));
            if let Some(dialect) = dialect {
                // The parse is kept in the repository; here it is only done early, in parallel.
                let _ = repository.parsed(path, dialect);
            }
            FileRole { path, role, dialect }
        })
        .collect()
}

/// Says whether a text can hold a document with an `apiVersion`.
///
/// The key stands in the text as it is, unless escapes spell it.
fn may_be_object(text: &str) -> bool {
    text.contains("apiVersion") || text.contains('\\')
}

/// What the reconcilers' objects of the repository apply, as far as their files tell.
#[derive(Debug)]
pub(super) struct Reconciled {
    pub(super) sources: Sources,
    pub(super) entries: Vec<Entry>,
}

/// Finds what the Flux and Argo CD objects of the repository apply.
pub(super) fn applied(
    repository: &Repository,
    others: &[OtherRepository],
    files: &[FileRole<'_>],
) -> Reconciled {
    let documents = || {
        files
            .iter()
            .filter(|file| matches!(file.role, Role::Object | Role::Other))
            .filter_map(|file| {
                let parsed = repository.parsed_before(file.path, file.dialect?)?;
                Some(parsed.documents.iter().map(|document| (file.path, document)))
            })
            .flatten()
    };
    let mut sources = Sources::new(repository, others);
    for (path, document) in documents() {
        sources.add(path, document);
    }
    sources.settle(repository);
    let entries = documents()
        .flat_map(|(path, document)| reconcilers::applied(path, document, repository, &sources))
        .collect();
    Reconciled { sources, entries }
}
