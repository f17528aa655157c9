//! From the text of a configuration, and of the policies that it names, to settings and rules.
//!
//! Both doors go through here, so that the same files mean the same at both. What is refused is a
//! [`Failure`] with its place.

use std::path::Path;

use super::others::SourceFolder;
use super::schemas::SchemaPlace;
use super::{Rules, RunError, failure};
use crate::check::policy::BundleError;
use crate::check::schema;
use crate::config::{ConfigError, Draft, Known, Settings};
use crate::discover::{self, ModuleFile, SchemaBase, SchemaFiles, SchemaLocation};
use crate::engine::rego::Place;
use crate::finding::Failure;
use crate::load::{Dialect, Limits, Parsed};
use crate::source::{RepoPath, SourceId, SourceMap, Span};

/// A configuration with nothing left to interpret, and the rules that hold with it.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) settings: Settings,
    pub(super) rules: Rules,
}

/// Why there is no configuration.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is wrong, at these places.
    Failures(Vec<Failure>),
    /// The rules of the program itself do not load.
    Program(RunError),
}

impl From<ConfigError> for Refused {
    fn from(error: ConfigError) -> Self {
        Self::Failures(vec![Failure {
            rule: None,
            span: Some(error.span),
            reason: format!("the configuration is refused: {}", error.message),
            help: error.help,
        }])
    }
}

impl Configuration {
    /// Returns what holds where there is no configuration.
    pub(super) fn none() -> Result<Self, RunError> {
        Ok(Self { settings: Settings::default(), rules: Rules::built_in()? })
    }

    /// Reads a configuration, whose globs start at `folder`, with the policies that it names.
    ///
    /// All of them are texts of `sources`.
    pub(super) fn of(
        sources: &SourceMap,
        config: SourceId,
        folder: &RepoPath,
        policies: &[SourceId],
    ) -> Result<Self, Refused> {
        let parsed = parsed(sources, config)?;
        let draft = Draft::read(parsed.documents.first())?;
        let rules = rules(sources, policies)?;
        let known = Known { registry: &rules.registry, versions: schema::versions() };
        Ok(Self { settings: draft.resolve(folder, known)?, rules })
    }
}

