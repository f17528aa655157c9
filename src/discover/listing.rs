//! Lists folders, level by level, without opening a file.

use std::fs::{self, FileType, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::ignored::Rules;
use super::names::{self, is_manifest};
use super::scope::{Scope, Target};
use super::tracked::Tracked;
use super::{Skipped, read};
use crate::source::RepoPath;

/// A file that is to be read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: RepoPath,
    /// The file to open, free of links.
    pub(super) absolute: PathBuf,
    pub(super) tracked: Option<bool>,
    pub(super) in_scope: bool,
    pub(super) len: u64,
    /// Whether the path is a link to the file.
    pub(super) link: bool,
}

/// What was listed so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) candidates: Vec<Candidate>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) ignored: usize,
}

impl Listing {
    fn append(&mut self, mut other: Self) {
        self.candidates.append(&mut other.candidates);
        self.skipped.append(&mut other.skipped);
        self.ignored += other.ignored;
    }
}

/// A folder that is to be listed.
#[derive(Debug)]
pub(super) struct Folder {
    absolute: PathBuf,
    path: RepoPath,
    rules: Option<Arc<Rules>>,
    /// Whether ignore files hide everything in it that is not tracked.
    hidden: bool,
    /// Whether it was asked for by name.
    asked: bool,
}

/// What a reference leads to.
#[derive(Debug)]
pub(super) enum Referred {
    File(Candidate),
    Folder(Folder),
}

/// Lists what was asked for.
pub(super) fn targets(scope: &Scope, tracked: &Tracked, listing: &mut Listing) {
    let mut folders = Vec::new();
    for target in scope.targets() {
        if target.folder {
            let rules =
                if tracked.honors_ignore_files() { rules_above(scope, target) } else { None };
            folders.push(Folder {
                absolute: target.absolute.clone(),
                path: target.path.clone(),
                rules,
                hidden: false,
                asked: true,
            });
        } else {
            let git_path = names::git_path(scope.root(), &target.absolute);
            match fs::symlink_metadata(&target.absolute) {
                Ok(metadata) => file(
                    &Place { root: scope.root(), absolute: &target.absolute, path: &target.path },
                    metadata.file_type(),
                    tracked.has(&git_path),
                    listing,
                ),
                Err(error) => listing.skipped.push(unreadable(&target.path, &error)),
            }
        }
    }
    descend(folders, scope.root(), tracked, listing);
}

/// Lists the tracked manifests of the root that were not asked for.
///
/// They say which of the files that were asked for are bases, patches or charts.
pub(super) fn context(scope: &Scope, tracked: &Tracked, listing: &mut Listing) {
    let outside: Vec<(RepoPath, PathBuf)> = tracked
        .paths()
        .filter_map(|bytes| {
            let absolute = scope.root().join(os_path(bytes)?);
            let path = names::relative(scope.root(), &absolute)?;
            (is_manifest(&path) && !scope.contains(&path)).then_some((path, absolute))
        })
        .collect();
    let mut parts: Vec<Listing> = outside
        .into_par_iter()
        .map(|(path, absolute)| {
            let mut part = Listing::default();
            let folder = absolute.parent().unwrap_or(scope.root());
            // A folder of the index may be a link in the work tree.
            if fs::canonicalize(folder).is_ok_and(|real| real == folder)
                && let Ok(metadata) = fs::symlink_metadata(&absolute)
            {
                let place = Place { root: scope.root(), absolute: &absolute, path: &path };
                file(&place, metadata.file_type(), Some(true), &mut part);
            }
            part
        })
        .collect();
    for part in &mut parts {
        for candidate in &mut part.candidates {
            candidate.in_scope = false;
        }
        listing.candidates.append(&mut part.candidates);
    }
}

/// Finds what a reference leads to; links on the way are followed as long as they stay inside.
pub(super) fn referred(root: &Path, path: &RepoPath) -> Result<Referred, String> {
    let absolute = root.join(path.as_str());
    let real = inside(root, &absolute)?;
    let metadata = fs::symlink_metadata(&real).map_err(|error| error.kind().to_string())?;
    if metadata.is_dir() {
        return Ok(Referred::Folder(Folder {
            absolute: real,
            path: path.clone(),
            rules: None,
            hidden: false,
            asked: true,
        }));
    }
    if !metadata.is_file() {
        return Err(special(metadata.file_type()).to_owned());
    }
    Ok(Referred::File(Candidate {
        path: path.clone(),
        link: real != absolute,
        absolute: real,
        tracked: None,
        in_scope: false,
        len: metadata.len(),
    }))
}

/// Lists folders and all folders below them, a level at a time: no depth overflows a stack.
pub(super) fn descend(
    mut folders: Vec<Folder>,
    root: &Path,
    tracked: &Tracked,
    listing: &mut Listing,
) {
    while !folders.is_empty() {
        let parts: Vec<(Listing, Vec<Folder>)> =
            folders.into_par_iter().map(|folder| list(&folder, root, tracked)).collect();
        folders = Vec::new();
        for (part, mut below) in parts {
            listing.append(part);
            folders.append(&mut below);
        }
    }
}

