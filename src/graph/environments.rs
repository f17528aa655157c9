//! Which environments a file or a folder belongs to, and who says so.

mod places;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{EnvironmentRule, Glob};
use crate::environment::{Environment, KubernetesVersion, Tier};
use crate::load::Repository;
use crate::source::{RepoPath, Span};
use places::Places;

/// Who says that something belongs to an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SaidBy {
    /// The configuration.
    Configuration,
    /// A reconciler's object, which applies the folder.
    Reconciler(Span),
    /// The names on its path.
    Path,
}

/// An environment that something belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The environment.
    pub environment: Arc<Environment>,
    /// Who says so.
    pub said_by: SaidBy,
}

/// The key by which an environment is one: its name, which includes the cluster.
pub(super) type Name = Arc<str>;

/// Finds the environments of paths.
#[derive(Debug)]
pub(super) struct Environments {
    rules: Vec<(Vec<Glob>, Arc<Environment>)>,
    places: Places,
    known: BTreeMap<Name, Arc<Environment>>,
    kubernetes: KubernetesVersion,
}

impl Environments {
    pub(super) fn new(
        repository: &Repository,
        rules: &[EnvironmentRule],
        kubernetes: KubernetesVersion,
    ) -> Self {
        let mut known = BTreeMap::new();
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            let environment = Arc::new(declared(rule, kubernetes));
            known.entry(Arc::clone(&environment.name)).or_insert_with(|| Arc::clone(&environment));
            compiled.push((rule.paths.clone(), environment));
        }
        Self { rules: compiled, places: Places::of(repository), known, kubernetes }
    }

    /// Returns what the configuration says of a path.
    pub(super) fn configured(&self, path: &RepoPath) -> BTreeSet<Name> {
        if path.is_root() {
            return BTreeSet::new();
        }
        self.rules
            .iter()
            .filter(|(paths, _)| paths.iter().any(|glob| glob.matches(path)))
            .map(|(_, environment)| Arc::clone(&environment.name))
            .collect()
    }

    /// Returns what the path itself says.
    pub(super) fn by_path(&mut self, path: &RepoPath, is_file: bool) -> BTreeSet<Name> {
        let Some(place) = self.places.of_path(path, is_file) else { return BTreeSet::new() };
        let name = name(place.class, place.cluster.as_deref());
        // The configuration may declare the environment that the path names.
        let known = self.known.entry(Arc::clone(&name)).or_insert_with(|| {
            Arc::new(Environment {
                name,
                tier: tier(place.class),
                cluster: place.cluster.as_deref().map(Arc::from),
                kubernetes: self.kubernetes,
                labels: BTreeMap::new(),
            })
        });
        BTreeSet::from([Arc::clone(&known.name)])
    }

    /// Returns the environments that the configuration declares for a cluster.
    pub(super) fn of_cluster(&self, cluster: &str) -> BTreeSet<Name> {
        let all = self.rules.iter().map(|(_, environment)| environment);
        all.filter(|it| it.cluster.as_deref() == Some(cluster) || &*it.name == cluster)
            .map(|it| Arc::clone(&it.name))
            .collect()
    }

    /// Returns the environments of a name: the one that has it, else all of that class; one of its
    /// own where the configuration declares none.
    pub(super) fn named(&mut self, wanted: &str) -> BTreeSet<Name> {
        let declared = |is: &dyn Fn(&str) -> bool| -> BTreeSet<Name> {
            let all = self.rules.iter().map(|(_, environment)| &environment.name);
            all.filter(|name| is(name)).map(Arc::clone).collect()
        };
        let exact = declared(&|name| name == wanted);
        if !exact.is_empty() {
            return exact;
        }
        let of_class = declared(&|name| name.split_once('/').is_some_and(|(it, _)| it == wanted));
        if !of_class.is_empty() {
            return of_class;
        }
        let name: Name = Arc::from(wanted);
        let cluster = wanted.split_once('/').map(|(_, cluster)| Arc::from(cluster));
        let known = self.known.entry(Arc::clone(&name)).or_insert_with(|| {
            Arc::new(Environment {
                tier: tier(&name),
                name,
                cluster,
                kubernetes: self.kubernetes,
                labels: BTreeMap::new(),
            })
        });
        BTreeSet::from([Arc::clone(&known.name)])
    }

    /// Returns an environment by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Environment>> {
        self.known.get(name)
    }
}

/// Returns the environment that a configuration declares; `kubernetes` is its version where the
/// declaration has none.
pub fn declared(rule: &EnvironmentRule, kubernetes: KubernetesVersion) -> Environment {
    Environment {
        name: name(&rule.name, rule.cluster.as_deref()),
        tier: rule.tier.unwrap_or_else(|| tier(&rule.name)),
        cluster: rule.cluster.as_deref().map(Arc::from),
        kubernetes: rule.kubernetes.unwrap_or(kubernetes),
        labels: rule.labels.clone(),
    }
}

/// Returns the tier that the name of an environment stands for, e.g. `prod` or `prod/eu`.
pub fn tier(name: &str) -> Tier {
    let name = name.split_once('/').map_or(name, |(class, _)| class);
    let class = vocabulary::class(name).or_else(|| vocabulary::affix(name));
    if class == Some("prod") { Tier::Production } else { Tier::NonProduction }
}

fn name(class: &str, cluster: Option<&str>) -> Name {
    match cluster.filter(|cluster| *cluster != class) {
        Some(cluster) => Arc::from(format!("{class}/{cluster}")),
        None => Arc::from(class),
    }
}