/// Reads the files of the policies that a configuration names, once each, from below `root`.
///
/// `folder` is that of the configuration, below `root`. A configuration that cannot be read names
/// none: [`Configuration::of`] says what is wrong with it.
pub(super) fn policies(
    sources: &SourceMap,
    config: SourceId,
    folder: &RepoPath,
    root: &Path,
) -> Result<Vec<ModuleFile>, Vec<Failure>> {
    let Ok(parsed) = parsed(sources, config) else { return Ok(Vec::new()) };
    let Ok(draft) = Draft::read(parsed.documents.first()) else { return Ok(Vec::new()) };
    let mut files: Vec<ModuleFile> = Vec::new();
    let mut failures = Vec::new();
    for policy in draft.policies() {
        let path = folder.join(&policy.path).unwrap_or_else(|| folder.clone());
        match discover::modules(root, &path) {
            Ok(found) => files.extend(found),
            Err(reason) => failures.push(Failure {
                span: Some(policy.span),
                ..failure(format!("the policies cannot be read: {reason}"))
            }),
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|later, first| later.path == first.path);
    Ok(files)
}

/// Returns the folders of other repositories that a configuration names.
///
/// `folder` is that of the configuration, below `root`. Where the configuration is a file of the
/// repository, no folder may lie outside of that. A configuration that cannot be read names none:
/// [`Configuration::of`] says what is wrong with it.
pub(super) fn others(
    sources: &SourceMap,
    config: SourceId,
    folder: &RepoPath,
    root: &Path,
    is_own: bool,
) -> Result<Vec<SourceFolder>, Vec<Failure>> {
    let Ok(parsed) = parsed(sources, config) else { return Ok(Vec::new()) };
    let Ok(draft) = Draft::read(parsed.documents.first()) else { return Ok(Vec::new()) };
    let base = folder.segments().fold(root.to_owned(), |at, name| at.join(name));
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for source in draft.sources() {
        let path = base.join(&source.path);
        let refused = |reason: &str, help: &str| Failure {
            span: Some(source.span),
            help: Some(help.to_owned()),
            ..failure(format!("the source `{}` {reason}", source.path))
        };
        match path.canonicalize() {
            Ok(path) if is_own && !path.starts_with(&real) => failures.push(refused(
                "lies outside of the repository",
                "name it with `--source`, or in a configuration outside that `--config` names",
            )),
            Ok(path) if path.is_dir() => {
                found.push(SourceFolder { url: source.url.clone(), folder: path });
            }
            Ok(_) => failures.push(refused("is no folder", "name the folder of a checkout")),
            Err(_) => failures.push(refused("is not there", "name the folder of a checkout")),
        }
    }
    if failures.is_empty() { Ok(found) } else { Err(failures) }
}

/// Returns the places with schemas that a configuration names.
///
/// `folder` is that of the configuration, below `root`, which no path may leave. A configuration
/// that cannot be read names none: [`Configuration::of`] says what is wrong with it.
pub(super) fn schemas(
    sources: &SourceMap,
    config: SourceId,
    folder: &RepoPath,
    root: &Path,
) -> Result<Vec<SchemaPlace>, Vec<Failure>> {
    let Ok(parsed) = parsed(sources, config) else { return Ok(Vec::new()) };
    let Ok(draft) = Draft::read(parsed.documents.first()) else { return Ok(Vec::new()) };
    let folder = folder.segments().fold(root.to_owned(), |at, name| at.join(name));
    let base = SchemaBase { folder: folder.clone(), within: Some(root.to_owned()) };
    let mut places = Vec::new();
    let mut failures = Vec::new();
    for schema in draft.schemas() {
        match SchemaLocation::new(&schema.location, &base) {
            Ok(location) => places.push(SchemaPlace {
                location,
                files: SchemaFiles::new(base.within.clone(), None),
                folder: folder.clone(),
                span: Some(schema.span),
            }),
            Err(reason) => failures.push(Failure {
                span: Some(schema.span),
                ..failure(format!("the location of schemas cannot be used: {reason}"))
            }),
        }
    }
    if failures.is_empty() { Ok(places) } else { Err(failures) }
}

/// Parses a configuration, which is one document.
fn parsed(sources: &SourceMap, config: SourceId) -> Result<Parsed, Refused> {
    let Some(source) = sources.get(config) else { return Ok(Parsed::default()) };
    let parsed = Parsed::of(source, config, Dialect::Kubectl, &Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(Refused::Failures(vec![Failure {
            rule: None,
            span: Some(problem.span),
            reason: format!("the configuration cannot be read: {}", problem.message),
            help: problem.help.clone(),
        }]));
    }
    if let Some(second) = parsed.documents.get(1) {
        return Err(Refused::Failures(vec![Failure {
            span: Some(second.span),
            ..failure("the configuration must be a single document")
        }]));
    }
    Ok(parsed)
}

/// Loads the rules of the program and those of some texts.
fn rules(sources: &SourceMap, policies: &[SourceId]) -> Result<Rules, Refused> {
    let texts = policies.iter().filter_map(|id| {
        let source = sources.get(*id)?;
        Some((source.path().to_string(), source.text().to_owned()))
    });
    Rules::with(texts.collect()).map_err(|error| match error {
        RunError::OwnPolicies(errors) => Refused::Failures(
            errors.into_iter().map(|error| refused_policy(sources, policies, error)).collect(),
        ),
        error => Refused::Program(error),
    })
}

fn refused_policy(sources: &SourceMap, policies: &[SourceId], error: BundleError) -> Failure {
    let span = error.place.as_ref().and_then(|place| {
        let id = policies.iter().copied().find(|id| {
            sources.get(*id).is_some_and(|source| source.path().to_string() == place.file)
        })?;
        Some(span_of(sources, id, place))
    });
    let reason = match (span, &error.place) {
        (None, Some(place)) => format!("a policy is refused: {} ({place})", error.message),
        _ => format!("a policy is refused: {}", error.message),
    };
    Failure { rule: None, span, reason, help: error.help }
}

/// Returns the place of an error in a text.
fn span_of(sources: &SourceMap, id: SourceId, place: &Place) -> Span {
    let Some(source) = sources.get(id) else { return Span::start_of(id) };
    let Some((start, end)) = source.line(place.line) else { return Span::start_of(id) };
    let line = source.text().get(start as usize..end as usize).unwrap_or_default();
    let before = line.chars().take((place.column as usize).saturating_sub(1));
    let before: usize = before.map(char::len_utf8).sum();
    let offset = start.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
    Span::new(id, offset, offset)
}
