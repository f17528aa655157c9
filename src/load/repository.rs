//! The files of a repository, each parsed at most once a dialect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::yaml::{self, Dialect, Limits};
use super::{Problem, problem};
use crate::document::Document;
use crate::source::{RepoPath, Source, SourceId, SourceMap};

/// What a text holds: its documents in order, and what could not be read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents that could be read, in order. Empty documents are left out.
    pub documents: Vec<Document>,
    /// What could not be read, and what is read otherwise than it looks.
    pub problems: Vec<Problem>,
}

impl Parsed {
    /// Reads a text, which may be none.
    pub fn of(source: &Source, id: SourceId, dialect: Dialect, limits: &Limits) -> Self {
        match problem::unreadable(source, id) {
            Some(problem) => Self { documents: Vec::new(), problems: vec![problem] },
            None => yaml::parse(source, id, dialect, limits),
        }
    }
}

/// One file that was read.
#[derive(Debug)]
pub struct File {
    /// Its text.
    pub source: SourceId,
    /// Whether it was asked for. A file that was not is read only because another refers to it.
    pub in_scope: bool,
    kubectl: OnceLock<Parsed>,
    kustomize: OnceLock<Parsed>,
}

/// The files of a repository below its root.
#[derive(Debug, Default)]
pub struct Repository {
    files: BTreeMap<RepoPath, File>,
    folders: BTreeSet<RepoPath>,
    bases: BTreeSet<RepoPath>,
    /// The roots of other repositories, which paths do not leave.
    others: BTreeSet<RepoPath>,
    sources: SourceMap,
    limits: Limits,
}

impl Repository {
    /// Returns an empty repository that reads within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds a file. A file that is there already keeps its text.
    pub fn add(&mut self, source: Source, in_scope: bool) {
        let path = source.path().clone();
        if self.files.contains_key(&path) {
            return;
        }
        let mut folder = path.clone();
        while !folder.is_root() {
            folder = folder.parent();
            if !self.folders.insert(folder.clone()) {
                break;
            }
        }
        let source = self.sources.add(source);
        let file = File { source, in_scope, kubectl: OnceLock::new(), kustomize: OnceLock::new() };
        self.files.insert(path, file);
    }

    /// Adds a text that is no file of the repository, e.g. a configuration that lies elsewhere.
    pub fn add_text(&mut self, source: Source) -> SourceId {
        self.sources.add(source)
    }

    /// Says that a folder is a repository of its own, which lies inside a larger one: an example,
    /// or the part of a monorepo that has a configuration.
    pub fn add_base(&mut self, folder: RepoPath) {
        self.bases.insert(folder);
    }

    /// Says that a folder beside the repository holds another repository, as a checkout of its own.
    pub fn add_other(&mut self, folder: RepoPath) {
        self.others.insert(folder);
    }

    /// Returns the root of the repository that a path lies in: this one, or one beside it.
    pub fn home(&self, path: &RepoPath) -> RepoPath {
        if !path.is_beside() {
            return RepoPath::root();
        }
        let around = self.others.iter().filter(|root| path.is_within(root));
        around.max_by_key(|root| root.segments().count()).cloned().unwrap_or_else(RepoPath::root)
    }

    /// Resolves a relative path against a folder; `None` when it leaves the repository that the
    /// folder lies in.
    pub fn join(&self, folder: &RepoPath, relative: &str) -> Option<RepoPath> {
        let path = folder.join(relative)?;
        (!folder.is_beside() || path.is_within(&self.home(folder))).then_some(path)
    }

    /// Returns the root of its repository, then the folders around a file that are repositories of their own, the
    /// nearest first.
    pub fn bases(&self, file: &RepoPath) -> impl Iterator<Item = RepoPath> {
        let around = self.bases.iter().rev().filter(|base| file.is_within(base));
        [self.home(file)].into_iter().chain(around.cloned())
    }

    /// Returns all texts.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// Returns the files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&RepoPath, &File)> {
        self.files.iter()
    }

    /// Returns a file by its path.
    pub fn file(&self, path: &RepoPath) -> Option<&File> {
        self.files.get(path)
    }

    /// Returns the text of a file.
    pub fn source(&self, path: &RepoPath) -> Option<&Source> {
        self.sources.get(self.files.get(path)?.source)
    }

    /// Says whether a folder holds at least one file that was read.
    pub fn is_folder(&self, path: &RepoPath) -> bool {
        self.folders.contains(path)
    }

    /// Returns the files that lie directly in a folder, in the order of their names.
    pub fn children<'a>(
        &'a self,
        folder: &'a RepoPath,
    ) -> impl Iterator<Item = (&'a RepoPath, &'a File)> {
        self.below(folder).filter(move |(path, _)| path.parent() == *folder)
    }

    /// Returns the files that lie anywhere below a folder, in the order of their paths.
    pub fn below<'a>(
        &'a self,
        folder: &'a RepoPath,
    ) -> impl Iterator<Item = (&'a RepoPath, &'a File)> {
        // Paths below a folder are not contiguous in the map's order (`a-b` sorts before `a/b`).
        self.files
            .range(folder.clone()..)
            .take_while(move |(path, _)| path.as_str().starts_with(folder.as_str()))
            .filter(move |(path, _)| path.is_within(folder))
    }

    /// Returns what a file holds, read in `dialect`.
    pub fn parsed(&self, path: &RepoPath, dialect: Dialect) -> Option<&Parsed> {
        let file = self.files.get(path)?;
        let source = self.sources.get(file.source)?;
        let cell = match dialect {
            Dialect::Kubectl => &file.kubectl,
            Dialect::Kustomize => &file.kustomize,
        };
        Some(cell.get_or_init(|| Parsed::of(source, file.source, dialect, &self.limits)))
    }

    /// Returns what a file holds in a dialect in which it was read before.
    pub fn parsed_before(&self, path: &RepoPath, dialect: Dialect) -> Option<&Parsed> {
        let file = self.files.get(path)?;
        match dialect {
            Dialect::Kubectl => file.kubectl.get(),
            Dialect::Kustomize => file.kustomize.get(),
        }
    }
}
