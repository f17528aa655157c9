//! What Flux's kustomize-controller makes of a `Kustomization`.

use std::collections::BTreeMap;

use super::deliver::{Applier, Known, Made, Shared};
use super::{Gap, GapKind, RenderError, Rendered, kustomize};
use crate::document::{Document, Node};
use crate::graph::{Located, Placement, SourceRef};
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// The `ConfigMap`s and Secrets of a cluster, for the variables of `substituteFrom`.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// The environment; none for the objects of the repository itself.
    pub environment: Option<String>,
    objects: BTreeMap<(String, String, String), BTreeMap<String, (String, Span)>>,
}

impl Values {
    /// Adds the values of a document, where it is a `ConfigMap` or a Secret.
    pub fn add(&mut self, document: &Document) {
        let Some(object) = &document.object else { return };
        if object.group() != "" || !matches!(&*object.kind, "ConfigMap" | "Secret") {
            return;
        }
        let mut values = BTreeMap::new();
        for field in ["data", "stringData"] {
            let entries = document.root.get(field).map_or(&[][..], Node::entries);
            for entry in entries {
                let Some(text) = entry.value.as_str() else { continue };
                values.insert(entry.key.to_string(), (text.to_owned(), entry.value.span));
            }
        }
        let namespace = object.namespace.as_deref().unwrap_or_default().to_owned();
        let key = (object.kind.to_string(), namespace, object.name.to_string());
        self.objects.insert(key, values);
    }
}

/// Says whether a document is a `Kustomization` of Flux.
pub(super) fn is_kustomization(document: &Document) -> bool {
    document.object.as_ref().is_some_and(|object| {
        object.group() == "kustomize.toolkit.fluxcd.io" && &*object.kind == "Kustomization"
    })
}

/// Returns the objects of `substituteFrom` that are not known.
pub(super) fn unknown_values<'a>(
    _document: &'a Document,
    _values: Option<&Values>,
    _environments: &[Placement],
    _known: &Known,
) -> Vec<&'a Node> {
    Vec::new()
}

/// Renders a folder as Flux does, with a kustomization of its own where there is none.
pub(super) fn render_folder(
    shared: &Shared<'_>,
    folder: &RepoPath,
) -> Result<Rendered, RenderError> {
    kustomize(shared.repository, folder, &shared.cache)
}

/// Renders what a `Kustomization` applies; `None` where it is a base that an overlay completes.
pub(super) fn make(
    shared: &Shared<'_>,
    document: &Document,
    _values: Option<&Values>,
    environments: &[Placement],
) -> Option<Made> {
    let object = document.object.as_ref()?;
    let source = document.root.at(&["spec", "sourceRef"])?;
    let path = document.root.at(&["spec", "path"]);
    let text = path.and_then(Node::as_str).unwrap_or("./");
    let span = path.unwrap_or(source).span;
    let field = |key| source.get(key).and_then(Node::as_str).unwrap_or_default();
    let reference = SourceRef { kind: field("kind"), name: field("name") };
    let file = shared.repository.sources().path(document.span);
    let by = Applier::Flux(object.clone());
    let apply = Apply::ServerSide;
    let outside = |kind, span, text: &str| Made {
        by: by.clone(),
        folder: None,
        environments: environments.to_vec(),
        apply,
        rendered: Ok(Rendered::nothing(Gap { kind, span, text: text.to_owned() })),
    };
    Some(match shared.graph.sources().flux(shared.repository, &file, reference, text) {
        Located::Elsewhere => outside(GapKind::OtherRepository, source.span, reference.name),
        Located::Missing => outside(GapKind::MissingPath, span, text),
        Located::Folder(folder) => Made {
            by,
            environments: shared.graph.place(&folder, environments, span),
            apply,
            rendered: render_folder(shared, &folder),
            folder: Some(folder),
        },
    })
}