fn list(folder: &Folder, root: &Path, tracked: &Tracked) -> (Listing, Vec<Folder>) {
    let mut listing = Listing::default();
    let mut folders = Vec::new();
    let entries: Result<Vec<(PathBuf, FileType)>, _> =
        fs::read_dir(&folder.absolute).and_then(|entries| {
            entries.map(|entry| entry.and_then(|it| Ok((it.path(), it.file_type()?)))).collect()
        });
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            listing.skipped.push(unreadable(&folder.path, &error));
            return (listing, folders);
        }
    };
    let prefix = names::git_path(root, &folder.absolute);
    if !folder.asked && is_bare_repository(&entries) && !tracked.has_below(&prefix) {
        listing.skipped.push(Skipped {
            path: folder.path.clone(),
            reason: "has the layout of a git repository of its own".to_owned(),
            // Where git tells what is committed, this is not. Elsewhere it may hide manifests.
            failure: !tracked.honors_ignore_files(),
        });
        return (listing, folders);
    }
    let rules = if tracked.honors_ignore_files() && !folder.hidden {
        Rules::of(&folder.absolute, folder.rules.clone())
    } else {
        None
    };
    for (absolute, kind) in entries {
        let Some(name) = absolute.file_name() else { continue };
        // git never tracks anything of this name.
        if name.eq_ignore_ascii_case(".git") {
            continue;
        }
        let path = names::below(&folder.path, name);
        let mut git_path = prefix.clone();
        if !git_path.is_empty() {
            git_path.push(b'/');
        }
        git_path.extend_from_slice(name.as_encoded_bytes());
        let has = tracked.has(&git_path);
        let hidden = folder.hidden
            || rules.as_ref().is_some_and(|rules| rules.hide(&absolute, kind.is_dir()));
        if kind.is_dir() {
            if hidden && !tracked.has_below(&git_path) {
                listing.ignored += 1;
                continue;
            }
            folders.push(Folder { absolute, path, rules: rules.clone(), hidden, asked: false });
        } else if hidden && has != Some(true) {
            listing.ignored += 1;
        } else {
            file(&Place { root, absolute: &absolute, path: &path }, kind, has, &mut listing);
        }
    }
    (listing, folders)
}

/// Where something lies.
struct Place<'a> {
    root: &'a Path,
    absolute: &'a Path,
    path: &'a RepoPath,
}

/// Lists one thing that is no folder.
fn file(place: &Place<'_>, kind: FileType, tracked: Option<bool>, listing: &mut Listing) {
    let skip = |reason: &str| Skipped {
        path: place.path.clone(),
        reason: reason.to_owned(),
        failure: false,
    };
    let real = if kind.is_symlink() {
        match fs::read_link(place.absolute) {
            Ok(target) if target.is_absolute() => {
                listing.skipped.push(skip("is a link to an absolute path, which is not followed"));
                return;
            }
            Ok(_) => {}
            Err(error) => {
                listing.skipped.push(unreadable(place.path, &error));
                return;
            }
        }
        match inside(place.root, place.absolute) {
            Ok(real) => real,
            Err(reason) => {
                listing.skipped.push(skip(&reason));
                return;
            }
        }
    } else {
        place.absolute.to_owned()
    };
    match fs::symlink_metadata(&real) {
        Ok(metadata) if metadata.is_file() => listing.candidates.push(Candidate {
            path: place.path.clone(),
            absolute: real,
            tracked,
            in_scope: true,
            len: metadata.len(),
            link: kind.is_symlink(),
        }),
        Ok(metadata) if metadata.is_dir() => {
            listing
                .skipped
                .push(skip("is a link to a folder, whose files are read where they lie"));
        }
        Ok(metadata) => listing.skipped.push(skip(special(metadata.file_type()))),
        Err(error) => listing.skipped.push(unreadable(place.path, &error)),
    }
}

/// Resolves a path through all its links, and refuses one that leaves the root or enters git.
fn inside(root: &Path, absolute: &Path) -> Result<PathBuf, String> {
    let real = fs::canonicalize(absolute).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound
            if fs::symlink_metadata(absolute).is_ok_and(|it: Metadata| it.is_symlink()) =>
        {
            "is a link that leads nowhere".to_owned()
        }
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        kind => format!("cannot be followed: {kind}"),
    })?;
    match real.strip_prefix(root) {
        Err(_) => Err("leads out of the repository, and is not followed".to_owned()),
        Ok(below) if below.iter().any(|name| name.eq_ignore_ascii_case(".git")) => {
            Err("leads into the `.git` folder, and is not followed".to_owned())
        }
        Ok(_) => Ok(real),
    }
}

/// Returns the ignore rules that hold above a folder that was asked for.
///
/// None where they hide the folder itself: who asks for it wants it read.
fn rules_above(scope: &Scope, target: &Target) -> Option<Arc<Rules>> {
    let mut rules = Rules::of_repository(scope.root());
    let mut at = scope.root().to_owned();
    for name in target.absolute.strip_prefix(scope.root()).ok()? {
        rules = Rules::of(&at, rules);
        at.push(name);
        if rules.as_ref().is_some_and(|rules| rules.hide(&at, true)) {
            return None;
        }
    }
    rules
}

/// Says whether a folder looks like a git repository, as git itself would say.
fn is_bare_repository(entries: &[(PathBuf, FileType)]) -> bool {
    let has = |name: &str, folder: bool| {
        entries.iter().any(|(path, kind)| {
            kind.is_dir() == folder && path.file_name().is_some_and(|it| it == name)
        })
    };
    has("HEAD", false) && has("objects", true) && has("refs", true)
}

fn special(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "is a named pipe";
        }
        if kind.is_socket() {
            return "is a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "is a device";
        }
    }
    let _ = kind;
    "is no regular file"
}

fn unreadable(path: &RepoPath, error: &std::io::Error) -> Skipped {
    let reason = format!("cannot be read: {}", read::reason(error));
    Skipped { path: path.clone(), reason, failure: true }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every path of an index exists elsewhere")]
fn os_path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}
