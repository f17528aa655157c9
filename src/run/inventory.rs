//! What was judged and what was not, file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Options;
use super::objects::Reviews;
use super::repository::Read;
use crate::check::SchemaUse;
use crate::check::schema::Authority;
use crate::config::Settings;
use crate::document::{Document, FieldPath, Node, NodeKind, ObjectRef, Step};
use crate::environment::{Environment, Tier};
use crate::finding::Finding;
use crate::graph::{Graph, Role};
use crate::judge::{
    JudgedEnvironment, JudgedFile, JudgedKind, NotJudged, OtherDocument, Summary,
    UNKNOWN_ENVIRONMENT,
};
use crate::load::{self, Dialect, Repository};
use crate::rule::{Registry, closest};
use crate::source::{RepoPath, SourceId, Span};

/// Tells the object, the field and the environments of a place, for findings of texts.
#[derive(Debug)]
pub(super) struct Places<'run> {
    documents: BTreeMap<SourceId, &'run [Document]>,
    environments: BTreeMap<SourceId, BTreeSet<Arc<str>>>,
}

impl<'run> Places<'run> {
    pub(super) fn new(repository: &'run Repository, reviews: &Reviews<'_>) -> Self {
        let mut places = Self { documents: BTreeMap::new(), environments: BTreeMap::new() };
        for (read, environments) in &reviews.rendered {
            for path in read {
                places.add(repository, path, environments);
            }
        }
        for (path, environments) in &reviews.plain {
            places.add(repository, path, environments);
        }
        for (path, file) in repository.files() {
            if let Some(documents) = parsed_before(repository, path) {
                places.documents.insert(file.source, documents);
            }
        }
        places
    }

    fn add(&mut self, repository: &Repository, path: &RepoPath, in_: &[Arc<Environment>]) {
        let Some(file) = repository.file(path) else { return };
        let names = self.environments.entry(file.source).or_default();
        names.extend(in_.iter().map(|environment| Arc::clone(&environment.name)));
    }

    /// Adds the object, the field and the environments to a finding that knows none of them.
    pub(super) fn complete(&self, finding: &mut Finding) {
        let span = finding.primary.span;
        if finding.object.is_none()
            && finding.rule.category() == "secrets"
            && let Some((object, path)) = self.field(span)
        {
            finding.object = Some(object);
            finding.path = path;
        }
        if finding.environments.is_empty()
            && let Some(names) = self.environments.get(&span.source)
        {
            finding.environments.clone_from(names);
        }
    }

    /// Returns the object, be it an item of a list, and the field that a place belongs to.
    fn field(&self, span: Span) -> Option<(ObjectRef, FieldPath)> {
        let is_in = |it: Span| it.start <= span.start && span.end <= it.end;
        let document = self.documents.get(&span.source)?.iter().find(|it| is_in(it.span))?;
        load::objects(document)
            .into_iter()
            .map(|it| it.document)
            .find(|it| is_in(it.span))
            .and_then(|it| Some((it.object.clone()?, field_at(&it.root, span.start))))
            // A kustomization is no object, and rarely has a name to show.
            .filter(|(object, _)| !object.name.is_empty())
    }
}

/// Returns the field whose key or value stands at a place; the object itself for a comment.
fn field_at(root: &Node, offset: u32) -> FieldPath {
    let path = root.path_at(offset);
    let mut node = Some(root);
    for step in path.iter() {
        node = node.and_then(|node| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        });
    }
    let between =
        |node: &Node| !matches!(node.kind, NodeKind::Scalar(_)) && holds(node.span, offset);
    if node.is_some_and(between) { FieldPath::root() } else { path }
}

fn holds(span: Span, offset: u32) -> bool {
    (span.start..span.end).contains(&offset)
}

/// Returns a finding for each environment that the configuration names and that is not there.
pub(super) fn unknown_environments(
    settings: &Settings,
    reviews: &Reviews<'_>,
    registry: &Registry,
) -> Vec<Finding> {
    let Some(rule) = registry.get(&UNKNOWN_ENVIRONMENT) else { return Vec::new() };
    let configured = settings.environments.iter().map(|it| &*it.name);
    let known: BTreeSet<&str> =
        reviews.environments.keys().map(|it| &**it).chain(configured).collect();
    let unknown = settings
        .named_environments
        .iter()
        .filter(|(wanted, _)| !known.iter().any(|name| super::objects::is_named(name, wanted)));
    unknown
        .map(|(wanted, span)| {
            let message = format!("there is no environment `{wanted}` here");
            let finding = Finding::new(rule, *span, message);
            let classes = known.iter().filter_map(|it| Some(it.split_once('/')?.0));
            match closest(wanted, known.iter().copied().chain(classes)) {
                Some(near) => finding.with_help(format!("did you mean `{near}`?")),
                None if known.is_empty() => finding,
                None => {
                    let names: Vec<&str> = known.iter().copied().collect();
                    finding.with_help(format!("there are {}", names.join(", ")))
                }
            }
        })
        .collect()
}

