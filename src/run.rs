//! The pipeline on one page: discover, load, graph, render, check, judge.

mod configuration;
mod entry;
mod gate;
mod inventory;
mod objects;
mod others;
mod render;
mod repository;
mod schemas;
mod upgrade;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use configuration::{Configuration, Refused};
pub use entry::{Applied, Followed};
pub use gate::{Gate, GateOptions, Inputs};
pub use others::SourceFolder;
use rayon::prelude::*;
pub use render::{Made, Renders, told_once};
use schemas::UserSources;
pub use upgrade::upgrade;

use crate::check::api::ApiCheck;
use crate::check::policy::{BundleError, PolicyCheck};
use crate::check::schema::{self, BuiltinKinds, SchemaCheck, SchemaSource, Sources};
use crate::check::secrets::SecretsCheck;
use crate::check::{Check, Context, Results};
use crate::date::Date;
use crate::discover::DiscoverError;
use crate::environment::{KubernetesVersion, Tier};
use crate::finding::Failure;
use crate::judge::{self, Audit, Court, Summary, Verdict};
use crate::load::Repository;
use crate::rule::{Registry, RegistryError, Selection, UnknownRule};
use crate::source::SourceMap;
use crate::{fetch, graph, load};

/// What is to be judged, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What is to be judged.
    pub input: Input,
    /// The folder that relative paths start from.
    pub current_dir: PathBuf,
    /// The configuration file, where it is not the one of the repository.
    pub config: Option<PathBuf>,
    /// The Kubernetes version, over what the configuration says.
    pub kubernetes: Option<KubernetesVersion>,
    /// Places with schemas, asked in this order before those of the configuration.
    pub schema_locations: Vec<String>,
    /// A folder in which kubeconform keeps the schemas that it fetched, as `schema_network` does.
    pub schema_cache: Option<PathBuf>,
    /// Further repositories of the fleet, from folders.
    pub sources: Vec<SourceFolder>,
    /// What fetches the schemas of addresses in `schema_locations`; without it nobody is asked.
    /// Those in the configuration are never fetched, because nobody vouches for a repository.
    pub schema_network: Option<Arc<fetch::Client>>,
    /// The one environment to judge; for standard input, the one that receives the objects.
    pub environment: Option<String>,
    /// The only rules and categories to evaluate; empty for all.
    pub only: Vec<String>,
    /// Rules and categories to leave out.
    pub skip: Vec<String>,
    /// The day that the expiry of waivers is compared with.
    pub today: Date,
}

/// What is to be judged.
#[derive(Debug, Clone)]
pub enum Input {
    /// Files and folders; none for the working directory.
    Paths(Vec<PathBuf>),
    /// Manifests from standard input.
    Stdin(Vec<u8>),
}

impl Default for Input {
    fn default() -> Self {
        Self::Paths(Vec::new())
    }
}

/// Why a run cannot begin. Anything later is part of its verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The paths are not there, or do not belong together.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// What is to be rendered is no folder.
    #[error("`{0}` is no folder: give the one that holds the kustomization")]
    NotAFolder(String),
    /// `--only` or `--skip` names no rule.
    #[error(transparent)]
    Rule(#[from] UnknownRule),
    /// A place with schemas cannot be used.
    #[error("the schema location `{location}` cannot be used: {reason}")]
    SchemaLocation {
        /// What was asked for.
        location: String,
        /// Why not.
        reason: String,
    },
    /// Files of schemas cannot be used.
    #[error("{0}")]
    Schemas(String),
    /// The schemas of the version are not known.
    #[error("Kubernetes {wanted} is not known: this program knows {known}")]
    Version {
        /// What was asked for.
        wanted: KubernetesVersion,
        /// What there is.
        known: String,
    },
    /// An upgrade leads nowhere.
    #[error(
        "everything is on Kubernetes {0} already: name the present version with `--kubernetes` or in the configuration"
    )]
    NoUpgrade(KubernetesVersion),
    /// There is no such environment.
    #[error("there is no environment `{wanted}` here: {known}")]
    Environment {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// The configuration file that was named cannot be read.
    #[error("cannot read the configuration `{path}`: {reason}")]
    Config {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The configuration is wrong, each time with its place.
    #[error("{}", .0.join("\nerror: "))]
    Refused(Vec<String>),
    /// The user's own policies do not load.
    #[error("a policy is refused: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    OwnPolicies(Vec<BundleError>),
    /// Two rules have one name.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The built-in policies do not load, which is a defect of the program.
    #[error("the built-in policies cannot be loaded: {0}")]
    Policies(String),
}

/// What a run leaves behind for the reports.
#[derive(Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The texts that it points into.
    pub repository: Repository,
    /// The rules.
    pub registry: Registry,
    /// The folder that the paths of the verdict are relative to; none for standard input.
    pub root: Option<PathBuf>,
}

