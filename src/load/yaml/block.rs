//! Documents in the plain block style, read line by line.
//!
//! The parser hands every token through several structures, which is most of what reading costs.
//! Nearly all manifests are written in a small part of YAML whose meaning follows from the lines
//! alone; that part is read here, and yields the nodes that the parser's events would. At the first
//! line that is not of it, or that is wrong, the document is left to the parser, from its start: no
//! error is known here, and nothing is read that YAML might mean otherwise.

use granit_parser::{ScalarStyle, StructureStyle};

use super::build::Builder;
use crate::document::Node;

/// The longest key, which the parser bounds at 1,024 characters.
const LONGEST_KEY: usize = 1000;

/// Reads a document; `None` leaves it to the parser.
pub(super) fn read(text: &str, builder: &mut Builder<'_>) -> Option<Node> {
    if !text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return None;
    }
    let mut lines = Lines { text, at: 0 };
    let mut reader =
        Reader { text, builder, levels: Vec::new(), expected: Expected::Document, root: None };
    let mut dashes = false;
    while let Some(line) = lines.next_line() {
        let content = line.content(text)?;
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if line.indent() == 0 && content.starts_with("---") {
            // Only the dashes that open the document are known here.
            if content != "---" || dashes || !reader.levels.is_empty() {
                return None;
            }
            dashes = true;
            continue;
        }
        if line.indent() == 0 && content.starts_with("...") {
            return None;
        }
        reader.line(line, &mut lines)?;
    }
    reader.finish()
}

/// A line without its break, and where its text lies.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    /// The first byte that is not a space.
    content: usize,
    /// One past the last byte that is not a space.
    end: usize,
    /// One past the last byte, the line break excluded.
    stop: usize,
}

impl Line {
    fn indent(self) -> usize {
        self.content - self.start
    }

    fn content(self, text: &str) -> Option<&str> {
        text.get(self.content..self.end)
    }
}

/// The lines of a text, of which the next can be looked at before it is taken.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Lines<'_> {
    fn peek(&self) -> Option<Line> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = rest.get(..length)?;
        let end = line.trim_end_matches(' ').len();
        let content = line.bytes().take_while(|byte| *byte == b' ').count();
        Some(Line {
            start: self.at,
            content: self.at + content,
            end: self.at + end.max(content),
            stop: self.at + length,
        })
    }

    fn take(&mut self, line: Line) {
        self.at = line.stop + 1;
    }

    fn next_line(&mut self) -> Option<Line> {
        let line = self.peek()?;
        self.take(line);
        Some(line)
    }
}

/// A collection that is open, and the column of its entries.
#[derive(Clone, Copy)]
struct Level {
    column: usize,
    sequence: bool,
}

/// What the next text may be.
#[derive(Clone, Copy)]
enum Expected {
    /// The outermost collection.
    Document,
    /// The value of a key with nothing behind its colon, which ends here.
    Value(usize),
    /// The item behind a dash of the same line.
    Item,
    /// An entry of an open collection.
    Entry,
}

