//! Kustomizations rendered for their own sake, without judging them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Progress, RunError};
use crate::discover::{self, WalkLimits};
use crate::document::Node;
use crate::finding::Failure;
use crate::graph::kustomization::{self, Kustomization, ReferenceUse};
use crate::load::{Dialect, Limits, Repository};
use crate::render::{self, Cache, Gap, GapKind, LoadRestrictor, RenderError, Rendered};
use crate::source::{KUSTOMIZATION_FILES, Origin, RepoPath, Source, SourceMap};

/// How often references may lead to files that lead to further ones; kustomizations refer to each
/// other over no more levels.
const ROUNDS: usize = 64;

/// The longest text in a plugin's configuration that may be a path.
const LONGEST_PATH: usize = 1024;

/// A repository of which kustomizations are rendered.
#[derive(Debug)]
pub struct Renders {
    repository: Repository,
    root: PathBuf,
    /// What was asked for: the folder, or the one that holds all.
    asked: RepoPath,
    folders: Vec<RepoPath>,
    cache: Cache,
}

/// What became of one folder.
#[derive(Debug)]
pub struct Made<T> {
    /// The folder.
    pub folder: RepoPath,
    /// The folder as it is called from the one that was asked for.
    pub name: RepoPath,
    /// What was made of its objects; none where it cannot be rendered.
    pub made: Option<T>,
    /// Why it cannot be rendered.
    pub error: Option<Failure>,
    /// What its render leaves out, because it lies outside of the repository.
    pub gaps: Vec<Failure>,
}

impl Renders {
    /// Reads what the kustomization of one folder needs.
    ///
    /// The repository is the git work tree around the folder. Without one it is the working
    /// directory, where the folder was given relative to it.
    pub fn of_folder(
        folder: &Path,
        current_dir: &Path,
        restrictor: LoadRestrictor,
    ) -> Result<Self, RunError> {
        let mut scope = discover::scope(&[folder.to_owned()], current_dir)?;
        if folder.is_relative() {
            scope = scope.widened(current_dir);
        }
        let root = scope.root().to_owned();
        let asked = scope.paths().next().cloned().unwrap_or_else(RepoPath::root);
        if !root.join(asked.as_str()).is_dir() {
            return Err(RunError::NotAFolder(folder.display().to_string()));
        }
        let mut renders = Self {
            repository: Repository::new(Limits::default()),
            root,
            folders: vec![asked.clone()],
            asked,
            cache: Cache::new(restrictor),
        };
        let files: Vec<RepoPath> =
            KUSTOMIZATION_FILES.iter().filter_map(|name| renders.asked.join(name)).collect();
        renders.read(&files);
        renders.read_references();
        Ok(renders)
    }

    /// Reads a repository, or the part of it below `path`, for all of its kustomizations.
    pub fn of_all(
        path: &Path,
        current_dir: &Path,
        restrictor: LoadRestrictor,
        progress: &dyn Progress,
    ) -> Result<Self, RunError> {
        progress.stage("reading", None);
        let scope = discover::scope(&[path.to_owned()], current_dir)?;
        let asked = scope.paths().next().cloned().unwrap_or_else(RepoPath::root);
        let root = scope.root().to_owned();
        if !root.join(asked.as_str()).is_dir() {
            return Err(RunError::NotAFolder(path.display().to_string()));
        }
        let mut repository = Repository::new(Limits::default());
        let mut folders = BTreeSet::new();
        for file in discover::walk(&scope, &WalkLimits::default()).files {
            if file.in_scope && file.path.is_kustomization() {
                folders.insert(file.path.parent());
            }
            repository.add(Source::new(file.path, Origin::File, file.bytes), file.in_scope);
        }
        let cache = Cache::new(restrictor);
        let folders = folders.into_iter().collect();
        let mut renders = Self { repository, root, asked, folders, cache };
        renders.folders.retain(|folder| !is_flux(&renders.repository, folder));
        renders.read_references();
        Ok(renders)
    }

    /// Returns the texts that the places of the renders point into.
    pub fn sources(&self) -> &SourceMap {
        self.repository.sources()
    }

    /// Returns the folder that all paths are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folders that are rendered, in order, as they are called from the one that was
    /// asked for.
    pub fn names(&self) -> Vec<RepoPath> {
        self.folders.iter().map(|folder| self.name(folder)).collect()
    }