impl Outcome {
    /// Returns the texts that the verdict points into.
    pub fn sources(&self) -> &SourceMap {
        self.repository.sources()
    }
}

/// Told what a run is at. The default does nothing.
pub trait Progress: Sync {
    /// A stage begins, with this many steps where that is known.
    fn stage(&self, _name: &'static str, _steps: Option<usize>) {}
    /// A step of the stage is done. May be called from any thread.
    fn step(&self) {}
}

impl Progress for () {}

/// The rules of the program, and what evaluates them.
#[derive(Debug)]
pub struct Rules {
    policies: PolicyCheck,
    secrets: SecretsCheck,
    /// Every rule.
    pub registry: Registry,
}

impl Rules {
    /// Loads the rules that are built in.
    pub fn built_in() -> Result<Self, RunError> {
        Self::new(|_| {
            PolicyCheck::built_in().map_err(|errors| {
                let texts: Vec<String> = errors.iter().map(BundleError::to_string).collect();
                RunError::Policies(texts.join("; "))
            })
        })
    }

    /// Loads the rules that are built in and those of the user's own policies, each the name of
    /// its file and its text.
    pub fn with(own: Vec<(String, String)>) -> Result<Self, RunError> {
        if own.is_empty() {
            return Self::built_in();
        }
        Self::new(|others| PolicyCheck::with(own, others).map_err(RunError::OwnPolicies))
    }

    /// Gathers all rules; `policies` is told those that are none.
    fn new(
        policies: impl FnOnce(&Registry) -> Result<PolicyCheck, RunError>,
    ) -> Result<Self, RunError> {
        let secrets = SecretsCheck::new();
        let api = ApiCheck::new(Arc::new(BuiltinKinds));
        let mut registry = Registry::default();
        let of_run = load::rules().into_iter().chain(graph::rules()).chain(judge::rules());
        for meta in of_run.chain(schema::rules()).chain(api.rules()).chain(secrets.rules()) {
            registry.add(meta)?;
        }
        let policies = policies(&registry)?;
        for meta in policies.rules() {
            registry.add(meta)?;
        }
        Ok(Self { policies, secrets, registry })
    }