struct Reader<'r, 'a> {
    text: &'r str,
    builder: &'r mut Builder<'a>,
    levels: Vec<Level>,
    expected: Expected,
    /// What was closed last, where it was the outermost collection.
    root: Option<Node>,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: Line, lines: &mut Lines<'_>) -> Option<()> {
        let mut at = line.content;
        loop {
            let rest = self.text.get(at..line.end)?;
            let Some(behind) = rest.strip_prefix("- ") else { break };
            let column = at - line.start;
            let dash = at;
            at += rest.len() - behind.trim_start_matches(' ').len();
            // To the parser, a list whose dashes stand below its key starts behind the first one.
            let below = self.levels.last().is_some_and(|top| top.column == column);
            self.place(column, true, if below { at } else { dash })?;
            self.expected = Expected::Item;
        }
        let rest = self.text.get(at..line.end)?;
        match start(rest)? {
            Start::Key(key, style, length) => {
                self.place(at - line.start, false, at)?;
                self.scalar(key, style, at, at + length)?;
                let colon = at + length;
                let behind = self.text.get(colon + 1..line.end)?;
                let value = behind.trim_start_matches(' ');
                if value.is_empty() || value.starts_with('#') {
                    self.expected = Expected::Value(colon);
                    return Some(());
                }
                self.value(line.end - value.len(), line, lines)
            }
            Start::Value if matches!(self.expected, Expected::Item) => self.value(at, line, lines),
            Start::Value => None,
        }
    }

    /// Finds or opens the collection whose entry starts in `column`, and closes those in it.
    fn place(&mut self, column: usize, sequence: bool, at: usize) -> Option<()> {
        let top = self.levels.last().copied();
        let opens = match (self.expected, top) {
            (Expected::Document, _) => column == 0,
            (Expected::Item, _) => true,
            (Expected::Value(_), Some(top)) => {
                // The dashes of a list may stand below the key that it belongs to.
                column > top.column || (column == top.column && sequence)
            }
            _ => false,
        };
        if opens {
            self.levels.push(Level { column, sequence });
            self.expected = Expected::Entry;
            return self
                .builder
                .open(sequence, StructureStyle::Block, 0, self.builder.place(at, at))
                .ok();
        }
        self.no_value()?;
        while let Some(top) = self.levels.last().copied() {
            if top.column == column && top.sequence == sequence {
                return Some(());
            }
            if top.column < column || (top.column == column && !top.sequence) {
                return None;
            }
            self.close()?;
        }
        None
    }

    /// Gives a key that has no value the value `null`.
    fn no_value(&mut self) -> Option<()> {
        if let Expected::Value(colon) = self.expected {
            self.scalar("~", ScalarStyle::Plain, colon, colon)?;
            self.expected = Expected::Entry;
        }
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.levels.pop();
        self.root = self.builder.close(self.builder.place(0, 0)).ok()?;
        Some(())
    }

    fn finish(mut self) -> Option<Node> {
        self.no_value()?;
        while !self.levels.is_empty() {
            self.close()?;
        }
        self.root
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, start: usize, end: usize) -> Option<()> {
        let span = self.builder.place(start, end);
        self.builder.text(text, style, 0, None, span).ok().map(drop)
    }

    /// Reads the value that starts at `at` and fills the rest of its line.
    fn value(&mut self, at: usize, line: Line, lines: &mut Lines<'_>) -> Option<()> {
        self.expected = Expected::Entry;
        let rest = self.text.get(at..line.end)?;
        match rest.as_bytes().first()? {
            b'"' | b'\'' => match quoted(rest) {
                Some((text, style)) => {
                    let length = text.len() + 2;
                    nothing(rest.get(length..)?)?;
                    self.scalar(text, style, at, at + length)
                }
                None => self.wrapped_in_quotes(rest, at, lines),
            },
            b'[' | b'{' => self.flow(rest, at),
            b'|' => self.literal(rest, lines),
            _ => match plain(rest)? {
                (text, Behind::End) => self.wrapped(text, at, lines),
                (text, Behind::Comment) => {
                    self.scalar(text, ScalarStyle::Plain, at, at + text.len())
                }
                (_, Behind::Colon) => None,
            },
        }
    }

    /// Reads a plain text that may go on in the lines below.
    fn wrapped(&mut self, first: &str, at: usize, lines: &mut Lines<'_>) -> Option<()> {
        let column = self.levels.last()?.column;
        let mut end = at + first.len();
        let mut joined = None;
        while let Some(line) = lines.peek() {
            let more = line.content(self.text)?;
            if more.is_empty() || more.starts_with('#') || line.indent() <= column {
                break;
            }
            let Behind::End = behind(more)?.1 else { return None };
            let joined = joined.get_or_insert_with(|| first.to_owned());
            joined.push(' ');
            joined.push_str(more);
            end = line.end;
            lines.take(line);
        }
        self.scalar(joined.as_deref().unwrap_or(first), ScalarStyle::Plain, at, end)
    }

    /// Reads a text in quotes that ends in one of the lines below.
    fn wrapped_in_quotes(&mut self, first: &str, at: usize, lines: &mut Lines<'_>) -> Option<()> {
        let column = self.levels.last()?.column;
        let (quote, style) = match first.as_bytes().first()? {
            b'"' => ('"', ScalarStyle::DoubleQuoted),
            _ => ('\'', ScalarStyle::SingleQuoted),
        };
        let mut joined = first.get(1..)?.to_owned();
        loop {
            if joined.contains([quote, '\\']) {
                return None;
            }
            let line = lines.next_line()?;
            let more = line.content(self.text)?;
            if more.is_empty() || line.indent() <= column {
                return None;
            }
            joined.push(' ');
            let Some((last, behind)) = more.split_once(quote) else {
                joined.push_str(more);
                continue;
            };
            if last.contains('\\') || !behind.is_empty() {
                return None;
            }
            joined.push_str(last);
            return self.scalar(&joined, style, at, line.end);
        }
    }

    /// Reads the lines of a text that is taken as it stands.
    fn literal(&mut self, header: &str, lines: &mut Lines<'_>) -> Option<()> {
        let keeps = match header {
            "|" => true,
            "|-" => false,
            _ => return None,
        };
        let first = lines.peek().filter(|line| line.content < line.end)?;
        let indent = first.indent();
        if indent <= self.levels.last()?.column || !self.text.ends_with('\n') {
            return None;
        }
        let mut text = String::new();
        let mut breaks = 0;
        // To the parser, the text ends where the next one starts.
        let mut end = self.text.len();
        while let Some(line) = lines.peek() {
            if line.content == line.end {
                if line.stop - line.start > indent {
                    return None;
                }
                breaks += 1;
            } else if line.indent() < indent {
                end = line.content;
                break;
            } else {
                text.extend(std::iter::repeat_n('\n', breaks));
                text.push_str(self.text.get(line.start + indent..line.stop)?);
                breaks = 1;
            }
            lines.take(line);
        }
        if keeps {
            text.push('\n');
        }
        self.scalar(&text, ScalarStyle::Literal, first.content, end)
    }

    /// Reads a list of simple texts in brackets, or an empty pair of braces.
    fn flow(&mut self, rest: &str, start: usize) -> Option<()> {
        let sequence = rest.starts_with('[');
        let close = if sequence { ']' } else { '}' };
        self.builder
            .open(sequence, StructureStyle::Flow, 0, self.builder.place(start, start + 1))
            .ok()?;
        let mut behind = rest.get(1..)?.trim_start_matches(' ');
        let mut empty = true;
        while !behind.starts_with(close) || !empty {
            if !sequence {
                return None;
            }
            let at = start + rest.len() - behind.len();
            let (text, style, length) = match behind.as_bytes().first()? {
                b'"' | b'\'' => {
                    let (text, style) = quoted(behind)?;
                    (text, style, text.len() + 2)
                }
                _ => {
                    let text = word(behind)?;
                    (text, ScalarStyle::Plain, text.len())
                }
            };
            self.scalar(text, style, at, at + length)?;
            empty = false;
            behind = behind.get(length..)?.trim_start_matches(' ');
            match behind.strip_prefix(',') {
                Some(more) => behind = more.trim_start_matches(' '),
                None if behind.starts_with(close) => break,
                None => return None,
            }
        }
        behind = behind.strip_prefix(close)?;
        nothing(behind)?;
        let end = start + rest.len() - behind.len();
        self.builder.close(self.builder.place(end - 1, end)).ok().map(drop)
    }
}

