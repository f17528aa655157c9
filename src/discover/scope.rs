//! Which repository, and which part of it.

use std::fs;
use std::path::{Path, PathBuf};

use super::names;
use crate::source::RepoPath;

/// Why paths on the command line name nothing that can be checked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A path leads nowhere.
    #[error("`{path}` does not exist: give the path of a file or folder of the repository")]
    Missing {
        /// The path as it was given.
        path: String,
    },
    /// A path cannot be looked at.
    #[error("cannot read `{path}`: make sure that the user who runs the check may read it")]
    Unreadable {
        /// The path as it was given.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Two paths lie in different repositories.
    #[error("`{first}` and `{second}` lie in different repositories: check one at a time")]
    Repositories {
        /// A path.
        first: String,
        /// A path in another repository.
        second: String,
    },
    /// The paths share no folder.
    #[error("`{first}` and `{second}` share no folder: check one at a time")]
    NothingInCommon {
        /// A path.
        first: String,
        /// A path elsewhere.
        second: String,
    },
}

/// A path that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) absolute: PathBuf,
    pub(super) path: RepoPath,
    pub(super) folder: bool,
}

/// A repository, and the part of it to read.
#[derive(Debug, Clone)]
pub struct Scope {
    root: PathBuf,
    git: Option<PathBuf>,
    targets: Vec<Target>,
}

impl Scope {
    /// Returns the root: the top of the git work tree, else the folder that holds all paths.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes a folder around all paths as the root, where there is no git work tree to tell.
    ///
    /// The root of the file system is never taken.
    #[must_use]
    pub fn widened(mut self, folder: &Path) -> Self {
        let Ok(folder) = fs::canonicalize(folder) else { return self };
        if self.git.is_some() || folder.parent().is_none() || !self.root.starts_with(&folder) {
            return self;
        }
        for target in &mut self.targets {
            if let Some(path) = names::relative(&folder, &target.absolute) {
                target.path = path;
            }
        }
        self.root = folder;
        self
    }

    /// Returns the paths that were asked for, in order, none below another.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.targets.iter().map(|target| &target.path)
    }

    /// Says whether a path was asked for.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.targets.iter().any(|target| path.is_within(&target.path))
    }

    /// Returns the `.git` folder or file of the root, where the root is a git work tree.
    pub(super) fn git(&self) -> Option<&Path> {
        self.git.as_deref()
    }

    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }
}

/// Finds the repository that holds `paths`, which are relative to `current_dir`.
///
/// No path stands for `current_dir`.
pub fn scope(paths: &[PathBuf], current_dir: &Path) -> Result<Scope, DiscoverError> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        found.push(locate(path, current_dir)?);
    }
    let top = |asked: &Asked| {
        asked.folder_of().ancestors().find(|at| is_work_tree(at)).map(Path::to_owned)
    };
    let mut tops = found.iter().map(|asked| (asked, top(asked)));
    let Some((first, root)) = tops.next() else {
        return Err(DiscoverError::Missing { path: String::new() });
    };
    if let Some((other, _)) = tops.find(|(_, other)| *other != root) {
        let (first, second) = (first.given.clone(), other.given.clone());
        return Err(DiscoverError::Repositories { first, second });
    }
    let git = root.as_ref().map(|root| root.join(".git"));
    let root = match root {
        Some(root) => root,
        None => common(&found)?,
    };
    let mut targets: Vec<Target> = found
        .iter()
        .filter_map(|asked| {
            let path = names::relative(&root, &asked.absolute)?;
            Some(Target { absolute: asked.absolute.clone(), path, folder: asked.folder })
        })
        .collect();
    targets.sort_by(|a, b| a.path.cmp(&b.path));
    let all: Vec<RepoPath> = targets.iter().map(|target| target.path.clone()).collect();
    targets.dedup_by(|later, first| later.path == first.path);
    targets.retain(|target| {
        !all.iter().any(|other| *other != target.path && target.path.is_within(other))
    });
    Ok(Scope { root, git, targets })
}

struct Asked {
    given: String,
    absolute: PathBuf,
    folder: bool,
}

impl Asked {
    fn folder_of(&self) -> &Path {
        if self.folder { &self.absolute } else { self.absolute.parent().unwrap_or(&self.absolute) }
    }
}

/// Finds a path that was given.
///
/// A link to a folder is followed, because the user gave it. A link to a file is not, because
/// pre-commit gives the names that a change brings: it is judged like any other link.
fn locate(path: &Path, current_dir: &Path) -> Result<Asked, DiscoverError> {
    let given = path.display().to_string();
    let joined = current_dir.join(path);
    let error = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => DiscoverError::Missing { path: given.clone() },
        _ => DiscoverError::Unreadable { path: given.clone(), source },
    };
    let is_link = fs::symlink_metadata(&joined).map_err(error)?.is_symlink();
    let folder = match fs::metadata(&joined) {
        Ok(metadata) => metadata.is_dir(),
        // A link that leads nowhere is named when it is to be read.
        Err(_) if is_link => false,
        Err(source) => return Err(error(source)),
    };
    let absolute = match (folder, joined.parent(), joined.file_name()) {
        (false, Some(parent), Some(name)) => fs::canonicalize(parent).map_err(error)?.join(name),
        _ => fs::canonicalize(&joined).map_err(error)?,
    };
    Ok(Asked { given, absolute, folder })
}

fn is_work_tree(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(".git")).is_ok_and(|git| git.is_dir() || git.is_file())
}

fn common(found: &[Asked]) -> Result<PathBuf, DiscoverError> {
    let mut folders = found.iter();
    let Some(first) = folders.next() else {
        return Err(DiscoverError::Missing { path: String::new() });
    };
    let mut root = first.folder_of().to_owned();
    for asked in folders {
        while !asked.folder_of().starts_with(&root) {
            if !root.pop() {
                let (first, second) = (first.given.clone(), asked.given.clone());
                return Err(DiscoverError::NothingInCommon { first, second });
            }
        }
    }
    Ok(root)
}
