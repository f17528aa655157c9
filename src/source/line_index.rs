//! Byte offset to line and column, without reading the text again for every span.

use super::Position;

/// The bytes between two counts of characters.
const BLOCK: usize = 1024;

/// The offsets at which the lines of a text start.
///
/// A line ends at `\n`, `\r\n` or a lone `\r`, as YAML has it.
#[derive(Debug)]
pub(super) struct LineIndex {
    starts: Vec<u32>,
    // The characters before each block, so that a line of a megabyte is not counted for every
    // span in it.
    characters: Vec<u32>,
}

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
        }
        let mut characters = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let mut before = 0;
        for block in bytes.chunks(BLOCK) {
            characters.push(before);
            before += count_characters(block);
        }
        characters.push(before);
        Self { starts, characters }
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn position(&self, text: &str, offset: u32) -> Position {
        let offset = offset.min(u32::try_from(text.len()).unwrap_or(u32::MAX));
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let mark = u32::from(start == 0 && text.starts_with('\u{feff}') && offset >= 3);
        let characters = self.characters_before(text, offset) - self.characters_before(text, start);
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: characters - mark + 1 }
    }

    // Counts the characters that start before an offset.
    fn characters_before(&self, text: &str, offset: u32) -> u32 {
        let block = offset as usize / BLOCK;
        let counted = self.characters.get(block).copied().unwrap_or(0);
        let rest = text.as_bytes().get(block * BLOCK..offset as usize).unwrap_or_default();
        counted + count_characters(rest)
    }

    pub(super) fn line(&self, text: &str, number: u32) -> Option<(u32, u32)> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = match self.starts.get(index + 1) {
            Some(next) => *next as usize,
            None => text.len(),
        };
        let line = text.as_bytes().get(start as usize..end)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some((start, start + u32::try_from(line.len()).ok()?))
    }
}

fn count_characters(bytes: &[u8]) -> u32 {
    let starts = bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    u32::try_from(starts).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: u32) -> (u32, u32) {
        let position = LineIndex::new(text).position(text, offset);
        (position.line, position.column)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(at("ä: b\nc", 4), (1, 4));
        assert_eq!(at("ä: b\nc", 6), (2, 1));
    }

    #[test]
    fn columns_of_long_lines_are_those_of_short_ones() {
        let text = format!("first\n{}", "aäb漢".repeat(1000));
        for (characters, (offset, _)) in text.char_indices().enumerate().skip(6) {
            let column = u32::try_from(characters - 5).unwrap();
            assert_eq!(at(&text, u32::try_from(offset).unwrap()), (2, column));
        }
        assert_eq!(at(&text, u32::try_from(text.len()).unwrap()), (2, 4001));
    }

    #[test]
    fn every_line_break_of_yaml_ends_a_line() {
        assert_eq!(at("a\r\nb\rc\nd", 3), (2, 1));
        assert_eq!(at("a\r\nb\rc\nd", 5), (3, 1));
        assert_eq!(at("a\r\nb\rc\nd", 7), (4, 1));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(at("\u{feff}ab", 4), (1, 2));
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        assert_eq!(at("ab", 99), (1, 3));
    }

    #[test]
    fn lines_come_without_their_breaks() {
        let index = LineIndex::new("a\r\nbc\n");
        assert_eq!(index.line("a\r\nbc\n", 1), Some((0, 1)));
        assert_eq!(index.line("a\r\nbc\n", 2), Some((3, 5)));
        assert_eq!(index.line("a\r\nbc\n", 3), Some((6, 6)));
        assert_eq!(index.line("a\r\nbc\n", 4), None);
    }
}
