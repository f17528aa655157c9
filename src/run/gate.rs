//! The gate of one cluster: rules, configuration and environment, compiled once and asked often.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::configuration::{self, Configuration, Refused};
use super::objects::is_named;
use super::schemas::{self, SchemaPlace, UserSources};
use super::{Rules, RunError, known_version};
use crate::admission::{Answer, Judgement, Request, answer, questions, refuse, refuse_review};
use crate::check::policy::built_in_modules;
use crate::check::schema::{self, Sources};
use crate::check::{self, Check, Context, Results};
use crate::config::Settings;
use crate::date::Date;
use crate::discover::{ModuleFile, SchemaFile, SchemaFiles};
use crate::document::{Document, Node};
use crate::environment::{Environment, KubernetesVersion, Tier};
use crate::finding::Failure;
use crate::graph;
use crate::hex;
use crate::judge::{Audit, Court, Summary, Verdict, Withheld};
use crate::load::{self, Limits, Problem};
use crate::report::{Display, Report};
use crate::review::{Apply, Operation, Review};
use crate::rule::{Enforcement, Registry, Selection};
use crate::source::{Encoding, Origin, RepoPath, Source, SourceId, SourceMap};

/// The name under which a question of an API server is reported.
const REQUEST: &str = "<request>";
/// The name under which standard input is reported.
const STDIN: &str = "<stdin>";

/// What the gate of a cluster is made from.
#[derive(Debug, Clone, Default)]
pub struct GateOptions {
    /// The folder that relative paths start from.
    pub current_dir: PathBuf,
    /// The configuration file; without it, every rule has its default enforcement.
    pub config: Option<PathBuf>,
    /// The environment that the cluster is.
    pub environment: Option<String>,
    /// The Kubernetes version, over what the configuration says.
    pub kubernetes: Option<KubernetesVersion>,
    /// The only rules and categories to evaluate; empty for all.
    pub only: Vec<String>,
    /// Rules and categories to leave out.
    pub skip: Vec<String>,
}

/// How often files are read again that change while they are read.
const READS: usize = 8;

/// The files that a gate is made from, as they were read.
///
/// Read again now and then: where [`Inputs::digest`] differs, a new gate is made, and the old one
/// stays in use if that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    config: Option<(RepoPath, Vec<u8>)>,
    policies: Vec<ModuleFile>,
    /// The places with schemas, each with all of its files.
    schemas: Vec<(SchemaPlace, Vec<SchemaFile>)>,
    digest: String,
}

impl Inputs {
    /// Reads the configuration file, and the files of the policies and schemas that it names.
    ///
    /// What is read was there at one time: Kubernetes exchanges the files of a mounted folder all
    /// at once, and may do so in between.
    pub fn read(options: &GateOptions) -> Result<Self, RunError> {
        let mut last = Self::read_once(options);
        for _ in 0..READS {
            let next = Self::read_once(options);
            if let (Ok(one), Ok(other)) = (&last, &next)
                && one == other
            {
                return next;
            }
            // An error that stays is told.
            if let (Err(one), Err(other)) = (&last, &next)
                && one.to_string() == other.to_string()
            {
                return next;
            }
            last = next;
        }
        let path = options.config.clone().unwrap_or_default();
        Err(refused(&path, "it changes while it is read".to_owned()))
    }

