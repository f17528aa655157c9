//! What Flux and Argo CD objects of the repository apply, as their files have them.
//!
//! A first look, before anything is rendered: it tells which files are objects, and where the walk
//! of [`crate::render`] begins. What an overlay or a parent changes in the objects is seen there.

use super::Placement;
use super::application::{self, SourceKind};
use super::sources::{Located, SourceRef, Sources};
use crate::document::{Document, Node};
use crate::load::Repository;
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// A folder that a reconciler's object applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file that holds the object.
    pub file: RepoPath,
    /// Where the object stands.
    pub document: Span,
    /// The path in the object.
    pub span: Span,
    /// The folder.
    pub folder: RepoPath,
    /// The environments of the file; empty where nothing says so.
    pub environments: Vec<Placement>,
    /// Whether everything below the folder is applied, where it has no kustomization.
    pub(super) recursive: bool,
    /// Whether the files are applied as they stand, even where there is a kustomization.
    pub(super) verbatim: bool,
    /// How it is applied.
    pub(super) apply: Apply,
}

/// Says whether a text may hold an object that applies something: a look that costs little.
pub(super) fn may_apply(text: &str) -> bool {
    text.contains("kustomize.toolkit.fluxcd.io/")
        || text.contains("argoproj.io/")
        || text.contains("source.extensions.fluxcd.io/")
        || text.contains("source.toolkit.fluxcd.io/")
        || text.contains("fluxcd.controlplane.io/")
}

/// Returns what a document applies; nothing for a document that is no reconciler's object.
pub(super) fn applied(
    file: &RepoPath,
    document: &Document,
    repository: &Repository,
    sources: &Sources,
) -> Vec<Entry> {
    if is(document, "kustomize.toolkit.fluxcd.io", "Kustomization") {
        flux(file, document, repository, sources)
    } else if is(document, "argoproj.io", "Application") {
        argo(file, document, repository, sources)
    } else {
        Vec::new()
    }
}

fn flux(
    file: &RepoPath,
    document: &Document,
    repository: &Repository,
    sources: &Sources,
) -> Vec<Entry> {
    let mut applied = Vec::new();
    // Without a source it is a base that an overlay completes.
    let Some(source) = document.root.at(&["spec", "sourceRef"]) else { return applied };
    let node = document.root.at(&["spec", "path"]);
    let text = node.and_then(Node::as_str).unwrap_or("./");
    let span = node.unwrap_or(source).span;
    if is_unknown(text) {
        return applied;
    }
    let field = |key| source.get(key).and_then(Node::as_str).unwrap_or_default();
    let reference = SourceRef { kind: field("kind"), name: field("name") };
    if let Located::Folder(folder) = sources.flux(repository, file, reference, text) {
        applied.push(Entry {
            file: file.clone(),
            document: document.span,
            span,
            folder,
            environments: Vec::new(),
            recursive: true,
            verbatim: false,
            apply: Apply::ServerSide,
        });
    }
    applied
}

fn argo(
    file: &RepoPath,
    document: &Document,
    repository: &Repository,
    sources: &Sources,
) -> Vec<Entry> {
    let mut applied = Vec::new();
    let apply = argo_apply(document);
    for source in application::sources(document) {
        let Some(node) = source.get("path") else { continue };
        let text = node.as_str().unwrap_or_default();
        if is_unknown(text) {
            continue;
        }
        let url = source.get("repoURL").and_then(Node::as_str).unwrap_or_default();
        if let Located::Folder(folder) = sources.argo(repository, file, url, text) {
            // A folder of manifests that only looks like one is found by what it lacks.
            let verbatim = application::explicit_kind(source) == Ok(Some(SourceKind::Directory));
            let recurse = source.at(&["directory", "recurse"]).and_then(Node::as_bool);
            applied.push(Entry {
                file: file.clone(),
                document: document.span,
                span: node.span,
                folder,
                environments: Vec::new(),
                recursive: recurse == Some(true),
                verbatim,
                apply,
            });
        }
    }
    applied
}

/// Returns how an `Application` applies its objects.
pub fn argo_apply(document: &Document) -> Apply {
    let options =
        document.root.at(&["spec", "syncPolicy", "syncOptions"]).map_or(&[][..], Node::items);
    if options.iter().any(|it| it.as_str() == Some("ServerSideApply=true")) {
        Apply::ServerSide
    } else {
        Apply::Client
    }
}

/// Says whether a text is filled in by something else before a reconciler reads it.
fn is_unknown(text: &str) -> bool {
    text.is_empty() || text.contains("${") || text.contains("{{") || text.contains('<')
}

fn is(document: &Document, group: &str, kind: &str) -> bool {
    document.object.as_ref().is_some_and(|object| object.group() == group && &*object.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Dialect;
    use crate::source::{Origin, Source};

    fn repository(files: &[(&str, &str)]) -> Repository {
        let mut repository = Repository::default();
        for (path, text) in files {
            let source = Source::new(RepoPath::new(path), Origin::File, (*text).into());
            repository.add(source, true);
        }
        repository
    }

    /// Returns the folders that the first document of a file applies.
    fn read(repository: &Repository, path: &str) -> Vec<String> {
        let path = RepoPath::new(path);
        let document = &repository.parsed(&path, Dialect::Kubectl).unwrap().documents[0];
        let sources = Sources::new(repository, &[]);
        let applied = applied(&path, document, repository, &sources);
        applied.iter().map(|entry| entry.folder.to_string()).collect()
    }

    const FLUX: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
        metadata: {name: web}\nspec:\n  path: ./apps/web\n  \
        sourceRef: {kind: GitRepository, name: fleet}\n";
    const ARGO: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n\
        metadata: {name: web}\nspec: {source: {path: apps/web}}\n";

    #[test]
    fn a_path_starts_at_the_root_or_at_a_repository_inside_it() {
        for object in [FLUX, ARGO] {
            let mut inside = repository(&[
                ("examples/fleet/clusters/web.yaml", object),
                ("examples/fleet/apps/web/a.yaml", ""),
            ]);
            let found = read(&inside, "examples/fleet/clusters/web.yaml");
            assert_eq!(found, [""; 0]);
            inside.add_base(RepoPath::new("examples/fleet"));
            inside.add_base(RepoPath::new("examples"));
            let found = read(&inside, "examples/fleet/clusters/web.yaml");
            assert_eq!(found, ["examples/fleet/apps/web"]);
        }
    }

    #[test]
    fn the_root_comes_first_and_a_base_serves_only_the_files_inside_it() {
        let mut both = repository(&[
            ("fleet/clusters/web.yaml", FLUX),
            ("fleet/apps/web/a.yaml", ""),
            ("apps/web/a.yaml", ""),
        ]);
        both.add_base(RepoPath::new("fleet"));
        assert_eq!(read(&both, "fleet/clusters/web.yaml"), ["apps/web"]);
        let mut beside = repository(&[("other/web.yaml", FLUX), ("fleet/apps/web/a.yaml", "")]);
        beside.add_base(RepoPath::new("fleet"));
        assert_eq!(read(&beside, "other/web.yaml"), [""; 0]);
    }
}
