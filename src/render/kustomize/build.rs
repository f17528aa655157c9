//! The way through a tree of kustomizations, in kustomize's order.
//!
//! In each: resources, generators, components, then the transformers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::budget::{Budget, Spent, VALUES};
use super::config::{self, Config};
use super::field::{self, Field, Kinds};
use super::files::{self, Files};
use super::object::{Id, Object, count};
use super::transform::{self, End, Subjects};
use super::variables::{self, Variables};
use super::{Cache, generate, image, inline, patch, plugin, replace};
use crate::graph::kustomization::{self, Kind, Kustomization, Text, is_remote};
use crate::load::{Dialect, Repository};
use crate::render::{Gap, GapKind, RenderError};
use crate::source::{KUSTOMIZATION_FILES, RepoPath, Span};

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
            config: Config::defaults(),
            variables: Variables::new(),
            gaps: Vec::new(),
            read: BTreeSet::new(),
            ids: None,
            cost: Cost::default(),
        }
    }

    /// Returns the number of values in the objects.
    pub(super) fn size(&self) -> usize {
        self.objects.iter().map(|object| object.size).sum()
    }

    /// Adds objects; two of the same id are an error.
    fn append(&mut self, more: Vec<Object>, reference: &Text) -> Result<()> {
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
                return Err(RenderError::broken(
                    reference.span,
                    format!("`{}` brings {id}, which is there already", shown_text(reference)),
                )
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
        refuse_unsupported(kustomization)?;
        for resource in kustomization.resources.iter().chain(&kustomization.bases) {
            self.resource(out, folder, resource)?;
        }
        self.configure(out, folder, kustomization)?;
        self.generate(out, folder, kustomization)?;
        for component in &kustomization.components {
            self.component(out, folder, component)?;
        }
        self.transform(out, folder, kustomization)?;
        if !kustomization.validators.is_empty() {
            for validator in self.plugins(out, folder, &kustomization.validators)? {
                out.gaps.push(Gap {
                    kind: GapKind::PluginNotRun,
                    span: validator.node.span,
                    text: validator.kind().to_string(),
                });
            }
        }
        variables::define(&mut out.objects, &mut out.variables, &kustomization.vars)?;
        for option in &kustomization.build_metadata {
            out.gaps.push(Gap {
                kind: GapKind::BuildMetadata,
                span: option.span,
                text: option.text.to_string(),
            });
        }
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
                let objects = files.objects(&path, reference.span)?;
                out.append(objects, reference)
            }
            Some(path) if self.repository.is_folder(&path) => {
                let base = self.base(&path, reference)?;
                out.read.extend(base.read.iter().cloned());
                out.gaps.extend(base.gaps.iter().cloned());
                out.append(base.objects.clone(), reference)?;
                out.config = Config::merge(&out.config, &base.config, reference.span)?;
                variables::merge(&mut out.variables, base.variables.clone())
            }
            path => not_here(reference, path.as_ref(), out),
        }
    }

    /// Puts together another kustomization, once for all that use it.
    fn base(&mut self, folder: &RepoPath, reference: &Text) -> Result<Arc<Accumulated>> {
        if let Some(known) = self.cache.get(folder)
            && self.can_use(&known)
        {
            return Ok(known);
        }
        self.enter(folder, reference.span)?;
        let (visits, budget, deepest) = (self.visits, self.budget.clone(), self.deepest);
        self.deepest = self.stack.len();
        let mut out = self.build_base(folder, reference)?;
        out.cost = Cost {
            spent: self.budget.since(&budget),
            visits: 1 + self.visits - visits,
            height: self.deepest - self.stack.len(),
        };
        self.deepest = self.deepest.max(deepest);
        self.stack.pop();
        let out = Arc::new(out);
        self.cache.put(folder, &out);
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
        out.read.insert(file);
        self.target(&mut out, folder, &kustomization)?;
        Ok(out)
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
                out.read.insert(file);
                self.target(out, &path, &kustomization)?;
                self.stack.pop();
                Ok(())
            }
            Some(path) if self.repository.file(&path).is_some() => Err(RenderError::broken(
                reference.span,
                format!("`{}` is a file, but a component is a folder", reference.text),
            )),
            path => not_here(reference, path.as_ref(), out),
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

    /// Adds the fields of `configurations`.
    fn configure(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        for reference in &kustomization.configurations {
            let mut files = self.files(out, folder);
            let Some(path) = files.require(reference)? else { continue };
            let Some(parsed) = self.repository.parsed(&path, Dialect::Kubectl) else { continue };
            if let Some(problem) = parsed.problems.iter().find(|problem| problem.is_fatal()) {
                return Err(RenderError::broken(problem.span, problem.message.clone()));
            }
            if let Some(document) = parsed.documents.first() {
                let mut config = Config::clone(&out.config);
                config.absorb(&Config::read(&document.root)?, reference.span)?;
                out.config = Arc::new(config);
            }
        }
        Ok(())
    }

    fn generate(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let tolerant = out.is_tolerant();
        out.ids = None;
        let mut objects = std::mem::take(&mut out.objects);
        let mut files = self.files(out, folder);
        let global = kustomization.generator_options.as_ref();
        for (kind, generators) in [
            (generate::Kind::ConfigMap, &kustomization.config_map_generator),
            (generate::Kind::Secret, &kustomization.secret_generator),
        ] {
            for generator in generators {
                let object = generate::generate(kind, generator, global, &mut files)?;
                files.budget.work(20 * objects.len(), generator.span)?;
                files.budget.grow(object.size, generator.span)?;
                generate::absorb(&mut objects, object, tolerant)?;
            }
        }
        for chart in &kustomization.helm_charts {
            files.gaps.push(plugin::chart_gap(chart));
        }
        for chart in &kustomization.helm_inflations {
            let name = chart.chart_name.as_ref();
            files.gaps.push(Gap {
                kind: GapKind::RemoteChart,
                span: name.map_or(chart.span, |name| name.span),
                text: name.map(|name| name.text.to_string()).unwrap_or_default(),
            });
        }
        out.objects = objects;
        if !kustomization.generators.is_empty() {
            let plugins = self.plugins(out, folder, &kustomization.generators)?;
            let tolerant = out.is_tolerant();
            let mut objects = std::mem::take(&mut out.objects);
            let mut files = self.files(out, folder);
            for generator in &plugins {
                plugin::run_generator(&mut objects, generator, &mut files, tolerant)?;
            }
            out.objects = objects;
        }
        Ok(())
    }

    /// Returns the configurations of plugins: inline, in files, or in folders.
    fn plugins(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        references: &[Text],
    ) -> Result<Vec<Object>> {
        let mut found = Accumulated::new();
        for reference in references {
            if kustomization::is_inline(&reference.text) {
                let sources = self.repository.sources();
                let parsed =
                    inline::parse(&reference.text, reference.span, sources, Dialect::Kustomize);
                let objects = files::objects(&parsed, reference.span)?;
                found.append(objects, reference)?;
            } else {
                self.resource(&mut found, folder, reference)?;
            }
        }
        out.read.append(&mut found.read);
        out.gaps.append(&mut found.gaps);
        Ok(found.objects)
    }

    fn transform(
        &mut self,
        out: &mut Accumulated,
        folder: &RepoPath,
        kustomization: &Kustomization,
    ) -> Result<()> {
        let tolerant = out.is_tolerant();
        let plugins = self.plugins(out, folder, &kustomization.transformers)?;
        let config = Arc::clone(&out.config);
        out.ids = None;
        let size = out.size();
        let mut objects = std::mem::take(&mut out.objects);
        let mut files = self.files(out, folder);
        for entry in &kustomization.patches_strategic_merge {
            patch::apply_strategic(&mut objects, entry, &mut files, tolerant)?;
        }
        for entry in &kustomization.patches {
            files.budget.work(size, entry.span)?;
            patch::apply(&mut objects, entry, &mut files, tolerant)?;
        }
        if let Some(namespace) = kustomization.namespace.as_ref().filter(|it| !it.is_empty()) {
            let subjects = Subjects::Default;
            transform::namespace(&mut objects, namespace, &config.namespace, subjects, false)?;
        }
        if let Some(prefix) = &kustomization.name_prefix {
            transform::affix(&mut objects, prefix, End::Prefix, &config.name_prefix)?;
        }
        if let Some(suffix) = &kustomization.name_suffix {
            transform::affix(&mut objects, suffix, End::Suffix, &config.name_suffix)?;
        }
        for label in &kustomization.labels {
            let fields = label_fields(label, &config)?;
            transform::entries(&mut objects, &label.pairs, &fields, files.budget)?;
        }
        let labels = &kustomization.common_labels;
        transform::entries(&mut objects, labels, &config.common_labels, files.budget)?;
        let annotations = &kustomization.common_annotations;
        transform::entries(&mut objects, annotations, &config.common_annotations, files.budget)?;
        for entry in &kustomization.patches_json6902 {
            files.budget.work(size, entry.span)?;
            patch::apply_json(&mut objects, entry, &mut files)?;
        }
        for replica in &kustomization.replicas {
            files.budget.work(size, replica.span)?;
            let found = transform::replicas(&mut objects, replica, &config.replicas)?;
            if !found && !tolerant {
                return Err(plugin::no_replica(replica));
            }
        }
        for change in kustomization.images.iter().chain(&kustomization.image_tags) {
            files.budget.work(size, change.span)?;
            image::transform(&mut objects, change, &config.images)?;
        }
        replace::apply(&mut objects, &kustomization.replacements, &mut files, tolerant)?;
        for transformer in &plugins {
            files.budget.work(size, transformer.node.span)?;
            plugin::run_transformer(&mut objects, transformer, &mut files, tolerant)?;
            objects.retain(|object| !object.is_empty());
        }
        objects.retain(|object| !object.is_empty());
        for object in &mut objects {
            object.size = count(&object.node);
        }
        out.objects = objects;
        Ok(())
    }
}

