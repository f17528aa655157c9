//! The way through a tree of kustomizations, in kustomize's order.
//!
//! In each: resources, generators, components, then the transformers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Cache;
use super::budget::{Budget, Spent, VALUES};
use super::config::Config;
use super::files::{self, Files};
use super::notes::Notes;
use super::object::{Id, Object};
use super::openapi::Definitions;
use super::schema::{self, Schemas};
use super::variables::{self, Variables};
use crate::graph::kustomization::{self, Kind, Kustomization, Text, is_remote};
use crate::load::Repository;
use crate::render::{Gap, GapKind, RenderError};
use crate::source::{KUSTOMIZATION_FILES, RepoPath, SourceMap, Span};

mod steps;

type Result<T> = std::result::Result<T, RenderError>;

/// How deep kustomizations may refer to each other.
const DEPTH: usize = 50;

/// How many kustomizations one render may go through, each counted as often as it is used.
const VISITS: usize = 20_000;

/// How many objects one render may have.
const OBJECTS: usize = 50_000;

/// What has been put together so far: kustomize's `ResAccumulator`.
#[derive(Debug, Clone)]
pub(super) struct Accumulated {
    pub(super) objects: Vec<Object>,
    pub(super) config: Arc<Config>,
    pub(super) variables: Variables,
    pub(super) gaps: Vec<Gap>,
    pub(super) read: BTreeSet<RepoPath>,
    /// The ids of the objects, while nothing but adding is done.
    ids: Option<BTreeSet<Id>>,
    cost: Cost,
    /// Whether kustomize's own schemas were asked for on the way.
    asks_schemas: bool,
}

/// What it takes to put a kustomization together, so that one that is kept costs the same.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    spent: Spent,
    /// The kustomizations that were gone through, this one included.
    visits: usize,
    /// The levels of kustomizations below this one.
    height: usize,
}

impl Accumulated {
    fn new() -> Self {
        Self {
            objects: Vec::new(),
            config: Config::empty(),
            variables: Variables::new(),
            gaps: Vec::new(),
            read: BTreeSet::new(),
            ids: None,
            cost: Cost::default(),
            asks_schemas: false,
        }
    }

    /// Returns the number of values in the objects.
    pub(super) fn size(&self) -> usize {
        self.objects.iter().map(|object| object.size).sum()
    }

    /// Adds objects; two of the same id are an error.
    fn append(&mut self, more: Vec<Object>, reference: &Text, sources: &SourceMap) -> Result<()> {
        let more_values: usize = more.iter().map(|object| object.size).sum();
        if self.objects.len() + more.len() > OBJECTS || self.size() + more_values > VALUES {
            return Err(RenderError::broken(
                reference.span,
                format!("the render has more than {OBJECTS} objects or {VALUES} values"),
            ));
        }
        let objects = &mut self.objects;
        let ids = self.ids.get_or_insert_with(|| objects.iter().map(Object::id).collect());
        for object in more {
            let id = object.id();
            if ids.contains(&id) {
                let first = objects.iter().find(|object| object.id() == id);
                let place = first.map(|first| sources.location(first.node.span));
                let place = place
                    .map(|at| format!(" from line {} of `{}`", at.start.line, at.path))
                    .unwrap_or_default();
                let text = shown_text(reference);
                let message = format!("`{text}` brings {id}, which is there already{place}");
                return Err(RenderError::broken(reference.span, message)
                    .with_help("remove one of the two, or make it a patch"));
            }
            ids.insert(id);
            objects.push(object);
        }
        Ok(())
    }

    /// Says whether something that is looked for in vain may lie in what is left out.
    fn is_tolerant(&self) -> bool {
        !self.gaps.is_empty()
    }
}

/// One render on its way.
pub(super) struct Build<'a> {
    pub(super) repository: &'a Repository,
    pub(super) cache: &'a Cache,
    /// The folders on the way to the current one.
    stack: Vec<RepoPath>,
    /// The most folders that were on the way since this was last looked at.
    deepest: usize,
    visits: usize,
    pub(super) budget: Budget,
    /// What is noted in the objects, where that is asked for.
    notes: Option<Notes>,
    schemas: Schemas,
    /// Whether a kustomization has said which schemas are in force; only the first one counts.
    is_schema_set: bool,
    /// How often kustomize's own schemas were asked for.
    schema_asks: usize,
}

