//! From paths or standard input to a repository, its configuration and its graph.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::configuration::{self, Configuration, Refused};
use super::others::{self, SourceFolder};
use super::schemas::SchemaPlace;
use super::{Input, Options, Outcome, Rules, RunError};
use crate::config::{self, Settings};
use crate::discover::{
    self, ModuleFile, SchemaBase, SchemaFiles, SchemaLocation, Skipped, WalkLimits,
};
use crate::environment::KubernetesVersion;
use crate::fetch;
use crate::finding::Failure;
use crate::graph::{self, Graph, OtherRepository};
use crate::judge::{Summary, Verdict};
use crate::load::{Limits, Repository};
use crate::source::{Origin, RepoPath, Source, SourceId, SourceMap, Span};

/// The name under which standard input is reported.
const STDIN: &str = "<stdin>";

/// The name under which the arguments are reported.
const COMMAND_LINE: &str = "<command line>";

/// How often references may lead to files that lead to further ones. Each round is one step down
/// a chain of bases that lies outside the paths that were asked for.
const ROUNDS: usize = 32;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) repository: Repository,
    /// The root of the repository; none for standard input.
    pub(super) root: Option<PathBuf>,
    pub(super) skipped: Vec<Skipped>,
    /// The paths that were asked for; none for standard input.
    scope: Vec<RepoPath>,
    /// The configuration file, where there is one.
    config: Option<ConfigFile>,
    /// The further repositories of the fleet.
    others: Vec<OtherRepository>,
    limits: WalkLimits,
}

/// A configuration file.
#[derive(Debug, Clone)]
struct ConfigFile {
    source: SourceId,
    /// Its path, where it is a file of the repository.
    path: Option<RepoPath>,
    /// Where its globs start.
    folder: RepoPath,
    /// Its folder, where it lies outside of the repository.
    elsewhere: Option<PathBuf>,
}

impl ConfigFile {
    /// Returns the text of a policy that the configuration names.
    fn text(&self, file: ModuleFile) -> Source {
        let path = match self.elsewhere {
            Some(_) => RepoPath::outside(&file.absolute),
            None => file.path,
        };
        Source::new(path, Origin::File, file.bytes)
    }
}

/// Reads everything that was asked for.
pub(super) fn read(options: &Options) -> Result<Read, RunError> {
    let limits = WalkLimits::default();
    let mut read = Read {
        repository: Repository::new(Limits::default()),
        root: None,
        skipped: Vec::new(),
        scope: Vec::new(),
        config: None,
        others: Vec::new(),
        limits,
    };
    match &options.input {
        Input::Stdin(bytes) => {
            let path = RepoPath::new(STDIN);
            read.repository.add(Source::new(path, Origin::Stdin, bytes.clone()), true);
        }
        Input::Paths(paths) => {
            let scope = discover::scope(paths, &options.current_dir)?;
            let found = discover::walk(&scope, &limits);
            for file in found.files {
                let source = Source::new(file.path, Origin::File, file.bytes);
                read.repository.add(source, file.in_scope);
            }
            read.skipped = found.skipped;
            read.root = Some(scope.root().to_owned());
            read.scope = scope.paths().cloned().collect();
            read.config = read.nearest_config(scope.paths().next());
            // A folder that is asked for, or that has a configuration, may be what a reconciler
            // clones, inside of a larger repository.
            let config = read.config.as_ref().map(|it| it.folder.clone());
            for folder in scope.paths().cloned().chain(config) {
                read.repository.add_base(folder);
            }
        }
    }
    if let Some(path) = &options.config {
        read.config = Some(read.named_config(options, path)?);
    }
    for source in &options.sources {
        read.add_other(source, &options.current_dir)?;
    }
    Ok(read)
}

impl Read {
    /// Reads another repository of the fleet.
    pub(super) fn add_other(
        &mut self,
        source: &SourceFolder,
        current_dir: &Path,
    ) -> Result<(), RunError> {
        let root = self.root.as_deref();
        let (other, skipped) =
            others::read(&mut self.repository, root, source, current_dir, &self.limits)?;
        self.others.push(other);
        self.skipped.extend(skipped);
        Ok(())
    }

    /// Finds the configuration file of a path: in its folder, or the nearest one above.
    fn nearest_config(&mut self, start: Option<&RepoPath>) -> Option<ConfigFile> {
        let mut folder = start?.clone();
        let mut candidates = Vec::new();
        loop {
            candidates.extend(folder.join(config::FILE_NAME));
            if folder.is_root() {
                break;
            }
            folder = folder.parent();
        }
        // Those above the paths that were asked for were not walked.
        let unread: Vec<RepoPath> =
            candidates.iter().filter(|it| self.repository.file(it).is_none()).cloned().collect();
        self.read_more(&unread);
        candidates.iter().find_map(|it| self.config_of(it))
    }

