//! The configuration: `tidewaiter.yaml`, resolved against the rules that exist.

mod deserialize;
mod draft;
pub mod file;
mod glob;
mod names;
mod waiver;

use std::collections::BTreeMap;

pub use draft::{Draft, Known, PolicyPath, SchemaText, SourcePath};
pub use file::ValuesKind;
pub use glob::{Glob, InvalidGlob};
pub use waiver::{Waiver, WaiverNote};

use crate::environment::{KubernetesVersion, Tier};
use crate::rule::{Enforcement, RuleId};
use crate::source::{RepoPath, Span};

/// The name of the configuration file.
pub const FILE_NAME: &str = "tidewaiter.yaml";

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// The place.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// One environment of the configuration.
#[derive(Debug, Clone)]
pub struct EnvironmentRule {
    /// Its name.
    pub name: String,
    /// Its tier, where the configuration says so.
    pub tier: Option<Tier>,
    /// Its cluster.
    pub cluster: Option<String>,
    /// Its Kubernetes version.
    pub kubernetes: Option<KubernetesVersion>,
    /// What it receives.
    pub paths: Vec<Glob>,
    /// Labels for rules.
    pub labels: BTreeMap<String, String>,
    /// The objects of its cluster that fill in variables.
    pub cluster_values: Vec<ClusterValues>,
}

/// The values of one object of a cluster.
#[derive(Clone)]
pub struct ClusterValues {
    /// The kind.
    pub kind: ValuesKind,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The values by their keys.
    pub values: BTreeMap<String, String>,
}

// The values may be secret.
impl std::fmt::Debug for ClusterValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterValues")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A cluster that Argo CD puts objects into, as somebody declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The name by which `Application`s know it.
    pub name: String,
    /// The URL of its API server.
    pub server: String,
    /// The environment that it belongs to, where that is said.
    pub environment: Option<String>,
    /// The project of Argo CD that it belongs to; empty where it belongs to none.
    pub project: String,
    /// The labels of its Secret.
    pub labels: BTreeMap<String, String>,
    /// The annotations of its Secret.
    pub annotations: BTreeMap<String, String>,
    /// Values for templates beside those of a generator.
    pub values: BTreeMap<String, String>,
}

/// What some rules do to the gate, in some places.
#[derive(Debug, Clone)]
struct EnforcementRule {
    rules: Vec<String>,
    set: Enforcement,
    environments: Vec<String>,
    tier: Option<Tier>,
    paths: Vec<Glob>,
}

/// Something that is known to lie outside of the gate's sight.
#[derive(Debug, Clone)]
pub struct External {
    /// The folders or files that need it.
    pub paths: Vec<Glob>,
    /// Why that is fine.
    pub reason: String,
}

/// The configuration of a run, with nothing left to interpret.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The version of environments that name none.
    pub kubernetes: Option<KubernetesVersion>,
    /// The environments that the configuration names.
    pub environments: Vec<EnvironmentRule>,
    /// The clusters that Argo CD puts objects into.
    pub clusters: Vec<Cluster>,
    /// What is known to lie outside.
    pub external: Vec<External>,
    /// What is known and let through.
    pub waivers: Vec<Waiver>,
    /// The number of days ahead for which a waiver may hold at most.
    pub max_waiver_days: Option<u32>,
    /// The environments that enforcement and waivers name, each where it stands first.
    pub named_environments: BTreeMap<String, Span>,
    enforcement: Vec<EnforcementRule>,
}

/// Where a finding is, as far as enforcement asks.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The environment's name and tier, where one is known.
    pub environment: Option<(&'a str, Tier)>,
    /// The file.
    pub path: &'a RepoPath,
}

impl Settings {
    /// Returns what a finding of `rule` does to the gate at a place.
    pub fn enforcement(
        &self,
        rule: &RuleId,
        default: Enforcement,
        place: Place<'_>,
    ) -> Enforcement {
        let applies = |entry: &&EnforcementRule| {
            let tier = entry
                .tier
                .is_none_or(|tier| place.environment.is_some_and(|(_, actual)| actual == tier));
            names::rule(&entry.rules, rule)
                && names::environment(&entry.environments, place)
                && tier
                && names::path(&entry.paths, place)
        };
        self.enforcement.iter().rev().find(applies).map_or(default, |entry| entry.set)
    }

    /// Returns why it is fine that `path` is not judged, where the configuration says so.
    pub fn external(&self, path: &RepoPath) -> Option<&str> {
        self.external
            .iter()
            .find(|entry| entry.paths.iter().any(|glob| glob.matches(path)))
            .map(|entry| entry.reason.as_str())
    }
}

/// Returns the JSON Schema of the configuration file, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(file::File).to_value()
}

#[cfg(test)]
mod tests;
