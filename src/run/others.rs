//! Further repositories of a fleet, each from a folder that whoever runs the gate names.

use std::path::{Component, Path, PathBuf};

use super::RunError;
use crate::discover::{self, Skipped, WalkLimits};
use crate::graph::OtherRepository;
use crate::load::Repository;
use crate::source::{Origin, RepoPath, Source};

/// A repository that reconcilers know by a URL, and a folder that holds a checkout of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFolder {
    /// The URL, as Flux and Argo CD objects have it.
    pub url: String,
    /// The folder; relative ones start at the current folder.
    pub folder: PathBuf,
}

/// Reads the files of another repository.
///
/// `root` is the root of the repository under check. A folder below it is known by its own path,
/// any other by its path relative to that root.
pub(super) fn read(
    repository: &mut Repository,
    root: Option<&Path>,
    source: &SourceFolder,
    current_dir: &Path,
    limits: &WalkLimits,
) -> Result<(OtherRepository, Vec<Skipped>), RunError> {
    let scope = discover::scope(std::slice::from_ref(&source.folder), current_dir)?;
    let absolute = current_dir.join(&source.folder);
    let absolute = absolute.canonicalize().unwrap_or(absolute);
    let folder = match root.map(|root| root.canonicalize().unwrap_or_else(|_| root.to_owned())) {
        Some(root) => relative(&root, &absolute),
        None => relative(current_dir, &absolute),
    };
    let found = discover::walk(&scope, limits);
    let start = scope.paths().next().cloned().unwrap_or_else(RepoPath::root);
    let depth = start.segments().count();
    let place = |path: &RepoPath| {
        let inside: Vec<&str> = path.segments().skip(depth).collect();
        folder.join(&inside.join("/"))
    };
    if folder.is_beside() {
        repository.add_other(folder.clone());
    }
    for file in found.files.into_iter().filter(|it| it.path.is_within(&start)) {
        if let Some(path) = place(&file.path) {
            repository.add(Source::new(path, Origin::File, file.bytes), false);
        }
    }
    let skipped = found.skipped.into_iter().filter(|it| it.path.is_within(&start));
    let skipped = skipped.filter_map(|it| Some(Skipped { path: place(&it.path)?, ..it })).collect();
    Ok((OtherRepository { url: source.url.clone(), root: folder }, skipped))
}

/// Returns the path of a folder relative to a root.
fn relative(root: &Path, folder: &Path) -> RepoPath {
    let names = |path: &Path| -> Vec<String> {
        path.components()
            .filter(|part| !matches!(part, Component::CurDir))
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (root, folder) = (names(root), names(folder));
    let common = root.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let inside: Vec<String> = folder.into_iter().skip(common).collect();
    match root.len() - common {
        0 => RepoPath::new(&inside.join("/")),
        up => RepoPath::beside(up, &inside.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_its_path_from_the_root() {
        let relative = |folder: &str| relative(Path::new("/w/fleet"), Path::new(folder));
        assert_eq!(relative("/w/platform").as_str(), "../platform");
        assert_eq!(relative("/x/platform").as_str(), "../../x/platform");
        assert_eq!(relative("/w/fleet/vendor/platform").as_str(), "vendor/platform");
    }
}