    fn named_config(&mut self, options: &Options, path: &Path) -> Result<ConfigFile, RunError> {
        let error = |reason: String| RunError::Config { path: path.display().to_string(), reason };
        let absolute = options.current_dir.join(path);
        let bytes = std::fs::read(&absolute).map_err(|err| error(err.to_string()))?;
        // Inside of the repository it has its own path, and its globs start at its folder.
        let inside = self.root.as_ref().and_then(|root| {
            let absolute = absolute.canonicalize().ok()?;
            let relative = absolute.strip_prefix(root.canonicalize().ok()?).ok()?;
            relative.to_str().map(RepoPath::new)
        });
        if let Some(name) = inside {
            self.repository.add(Source::new(name.clone(), Origin::File, bytes), false);
            return self.config_of(&name).ok_or_else(|| error("it is not there".to_owned()));
        }
        // Elsewhere it is no file of the repository, whose files must not stand in for it.
        let folder = absolute.parent().unwrap_or(&absolute);
        let folder = folder.canonicalize().map_err(|err| error(err.to_string()))?;
        let name = RepoPath::outside(&folder.join(absolute.file_name().unwrap_or_default()));
        let source = self.repository.add_text(Source::new(name, Origin::File, bytes));
        Ok(ConfigFile { source, path: None, folder: RepoPath::root(), elsewhere: Some(folder) })
    }

    fn config_of(&self, path: &RepoPath) -> Option<ConfigFile> {
        let source = self.repository.file(path)?.source;
        let (path, folder) = (Some(path.clone()), path.parent());
        Some(ConfigFile { source, path, folder, elsewhere: None })
    }

    /// Reads further files; returns whether there were any.
    fn read_more(&mut self, paths: &[RepoPath]) -> bool {
        let Some(root) = &self.root else { return false };
        if paths.is_empty() {
            return false;
        }
        let found = discover::read(root, paths, &self.limits);
        let mut any = false;
        for file in found.files {
            any |= self.repository.file(&file.path).is_none();
            self.repository.add(Source::new(file.path, Origin::File, file.bytes), false);
        }
        any
    }

    /// Returns the configuration files that were asked for and are not the one of the run.
    pub(super) fn unused_configurations(&self) -> impl Iterator<Item = &RepoPath> {
        self.repository.files().filter_map(|(path, file)| {
            let used = self.config.as_ref().and_then(|it| it.path.as_ref());
            let other = path.name() == config::FILE_NAME && used != Some(path);
            (file.in_scope && other).then_some(path)
        })
    }

    /// Reads the configuration and the policies that it names.
    pub(super) fn configuration(&mut self) -> Result<Configuration, Refused> {
        let Some(config) = &self.config else {
            return Configuration::none().map_err(Refused::Program);
        };
        let root = config.elsewhere.as_deref().or(self.root.as_deref());
        let files = match root {
            Some(root) => {
                configuration::policies(self.sources(), config.source, &config.folder, root)
                    .map_err(Refused::Failures)?
            }
            None => Vec::new(),
        };
        let mut policies = Vec::with_capacity(files.len());
        for file in files {
            let known = self.repository.file(&file.path).map(|it| it.source);
            policies.push(match known.filter(|_| config.elsewhere.is_none()) {
                Some(known) => known,
                None => self.repository.add_text(config.text(file)),
            });
        }
        Configuration::of(self.sources(), config.source, &config.folder, &policies)
    }

    /// Reads the other repositories that the configuration names; those of the command line come
    /// first.
    pub(super) fn configured_sources(&mut self, options: &Options) -> Result<(), Refused> {
        let Some(config) = &self.config else { return Ok(()) };
        let Some(root) = config.elsewhere.as_deref().or(self.root.as_deref()) else {
            return Ok(());
        };
        let is_own = config.elsewhere.is_none();
        let named =
            configuration::others(self.sources(), config.source, &config.folder, root, is_own)
                .map_err(Refused::Failures)?;
        for source in named {
            self.add_other(&source, &options.current_dir).map_err(Refused::Program)?;
        }
        Ok(())
    }