impl<'a> Build<'a> {
    pub(super) fn new(repository: &'a Repository, cache: &'a Cache) -> Self {
        Self {
            repository,
            cache,
            stack: Vec::new(),
            deepest: 0,
            visits: 0,
            budget: Budget::default(),
            notes: None,
            schemas: Schemas::default(),
            is_schema_set: false,
            schema_asks: 0,
        }
    }

    /// Puts together what a kustomization says, into an empty accumulator.
    pub(super) fn root(
        &mut self,
        folder: &RepoPath,
        file: Option<&RepoPath>,
        kustomization: &Kustomization,
    ) -> Result<Accumulated> {
        let mut out = Accumulated::new();
        out.read.extend(file.cloned());
        self.enter(folder, kustomization.span)?;
        let name = file.map_or("kustomization.yaml", RepoPath::name);
        self.notes = Notes::new(&kustomization.build_metadata, name);
        self.schema(&mut out, folder, kustomization)?;
        self.target(&mut out, folder, kustomization)?;
        self.stack.pop();
        Ok(out)
    }

    fn enter(&mut self, folder: &RepoPath, span: Span) -> Result<()> {
        self.visits += 1;
        if self.visits > VISITS {
            let message = format!("the render goes through more than {VISITS} kustomizations");
            return Err(RenderError::broken(span, message));
        }
        if self.stack.len() >= DEPTH {
            let message =
                format!("kustomizations refer to each other over more than {DEPTH} levels");
            return Err(RenderError::broken(span, message));
        }
        // kustomize refuses a folder above one that it came through, whatever is in it.
        if let Some(before) = self.stack.iter().find(|before| before.is_within(folder)) {
            let message = if before == folder {
                format!("`{}` refers to itself, over any number of steps", files::shown(folder))
            } else {
                format!(
                    "`{}` holds `{}`, which refers to it",
                    files::shown(folder),
                    files::shown(before)
                )
            };
            return Err(RenderError::broken(span, message)
                .with_help("kustomizations must not refer to each other in a circle"));
        }
        self.stack.push(folder.clone());
        self.deepest = self.deepest.max(self.stack.len());
        Ok(())
    }

    fn target(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        for resource in kustomization.resources.iter().chain(&kustomization.bases) {
            self.resource(out, folder, resource)?;
        }
        self.configure(out, folder, kustomization)?;
        self.generate(out, folder, kustomization)?;
        for component in &kustomization.components {
            self.component(out, folder, component)?;
        }
        self.transform(out, folder, kustomization)?;
        self.validate(out, folder, kustomization)?;
        variables::define(&mut out.objects, &mut out.variables, &kustomization.vars)?;
        Ok(())
    }

