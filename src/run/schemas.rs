//! The schemas that users bring, as sources of the schema check.
//!
//! A check reads no file. For a repository the kinds are known before anything is judged, so their
//! schemas are found and compiled then. A gate is asked about kinds that nobody knows beforehand,
//! so it holds every file of its locations and compiles a schema when it is first asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use serde_json::Value;

use crate::check::KindScope;
use crate::check::schema::{
    self, Answer, Authority, Beside, Definitions, Found, JsonSchema, SchemaSource, Sources, Wanted,
};
use crate::discover::{
    FoundSchema, SchemaFile, SchemaFiles, SchemaForm, SchemaLocation, SchemaWanted,
};
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding};
use crate::load::{self, Dialect, Limits, Parsed, ProblemKind};
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// How many kinds are remembered that were not known beforehand. A cluster has some hundred.
const KINDS: usize = 10_000;

/// A place with schemas, and where it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemaPlace {
    pub(super) location: SchemaLocation,
    /// Its files: all of the disk, or those that were read beforehand.
    pub(super) files: SchemaFiles,
    /// The folder that its paths are shown without.
    pub(super) folder: PathBuf,
    /// Where the configuration names it.
    pub(super) span: Option<Span>,
}

/// A kind, in one version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) kubernetes: KubernetesVersion,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) name: String,
}

/// The sources of some places, before and after the schemas of the program itself.
#[derive(Debug, Default)]
pub(super) struct UserSources {
    /// Those that are asked first.
    pub(super) before: Vec<Arc<dyn SchemaSource>>,
    /// Those that come after the embedded schemas, which the user has named before them.
    pub(super) after: Vec<Arc<dyn SchemaSource>>,
}

impl UserSources {
    /// Returns the sources of some places, in their order.
    ///
    /// Those in `own` are asked before all of them. With `kinds`, their schemas are found now, each
    /// in the places that are asked for it, and others never; without, each when it is asked for.
    pub(super) fn new(
        places: Vec<SchemaPlace>,
        kinds: Option<&BTreeSet<Kind>>,
        own: &[Arc<dyn SchemaSource>],
    ) -> Result<Self, String> {
        let mut sources = Self::default();
        let mut embedded = None;
        for place in places {
            if place.location.is_embedded() && embedded.is_none() {
                embedded = Some(Sources::default());
            }
            let asked_before = || own.iter().chain(&sources.before).chain(&sources.after);
            let unknown = |kind: &&Kind| {
                let wanted = kind.wanted();
                !asked_before().any(|it| it.lookup(&wanted).is_some())
                    && !embedded.as_ref().is_some_and(|it| it.knows(&wanted))
            };
            let kinds = kinds.map(|kinds| kinds.iter().filter(unknown).collect());
            let source = Arc::new(UserSource::new(place, kinds)?);
            if embedded.is_some() { &mut sources.after } else { &mut sources.before }.push(source);
        }
        Ok(sources)
    }
}

impl Kind {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            kubernetes: self.kubernetes,
            environment: None,
            group: &self.group,
            version: &self.version,
            kind: &self.name,
        }
    }
}

/// Returns a finding for each place that lies on another host, which is not read.
pub(super) fn remote(places: &[SchemaPlace]) -> Vec<Finding> {
    let meta = schema::remote_schema();
    let is_read = |it: &SchemaFiles| it.has_cache() || it.has_network();
    let remote = places.iter().filter(|place| place.location.is_remote() && !is_read(&place.files));
    remote
        .filter_map(|place| {
            let text = place.location.text();
            let message = format!("`{text}` lies on another host, so its schemas are not read");
            Some(Finding::new(&meta, place.span?, message))
        })
        .collect()
}

/// The schemas of one place.
#[derive(Debug)]
struct UserSource {
    reader: Reader,
    definitions: Definitions,
    /// What was found, or was not, of the kinds that were known beforehand.
    found: BTreeMap<Kind, Option<Found<'static>>>,
    /// What is found, or is not, of others when they are asked for; `None` where none are.
    later: Option<Mutex<BTreeMap<Kind, Option<Found<'static>>>>>,
}