    fn read_once(options: &GateOptions) -> Result<Self, RunError> {
        let (mut config, mut policies, mut schemas) = (None, Vec::new(), Vec::new());
        if let Some(path) = &options.config {
            let absolute = options.current_dir.join(path);
            let error = |err: std::io::Error| refused(path, err.to_string());
            let bytes = std::fs::read(&absolute).map_err(error)?;
            let folder = absolute.parent().unwrap_or(&absolute).canonicalize().map_err(error)?;
            let name = RepoPath::outside(&folder.join(absolute.file_name().unwrap_or_default()));
            let mut sources = SourceMap::default();
            let id = sources.add(Source::new(name.clone(), Origin::File, bytes.clone()));
            policies = configuration::policies(&sources, id, &RepoPath::root(), &folder)
                .map_err(|failures| RunError::Refused(told(&sources, &failures)))?;
            let places = configuration::schemas(&sources, id, &RepoPath::root(), &folder)
                .map_err(|failures| RunError::Refused(told(&sources, &failures)))?;
            for place in places {
                let files = place.location.everything(&place.files).map_err(|reason| {
                    let location = place.location.text().to_owned();
                    RunError::SchemaLocation { location, reason }
                })?;
                if let Some(reason) = schemas::broken(&place, &files) {
                    return Err(RunError::Schemas(reason));
                }
                schemas.push((place, files));
            }
            config = Some((name, bytes));
        }
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        for (name, text) in built_in_modules() {
            part(&mut hash, name);
            part(&mut hash, text);
        }
        if let Some((_, bytes)) = &config {
            part(&mut hash, bytes);
        }
        for policy in &policies {
            part(&mut hash, policy.path.as_str());
            part(&mut hash, &policy.bytes);
        }
        for (place, files) in &schemas {
            part(&mut hash, place.location.text());
            for file in files {
                part(&mut hash, file.path.to_string_lossy().as_bytes());
                part(&mut hash, &file.bytes);
            }
        }
        Ok(Self { config, policies, schemas, digest: hex::digits(hash.finalize()) })
    }

    /// Returns the SHA-256 of the program's rules and of all that was read, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the schemas that the configuration names, from the files that were read.
    fn sources(&self) -> Result<Sources, RunError> {
        let places: Result<Vec<SchemaPlace>, String> = self
            .schemas
            .iter()
            .map(|(place, files)| {
                let files = SchemaFiles::in_memory(files.clone())?;
                Ok(SchemaPlace { files, ..place.clone() })
            })
            .collect();
        let user = places.and_then(|places| UserSources::new(places, None, &[]));
        let user = user.map_err(RunError::Schemas)?;
        Ok(Sources::new(user.before).with_later(user.after))
    }

    /// Returns what the files say, and the text of the configuration.
    fn configuration(&self) -> Result<(Configuration, SourceMap), RunError> {
        let mut sources = SourceMap::default();
        let Some((name, bytes)) = &self.config else {
            return Ok((Configuration::none()?, sources));
        };
        let id = sources.add(Source::new(name.clone(), Origin::File, bytes.clone()));
        let config = sources.clone();
        let policies: Vec<SourceId> = self
            .policies
            .iter()
            .map(|it| {
                let path = RepoPath::outside(&it.absolute);
                sources.add(Source::new(path, Origin::File, it.bytes.clone()))
            })
            .collect();
        match Configuration::of(&sources, id, &RepoPath::root(), &policies) {
            Ok(configuration) => Ok((configuration, config)),
            Err(Refused::Failures(failures)) => Err(RunError::Refused(told(&sources, &failures))),
            Err(Refused::Program(error)) => Err(error),
        }
    }
}

/// Returns the rules that hold with a configuration.
pub(super) fn rules(inputs: &Inputs) -> Result<Rules, RunError> {
    Ok(inputs.configuration()?.0.rules)
}

/// Returns failures as lines, each with its place and with what to do.
pub(super) fn told(sources: &SourceMap, failures: &[Failure]) -> Vec<String> {
    let told = |failure: &Failure| {
        let place = failure.span.map(|span| {
            let location = sources.location(span);
            format!("{}:{}:{}: ", location.path, location.start.line, location.start.column)
        });
        let help = failure.help.as_ref().map(|help| format!(" ({help})"));
        format!("{}{}{}", place.unwrap_or_default(), failure.reason, help.unwrap_or_default())
    };
    failures.iter().map(told).collect()
}

