//! The lines of the sources that one finding shows.
//!
//! Miette reads a source from its start for every span and prints it as it is. This is a source
//! of its own: only the lines to be shown, escaped, cut to the width and without secrets, one
//! block for each run of lines, whichever files they come from.

mod line;

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use self::line::{Line, Room};
use super::super::redact::{Secrets, is_secret};
use super::super::text;
use super::super::{Report, Style};
use crate::finding::{Finding, Label};
use crate::source::{Position, Source, SourceId};

/// Lines shown before and after the lines of a span.
const CONTEXT: u32 = 1;

/// A span of more lines is underlined on its first line only.
const LONGEST: u32 = 5;

/// A note is shown beside its underline only where this many columns are left for it.
const NOTE_COLUMNS: usize = 20;

/// The lines that one finding shows, and what is underlined in them.
#[derive(Debug)]
pub(super) struct Excerpt {
    text: String,
    blocks: Vec<Block>,
    /// What is underlined; the primary place is the first.
    pub(super) marks: Vec<Mark>,
    /// The notes that found no room beside their underline.
    pub(super) aside: Vec<String>,
}

// A run of lines of one file.
#[derive(Debug)]
struct Block {
    name: String,
    // The number of its first line, from 0.
    first: usize,
    // Where each of its lines starts in the text of the excerpt.
    starts: Vec<usize>,
    end: usize,
}

/// An underlined part of an excerpt.
#[derive(Debug)]
pub(super) struct Mark {
    /// Where it lies in the text of the excerpt.
    pub(super) range: Range<usize>,
    /// What is written beside it, in lines that fit.
    pub(super) note: Option<String>,
    position: Position,
}

// A label with its lines.
struct Place<'a> {
    label: &'a Label,
    source: &'a Source,
    start: Position,
    // The end of what is underlined, and its line.
    end: u32,
    last: u32,
    // Whether the label goes on below the last line that is underlined.
    cut: Option<u32>,
}

// Lines of one file, from 1, the last included.
struct Lines {
    source: SourceId,
    first: u32,
    last: u32,
}

impl Excerpt {
    /// Collects the lines of a finding.
    pub(super) fn new(
        finding: &Finding,
        report: &Report<'_>,
        secrets: &Secrets,
        style: Style,
    ) -> Self {
        let mut excerpt =
            Self { text: String::new(), blocks: Vec::new(), marks: Vec::new(), aside: Vec::new() };
        // Around a secret stand other secrets, or the rest of it.
        let context = if is_secret(finding) { 0 } else { CONTEXT };
        let place = |label| Place::new(label, report);
        let Some(primary) = place(&finding.primary) else { return excerpt };
        let mut places = vec![primary];
        places.extend(finding.related.iter().filter_map(place));
        let gutter = gutter(&places, context);
        let mut marks: Vec<Option<Mark>> = places.iter().map(|_| None).collect();
        let builder = Builder { places: &places, report, secrets, style, gutter };
        for lines in runs(&places, context) {
            builder.add(&lines, &mut excerpt, &mut marks);
        }
        excerpt.marks = marks.into_iter().flatten().collect();
        excerpt
    }
}

// What every block of one excerpt is made with.
struct Builder<'a> {
    places: &'a [Place<'a>],
    report: &'a Report<'a>,
    secrets: &'a Secrets,
    style: Style,
    // The columns before the text of a line.
    gutter: usize,
}

impl Builder<'_> {
    fn add(&self, lines: &Lines, excerpt: &mut Excerpt, marks: &mut [Option<Mark>]) {
        let Some(source) = self.report.sources.get(lines.source) else { return };
        let mut block = Block {
            name: text::escape(&super::path(self.report, source.path())).into_owned(),
            first: (lines.first - 1) as usize,
            starts: Vec::new(),
            end: 0,
        };
        let columns = self.style.width.saturating_sub(self.gutter).max(12);
        let room = Room { columns, style: self.style };
        let mut starts: Vec<usize> = vec![0; self.places.len()];
        for number in lines.first..=lines.last {
            let Some((from, to)) = source.line(number) else { break };
            let anchor = self
                .places
                .iter()
                .find(|place| place.covers(lines.source, number))
                .map(|place| (place.label.span.start.max(from), place.end.min(to)));
            let shown = Line::new(source, lines.source, (from, to), anchor, self.secrets, room);
            let base = excerpt.text.len();
            block.starts.push(base);
            excerpt.text.push_str(&shown.text);
            for ((place, start), mark) in self.places.iter().zip(&mut starts).zip(&mut *marks) {
                if !place.covers(lines.source, number) {
                    continue;
                }
                if place.start.line == number {
                    *start = base + shown.start(place.label.span.start);
                }
                if place.last == number {
                    let end = if place.is_empty() { *start } else { base + shown.end(place.end) };
                    let range = *start..end.max(*start);
                    let note = self.note(place, base, &range, excerpt);
                    *mark = Some(Mark { range, note, position: place.start });
                }
            }
            excerpt.text.push('\n');
        }
        block.end = excerpt.text.len();
        excerpt.blocks.push(block);
    }

    // Returns the note in lines that fit beside the underline, or puts it aside.
    fn note(
        &self,
        place: &Place<'_>,
        line: usize,
        range: &Range<usize>,
        excerpt: &mut Excerpt,
    ) -> Option<String> {
        let note = place.note(self.secrets);
        if note.is_empty() {
            return None;
        }
        let columns = |range| excerpt.text.get(range).map_or(0, text::width);
        let column = if place.start.line == place.last {
            columns(line..range.start) + columns(range.clone()).div_ceil(2)
        } else {
            0
        };
        // A corner, two dashes and a space stand before the note.
        let left = self.style.width.saturating_sub(self.gutter + column + 5);
        if text::width(&note) <= left || left >= NOTE_COLUMNS {
            return Some(text::wrap(&note, left).join("\n"));
        }
        excerpt.aside.push(format!("line {}: {note}", place.start.line));
        None
    }
}