/// Counts what was judged, and names what was not.
pub(super) fn summary(
    read: &Read,
    graph: &Graph,
    reviews: &Reviews<'_>,
    settings: &Settings,
    options: &Options,
) -> Summary {
    let repository = &read.repository;
    let in_scope = |path: &RepoPath| repository.file(path).is_some_and(|file| file.in_scope);
    let mut not_judged: Vec<NotJudged> = read
        .skipped
        .iter()
        .map(|skipped| NotJudged {
            path: skipped.path.clone(),
            span: None,
            reason: skipped.reason.clone(),
            failure: skipped.failure,
        })
        .collect();
    let mut other_documents = Vec::new();
    for other in graph.others().iter().filter(|other| in_scope(&other.path)) {
        if let Some(reason) = why_not(other.role) {
            not_judged.push(NotJudged {
                path: other.path.clone(),
                span: Some(other.span),
                reason: reason.to_owned(),
                failure: false,
            });
        } else if other.kind.is_empty() {
            // The whole file is meant: whatever in it looks like an object is named.
            let documents = parsed_before(repository, &other.path).or_else(|| {
                let parsed = repository.parsed(&other.path, Dialect::Kubectl)?;
                Some(parsed.documents.as_slice())
            });
            // Nothing is known of a text that cannot be read, but that it is there.
            if documents.is_some_and(<[Document]>::is_empty)
                && is_unreadable(repository, &other.path)
            {
                not_judged.push(NotJudged {
                    path: other.path.clone(),
                    span: None,
                    reason: format!("is no object ({}), and cannot be read", other.role),
                    failure: false,
                });
            }
            other_documents.extend(documents.unwrap_or_default().iter().filter_map(|document| {
                let object = document.object.as_ref()?;
                Some(other_document(document.span, &object.api_version, &object.kind, other.role))
            }));
        } else {
            let (api_version, kind) = (&other.api_version, &other.kind);
            other_documents.push(other_document(other.span, api_version, kind, other.role));
        }
    }
    not_judged.extend(reviews.not_judged.iter().cloned());
    not_judged.extend(read.unused_configurations().map(|path| NotJudged {
        path: path.clone(),
        span: None,
        reason:
            "is a configuration that this run does not use: check its folder by itself".to_owned(),
        failure: false,
    }));
    let rendered: BTreeSet<&RepoPath> = reviews.rendered.iter().flat_map(|(it, _)| it).collect();
    for path in graph.resources().iter().filter(|it| in_scope(it) && !rendered.contains(it)) {
        let reason = match &options.environment {
            Some(name) if reviews.not_judged.is_empty() => {
                format!("belongs to other environments than `{name}`")
            }
            _ => "only kustomizations that cannot be rendered use it".to_owned(),
        };
        not_judged.push(NotJudged { path: path.clone(), span: None, reason, failure: false });
    }
    for it in &mut not_judged {
        if let Some(reason) = settings.external(&it.path) {
            it.reason = format!("external: {reason}");
            it.failure = false;
        }
    }
    not_judged.sort();
    not_judged.dedup();
    let judged_files = judged_files(repository, graph, reviews);
    Summary {
        refused: false,
        judged_files,
        files: repository.files().filter(|(_, file)| file.in_scope).count(),
        documents: documents(repository),
        objects: reviews.tasks.len(),
        roots: reviews.roots.len(),
        rules: 0,
        not_judged,
        other_documents,
        environments: environments(reviews, settings, options),
        kinds: Vec::new(),
        default_kubernetes: None,
        default_upgraded_from: None,
    }
}

/// Counts the objects of each kind, by whose schema they were judged.
pub(super) fn kinds(schemas: &[SchemaUse]) -> Vec<JudgedKind> {
    let mut counts: BTreeMap<&SchemaUse, usize> = BTreeMap::new();
    for it in schemas {
        *counts.entry(it).or_default() += 1;
    }
    let kind = |(it, objects): (&SchemaUse, usize)| JudgedKind {
        api_version: it.api_version.to_string(),
        kind: it.kind.to_string(),
        source: it.authority.as_ref().map(Authority::sort),
        name: it.authority.as_ref().and_then(Authority::name).map(str::to_owned),
        objects,
    };
    counts.into_iter().map(kind).collect()
}

