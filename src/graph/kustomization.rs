//! A kustomization file, typed and with the place of every value.

mod decode;
mod fields;
mod reference;

pub(crate) use decode::{Field as DecodeField, Item, Reader};
pub use decode::{Pair, Pairs, Spanned, Text};
pub use fields::{
    FieldSpec, Generator, GeneratorOptions, HelmChart, HelmGlobals, HelmInflation, Image, Label,
    LegacySortOptions, Metadata, Patch, PatchOptions, Replacement, ReplacementOptions,
    ReplacementSource, ReplacementTarget, Replica, Selector, SortOptions, Var, VarField, VarObject,
};
pub use reference::{Reference, ReferenceUse, is_inline, is_remote};

use crate::document::{Document, Node};
use crate::load::{Dialect, Repository};
use crate::source::{KUSTOMIZATION_FILES, RepoPath, Span};

/// Something for which kustomize refuses a kustomization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Where it is.
    pub span: Span,
    /// What is wrong: one sentence, no final period.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Whether Flux, which reads the kustomization that it applies itself, passes over it.
    pub is_lenient: bool,
}

impl Defect {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, is_lenient: false }
    }

    /// The same, where Flux passes over it.
    pub(crate) fn lenient(span: Span, message: impl Into<String>) -> Self {
        Self { is_lenient: true, ..Self::new(span, message) }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What a kustomization is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// It renders objects of its own.
    #[default]
    Kustomization,
    /// It changes the objects of the kustomization that includes it.
    Component,
}

decode::records! {
    /// A kustomization or a component.
    Kustomization {
        /// `kustomize.config.k8s.io/v1beta1`, or `v1alpha1` for a component.
        "apiVersion" => api_version: Option<Text>,
        /// `Kustomization` or `Component`; see [`Kustomization::kind`].
        "kind" => kind_text: Option<Text>,
        /// Metadata, which nothing reads.
        "metadata" => metadata: Option<Metadata>,
        /// A schema for merge keys: `path` or `version`.
        "openapi" => openapi: Pairs,
        /// The text before every name.
        "namePrefix" => name_prefix: Option<Text>,
        /// The text after every name.
        "nameSuffix" => name_suffix: Option<Text>,
        /// The namespace of every object.
        "namespace" => namespace: Option<Text>,
        /// Labels for every object, template and selector.
        "commonLabels" => common_labels: Pairs,
        /// Labels for every object.
        "labels" => labels: Vec<Label>,
        /// Annotations for every object and template.
        "commonAnnotations" => common_annotations: Pairs,
        /// Strategic merge patches, inline or in files (deprecated).
        "patchesStrategicMerge" => patches_strategic_merge: Vec<Text>,
        /// JSON 6902 patches (deprecated).
        "patchesJson6902" => patches_json6902: Vec<Patch>,
        /// Patches of either form.
        "patches" => patches: Vec<Patch>,
        /// New names, tags and digests of images.
        "images" => images: Vec<Image>,
        /// The same (deprecated).
        "imageTags" => image_tags: Vec<Image>,
        /// Values copied from object to object.
        "replacements" => replacements: Vec<Replacement>,
        /// Numbers of replicas.
        "replicas" => replicas: Vec<Replica>,
        /// Values for `$(NAME)` (deprecated).
        "vars" => vars: Vec<Var>,
        /// The order of the objects.
        "sortOptions" => sort_options: Option<SortOptions>,
        /// Files, folders and URLs of objects.
        "resources" => resources: Vec<Text>,
        /// Folders of components.
        "components" => components: Vec<Text>,
        /// Definitions of custom resources.
        "crds" => crds: Vec<Text>,
        /// More folders of objects (deprecated).
        "bases" => bases: Vec<Text>,
        /// Generated `ConfigMap`s.
        "configMapGenerator" => config_map_generator: Vec<Generator>,
        /// Generated Secrets.
        "secretGenerator" => secret_generator: Vec<Generator>,
        /// What holds for all Helm charts.
        "helmGlobals" => helm_globals: Option<HelmGlobals>,
        /// Helm charts to inflate.
        "helmCharts" => helm_charts: Vec<HelmChart>,
        /// The same (deprecated).
        "helmChartInflationGenerator" => helm_inflations: Vec<HelmInflation>,
        /// What all generated objects get.
        "generatorOptions" => generator_options: Option<GeneratorOptions>,
        /// Files that add to the tables of fields.
        "configurations" => configurations: Vec<Text>,
        /// Files of generators.
        "generators" => generators: Vec<Text>,
        /// Files of transformers.
        "transformers" => transformers: Vec<Text>,
        /// Files of validators.
        "validators" => validators: Vec<Text>,
        /// What kustomize notes in the objects that it renders.
        "buildMetadata" => build_metadata: Vec<Text>,
    }
}