/// What a text starts with.
enum Start<'t> {
    /// A key: its text, how it is written and how long that is.
    Key(&'t str, ScalarStyle, usize),
    /// Something else, which is most often a value.
    Value,
}

fn start(text: &str) -> Option<Start<'_>> {
    let (key, style, length) = match text.as_bytes().first()? {
        b'"' | b'\'' => {
            let (key, style) = quoted(text)?;
            (key, style, key.len() + 2)
        }
        _ => match plain(text) {
            Some((key, Behind::Colon)) => (key, ScalarStyle::Plain, key.len()),
            _ => return Some(Start::Value),
        },
    };
    match text.as_bytes().get(length..length + 2).or_else(|| text.as_bytes().get(length..))? {
        [b':'] | [b':', b' '] if length <= LONGEST_KEY && !key.ends_with(' ') => {
            Some(Start::Key(key, style, length))
        }
        _ => Some(Start::Value),
    }
}

/// What stands behind a plain text on its line.
enum Behind {
    End,
    Colon,
    Comment,
}

/// Returns the plain text that a text starts with; `None` where it starts otherwise.
fn plain(text: &str) -> Option<(&str, Behind)> {
    let starts = match text.as_bytes() {
        [b'-', next, ..] => *next != b' ',
        [first, ..] => first.is_ascii_alphanumeric() || b"_/.$()+<~^=;\\".contains(first),
        [] => false,
    };
    if starts { behind(text) } else { None }
}

/// Returns the text before a colon that ends a key, or before a comment.
fn behind(text: &str) -> Option<(&str, Behind)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = bytes.get(from..)?.iter().position(|byte| matches!(byte, b':' | b'#')) {
        let at = from + found;
        match (bytes.get(at)?, at.checked_sub(1).and_then(|before| bytes.get(before))) {
            (b':', _) if bytes.get(at + 1).is_none_or(|next| *next == b' ') => {
                return Some((text.get(..at)?, Behind::Colon));
            }
            (b'#', Some(b' ')) => {
                return Some((text.get(..at)?.trim_end_matches(' '), Behind::Comment));
            }
            _ => from = at + 1,
        }
    }
    Some((text, Behind::End))
}

/// Returns what stands in the quotes that a text starts with, where it holds no escape.
fn quoted(text: &str) -> Option<(&str, ScalarStyle)> {
    if let Some(behind) = text.strip_prefix('"') {
        let inside = behind.get(..behind.find('"')?)?;
        return (!inside.contains('\\')).then_some((inside, ScalarStyle::DoubleQuoted));
    }
    let behind = text.strip_prefix('\'')?;
    let (inside, after) = behind.split_once('\'')?;
    (!after.starts_with('\'')).then_some((inside, ScalarStyle::SingleQuoted))
}

/// Returns the simple word that a text in brackets starts with.
fn word(text: &str) -> Option<&str> {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-./=$".contains(byte))
        .count();
    let word = text.get(..length)?;
    let starts = match word.as_bytes() {
        [b'-', next, ..] => next.is_ascii_alphanumeric() || *next == b'-',
        [b'-' | b'.', ..] | [] => false,
        _ => true,
    };
    starts.then_some(word)
}

/// Says whether nothing but a comment follows a value.
fn nothing(behind: &str) -> Option<()> {
    let rest = behind.trim_start_matches(' ');
    (rest.is_empty() || (rest.starts_with('#') && rest.len() < behind.len())).then_some(())
}
