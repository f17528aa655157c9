//! A tree as the lines of a document.

use super::order::sorted;
use super::scalar::{self, Form, SIMPLE_KEY};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::source::Span;

/// The column after which a text is broken at the next space.
const WIDTH: usize = 80;

/// Spaces to take from.
const SPACES: &str = "                                                                ";

/// Told of every line that is written, and of the way to what stands on it.
pub(in crate::report) trait Lines {
    /// The value of a key follows.
    fn key(&mut self, _key: &str) {}
    /// An item of a list follows.
    fn index(&mut self, _index: usize) {}
    /// What followed has ended.
    fn leave(&mut self) {}
    /// A line begins at byte `start` with what `span` set, or goes on with it.
    fn line(&mut self, _start: usize, _span: Span) {}
    /// A line begins at byte `start` that is the line `number`, from 0, of the text that `span` set;
    /// `None` where a long line was broken.
    fn more(&mut self, _start: usize, _span: Span, _number: Option<usize>) {}
}

impl Lines for () {}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of the document.
    Root,
    /// After the `:` of a key.
    Value,
    /// After a `-`, or after the `:` on a line of its own that a long key has.
    Indicator,
}

/// Writes one document after the other.
#[derive(Debug)]
pub(in crate::report) struct Emitter<L> {
    out: String,
    /// Where the current line starts.
    line: usize,
    lines: L,
}

impl<L: Lines> Emitter<L> {
    /// Returns a writer that goes on after `out`, which ends with a line break or is empty.
    pub(in crate::report) fn new(out: String, lines: L) -> Self {
        Self { line: out.len(), out, lines }
    }

    /// Writes a document and returns what was written.
    pub(in crate::report) fn document(mut self, root: &Node) -> (String, L) {
        self.lines.line(self.line, root.span);
        self.node(root, 0, Place::Root);
        if self.line < self.out.len() {
            self.out.push('\n');
        }
        (self.out, self.lines)
    }

    /// Writes a node; `indent` is that of the collection that it stands in.
    fn node(&mut self, node: &Node, indent: usize, place: Place) {
        if place != Place::Value {
            self.lines.line(self.line, node.span);
        }
        match &node.kind {
            NodeKind::Mapping(entries) if !entries.is_empty() => {
                let inner = if place == Place::Root { 0 } else { indent + 2 };
                for (at, entry) in sorted(entries).into_iter().enumerate() {
                    self.begin(at == 0, inner, place);
                    self.entry(entry, inner);
                }
            }
            NodeKind::Sequence(items) if !items.is_empty() => {
                // A list below a key is not indented.
                let inner = if place == Place::Indicator { indent + 2 } else { indent };
                for (at, item) in items.iter().enumerate() {
                    self.begin(at == 0, inner, place);
                    self.out.push('-');
                    self.lines.index(at);
                    self.node(item, inner, Place::Indicator);
                    self.lines.leave();
                }
            }
            kind => {
                if place != Place::Root {
                    self.out.push(' ');
                }
                self.lines.line(self.line, node.span);
                match kind {
                    NodeKind::Mapping(_) => self.out.push_str("{}"),
                    NodeKind::Sequence(_) => self.out.push_str("[]"),
                    NodeKind::Scalar(scalar) => self.scalar(scalar, node.span, indent + 2),
                }
            }
        }
    }

    /// Goes to where an entry or an item begins.
    fn begin(&mut self, first: bool, indent: usize, place: Place) {
        match (first, place) {
            (true, Place::Root) => {}
            // The first one stands on the line of the indicator.
            (true, Place::Indicator) => self.out.push(' '),
            _ => self.newline(indent),
        }
    }

    fn entry(&mut self, entry: &Entry, indent: usize) {
        self.lines.key(&entry.key);
        self.lines.line(self.line, entry.key_span);
        if entry.key.len() > SIMPLE_KEY || scalar::is_multiline(&entry.key) {
            self.out.push_str("? ");
            self.text(&entry.key, entry.key_span, indent + 2, false);
            self.newline(indent);
            self.lines.line(self.line, entry.key_span);
            self.out.push(':');
            self.node(&entry.value, indent, Place::Indicator);
        } else {
            self.text(&entry.key, entry.key_span, indent, true);
            self.out.push(':');
            self.node(&entry.value, indent, Place::Value);
        }
        self.lines.leave();
    }

    fn newline(&mut self, indent: usize) {
        // A literal text may have ended its last line itself.
        if self.line < self.out.len() {
            self.out.push('\n');
            self.line = self.out.len();
        }
        self.indent(indent);
    }

    fn indent(&mut self, indent: usize) {
        let mut left = indent;
        while left > 0 {
            let some = left.min(SPACES.len());
            self.out.push_str(SPACES.get(..some).unwrap_or_default());
            left -= some;
        }
    }

