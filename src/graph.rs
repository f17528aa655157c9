//! Who refers to whom: what is an object, a patch, a base, a leaf, and in which environment.
//!
//! Only references tell, never names: a file is a patch because a kustomization uses it as one.
//! Nothing is rendered and no value is changed here.

mod application;
mod build;
mod classify;
mod client;
mod edges;
mod environments;
mod files;
mod found;
pub mod kustomization;
mod placed;
mod reach;
mod reconcilers;
mod role;
mod rules;
mod sources;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

pub use application::{SourceKind, explicit_kind, source_kind, sources};
pub use environments::{Placement, SaidBy, declared, tier};
pub use reconcilers::{Entry, argo_apply};
pub use role::Role;
pub use rules::{
    CHART_NOT_RENDERED, DEPENDENCY_CIRCLE, NOT_EXPANDED, OTHER_REPOSITORY, PLUGIN_NOT_RUN,
    REMOTE_BASE, REMOTE_CHART, UNKNOWN_DEPENDENCY, UNKNOWN_VALUES, UNREFERENCED_FILE,
    UNRENDERED_TEMPLATE, rules,
};
pub use sources::{Located, OtherRepository, SourceRef, Sources, normal_url};

use environments::Environments;

use crate::config::EnvironmentRule;
use crate::environment::{Environment, KubernetesVersion};
use crate::finding::Finding;
use crate::load::Repository;
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// A kustomization that is to be rendered and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The folder of the kustomization; the key of a render.
    pub folder: RepoPath,
    /// The start of its file, for what is to be said of the whole.
    pub span: Span,
    /// Whether no other kustomization builds on it.
    pub leaf: bool,
    /// Whether a Flux or Argo CD object of the repository applies it, by itself or with a folder
    /// around it.
    pub applied: bool,
    /// The paths in Flux or Argo CD objects that apply it.
    pub applied_by: Vec<Span>,
    /// Where it is applied; empty where nothing says so.
    pub environments: Vec<Placement>,
}

/// A document that would be applied as it stands, because no kustomization reaches its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainManifest {
    /// The file; its documents are read in [`crate::load::Dialect::Kubectl`].
    pub path: RepoPath,
    /// The position among the documents of [`crate::load::Parsed`].
    pub document: usize,
    /// Whether a Flux or Argo CD object of the repository applies its folder.
    pub applied: bool,
    /// Where it is applied; empty where nothing says so.
    pub environments: Vec<Placement>,
}

/// A document that is not judged, or a whole file of such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The file.
    pub path: RepoPath,
    /// Where the document stands; the start of the file where the whole file is meant.
    pub span: Span,
    /// What the document calls itself; empty where the whole file is meant.
    pub api_version: Arc<str>,
    /// What the document calls itself; empty where the whole file is meant.
    pub kind: Arc<str>,
    /// What it is.
    pub role: Role,
}

/// What is to be judged in a repository, where it is applied, and what everything else is.
#[derive(Debug)]
pub struct Graph {
    roots: Vec<Root>,
    plain: Vec<PlainManifest>,
    others: Vec<Other>,
    resources: Vec<RepoPath>,
    missing: Vec<RepoPath>,
    findings: Vec<Finding>,
    environments: Vec<Arc<Environment>>,
    files: BTreeMap<Role, usize>,
    /// The folders that reconcilers apply, and how.
    applied: Vec<(RepoPath, Apply)>,
    entries: Vec<Entry>,
    sources: Sources,
    /// Grows while reconcilers' objects are met in renders.
    places: Mutex<Environments>,
}

impl Graph {
    /// Reads the references of a repository and places what they lead to.
    ///
    /// `rules` are the environments that the configuration declares, and `kubernetes` is the
    /// version of those that it does not. `others` are the further repositories of the fleet.
    pub fn new(
        repository: &Repository,
        rules: &[EnvironmentRule],
        others: &[OtherRepository],
        kubernetes: KubernetesVersion,
    ) -> Self {
        build::build(repository, rules, others, kubernetes)
    }

