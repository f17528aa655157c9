//! What is to be judged: rendered objects and plain manifests, once for every environment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::schemas::Kind;
use super::{Options, Progress};
use crate::check::schema::{self, Authority, Definitions};
use crate::check::{self, Check, Context, Results};
use crate::config::{Settings, ValuesKind};
use crate::document::Document;
use crate::environment::{Environment, KubernetesVersion};
use crate::finding::{Failure, Finding};
use crate::graph::{self, Graph, Placement};
use crate::judge::NotJudged;
use crate::load::{self, Dialect, Repository};
use crate::render::{self, GapKind, RenderError, Rendered};
use crate::review::{Apply, Operation, Provenance, Review};
use crate::rule::{Registry, RuleId};
use crate::source::RepoPath;

/// One object in one environment.
#[derive(Debug)]
pub(super) struct Task<'run> {
    document: Cow<'run, Document>,
    pub(super) environment: Option<Arc<Environment>>,
    provenance: Provenance,
    apply: Apply,
}

/// Everything to judge, and what was met on the way there.
#[derive(Debug)]
pub(super) struct Reviews<'run> {
    pub(super) tasks: Vec<Task<'run>>,
    /// The roots that were rendered, with the files that took part and the environments.
    pub(super) rendered: Vec<(BTreeSet<RepoPath>, Vec<Arc<Environment>>)>,
    /// The folders that were rendered, each once however many apply it.
    pub(super) roots: BTreeSet<RepoPath>,
    /// The plain manifests that are judged, with their environments.
    pub(super) plain: Vec<(RepoPath, Vec<Arc<Environment>>)>,
    pub(super) not_judged: Vec<NotJudged>,
    pub(super) findings: Vec<Finding>,
    pub(super) failures: Vec<Failure>,
    /// What no report may show.
    pub(super) withheld: BTreeSet<Arc<str>>,
    /// Every environment that receives something, in the order of the names.
    pub(super) environments: BTreeMap<Arc<str>, Arc<Environment>>,
}

/// Says whether an environment is the one that a flag names: by its whole name, or by its class.
pub(super) fn is_named(name: &str, wanted: &str) -> bool {
    name == wanted || name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
}

/// Renders the roots and gathers the plain manifests.
pub(super) fn collect<'run>(
    repository: &'run Repository,
    graph: &'run Graph,
    options: &Options,
    settings: &Settings,
    registry: &Registry,
    progress: &dyn Progress,
) -> Reviews<'run> {
    let wanted = |placements: &[Placement]| -> Option<Vec<Arc<Environment>>> {
        let all = placements.iter().map(|it| Arc::clone(&it.environment));
        match &options.environment {
            Some(wanted) => {
                let some: Vec<_> = all.filter(|it| is_named(&it.name, wanted)).collect();
                (!some.is_empty()).then_some(some)
            }
            None => Some(all.collect()),
        }
    };
    let known = known(settings);
    let deliveries = render::deliver(repository, graph, &known, &|| progress.step());

    let mut reviews = Reviews {
        tasks: Vec::new(),
        rendered: Vec::new(),
        roots: BTreeSet::new(),
        plain: Vec::new(),
        not_judged: Vec::new(),
        findings: Vec::new(),
        failures: Vec::new(),
        withheld: deliveries.withheld,
        environments: deliveries
            .all
            .iter()
            .flat_map(|it| &it.environments)
            .map(|it| &it.environment)
            .chain(graph.environments())
            .map(|it| (Arc::clone(&it.name), Arc::clone(it)))
            .collect(),
    };
    for delivery in deliveries.all {
        let Some(environments) = wanted(&delivery.environments) else { continue };
        match delivery.rendered {
            Ok(rendered) => {
                reviews.add_rendered(
                    repository,
                    registry,
                    rendered,
                    (environments, delivery.apply),
                );
            }
            Err(error) => {
                let folder = delivery.folder.unwrap_or_else(RepoPath::root);
                reviews.add_broken(settings, &folder, error);
            }
        }
    }
    for manifest in graph.plain().iter().filter(|it| !deliveries.read.contains(&it.path)) {
        let Some(environments) = wanted(&manifest.environments) else { continue };
        let document = repository
            .parsed(&manifest.path, Dialect::Kubectl)
            .and_then(|parsed| parsed.documents.get(manifest.document));
        let Some(document) = document else { continue };
        let provenance = Provenance { path: manifest.path.clone(), root: None };
        let apply = graph.apply(&manifest.path);
        for object in load::objects(document) {
            reviews.add(object.document, (&environments, apply), &provenance);
        }
        reviews.plain.push((manifest.path.clone(), environments));
    }
    reviews
}

