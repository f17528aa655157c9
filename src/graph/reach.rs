//! Which kustomizations count, and what each of them builds on.

use std::collections::{BTreeMap, BTreeSet};

use super::classify::{self, Charts};
use super::edges::{Edges, Target, Uses};
use super::kustomization::Kustomization;
use super::role::Role;
use super::template;
use crate::load::{self, Dialect, Repository};
use crate::source::RepoPath;

/// Which kustomizations count, and which of them are reached from where.
pub(super) struct Reach<'a> {
    pub(super) leaves: BTreeSet<&'a RepoPath>,
    /// The leaves of which a part was asked for.
    pub(super) judged: BTreeSet<&'a RepoPath>,
    /// Everything that a judged leaf builds on.
    pub(super) read: BTreeSet<&'a RepoPath>,
    pub(super) uses: Uses<'a>,
    /// What components use that nobody uses.
    pub(super) unused: Uses<'a>,
    /// Folders of which kustomizations use at least one file.
    pub(super) governed: BTreeSet<RepoPath>,
    /// Kustomizations that are templates or test data, with what they are.
    pub(super) set_aside: BTreeMap<&'a RepoPath, Role>,
}

impl<'a> Reach<'a> {
    pub(super) fn of(
        repository: &'a Repository,
        edges: &'a Edges,
        charts: &Charts,
        claimed: &BTreeSet<RepoPath>,
    ) -> Self {
        let referenced = edges.referenced(edges.folders.keys());
        let mut set_aside = BTreeMap::new();
        for (folder, node) in &edges.folders {
            let Some(path) = node.files.first() else { continue };
            let is_claimed = claimed.iter().any(|claimed| folder.is_within(claimed));
            if classify::is_test_data(path) && !is_claimed {
                set_aside.insert(folder, Role::TestData);
            } else if refers_to_placeholders(&node.kustomization) {
                set_aside.insert(folder, Role::Template);
            } else if referenced.contains(folder) {
                // Whoever builds on it wants it rendered.
            } else if charts.role(path) == Some(Role::ChartTemplate) {
                set_aside.insert(folder, Role::ChartTemplate);
            } else if is_template(repository, path, Dialect::Kubectl) {
                set_aside.insert(folder, Role::Template);
            }
        }
        // What a kustomization builds on is no test, and what only a test builds on is a leaf.
        let built_on = edges
            .referenced(edges.folders.keys().filter(|folder| !set_aside.contains_key(*folder)));
        set_aside.retain(|folder, _| !built_on.contains(*folder));
        let candidates = || {
            edges
                .folders
                .iter()
                .filter(|(folder, node)| !node.component && !set_aside.contains_key(folder))
                .map(|(folder, _)| folder)
        };
        let mut leaves: BTreeSet<&RepoPath> =
            candidates().filter(|folder| !built_on.contains(*folder)).collect();
        let mut reached = BTreeSet::new();
        for leaf in &leaves {
            edges.reach(leaf, &mut reached);
        }
        // A cycle has no leaf, and a base of a component that nobody uses has no user: each is
        // rendered by itself, so that nothing is passed over.
        for folder in candidates() {
            if !reached.contains(folder) {
                leaves.insert(folder);
                edges.reach(folder, &mut reached);
            }
        }
        let unused_components: BTreeSet<&RepoPath> = edges
            .folders
            .iter()
            .filter(|(folder, node)| {
                node.component && !reached.contains(folder) && !set_aside.contains_key(folder)
            })
            .map(|(folder, _)| folder)
            .collect();
        let mut judged = BTreeSet::new();
        let mut read = BTreeSet::new();
        for leaf in &leaves {
            let mut closure = BTreeSet::new();
            edges.reach(leaf, &mut closure);
            if closure.iter().any(|folder| is_asked_for(repository, edges, folder)) {
                judged.insert(*leaf);
                read.append(&mut closure);
            }
        }
        let uses = edges.uses(&reached);
        let unused = edges.uses(&unused_components);
        let governed = reached
            .iter()
            .chain(&unused_components)
            .filter(|folder| edges.folders.get(**folder).is_some_and(|node| node.readable))
            .map(|folder| (*folder).clone())
            .chain(uses.keys().chain(unused.keys()).map(|path| path.parent()))
            .collect();
        Self { leaves, judged, read, uses, unused, governed, set_aside }
    }
}

impl Reach<'_> {
    /// Returns the role of a file beside a kustomization that tells nothing of it.
    pub(super) fn beside(&self, edges: &Edges, path: &RepoPath) -> Option<Role> {
        let folder = path.parent();
        if edges.folders.get(&folder)?.readable {
            return None;
        }
        Some(match self.set_aside.get(&folder) {
            Some(role) => *role,
            None => Role::Unplaced,
        })
    }
}

/// Says whether a kustomization or one of its files was asked for.
fn is_asked_for(repository: &Repository, edges: &Edges, folder: &RepoPath) -> bool {
    let asked = |path: &RepoPath| repository.file(path).is_some_and(|file| file.in_scope);
    edges.folders.get(folder).is_some_and(|node| {
        node.files.iter().any(asked)
            || node.edges.iter().any(|edge| match &edge.target {
                Target::File(path) => asked(path),
                _ => false,
            })
    })
}

/// Says whether something else fills in what a kustomization refers to.
fn refers_to_placeholders(kustomization: &Kustomization) -> bool {
    let lists = [&kustomization.resources, &kustomization.bases, &kustomization.components];
    lists.into_iter().flatten().any(|text| text.text.contains("{{") || text.text.contains("{%"))
}

fn is_template(repository: &Repository, path: &RepoPath, dialect: Dialect) -> bool {
    let fatal = repository
        .parsed(path, dialect)
        .is_some_and(|parsed| parsed.problems.iter().any(load::Problem::is_fatal));
    fatal && repository.source(path).is_some_and(|source| template::is_template(source.text()))
}
