//! A folder of manifests, which are applied as they stand.

use std::collections::BTreeSet;

use super::glob::Glob;
use crate::document::Node;
use crate::load::{Dialect, Repository, objects};
use crate::render::{Gap, GapKind, Rendered};
use crate::source::{RepoPath, Source, Span};

/// A text that keeps a file out, wherever it stands in it.
const SKIP: &str = "+argocd:skip-file-rendering";

/// Reads the manifests of a folder (`findManifests`).
///
/// What cannot be read in them is reported with the files. Programs in Jsonnet are named and not
/// run.
pub(super) fn render(
    repository: &Repository,
    folder: &RepoPath,
    options: Option<&Node>,
) -> Rendered {
    let option = |key| options.and_then(|options| options.get(key));
    let is_set = |key| option(key).and_then(Node::as_bool) == Some(true);
    let glob = |key| option(key).and_then(Node::as_str).filter(|it| !it.is_empty()).map(Glob::new);
    let (include, exclude) = (glob("include"), glob("exclude"));
    let (recurse, any_name) = (is_set("recurse"), is_set("disableExtensionFilter"));
    let depth = folder.segments().count();
    let mut rendered = Rendered {
        folder: folder.clone(),
        objects: Vec::new(),
        gaps: Vec::new(),
        read: BTreeSet::new(),
    };
    let mut paths: Vec<&RepoPath> = repository.below(folder).map(|(path, _)| path).collect();
    // Go walks a folder by names, each folder before what sorts after it.
    paths.sort_by(|a, b| a.segments().cmp(b.segments()));
    for path in paths {
        let inside: Vec<&str> = path.segments().skip(depth).collect();
        let is_manifest = matches!(path.extension(), Some("yaml" | "yml" | "json" | "jsonnet"));
        if (inside.len() > 1 && !recurse) || !(is_manifest || any_name) {
            continue;
        }
        let relative = inside.join("/");
        if exclude.as_ref().is_some_and(|glob| glob.matches(&relative))
            || include.as_ref().is_some_and(|glob| !glob.matches(&relative))
        {
            continue;
        }
        let Some(file) = repository.file(path) else { continue };
        let text = repository.source(path).map(Source::text).unwrap_or_default();
        if text.contains(SKIP) {
            continue;
        }
        rendered.read.insert(path.clone());
        if path.extension() == Some("jsonnet") {
            let span = Span::start_of(file.source);
            let text = path.to_string();
            rendered.gaps.push(Gap { kind: GapKind::PluginNotRun, span, text });
            continue;
        }
        let Some(parsed) = repository.parsed(path, Dialect::Kubectl) else { continue };
        for document in parsed.documents.iter().filter(|it| it.object.is_some()) {
            let all = objects(document).into_iter().map(|it| it.document.into_owned());
            rendered.objects.extend(all.filter(|it| it.object.is_some()));
        }
    }
    rendered
}
