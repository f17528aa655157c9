//! What a path says of its environment, where nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use super::vocabulary::{affix, class, is_core, is_everyday};
use crate::load::Repository;
use crate::source::RepoPath;

/// Folders whose children are environments or clusters.
const STRONG: [&str; 6] = ["environments", "environment", "envs", "env", "clusters", "stages"];

/// Folders whose children may be environments, and often are something else.
const WEAK: [&str; 2] = ["overlays", "variants"];

/// Folders whose children are apps, unless the word itself is an environment's.
const APPLICATIONS: [&str; 1] = ["applications"];

/// An environment as a path shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The class, e.g. `prod`.
    pub(super) class: &'static str,
    /// The cluster, where the path names one.
    pub(super) cluster: Option<String>,
}

/// The names in every folder, which say whether a name is one of a set of environments.
#[derive(Debug, Default)]
pub(super) struct Places {
    folders: BTreeMap<RepoPath, BTreeSet<String>>,
    stems: BTreeMap<RepoPath, BTreeSet<&'static str>>,
    /// Names below an environment's folder, and below how many such folders each stands.
    below: BTreeMap<String, usize>,
}

impl Places {
    /// Reads the names of a repository.
    pub(super) fn of(repository: &Repository) -> Self {
        let mut places = Self::default();
        for (path, _) in repository.files() {
            if let Some(class) = stem_class(path) {
                places.stems.entry(path.parent()).or_default().insert(class);
            }
            let mut folder = path.parent();
            while !folder.is_root() {
                let parent = folder.parent();
                let name = folder.name().to_owned();
                if !places.folders.entry(parent.clone()).or_default().insert(name) {
                    break;
                }
                folder = parent;
            }
        }
        for (folder, names) in &places.folders {
            if class(folder.name()).is_some() {
                for name in names {
                    *places.below.entry(name.clone()).or_default() += 1;
                }
            }
        }
        places
    }

    /// Returns what a path says: by an anchor, by its siblings, by the name of the file.
    pub(super) fn of_path(&self, path: &RepoPath, is_file: bool) -> Option<Place> {
        let folder = if is_file { path.parent() } else { path.clone() };
        let segments: Vec<&str> = folder.segments().collect();
        self.anchored(&segments, &STRONG, |_| true)
            // `overlays/internal-registry-integration` is a feature.
            .or_else(|| self.anchored(&segments, &WEAK, |class| !is_everyday(class)))
            .or_else(|| self.anchored(&segments, &APPLICATIONS, |_| false))
            .or_else(|| self.among_siblings(&segments))
            .or_else(|| is_file.then(|| self.by_stem(path)).flatten())
    }

    /// The segment directly below an anchor, whole or by a part of it.
    ///
    /// `compound` says of which classes a compound name may be.
    fn anchored(
        &self,
        segments: &[&str],
        anchors: &[&str],
        compound: impl Fn(&str) -> bool,
    ) -> Option<Place> {
        segments.windows(2).enumerate().find_map(|(at, pair)| {
            let [anchor, name] = pair else { return None };
            if !anchors.contains(anchor) {
                return None;
            }
            if let Some(class) = class(name) {
                let cluster = segments.get(at + 2).filter(|it| self.is_cluster(anchor, it));
                return Some(Place { class, cluster: cluster.map(|it| (*it).to_owned()) });
            }
            let class = affix(name).filter(|class| compound(class))?;
            Some(Place { class, cluster: Some((*name).to_owned()) })
        })
    }

    /// A segment whose siblings are environments too.
    fn among_siblings(&self, segments: &[&str]) -> Option<Place> {
        let mut parent = RepoPath::root();
        for (at, name) in segments.iter().enumerate() {
            if let Some(class) = class(name)
                && self.is_set_of_environments(&parent)
            {
                let cluster = segments.get(at + 1).filter(|it| self.is_cluster("", it));
                return Some(Place { class, cluster: cluster.map(|it| (*it).to_owned()) });
            }
            parent = parent.join(name)?;
        }
        None
    }

    fn is_set_of_environments(&self, folder: &RepoPath) -> bool {
        let Some(names) = self.folders.get(folder) else { return false };
        let classes: BTreeSet<&str> =
            names.iter().filter_map(|name| class(name)).filter(|class| is_core(class)).collect();
        classes.len() >= 2 && classes.iter().any(|class| !is_everyday(class))
    }

    /// `prod.yaml` and `values-prod.yaml` beside `dev.yaml` and `values-dev.yaml`.
    fn by_stem(&self, path: &RepoPath) -> Option<Place> {
        let class = stem_class(path)?;
        let stems = self.stems.get(&path.parent())?;
        (stems.len() >= 2).then_some(Place { class, cluster: None })
    }

    /// Says whether a folder below an environment's folder is one of a cluster.
    ///
    /// Clusters have numbers or places in their names and recur; parts of one cluster's
    /// configuration (`apps`, `flux-system`) have neither.
    fn is_cluster(&self, anchor: &str, name: &str) -> bool {
        if name.chars().all(|c| c.is_ascii_digit()) || affix(name).is_some() {
            return true;
        }
        let numbered = name.chars().any(|c| c.is_ascii_digit());
        let recurs = self.below.get(name).is_some_and(|count| *count >= 2);
        numbered && (recurs || anchor == "clusters")
    }
}

/// Returns the class that the name of a file carries: `prod.yaml`, `values-prod.yaml`,
/// `prod.values.yaml`.
fn stem_class(path: &RepoPath) -> Option<&'static str> {
    let name = path.name();
    let stem = [".yaml", ".yml", ".json"].iter().find_map(|it| name.strip_suffix(it))?;
    let word = ["values-", "values."]
        .iter()
        .find_map(|it| stem.strip_prefix(it))
        .or_else(|| ["-values", ".values"].iter().find_map(|it| stem.strip_suffix(it)))
        .unwrap_or(stem);
    class(word)
}