/// Says whether a file that looks like a manifest cannot be read.
fn is_unreadable(repository: &Repository, path: &RepoPath) -> bool {
    let looks = |text: &str| {
        ["apiVersion:", "kind:"].iter().all(|key| text.lines().any(|line| line.starts_with(key)))
    };
    [Dialect::Kustomize, Dialect::Kubectl]
        .into_iter()
        .filter_map(|dialect| repository.parsed_before(path, dialect))
        .any(|parsed| parsed.problems.iter().any(load::Problem::is_fatal))
        && repository.source(path).is_some_and(|source| looks(source.text()))
}

fn other_document(span: Span, api_version: &str, kind: &str, role: Role) -> OtherDocument {
    OtherDocument {
        span,
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        role: role.name(),
    }
}

/// Returns the documents of a file, in the dialect in which it was read.
fn parsed_before<'a>(repository: &'a Repository, path: &RepoPath) -> Option<&'a [Document]> {
    [Dialect::Kustomize, Dialect::Kubectl]
        .into_iter()
        .find_map(|dialect| repository.parsed_before(path, dialect))
        .map(|parsed| parsed.documents.as_slice())
}

/// Names the files whose objects were judged.
fn judged_files(repository: &Repository, graph: &Graph, reviews: &Reviews<'_>) -> Vec<JudgedFile> {
    // A file of a kustomization may hold something beside objects, e.g. the kustomization itself.
    let others: BTreeSet<Span> = graph.others().iter().map(|other| other.span).collect();
    // A reconciler that renders a folder without a kustomization reads plain manifests.
    let plain = graph.plain().iter().map(|manifest| &manifest.path);
    let resources: BTreeSet<&RepoPath> = graph.resources().iter().chain(plain).collect();
    let mut files: BTreeMap<&RepoPath, JudgedFile> = BTreeMap::new();
    let mut add = |path, documents, environments: &[Arc<Environment>], sum: bool| {
        let file = files.entry(path).or_insert_with(|| JudgedFile {
            path: path.clone(),
            documents: 0,
            environments: BTreeSet::new(),
        });
        file.documents = if sum { file.documents + documents } else { documents };
        file.environments.extend(environments.iter().map(|it| Arc::clone(&it.name)));
    };
    for (read, environments) in &reviews.rendered {
        for path in read.iter().filter(|path| resources.contains(path)) {
            let Some(parsed) = repository.parsed_before(path, Dialect::Kustomize) else { continue };
            let is_object = |it: &&Document| it.object.is_some() && !others.contains(&it.span);
            let documents = parsed.documents.iter().filter(is_object).count();
            add(path, documents, environments, false);
        }
    }
    for (path, environments) in &reviews.plain {
        add(path, 1, environments, true);
    }
    files.into_values().collect()
}

/// Counts the documents of the files that were asked for, each file in one dialect.
fn documents(repository: &Repository) -> usize {
    repository
        .files()
        .filter(|(_, file)| file.in_scope)
        .filter_map(|(path, _)| parsed_before(repository, path))
        .map(<[Document]>::len)
        .sum()
}

/// Returns why a document is not judged, or `None` where it is something else than an object.
fn why_not(role: Role) -> Option<&'static str> {
    Some(match role {
        Role::ChartTemplate => "is a template of a Helm chart, which is not rendered",
        Role::Template => "is a template that is not filled in",
        Role::Encrypted => "is encrypted as a whole",
        Role::TestData => "is data of a test",
        Role::OpenShiftTemplate => "is a template whose parameters are not filled in",
        Role::UnusedComponent => "is part of a component that no kustomization uses",
        Role::Unreferenced => "lies beside a kustomization that does not name it",
        Role::Unplaced => "lies beside a kustomization that cannot be read",
        Role::Object
        | Role::Patch
        | Role::Kustomization
        | Role::KustomizeConfig
        | Role::GeneratorFile
        | Role::Chart
        | Role::Values
        | Role::Workflow
        | Role::Compose
        | Role::ClientConfig
        | Role::Other => return None,
    })
}

fn environments(
    reviews: &Reviews<'_>,
    settings: &Settings,
    options: &Options,
) -> Vec<JudgedEnvironment> {
    let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
    for task in &reviews.tasks {
        if let Some(environment) = &task.environment {
            *objects.entry(&environment.name).or_default() += 1;
        }
    }
    let given = |environment: &Environment| {
        options.kubernetes.is_some()
            || settings.kubernetes.is_some()
            || settings.environments.iter().any(|rule| {
                rule.kubernetes.is_some() && super::objects::is_named(&environment.name, &rule.name)
            })
    };
    reviews
        .environments
        .values()
        .filter_map(|environment| {
            let objects = *objects.get(&*environment.name)?;
            Some(JudgedEnvironment {
                name: environment.name.to_string(),
                tier: match environment.tier {
                    Tier::Production => "production",
                    Tier::NonProduction => "non-production",
                },
                kubernetes: environment.kubernetes,
                version_given: given(environment),
                upgraded_from: None,
                objects,
            })
        })
        .collect()
}