    /// Returns the places with schemas: those of the command line, then those that the
    /// configuration names.
    pub(super) fn places(&mut self, options: &Options) -> Result<Vec<SchemaPlace>, Refused> {
        let mut places = Vec::new();
        let base = SchemaBase { folder: options.current_dir.clone(), within: None };
        for text in &options.schema_locations {
            let refused = |reason| {
                let location = text.clone();
                Refused::Program(RunError::SchemaLocation { location, reason })
            };
            let location = SchemaLocation::new(text, &base).map_err(refused)?;
            // A place on the command line is shown there.
            let span = location.is_address().then(|| {
                let path = RepoPath::new(COMMAND_LINE);
                let text = format!("--schema-location {text}");
                let id = self.repository.add_text(Source::new(path, Origin::File, text.into()));
                Span::start_of(id)
            });
            let mut files = SchemaFiles::new(None, options.schema_cache.clone());
            if let Some(client) = &options.schema_network {
                files = files.with_network(Arc::<fetch::Client>::clone(client));
            }
            places.push(SchemaPlace { location, files, folder: options.current_dir.clone(), span });
        }
        let Some(config) = &self.config else { return Ok(places) };
        let Some(root) = config.elsewhere.as_deref().or(self.root.as_deref()) else {
            return Ok(places);
        };
        let named = configuration::schemas(self.sources(), config.source, &config.folder, root);
        places.extend(named.map_err(Refused::Failures)?);
        Ok(places)
    }

    fn sources(&self) -> &SourceMap {
        self.repository.sources()
    }

    /// Says whether everything is judged that the configuration is about.
    pub(super) fn is_whole(&self, options: &Options) -> bool {
        let Some(config) = &self.config else { return true };
        let unnarrowed =
            options.environment.is_none() && options.only.is_empty() && options.skip.is_empty();
        // A text from standard input is never all that a repository holds.
        unnarrowed && self.scope.iter().any(|path| config.folder.is_within(path))
    }

    /// Returns the outcome of a run whose configuration is refused: nothing is judged.
    pub(super) fn refused(self, failures: Vec<Failure>) -> Result<Outcome, RunError> {
        let files = self.repository.files().filter(|(_, file)| file.in_scope).count();
        let verdict = Verdict {
            failures,
            summary: Summary { files, refused: true, ..Summary::default() },
            ..Verdict::default()
        };
        let registry = Rules::built_in()?.registry;
        Ok(Outcome { verdict, repository: self.repository, registry, root: self.root })
    }

    /// Builds the graph, reading what references lead to until nothing is missing.
    pub(super) fn graph(
        &mut self,
        settings: &Settings,
        options: &Options,
        default: KubernetesVersion,
    ) -> Result<Graph, RunError> {
        let mut rules = settings.environments.clone();
        // The flag says for which version everything is to be judged.
        for rule in &mut rules {
            rule.kubernetes = options.kubernetes.or(rule.kubernetes);
        }
        if let (Input::Stdin(_), Some(name)) = (&options.input, &options.environment) {
            let of = |rule: &config::EnvironmentRule| graph::declared(rule, default).name;
            rules.retain(|rule| super::objects::is_named(&of(rule), name));
            if rules.is_empty() {
                rules.push(config::EnvironmentRule {
                    name: name.clone(),
                    tier: None,
                    cluster: None,
                    kubernetes: None,
                    paths: Vec::new(),
                    labels: BTreeMap::new(),
                    cluster_values: Vec::new(),
                });
            }
            let all = config::Glob::new(&RepoPath::root(), "**").ok();
            for rule in &mut rules {
                rule.paths = all.iter().cloned().collect();
            }
        }
        let mut graph = Graph::new(&self.repository, &rules, &self.others, default);
        for _ in 0..ROUNDS {
            let missing: Vec<RepoPath> = graph.missing().to_vec();
            if !self.read_more(&missing) {
                break;
            }
            graph = Graph::new(&self.repository, &rules, &self.others, default);
        }
        if let (Input::Paths(_), Some(wanted)) = (&options.input, &options.environment) {
            let known: Vec<&Arc<str>> = graph.environments().iter().map(|it| &it.name).collect();
            if !known.iter().any(|name| super::objects::is_named(name, wanted)) {
                let known = if known.is_empty() {
                    "no environment is known; name them in `tidewaiter.yaml`".to_owned()
                } else {
                    let names: Vec<&str> = known.iter().map(|name| &***name).collect();
                    format!("there are {}", names.join(", "))
                };
                return Err(RunError::Environment { wanted: wanted.clone(), known });
            }
        }
        Ok(graph)
    }
}
