//! Which kustomization refers to which file and folder.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::kustomization::{self, Kind, Kustomization, ReferenceUse, is_remote};
use crate::load::{Dialect, Repository};
use crate::source::{RepoPath, Span};

/// What a reference leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A file that was read.
    File(RepoPath),
    /// A folder with a kustomization.
    Kustomization(RepoPath),
    /// A folder without one.
    Folder(RepoPath),
    /// Something on another host.
    Remote,
    /// Something outside the root.
    Outside,
    /// Nothing that was read.
    Missing(RepoPath),
}

/// One reference of a kustomization, resolved.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) use_: ReferenceUse,
    pub(super) target: Target,
}

/// A folder that holds a kustomization.
#[derive(Debug)]
pub(super) struct KustomizationFolder {
    /// The files with a name of kustomize's; more than one is an error of the render.
    pub(super) files: Vec<RepoPath>,
    pub(super) span: Span,
    pub(super) component: bool,
    pub(super) kustomization: Kustomization,
    /// Whether it can be read at all.
    pub(super) readable: bool,
    pub(super) edges: Vec<Edge>,
}

/// Files by the uses that some kustomizations make of them.
pub(super) type Uses<'a> = BTreeMap<&'a RepoPath, BTreeSet<ReferenceUse>>;

/// All kustomizations of a repository, by folder.
#[derive(Debug, Default)]
pub(super) struct Edges {
    pub(super) folders: BTreeMap<RepoPath, KustomizationFolder>,
}

impl Edges {
    /// Reads every kustomization of the repository.
    pub(super) fn read(repository: &Repository) -> Self {
        let mut names: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
        for (path, _) in repository.files() {
            if path.is_kustomization() {
                names.entry(path.parent()).or_default().push(path.clone());
            }
        }
        let read: Vec<(RepoPath, KustomizationFolder)> = names
            .into_par_iter()
            .filter_map(|(folder, files)| Some((folder, read_folder(repository, files)?)))
            .collect();
        let mut edges = Self { folders: read.into_iter().collect() };
        let known: BTreeSet<RepoPath> = edges.folders.keys().cloned().collect();
        for (folder, node) in &mut edges.folders {
            node.edges = node
                .kustomization
                .references()
                .into_iter()
                .map(|reference| Edge {
                    use_: reference.use_,
                    target: resolve(repository, &known, folder, &reference.text),
                })
                .collect();
        }
        edges
    }

    /// Returns the folders of kustomizations to which another one of `folders` refers.
    pub(super) fn referenced<'a>(
        &'a self,
        folders: impl Iterator<Item = &'a RepoPath>,
    ) -> BTreeSet<&'a RepoPath> {
        let mut out = BTreeSet::new();
        for folder in folders {
            let edges = self.folders.get(folder).map_or(&[][..], |node| &node.edges);
            out.extend(edges.iter().filter_map(|edge| match &edge.target {
                Target::Kustomization(target) if target != folder => Some(target),
                _ => None,
            }));
        }
        out
    }

    /// Adds `start` and every kustomization that it builds on to `reached`.
    pub(super) fn reach<'a>(&'a self, start: &'a RepoPath, reached: &mut BTreeSet<&'a RepoPath>) {
        let mut waiting = vec![start];
        while let Some(folder) = waiting.pop() {
            if !reached.insert(folder) {
                continue;
            }
            let Some(node) = self.folders.get(folder) else { continue };
            for edge in &node.edges {
                if let Target::Kustomization(target) = &edge.target {
                    waiting.push(target);
                }
            }
        }
    }

    /// Returns every file that the kustomizations of `folders` refer to, with its uses.
    pub(super) fn uses(&self, folders: &BTreeSet<&RepoPath>) -> Uses<'_> {
        let mut out = Uses::new();
        for node in folders.iter().filter_map(|folder| self.folders.get(*folder)) {
            for edge in &node.edges {
                if let Target::File(path) = &edge.target {
                    out.entry(path).or_default().insert(edge.use_);
                }
            }
        }
        out
    }
}

fn read_folder(repository: &Repository, files: Vec<RepoPath>) -> Option<KustomizationFolder> {
    // A Flux Kustomization has the same kind, and sometimes this name: it is an object.
    let files: Vec<RepoPath> =
        files.into_iter().filter(|path| !is_flux(repository, path)).collect();
    let path = files.first()?;
    let span = Span::start_of(repository.file(path)?.source);
    let (kustomization, _) = kustomization::read(repository, path)?;
    let readable = !repository
        .parsed(path, Dialect::Kubectl)?
        .problems
        .iter()
        .any(crate::load::Problem::is_fatal);
    let component = kustomization.kind() == Kind::Component;
    Some(KustomizationFolder { files, span, component, kustomization, readable, edges: Vec::new() })
}

fn is_flux(repository: &Repository, path: &RepoPath) -> bool {
    repository.parsed(path, Dialect::Kubectl).is_some_and(|parsed| {
        parsed
            .documents
            .first()
            .and_then(|document| document.object.as_ref())
            .is_some_and(|object| object.group() == "kustomize.toolkit.fluxcd.io")
    })
}

fn resolve(
    repository: &Repository,
    known: &BTreeSet<RepoPath>,
    folder: &RepoPath,
    text: &str,
) -> Target {
    // What exists here is meant, even where its name looks like a host.
    let Some(path) = repository.join(folder, text) else {
        return if is_remote(text) { Target::Remote } else { Target::Outside };
    };
    if repository.file(&path).is_some() {
        Target::File(path)
    } else if known.contains(&path) {
        Target::Kustomization(path)
    } else if repository.is_folder(&path) {
        Target::Folder(path)
    } else if is_remote(text) {
        Target::Remote
    } else {
        Target::Missing(path)
    }
}
