//! From paths on the command line to the files to read.
//!
//! Plain data comes out: what was read, what was not, and why. Nothing is interpreted, no program
//! is run, and no path leads out of the root.

mod ignored;
mod listing;
mod modules;
mod names;
mod read;
mod schemas;
mod scope;
mod tracked;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::source::RepoPath;
pub use ignored::Patterns;
use listing::{Candidate, Listing};
pub use modules::{ModuleFile, modules};
pub use names::is_manifest;
pub use schemas::{
    Fetch, FoundSchema, SchemaBase, SchemaFile, SchemaFiles, SchemaForm, SchemaLocation,
    SchemaWanted,
};
pub use scope::{DiscoverError, Scope, scope};
use tracked::Tracked;

/// How much is read before the rest is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimits {
    /// The largest file that is read, in bytes.
    pub file: u64,
    /// How much is read in all, in bytes.
    pub total: u64,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { file: 32 << 20, total: 4 << 30 }
    }
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path below the root.
    pub path: RepoPath,
    /// The file that was opened: where a link was read, the file that it leads to.
    pub absolute: PathBuf,
    /// Whether git has it in its index; `None` where there is no git, or its index is unreadable.
    pub tracked: Option<bool>,
    /// Whether it was asked for, as opposed to read because others may refer to it.
    pub in_scope: bool,
    /// What it holds.
    pub bytes: Vec<u8>,
}

// The bytes may hold secrets, so they are never printed.
impl std::fmt::Debug for FoundFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundFile")
            .field("path", &self.path)
            .field("tracked", &self.tracked)
            .field("in_scope", &self.in_scope)
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its path below the root.
    pub path: RepoPath,
    /// Why: a predicate of the path, e.g. `is a named pipe`.
    pub reason: String,
    /// Whether something that may be a manifest went unread, which closes the gate.
    pub failure: bool,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// The root.
    pub root: PathBuf,
    /// The files that were read, in the order of their paths.
    pub files: Vec<FoundFile>,
    /// What was not read, in the order of the paths.
    pub skipped: Vec<Skipped>,
    /// The number of untracked files and folders that ignore files hide.
    pub ignored: usize,
}

/// Reads the files of a scope.
///
/// Beside the files that were asked for, in a git work tree it reads the tracked YAML and JSON
/// files of the whole root, because those say what refers to what was asked for.
pub fn walk(scope: &Scope, limits: &WalkLimits) -> Found {
    let tracked = scope.git().map_or(Tracked::None, Tracked::read);
    let mut listing = Listing::default();
    if let Tracked::Unreadable(reason) = &tracked {
        listing.skipped.push(Skipped {
            path: RepoPath::new(".git/index"),
            reason: format!("cannot be read ({reason}), so no ignore file is honored"),
            failure: false,
        });
    }
    listing::targets(scope, &tracked, &mut listing);
    listing::context(scope, &tracked, &mut listing);
    finish(scope.root(), listing, limits)
}

/// Reads further files, or all files of folders, to which a reference leads.
///
/// They are out of scope. A path that does not exist is among the skipped.
pub fn read(root: &Path, paths: &[RepoPath], limits: &WalkLimits) -> Found {
    let mut listing = Listing::default();
    let mut folders = Vec::new();
    for path in paths {
        match listing::referred(root, path) {
            Ok(listing::Referred::File(candidate)) => listing.candidates.push(candidate),
            Ok(listing::Referred::Folder(folder)) => folders.push(folder),
            Err(reason) => {
                listing.skipped.push(Skipped { path: path.clone(), reason, failure: false });
            }
        }
    }
    listing::descend(folders, root, &Tracked::None, &mut listing);
    for candidate in &mut listing.candidates {
        candidate.in_scope = false;
    }
    finish(root, listing, limits)
}

/// Reads what was listed: once a path, within the limits, in the order of the paths.
fn finish(root: &Path, listing: Listing, limits: &WalkLimits) -> Found {
    let Listing { mut candidates, mut skipped, ignored } = listing;
    // The one that was asked for comes first, and stays.
    candidates.sort_by(|a, b| a.path.cmp(&b.path).then(b.in_scope.cmp(&a.in_scope)));
    candidates.dedup_by(|later, first| later.path == first.path);
    links_are_read_once(&mut candidates);
    let mut left = limits.total;
    candidates.retain(|candidate| {
        let size = if candidate.len > limits.file { 0 } else { candidate.len };
        if size > left {
            if candidate.in_scope {
                skipped.push(Skipped {
                    path: candidate.path.clone(),
                    reason: format!(
                        "is not read, because more than {} bytes were read before it",
                        limits.total
                    ),
                    failure: is_manifest(&candidate.path),
                });
            }
            return false;
        }
        left -= size;
        true
    });
    let read: Vec<Result<FoundFile, Option<Skipped>>> =
        candidates.into_par_iter().map(|candidate| read::read(candidate, limits.file)).collect();
    let mut files = Vec::with_capacity(read.len());
    for result in read {
        match result {
            Ok(file) => files.push(file),
            Err(Some(reason)) => skipped.push(reason),
            Err(None) => {}
        }
    }
    skipped.sort();
    skipped.dedup_by(|later, first| later.path == first.path);
    Found { root: root.to_owned(), files, skipped, ignored }
}

/// Takes links out of the scope whose file is read where it lies.
///
/// A kustomization that is a link stays: at its own place its references lead elsewhere.
fn links_are_read_once(candidates: &mut [Candidate]) {
    let plain: std::collections::BTreeSet<PathBuf> = candidates
        .iter()
        .filter(|candidate| !candidate.link && candidate.in_scope)
        .map(|candidate| candidate.absolute.clone())
        .collect();
    for candidate in candidates {
        if candidate.link
            && !candidate.path.is_kustomization()
            && plain.contains(&candidate.absolute)
        {
            candidate.in_scope = false;
        }
    }
}

#[cfg(test)]
mod tests;