/// Finds and compiles schemas.
#[derive(Debug)]
struct Reader {
    place: SchemaPlace,
    authority: Authority,
    /// Documents that several schemas need.
    shared: Arc<Mutex<BTreeMap<PathBuf, Arc<Value>>>>,
}

impl UserSource {
    fn new(place: SchemaPlace, kinds: Option<Vec<&Kind>>) -> Result<Self, String> {
        let definitions = definitions(&place)?;
        let authority = Authority::User(place.location.text().into());
        let reader = Reader { place, authority, shared: Arc::default() };
        let later = kinds.is_none().then(Mutex::default);
        let found: BTreeMap<_, _> = kinds
            .unwrap_or_default()
            .into_par_iter()
            .map(|kind| (kind.clone(), reader.find(kind)))
            .collect();
        Ok(Self { reader, definitions, found, later })
    }
}

impl SchemaSource for UserSource {
    fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>> {
        if let Some(answer) = self.definitions.lookup(wanted) {
            return Some(answer);
        }
        let kind = Kind {
            kubernetes: wanted.kubernetes,
            group: wanted.group.to_owned(),
            version: wanted.version.to_owned(),
            name: wanted.kind.to_owned(),
        };
        let found = match (self.found.get(&kind), &self.later) {
            (Some(found), _) => found.clone(),
            (None, None) => None,
            (None, Some(later)) => {
                // A thread that panicked while it held the lock left a map that is whole.
                let known = || later.lock().unwrap_or_else(PoisonError::into_inner);
                let before = known().get(&kind).cloned();
                before.unwrap_or_else(|| {
                    let found = self.reader.find(&kind);
                    let mut known = known();
                    if known.len() < KINDS {
                        known.insert(kind, found.clone());
                    }
                    found
                })
            }
        };
        Some(Answer { found: found?, authority: self.reader.authority.clone() })
    }

    fn scope(&self, wanted: &Wanted<'_>) -> Option<KindScope> {
        self.definitions.scope(wanted)
    }

    fn known(&self, group: &str, kind: Option<&str>) -> Vec<(String, String)> {
        self.definitions.known(group, kind)
    }
}

impl Reader {
    fn find(&self, kind: &Kind) -> Option<Found<'static>> {
        let Kind { kubernetes, group, version, name: kind } = kind;
        let minor = kubernetes.to_string();
        let built_in = schema::served(group, version, kind).is_some();
        let wanted = SchemaWanted {
            kubernetes: &minor,
            // A custom resource has no version of Kubernetes, and what is newest is the master.
            master: !built_in || *kubernetes == schema::newest(),
            group,
            version,
            kind,
        };
        match self.place.location.find(&self.place.files, &wanted) {
            Ok(None) => None,
            Ok(Some(found)) => match self.compile(&found, &wanted) {
                Ok(schema) => Some(Found::Other(Arc::new(schema?))),
                Err(reason) => {
                    let name = self.name(&found.file.path);
                    Some(self.unusable(format!("the schema `{name}` cannot be used: {reason}")))
                }
            },
            Err(reason) if self.place.location.is_address() => Some(self.unusable(reason)),
            Err(reason) => Some(self.unusable(format!("a schema cannot be read: {reason}"))),
        }
    }

    fn unusable(&self, reason: String) -> Found<'static> {
        if !self.place.location.is_address() {
            return Found::unusable(reason);
        }
        let (rule, span) = (Some(schema::remote_schema().id), self.place.span);
        Found::Unusable(Box::new(Failure { rule, span, reason, help: None }))
    }

    fn name(&self, path: &Path) -> String {
        name(&self.place, path)
    }

    /// Compiles what was found; `None` where it does not know the kind after all.
    fn compile(
        &self,
        found: &FoundSchema,
        wanted: &SchemaWanted<'_>,
    ) -> Result<Option<JsonSchema>, String> {
        match found.form {
            SchemaForm::JsonSchema => {
                let schema = parsed(&found.file.bytes)?;
                // kubeconform passes over it.
                if schema.is_null() {
                    return Ok(None);
                }
                JsonSchema::compile(schema, self.beside(found)).map(Some)
            }
            SchemaForm::OpenApi => {
                let document = shared(&self.shared, &found.file)?;
                let SchemaWanted { group, version, kind, .. } = *wanted;
                let schema = schema::schema_of(&document, group, version, kind);
                schema.map(JsonSchema::compile_open_api).transpose()
            }
        }
    }

    /// Returns what reads the documents beside a schema.
    fn beside(&self, found: &FoundSchema) -> Beside {
        let path = &found.file.path;
        let folder = path.parent().unwrap_or(path).to_owned();
        let published = found.address.as_ref().and_then(|it| it.rsplit_once('/'));
        let published = published.map(|(folder, _)| folder.to_owned());
        let files = self.place.files.clone();
        let known = Arc::clone(&self.shared);
        Arc::new(move |name| {
            let file = match &published {
                Some(folder) => files.at(&format!("{folder}/{name}"))?,
                None => files.read(&folder.join(name))?,
            };
            match file {
                Some(file) => shared(&known, &file)
                    .map_err(|reason| format!("`{name}` beside it cannot be read: {reason}")),
                None => Err(format!("`{name}` is not beside it")),
            }
        })
    }
}

