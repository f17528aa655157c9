//! What git has in its index: read, never asked of git itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest `.git` file that is read, in bytes.
const GIT_FILE: usize = 64 << 10;

/// What git has in its index.
#[derive(Debug)]
pub(super) enum Tracked {
    /// There is no git.
    None,
    /// The paths in the index.
    Index {
        /// Every path, as git writes it.
        paths: BTreeSet<Vec<u8>>,
        /// Folders that stand for all below them: submodules, and the folders of a sparse index.
        folders: BTreeSet<Vec<u8>>,
    },
    /// There is an index that cannot be read: everything counts as tracked.
    Unreadable(String),
}

impl Tracked {
    /// Reads the index that belongs to a `.git` folder or file.
    pub(super) fn read(git: &Path) -> Self {
        let folder = match git_folder(git) {
            Ok(folder) => folder,
            Err(reason) => return Self::Unreadable(reason),
        };
        let index = folder.join("index");
        match fs::metadata(&index) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::Index { paths: BTreeSet::new(), folders: BTreeSet::new() };
            }
            Err(error) => return Self::Unreadable(error.kind().to_string()),
            Ok(metadata) if !metadata.is_file() => {
                return Self::Unreadable("it is no file".to_owned());
            }
            Ok(_) => {}
        }
        let state = gix_index::File::at(
            &index,
            gix_hash::Kind::Sha1,
            true,
            gix_index::decode::Options::default(),
        );
        let Ok(state) = state else {
            return Self::Unreadable("its format is not understood".to_owned());
        };
        let mut paths = BTreeSet::new();
        let mut folders = BTreeSet::new();
        for entry in state.entries() {
            let path: &[u8] = entry.path(&state);
            let path = path.strip_suffix(b"/").unwrap_or(path).to_vec();
            if entry.mode == gix_index::entry::Mode::COMMIT
                || entry.mode == gix_index::entry::Mode::DIR
            {
                folders.insert(path.clone());
            }
            paths.insert(path);
        }
        Self::Index { paths, folders }
    }

    /// Says whether ignore files hide what git does not track.
    pub(super) fn honors_ignore_files(&self) -> bool {
        matches!(self, Self::Index { .. })
    }

    /// Says whether git tracks a file, where that is known.
    pub(super) fn has(&self, path: &[u8]) -> Option<bool> {
        match self {
            Self::None | Self::Unreadable(_) => None,
            Self::Index { paths, .. } => Some(paths.contains(path) || self.in_folder(path)),
        }
    }

    /// Says whether something below a folder is tracked.
    pub(super) fn has_below(&self, folder: &[u8]) -> bool {
        let Self::Index { paths, .. } = self else { return false };
        if folder.is_empty() {
            return !paths.is_empty();
        }
        let mut prefix = folder.to_vec();
        prefix.push(b'/');
        self.in_folder(folder)
            || paths.range(prefix.clone()..).next().is_some_and(|path| path.starts_with(&prefix))
    }

    /// Returns all paths in the index.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[u8]> {
        match self {
            Self::Index { paths, .. } => Some(paths),
            Self::None | Self::Unreadable(_) => None,
        }
        .into_iter()
        .flatten()
        .map(Vec::as_slice)
    }

    fn in_folder(&self, path: &[u8]) -> bool {
        let Self::Index { folders, .. } = self else { return false };
        if folders.is_empty() {
            return false;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.chain([path.len()])
            .any(|end| path.get(..end).is_some_and(|folder| folders.contains(folder)))
    }
}

/// Returns the folder that holds the index: a `.git` file says where it lies.
fn git_folder(git: &Path) -> Result<PathBuf, String> {
    if fs::symlink_metadata(git).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(git.to_owned());
    }
    let bytes = super::read::bounded(git, GIT_FILE).map_err(|error| error.kind().to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let target = text
        .strip_prefix("gitdir:")
        .map(str::trim)
        .filter(|target| !target.is_empty())
        .ok_or_else(|| "`.git` does not say where the repository lies".to_owned())?;
    Ok(git.parent().unwrap_or(git).join(target))
}
