//! Go modules that publish definitions, and the files of theirs that hold them.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use crate::schemas::fetch;

/// A pinned Go module and where it keeps what is taken from it.
pub struct Module {
    pub path: &'static str,
    pub version: &'static str,
    /// The `h1:` sum of the module's archive, as `go.sum` files have it.
    pub sum: &'static str,
    pub licence: &'static str,
    /// Files and folders below the module's root; `*` stands for any one folder.
    pub manifests: &'static [&'static str],
}

/// Downloads a module, unless a former run did, and returns its folder.
///
/// The `go` command holds the archive against the public checksum database; the sum that is pinned
/// here makes sure that it is the one that was looked at.
pub fn download(module: &Module) -> Result<PathBuf, Error> {
    let Module { path: name, version, sum, licence, .. } = *module;
    Ok(fetch::module(&fetch::Module { name, version, licence, sum })?.1)
}

/// Lists the YAML and JSON files that a module's patterns name, in the order of preference.
///
/// Where one kind is there several times, for several feature sets, the default set comes first.
pub fn manifests(root: &Path, patterns: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for pattern in patterns {
        let before = files.len();
        let segments: Vec<&str> = pattern.split('/').collect();
        expand(root, &segments, &mut files)?;
        if files.len() == before {
            return Err(format!("{}: nothing is at `{pattern}`", root.display()).into());
        }
        if let Some(new) = files.get_mut(before..) {
            new.sort_by_key(|path: &PathBuf| (is_preview(path), path.clone()));
        }
    }
    Ok(files)
}

fn expand(at: &Path, segments: &[&str], files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let Some((first, rest)) = segments.split_first() else {
        if at.is_dir() {
            for path in entries(at)? {
                if path.is_dir() {
                    expand(&path, &[], files)?;
                } else if is_manifest(&path) {
                    files.push(path);
                }
            }
        } else if at.is_file() {
            files.push(at.to_owned());
        }
        return Ok(());
    };
    if *first != "*" {
        return expand(&at.join(first), rest, files);
    }
    for path in entries(at)? {
        if path.is_dir() {
            expand(&path, rest, files)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json")
}

/// Says whether a file is for a feature set that clusters do not have by default (OpenShift).
fn is_preview(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["CustomNoUpgrade", "DevPreviewNoUpgrade", "TechPreviewNoUpgrade", "-OKD", "Hypershift"]
        .iter()
        .any(|set| name.contains(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_feature_sets_come_before_previews() {
        assert!(is_preview(Path::new("a/0000_nodes-CustomNoUpgrade.crd.yaml")));
        assert!(is_preview(Path::new("a/0000_schedulers-Hypershift.crd.yaml")));
        assert!(!is_preview(Path::new("a/0000_nodes-SelfManagedHA-Default.crd.yaml")));
        assert!(!is_preview(Path::new("a/0000_proxies.crd.yaml")));
    }

    #[test]
    fn patterns_name_folders_and_stars_name_any() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = manifests(root, &["schemas/*/tidewaiter.schema.json"]).unwrap();
        assert_eq!(found, [root.join("schemas/config/tidewaiter.schema.json")]);
        assert!(manifests(root, &["schemas/nowhere"]).is_err());
    }
}