    fn scalar(&mut self, scalar: &Scalar, span: Span, indent: usize) {
        use std::fmt::Write as _;
        match scalar {
            Scalar::Null => self.out.push_str("null"),
            Scalar::Bool(true) => self.out.push_str("true"),
            Scalar::Bool(false) => self.out.push_str("false"),
            // Writing to a string does not fail.
            Scalar::Int(value) => drop(write!(self.out, "{value}")),
            Scalar::Uint(value) => drop(write!(self.out, "{value}")),
            Scalar::Float(value) => self.out.push_str(&scalar::float(*value)),
            Scalar::String(text) => self.text(text, span, indent, false),
        }
    }

    /// Writes a text; `indent` is that of its further lines.
    fn text(&mut self, text: &str, span: Span, indent: usize, simple_key: bool) {
        let mut folded = Folded { span, indent, column: None, spaces: false };
        if simple_key || (self.out.len() - self.line).saturating_add(text.len()) > WIDTH {
            folded.column = (!simple_key).then(|| self.column());
        }
        match scalar::form(text, simple_key) {
            Form::Plain => self.plain(text, &mut folded),
            Form::Single => self.single(text, &mut folded),
            Form::Double => {
                // Escapes are longer than what they stand for.
                folded.column = (!simple_key).then(|| self.column());
                self.double(text, &mut folded);
            }
            Form::Literal => self.literal(text, span, indent),
        }
    }

    /// Returns the characters on the current line.
    fn column(&self) -> usize {
        self.out.get(self.line..).map_or(0, |line| line.chars().count())
    }

    fn plain(&mut self, text: &str, folded: &mut Folded) {
        if folded.column.is_none() {
            self.out.push_str(text);
            return;
        }
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next_is_space = rest.as_str().starts_with(' ');
            if !(c == ' ' && !next_is_space && self.fold(folded)) {
                self.put(c, folded);
            }
            folded.spaces = c == ' ';
        }
    }

    fn single(&mut self, text: &str, folded: &mut Folded) {
        self.put('\'', folded);
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            let inside = !first && !rest.as_str().is_empty() && !rest.as_str().starts_with(' ');
            if !(c == ' ' && inside && self.fold(folded)) {
                if c == '\'' {
                    self.put(c, folded);
                }
                self.put(c, folded);
            }
            folded.spaces = c == ' ';
            first = false;
        }
        self.put('\'', folded);
    }

    fn double(&mut self, text: &str, folded: &mut Folded) {
        self.put('"', folded);
        // go-yaml takes every character of a text for a byte order mark that begins with one.
        let marked = text.starts_with('\u{feff}');
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            if marked || !scalar::is_printable(c) || matches!(c, '\n' | '"' | '\\') {
                let before = self.out.len();
                scalar::push_escape(c, &mut self.out);
                let written = self.out.len() - before;
                folded.column = folded.column.map(|column| column + written);
                folded.spaces = false;
            } else if c == ' ' {
                let inside = !first && !rest.as_str().is_empty();
                if inside && self.fold(folded) {
                    if rest.as_str().starts_with(' ') {
                        self.put('\\', folded);
                    }
                } else {
                    self.put(c, folded);
                }
                folded.spaces = true;
            } else {
                self.put(c, folded);
                folded.spaces = false;
            }
            first = false;
        }
        self.put('"', folded);
    }

    fn literal(&mut self, text: &str, span: Span, indent: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        match text.strip_suffix('\n') {
            None => self.out.push('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        self.out.push('\n');
        self.line = self.out.len();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            self.lines.more(self.line, span, Some(number));
            if line != "\n" {
                self.indent(indent);
            }
            self.out.push_str(line);
            if line.ends_with('\n') {
                self.line = self.out.len();
            }
        }
    }

    fn put(&mut self, c: char, folded: &mut Folded) {
        self.out.push(c);
        if let Some(column) = &mut folded.column {
            *column += 1;
        }
    }

    /// Breaks the line instead of writing a space, where it is long enough.
    fn fold(&mut self, folded: &mut Folded) -> bool {
        if folded.spaces || folded.column.is_none_or(|column| column <= WIDTH) {
            return false;
        }
        self.newline(folded.indent);
        self.lines.more(self.line, folded.span, None);
        folded.column = Some(folded.indent);
        true
    }
}

/// A text that may be broken into lines while it is written.
#[derive(Debug)]
struct Folded {
    span: Span,
    /// Where its further lines begin.
    indent: usize,
    /// The characters on the current line; `None` where it is not broken.
    column: Option<usize>,
    /// Whether the last character was a space.
    spaces: bool,
}