    /// Renders every folder and makes something of each, on many threads.
    ///
    /// `then` is given the name of the folder, as it is called from the one that was asked for, and
    /// its objects, which are gone afterwards.
    pub fn each<T: Send>(
        &self,
        progress: &dyn Progress,
        then: impl Fn(&RepoPath, Rendered) -> T + Sync,
    ) -> Vec<Made<T>> {
        progress.stage("rendering", Some(self.folders.len()));
        self.folders
            .par_iter()
            .map(|folder| {
                let made = self.render(folder, &then);
                progress.step();
                made
            })
            .collect()
    }

    fn render<T>(&self, folder: &RepoPath, then: impl Fn(&RepoPath, Rendered) -> T) -> Made<T> {
        let name = self.name(folder);
        let mut made =
            Made { folder: folder.clone(), name, made: None, error: None, gaps: Vec::new() };
        match render::kustomize(&self.repository, folder, &self.cache) {
            Ok(rendered) => {
                made.gaps = rendered.gaps.iter().filter_map(left_out).collect();
                made.made = Some(then(&made.name, rendered));
            }
            Err(error) => made.error = Some(refused(folder, error)),
        }
        made
    }

    /// Returns what a folder is called from the one that was asked for.
    fn name(&self, folder: &RepoPath) -> RepoPath {
        let below = folder.segments().skip(self.asked.segments().count());
        RepoPath::new(&below.collect::<Vec<_>>().join("/"))
    }

    /// Reads files, or all files of folders; returns whether there were any.
    fn read(&mut self, paths: &[RepoPath]) -> bool {
        let mut any = false;
        for file in discover::read(&self.root, paths, &WalkLimits::default()).files {
            any |= self.repository.file(&file.path).is_none();
            self.repository.add(Source::new(file.path, Origin::File, file.bytes), false);
        }
        any
    }

    /// Reads what the kustomizations refer to, and what that refers to.
    fn read_references(&mut self) {
        let mut waiting = self.folders.clone();
        let mut seen: BTreeSet<RepoPath> = waiting.iter().cloned().collect();
        let mut asked = BTreeSet::new();
        for _ in 0..ROUNDS {
            let repository = &self.repository;
            let targets: Vec<Vec<RepoPath>> =
                waiting.par_iter().map(|folder| targets(repository, folder)).collect();
            let targets: BTreeSet<RepoPath> = targets.into_iter().flatten().collect();
            let missing: Vec<RepoPath> = targets
                .iter()
                .filter(|path| {
                    repository.file(path).is_none()
                        && !has_kustomization(repository, path)
                        && asked.insert((*path).clone())
                })
                .cloned()
                .collect();
            if !missing.is_empty() {
                self.read(&missing);
            }
            let repository = &self.repository;
            waiting = targets
                .into_iter()
                .filter(|path| has_kustomization(repository, path) && seen.insert(path.clone()))
                .collect();
            if waiting.is_empty() {
                break;
            }
        }
    }
}

fn has_kustomization(repository: &Repository, folder: &RepoPath) -> bool {
    kustomization::find(repository, folder) != kustomization::Found::None
}

/// Returns the paths that the kustomization of a folder refers to.
fn targets(repository: &Repository, folder: &RepoPath) -> Vec<RepoPath> {
    let kustomization::Found::One(file) = kustomization::find(repository, folder) else {
        return Vec::new();
    };
    let Some((kustomization, _)) = kustomization::read(repository, &file) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for reference in kustomization.references() {
        let Some(path) = folder.join(&reference.text) else { continue };
        // What a plugin reads is said in its own file.
        let is_plugin = matches!(
            reference.use_,
            ReferenceUse::Generator | ReferenceUse::Transformer | ReferenceUse::Validator
        );
        if is_plugin && let Some(parsed) = repository.parsed(&path, Dialect::Kustomize) {
            for document in &parsed.documents {
                possible_paths(&document.root, folder, &mut out);
            }
        }
        out.push(path);
    }
    inline_plugins(&kustomization, folder, &mut out);
    out
}

/// Adds what plugins may read that stand in the kustomization itself.
fn inline_plugins(kustomization: &Kustomization, folder: &RepoPath, out: &mut Vec<RepoPath>) {
    let lists = [&kustomization.generators, &kustomization.transformers, &kustomization.validators];
    for text in lists.into_iter().flatten().filter(|it| kustomization::is_inline(&it.text)) {
        for word in text.text.split(|c: char| c.is_whitespace() || "\"',[]{}=".contains(c)) {
            possible_path(word, folder, out);
        }
    }
}

