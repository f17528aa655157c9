//! Reads files of schemas: regular ones, within their limits, and none outside of a confinement.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::read::{bounded, reason};
use crate::hex;

/// The largest file, in bytes. The definitions of one version of Kubernetes take two to five
/// million.
const SIZE: usize = 32 << 20;
/// The most entries of folders that are looked at.
const ENTRIES: usize = 50_000;
/// The deepest folder that is looked at. Bounds links that lead in a circle.
const DEPTH: usize = 8;
/// How much of a JSON file is looked at to tell whether it holds definitions.
const HEAD: usize = 4096;
/// The most bytes that are held in memory for questions that come later.
const TOTAL: usize = 64 << 20;

/// One file of schemas.
#[derive(Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for SchemaFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let len = self.bytes.len();
        f.debug_struct("SchemaFile").field("path", &self.path).field("len", &len).finish()
    }
}

/// Something that fetches what lies at an address.
pub trait Fetch: Send + Sync + std::fmt::Debug {
    /// Returns what lies there; `None` where the host has nothing there. The error is a sentence.
    fn fetch(&self, address: &str) -> Result<Option<Arc<[u8]>>, String>;
}

/// The network, where it may be used.
#[derive(Debug, Clone)]
struct Network(Arc<dyn Fetch>);

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Network {}

/// Files of schemas, on a disk or in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaFiles {
    within: Option<PathBuf>,
    cache: Option<PathBuf>,
    network: Option<Network>,
    /// The files, where they were read beforehand.
    memory: Option<BTreeMap<PathBuf, Vec<u8>>>,
}

impl SchemaFiles {
    /// Returns the files of the disk; `within` is the folder that none of them may lie outside of,
    /// and `cache` a folder in which kubeconform keeps what it fetched.
    pub fn new(within: Option<PathBuf>, cache: Option<PathBuf>) -> Self {
        Self { within, cache, network: None, memory: None }
    }

    /// Returns these files and those of other hosts, which are kept in the cache.
    #[must_use]
    pub fn with_network(mut self, network: Arc<dyn Fetch>) -> Self {
        self.network = Some(Network(network));
        self
    }

    /// Returns these files and no others.
    pub fn in_memory(files: Vec<SchemaFile>) -> Result<Self, String> {
        let total: usize = files.iter().map(|it| it.bytes.len()).sum();
        if total > TOTAL {
            return Err(format!("the schemas have more than {TOTAL} bytes"));
        }
        let memory = files.into_iter().map(|it| (it.path, it.bytes)).collect();
        Ok(Self { memory: Some(memory), ..Self::default() })
    }

    /// Reads a file; `None` where there is none.
    pub fn read(&self, path: &Path) -> Result<Option<SchemaFile>, String> {
        let file = |bytes| SchemaFile { path: path.to_owned(), bytes };
        if let Some(memory) = &self.memory {
            return Ok(memory.get(path).cloned().map(file));
        }
        let failed = |error: &std::io::Error| match error.kind() {
            ErrorKind::FileTooLarge => {
                format!("`{}` is larger than {SIZE} bytes", path.display())
            }
            _ => format!("`{}` cannot be read: {}", path.display(), reason(error)),
        };
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        self.confined(path, &real)?;
        if real.is_dir() {
            return Ok(None);
        }
        bounded(&real, SIZE).map(|bytes| Some(file(bytes))).map_err(|error| failed(&error))
    }

    fn confined(&self, path: &Path, real: &Path) -> Result<(), String> {
        let Some(within) = &self.within else { return Ok(()) };
        let top = within.canonicalize().map_err(|error| {
            format!("`{}` cannot be read: {}", within.display(), reason(&error))
        })?;
        if real.starts_with(&top) {
            Ok(())
        } else {
            Err(format!("`{}` leads out of the folder that it belongs to", path.display()))
        }
    }

    /// Says whether there is a cache to look into.
    pub fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Says whether other hosts may be asked.
    pub fn has_network(&self) -> bool {
        self.network.is_some()
    }

    /// Reads what lies at an address: what is in the cache, else what the host has.
    pub fn at(&self, address: &str) -> Result<Option<SchemaFile>, String> {
        match self.cached(address)? {
            Some(file) => Ok(Some(file)),
            None => self.fetched(address),
        }
    }

    /// Fetches what lies at an address, where that is allowed, and keeps it in the cache.
    pub(super) fn fetched(&self, address: &str) -> Result<Option<SchemaFile>, String> {
        let Some(Network(network)) = &self.network else { return Ok(None) };
        let Some(bytes) = network.fetch(address)? else { return Ok(None) };
        let file = SchemaFile { path: PathBuf::from(address), bytes: bytes.to_vec() };
        // A page that asks to log in must not be taken for a schema from now on.
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(&file.bytes).is_ok();
        if let Some(cache) = &self.cache
            && is_json()
        {
            keep(cache, &cache_name(address), &file.bytes).map_err(|error| {
                let cache = cache.display();
                format!("a schema cannot be kept in `{cache}`: {}", reason(&error))
            })?;
        }
        Ok(Some(file))
    }

