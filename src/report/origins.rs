//! Rendered objects line by line, each beside the place that set it.

mod json;
mod place;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use self::place::Places;
use super::human::{shown_path, theme};
use super::manifests::{Emitter, Lines};
use super::{Display, ListFormat, Style, text};
use crate::document::{Document, FieldPath};
use crate::source::{Location, RepoPath, SourceMap, Span};

/// Writes objects as [`super::write_manifests`] does, and where each line comes from.
///
/// The error of `out` is handed up as it is, so that a caller can tell a closed pipe.
pub fn write_origins(
    objects: &[Document],
    sources: &SourceMap,
    display: &Display,
    format: ListFormat,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    match format {
        ListFormat::Text => {
            let pages: Vec<Page> = objects.iter().map(|it| Page::of(it, sources)).collect();
            write_text(&pages, display, style, &mut out)?;
        }
        ListFormat::Json => json::write(objects, sources, &mut out)?,
    }
    out.flush()
}

/// One object, written.
#[derive(Debug)]
struct Page {
    lines: Vec<Line>,
}

/// One line of an object.
#[derive(Debug)]
struct Line {
    text: String,
    /// The field that begins or goes on here.
    path: FieldPath,
    /// The place that set it; none where it stands in no file.
    location: Option<Location>,
}

impl Page {
    fn of(object: &Document, sources: &SourceMap) -> Self {
        let (text, marks) = Emitter::new(String::new(), Marks::default()).document(&object.root);
        let mut places = Places::new(sources);
        let mut starts = marks.lines.iter().map(|mark| mark.start).skip(1);
        let lines = marks
            .lines
            .iter()
            .map(|mark| {
                let end = starts.next().unwrap_or(text.len());
                let text = text.get(mark.start..end).unwrap_or_default();
                let text = text.strip_suffix('\n').unwrap_or(text).to_owned();
                let location = places.of(mark.span, mark.number, &text);
                Line { text, path: mark.path.clone(), location }
            })
            .collect();
        Self { lines }
    }
}

/// Where the lines of a document begin, and what set them.
#[derive(Debug, Default)]
struct Marks {
    lines: Vec<Mark>,
    path: FieldPath,
}

#[derive(Debug)]
struct Mark {
    start: usize,
    span: Span,
    /// Which line of the text of a scalar this is.
    number: Option<usize>,
    path: FieldPath,
}

impl Marks {
    fn mark(&mut self, start: usize, span: Span, number: Option<usize>) {
        let path = self.path.clone();
        let mark = Mark { start, span, number, path };
        match self.lines.last_mut().filter(|last| last.start == start) {
            // Whatever stands on a line last is what the line is about.
            Some(last) => *last = mark,
            None => self.lines.push(mark),
        }
    }
}

impl Lines for Marks {
    fn key(&mut self, key: &str) {
        self.path.push_key(key);
    }

    fn index(&mut self, index: usize) {
        self.path.push_index(index);
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn line(&mut self, start: usize, span: Span) {
        self.mark(start, span, None);
    }

    fn more(&mut self, start: usize, span: Span, number: Option<usize>) {
        self.mark(start, span, number);
    }
}

fn write_text(
    pages: &[Page],
    display: &Display,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let theme = theme(style);
    let bar = if style.unicode { '│' } else { '|' };
    let place = |line: &Line| match &line.location {
        Some(location) => {
            let path = shown_path(display, &location.path);
            let place = format!("{path}:{}:{}", location.start.line, location.start.column);
            text::escape(&place).into_owned()
        }
        None => "-".to_owned(),
    };
    let lines = pages.iter().flat_map(|page| &page.lines);
    let columns = lines.map(|line| text::width(&place(line))).max().unwrap_or(0);
    let mut before: Option<&RepoPath> = None;
    for (at, page) in pages.iter().enumerate() {
        if at > 0 {
            writeln!(out, "{:columns$} {bar} ---", "")?;
        }
        for line in &page.lines {
            let place = place(line);
            let padding = columns.saturating_sub(text::width(&place));
            let path = line.location.as_ref().map(|location| &location.path);
            // What comes from another file than the line above stands out.
            let repeated = style.color && path == before;
            let link = theme.styles.link;
            let color = if repeated { link.dimmed() } else { link };
            before = path;
            let text = text::escape(&line.text);
            writeln!(out, "{}{:padding$} {bar} {text}", color.style(place), "")?;
        }
    }
    Ok(())
}
