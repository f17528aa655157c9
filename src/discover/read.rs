//! Opens and reads one file: a regular one, not through a link, within its limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use super::listing::Candidate;
use super::names::is_manifest;
use super::{FoundFile, Skipped};

/// Where a NUL byte makes a file binary, as git has it (`buffer_is_binary` in `xdiff-interface.c`).
const HEAD: usize = 8000;

/// How a Git LFS pointer starts.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The size below which a file may be a Git LFS pointer.
const LFS_LEN: usize = 1024;

/// Reads a candidate; `None` where it is out of scope and nobody needs to know why not.
pub(super) fn read(candidate: Candidate, limit: u64) -> Result<FoundFile, Option<Skipped>> {
    let Candidate { path, absolute, tracked, in_scope, len, .. } = candidate;
    let manifest = is_manifest(&path);
    let skip = |reason: String, failure: bool| {
        in_scope.then(|| Skipped { path: path.clone(), reason, failure })
    };
    let too_large = || skip(format!("is larger than {limit} bytes"), manifest);
    if len > limit {
        return Err(too_large());
    }
    let result = open(&absolute).and_then(|file| {
        let mut file = file.take(limit.saturating_add(1));
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0).saturating_add(1));
        file.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
        let binary = !manifest && is_binary(&bytes);
        if !binary {
            file.read_to_end(&mut bytes)?;
        }
        Ok((bytes, binary))
    });
    let (bytes, binary) = match result {
        Ok(read) => read,
        Err(error) => return Err(skip(format!("cannot be read: {}", reason(&error)), true)),
    };
    if binary {
        return Err(skip("binary".to_owned(), false));
    }
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    if bytes.len() < LFS_LEN && bytes.starts_with(LFS) {
        let reason = "is a Git LFS pointer: fetch what it stands for with `git lfs pull`";
        return Err(skip(reason.to_owned(), manifest));
    }
    Ok(FoundFile { path, absolute, tracked, in_scope, bytes })
}

/// Reads a small file of the repository's own, such as an ignore file.
pub(super) fn bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Opens a regular file, without waiting and without following a link in its place.
///
/// What was listed may be something else by now, so the open file itself is asked what it is.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// Returns what the system says, without the name of the system's error number.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

fn is_binary(head: &[u8]) -> bool {
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    !utf16 && head.contains(&0)
}