    fn files<'f>(&'f mut self, out: &'f mut Accumulated, folder: &'f RepoPath) -> Files<'f>
    where
        'a: 'f,
    {
        Files {
            repository: self.repository,
            folder,
            restrictor: self.cache.restrictor,
            read: &mut out.read,
            gaps: &mut out.gaps,
            budget: &mut self.budget,
            schemas: self.schemas.clone(),
        }
    }

    /// Adds a file or a folder of objects.
    fn resource(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        reference: &Text,
    ) -> Result<()> {
        let joined =
            self.repository.join(folder, &reference.text).filter(|_| !reference.is_empty());
        match joined {
            Some(path) if self.repository.file(&path).is_some() => {
                let mut files = self.files(out, folder);
                files.permit(&path, reference.span)?;
                let mut objects = files.objects(&path, reference.span)?;
                if let Some(notes) = &self.notes {
                    notes.loaded(&mut objects, &reference.text);
                }
                self.schema_asks += usize::from(asks_schemas(&objects));
                out.append(objects, reference, self.repository.sources())
            }
            Some(path) if self.repository.is_folder(&path) => {
                let base = self.base(&path, reference)?;
                out.read.extend(base.read.iter().cloned());
                out.gaps.extend(base.gaps.iter().cloned());
                out.append(base.objects.clone(), reference, self.repository.sources())?;
                out.config = Config::merge(&out.config, &base.config, reference.span)?;
                variables::merge(&mut out.variables, base.variables.clone())
            }
            path => not_here(self.repository, reference, path.as_ref(), out),
        }
    }

    /// Puts together another kustomization, once for all that use it.
    fn base(&mut self, folder: &RepoPath, reference: &Text) -> Result<Arc<Accumulated>> {
        // What an outer kustomization says about notes and schemas changes the ones below it.
        let is_shared = self.notes.is_none() && !self.is_schema_set;
        if is_shared
            && let Some(known) = self.cache.get(folder)
            && self.can_use(&known)
        {
            self.schema_asks += usize::from(known.asks_schemas);
            return Ok(known);
        }
        self.enter(folder, reference.span)?;
        let (visits, budget, deepest) = (self.visits, self.budget.clone(), self.deepest);
        self.deepest = self.stack.len();
        let asks = self.schema_asks;
        let mut out = self.build_base(folder, reference)?;
        out.asks_schemas = self.schema_asks > asks;
        out.cost = Cost {
            spent: self.budget.since(&budget),
            visits: 1 + self.visits - visits,
            height: self.deepest - self.stack.len(),
        };
        self.deepest = self.deepest.max(deepest);
        self.stack.pop();
        let out = Arc::new(out);
        if is_shared && !self.is_schema_set {
            self.cache.put(folder, &out);
        }
        Ok(out)
    }

    /// Says whether a kept kustomization can be taken as it is, and accounts for it.
    ///
    /// Where it would lead in a circle or over a limit, it is put together anew, so that the error
    /// is the same as without a cache.
    fn can_use(&mut self, known: &Accumulated) -> bool {
        let Cost { spent, visits, height } = known.cost;
        let deepest = self.stack.len() + 1 + height;
        let fits = self.visits + visits <= VISITS
            && deepest <= DEPTH
            && !self.stack.iter().any(|above| leads_to(known, above))
            && self.budget.spend(spent);
        if fits {
            self.visits += visits;
            self.deepest = self.deepest.max(deepest);
        }
        fits
    }

    fn build_base(&mut self, folder: &RepoPath, reference: &Text) -> Result<Accumulated> {
        let (file, kustomization) = self.load(folder, reference, Kind::Kustomization)?;
        let mut out = Accumulated::new();
        let notes = self.enter_notes(reference, &file);
        out.read.insert(file);
        self.schema(&mut out, folder, &kustomization)?;
        self.target(&mut out, folder, &kustomization)?;
        self.notes = notes;
        Ok(out)
    }

    /// Goes on to another kustomization with the notes; returns those of the current one.
    fn enter_notes(&mut self, reference: &Text, file: &RepoPath) -> Option<Notes> {
        let inner = self.notes.as_ref().map(|notes| notes.enter(&reference.text, file.name()));
        std::mem::replace(&mut self.notes, inner)
    }

    /// Takes over the schema of an `openapi` field, unless there is one already.
    fn schema(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let path = kustomization.openapi.get("path");
        let version = kustomization.openapi.get("version");
        let mut definitions = None;
        if let Some(path) = path
            && let Some(file) = self.files(out, folder).require(path)?
        {
            definitions = Some(self.definitions(&file, path)?);
        }
        if self.is_schema_set {
            return Ok(());
        }
        if let (Some(_), Some(version)) = (path, version) {
            return Err(RenderError::broken(
                version.span,
                "`openapi` has both a `path` and a `version`",
            )
            .with_help("keep one of the two"));
        }
        self.is_schema_set = path.is_some();
        if definitions.is_some() {
            let only_custom = self.schema_asks == 0;
            self.schemas = Schemas { custom: definitions, only_custom };
        }
        if let Some(version) = version.filter(|it| !it.is_empty()) {
            if &*version.text != schema::VERSION {
                let message = format!("kustomize has no schema of Kubernetes `{}`", version.text);
                return Err(RenderError::broken(version.span, message)
                    .with_help(format!("the only one that it has is `{}`", schema::VERSION)));
            }
            self.is_schema_set = true;
        }
        Ok(())
    }

    fn definitions(&self, file: &RepoPath, reference: &Text) -> Result<Arc<Definitions>> {
        if let Some(known) = self.cache.definitions(file) {
            return Ok(known);
        }
        let Some(root) = files::document(self.repository, file)? else {
            return Err(RenderError::broken(reference.span, "the schema is empty"));
        };
        let read = Arc::new(Definitions::read(root)?);
        self.cache.keep_definitions(file, &read);
        Ok(read)
    }

    /// Lets a component change what is there.
    fn component(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        reference: &Text,
    ) -> Result<()> {
        let joined =
            self.repository.join(folder, &reference.text).filter(|_| !reference.is_empty());
        match joined {
            Some(path) if self.repository.is_folder(&path) => {
                self.enter(&path, reference.span)?;
                let (file, kustomization) = self.load(&path, reference, Kind::Component)?;
                let notes = self.enter_notes(reference, &file);
                out.read.insert(file);
                self.schema(out, &path, &kustomization)?;
                self.target(out, &path, &kustomization)?;
                self.notes = notes;
                self.stack.pop();
                // kustomize puts all that a component leaves into a new accumulator.
                let objects = std::mem::take(&mut out.objects);
                out.ids = None;
                out.append(objects, reference, self.repository.sources())?;
                out.config = Config::merge(&Config::empty(), &out.config, reference.span)?;
                Ok(())
            }
            Some(path) if self.repository.file(&path).is_some() => Err(RenderError::broken(
                reference.span,
                format!("`{}` is a file, but a component is a folder", reference.text),
            )),
            path => not_here(self.repository, reference, path.as_ref(), out),
        }
    }

    fn load(
        &self,
        folder: &RepoPath,
        reference: &Text,
        expected: Kind,
    ) -> Result<(RepoPath, Kustomization)> {
        let (file, kustomization) = files::load(self.repository, folder, reference.span)?;
        if kustomization.kind() != expected {
            let (message, help) = match expected {
                Kind::Component => (
                    format!("`{}` is no component", reference.text),
                    "list it under `resources`, or set `kind: Component` in it",
                ),
                Kind::Kustomization => {
                    (format!("`{}` is a component", reference.text), "list it under `components`")
                }
            };
            return Err(RenderError::broken(reference.span, message).with_help(help));
        }
        Ok((file, kustomization))
    }
}