    /// Returns the objects of Flux and Argo CD in the repository, as their files have them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns where the paths of reconcilers' objects lead.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Returns the environments of a folder that a reconciler's object applies.
    ///
    /// `holder` are those of what holds the object, and `span` is the path in it. The configuration
    /// decides, among those of the holder where it can; then the holder; then the path.
    pub fn place(&self, folder: &RepoPath, holder: &[Placement], span: Span) -> Vec<Placement> {
        let Ok(mut places) = self.places.lock() else { return holder.to_vec() };
        let of = |names: BTreeSet<Arc<str>>, said_by: SaidBy| -> Vec<Placement> {
            let all = names.iter().filter_map(|name| places.get(name));
            all.map(|it| Placement { environment: Arc::clone(it), said_by }).collect()
        };
        let configured = places.configured(folder);
        let held: BTreeSet<Arc<str>> =
            holder.iter().map(|it| Arc::clone(&it.environment.name)).collect();
        let both: BTreeSet<Arc<str>> = configured.intersection(&held).cloned().collect();
        if !both.is_empty() {
            return of(both, SaidBy::Configuration);
        }
        if !configured.is_empty() {
            return of(configured, SaidBy::Configuration);
        }
        if !held.is_empty() {
            return of(held, SaidBy::Reconciler(span));
        }
        let names = places.by_path(folder, false);
        let all = names.iter().filter_map(|name| places.get(name));
        all.map(|it| Placement { environment: Arc::clone(it), said_by: SaidBy::Path }).collect()
    }

    /// Returns the environments that a cluster stands for: those that the configuration declares
    /// for it.
    ///
    /// `environment` is the name of one, where the configuration says to which the cluster belongs.
    pub fn of_cluster(
        &self,
        cluster: &str,
        environment: Option<&str>,
        span: Span,
    ) -> Vec<Placement> {
        let Ok(mut places) = self.places.lock() else { return Vec::new() };
        let names = match environment {
            Some(name) => places.named(name),
            None => places.of_cluster(cluster),
        };
        let all = names.iter().filter_map(|name| places.get(name));
        all.map(|it| Placement { environment: Arc::clone(it), said_by: SaidBy::Reconciler(span) })
            .collect()
    }

    /// Returns what is to be rendered, in the order of the folders.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Returns the plain manifests, in the order of their places.
    pub fn plain(&self) -> &[PlainManifest] {
        &self.plain
    }

    /// Returns what is not judged, in the order of its places.
    pub fn others(&self) -> &[Other] {
        &self.others
    }

    /// Returns the files whose objects the roots render, in order; read in [`crate::load::Dialect::Kustomize`].
    pub fn resources(&self) -> &[RepoPath] {
        &self.resources
    }

    /// Returns the paths to which references lead and where nothing was read.
    ///
    /// Some may lie outside the paths that were asked for: read them and build again.
    pub fn missing(&self) -> &[RepoPath] {
        &self.missing
    }

    /// Returns what the texts get wrong and what the gate cannot see, in the order of the places.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns every environment that a root or a manifest belongs to, in the order of the names.
    pub fn environments(&self) -> &[Arc<Environment>] {
        &self.environments
    }

    /// Returns how what a file or folder holds is applied.
    ///
    /// The nearest folder that a reconciler applies decides. Where none does, what most of the
    /// repository's reconcilers do: whoever applies the first of them is not in the repository.
    pub fn apply(&self, path: &RepoPath) -> Apply {
        let nearest = self
            .applied
            .iter()
            .filter(|(folder, _)| path.is_within(folder))
            .max_by_key(|(folder, _)| folder.segments().count());
        if let Some((_, apply)) = nearest {
            return *apply;
        }
        let server_side = self.applied.iter().filter(|it| it.1 == Apply::ServerSide).count();
        if server_side * 2 > self.applied.len() { Apply::ServerSide } else { Apply::Client }
    }

    /// Returns how many YAML and JSON files have each role.
    pub fn files(&self) -> &BTreeMap<Role, usize> {
        &self.files
    }
}

#[cfg(test)]
mod tests;
