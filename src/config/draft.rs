//! From the file as it is written to [`Settings`], in two steps.
//!
//! Which rules there are depends on the policies that the file names, and whether its names are
//! those of rules depends on which rules there are. So a [`Draft`] says which policies to read, and
//! is resolved when they are known.

use super::file::{
    ClusterEntry, EnforcementEntry, EnforcementName, EnvironmentEntry, ExternalEntry, File,
    ObjectEntry, TierName, WaiverEntry, WaiverKey,
};
use super::glob::NamePattern;
use super::waiver::ObjectPattern;
use super::{
    Cluster, ClusterValues, ConfigError, EnforcementRule, EnvironmentRule, External, Glob,
    Settings, Waiver, WaiverNote, deserialize,
};
use crate::date::Date;
use crate::document::{Document, FieldPath, Node, Part};
use crate::environment::{KubernetesVersion, Tier};
use crate::rule::{Enforcement, Registry};
use crate::source::{RepoPath, Span};

/// The category of the findings about waivers, which no waiver hides.
const WAIVER: &str = "waiver";

/// A configuration whose names are not looked up yet.
#[derive(Debug, Default)]
pub struct Draft<'a> {
    root: Option<&'a Node>,
    file: File,
    policies: Vec<PolicyPath>,
    schemas: Vec<SchemaText>,
    sources: Vec<SourcePath>,
}

/// A folder that holds another repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePath {
    /// The URL of the repository.
    pub url: String,
    /// The path, relative to the folder of the configuration.
    pub path: String,
    /// Where the configuration names it.
    pub span: Span,
}

/// A place with schemas, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaText {
    /// The location. Paths are relative to the folder of the configuration.
    pub location: String,
    /// Where the configuration names it.
    pub span: Span,
}

/// A folder or file that holds policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPath {
    /// The path, relative to the folder of the configuration. It leads nowhere above that folder.
    pub path: String,
    /// Where the configuration names it.
    pub span: Span,
}

/// What the names in a configuration may stand for.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The rules.
    pub registry: &'a Registry,
    /// The Kubernetes versions.
    pub versions: &'a [KubernetesVersion],
}

impl<'a> Draft<'a> {
    /// Reads the document of a configuration file; `None`, and a document of nothing, change
    /// nothing.
    pub fn read(document: Option<&'a Document>) -> Result<Self, ConfigError> {
        // A file of comments alone is a document of nothing.
        let Some(document) = document.filter(|document| !document.root.is_null()) else {
            return Ok(Self::default());
        };
        let root = &document.root;
        let file: File = deserialize::from_node(root)?;
        let at = FieldPath::from(["policies"]);
        let mut policies = Vec::with_capacity(file.policies.len());
        for (index, text) in file.policies.iter().enumerate() {
            let span = root.locate(&at.index(index), Part::Value);
            let is_inside = RepoPath::root().join(text).is_some() && !text.contains('\\');
            if text.is_empty() || !is_inside {
                return Err(ConfigError {
                    span,
                    message: format!("`{text}` leads out of the folder of the configuration"),
                    help: Some("name a folder or a file below it".to_owned()),
                });
            }
            policies.push(PolicyPath { path: text.clone(), span });
        }
        let at = FieldPath::from(["schemas"]);
        let schemas = file.schemas.iter().enumerate().map(|(index, entry)| {
            let span = root.locate(&at.index(index).key("location"), Part::Value);
            SchemaText { location: entry.location.clone(), span }
        });
        let schemas = schemas.collect();
        let at = FieldPath::from(["sources"]);
        let mut sources = Vec::with_capacity(file.sources.len());
        for (index, entry) in file.sources.iter().enumerate() {
            let at = at.index(index);
            for (key, text) in [("url", &entry.url), ("path", &entry.path)] {
                if text.trim().is_empty() {
                    return Err(ConfigError {
                        span: root.locate(&at.key(key), Part::Value),
                        message: format!("the {key} of a source is empty"),
                        help: None,
                    });
                }
            }
            sources.push(SourcePath {
                url: entry.url.clone(),
                path: entry.path.clone(),
                span: root.locate(&at.key("path"), Part::Value),
            });
        }
        Ok(Self { root: Some(root), file, policies, schemas, sources })
    }

    /// Returns where other repositories are.
    pub fn sources(&self) -> &[SourcePath] {
        &self.sources
    }

    /// Returns where the policies are.
    pub fn policies(&self) -> &[PolicyPath] {
        &self.policies
    }

    /// Returns where schemas come from.
    pub fn schemas(&self) -> &[SchemaText] {
        &self.schemas
    }

    /// Looks up every name.
    ///
    /// `folder` is the folder of the file; globs in it are relative to that.
    pub fn resolve(self, folder: &RepoPath, known: Known<'_>) -> Result<Settings, ConfigError> {
        let Some(root) = self.root else { return Ok(Settings::default()) };
        let mut resolver = Resolver { root, folder, known, settings: Settings::default() };
        resolver.resolve(self.file)?;
        Ok(resolver.settings)
    }
}

