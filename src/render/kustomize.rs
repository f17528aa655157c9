//! kustomize, natively: what `kustomize build` makes of a folder, with the origin of every value.
//!
//! The results are those of kustomize 5.8, its peculiarities included. Nothing is fetched and
//! nothing is run.

mod budget;
mod build;
mod config;
mod crds;
mod field;
mod files;
mod generate;
mod hash;
mod image;
pub(super) mod inline;
mod json_patch;
mod merge;
mod notes;
mod object;
mod openapi;
mod order;
mod patch;
mod plugin;
mod references;
mod replace;
mod scalar;
mod schema;
mod select;
mod structured;
mod tables;
mod transform;
mod value_add;
mod variables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use build::{Accumulated, Build};
use openapi::Definitions;

use super::{RenderError, Rendered};
use crate::graph::kustomization::Kustomization;
use crate::load::Repository;
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// Which files a kustomization may read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoadRestrictor {
    /// All files of the repository, as Flux allows (`LoadRestrictionsNone`).
    #[default]
    None,
    /// Files in its own folder and below, as kustomize allows without a flag.
    RootOnly,
}

/// How many values are kept for kustomizations that are used again.
const CACHED_VALUES: usize = 20_000_000;

/// Keeps what kustomizations make that others use, so that each is put together once.
///
/// Renders of many threads can share one. It changes nothing but time.
#[derive(Debug, Default)]
pub struct Cache {
    restrictor: LoadRestrictor,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    values: usize,
    bases: BTreeMap<RepoPath, Arc<Accumulated>>,
    definitions: BTreeMap<RepoPath, Arc<Definitions>>,
}

impl Cache {
    /// Returns an empty cache for renders under `restrictor`.
    pub fn new(restrictor: LoadRestrictor) -> Self {
        Self { restrictor, kept: Mutex::default() }
    }

    fn get(&self, folder: &RepoPath) -> Option<Arc<Accumulated>> {
        self.kept.lock().ok()?.bases.get(folder).map(Arc::clone)
    }

    fn definitions(&self, file: &RepoPath) -> Option<Arc<Definitions>> {
        self.kept.lock().ok()?.definitions.get(file).map(Arc::clone)
    }

    fn keep_definitions(&self, file: &RepoPath, definitions: &Arc<Definitions>) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.definitions.insert(file.clone(), Arc::clone(definitions));
        }
    }

    fn put(&self, folder: &RepoPath, base: &Arc<Accumulated>) {
        let Ok(mut kept) = self.kept.lock() else { return };
        let size = base.size();
        if kept.values + size <= CACHED_VALUES && !kept.bases.contains_key(folder) {
            kept.values += size;
            kept.bases.insert(folder.clone(), Arc::clone(base));
        }
    }
}

/// Renders the kustomization of a folder.
///
/// Fails where kustomize would refuse it, and where it asks for what is not supported here.
pub fn kustomize(
    repository: &Repository,
    folder: &RepoPath,
    cache: &Cache,
) -> Result<Rendered, RenderError> {
    let (file, kustomization) = files::load(repository, folder, anywhere(repository, folder))?;
    render(repository, folder, Some(&file), &kustomization, cache)
}

/// Renders a kustomization as if it stood in a folder.
///
/// For reconcilers that make one where there is none, or add to the one that is there.
pub fn kustomize_as(
    repository: &Repository,
    folder: &RepoPath,
    kustomization: &Kustomization,
    cache: &Cache,
) -> Result<Rendered, RenderError> {
    render(repository, folder, None, kustomization, cache)
}

/// Returns the place for an error of a folder that has no kustomization: its first file.
fn anywhere(repository: &Repository, folder: &RepoPath) -> Span {
    let mut files = repository.children(folder).chain(repository.files());
    if let Some((_, file)) = files.next() {
        return Span::start_of(file.source);
    }
    // A repository without any file has no place at all; this one shows nothing.
    let empty = Source::new(folder.clone(), Origin::File, Vec::new());
    Span::start_of(SourceMap::default().add(empty))
}

fn render(
    repository: &Repository,
    folder: &RepoPath,
    file: Option<&RepoPath>,
    kustomization: &Kustomization,
    cache: &Cache,
) -> Result<Rendered, RenderError> {
    let mut build = Build::new(repository, cache);
    let mut out = build.root(folder, file, kustomization)?;
    hash::rename(&mut out.objects);
    references::fix(&mut out.objects, &out.config.name_reference, &mut build.budget)?;
    let tolerant = !out.gaps.is_empty();
    variables::resolve(
        &mut out.objects,
        &out.variables,
        &out.config.var_reference,
        &mut build.budget,
        tolerant,
    )?;
    out.objects.retain(|object| !is_local(object));
    order::sort(&mut out.objects, kustomization.sort_options.as_ref())?;
    for object in &out.objects {
        files::check(&object.node, object.node.span)?;
    }
    notes::finish(&mut out.objects, &kustomization.build_metadata);
    Ok(Rendered {
        folder: folder.clone(),
        objects: out
            .objects
            .into_iter()
            .map(|object| object.into_document(repository.sources()))
            .collect(),
        gaps: out.gaps,
        read: out.read,
    })
}

/// Says whether an object is only for tools: annotated as such, and never put out.
fn is_local(object: &object::Object) -> bool {
    object
        .metadata_map("annotations")
        .iter()
        .any(|(key, value)| &**key == "config.kubernetes.io/local-config" && &**value != "false")
}

#[cfg(test)]
mod tests;
