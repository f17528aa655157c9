//! Texts under check, and places in them.
//!
//! Every stage speaks in [`Span`]s, which are byte ranges of a source's decoded text.
//! Only `report` turns them into lines and columns.

mod line_index;
mod path;

use std::fmt;
use std::sync::{Arc, OnceLock};

use line_index::LineIndex;
pub use path::{KUSTOMIZATION_FILES, RepoPath};

/// Names one source of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

impl SourceId {
    /// Names no source: that of values that stand in no text.
    pub const NOWHERE: Self = Self(u32::MAX);
}

/// A byte range in the decoded text of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source that holds the range.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the range `start..end` of `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end: end.max(start) }
    }

    /// Returns the empty range at the start of `source`.
    pub fn start_of(source: SourceId) -> Self {
        Self { source, start: 0, end: 0 }
    }

    /// Returns the smallest range that holds both, or `self` when they lie in different sources.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source == other.source {
            Self::new(self.source, self.start.min(other.start), self.end.max(other.end))
        } else {
            self
        }
    }
}

/// Where a source came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file of the repository under check.
    File,
    /// Standard input.
    Stdin,
    /// An AdmissionReview.
    Admission,
}

/// How the bytes of a source became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes are UTF-8.
    Utf8,
    /// The bytes are UTF-16 with a byte order mark, and were decoded.
    Utf16,
    /// The bytes are neither: invalid sequences were replaced by U+FFFD.
    Invalid {
        /// The offset in the decoded text of the first byte that is not UTF-8.
        first: u32,
    },
}

/// One text under check.
pub struct Source {
    path: RepoPath,
    origin: Origin,
    encoding: Encoding,
    text: Box<str>,
    // The bytes as they were read, kept only where the text cannot give them back.
    bytes: Option<Box<[u8]>>,
    lines: OnceLock<LineIndex>,
}

impl Source {
    /// Decodes `bytes`: UTF-8, or UTF-16 where a byte order mark says so.
    pub fn new(path: RepoPath, origin: Origin, bytes: Vec<u8>) -> Self {
        let (text, encoding, bytes) = match decode(bytes) {
            Decoded::Utf8(text) => (text, Encoding::Utf8, None),
            Decoded::Utf16(text, bytes) => (text, Encoding::Utf16, Some(bytes)),
            Decoded::Invalid(text, first, bytes) => {
                (text, Encoding::Invalid { first }, Some(bytes))
            }
        };
        Self {
            path,
            origin,
            encoding,
            text: text.into_boxed_str(),
            bytes: bytes.map(Vec::into_boxed_slice),
            lines: OnceLock::new(),
        }
    }

    /// Returns the path below the root of the repository.
    pub fn path(&self) -> &RepoPath {
        &self.path
    }

    /// Returns where the source came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns how the bytes became text.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Returns the decoded text, a byte order mark included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the bytes as they were read.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Returns the 1-based line and column, in characters, of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        self.lines().position(&self.text, offset)
    }

    /// Returns the byte range of a 1-based line, its line break excluded.
    pub fn line(&self, number: u32) -> Option<(u32, u32)> {
        self.lines().line(&self.text, number)
    }

    /// Returns the number of lines; an empty text has one.
    pub fn line_count(&self) -> u32 {
        self.lines().count()
    }

    fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }
}

// The text may hold secrets, so it is never printed.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .field("origin", &self.origin)
            .field("encoding", &self.encoding)
            .field("len", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A place a person can find: 1-based line and column, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A [`Span`] as lines and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The path below the root of the repository.
    pub path: RepoPath,
    /// Where the range starts.
    pub start: Position,
    /// Where the range ends: the column after its last character.
    pub end: Position,
}

/// All sources of one run. A clone shares their texts.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    sources: Vec<Arc<Source>>,
}

impl SourceMap {
    /// Adds a source and returns its name.
    pub fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(Arc::new(source));
        id
    }

    /// Returns a source by its name. `None` only for an id of another map.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize).map(AsRef::as_ref)
    }

    /// Returns the sources in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0u32..).map(SourceId).zip(self.sources.iter().map(AsRef::as_ref))
    }

    /// Returns the text of a range; empty when the range is not one of this map.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source)
            .and_then(|source| source.text().get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }

    /// Returns the path of the source that holds `span`.
    pub fn path(&self, span: Span) -> RepoPath {
        self.get(span.source).map_or_else(RepoPath::root, |source| source.path().clone())
    }

    /// Returns the lines and columns of a range.
    pub fn location(&self, span: Span) -> Location {
        match self.get(span.source) {
            Some(source) => Location {
                path: source.path().clone(),
                start: source.position(span.start),
                end: source.position(span.end),
            },
            None => Location {
                path: RepoPath::root(),
                start: Position { line: 1, column: 1 },
                end: Position { line: 1, column: 1 },
            },
        }
    }
}

enum Decoded {
    Utf8(String),
    Utf16(String, Vec<u8>),
    Invalid(String, u32, Vec<u8>),
}

fn decode(bytes: Vec<u8>) -> Decoded {
    let utf16: Option<fn([u8; 2]) -> u16> = match bytes.get(..2) {
        Some([0xff, 0xfe]) => Some(u16::from_le_bytes),
        Some([0xfe, 0xff]) => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(unit) = utf16 {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let decoded: Result<String, _> =
            char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
        if let (Ok(text), true) = (decoded, rest.is_empty()) {
            return Decoded::Utf16(text, bytes);
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Decoded::Utf8(text),
        Err(err) => {
            let first = u32::try_from(err.utf8_error().valid_up_to()).unwrap_or(u32::MAX);
            let bytes = err.into_bytes();
            Decoded::Invalid(String::from_utf8_lossy(&bytes).into_owned(), first, bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(bytes: &[u8]) -> Source {
        Source::new(RepoPath::new("a.yaml"), Origin::File, bytes.to_vec())
    }

    #[test]
    fn utf16_with_a_mark_is_decoded() {
        let text: Vec<u8> = "\u{feff}a: é".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let source = source(&text);
        assert_eq!(source.text(), "\u{feff}a: é");
        assert_eq!(source.encoding(), Encoding::Utf16);
        assert_eq!(source.bytes(), text);
    }

    #[test]
    fn invalid_bytes_are_replaced_and_kept() {
        let source = source(b"a: \xe9\n");
        assert_eq!(source.text(), "a: \u{fffd}\n");
        assert_eq!(source.encoding(), Encoding::Invalid { first: 3 });
        assert_eq!(source.bytes(), b"a: \xe9\n");
    }

    #[test]
    fn debug_shows_no_text() {
        assert!(!format!("{:?}", source(b"hunter2")).contains("hunter2"));
    }

    #[test]
    fn spans_join_only_within_one_source() {
        let a = Span::new(SourceId(0), 3, 5);
        assert_eq!(a.to(Span::new(SourceId(0), 1, 4)), Span::new(SourceId(0), 1, 5));
        assert_eq!(a.to(Span::new(SourceId(1), 1, 4)), a);
    }
}
