//! Where the paths of Flux and Argo CD objects lead: into this repository, or elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::Patterns;
use crate::document::{Document, Node};
use crate::load::Repository;
use crate::source::RepoPath;

/// The name that `flux bootstrap` gives to the source of the repository itself.
const BOOTSTRAP: &str = "flux-system";

/// How many artifacts may be made of each other.
const CHAIN: usize = 10;

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
    /// What artifacts hold, and sources that include others.
    copies: Vec<Copy>,
    /// The objects that say where a source lies.
    declared: Vec<Declared>,
    others: Vec<OtherRepository>,
    /// The folders by their last segment, for paths whose start is not known.
    by_name: BTreeMap<String, Vec<RepoPath>>,
    /// The paths of artifacts that Kustomizations apply, by kind and name of the source.
    used: BTreeMap<(String, String), Vec<RepoPath>>,
    /// The folder of this repository that an artifact holds, as far as its paths tell.
    starts: BTreeMap<(String, String), RepoPath>,
    /// What sources leave out.
    ignored: Patterns,
}

/// A folder of a source that another source or artifact holds.
#[derive(Debug)]
struct Copy {
    /// The folder of the file that says so: every cluster may make an artifact of the same name.
    folder: RepoPath,
    kind: &'static str,
    name: String,
    /// The source that it comes from, where that is named.
    source: Option<(String, String)>,
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
    /// What it leaves out.
    ignored: Patterns,
}

