//! What Argo CD makes of an `Application`, and of an `ApplicationSet`.
//!
//! `reposerver/repository` of `github.com/argoproj/argo-cd`.

mod destination;
mod directory;
mod glob;
mod kustomize;
mod parameters;
mod set;
mod variables;

use std::sync::Arc;

use destination::Destination;
pub(super) use set::{asks_for_clusters, declared_by, is_application_set, make as make_set};
use variables::Variables;

use std::collections::BTreeSet;

use super::deliver::{Applier, Made, Shared};
use super::{Gap, GapKind, RenderError, Rendered};
use crate::document::{Document, Node};
use crate::graph::{self, Located, Placement, SourceKind};
use crate::load::Dialect;
use crate::source::{RepoPath, Span};

/// Says whether a document is an `Application` of Argo CD.
pub(super) fn is_application(document: &Document) -> bool {
    document
        .object
        .as_ref()
        .is_some_and(|object| object.group() == "argoproj.io" && &*object.kind == "Application")
}

/// Renders what each source of an `Application` holds.
pub(super) fn make(
    shared: &Shared<'_>,
    document: &Document,
    environments: &[Placement],
) -> Vec<Made> {
    let Some(object) = document.object.as_ref() else { return Vec::new() };
    let destination = Destination::of(shared, document);
    let application = Application {
        shared,
        document,
        by: Applier::ArgoCd(object.clone()),
        name: &object.name,
        environments,
        destination,
    };
    graph::sources(document).into_iter().filter_map(|source| application.source(source)).collect()
}

/// An `Application` on its way.
struct Application<'a> {
    shared: &'a Shared<'a>,
    document: &'a Document,
    by: Applier,
    name: &'a Arc<str>,
    environments: &'a [Placement],
    destination: Destination<'a>,
}

impl Application<'_> {
    /// Renders a source; `None` for one that only lends its files to others.
    fn source(&self, source: &Node) -> Option<Made> {
        let text = |key| source.get(key).and_then(Node::as_str).filter(|it| !it.is_empty());
        if let Some(chart) = text("chart") {
            let span = source.get("chart").map_or(source.span, |node| node.span);
            return Some(self.left_out(GapKind::RemoteChart, span, chart));
        }
        let url = text("repoURL").unwrap_or_default();
        let path = source.get("path").filter(|node| node.as_str().is_some_and(|it| !it.is_empty()));
        let Some(path) = path else {
            // Without a path it is the whole repository, or only files for other sources.
            let span = source.get("repoURL").map_or(source.span, |node| node.span);
            return text("ref").is_none().then(|| self.at(source, url, "", span));
        };
        Some(self.at(source, url, path.as_str().unwrap_or_default(), path.span))
    }

    fn at(&self, source: &Node, url: &str, path: &str, span: Span) -> Made {
        let Shared { repository, graph, .. } = self.shared;
        if url.starts_with("oci://") && !graph.sources().is_known(url) {
            return self.left_out(GapKind::OtherRepository, span, url);
        }
        let file = repository.sources().path(self.document.span);
        let folder = match graph.sources().argo(repository, &file, url, path) {
            Located::Elsewhere => {
                let text = if url.is_empty() { path } else { url };
                return self.left_out(GapKind::OtherRepository, span, text);
            }
            Located::Missing => return self.left_out(GapKind::MissingPath, span, path),
            Located::Folder(folder) => folder,
        };
        let rendered = self.render(source, &folder, span).map(|mut rendered| {
            self.destination.set_namespace(&mut rendered.objects);
            rendered
        });
        Made {
            by: self.by.clone(),
            environments: self.destination.place(graph, &folder, self.environments, span),
            cluster: self.destination.cluster(),
            apply: graph::argo_apply(self.document),
            withheld: BTreeSet::new(),
            rendered,
            folder: Some(folder),
        }
    }

    fn render(
        &self,
        source: &Node,
        folder: &RepoPath,
        span: Span,
    ) -> Result<Rendered, RenderError> {
        let repository = self.shared.repository;
        let (source, read) = parameters::of(repository, folder, self.name, source);
        let kind = graph::source_kind(repository, folder, &source).map_err(|span| {
            RenderError::broken(span, "a source is of several kinds at once")
                .with_help("keep one of `kustomize`, `helm`, `directory` and `plugin`")
        })?;
        let mut rendered = match kind {
            SourceKind::Kustomize => {
                let variables = Variables::of(self.document, &source);
                kustomize::render(self.shared, folder, source.get("kustomize"), &variables)?
            }
            SourceKind::Directory => directory::render(repository, folder, source.get("directory")),
            SourceKind::Helm => Rendered::nothing(self.chart(folder, span)),
            SourceKind::Plugin => {
                let plugin = source.get("plugin");
                let name = plugin.and_then(|it| it.get("name")).and_then(Node::as_str);
                Rendered::nothing(Gap {
                    kind: GapKind::PluginNotRun,
                    span: plugin.map_or(span, |node| node.span),
                    text: name.unwrap_or("plugin").to_owned(),
                })
            }
        };
        rendered.read.extend(read);
        Ok(rendered)
    }

    /// Returns what is said of a chart of the repository: the same wherever it is used.
    fn chart(&self, folder: &RepoPath, span: Span) -> Gap {
        let repository = self.shared.repository;
        let file = folder.join("Chart.yaml");
        let name = file
            .as_ref()
            .and_then(|file| repository.parsed(file, Dialect::Kubectl))
            .and_then(|parsed| parsed.documents.first())
            .and_then(|document| document.root.get("name"));
        let kind = GapKind::ChartNotRendered;
        match name.and_then(|node| Some((node.as_str()?, node.span))) {
            Some((name, span)) => Gap { kind, span, text: name.to_owned() },
            None => Gap { kind, span, text: folder.name().to_owned() },
        }
    }

    fn left_out(&self, kind: GapKind, span: Span, text: &str) -> Made {
        let placed =
            self.destination.place(self.shared.graph, &RepoPath::root(), self.environments, span);
        Made {
            by: self.by.clone(),
            folder: None,
            environments: placed,
            cluster: None,
            apply: graph::argo_apply(self.document),
            withheld: BTreeSet::new(),
            rendered: Ok(Rendered::nothing(Gap { kind, span, text: text.to_owned() })),
        }
    }
}

#[cfg(test)]
mod tests;
