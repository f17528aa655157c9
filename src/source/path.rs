//! Paths inside the repository under check.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The names under which kustomize looks for its file, in its order.
///
/// `RecognizedKustomizationFileNames` of kustomize's `api/konfig/general.go`.
pub const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A path below the root of the repository: `/` between segments, no leading `/`, no `.` or `..`.
/// Only what lies beside the repository ([`RepoPath::beside`]) starts with `..`.
///
/// The root itself is the empty path. Names that are not UTF-8 are kept readable and apart
/// from each other by `\xNN` escapes, so a path is a key and text, never a way to open a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<str>);

impl RepoPath {
    /// Returns the path of the root.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Normalizes `path`, reading it from the root; `..` above the root is dropped.
    pub fn new(path: &str) -> Self {
        Self::root().join(path).unwrap_or_else(|| {
            let inside: Vec<&str> = path.split('/').filter(|part| *part != "..").collect();
            Self::root().join(&inside.join("/")).unwrap_or_else(Self::root)
        })
    }

    /// Names a file outside of the repository by its absolute path, for people to read.
    ///
    /// The only path that starts with `/`, so it is none of the repository.
    pub fn outside(path: &Path) -> Self {
        let text = path.to_string_lossy().replace('\\', "/");
        Self(Arc::from(format!("/{}", text.trim_start_matches('/'))))
    }

    /// Names a folder that lies beside the repository by its path relative to the root, such as
    /// `../platform`: the other repositories of a fleet. [`Self::join`] does not leave it for what
    /// lies above.
    ///
    /// `up` is the number of folders to leave, and at least one.
    pub fn beside(up: usize, inside: &str) -> Self {
        let mut parts = vec![".."; up.max(1)];
        parts.extend(inside.split('/').filter(|part| !matches!(*part, "" | "." | "..")));
        Self(Arc::from(parts.join("/")))
    }

    /// Says whether this lies beside the repository.
    pub fn is_beside(&self) -> bool {
        self.segments().next() == Some("..")
    }

    /// Says whether this names a file outside of the repository.
    pub fn is_outside(&self) -> bool {
        self.0.starts_with('/')
    }

    /// Resolves a relative path against this folder; `None` when it leaves the root.
    ///
    /// An absolute path leaves the root.
    #[must_use]
    pub fn join(&self, relative: &str) -> Option<Self> {
        if relative.starts_with('/') {
            return None;
        }
        let mut parts: Vec<&str> = self.segments().collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                // What lies beside the repository starts with `..`, and stays there.
                ".." if parts.last() == Some(&"..") => return None,
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(Self(Arc::from(parts.join("/"))))
    }

    /// Returns the folder that holds this path; the root holds itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some((parent, _)) => Self(Arc::from(parent)),
            None => Self::root(),
        }
    }

    /// Returns the last segment; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the text after the last dot of the name, where something stands before the dot.
    pub fn extension(&self) -> Option<&str> {
        match self.name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => Some(extension),
            _ => None,
        }
    }

    /// Returns the segments from the root down.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Says whether this is `folder` or lies below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.0.is_empty()
            || self
                .0
                .strip_prefix(&*folder.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the text of the path; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether kustomize takes a file of this name for its own.
    pub fn is_kustomization(&self) -> bool {
        KUSTOMIZATION_FILES.contains(&self.name())
    }

    /// Says whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_normalizes_and_stays_inside() {
        let overlay = RepoPath::new("apps/web/overlays/prod");
        assert_eq!(overlay.join("../../base").unwrap().as_str(), "apps/web/base");
        assert_eq!(overlay.join("./a//b/").unwrap().as_str(), "apps/web/overlays/prod/a/b");
        assert_eq!(overlay.join("../../../../.."), None);
        assert_eq!(overlay.join("/etc/passwd"), None);
    }

    #[test]
    fn within_means_whole_segments() {
        let folder = RepoPath::new("apps/web");
        assert!(RepoPath::new("apps/web/a.yaml").is_within(&folder));
        assert!(RepoPath::new("apps/web").is_within(&folder));
        assert!(!RepoPath::new("apps/webhook").is_within(&folder));
        assert!(RepoPath::new("x").is_within(&RepoPath::root()));
    }

    #[test]
    fn what_lies_outside_is_no_path_of_the_repository() {
        let path = RepoPath::outside(Path::new("/etc/gate/tidewaiter.yaml"));
        assert_eq!(path.to_string(), "/etc/gate/tidewaiter.yaml");
        assert!(path.is_outside());
        assert!(!RepoPath::new("/etc/gate/tidewaiter.yaml").is_outside());
    }

    #[test]
    fn what_lies_beside_the_root_stays_there() {
        let platform = RepoPath::beside(2, "teams/./platform/");
        assert_eq!(platform.as_str(), "../../teams/platform");
        assert!(platform.is_beside());
        assert_eq!(platform.join("apps/web").unwrap().as_str(), "../../teams/platform/apps/web");
        assert_eq!(platform.join("../../x").unwrap().as_str(), "../../x");
        assert_eq!(platform.join("../../../x"), None);
    }

    #[test]
    fn a_dotfile_has_no_extension() {
        assert_eq!(RepoPath::new("a/.gitignore").extension(), None);
        assert_eq!(RepoPath::new("a/b.tar.gz").extension(), Some("gz"));
    }
}