/// Returns what the configuration knows of clusters.
pub(super) fn known(settings: &Settings) -> render::Known {
    let values = settings.environments.iter().filter(|it| !it.cluster_values.is_empty());
    let values = values.map(|rule| {
        let name = match &rule.cluster {
            Some(cluster) if *cluster != rule.name => format!("{}/{cluster}", rule.name),
            _ => rule.name.clone(),
        };
        let mut values = render::Values::of_environment(name);
        for object in &rule.cluster_values {
            let kind = match object.kind {
                ValuesKind::ConfigMap => "ConfigMap",
                ValuesKind::Secret => "Secret",
            };
            let each = object.values.iter().map(|(key, value)| (key.clone(), value.clone()));
            values.give(kind, &object.namespace, &object.name, each);
        }
        values
    });
    render::Known {
        values: values.collect(),
        as_rendered: false,
        clusters: settings.clusters.clone(),
    }
}

impl<'run> Reviews<'run> {
    fn add(
        &mut self,
        document: Cow<'run, Document>,
        (environments, apply): (&[Arc<Environment>], Apply),
        provenance: &Provenance,
    ) {
        let mut task = |document, environment| {
            let provenance = provenance.clone();
            self.tasks.push(Task { document, environment, provenance, apply });
        };
        match environments.split_last() {
            None => task(document, None),
            Some((last, others)) => {
                for environment in others {
                    task(document.clone(), Some(Arc::clone(environment)));
                }
                task(document, Some(Arc::clone(last)));
            }
        }
    }

    fn add_rendered(
        &mut self,
        repository: &Repository,
        registry: &Registry,
        rendered: Rendered,
        (environments, apply): (Vec<Arc<Environment>>, Apply),
    ) {
        for gap in &rendered.gaps {
            let (rule, message) = gap_finding(gap.kind, &gap.text);
            if let Some(meta) = rule.and_then(|rule| registry.get(&rule)) {
                let mut finding = Finding::new(meta, gap.span, message);
                finding.environments = environments.iter().map(|it| Arc::clone(&it.name)).collect();
                self.findings.push(finding);
            }
        }
        for document in rendered.objects {
            let provenance = Provenance {
                path: repository.sources().path(document.span),
                root: Some(rendered.folder.clone()),
            };
            self.add(Cow::Owned(document), (&environments, apply), &provenance);
        }
        // What is left out as a whole is no root.
        if !rendered.read.is_empty() {
            self.roots.insert(rendered.folder);
        }
        self.rendered.push((rendered.read, environments));
    }

    fn add_broken(&mut self, settings: &Settings, folder: &RepoPath, error: RenderError) {
        self.not_judged.push(NotJudged {
            path: folder.clone(),
            span: Some(error.span),
            reason: format!("the kustomization cannot be rendered: {}", error.message),
            failure: true,
        });
        if settings.external(folder).is_some() {
            return;
        }
        self.failures.push(Failure {
            rule: None,
            span: Some(error.span),
            reason: format!("cannot render `{}`: {}", folder, error.message),
            help: error.help,
        });
    }
}