    /// Returns what evaluates the rules, with those who know the kinds.
    fn checks(self, sources: Sources) -> (Vec<Box<dyn Check>>, Registry) {
        let sources = Arc::new(sources);
        let schema = SchemaCheck::new(Arc::clone(&sources));
        let api = ApiCheck::new(sources);
        let checks: Vec<Box<dyn Check>> =
            vec![Box::new(schema), Box::new(api), Box::new(self.policies), Box::new(self.secrets)];
        (checks, self.registry)
    }
}

/// Returns the rules that hold with a configuration file, which may name further ones.
pub fn rules(current_dir: &Path, config: Option<&Path>) -> Result<Rules, RunError> {
    let options = GateOptions {
        current_dir: current_dir.to_owned(),
        config: config.map(Path::to_owned),
        ..GateOptions::default()
    };
    gate::rules(&Inputs::read(&options)?)
}

/// Judges a repository, or the manifests of standard input.
pub fn check(options: &Options, progress: &dyn Progress) -> Result<Outcome, RunError> {
    known_version(options.kubernetes)?;
    progress.stage("reading", None);
    let mut read = repository::read(options)?;
    let Configuration { settings, rules } = match read.configuration() {
        Ok(configuration) => configuration,
        Err(Refused::Failures(failures)) => return read.refused(failures),
        Err(Refused::Program(error)) => return Err(error),
    };
    let places = match read.places(options) {
        Ok(places) => places,
        Err(Refused::Failures(failures)) => return read.refused(failures),
        Err(Refused::Program(error)) => return Err(error),
    };
    match read.configured_sources(options) {
        Ok(()) => {}
        Err(Refused::Failures(failures)) => return read.refused(failures),
        Err(Refused::Program(error)) => return Err(error),
    }
    let selection = Selection::new(&rules.registry, options.only.clone(), options.skip.clone())?;
    let default = options.kubernetes.or(settings.kubernetes).unwrap_or_else(schema::newest);
    let graph = read.graph(&settings, options, default)?;

    let repository = &read.repository;
    progress.stage("rendering", Some(graph.roots().len()));
    let reviews =
        objects::collect(repository, &graph, options, &settings, &rules.registry, progress);
    let kinds = objects::kinds(&reviews, default);
    let remote = schemas::remote(&places);
    let mut own: Vec<Arc<dyn SchemaSource>> = vec![Arc::new(objects::definitions(&reviews))];
    let user = UserSources::new(places, Some(&kinds), &own).map_err(RunError::Schemas)?;
    own.extend(user.before);
    let (checks, registry) = rules.checks(Sources::new(own).with_later(user.after));

    let cx = Context {
        sources: repository.sources(),
        kubernetes: default,
        selection: &selection,
        deadline: None,
    };
    progress.stage("judging", Some(reviews.tasks.len()));
    let mut results = objects::check_all(&reviews, &checks, cx, progress);
    results.append(check_sources(repository, &checks, cx));
    results.findings.extend(
        graph
            .findings()
            .iter()
            .chain(&reviews.findings)
            .chain(&remote)
            .filter(|it| selection.allows(&it.rule))
            .cloned(),
    );
    results.failures.extend(reviews.failures.iter().cloned());
    let kinds = inventory::kinds(&results.schemas);
    let places = inventory::Places::new(repository, &reviews);
    let mut findings = schema::one_per_kind(results.findings);
    findings.retain_mut(|finding| {
        places.complete(finding);
        let path = repository.sources().path(finding.primary.span);
        finding.rule.category() != "coverage" || settings.external(&path).is_none()
    });

    let tiers: BTreeMap<Arc<str>, Tier> =
        reviews.environments.iter().map(|(name, it)| (Arc::clone(name), it.tier)).collect();
    let mut failures = results.failures;
    // Whoever names an empty folder has most often named the wrong one, and must not read a pass.
    if matches!(options.input, Input::Paths(_)) && !repository.files().any(|(_, it)| it.in_scope) {
        failures.push(Failure {
            help: Some("name the folder that holds the manifests".to_owned()),
            ..failure("the paths hold no file to judge")
        });
    }
    // Whoever pipes manifests expects some: most often the program before the pipe has failed.
    if matches!(options.input, Input::Stdin(_)) && reviews.tasks.is_empty() {
        failures.push(Failure {
            help: Some("see whether the command before the pipe has failed".to_owned()),
            ..failure("standard input holds no object")
        });
    }
    failures.sort();
    failures.dedup();
    let whole = read.is_whole(options) && failures.is_empty();
    if whole && selection.allows(&judge::UNKNOWN_ENVIRONMENT) {
        findings.extend(inventory::unknown_environments(&settings, &reviews, &registry));
    }
    let court = Court {
        sources: repository.sources(),
        registry: &registry,
        settings: &settings,
        tiers: &tiers,
        today: options.today,
        audit: Audit {
            expired: selection.allows(&judge::WAIVER_EXPIRED),
            long: selection.allows(&judge::WAIVER_LONG),
            unused: whole && selection.allows(&judge::WAIVER_UNUSED),
        },
    };
    let ruling = court.judge(findings);
    let verdict = Verdict {
        findings: ruling.findings,
        waived: ruling.waived,
        failures,
        summary: Summary {
            rules: registry.iter().filter(|meta| selection.allows(&meta.id)).count(),
            kinds,
            default_kubernetes: Some(default),
            ..inventory::summary(&read, &graph, &reviews, &settings, options)
        },
        withheld: reviews.withheld.iter().cloned().collect(),
    };
    Ok(Outcome { verdict, registry, root: read.root, repository: read.repository })
}

/// Judges the text of every file that was asked for.
fn check_sources(repository: &Repository, checks: &[Box<dyn Check>], cx: Context<'_>) -> Results {
    let files: Vec<_> = repository.files().filter(|(_, file)| file.in_scope).collect();
    let parts: Vec<Results> = files
        .par_iter()
        .map(|(_, file)| {
            let mut results = Results::default();
            for check in checks {
                check.check_source(cx, file.source, &mut results);
            }
            results
        })
        .collect();
    let mut results = Results::default();
    for part in parts {
        results.append(part);
    }
    results
}

fn known_version(wanted: Option<KubernetesVersion>) -> Result<(), RunError> {
    match wanted {
        Some(wanted) if !schema::versions().contains(&wanted) => {
            Err(RunError::Version { wanted, known: versions() })
        }
        _ => Ok(()),
    }
}

/// Returns the known versions as text, e.g. `1.36, 1.37`.
fn versions() -> String {
    let known: Vec<String> = schema::versions().iter().map(ToString::to_string).collect();
    known.join(", ")
}

/// Returns a failure without a rule or a place.
fn failure(reason: impl Into<String>) -> Failure {
    Failure { rule: None, span: None, reason: reason.into(), help: None }
}