/// Notes a reference to another host as a gap, and refuses one that leads nowhere.
fn not_here(reference: &Text, path: Option<&RepoPath>, out: &mut Accumulated) -> Result<()> {
    if is_remote(&reference.text) {
        let text = reference.text.to_string();
        out.gaps.push(Gap { kind: GapKind::RemoteBase, span: reference.span, text });
        return Ok(());
    }
    Err(match path {
        None => files::outside(reference.span, &reference.text),
        Some(path) => files::missing(reference.span, &reference.text, path),
    })
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

/// Returns the fields that an entry of `labels` sets.
fn label_fields(label: &kustomization::Label, config: &Config) -> Result<Vec<Field>> {
    let text = |text: &Option<Text>| {
        text.as_ref().map_or_else(|| Arc::from(""), |text| Arc::clone(&text.text))
    };
    let on = |flag: &Option<kustomization::Spanned<bool>>| flag.is_some_and(|it| it.value);
    let mut fields: Vec<Field> = label
        .fields
        .iter()
        .map(|spec| {
            let kinds = Kinds {
                group: text(&spec.group),
                version: text(&spec.version),
                kind: text(&spec.kind),
            };
            Field::new(kinds, &text(&spec.path), on(&spec.create))
        })
        .collect();
    config::add_all(&mut fields, &config.labels, label.span)?;
    if on(&label.include_selectors) {
        config::add_all(&mut fields, &config.common_labels, label.span)?;
    } else {
        if on(&label.include_templates) {
            config::add_all(&mut fields, &config.template_labels, label.span)?;
        }
        let metadata = Field::new(Kinds::default(), "metadata/labels", true);
        // A conflict here would be one with a field that the entry itself names.
        if field::add(&mut fields, metadata).is_err() {
            return Err(RenderError::broken(
                label.span,
                "the entry names `metadata/labels` as a field that is not to be created",
            ));
        }
    }
    Ok(fields)
}

/// Returns the reference as it is shown: YAML that stands inline is not.
fn shown_text(reference: &Text) -> &str {
    if kustomization::is_inline(&reference.text) { "the value" } else { &reference.text }
}

fn refuse_unsupported(kustomization: &Kustomization) -> Result<()> {
    if let Some(crd) = kustomization.crds.first() {
        return Err(RenderError::unsupported(crd.span, "`crds` is not supported")
            .with_help("list the fields under `configurations` instead"));
    }
    if let Some(path) = kustomization.openapi.get("path") {
        return Err(RenderError::unsupported(path.span, "an `openapi` schema is not supported"));
    }
    Ok(())
}
