//! Where the lines of a text stand in the file that holds it.

use crate::source::{Location, SourceId, SourceMap, Span};

/// Finds the places of lines, in the order in which they are written.
#[derive(Debug)]
pub(super) struct Places<'a> {
    sources: &'a SourceMap,
    /// The text of several lines that is being written, and how far it was followed.
    following: Option<(Span, Follow)>,
}

/// How far the lines of a text were found again.
#[derive(Debug, Clone, Copy)]
enum Follow {
    /// The next line is looked for from this byte of the source on.
    At(u32),
    /// The source writes the text in another way.
    Lost,
}

impl<'a> Places<'a> {
    pub(super) fn new(sources: &'a SourceMap) -> Self {
        Self { sources, following: None }
    }

    /// Returns the place of a line; none where it stands in no file.
    ///
    /// A line of a text is at its own line, where file and text go side by side: in a block scalar
    /// and in a file that a generator takes.
    pub(super) fn of(&mut self, span: Span, number: Option<usize>, text: &str) -> Option<Location> {
        if span.source == SourceId::NOWHERE {
            return None;
        }
        let of_line = number.and_then(|number| self.line(span, number, text));
        Some(self.sources.location(of_line.unwrap_or(span)))
    }

    fn line(&mut self, span: Span, number: usize, text: &str) -> Option<Span> {
        let start = match self.following {
            _ if number == 0 => span.start,
            Some((of, Follow::At(at))) if of == span => at,
            _ => return None,
        };
        let source = self.sources.get(span.source)?.text();
        let rest = source.get(start as usize..span.end as usize).unwrap_or_default();
        let wanted = text.trim();
        let mut at = start;
        // Only the first line may have something before it: the `|` and its comment.
        for line in rest.split_inclusive('\n').take(if number == 0 { 2 } else { 1 }) {
            let end = at + u32::try_from(line.len()).unwrap_or(u32::MAX);
            if line.trim() == wanted {
                self.following = Some((span, Follow::At(end)));
                let indent = line.len() - line.trim_start_matches(' ').len();
                let from = at + u32::try_from(indent).unwrap_or(0);
                return Some(Span::new(span.source, from.min(end), end));
            }
            at = end;
        }
        self.following = Some((span, Follow::Lost));
        None
    }
}