impl Kustomization {
    /// Reads a kustomization; what kustomize would refuse is left out and reported.
    pub fn read(document: &Document) -> (Self, Vec<Defect>) {
        let mut reader = Reader::default();
        let read = <Self as Item>::read("", &document.root, &mut reader);
        let kustomization = read.unwrap_or_else(|| Self::empty(document.span));
        if reader.defects.is_empty() {
            kustomization.enforce(&document.root, &mut reader.defects);
        }
        (kustomization, reader.defects)
    }

    /// Returns what the kustomization is.
    pub fn kind(&self) -> Kind {
        match self.kind_text.as_ref().map(Text::as_str) {
            Some("Component") => Kind::Component,
            _ => Kind::Kustomization,
        }
    }

    /// Checks what kustomize checks after decoding (`EnforceFields`, `CheckEmpty`).
    fn enforce(&self, root: &Node, defects: &mut Vec<Defect>) {
        let kind = self.kind_text.as_ref().filter(|kind| !kind.is_empty());
        if let Some(kind) =
            kind.filter(|kind| !matches!(&*kind.text, "Kustomization" | "Component"))
        {
            let message = format!("the kind `{}` is not one of kustomize", kind.text);
            defects.push(
                Defect::new(kind.span, message)
                    .with_help("set `kind: Kustomization` or `kind: Component`"),
            );
        }
        let expected = match self.kind() {
            Kind::Kustomization => "kustomize.config.k8s.io/v1beta1",
            Kind::Component => "kustomize.config.k8s.io/v1alpha1",
        };
        if let Some(version) =
            self.api_version.as_ref().filter(|it| !it.is_empty() && &*it.text != expected)
        {
            let message = format!("the API version `{}` is not kustomize's", version.text);
            defects.push(
                Defect::new(version.span, message)
                    .with_help(format!("set `apiVersion: {expected}`, or leave it out")),
            );
        }
        for generator in &self.config_map_generator {
            if let Some(type_) = &generator.type_ {
                let message = "`configMapGenerator` has no field `type`";
                defects.push(
                    Defect::new(type_.span, message)
                        .with_help("use `secretGenerator` for a Secret"),
                );
            }
        }
        let blank = |node: &Node| {
            node.is_null()
                || node.as_str() == Some("")
                || (node.entries().is_empty() && node.is_mapping())
        };
        let is_empty = root.entries().iter().all(|entry| {
            let key = &*entry.key;
            key.eq_ignore_ascii_case("apiVersion")
                || key.eq_ignore_ascii_case("kind")
                || blank(&entry.value)
        });
        if is_empty && defects.is_empty() {
            defects.push(Defect::lenient(root.span, "the kustomization is empty").with_help(
                "list something under `resources`, or remove the file and what refers to it",
            ));
        }
    }
}

/// The kustomization file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    None,
    /// There is one.
    One(RepoPath),
    /// There are several, which kustomize refuses.
    Several(Vec<RepoPath>),
}

/// Returns the kustomization file of a folder.
pub fn find(repository: &Repository, folder: &RepoPath) -> Found {
    let mut paths: Vec<RepoPath> = KUSTOMIZATION_FILES
        .iter()
        .filter_map(|name| folder.join(name))
        .filter(|path| repository.file(path).is_some())
        .collect();
    match (paths.len(), paths.pop()) {
        (0, _) | (_, None) => Found::None,
        (1, Some(path)) => Found::One(path),
        (_, Some(last)) => {
            paths.push(last);
            Found::Several(paths)
        }
    }
}

/// Reads a kustomization file; `None` where the repository has no such file.
///
/// The result is what could be read and everything for which kustomize would refuse it. Like
/// kustomize, this reads the first document only.
pub fn read(repository: &Repository, path: &RepoPath) -> Option<(Kustomization, Vec<Defect>)> {
    let file = repository.file(path)?;
    let parsed = repository.parsed(path, Dialect::Kubectl)?;
    let start = Span::start_of(file.source);
    if let Some(problem) = parsed.problems.iter().find(|problem| problem.is_fatal()) {
        let defect = Defect {
            help: problem.help.clone(),
            ..Defect::new(problem.span, problem.message.clone())
        };
        let read = parsed.documents.first().map(Kustomization::read);
        let kustomization = read.map_or_else(|| Kustomization::empty(start), |(read, _)| read);
        return Some((kustomization, vec![defect]));
    }
    Some(match parsed.documents.first() {
        Some(document) => Kustomization::read(document),
        None => (
            Kustomization::empty(start),
            vec![Defect::lenient(start, "the kustomization is empty").with_help(
                "list something under `resources`, or remove the file and what refers to it",
            )],
        ),
    })
}

#[cfg(test)]
mod tests;
