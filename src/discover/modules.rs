//! Reads the files of the user's own policies: all of them, or none.
//!
//! A policy that is passed over is a rule that never fires, so whatever cannot be read is an error
//! here, as opposed to the walk over a repository.

use std::fs;
use std::path::{Path, PathBuf};

use super::names;
use super::read::{bounded, reason};
use crate::source::RepoPath;

/// The most files, and entries of folders, that are looked at.
const FILES: usize = 2_000;
const ENTRIES: usize = 20_000;
/// The deepest folder. Bounds links that lead in a circle.
const DEPTH: usize = 16;
/// The largest file, in bytes: that of the Rego interpreter.
const SIZE: usize = 1 << 20;
/// The most bytes in all.
const TOTAL: usize = 32 << 20;

/// The text of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its path below the root, by the names of links, where there are any.
    pub path: RepoPath,
    /// Where it lies.
    pub absolute: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Reads a `.rego` file, or all of a folder, in the order of their paths.
///
/// Names that start with a dot are passed over, as are `*_test.rego`. Links are followed as long
/// as they stay within `root`: a folder that Kubernetes mounts holds links into `..data`. The
/// error is a predicate of a path.
pub fn modules(root: &Path, path: &RepoPath) -> Result<Vec<ModuleFile>, String> {
    let top = root.canonicalize().map_err(|error| describe(path, &error))?;
    let start = path.segments().fold(root.to_owned(), |at, name| at.join(name));
    let mut walk = Walk { root, top, files: Vec::new(), entries: 0, total: 0 };
    if walk.inside(&start)?.is_dir() {
        walk.folder(&start, 0)?;
        if walk.files.is_empty() {
            return Err(format!("`{path}` holds no `.rego` file"));
        }
    } else if is_module(path.name()) {
        walk.file(&start)?;
    } else {
        return Err(format!("`{path}` is neither a folder nor a `.rego` file with rules"));
    }
    walk.files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.files)
}

fn is_module(name: &str) -> bool {
    let stem = name.strip_suffix(".rego");
    stem.is_some_and(|stem| !stem.ends_with("_test"))
}

fn describe(path: &RepoPath, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        return format!("`{path}` does not exist");
    }
    format!("`{path}` cannot be read: {}", reason(error))
}

struct Walk<'a> {
    root: &'a Path,
    /// The root without links.
    top: PathBuf,
    files: Vec<ModuleFile>,
    entries: usize,
    total: usize,
}

impl Walk<'_> {
    fn name(&self, path: &Path) -> RepoPath {
        names::relative(self.root, path).unwrap_or_else(|| RepoPath::outside(path))
    }

    /// Returns what a path leads to, which has to lie within the root.
    fn inside(&self, path: &Path) -> Result<PathBuf, String> {
        let real = path.canonicalize().map_err(|error| describe(&self.name(path), &error))?;
        if real.starts_with(&self.top) {
            Ok(real)
        } else {
            Err(format!("`{}` leads out of the folder that it belongs to", self.name(path)))
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), String> {
        let name = self.name(folder);
        if depth > DEPTH {
            return Err(format!("`{name}` lies deeper than {DEPTH} folders"));
        }
        let failed = |error: std::io::Error| describe(&name, &error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            entries.push(entry.map_err(failed)?.path());
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(format!(
                    "`{name}` and what lies before it hold more than {ENTRIES} entries"
                ));
            }
        }
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let kind = fs::symlink_metadata(&path)
                .map_err(|error| describe(&self.name(&path), &error))?
                .file_type();
            let is_folder = if kind.is_symlink() {
                // What a link to nowhere is called says whether it is missed.
                match path.metadata() {
                    Ok(metadata) => metadata.is_dir(),
                    Err(_) => false,
                }
            } else {
                kind.is_dir()
            };
            if is_folder {
                self.inside(&path)?;
                self.folder(&path, depth + 1)?;
            } else if is_module(&name) {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), String> {
        let real = self.inside(path)?;
        let name = self.name(path);
        let bytes = bounded(&real, SIZE).map_err(|error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => format!("`{name}` is larger than {SIZE} bytes"),
            _ => describe(&name, &error),
        })?;
        self.total += bytes.len();
        if self.total > TOTAL || self.files.len() == FILES {
            return Err(format!("`{name}` is one of more than {FILES} files, or {TOTAL} bytes"));
        }
        self.files.push(ModuleFile { path: name, absolute: path.to_owned(), bytes });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder<'a>(files: impl IntoIterator<Item = &'a str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "package a").unwrap();
        }
        folder
    }

    fn found(root: &Path, path: &str) -> Result<Vec<String>, String> {
        let files = modules(root, &RepoPath::new(path))?;
        Ok(files.into_iter().map(|it| it.path.to_string()).collect())
    }

    #[test]
    fn a_folder_stands_for_the_rules_below_it() {
        let folder = folder([
            "rules/b.rego",
            "rules/a/policy.rego",
            "rules/a/policy_test.rego",
            "rules/a/cases.md",
            "rules/.hidden.rego",
            "rules/.cache/c.rego",
            "other/d.rego",
        ]);
        assert_eq!(found(folder.path(), "rules").unwrap(), ["rules/a/policy.rego", "rules/b.rego"]);
        assert_eq!(found(folder.path(), "rules/b.rego").unwrap(), ["rules/b.rego"]);
        assert_eq!(found(folder.path(), "").unwrap().len(), 3);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let folder = folder(["rules/cases.md", "rules/a_test.rego"]);
        let error = |path| found(folder.path(), path).unwrap_err();
        assert_eq!(error("nope"), "`nope` does not exist");
        assert_eq!(error("rules"), "`rules` holds no `.rego` file");
        for path in ["rules/cases.md", "rules/a_test.rego"] {
            let message = format!("`{path}` is neither a folder nor a `.rego` file with rules");
            assert_eq!(error(path), message);
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_an_error() {
        let folder = folder([]);
        fs::write(folder.path().join("a.rego"), vec![b' '; SIZE + 1]).unwrap();
        let message = format!("`a.rego` is larger than {SIZE} bytes");
        assert_eq!(found(folder.path(), "").unwrap_err(), message);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_as_kubernetes_mounts_them() {
        use std::os::unix::fs::symlink;
        let folder = folder(["..2026_01_01/a.rego", "..2026_01_01/rules/b.rego"]);
        let at = |name: &str| folder.path().join(name);
        symlink("..2026_01_01", at("..data")).unwrap();
        symlink("..data/a.rego", at("a.rego")).unwrap();
        symlink("..data/rules", at("rules")).unwrap();
        assert_eq!(found(folder.path(), "").unwrap(), ["a.rego", "rules/b.rego"]);
        assert_eq!(found(folder.path(), "rules").unwrap(), ["rules/b.rego"]);
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out() {
        use std::os::unix::fs::symlink;
        let outside = folder(["a.rego", "rules/b.rego"]);
        for (target, link, path) in
            [("a.rego", "a.rego", ""), ("rules", "rules", ""), ("rules", "rules", "rules")]
        {
            let folder = folder([]);
            symlink(outside.path().join(target), folder.path().join(link)).unwrap();
            let message = format!("`{link}` leads out of the folder that it belongs to");
            assert_eq!(found(folder.path(), path).unwrap_err(), message);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_circle_of_links_ends() {
        use std::os::unix::fs::symlink;
        let folder = folder(["a/b.rego"]);
        symlink("..", folder.path().join("a/loop")).unwrap();
        let error = found(folder.path(), "a").unwrap_err();
        assert!(error.ends_with("lies deeper than 16 folders"), "{error}");
    }
}