/// Returns the rule and the message for something that a render leaves out.
fn gap_finding(kind: GapKind, text: &str) -> (Option<RuleId>, String) {
    match kind {
        GapKind::RemoteBase => (
            Some(graph::REMOTE_BASE),
            format!("`{text}` lies on another host, so its objects are not judged"),
        ),
        GapKind::RemoteFile => (
            Some(graph::REMOTE_BASE),
            format!("`{text}` lies on another host, so what it changes is not judged"),
        ),
        GapKind::RemoteChart => (
            Some(graph::REMOTE_CHART),
            format!(
                "the chart `{text}` lies outside the repository, so its objects are not judged"
            ),
        ),
        GapKind::ChartNotRendered => (
            Some(graph::CHART_NOT_RENDERED),
            format!("the chart `{text}` is not rendered, so its objects are not judged"),
        ),
        GapKind::PluginNotRun => (
            Some(graph::PLUGIN_NOT_RUN),
            format!(
                "`{text}` is a program of its own, which is not run; what it makes is not judged"
            ),
        ),
        GapKind::MissingPath => (
            Some(graph::OTHER_REPOSITORY),
            format!("the path `{text}` is not in this repository, so its objects are not judged"),
        ),
        GapKind::OtherRepository => (
            Some(graph::OTHER_REPOSITORY),
            format!("the source `{text}` is another repository, so its objects are not judged"),
        ),
        GapKind::UnknownValues => (
            Some(graph::UNKNOWN_VALUES),
            format!("the values of `{text}` are not known, so its variables stay as they are"),
        ),
        GapKind::UnknownDependency => (
            Some(graph::UNKNOWN_DEPENDENCY),
            format!("no Kustomization here is called `{text}`, so Flux waits for it in vain"),
        ),
        GapKind::DependencyCircle => (
            Some(graph::DEPENDENCY_CIRCLE),
            format!("`{text}` waits for this Kustomization itself, so Flux applies neither"),
        ),
        GapKind::NotExpanded => {
            (Some(graph::NOT_EXPANDED), format!("{text}, so what it makes is not judged"))
        }
    }
}

/// Gathers the custom resource definitions among the objects, for the kinds that are there.
pub(super) fn definitions(reviews: &Reviews<'_>) -> Definitions {
    let mut definitions = Definitions::default();
    let defined =
        |task: &Task<'_>| schema::defines(task.document.object.as_ref(), &task.document.root);
    let found: Vec<(&Task<'_>, (String, String))> =
        reviews.tasks.iter().filter_map(|task| Some((task, defined(task)?))).collect();
    if found.is_empty() {
        return definitions;
    }
    let kinds: BTreeSet<(&str, &str)> = reviews
        .tasks
        .iter()
        .filter_map(|task| task.document.object.as_ref())
        .map(|object| (object.group(), &*object.kind))
        .collect();
    for (task, (group, kind)) in found {
        if !kinds.contains(&(group.as_str(), kind.as_str())) {
            continue;
        }
        let environment = task.environment.as_ref().map(|it| Arc::clone(&it.name));
        let authority = Authority::Repository(task.provenance.path.to_string().into());
        let (object, root) = (task.document.object.as_ref(), &task.document.root);
        definitions.add(environment, authority, object, root);
    }
    definitions
}

/// Returns the kinds of the objects, each in the versions of Kubernetes that it is judged for.
pub(super) fn kinds(reviews: &Reviews<'_>, default: KubernetesVersion) -> BTreeSet<Kind> {
    let kind = |task: &Task<'_>| {
        let object = task.document.object.as_ref()?;
        Some(Kind {
            kubernetes: task.environment.as_ref().map_or(default, |it| it.kubernetes),
            group: object.group().to_owned(),
            version: object.version().to_owned(),
            name: object.kind.to_string(),
        })
    };
    reviews.tasks.iter().filter_map(kind).collect()
}

/// Judges every object in every environment.
pub(super) fn check_all(
    reviews: &Reviews<'_>,
    checks: &[Box<dyn Check>],
    cx: Context<'_>,
    progress: &dyn Progress,
) -> Results {
    let parts: Vec<Results> = reviews
        .tasks
        .par_iter()
        .map(|task| {
            let review = Review {
                operation: Operation::Create,
                object: &task.document,
                old_object: None,
                apply: task.apply,
                dry_run: false,
                environment: task.environment.as_deref(),
                provenance: Some(&task.provenance),
                asked: None,
            };
            let mut results = check::judge_object(checks, cx, &review);
            if let Some(environment) = &task.environment {
                for finding in &mut results.findings {
                    finding.environments.insert(Arc::clone(&environment.name));
                }
            }
            progress.step();
            results
        })
        .collect();
    let mut results = Results::default();
    for part in parts {
        results.append(part);
    }
    results
}