struct Resolver<'a> {
    root: &'a Node,
    folder: &'a RepoPath,
    known: Known<'a>,
    settings: Settings,
}

impl Resolver<'_> {
    fn resolve(&mut self, file: File) -> Result<(), ConfigError> {
        if let Some(text) = &file.kubernetes {
            let version = self.version(text, &FieldPath::from(["kubernetes"]))?;
            self.settings.kubernetes = Some(version);
        }
        let at = FieldPath::from(["environments"]);
        for (index, entry) in file.environments.into_iter().enumerate() {
            let environment = self.environment(entry, &at.index(index))?;
            self.settings.environments.push(environment);
        }
        let at = FieldPath::from(["clusters"]);
        for (index, entry) in file.clusters.into_iter().enumerate() {
            let cluster = self.cluster(entry, &at.index(index))?;
            self.settings.clusters.push(cluster);
        }
        let at = FieldPath::from(["enforcement"]);
        for (index, entry) in file.enforcement.into_iter().enumerate() {
            let rule = self.enforcement(entry, &at.index(index))?;
            self.settings.enforcement.push(rule);
        }
        let at = FieldPath::from(["waivers"]);
        for (index, entry) in file.waivers.into_iter().enumerate() {
            let waiver = self.waiver(entry, &file.waiver_policy.require, &at.index(index))?;
            self.settings.waivers.push(waiver);
        }
        self.settings.max_waiver_days = file.waiver_policy.max_days;
        let at = FieldPath::from(["external"]);
        for (index, entry) in file.external.into_iter().enumerate() {
            let external = self.external(entry, &at.index(index))?;
            self.settings.external.push(external);
        }
        Ok(())
    }

    fn environment(
        &self,
        entry: EnvironmentEntry,
        at: &FieldPath,
    ) -> Result<EnvironmentRule, ConfigError> {
        let kubernetes = match &entry.kubernetes {
            Some(text) => Some(self.version(text, &at.key("kubernetes"))?),
            None => None,
        };
        if entry.name.is_empty() {
            return Err(self.error(&at.key("name"), "the name of an environment is empty"));
        }
        Ok(EnvironmentRule {
            paths: self.globs(&entry.paths, &at.key("paths"))?,
            name: entry.name,
            tier: entry.tier.map(tier),
            cluster: entry.cluster,
            kubernetes,
            labels: entry.labels,
            cluster_values: entry
                .cluster_values
                .into_iter()
                .map(|it| ClusterValues {
                    kind: it.kind,
                    namespace: it.namespace,
                    name: it.name,
                    values: it.values,
                })
                .collect(),
        })
    }

    fn cluster(&self, entry: ClusterEntry, at: &FieldPath) -> Result<Cluster, ConfigError> {
        if entry.name.is_empty() {
            return Err(self.error(&at.key("name"), "the name of a cluster is empty"));
        }
        if self.settings.clusters.iter().any(|it| it.name == entry.name) {
            let message = format!("the cluster `{}` is declared twice", entry.name);
            return Err(self.error(&at.key("name"), &message));
        }
        Ok(Cluster {
            server: entry.server.unwrap_or_else(|| format!("https://{}", entry.name)),
            name: entry.name,
            environment: entry.environment,
            project: entry.project.unwrap_or_default(),
            labels: entry.labels,
            annotations: entry.annotations,
            values: entry.values,
        })
    }

    fn enforcement(
        &mut self,
        entry: EnforcementEntry,
        at: &FieldPath,
    ) -> Result<EnforcementRule, ConfigError> {
        self.rules(&entry.rules, &at.key("rules"))?;
        self.names_environments(&entry.environments, &at.key("environments"));
        Ok(EnforcementRule {
            paths: self.globs(&entry.paths, &at.key("paths"))?,
            rules: entry.rules,
            set: match entry.set {
                EnforcementName::Off => Enforcement::Off,
                EnforcementName::Warn => Enforcement::Warn,
                EnforcementName::Deny => Enforcement::Deny,
            },
            environments: entry.environments,
            tier: entry.tier.map(tier),
        })
    }

    fn waiver(
        &mut self,
        entry: WaiverEntry,
        required: &[WaiverKey],
        at: &FieldPath,
    ) -> Result<Waiver, ConfigError> {
        let rules = at.key("rules");
        self.rules(&entry.rules, &rules)?;
        if entry.rules.is_empty() {
            return Err(self.error(&rules, "the waiver names no rule"));
        }
        let hides_waivers = |name: &String| {
            name.split_once('/').map_or(&**name, |(category, _)| category) == WAIVER
        };
        if let Some(index) = entry.rules.iter().position(hides_waivers) {
            let message = "a waiver cannot hide what is wrong with waivers";
            return Err(self.error(&rules.index(index), message));
        }
        if entry.objects.is_empty() && entry.environments.is_empty() && entry.paths.is_empty() {
            let mut error = self.error(at, "the waiver does not say what it is for");
            error.span = self.start(at);
            error.help = Some(
                "add `objects`, `environments` or `paths`; `enforcement` turns a rule off \
                 everywhere"
                    .to_owned(),
            );
            return Err(error);
        }
        self.filled("reason", Some(&entry.reason), at)?;
        self.filled("owner", entry.owner.as_deref(), at)?;
        self.filled("ticket", entry.ticket.as_deref(), at)?;
        for key in required {
            let (name, given) = match key {
                WaiverKey::Owner => ("owner", entry.owner.is_some()),
                WaiverKey::Ticket => ("ticket", entry.ticket.is_some()),
                WaiverKey::Expires => ("expires", entry.expires.is_some()),
            };
            if !given {
                let mut error = self.error(at, &format!("the waiver has no `{name}`"));
                error.span = self.start(at);
                error.help = Some("`waiverPolicy` here requires it".to_owned());
                return Err(error);
            }
        }
        let expires = match &entry.expires {
            None => None,
            Some(text) => {
                let at = at.key("expires");
                let day: Date = text.parse().map_err(|error: crate::date::InvalidDate| {
                    self.error(&at, &error.to_string())
                })?;
                Some((day, self.root.locate(&at, Part::Value)))
            }
        };
        let objects = entry.objects.iter().enumerate();
        let objects: Result<Vec<_>, _> = objects
            .map(|(index, entry)| self.object(entry, &at.key("objects").index(index)))
            .collect();
        self.names_environments(&entry.environments, &at.key("environments"));
        Ok(Waiver {
            objects: objects?,
            environments: entry.environments,
            paths: self.globs(&entry.paths, &at.key("paths"))?,
            note: std::sync::Arc::new(WaiverNote {
                span: self.start(at),
                rules: entry.rules,
                reason: entry.reason.trim().to_owned(),
                owner: entry.owner,
                ticket: entry.ticket,
                expires,
            }),
        })
    }

    fn object(&self, entry: &ObjectEntry, at: &FieldPath) -> Result<ObjectPattern, ConfigError> {
        let pattern = |text: &Option<String>, key: &str| match text {
            None => Ok(None),
            Some(text) => NamePattern::new(text)
                .map(Some)
                .map_err(|error| self.error(&at.key(key), &error.to_string())),
        };
        if entry.kind.is_none() && entry.namespace.is_none() && entry.name.is_none() {
            let mut error = self.error(at, "the entry names no object");
            error.help = Some("add `kind`, `namespace` or `name`".to_owned());
            return Err(error);
        }
        Ok(ObjectPattern {
            kind: entry.kind.clone(),
            namespace: pattern(&entry.namespace, "namespace")?,
            name: pattern(&entry.name, "name")?,
        })
    }

    fn external(&self, entry: ExternalEntry, at: &FieldPath) -> Result<External, ConfigError> {
        self.filled("reason", Some(&entry.reason), at)?;
        let paths = self.globs(&entry.paths, &at.key("paths"))?;
        Ok(External { paths, reason: entry.reason })
    }

    fn version(&self, text: &str, at: &FieldPath) -> Result<KubernetesVersion, ConfigError> {
        let version =
            text.parse().map_err(|error: crate::environment::InvalidKubernetesVersion| {
                self.error(at, &error.to_string())
            })?;
        if !self.known.versions.contains(&version) {
            let mut error = self.error(at, &format!("Kubernetes {version} is not known"));
            let known: Vec<String> = self.known.versions.iter().map(ToString::to_string).collect();
            error.help = Some(format!("this program knows {}", known.join(", ")));
            return Err(error);
        }
        Ok(version)
    }

    fn globs(&self, texts: &[String], at: &FieldPath) -> Result<Vec<Glob>, ConfigError> {
        let glob = |(index, text): (usize, &String)| {
            Glob::new(self.folder, text)
                .map_err(|error| self.error(&at.index(index), &error.to_string()))
        };
        texts.iter().enumerate().map(glob).collect()
    }

    fn rules(&self, names: &[String], at: &FieldPath) -> Result<(), ConfigError> {
        let registry = self.known.registry;
        for (index, name) in names.iter().enumerate() {
            if registry.find(name).is_some() || registry.has_category(name) {
                continue;
            }
            let message = format!("there is no rule or category `{name}`");
            let mut error = self.error(&at.index(index), &message);
            error.help = Some(match registry.suggest(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`tidewaiter rules` lists them".to_owned(),
            });
            return Err(error);
        }
        Ok(())
    }

    /// Remembers the environments of an entry. Some are found only when the repository is read.
    fn names_environments(&mut self, names: &[String], at: &FieldPath) {
        for (index, name) in names.iter().enumerate() {
            let span = self.root.locate(&at.index(index), Part::Value);
            self.settings.named_environments.entry(name.clone()).or_insert(span);
        }
    }

    /// Refuses a text that says nothing.
    fn filled(&self, key: &str, text: Option<&str>, at: &FieldPath) -> Result<(), ConfigError> {
        match text {
            Some(text) if text.trim().is_empty() => {
                Err(self.error(&at.key(key), &format!("the {key} is empty")))
            }
            _ => Ok(()),
        }
    }

    /// Returns the place where an entry begins.
    fn start(&self, at: &FieldPath) -> Span {
        self.root.descend(at).0.locate(&[], Part::Key)
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
