//! What Argo CD makes of an `Application`.

use std::collections::BTreeSet;

use super::deliver::{Applier, Made, Shared};
use super::{Gap, GapKind, Rendered, kustomize};
use crate::document::{Document, Node};
use crate::graph::{Located, Placement};
use crate::review::Apply;

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
    let by = Applier::ArgoCd(object.clone());
    let file = shared.repository.sources().path(document.span);
    let spec = |key| document.root.at(&["spec", key]);
    let mut all = Vec::new();
    for source in spec("source").into_iter().chain(spec("sources").map_or(&[][..], Node::items)) {
        let text = |key| source.get(key).and_then(Node::as_str);
        let Some(path) = source.get("path") else { continue };
        let (Some(relative), url) = (path.as_str(), text("repoURL").unwrap_or_default()) else {
            continue;
        };
        let outside = |kind| Made {
            by: by.clone(),
            folder: None,
            environments: environments.to_vec(),
            cluster: None,
            apply: Apply::Client,
            rendered: Ok(Rendered::nothing(Gap {
                kind,
                span: path.span,
                text: relative.to_owned(),
            })),
            withheld: BTreeSet::new(),
        };
        all.push(match shared.graph.sources().argo(shared.repository, &file, url, relative) {
            Located::Elsewhere => outside(GapKind::OtherRepository),
            Located::Missing => outside(GapKind::MissingPath),
            Located::Folder(folder) => Made {
                by: by.clone(),
                environments: shared.graph.place(&folder, environments, path.span),
                cluster: None,
                apply: Apply::Client,
                rendered: kustomize(shared.repository, &folder, &shared.cache),
                folder: Some(folder),
                withheld: BTreeSet::new(),
            },
        });
    }
    all
}