    /// Reads what kubeconform fetched from an address (`cachePath` in `pkg/cache/ondisk.go`).
    pub(super) fn cached(&self, address: &str) -> Result<Option<SchemaFile>, String> {
        let Some(cache) = &self.cache else { return Ok(None) };
        let unconfined = Self { within: None, ..self.clone() };
        unconfined.read(&cache.join(cache_name(address)))
    }

    /// Returns the paths that exist, or may, of one whose patch is open: NUL stands for it.
    ///
    /// The highest patch comes first. A path without an open patch is all there is.
    pub(super) fn patches(&self, path: &Path) -> Vec<PathBuf> {
        let open = |part: &std::ffi::OsStr| part.to_string_lossy().contains('\0');
        let mut parts = path.components();
        let mut folder = PathBuf::new();
        let name = loop {
            match parts.next() {
                None => return vec![folder],
                Some(part) if open(part.as_os_str()) => {
                    break part.as_os_str().to_string_lossy().into_owned();
                }
                Some(part) => folder.push(part),
            }
        };
        let rest = parts.as_path();
        // More than one is a template that nobody writes.
        let Some((before, after)) = name.split_once('\0') else { return Vec::new() };
        if after.contains('\0') || rest.to_string_lossy().contains('\0') {
            return Vec::new();
        }
        let number = |name: &str| -> Option<u32> {
            name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
        };
        let names = self.names(&folder);
        let mut patches: Vec<u32> = names.iter().filter_map(|it| number(it)).collect();
        patches.sort_unstable();
        patches.dedup();
        patches
            .into_iter()
            .rev()
            .map(|it| folder.join(format!("{before}{it}{after}")).join(rest))
            .map(|it| trimmed(&it))
            .collect()
    }

    /// Returns the names of what lies in a folder.
    fn names(&self, folder: &Path) -> Vec<String> {
        let name = |it: &std::ffi::OsStr| it.to_str().map(str::to_owned);
        if let Some(memory) = &self.memory {
            let parts = memory.keys().filter_map(|path| path.strip_prefix(folder).ok());
            return parts
                .filter_map(|below| name(below.components().next()?.as_os_str()))
                .collect();
        }
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(ENTRIES);
        entries.filter_map(|entry| name(&entry.file_name())).collect()
    }

    /// Returns the files of a folder that may hold definitions of custom resources.
    pub(super) fn definitions(&self, folder: &Path) -> Result<Vec<SchemaFile>, String> {
        let may = |path: &Path| match extension(path) {
            Some("yaml" | "yml") => true,
            Some("json") => match &self.memory {
                Some(memory) => memory.get(path).is_some_and(|bytes| names_definitions(bytes)),
                None => is_definition(path),
            },
            _ => false,
        };
        let mut names = self.names(folder);
        names.sort();
        names.dedup();
        let mut out = Vec::new();
        for path in names.into_iter().map(|name| folder.join(name)).filter(|it| may(it)) {
            out.extend(self.read(&path)?);
        }
        Ok(out)
    }

    /// Reads all YAML and JSON files below a folder.
    pub(super) fn below(&self, folder: &Path) -> Result<Vec<SchemaFile>, String> {
        let mut out = Vec::new();
        let (mut entries, mut total) = (0, 0);
        let mut left = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = left.pop() {
            let mut names = self.names(&folder);
            names.sort();
            entries += names.len();
            if entries > ENTRIES {
                return Err(format!("there are more than {ENTRIES} files"));
            }
            for path in
                names.into_iter().filter(|it| !it.starts_with('.')).map(|it| folder.join(it))
            {
                if path.is_dir() && depth < DEPTH {
                    let real = path.canonicalize().map_err(|error| {
                        format!("`{}` cannot be read: {}", path.display(), reason(&error))
                    })?;
                    self.confined(&path, &real)?;
                    left.push((path, depth + 1));
                } else if matches!(extension(&path), Some("json" | "yaml" | "yml")) {
                    let file = self.read(&path)?;
                    total += file.as_ref().map_or(0, |it| it.bytes.len());
                    if total > TOTAL {
                        return Err(format!("there are more than {TOTAL} bytes"));
                    }
                    out.extend(file);
                }
            }
        }
        out.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(out)
    }
}

/// Returns the name of what lies at an address in the cache.
fn cache_name(address: &str) -> String {
    hex::digits(Sha256::digest(address))
}

/// Writes a file of the cache, which is there whole or not at all.
fn keep(cache: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(cache)?;
    let partial = cache.join(format!("{name}.{}", std::process::id()));
    let kept = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, cache.join(name)));
    if kept.is_err() {
        // What is left over is of no use to anybody.
        drop(fs::remove_file(&partial));
    }
    kept
}

/// Takes away the empty part that joining an empty path leaves.
fn trimmed(path: &Path) -> PathBuf {
    path.components().collect()
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput)
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|it| it.to_str())
}

/// Says whether a file of JSON holds definitions of custom resources, as opposed to schemas.
pub(super) fn is_definition(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = Vec::new();
    let read = path
        .canonicalize()
        .and_then(|real| super::super::read::open(&real))
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head));
    read.is_ok() && names_definitions(&head)
}

fn names_definitions(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(head).contains("\"apiextensions.k8s.io/")
}