/// Parses a document once.
fn shared(
    known: &Mutex<BTreeMap<PathBuf, Arc<Value>>>,
    file: &SchemaFile,
) -> Result<Arc<Value>, String> {
    let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let before = known().get(&file.path).cloned();
    if let Some(document) = before {
        return Ok(document);
    }
    let document = Arc::new(parsed(&file.bytes)?);
    Ok(Arc::clone(known().entry(file.path.clone()).or_insert(document)))
}

/// Parses JSON; the error names the line and the column.
fn parsed(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| told(&error))
}

fn told(error: &serde_json::Error) -> String {
    format!("it is not JSON: {error}")
}

/// Returns what is wrong with the JSON files among those that were read beforehand.
pub(super) fn broken(place: &SchemaPlace, files: &[SchemaFile]) -> Option<String> {
    let is_json = |file: &&SchemaFile| file.path.extension().is_some_and(|it| it == "json");
    files.iter().filter(is_json).find_map(|file| {
        let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
        let error = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err()?;
        let (name, reason) = (name(place, &file.path), told(&error));
        Some(format!("the schema `{name}` cannot be used: {reason}"))
    })
}

fn name(place: &SchemaPlace, path: &Path) -> String {
    path.strip_prefix(&place.folder).unwrap_or(path).display().to_string()
}

/// Reads the definitions of custom resources that lie at a place.
fn definitions(place: &SchemaPlace) -> Result<Definitions, String> {
    let mut definitions = Definitions::default();
    for file in place.location.definitions(&place.files)? {
        let name = name(place, &file.path);
        let mut sources = SourceMap::default();
        let source = Source::new(RepoPath::outside(&file.path), Origin::File, file.bytes);
        let id = sources.add(source);
        let Some(source) = sources.get(id) else { continue };
        let parsed = Parsed::of(source, id, Dialect::Kubectl, &Limits::default());
        let unread = |it: &&load::Problem| {
            matches!(it.kind, ProblemKind::Syntax | ProblemKind::Limit | ProblemKind::Encoding)
        };
        if let Some(problem) = parsed.problems.iter().find(unread) {
            let start = sources.location(problem.span).start;
            return Err(format!(
                "`{name}:{}:{}` cannot be read: {}",
                start.line, start.column, problem.message
            ));
        }
        let authority = Authority::User(name.into());
        for document in &parsed.documents {
            for object in load::objects(document) {
                let document = &object.document;
                let object = document.object.as_ref();
                definitions.add(None, authority.clone(), object, &document.root);
            }
        }
    }
    Ok(definitions)
}