/// Adds every text of a tree that may be the path of a file.
fn possible_paths(node: &Node, folder: &RepoPath, out: &mut Vec<RepoPath>) {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        if let Some(text) = node.as_str() {
            possible_path(text.split_once('=').map_or(text, |(_, path)| path), folder, out);
        }
        waiting.extend(node.items());
        waiting.extend(node.entries().iter().map(|entry| &entry.value));
    }
}

fn possible_path(text: &str, folder: &RepoPath, out: &mut Vec<RepoPath>) {
    // Without a dot or a slash it may be any word, and the name of a folder at that.
    if text.len() <= LONGEST_PATH && text.contains(['.', '/']) && !text.contains(['\n', ' ']) {
        out.extend(folder.join(text).filter(|path| path.extension().is_some()));
    }
}

/// Says whether the file with kustomize's name holds an object of Flux, which has the same kind.
fn is_flux(repository: &Repository, folder: &RepoPath) -> bool {
    let kustomization::Found::One(file) = kustomization::find(repository, folder) else {
        return false;
    };
    repository.parsed(&file, Dialect::Kubectl).is_some_and(|parsed| {
        let object = parsed.documents.first().and_then(|it| it.object.as_ref());
        object.is_some_and(|it| it.group() == "kustomize.toolkit.fluxcd.io")
    })
}

pub(super) fn refused(folder: &RepoPath, error: RenderError) -> Failure {
    Failure {
        rule: None,
        span: Some(error.span),
        reason: format!("cannot render `{folder}`: {}", error.message),
        help: error.help,
    }
}

/// Returns what is to be said of something that a render leaves out.
pub(super) fn left_out(gap: &Gap) -> Option<Failure> {
    let text = &gap.text;
    let (reason, help) = match gap.kind {
        GapKind::RemoteBase => (
            format!("`{text}` lies on another host, so its objects are left out"),
            "copy it into the repository, and refer to the copy",
        ),
        GapKind::RemoteFile => (
            format!("`{text}` lies on another host, so what it holds is left out"),
            "copy it into the repository, and refer to the copy",
        ),
        GapKind::RemoteChart => (
            format!("the chart `{text}` lies outside the repository, so its objects are left out"),
            "commit what `helm template` makes of it, and list that under `resources`",
        ),
        GapKind::ChartNotRendered => (
            format!("the chart `{text}` is not rendered, so its objects are left out"),
            "commit what `helm template` makes of it, and list that under `resources`",
        ),
        GapKind::PluginNotRun => (
            format!(
                "`{text}` is a program of its own, which is not run, so what it makes is left out"
            ),
            "commit what it makes, and list that under `resources`",
        ),
        GapKind::MissingPath => (
            format!("the path `{text}` is not in this repository, so its objects are left out"),
            "give the repository that has it with `--source URL=FOLDER`",
        ),
        GapKind::OtherRepository => (
            format!("the source `{text}` is another repository, so its objects are left out"),
            "give a checkout of it with `--source URL=FOLDER`",
        ),
        GapKind::UnknownValues => (
            format!("`{text}` is not in this repository, so the variables that it sets are empty"),
            "give its values in `tidewaiter.yaml`, under `clusterValues`",
        ),
        GapKind::UnknownDependency | GapKind::DependencyCircle => return None,
        GapKind::NotExpanded => (
            format!("{text}, so what it makes is left out"),
            "declare the clusters in `tidewaiter.yaml`, under `clusters`",
        ),
    };
    Some(Failure { rule: None, span: Some(gap.span), reason, help: Some(help.to_owned()) })
}

/// Returns the failures and the gaps of many renders, each told once however many folders meet it.
pub fn told_once<T>(made: &[Made<T>]) -> (Vec<Failure>, Vec<Failure>) {
    let mut errors: Vec<Failure> = Vec::new();
    // One base that is broken breaks whatever builds on it.
    let mut shared: BTreeMap<(Option<crate::source::Span>, String), usize> = BTreeMap::new();
    let mut gaps: Vec<Failure> = Vec::new();
    for made in made {
        errors.extend(made.error.iter().cloned());
        for gap in &made.gaps {
            let known = shared.entry((gap.span, gap.reason.clone())).or_insert(0);
            if *known == 0 {
                gaps.push(gap.clone());
            }
            *known += 1;
        }
    }
    (errors, gaps)
}
