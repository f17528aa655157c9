//! What Flux and Argo CD objects of the repository apply.

use std::collections::BTreeMap;

use crate::document::{Document, Node};
use crate::load::Repository;
use crate::review::Apply;
use crate::source::{RepoPath, Span};

/// A folder that a reconciler's object applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The file that holds the object.
    pub(super) file: RepoPath,
    /// The path in the object.
    pub(super) span: Span,
    /// The folder.
    pub(super) folder: RepoPath,
    /// Whether everything below the folder is applied, where it has no kustomization.
    pub(super) recursive: bool,
    /// Whether the files are applied as they stand, even where there is a kustomization.
    pub(super) verbatim: bool,
    /// How it is applied.
    pub(super) apply: Apply,
}

/// A part of an object that leads out of the repository, and the place that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outside {
    /// A chart of a registry.
    Chart(Span, String),
    /// A path that is not here.
    Path(Span, String),
    /// All of another source.
    Source(Span, String),
}

/// The name that `flux bootstrap` gives to the source of the repository itself.
const BOOTSTRAP: &str = "flux-system";

/// What one object applies.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) entries: Vec<Entry>,
    pub(super) outside: Vec<Outside>,
}

/// What an `ArtifactGenerator` copies: folders of the artifact to folders of the repository.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    copies: Vec<Copy>,
}

#[derive(Debug)]
struct Copy {
    /// The folder of the file that says so: every cluster may make an artifact of the same name.
    folder: RepoPath,
    artifact: String,
    to: RepoPath,
    from: RepoPath,
}

/// Says whether a text may hold an object that applies something: a look that costs little.
pub(super) fn may_apply(text: &str) -> bool {
    text.contains("kustomize.toolkit.fluxcd.io/")
        || text.contains("argoproj.io/")
        || text.contains("source.extensions.fluxcd.io/")
}

impl Artifacts {
    /// Adds what a document says, where it is an `ArtifactGenerator`.
    pub(super) fn add(&mut self, file: &RepoPath, document: &Document) {
        if !is(document, "source.extensions.fluxcd.io", "ArtifactGenerator") {
            return;
        }
        for artifact in document.root.at(&["spec", "artifacts"]).map_or(&[][..], Node::items) {
            let Some(name) = artifact.get("name").and_then(Node::as_str) else { continue };
            for copy in artifact.get("copy").map_or(&[][..], Node::items) {
                let text = |key| copy.get(key).and_then(Node::as_str);
                let (Some(from), Some(to)) = (text("from"), text("to")) else { continue };
                // `@alias/folder/**` to `@artifact/folder/`.
                let inside = |text: &str| text.split_once('/').map(|(_, path)| path.to_owned());
                let (Some(from), Some(to)) = (inside(from), inside(to)) else { continue };
                self.copies.push(Copy {
                    folder: file.parent(),
                    artifact: name.to_owned(),
                    to: RepoPath::new(&to),
                    from: RepoPath::new(from.trim_end_matches('*')),
                });
            }
        }
    }

    /// Returns the folder of the repository that became `path` of an artifact.
    fn resolve(&self, file: &RepoPath, artifact: &str, path: &RepoPath) -> Option<RepoPath> {
        self.copies
            .iter()
            .filter(|copy| copy.artifact == artifact && path.is_within(&copy.to))
            .max_by_key(|copy| {
                let near = copy.folder.segments().zip(file.segments()).take_while(|(a, b)| a == b);
                (near.count(), copy.to.segments().count())
            })
            .and_then(|copy| {
                let inside = path.segments().skip(copy.to.segments().count());
                copy.from.join(&inside.collect::<Vec<_>>().join("/"))
            })
    }
}

/// The folders of a repository by their last segment, for paths whose start is not known.
#[derive(Debug)]
pub(super) struct Folders<'a> {
    repository: &'a Repository,
    by_name: BTreeMap<String, Vec<RepoPath>>,
}

impl<'a> Folders<'a> {
    pub(super) fn of(repository: &'a Repository) -> Self {
        let mut by_name: BTreeMap<String, Vec<RepoPath>> = BTreeMap::new();
        for (path, _) in repository.files() {
            let mut folder = path.parent();
            while !folder.is_root() {
                let known = by_name.entry(folder.name().to_owned()).or_default();
                if known.contains(&folder) {
                    break;
                }
                known.push(folder.clone());
                folder = folder.parent();
            }
        }
        Self { repository, by_name }
    }

    fn has(&self, path: &RepoPath) -> bool {
        self.repository.is_folder(path)
    }

    /// Returns the folder that `text` names in an object of `file`.
    ///
    /// A path starts at the root of its source, which is the root of the repository, or else a
    /// folder around the file that is a repository of its own. A path of nothing stays the root.
    fn resolve(&self, file: &RepoPath, text: &str) -> Option<RepoPath> {
        // Flux reads `/apps` as `./apps`.
        let relative = text.trim_start_matches('/');
        self.repository
            .bases(file)
            .filter_map(|base| base.join(relative).filter(|path| path.is_within(&base)))
            .find(|path| self.has(path))
    }

    /// Returns the only folder whose path ends with `path`.
    fn only_end(&self, path: &RepoPath) -> Option<RepoPath> {
        let end = format!("/{path}");
        let mut found =
            self.by_name.get(path.name())?.iter().filter(|folder| folder.as_str().ends_with(&end));
        let first = found.next()?;
        found.next().is_none().then(|| first.clone())
    }
}

