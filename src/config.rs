//! The configuration: `tidewaiter.yaml`, resolved against the rules that exist.

mod deserialize;
pub mod file;
mod glob;

use std::collections::BTreeMap;

pub use glob::{Glob, InvalidGlob};

use crate::document::{Document, FieldPath, Node, Part};
use crate::environment::{KubernetesVersion, Tier};
use crate::rule::{Enforcement, Registry, RuleId};
use crate::source::{RepoPath, Span};
use file::{EnforcementName, File, TierName};

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
    /// What is known to lie outside.
    pub external: Vec<External>,
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
    /// Reads a configuration file and checks every name in it.
    ///
    /// `folder` is the folder of the file; paths in it are relative to that.
    pub fn read(
        document: Option<&Document>,
        folder: &RepoPath,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        // A file of comments alone is a document of nothing.
        let Some(document) = document.filter(|document| !document.root.is_null()) else {
            return Ok(Self::default());
        };
        let file: File = deserialize::from_node(&document.root)?;
        Resolver { root: &document.root, folder, registry }.resolve(file)
    }

    /// Returns what a finding of `rule` does to the gate at a place.
    pub fn enforcement(
        &self,
        rule: &RuleId,
        default: Enforcement,
        place: Place<'_>,
    ) -> Enforcement {
        let applies = |entry: &&EnforcementRule| {
            let named = entry.rules.iter().any(|it| it == rule.as_str() || it == rule.category());
            let environment = entry.environments.is_empty()
                || place.environment.is_some_and(|(name, _)| {
                    let class = name.split_once('/').map_or(name, |(class, _)| class);
                    entry.environments.iter().any(|it| it == name || it == class)
                });
            let tier = entry
                .tier
                .is_none_or(|tier| place.environment.is_some_and(|(_, actual)| actual == tier));
            let path =
                entry.paths.is_empty() || entry.paths.iter().any(|it| it.matches(place.path));
            named && environment && tier && path
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

struct Resolver<'a> {
    root: &'a Node,
    folder: &'a RepoPath,
    registry: &'a Registry,
}

impl Resolver<'_> {
    fn resolve(&self, file: File) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        if let Some(text) = &file.kubernetes {
            settings.kubernetes = Some(self.version(text, &FieldPath::from(["kubernetes"]))?);
        }
        let at = FieldPath::from(["environments"]);
        for (index, entry) in file.environments.into_iter().enumerate() {
            let at = at.index(index);
            let kubernetes = match &entry.kubernetes {
                Some(text) => Some(self.version(text, &at.key("kubernetes"))?),
                None => None,
            };
            if entry.name.is_empty() {
                return Err(self.error(&at.key("name"), "the name of an environment is empty"));
            }
            settings.environments.push(EnvironmentRule {
                paths: self.globs(&entry.paths, &at.key("paths"))?,
                name: entry.name,
                tier: entry.tier.map(tier),
                cluster: entry.cluster,
                kubernetes,
                labels: entry.labels,
            });
        }
        let at = FieldPath::from(["enforcement"]);
        for (index, entry) in file.enforcement.into_iter().enumerate() {
            let at = at.index(index);
            for (position, name) in entry.rules.iter().enumerate() {
                self.rule(name, &at.key("rules").index(position))?;
            }
            settings.enforcement.push(EnforcementRule {
                paths: self.globs(&entry.paths, &at.key("paths"))?,
                rules: entry.rules,
                set: match entry.set {
                    EnforcementName::Off => Enforcement::Off,
                    EnforcementName::Warn => Enforcement::Warn,
                    EnforcementName::Deny => Enforcement::Deny,
                },
                environments: entry.environments,
                tier: entry.tier.map(tier),
            });
        }
        let at = FieldPath::from(["external"]);
        for (index, entry) in file.external.into_iter().enumerate() {
            let at = at.index(index);
            if entry.reason.trim().is_empty() {
                return Err(self.error(&at.key("reason"), "the reason is empty"));
            }
            let paths = self.globs(&entry.paths, &at.key("paths"))?;
            settings.external.push(External { paths, reason: entry.reason });
        }
        Ok(settings)
    }

    fn version(&self, text: &str, at: &FieldPath) -> Result<KubernetesVersion, ConfigError> {
        text.parse().map_err(|error: crate::environment::InvalidKubernetesVersion| {
            self.error(at, &error.to_string())
        })
    }

    fn globs(&self, texts: &[String], at: &FieldPath) -> Result<Vec<Glob>, ConfigError> {
        let glob = |(index, text): (usize, &String)| {
            Glob::new(self.folder, text)
                .map_err(|error| self.error(&at.index(index), &error.to_string()))
        };
        texts.iter().enumerate().map(glob).collect()
    }

    fn rule(&self, name: &str, at: &FieldPath) -> Result<(), ConfigError> {
        if self.registry.find(name).is_some() || self.registry.has_category(name) {
            return Ok(());
        }
        let mut error = self.error(at, &format!("there is no rule or category `{name}`"));
        error.help = Some(match self.registry.suggest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`tidewaiter rules` lists them".to_owned(),
        });
        Err(error)
    }

    fn error(&self, at: &FieldPath, message: &str) -> ConfigError {
        let span = self.root.locate(at, Part::Value);
        ConfigError { span, message: message.to_owned(), help: None }
    }
}

fn tier(name: TierName) -> Tier {
    match name {
        TierName::Production => Tier::Production,
        TierName::NonProduction => Tier::NonProduction,
    }
}

/// Returns the JSON Schema of the configuration file, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}

#[cfg(test)]
mod tests;
