//! The index of the embedded store, and its blocks as they are asked for.
//!
//! `xtask/src/crds/store.rs` writes the store and describes its format.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::block::{Block, Scope};
use super::bytes::{Reader, TRUNCATED, unpack};
use super::{EmbeddedCrd, EmbeddedError, EmbeddedKind, Fidelity};

/// The first bytes of a store, which change with the format.
const MAGIC: &[u8] = b"TWCRDS01";

/// All embedded kinds; their schemas are read one by one.
#[derive(Debug)]
pub(super) struct Store {
    sources: Vec<String>,
    /// The groups in alphabetical order.
    groups: Vec<Group>,
    /// The kinds in the order of group, name and version.
    kinds: Vec<Kind>,
    shared: Lazy,
}

#[derive(Debug)]
struct Group {
    name: String,
    kinds: std::ops::Range<usize>,
    block: Lazy,
}

#[derive(Debug)]
struct Kind {
    group: usize,
    name: String,
    version: String,
    plural: String,
    flags: u64,
    source: usize,
    root: usize,
    /// The last schema that was built, while somebody holds it.
    last: Mutex<Weak<EmbeddedCrd>>,
}

/// A block that is read when it is first needed.
#[derive(Debug)]
struct Lazy {
    packed: &'static [u8],
    block: OnceLock<Result<Block, EmbeddedError>>,
}

impl Lazy {
    fn new(packed: &'static [u8]) -> Self {
        Self { packed, block: OnceLock::new() }
    }

    fn get(&self) -> Result<&Block, EmbeddedError> {
        self.block.get_or_init(|| Block::read(self.packed)).as_ref().map_err(|err| *err)
    }
}

impl Store {
    /// Reads the index; blocks are unpacked later.
    pub(super) fn read(bytes: &'static [u8]) -> Result<Self, EmbeddedError> {
        let bytes = bytes.strip_prefix(MAGIC).ok_or(EmbeddedError("unknown format"))?;
        let mut reader = Reader::new(bytes);
        let lengths = (0..reader.count()?)
            .map(|_| reader.size())
            .collect::<Result<Vec<_>, EmbeddedError>>()?;
        let blocks = lengths
            .into_iter()
            .map(|len| reader.take(len))
            .collect::<Result<Vec<_>, EmbeddedError>>()?;
        let [index, shared, groups @ ..] = blocks.as_slice() else { return Err(TRUNCATED) };
        if !reader.is_empty() {
            return Err(EmbeddedError("too many bytes"));
        }
        let mut store = Self {
            sources: Vec::new(),
            groups: Vec::new(),
            kinds: Vec::new(),
            shared: Lazy::new(shared),
        };
        store.read_index(&unpack(index)?, groups)?;
        Ok(store)
    }

    fn read_index(&mut self, index: &[u8], blocks: &[&'static [u8]]) -> Result<(), EmbeddedError> {
        let mut reader = Reader::new(index);
        for _ in 0..reader.count()? {
            self.sources.push(reader.text()?.to_owned());
        }
        if reader.count()? != blocks.len() {
            return Err(EmbeddedError("the index has other groups than the store"));
        }
        for (group, packed) in blocks.iter().enumerate() {
            let name = reader.text()?.to_owned();
            let start = self.kinds.len();
            for _ in 0..reader.count()? {
                self.kinds.push(Kind {
                    group,
                    name: reader.text()?.to_owned(),
                    version: reader.text()?.to_owned(),
                    plural: reader.text()?.to_owned(),
                    flags: reader.number()?,
                    source: reader.size()?,
                    root: reader.size()?,
                    last: Mutex::default(),
                });
            }
            self.groups.push(Group {
                name,
                kinds: start..self.kinds.len(),
                block: Lazy::new(packed),
            });
        }
        if reader.is_empty() { Ok(()) } else { Err(EmbeddedError("too many bytes")) }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|it| &*it.name)
    }

    /// Returns the place of a kind.
    pub(super) fn position(&self, group: &str, version: &str, kind: &str) -> Option<usize> {
        let group = self.group(group)?;
        let kinds = self.kinds.get(group.kinds.clone())?;
        let at = kinds.binary_search_by(|it| (&*it.name, &*it.version).cmp(&(kind, version)));
        Some(group.kinds.start + at.ok()?)
    }

    fn group(&self, name: &str) -> Option<&Group> {
        let at = self.groups.binary_search_by(|it| (*it.name).cmp(name)).ok()?;
        self.groups.get(at)
    }

    pub(super) fn kinds(&'static self, group: &str) -> impl Iterator<Item = EmbeddedKind> {
        let range = self.group(group).map_or(0..0, |it| it.kinds.clone());
        range.filter_map(|at| self.kind(at))
    }

    pub(super) fn kind(&'static self, at: usize) -> Option<EmbeddedKind> {
        let kind = self.kinds.get(at)?;
        Some(EmbeddedKind {
            group: &self.groups.get(kind.group)?.name,
            version: &kind.version,
            kind: &kind.name,
            plural: &kind.plural,
            namespaced: kind.flags & 1 != 0,
            subresources_status: kind.flags & 2 != 0,
            fidelity: if kind.flags & 4 == 0 { Fidelity::Full } else { Fidelity::Partial },
            source: self.sources.get(kind.source).map_or("", String::as_str),
        })
    }

    /// Puts the schema of a kind together.
    pub(super) fn load(&'static self, at: usize) -> Result<Arc<EmbeddedCrd>, EmbeddedError> {
        let nowhere = EmbeddedError("a kind leads nowhere");
        let own = self.kinds.get(at).ok_or(nowhere)?;
        // Whoever comes second waits, and takes what the first has built.
        let mut last = own.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = last.upgrade() {
            return Ok(built);
        }
        let it = self.kind(at).ok_or(nowhere)?;
        let group = self.groups.get(own.group).ok_or(nowhere)?;
        let scope = Scope { shared: self.shared.get()?, own: group.block.get()? };
        let built = Arc::new(EmbeddedCrd {
            group: it.group,
            version: it.version,
            kind: it.kind,
            plural: it.plural,
            namespaced: it.namespaced,
            subresources_status: it.subresources_status,
            fidelity: it.fidelity,
            source: it.source,
            schema: scope.value(own.root)?,
        });
        *last = Arc::downgrade(&built);
        Ok(built)
    }
}
