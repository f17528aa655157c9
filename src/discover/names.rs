//! Names of files: as keys, and what they say of the content.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use crate::source::RepoPath;

/// Says whether a file is one that Kubernetes' tools read as a manifest.
pub fn is_manifest(path: &RepoPath) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| known.eq_ignore_ascii_case(extension))
    }) || path.is_kustomization()
}

/// Returns a name as a segment of a [`RepoPath`].
///
/// Bytes that are not UTF-8 become `\xNN`. A name that has such text of its own gets its
/// backslash escaped, so that no two names meet.
pub(super) fn segment(name: &OsStr) -> String {
    let bytes = name.as_encoded_bytes();
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace("\\x", "\\x5cx"));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Returns the segment's path below `folder`.
pub(super) fn below(folder: &RepoPath, name: &OsStr) -> RepoPath {
    folder.join(&segment(name)).unwrap_or_else(|| folder.clone())
}

/// Returns the path of `absolute` below `root`; `None` where it does not lie there.
pub(super) fn relative(root: &Path, absolute: &Path) -> Option<RepoPath> {
    let inside = absolute.strip_prefix(root).ok()?;
    Some(inside.iter().fold(RepoPath::root(), |path, name| below(&path, name)))
}

/// Returns the path of `absolute` below `root` as git's index writes it.
pub(super) fn git_path(root: &Path, absolute: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    for name in absolute.strip_prefix(root).into_iter().flat_map(Path::iter) {
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(name.as_encoded_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kustomize_knows_three_names() {
        assert!(RepoPath::new("a/Kustomization").is_kustomization());
        assert!(!RepoPath::new("kustomization.json").is_kustomization());
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_stay_apart_from_text_that_looks_like_them() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(segment(OsStr::from_bytes(b"a\xff.yaml")), "a\\xff.yaml");
        assert_eq!(segment(OsStr::from_bytes(b"a\\xff.yaml")), "a\\x5cxff.yaml");
    }
}
