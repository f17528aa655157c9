//! Where the paths of Flux and Argo CD objects lead: into this repository, or elsewhere.

use std::collections::BTreeMap;

use crate::document::{Document, Node};
use crate::load::Repository;
use crate::source::RepoPath;

/// The name that `flux bootstrap` gives to the source of the repository itself.
const BOOTSTRAP: &str = "flux-system";

/// Another repository of the fleet, which was read from a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRepository {
    /// The URL by which reconcilers know it.
    pub url: String,
    /// The folder that holds its files.
    pub root: RepoPath,
}

/// The source that a Flux object refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRef<'a> {
    /// E.g. `GitRepository`.
    pub kind: &'a str,
    /// The name of the object.
    pub name: &'a str,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// To a folder that was read.
    Folder(RepoPath),
    /// To this repository, which has no such folder, or to one that nobody knows.
    Missing,
    /// To another repository.
    Elsewhere,
}

/// What is known of the sources of reconcilers.
#[derive(Debug, Default)]
pub struct Sources {
    /// What an `ArtifactGenerator` copies: folders of the artifact to folders of the repository.
    copies: Vec<Copy>,
    /// The objects that say where a source lies.
    declared: Vec<Declared>,
    others: Vec<OtherRepository>,
    /// The folders by their last segment, for paths whose start is not known.
    by_name: BTreeMap<String, Vec<RepoPath>>,
}

#[derive(Debug)]
struct Copy {
    /// The folder of the file that says so: every cluster may make an artifact of the same name.
    folder: RepoPath,
    artifact: String,
    to: RepoPath,
    from: RepoPath,
}

#[derive(Debug)]
struct Declared {
    /// The folder of the file that says so.
    folder: RepoPath,
    kind: String,
    name: String,
    url: String,
}

impl Sources {
    /// Returns what is known without any object.
    pub(super) fn new(repository: &Repository, others: &[OtherRepository]) -> Self {
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
        Self { others: others.to_vec(), by_name, ..Self::default() }
    }

    /// Adds what a document says of a source, where it does.
    pub(super) fn add(&mut self, file: &RepoPath, document: &Document) {
        let Some(object) = &document.object else { return };
        match (object.group(), &*object.kind) {
            ("source.extensions.fluxcd.io", "ArtifactGenerator") => self.add_copies(file, document),
            ("source.toolkit.fluxcd.io", kind) => {
                let Some(url) = document.root.at(&["spec", "url"]).and_then(Node::as_str) else {
                    return;
                };
                self.declared.push(Declared {
                    folder: file.parent(),
                    kind: kind.to_owned(),
                    name: object.name.to_string(),
                    url: normal_url(url),
                });
            }
            _ => {}
        }
    }

