//! What Argo CD makes of an `ApplicationSet`: the `Application`s of its generators.
//!
//! `applicationset` of `github.com/argoproj/argo-cd`. Generators that ask a forge or another
//! service are named and not asked.

mod clusters;
mod files;
mod generators;
mod parameters;
mod replace;
mod selector;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(in crate::render) use clusters::declared_by;
use generators::{Expansion, Stop};
use replace::Templates;

use super::parameters::merge;
use crate::config::Cluster;
use crate::document::{Document, Entry, Node, NodeKind};
use crate::graph::Placement;
use crate::load::{Dialect, Problem};
use crate::render::deliver::{Applier, Made, Shared};
use crate::render::kustomize::inline;
use crate::render::{Gap, RenderError, Rendered};
use crate::review::Apply;

/// How many `Application`s one `ApplicationSet` may make.
const MOST: usize = 10_000;

/// Says whether a document is an `ApplicationSet` of Argo CD.
pub(in crate::render) fn is_application_set(document: &Document) -> bool {
    document
        .object
        .as_ref()
        .is_some_and(|object| object.group() == "argoproj.io" && &*object.kind == "ApplicationSet")
}

/// Says whether an `ApplicationSet` asks which clusters there are.
pub(in crate::render) fn asks_for_clusters(document: &Document) -> bool {
    fn any(generators: &Node, depth: usize) -> bool {
        depth < generators::DEPTH
            && generators.items().iter().any(|generator| {
                generator.get("clusters").is_some()
                    || ["matrix", "merge"].iter().any(|key| {
                        let inner = generator.at(&[key, "generators"]);
                        inner.is_some_and(|inner| any(inner, depth + 1))
                    })
            })
    }
    document.root.at(&["spec", "generators"]).is_some_and(|it| any(it, 0))
}

/// Expands an `ApplicationSet`; `clusters` are those that the repository declares.
pub(in crate::render) fn make(
    shared: &Shared<'_>,
    document: &Document,
    clusters: &[Cluster],
    environments: &[Placement],
) -> Option<Made> {
    let object = document.object.as_ref()?;
    Some(Made {
        by: Applier::ArgoCd(object.clone()),
        folder: None,
        environments: environments.to_vec(),
        cluster: None,
        apply: Apply::Client,
        rendered: expand(shared, document, clusters),
        withheld: BTreeSet::new(),
    })
}

fn expand(
    shared: &Shared<'_>,
    document: &Document,
    clusters: &[Cluster],
) -> Result<Rendered, RenderError> {
    let file = shared.repository.sources().path(document.span);
    let mut rendered = Rendered {
        folder: file.parent(),
        objects: Vec::new(),
        gaps: Vec::new(),
        read: BTreeSet::new(),
    };
    let spec = |key| document.root.at(&["spec", key]).filter(|node| !node.is_null());
    let Some(template) = spec("template") else { return Ok(rendered) };
    let templates = Templates::of(document);
    let mut expansion = Expansion::new(shared, document, clusters, templates);
    for generator in spec("generators").map_or(&[][..], Node::items) {
        let parameters = match expansion.generate(generator, None, 0) {
            Ok(parameters) => parameters,
            Err(Stop::LeftOut(kind, span, text)) => {
                rendered.gaps.push(Gap { kind, span, text });
                continue;
            }
            Err(Stop::Broken(error)) => return Err(error),
        };
        let template = generators::template_of(generator, template);
        for parameters in parameters {
            if rendered.objects.len() == MOST {
                let message = format!("the ApplicationSet makes more than {MOST} Applications");
                return Err(RenderError::unsupported(generator.span, message));
            }
            let application = application(shared, document, templates, &template, &parameters)?;
            rendered.objects.push(application);
        }
    }
    rendered.read.append(&mut expansion.read);
    Ok(rendered)
}

/// Fills in the template for one set of parameters.
fn application(
    shared: &Shared<'_>,
    set: &Document,
    templates: Templates,
    template: &Node,
    parameters: &Node,
) -> Result<Document, RenderError> {
    let filled = templates.fill(template, parameters)?;
    let span = template.span;
    let entry = |key: &str, value| Entry { key: Arc::from(key), key_span: span, value };
    let mut metadata = filled.get("metadata").cloned().unwrap_or_else(|| Node::mapping(span));
    let namespace = set.root.at(&["metadata", "namespace"]);
    if metadata.get("namespace").is_none()
        && let (NodeKind::Mapping(entries), Some(namespace)) = (&mut metadata.kind, namespace)
    {
        entries.push(Entry {
            key: Arc::from("namespace"),
            key_span: namespace.span,
            value: namespace.clone(),
        });
    }
    let mut entries = vec![
        entry("apiVersion", Node::string("argoproj.io/v1alpha1", span)),
        entry("kind", Node::string("Application", span)),
        entry("metadata", metadata),
    ];
    entries.extend(filled.entry("spec").cloned());
    let mut root = Node { span, kind: NodeKind::Mapping(entries) };
    if let Some(patch) = set.root.at(&["spec", "templatePatch"]) {
        patch_application(shared, templates, patch, parameters, &mut root)?;
    }
    let document = Document::new(root);
    if document.object.as_ref().is_none_or(|object| object.name.is_empty()) {
        return Err(RenderError::broken(span, "an Application of the template has no name"));
    }
    Ok(document)
}

/// Applies `templatePatch`, which changes anything but the project (`applyTemplatePatch`).
fn patch_application(
    shared: &Shared<'_>,
    templates: Templates,
    patch: &Node,
    parameters: &Node,
    root: &mut Node,
) -> Result<(), RenderError> {
    let Some(text) = patch.as_str() else { return Ok(()) };
    let text = templates.text(text, patch.span, parameters)?;
    let sources = shared.repository.sources();
    let parsed = inline::parse(&text, patch.span, sources, Dialect::Kubectl);
    if let Some(problem) = parsed.problems.iter().find(|it| Problem::is_fatal(it)) {
        let message = format!("the templatePatch cannot be read: {}", problem.message);
        return Err(RenderError::broken(problem.span, message));
    }
    let Some(document) = parsed.documents.into_iter().next() else { return Ok(()) };
    let project = root.at(&["spec", "project"]).cloned();
    if document.root.is_mapping() {
        merge(root, document.root);
    }
    if let (Some(project), Some(own)) =
        (project, root.get_mut("spec").and_then(|spec| spec.get_mut("project")))
    {
        *own = project;
    }
    Ok(())
}