impl<'a> Place<'a> {
    fn new(label: &'a Label, report: &Report<'a>) -> Option<Self> {
        let span = label.span;
        let source = report.sources.get(span.source)?;
        let start = source.position(span.start);
        // Line breaks at the end of a span are not underlined.
        let text = source.text().get(span.start as usize..span.end as usize).unwrap_or_default();
        let kept = u32::try_from(text.trim_end().len()).unwrap_or(0);
        let mut end = span.start + kept;
        let mut last = source.position(end).line;
        let mut cut = None;
        if last - start.line >= LONGEST {
            cut = Some(last);
            last = start.line;
            end = source.line(last)?.1;
        }
        Some(Self { label, source, start, end, last, cut })
    }

    fn covers(&self, source: SourceId, line: u32) -> bool {
        self.label.span.source == source && self.start.line <= line && line <= self.last
    }

    fn is_empty(&self) -> bool {
        self.label.span.start == self.end
    }

    // The note, escaped.
    fn note(&self, secrets: &Secrets) -> String {
        let note = secrets.redact(self.label.note.trim());
        let note = text::escape(&note);
        match self.cut {
            Some(last) if note.is_empty() => format!("to line {last}"),
            Some(last) => format!("{note} (to line {last})"),
            None => note.into_owned(),
        }
    }

    fn lines(&self, context: u32) -> (u32, u32) {
        let count = self.source.line_count();
        let mut last = (self.last + context).min(count);
        // The empty line after the final line break is no context.
        if last > self.last && self.source.line(last).is_some_and(|(from, to)| from == to) {
            last -= 1;
        }
        (self.start.line.saturating_sub(context).max(1), last)
    }
}

/// Returns the columns that miette puts before the text of a line.
fn gutter(places: &[Place<'_>], context: u32) -> usize {
    let digits = places.iter().map(|place| place.lines(context).1).max().unwrap_or(1);
    let spans = places.iter().filter(|place| place.last > place.start.line).count();
    let arrows = if spans > 0 { spans + 3 } else { 0 };
    digits.to_string().len() + 4 + arrows
}

/// Returns the runs of lines that show all places: the primary file first, then as met.
fn runs(places: &[Place<'_>], context: u32) -> Vec<Lines> {
    let mut sources: Vec<SourceId> = Vec::new();
    for place in places {
        if !sources.contains(&place.label.span.source) {
            sources.push(place.label.span.source);
        }
    }
    let mut runs: Vec<Lines> = Vec::new();
    for source in sources {
        let mut wanted: Vec<(u32, u32)> = places
            .iter()
            .filter(|place| place.label.span.source == source)
            .map(|place| place.lines(context))
            .collect();
        wanted.sort_unstable();
        for (first, last) in wanted {
            match runs.last_mut() {
                Some(run) if run.source == source && first <= run.last + 1 => {
                    run.last = run.last.max(last);
                }
                _ => runs.push(Lines { source, first, last }),
            }
        }
    }
    runs
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let block = self
            .blocks
            .iter()
            .find(|block| block.starts.first().is_some_and(|at| *at <= start) && end <= block.end)
            .ok_or(MietteError::OutOfBounds)?;
        let whole = before > 0 || after > 0;
        let (range, line, column) = if whole {
            (block.starts.first().copied().unwrap_or(0)..block.end, block.first, 0)
        } else {
            // Only the header asks for no context. The text is cut and escaped, so the place in
            // the file is not the place in the text.
            let mark = self.marks.iter().find(|mark| mark.range == (start..end));
            let (line, column) = mark.map_or((block.first, 0), |mark| {
                (mark.position.line as usize - 1, mark.position.column as usize - 1)
            });
            (start..end, line, column)
        };
        let data = self.text.as_bytes().get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        let lines = if whole { block.starts.len() } else { 1 };
        let span = (range.start, range.len()).into();
        let name = block.name.clone();
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, line, column, lines)))
    }
}