/// Returns what a document applies; nothing for a document that is no reconciler's object.
pub(super) fn applied(
    file: &RepoPath,
    document: &Document,
    artifacts: &Artifacts,
    folders: &Folders<'_>,
) -> Applied {
    if is(document, "kustomize.toolkit.fluxcd.io", "Kustomization") {
        flux(file, document, artifacts, folders)
    } else if is(document, "argoproj.io", "Application") {
        argo(file, document, folders)
    } else {
        Applied::default()
    }
}

fn flux(
    file: &RepoPath,
    document: &Document,
    artifacts: &Artifacts,
    folders: &Folders<'_>,
) -> Applied {
    let mut applied = Applied::default();
    // Without a source it is a base that an overlay completes.
    let Some(source) = document.root.at(&["spec", "sourceRef"]) else { return applied };
    let node = document.root.at(&["spec", "path"]);
    let text = node.and_then(Node::as_str).unwrap_or("./");
    let span = node.unwrap_or(source).span;
    if is_unknown(text) {
        return applied;
    }
    let kind = source.get("kind").and_then(Node::as_str).unwrap_or_default();
    let name = source.get("name").and_then(Node::as_str).unwrap_or_default();
    let path = RepoPath::root().join(text.trim_start_matches('/'));
    let folder = path.and_then(|path| {
        if kind == "ExternalArtifact"
            && let Some(folder) = artifacts.resolve(file, name, &path)
        {
            return folders.has(&folder).then_some(folder);
        }
        // An artifact may hold a part of this repository, so that its paths start further down.
        let part = || if kind == "GitRepository" { None } else { folders.only_end(&path) };
        folders.resolve(file, text).or_else(part)
    });
    match folder {
        // A path of nothing is the whole source, and only one of them is known to be this one.
        Some(folder) if folder.is_root() && name != BOOTSTRAP => {
            applied.outside.push(Outside::Source(source.span, name.to_owned()));
        }
        Some(folder) => {
            let file = file.clone();
            applied.entries.push(Entry {
                file,
                span,
                folder,
                recursive: true,
                verbatim: false,
                apply: Apply::ServerSide,
            });
        }
        None => applied.outside.push(Outside::Path(span, text.to_owned())),
    }
    applied
}

fn argo(file: &RepoPath, document: &Document, folders: &Folders<'_>) -> Applied {
    let mut applied = Applied::default();
    let spec = |key| document.root.at(&["spec", key]);
    let options =
        document.root.at(&["spec", "syncPolicy", "syncOptions"]).map_or(&[][..], Node::items);
    let apply = if options.iter().any(|it| it.as_str() == Some("ServerSideApply=true")) {
        Apply::ServerSide
    } else {
        Apply::Client
    };
    let sources = spec("source").into_iter().chain(spec("sources").map_or(&[][..], Node::items));
    for source in sources {
        if let Some(chart) = source.get("chart") {
            let text = chart.as_str().unwrap_or_default().to_owned();
            if !is_unknown(&text) {
                applied.outside.push(Outside::Chart(chart.span, text));
            }
            continue;
        }
        let Some(node) = source.get("path") else { continue };
        let text = node.as_str().unwrap_or_default();
        if is_unknown(text) {
            continue;
        }
        match folders.resolve(file, text) {
            // The root of which repository, the URL alone knows.
            Some(folder) if folder.is_root() => {}
            Some(folder) => {
                let directory = source.get("directory").filter(|it| !it.entries().is_empty());
                let recurse = directory.and_then(|it| it.get("recurse")).and_then(Node::as_bool);
                applied.entries.push(Entry {
                    file: file.clone(),
                    span: node.span,
                    folder,
                    recursive: recurse == Some(true),
                    verbatim: directory.is_some(),
                    apply,
                });
            }
            None => {
                applied.outside.push(Outside::Path(node.span, text.to_owned()));
            }
        }
    }
    applied
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

    /// Returns the folders that the first document of a file applies, and the paths not found.
    fn read(repository: &Repository, path: &str) -> (Vec<String>, Vec<String>) {
        let path = RepoPath::new(path);
        let document = &repository.parsed(&path, Dialect::Kubectl).unwrap().documents[0];
        let folders = Folders::of(repository);
        let applied = applied(&path, document, &Artifacts::default(), &folders);
        let found = applied.entries.iter().map(|entry| entry.folder.to_string()).collect();
        let outside = applied.outside.into_iter().map(|it| match it {
            Outside::Path(_, text) | Outside::Chart(_, text) | Outside::Source(_, text) => text,
        });
        (found, outside.collect())
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
            let (found, outside) = read(&inside, "examples/fleet/clusters/web.yaml");
            assert_eq!((found.len(), outside.len()), (0, 1));
            inside.add_base(RepoPath::new("examples/fleet"));
            inside.add_base(RepoPath::new("examples"));
            let (found, outside) = read(&inside, "examples/fleet/clusters/web.yaml");
            assert_eq!(found, ["examples/fleet/apps/web"]);
            assert_eq!(outside, [""; 0]);
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
        assert_eq!(read(&both, "fleet/clusters/web.yaml").0, ["apps/web"]);
        let mut beside = repository(&[("other/web.yaml", FLUX), ("fleet/apps/web/a.yaml", "")]);
        beside.add_base(RepoPath::new("fleet"));
        assert_eq!(read(&beside, "other/web.yaml").1, ["./apps/web"]);
    }
}