/// What every source of Flux leaves out (`sourceignore.go` of `fluxcd/pkg`), as far as files that
/// may be manifests go.
const LEFT_OUT: [&str; 13] = [
    ".git/",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

impl Sources {
    /// Returns what is known without any object.
    pub(super) fn new(repository: &Repository, others: &[OtherRepository]) -> Self {
        let mut sources = Self { others: others.to_vec(), ..Self::default() };
        sources.ignored.add(&RepoPath::root(), LEFT_OUT);
        let mut known = BTreeSet::new();
        for (path, _) in repository.files() {
            if path.name() == ".sourceignore"
                && let Some(source) = repository.source(path)
            {
                sources.ignored.add(&path.parent(), source.text().lines());
            }
            let mut folder = path.parent();
            while !folder.is_root() && known.insert(folder.clone()) {
                let name = folder.name().to_owned();
                sources.by_name.entry(name).or_default().push(folder.clone());
                folder = folder.parent();
            }
        }
        sources
    }

    /// Adds what a document says of a source, where it does.
    pub(super) fn add(&mut self, file: &RepoPath, document: &Document) {
        let Some(object) = &document.object else { return };
        let spec = |path: &[&str]| document.root.get("spec").and_then(|it| it.at(path));
        let text = |path: &[&str]| spec(path).and_then(Node::as_str);
        match (object.group(), &*object.kind) {
            ("source.extensions.fluxcd.io", "ArtifactGenerator") => self.add_copies(file, document),
            ("source.toolkit.fluxcd.io", kind) => {
                for include in spec(&["include"]).map_or(&[][..], Node::items) {
                    self.add_include(file, &object.name, include);
                }
                let mut ignored = Patterns::default();
                let lines = text(&["ignore"]).unwrap_or_default().lines();
                ignored.add(&RepoPath::root(), lines);
                self.declared.push(Declared {
                    folder: file.parent(),
                    kind: kind.to_owned(),
                    name: object.name.to_string(),
                    url: text(&["url"]).map(normal_url).unwrap_or_default(),
                    ignored,
                });
            }
            ("fluxcd.controlplane.io", "FluxInstance") => {
                let kind = text(&["sync", "kind"]).unwrap_or("GitRepository");
                let name = text(&["sync", "name"]).or(object.namespace.as_deref());
                let name = name.unwrap_or(BOOTSTRAP);
                if let Some(path) = text(&["sync", "path"]) {
                    self.add_use(kind, name, path);
                }
                let Some(url) = text(&["sync", "url"]) else { return };
                self.declared.push(Declared {
                    folder: file.parent(),
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    url: normal_url(url),
                    ignored: Patterns::default(),
                });
            }
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                let kind = text(&["sourceRef", "kind"]).unwrap_or_default();
                let name = text(&["sourceRef", "name"]).unwrap_or_default();
                if let Some(path) = text(&["path"]) {
                    self.add_use(kind, name, path);
                }
            }
            _ => {}
        }
    }

    fn add_use(&mut self, kind: &str, name: &str, path: &str) {
        if matches!(kind, "OCIRepository" | "Bucket") && !path.contains("${") {
            let paths = self.used.entry((kind.to_owned(), name.to_owned())).or_default();
            paths.push(clamped(path));
        }
    }

    /// Finds where in this repository artifacts begin, once every object was added.
    pub(super) fn settle(&mut self, repository: &Repository) {
        for (source, paths) in &self.used {
            let mut votes: BTreeMap<RepoPath, usize> = BTreeMap::new();
            for path in paths.iter().filter(|path| !path.is_root()) {
                if repository.is_folder(path) {
                    *votes.entry(RepoPath::root()).or_default() += 1;
                }
                for start in self.starts_of(path) {
                    *votes.entry(start).or_default() += 1;
                }
            }
            let most = votes.values().max().copied().unwrap_or_default();
            let mut first = votes.into_iter().filter(|(_, count)| *count == most);
            if let (Some((start, _)), None) = (first.next(), first.next()) {
                self.starts.insert(source.clone(), start);
            }
        }
    }

    /// Returns the folders from which a path leads to a folder.
    fn starts_of(&self, path: &RepoPath) -> impl Iterator<Item = RepoPath> {
        let end = format!("/{path}");
        let all = self.by_name.get(path.name()).map_or(&[][..], Vec::as_slice);
        all.iter().filter_map(move |folder| {
            let start = folder.as_str().strip_suffix(&end)?;
            (!folder.is_beside()).then(|| RepoPath::new(start))
        })
    }

    /// Adds what an `ArtifactGenerator` copies, as its builder does.
    fn add_copies(&mut self, file: &RepoPath, document: &Document) {
        let spec = |key| document.root.at(&["spec", key]).map_or(&[][..], Node::items);
        for artifact in spec("artifacts") {
            let Some(name) = artifact.get("name").and_then(Node::as_str) else { continue };
            for copy in artifact.get("copy").map_or(&[][..], Node::items) {
                let text = |key| copy.get(key).and_then(Node::as_str);
                // The content of an archive is not read.
                if text("strategy") == Some("Extract") {
                    continue;
                }
                let (Some(from), Some(to)) = (text("from"), text("to")) else { continue };
                let from = from.strip_prefix('@').and_then(|it| it.split_once('/'));
                let (Some((alias, from)), Some(to)) = (from, to.strip_prefix("@artifact/")) else {
                    continue;
                };
                let source = spec("sources").iter().find_map(|source| {
                    let text = |key| source.get(key).and_then(Node::as_str);
                    (text("alias") == Some(alias))
                        .then(|| (text("kind").map(str::to_owned), text("name").map(str::to_owned)))
                });
                let (from, to) = copied_to(from, RepoPath::new(to));
                self.copies.push(Copy {
                    folder: file.parent(),
                    kind: "ExternalArtifact",
                    name: name.to_owned(),
                    source: source.and_then(|(kind, name)| kind.zip(name)),
                    to,
                    from,
                });
            }
        }
    }

    /// Adds an item of `include`: another `GitRepository` that lies inside of one.
    fn add_include(&mut self, file: &RepoPath, name: &str, include: &Node) {
        let text = |path: &[&str]| include.at(path).and_then(Node::as_str);
        let Some(other) = text(&["repository", "name"]) else { return };
        self.copies.push(Copy {
            folder: file.parent(),
            kind: "GitRepository",
            name: name.to_owned(),
            source: Some(("GitRepository".to_owned(), other.to_owned())),
            to: RepoPath::new(text(&["toPath"]).unwrap_or(other)),
            from: RepoPath::new(text(&["fromPath"]).unwrap_or_default()),
        });
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
        self.locate(repository, file, source, &clamped(path), 0)
    }

    fn locate(
        &self,
        repository: &Repository,
        file: &RepoPath,
        source: SourceRef<'_>,
        path: &RepoPath,
        depth: usize,
    ) -> Located {
        let mut copied = None;
        for copy in self.copies_of(file, source, path) {
            let inside: Vec<&str> = path.segments().skip(copy.to.segments().count()).collect();
            let Some(from) = copy.from.join(&inside.join("/")) else { continue };
            let found = match &copy.source {
                Some((kind, name)) if depth < CHAIN => {
                    self.locate(repository, file, SourceRef { kind, name }, &from, depth + 1)
                }
                // An artifact without a source that is known may be of this repository.
                Some(_) | None => match resolve(repository, file, from.as_str()) {
                    Some(folder) => Located::Folder(folder),
                    None => Located::Missing,
                },
            };
            if matches!(found, Located::Folder(_)) {
                return found;
            }
            copied.get_or_insert(found);
        }
        let is_made = |it: &Copy| it.kind == "ExternalArtifact" && it.name == source.name;
        if source.kind == "ExternalArtifact" && self.copies.iter().any(is_made) {
            return copied.unwrap_or(Located::Missing);
        }
        if let Some(found) = copied {
            return found;
        }
        let url = self.declared(file, source).map(|it| it.url.as_str()).filter(|it| !it.is_empty());
        let bootstrap = SourceRef { kind: "GitRepository", name: BOOTSTRAP };
        let own = self.declared(file, bootstrap).map(|it| it.url.as_str());
        let mut is_own = source.name == BOOTSTRAP;
        if let Some(url) = url {
            if let Some(other) = self.other(url) {
                return in_other(repository, other, path.as_str());
            }
            is_own |= own == Some(url);
            if source.kind == "GitRepository" && own.is_some_and(|own| own != url) {
                return Located::Elsewhere;
            }
        }
        let found = if source.kind == "GitRepository" {
            resolve(repository, file, path.as_str())
        } else {
            // An artifact may hold a part of this repository, so that its paths start further down.
            let key = (source.kind.to_owned(), source.name.to_owned());
            let start = self.starts.get(&key).filter(|start| !path.is_root() || !start.is_root());
            let started = start.and_then(|start| start.join(path.as_str()));
            if let Some(folder) = started.filter(|it| repository.is_folder(it)) {
                return Located::Folder(folder);
            }
            resolve(repository, file, path.as_str()).or_else(|| self.only_end(path))
        };
        match found {
            // A path of nothing is the whole source, and only one of them is known to be this one.
            Some(folder) if folder.is_root() && !is_own => Located::Elsewhere,
            Some(folder) => Located::Folder(folder),
            None if url.is_some() && !is_own => Located::Elsewhere,
            None => Located::Missing,
        }
    }

    /// Returns the copies that may have made a path of a source, the nearest and last first.
    fn copies_of(&self, file: &RepoPath, source: SourceRef<'_>, path: &RepoPath) -> Vec<&Copy> {
        let mut copies: Vec<&Copy> = self
            .copies
            .iter()
            .rev()
            .filter(|it| it.kind == source.kind && it.name == source.name)
            .filter(|it| path.is_within(&it.to))
            .collect();
        let order = |it: &Copy| (nearness(&it.folder, file), it.to.segments().count());
        copies.sort_by_key(|it| std::cmp::Reverse(order(it)));
        copies
    }

    /// Says whether a source leaves a file of the repository out.
    pub fn is_left_out(
        &self,
        file: &RepoPath,
        source: Option<SourceRef<'_>>,
        path: &RepoPath,
    ) -> bool {
        source
            .and_then(|source| self.declared(file, source))
            .and_then(|declared| declared.ignored.names(path))
            .or_else(|| self.ignored.names(path))
            .unwrap_or_default()
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

    /// Returns the folder that was given for the repository of a URL.
    pub fn root_of(&self, url: &str) -> Option<&RepoPath> {
        self.other(&normal_url(url)).map(|other| &other.root)
    }

    /// Says whether a folder was given for the repository of a URL.
    pub fn is_known(&self, url: &str) -> bool {
        self.other(&normal_url(url)).is_some()
    }

    /// Returns what is said of a source by the object nearest to the file.
    fn declared(&self, file: &RepoPath, source: SourceRef<'_>) -> Option<&Declared> {
        self.declared
            .iter()
            .filter(|it| it.kind == source.kind && it.name == source.name)
            .max_by_key(|it| nearness(&it.folder, file))
    }

    fn other(&self, url: &str) -> Option<&OtherRepository> {
        self.others.iter().find(|it| normal_url(&it.url) == url)
    }

    /// Returns the only folder whose path ends with `path`.
    fn only_end(&self, path: &RepoPath) -> Option<RepoPath> {
        let mut starts = self.starts_of(path);
        let first = starts.next()?;
        if starts.next().is_some() { None } else { first.join(path.as_str()) }
    }
}

/// Returns the folder whose content a copy takes, and where in the artifact it then lies.
///
/// A folder is copied with its name. `folder/**` leaves the folder's name out; what any other
/// pattern matches keeps its whole path.
fn copied_to(from: &str, to: RepoPath) -> (RepoPath, RepoPath) {
    const GLOB: [char; 4] = ['*', '?', '[', ']'];
    if let Some(folder) = from.strip_suffix("/**").filter(|it| !it.contains(GLOB)) {
        return (RepoPath::new(folder), to);
    }
    if from.contains(GLOB) {
        return (RepoPath::root(), to);
    }
    let folder = RepoPath::new(from);
    let inside = to.join(folder.name()).unwrap_or(to);
    (folder, inside)
}

/// Reads a path as Flux does: from the root of the source, which `..` does not leave.
fn clamped(path: &str) -> RepoPath {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    RepoPath::new(&parts.join("/"))
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
