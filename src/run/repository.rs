//! From paths or standard input to a repository, its configuration and its graph.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Input, Options, Outcome, RunError, failure, versions};
use crate::check::schema;
use crate::config::{self, Settings};
use crate::discover::{self, Skipped, WalkLimits};
use crate::environment::KubernetesVersion;
use crate::finding::Failure;
use crate::graph::{self, Graph};
use crate::judge::{Summary, Verdict};
use crate::load::{Dialect, Limits, Repository};
use crate::rule::Registry;
use crate::source::{Origin, RepoPath, Source};

/// The name under which standard input is reported.
const STDIN: &str = "<stdin>";

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
    /// The configuration file, where there is one.
    config: Option<RepoPath>,
    limits: WalkLimits,
}

/// Reads everything that was asked for.
pub(super) fn read(options: &Options) -> Result<Read, RunError> {
    let limits = WalkLimits::default();
    let mut read = Read {
        repository: Repository::new(Limits::default()),
        root: None,
        skipped: Vec::new(),
        config: None,
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
            read.config = read.nearest_config(scope.paths().next());
            // A folder that is asked for, or that has a configuration, may be what a reconciler
            // clones, inside of a larger repository.
            let config = read.config.as_ref().map(RepoPath::parent);
            for folder in scope.paths().cloned().chain(config) {
                read.repository.add_base(folder);
            }
        }
    }
    if let Some(path) = &options.config {
        read.config = Some(read.named_config(options, path)?);
    }
    Ok(read)
}

impl Read {
    /// Finds the configuration file of a path: in its folder, or the nearest one above.
    fn nearest_config(&mut self, start: Option<&RepoPath>) -> Option<RepoPath> {
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
        candidates.into_iter().find(|it| self.repository.file(it).is_some())
    }

    fn named_config(&mut self, options: &Options, path: &PathBuf) -> Result<RepoPath, RunError> {
        let error = |reason: String| RunError::Config { path: path.display().to_string(), reason };
        let absolute = options.current_dir.join(path);
        let bytes = std::fs::read(&absolute).map_err(|err| error(err.to_string()))?;
        // Inside of the repository it has its own path, and its globs start at its folder.
        let inside = self.root.as_ref().and_then(|root| {
            let absolute = absolute.canonicalize().ok()?;
            let relative = absolute.strip_prefix(root.canonicalize().ok()?).ok()?;
            relative.to_str().map(RepoPath::new)
        });
        let name = inside.unwrap_or_else(|| {
            RepoPath::new(&absolute.file_name().unwrap_or_default().to_string_lossy())
        });
        self.repository.add(Source::new(name.clone(), Origin::File, bytes), false);
        Ok(name)
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
            let other = path.name() == config::FILE_NAME && self.config.as_ref() != Some(path);
            (file.in_scope && other).then_some(path)
        })
    }

    /// Reads the configuration; the error says where it is wrong.
    pub(super) fn settings(&self, registry: &Registry) -> Result<Settings, Failure> {
        let Some(path) = &self.config else { return Ok(Settings::default()) };
        let Some(parsed) = self.repository.parsed(path, Dialect::Kubectl) else {
            return Ok(Settings::default());
        };
        if let Some(problem) = parsed.problems.first() {
            return Err(Failure {
                rule: None,
                span: Some(problem.span),
                reason: format!("the configuration cannot be read: {}", problem.message),
                help: problem.help.clone(),
            });
        }
        if let Some(second) = parsed.documents.get(1) {
            return Err(Failure {
                span: Some(second.span),
                ..failure("the configuration must be a single document")
            });
        }
        Settings::read(parsed.documents.first(), &path.parent(), registry).map_err(|error| {
            Failure {
                rule: None,
                span: Some(error.span),
                reason: format!("the configuration is refused: {}", error.message),
                help: error.help,
            }
        })
    }

    /// Refuses a configuration that names a version without schemas.
    pub(super) fn known_versions(&self, settings: &Settings) -> Result<(), Failure> {
        let environments = settings.environments.iter().filter_map(|it| it.kubernetes);
        for version in settings.kubernetes.into_iter().chain(environments) {
            if !schema::versions().contains(&version) {
                let source = self.config.as_ref().and_then(|it| self.repository.file(it));
                return Err(Failure {
                    rule: None,
                    span: source.map(|file| crate::source::Span::start_of(file.source)),
                    reason: format!(
                        "the configuration names Kubernetes {version}, which is not known"
                    ),
                    help: Some(format!("this program knows {}", versions())),
                });
            }
        }
        Ok(())
    }

    /// Returns the outcome of a run whose configuration is refused: nothing is judged.
    pub(super) fn refused(self, registry: Registry, failure: Failure) -> Outcome {
        let files = self.repository.files().filter(|(_, file)| file.in_scope).count();
        let verdict = Verdict {
            findings: Vec::new(),
            failures: vec![failure],
            summary: Summary { files, ..Summary::default() },
        };
        Outcome { verdict, repository: self.repository, registry, root: self.root }
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
                });
            }
            let all = config::Glob::new(&RepoPath::root(), "**").ok();
            for rule in &mut rules {
                rule.paths = all.iter().cloned().collect();
            }
        }
        let mut graph = Graph::new(&self.repository, &rules, default);
        for _ in 0..ROUNDS {
            let missing: Vec<RepoPath> = graph.missing().to_vec();
            if !self.read_more(&missing) {
                break;
            }
            graph = Graph::new(&self.repository, &rules, default);
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