    fn add_copies(&mut self, file: &RepoPath, document: &Document) {
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

    /// Returns the folder that a path of a Flux object of `file` names.
    ///
    /// A path starts at the root of its source. Where that is this repository, it is the root, or
    /// else a folder around the file that is a repository of its own.
    pub fn flux(
        &self,
        repository: &Repository,
        file: &RepoPath,
        source: SourceRef<'_>,
        path: &str,
    ) -> Located {
        // Flux reads `/apps` as `./apps`.
        let relative = path.trim_start_matches('/');
        if source.kind == "ExternalArtifact"
            && let Some(inside) = RepoPath::root().join(relative)
            && let Some(folder) = self.copied(file, source.name, &inside)
        {
            return if repository.is_folder(&folder) {
                Located::Folder(folder)
            } else {
                Located::Missing
            };
        }
        let url = self.url_of(file, source.kind, source.name);
        if let Some(url) = url {
            if let Some(other) = self.other(url) {
                return in_other(repository, other, relative);
            }
            let own = self.url_of(file, "GitRepository", BOOTSTRAP);
            if source.kind == "GitRepository" && own.is_some_and(|own| own != url) {
                return Located::Elsewhere;
            }
        }
        let found = resolve(repository, file, relative).or_else(|| {
            // An artifact may hold a part of this repository, so that its paths start further down.
            let inside = RepoPath::root().join(relative)?;
            if source.kind == "GitRepository" { None } else { self.only_end(&inside) }
        });
        match found {
            // A path of nothing is the whole source, and only one of them is known to be this one.
            Some(folder) if folder.is_root() && source.name != BOOTSTRAP => Located::Elsewhere,
            Some(folder) => Located::Folder(folder),
            None => Located::Missing,
        }
    }

    /// Returns the folder that a path of an Argo CD object of `file` names.
    pub fn argo(&self, repository: &Repository, file: &RepoPath, url: &str, path: &str) -> Located {
        let relative = path.trim_start_matches('/');
        if let Some(other) = self.other(&normal_url(url)) {
            return in_other(repository, other, relative);
        }
        match resolve(repository, file, relative) {
            // The root of which repository, the URL alone knows.
            Some(folder) if folder.is_root() => Located::Elsewhere,
            Some(folder) => Located::Folder(folder),
            None => Located::Missing,
        }
    }

    /// Returns the folder of the repository that became `path` of an artifact.
    fn copied(&self, file: &RepoPath, artifact: &str, path: &RepoPath) -> Option<RepoPath> {
        self.copies
            .iter()
            .filter(|copy| copy.artifact == artifact && path.is_within(&copy.to))
            .max_by_key(|copy| (nearness(&copy.folder, file), copy.to.segments().count()))
            .and_then(|copy| {
                let inside = path.segments().skip(copy.to.segments().count());
                copy.from.join(&inside.collect::<Vec<_>>().join("/"))
            })
    }

    /// Returns the URL of a source, as the object nearest to the file says.
    fn url_of(&self, file: &RepoPath, kind: &str, name: &str) -> Option<&str> {
        self.declared
            .iter()
            .filter(|it| it.kind == kind && it.name == name)
            .max_by_key(|it| nearness(&it.folder, file))
            .map(|it| it.url.as_str())
    }

    fn other(&self, url: &str) -> Option<&OtherRepository> {
        self.others.iter().find(|it| normal_url(&it.url) == url)
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

/// Returns how many folders two paths have in common.
fn nearness(a: &RepoPath, b: &RepoPath) -> usize {
    a.segments().zip(b.segments()).take_while(|(a, b)| a == b).count()
}

fn in_other(repository: &Repository, other: &OtherRepository, relative: &str) -> Located {
    match repository.join(&other.root, relative).filter(|path| repository.is_folder(path)) {
        Some(folder) => Located::Folder(folder),
        None => Located::Missing,
    }
}

fn resolve(repository: &Repository, file: &RepoPath, relative: &str) -> Option<RepoPath> {
    repository
        .bases(file)
        .filter_map(|base| base.join(relative).filter(|path| path.is_within(&base)))
        .find(|path| repository.is_folder(path))
}

/// Returns what two URLs of one repository have in common, however it is reached: host and path,
/// without user, port, scheme and the ending `.git`.
pub fn normal_url(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.to_owned(),
        // `git@host:path`, as ssh has it.
        None => url.replacen(':', "/", 1),
    };
    let rest = rest.split_once('@').map_or(rest.as_str(), |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let path = path.strip_suffix(".git").unwrap_or(path).trim_matches('/');
    format!("{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_urls() {
        let one = normal_url("https://github.com/org/fleet");
        for url in [
            "ssh://git@github.com/org/fleet.git",
            "git@github.com:org/fleet.git",
            "https://user@GitHub.com:443/org/fleet/",
            "ssh://git@github.com:22/org/fleet",
        ] {
            assert_eq!(normal_url(url), one, "{url}");
        }
        assert_ne!(normal_url("https://github.com/org/fleet-two"), one);
    }
}