/// Notes a reference to another host as a gap, and refuses one that leads nowhere.
fn not_here(
    repository: &Repository,
    reference: &Text,
    path: Option<&RepoPath>,
    out: &mut Accumulated,
) -> Result<()> {
    if is_remote(&reference.text) {
        let text = reference.text.to_string();
        out.gaps.push(Gap { kind: GapKind::RemoteBase, span: reference.span, text });
        return Ok(());
    }
    Err(match path {
        None => files::outside(reference.span, &reference.text),
        Some(path) => {
            let what = "file or folder";
            files::missing(repository, reference.span, what, &reference.text, path)
        }
    })
}

/// Says whether kustomize asks its own schemas what the kinds of objects are.
fn asks_schemas(objects: &[Object]) -> bool {
    objects.iter().any(|object| !schema::is_known(&object.api_version(), &object.kind()))
}

/// Says whether a kustomization came through a folder or one above it.
fn leads_to(known: &Accumulated, folder: &RepoPath) -> bool {
    let mut folder = folder.clone();
    loop {
        let here = |name: &&str| folder.join(name).is_some_and(|path| known.read.contains(&path));
        if KUSTOMIZATION_FILES.iter().any(here) {
            return true;
        }
        if folder.is_root() {
            return false;
        }
        folder = folder.parent();
    }
}

/// Returns the reference as it is shown: YAML that stands inline is not.
fn shown_text(reference: &Text) -> &str {
    if kustomization::is_inline(&reference.text) { "the value" } else { &reference.text }
}