/// Adds a text of its own length to a hash, so that no two lists of texts are alike.
fn part(hash: &mut Sha256, bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// The gate of one cluster. Shared by threads.
#[derive(Debug)]
pub struct Gate {
    /// The text of the configuration, into which waivers point.
    config: SourceMap,
    checks: Vec<Box<dyn Check>>,
    registry: Registry,
    selection: Selection,
    settings: Settings,
    environment: Option<Environment>,
    tiers: BTreeMap<Arc<str>, Tier>,
    kubernetes: KubernetesVersion,
    limits: Limits,
    digest: String,
}

impl Gate {
    /// Makes a gate; every name in the configuration is checked.
    pub fn new(options: &GateOptions, inputs: &Inputs) -> Result<Self, RunError> {
        let (Configuration { settings, rules }, config) = inputs.configuration()?;
        let selection =
            Selection::new(&rules.registry, options.only.clone(), options.skip.clone())?;
        known_version(options.kubernetes)?;
        let environment = environment(options, &settings)?;
        let kubernetes = options.kubernetes.or(settings.kubernetes).unwrap_or_else(schema::newest);
        let (checks, registry) = rules.checks(inputs.sources()?);
        Ok(Self {
            config,
            tiers: environment.iter().map(|it| (Arc::clone(&it.name), it.tier)).collect(),
            checks,
            registry,
            selection,
            settings,
            environment,
            kubernetes,
            limits: Limits::default(),
            digest: inputs.digest().to_owned(),
        })
    }

    /// Prepares every rule, so that the first question waits no longer than the others.
    pub fn prepare(&self) {
        self.checks.par_iter().for_each(|check| check.prepare());
    }

    /// Returns the SHA-256, in hexadecimal, of the program's rules and of what configures them.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the Kubernetes version that is judged for.
    pub fn kubernetes(&self) -> KubernetesVersion {
        self.kubernetes
    }

    /// Answers one AdmissionReview, JSON as the API server sends it.
    ///
    /// Every question has an answer: what cannot be judged, or not before the deadline, is denied.
    /// `today` decides which waivers hold.
    pub fn answer(&self, question: Vec<u8>, today: Date, deadline: Option<Instant>) -> Answer {
        let mut sources = self.config.clone();
        let path = RepoPath::new(REQUEST);
        let id = sources.add(Source::new(path, Origin::Admission, question));
        let Some(source) = sources.get(id) else { return refuse(None, 500, "no text") };
        let refused = |message: &str| refuse(Some(source.bytes()), 400, message);
        if source.encoding() != Encoding::Utf8 {
            return refused("the AdmissionReview is not UTF-8");
        }
        let (node, end) = match load::json_value(source, id, 0, &self.limits) {
            Ok(Some(read)) => read,
            Ok(None) => return refused("the AdmissionReview is empty"),
            Err(problem) => return refused(&unreadable(&sources, &problem)),
        };
        match load::json_value(source, id, end, &self.limits) {
            Ok(None) => self.judge(&sources, node, today, deadline, false),
            Ok(Some(_)) | Err(_) => refused("something follows the AdmissionReview"),
        }
    }

    /// Answers every AdmissionReview of a text, JSON or YAML documents, in their order.
    ///
    /// `explain` adds the findings to each answer, as the JSON report has them.
    pub fn answer_all(&self, text: Vec<u8>, today: Date, explain: bool) -> Vec<Answer> {
        let mut sources = self.config.clone();
        let id = sources.add(Source::new(RepoPath::new(STDIN), Origin::Stdin, text));
        let Some(source) = sources.get(id) else { return Vec::new() };
        questions(source, id, &self.limits)
            .into_par_iter()
            .map(|question| match question.node {
                Ok(node) => self.judge(&sources, node, today, None, explain),
                Err(problem) => {
                    let (start, end) = (question.start as usize, problem.span.start as usize);
                    let read = source.text().get(start..end).map(str::as_bytes);
                    refuse(read, 400, &unreadable(&sources, &problem))
                }
            })
            .collect()
    }

    /// Judges one review, which stands in `sources`.
    fn judge(
        &self,
        sources: &SourceMap,
        review: Node,
        today: Date,
        deadline: Option<Instant>,
        explain: bool,
    ) -> Answer {
        let request = match Request::read(review) {
            Ok(request) => request,
            Err(invalid) => return refuse_review(&invalid),
        };
        let results = if request.needs_no_judgement() {
            Results::default()
        } else {
            self.check(sources, &request, deadline)
        };
        let timed_out =
            deadline.is_some_and(|it| Instant::now() >= it) && !results.failures.is_empty();
        let mut failures = results.failures;
        failures.sort();
        failures.dedup();
        let court = Court {
            sources,
            registry: &self.registry,
            settings: &self.settings,
            tiers: &self.tiers,
            today,
            // Waivers are looked after where the repository is: here each request would say it.
            audit: Audit::default(),
        };
        let environment = self.environment.as_ref().map(|it| &it.name);
        let whole = RepoPath::new(REQUEST);
        let mut tolerated = Vec::new();
        failures.retain(|failure| match court.of_failure(failure, environment, &whole) {
            Enforcement::Deny => true,
            Enforcement::Warn => {
                tolerated.push(failure.clone());
                false
            }
            Enforcement::Off => false,
        });
        let ruling = court.judge(results.findings);
        let verdict = Verdict {
            findings: ruling.findings,
            waived: ruling.waived,
            failures,
            summary: Summary::default(),
            withheld: Withheld::default(),
        };
        let report = Report {
            verdict: &verdict,
            sources,
            registry: &self.registry,
            display: Display::default(),
        };
        let judgement = Judgement {
            report,
            tolerated,
            timed_out,
            digest: &self.digest,
            environment: self.environment.as_ref().map(|it| &*it.name),
        };
        answer(&request, &judgement, explain)
    }

    /// Asks every rule about every object of a request.
    fn check(&self, sources: &SourceMap, request: &Request, deadline: Option<Instant>) -> Results {
        let cx =
            Context { sources, kubernetes: self.kubernetes, selection: &self.selection, deadline };
        let nothing;
        let given = match request.operation {
            Operation::Delete => request.old_object.as_ref(),
            Operation::Create | Operation::Update | Operation::Connect => request.object.as_ref(),
        };
        let given = if let Some(document) = given {
            document
        } else {
            // An API server before 1.15 does not say what it deletes.
            let root = Node::mapping(request.asked.user_info.span);
            let mut document = Document::new(root);
            document.object = Some(request.target.clone());
            nothing = document;
            &nothing
        };
        let mut results = Results::default();
        for object in load::objects(given) {
            let review = Review {
                operation: request.operation,
                object: &object.document,
                old_object: match request.operation {
                    Operation::Update if !object.in_list => request.old_object.as_ref(),
                    _ => None,
                },
                apply: Apply::Client,
                dry_run: request.dry_run,
                environment: self.environment.as_ref(),
                provenance: None,
                asked: Some(&request.asked),
            };
            results.append(check::judge_object(&self.checks, cx, &review));
        }
        if let Some(environment) = &self.environment {
            for finding in &mut results.findings {
                finding.environments.insert(Arc::clone(&environment.name));
            }
        }
        results
    }
}

fn unreadable(sources: &SourceMap, problem: &Problem) -> String {
    let location = sources.location(problem.span);
    let (line, column) = (location.start.line, location.start.column);
    format!(
        "{}:{line}:{column}: the AdmissionReview cannot be read: {}",
        location.path, problem.message
    )
}

fn refused(path: &std::path::Path, reason: String) -> RunError {
    RunError::Config { path: path.display().to_string(), reason }
}

/// Returns the environment that the cluster is.
fn environment(
    options: &GateOptions,
    settings: &Settings,
) -> Result<Option<Environment>, RunError> {
    let Some(wanted) = &options.environment else { return Ok(None) };
    let default = settings.kubernetes.unwrap_or_else(schema::newest);
    let mut known: Vec<Environment> =
        settings.environments.iter().map(|rule| graph::declared(rule, default)).collect();
    if known.is_empty() {
        known.push(Environment {
            name: Arc::from(wanted.as_str()),
            tier: graph::tier(wanted),
            cluster: None,
            kubernetes: default,
            labels: BTreeMap::new(),
        });
    }
    let exact = known.iter().position(|it| *it.name == **wanted);
    let of_class: Vec<usize> = known
        .iter()
        .enumerate()
        .filter(|(_, it)| is_named(&it.name, wanted))
        .map(|it| it.0)
        .collect();
    // The name of a class is enough where it has one cluster.
    let found = exact.or(match of_class.as_slice() {
        [only] => Some(*only),
        _ => None,
    });
    let Some(mut environment) = found.and_then(|at| known.get(at).cloned()) else {
        let names: BTreeSet<&str> = known
            .iter()
            .filter(|it| of_class.is_empty() || is_named(&it.name, wanted))
            .map(|it| &*it.name)
            .collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let known = if of_class.is_empty() {
            format!("there are {names}")
        } else {
            format!("name one cluster of it: {names}")
        };
        return Err(RunError::Environment { wanted: wanted.clone(), known });
    };
    environment.kubernetes = options.kubernetes.unwrap_or(environment.kubernetes);
    Ok(Some(environment))
}

#[cfg(test)]
mod tests;
