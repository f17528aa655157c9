//! The environments of roots and files: what the configuration, reconcilers and paths say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::edges::Edges;
use super::environments::{Environments, Placement, SaidBy};
use super::reconcilers::Entry;
use crate::source::RepoPath;

type Said = BTreeMap<Arc<str>, SaidBy>;

/// The environments of folders, as far as the configuration and reconcilers know them.
pub(super) struct Placed {
    folders: BTreeMap<RepoPath, Said>,
    /// Folders without a kustomization that a reconciler applies, and whether all below them.
    plain: BTreeMap<RepoPath, bool>,
    /// Which roots reach the files that hold reconcilers' objects.
    holders: BTreeMap<RepoPath, Vec<RepoPath>>,
}

impl Placed {
    pub(super) fn of(
        edges: &Edges,
        leaves: &BTreeSet<&RepoPath>,
        entries: &[Entry],
        environments: &mut Environments,
    ) -> Self {
        let mut placed =
            Self { folders: BTreeMap::new(), plain: BTreeMap::new(), holders: BTreeMap::new() };
        placed.holders = entries.iter().map(|entry| (entry.file.clone(), Vec::new())).collect();
        let starts: BTreeSet<&RepoPath> =
            leaves.iter().copied().chain(entries.iter().map(|entry| &entry.folder)).collect();
        for start in starts {
            let said = environments.configured(start);
            if !said.is_empty() {
                let said = said.into_iter().map(|name| (name, SaidBy::Configuration)).collect();
                placed.folders.insert(start.clone(), said);
            }
            let mut closure = BTreeSet::new();
            edges.reach(start, &mut closure);
            for path in edges.uses(&closure).into_keys() {
                if let Some(roots) = placed.holders.get_mut(path) {
                    roots.push(start.clone());
                }
            }
        }
        for entry in entries {
            if entry.verbatim || !edges.folders.contains_key(&entry.folder) {
                let all = placed.plain.entry(entry.folder.clone()).or_default();
                *all |= entry.recursive;
            }
        }
        // Reconcilers apply reconcilers: at most as often as there are entries.
        for _ in 0..=entries.len() {
            let mut changed = false;
            for entry in entries {
                let own = placed.folders.get(&entry.folder);
                if own.is_some_and(|said| said.values().any(|by| *by == SaidBy::Configuration)) {
                    continue;
                }
                let names = placed.of_holder(&entry.file, environments);
                let said = placed.folders.entry(entry.folder.clone()).or_default();
                for name in names {
                    said.entry(name).or_insert_with(|| {
                        changed = true;
                        SaidBy::Reconciler(entry.span)
                    });
                }
            }
            if !changed {
                break;
            }
        }
        placed
    }

    /// Returns the environments of a file that holds a reconciler's object.
    fn of_holder(&self, file: &RepoPath, environments: &mut Environments) -> BTreeSet<Arc<str>> {
        let configured = environments.configured(file);
        if !configured.is_empty() {
            return configured;
        }
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        for root in self.holders.get(file).map_or(&[][..], Vec::as_slice) {
            match self.folders.get(root).filter(|said| !said.is_empty()) {
                Some(said) => names.extend(said.keys().cloned()),
                None => names.extend(environments.by_path(root, false)),
            }
        }
        if let Some(said) = self.around(file, false) {
            names.extend(said.keys().cloned());
        }
        if names.is_empty() { environments.by_path(file, true) } else { names }
    }

    /// Returns what is said of the nearest applied folder without a kustomization around a path.
    ///
    /// `is_folder` says whether the path is a folder, which is applied only with everything below.
    fn around(&self, path: &RepoPath, is_folder: bool) -> Option<&Said> {
        let parent = path.parent();
        let mut folder = parent.clone();
        loop {
            if let Some(all) = self.plain.get(&folder)
                && (*all || (folder == parent && !is_folder))
                && let Some(said) = self.folders.get(&folder).filter(|said| !said.is_empty())
            {
                return Some(said);
            }
            if folder.is_root() {
                return None;
            }
            folder = folder.parent();
        }
    }

    /// Returns the environments of what holds a reconciler's object.
    pub(super) fn of_entry(
        &self,
        entry: &Entry,
        environments: &mut Environments,
    ) -> Vec<Placement> {
        let names = self.of_holder(&entry.file, environments);
        placements(names.into_iter().map(|name| (name, SaidBy::Path)).collect(), environments)
    }

    /// Says whether a reconciler applies what a path holds, as far as the files tell.
    pub(super) fn is_applied(&self, path: &RepoPath, is_folder: bool) -> bool {
        let parent = path.parent();
        let mut folder = parent.clone();
        loop {
            if let Some(all) = self.plain.get(&folder)
                && (*all || (folder == parent && !is_folder))
            {
                return true;
            }
            if folder.is_root() {
                return false;
            }
            folder = folder.parent();
        }
    }

    pub(super) fn of_root(
        &self,
        folder: &RepoPath,
        environments: &mut Environments,
    ) -> Vec<Placement> {
        let said = self.folders.get(folder).filter(|said| !said.is_empty());
        if let Some(said) = said.or_else(|| self.around(folder, true)) {
            return placements(said.clone(), environments);
        }
        let names = environments.by_path(folder, false);
        placements(names.into_iter().map(|name| (name, SaidBy::Path)).collect(), environments)
    }

    pub(super) fn of_file(
        &self,
        path: &RepoPath,
        environments: &mut Environments,
    ) -> Vec<Placement> {
        let configured = environments.configured(path);
        if !configured.is_empty() {
            let said = configured.into_iter().map(|name| (name, SaidBy::Configuration));
            return placements(said.collect(), environments);
        }
        if let Some(said) = self.around(path, false) {
            return placements(said.clone(), environments);
        }
        let names = environments.by_path(path, true);
        placements(names.into_iter().map(|name| (name, SaidBy::Path)).collect(), environments)
    }
}

fn placements(said: Said, environments: &Environments) -> Vec<Placement> {
    said.into_iter()
        .filter_map(|(name, said_by)| {
            Some(Placement { environment: Arc::clone(environments.get(&name)?), said_by })
        })
        .collect()
}
