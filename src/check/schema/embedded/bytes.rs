//! Numbers and texts of the embedded store, and its compression.

use super::EmbeddedError;

pub(super) const TRUNCATED: EmbeddedError = EmbeddedError("it is cut off");
const TOO_LARGE: EmbeddedError = EmbeddedError("it is too large");

/// The most that one block may hold.
const LIMIT: usize = 64 << 20;

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number of up to 64 bits, seven in each byte.
    pub(super) fn number(&mut self) -> Result<u64, EmbeddedError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.bytes.split_first().ok_or(TRUNCATED)?;
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(TOO_LARGE)
    }

    pub(super) fn size(&mut self) -> Result<usize, EmbeddedError> {
        usize::try_from(self.number()?).map_err(|_| TOO_LARGE)
    }

    /// A count of things that take at least one byte each.
    pub(super) fn count(&mut self) -> Result<usize, EmbeddedError> {
        let count = self.size()?;
        if count > self.bytes.len() { Err(TRUNCATED) } else { Ok(count) }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], EmbeddedError> {
        let (head, rest) = self.bytes.split_at_checked(len).ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(head)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, EmbeddedError> {
        let len = self.size()?;
        str::from_utf8(self.take(len)?).map_err(|_| EmbeddedError("a text is not UTF-8"))
    }
}

/// Unpacks a block, which says how long it is.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, EmbeddedError> {
    let mut reader = Reader::new(packed);
    let len = reader.size()?;
    if len > LIMIT {
        return Err(TOO_LARGE);
    }
    miniz_oxide::inflate::decompress_to_vec_with_limit(reader.bytes, len)
        .ok()
        .filter(|block| block.len() == len)
        .ok_or(EmbeddedError("a block does not unpack"))
}
