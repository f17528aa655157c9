//! One line of a source as it is shown.

use super::super::super::Style;
use super::super::super::redact::Secrets;
use super::super::super::text;
use crate::source::{Source, SourceId};

/// How much of a line can be shown, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// The columns for the text.
    pub(super) columns: usize,
    /// What the terminal can show.
    pub(super) style: Style,
}

/// One line as it is shown, and where its characters went.
#[derive(Debug)]
pub(super) struct Line {
    /// The text that is shown, without a line break.
    pub(super) text: String,
    // What each part of the source became, in order.
    pieces: Vec<Piece>,
}

// A character of the source, or a secret, and its place in the shown text.
#[derive(Debug, Clone)]
struct Piece {
    source: (u32, u32),
    shown: (usize, usize),
    width: usize,
}

impl Line {
    /// Shows the line `from..to` of a source so that `anchor`, a part of it, can be seen.
    pub(super) fn new(
        source: &Source,
        id: SourceId,
        (from, to): (u32, u32),
        anchor: Option<(u32, u32)>,
        secrets: &Secrets,
        room: Room,
    ) -> Self {
        let anchor = anchor.unwrap_or((from, from));
        // Of a line of a megabyte only what can be seen is looked at.
        let reach = u32::try_from(room.columns * 4).unwrap_or(u32::MAX);
        let text = source.text();
        let first = boundary(text, anchor.0.saturating_sub(reach).max(from));
        let last = boundary(text, anchor.0.saturating_add(reach).min(to));
        let mut hidden = secrets.within(id, first, last);
        hidden.extend(repeated(text, (from, to), (first, last), secrets));
        hidden.sort_unstable();
        let (all, pieces) = pieces(text, (first, last), &hidden, room.style);
        let width: usize = pieces.iter().map(|piece| piece.width).sum();
        if first == from && last == to && width <= room.columns {
            return Self { text: all, pieces };
        }
        let kept = window(&pieces, anchor, room.columns);
        let left = first > from || kept.start > 0;
        let right = last < to || kept.end < pieces.len();
        let ellipsis = if room.style.unicode { "…" } else { "..." };
        let mut shown = String::new();
        if left {
            shown.push_str(ellipsis);
        }
        let mut out = Vec::with_capacity(kept.len());
        for piece in pieces.get(kept).unwrap_or_default() {
            let start = shown.len();
            shown.push_str(all.get(piece.shown.0..piece.shown.1).unwrap_or_default());
            out.push(Piece { shown: (start, shown.len()), ..piece.clone() });
        }
        if right {
            shown.push_str(ellipsis);
        }
        Self { text: shown, pieces: out }
    }

    /// Returns where the character at a source offset is shown.
    pub(super) fn start(&self, offset: u32) -> usize {
        match self.pieces.iter().find(|piece| piece.source.1 > offset) {
            Some(piece) => piece.shown.0,
            None => self.pieces.last().map_or(0, |piece| piece.shown.1),
        }
    }

    /// Returns where the text before a source offset ends.
    pub(super) fn end(&self, offset: u32) -> usize {
        match self.pieces.iter().rev().find(|piece| piece.source.0 < offset) {
            Some(piece) => piece.shown.1,
            None => self.pieces.first().map_or(0, |piece| piece.shown.0),
        }
    }
}

/// Returns the nearest offset at or before `offset` that starts a character.
fn boundary(text: &str, offset: u32) -> u32 {
    let offset = text.floor_char_boundary(offset as usize);
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Returns the places within `window` that repeat a secret, and those that begin near it.
fn repeated(
    text: &str,
    line: (u32, u32),
    window: (u32, u32),
    secrets: &Secrets,
) -> Vec<(u32, u32)> {
    const REACH: u32 = 4096;
    let first = boundary(text, window.0.saturating_sub(REACH).max(line.0));
    let last = boundary(text, window.1.saturating_add(REACH).min(line.1));
    let near = text.get(first as usize..last as usize).unwrap_or_default();
    let offset = |at: usize| first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    secrets
        .repeated(near)
        .into_iter()
        .map(|(start, end)| (offset(start).max(window.0), offset(end).min(window.1)))
        .filter(|(start, end)| start < end)
        .collect()
}

/// Escapes the characters of a part of a line and puts a mark for each secret.
fn pieces(
    text: &str,
    (first, last): (u32, u32),
    hidden: &[(u32, u32)],
    style: Style,
) -> (String, Vec<Piece>) {
    let mask = if style.unicode { "••••••••" } else { "********" };
    let mut out = String::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut add = |out: &String, start: usize, source| {
        let shown = out.get(start..).unwrap_or_default();
        pieces.push(Piece { source, shown: (start, out.len()), width: text::width(shown) });
    };
    let mut hidden = hidden.iter().copied().peekable();
    let line = text.get(first as usize..last as usize).unwrap_or_default();
    let mut last_char = ' ';
    let mut skip_to = first;
    for (index, c) in line.char_indices() {
        let at = first + u32::try_from(index).unwrap_or(u32::MAX);
        if at < skip_to {
            continue;
        }
        let start = out.len();
        // What overlaps the part that was hidden last is hidden from there on.
        while hidden.next_if(|(_, stop)| *stop <= at).is_some() {}
        if let Some((_, stop)) = hidden.next_if(|(from, _)| *from <= at) {
            out.push_str(mask);
            add(&out, start, (at, stop));
            skip_to = stop;
            last_char = ' ';
            continue;
        }
        let rest = line.get(index + c.len_utf8()..).unwrap_or_default();
        if c == '\t' {
            out.push_str("    ");
        } else if at == 0 && c == '\u{feff}' {
            // The mark at the start of a text is no part of it.
        } else if c == '#' && last_char == '#' && text::starts_command(rest) {
            out.push_str("\\u{23}");
        } else {
            text::push_escaped(c, &mut out);
        }
        let next = at + u32::try_from(c.len_utf8()).unwrap_or(1);
        add(&out, start, (at, next));
        last_char = c;
    }
    (out, pieces)
}

/// Returns the pieces to be shown of a line that is too long: `anchor` and what fits around it.
fn window(pieces: &[Piece], anchor: (u32, u32), columns: usize) -> std::ops::Range<usize> {
    // An ellipsis on each side.
    let columns = columns.saturating_sub(6).max(6);
    let width = |range: std::ops::Range<usize>| -> usize {
        pieces.get(range).unwrap_or_default().iter().map(|piece| piece.width).sum()
    };
    let anchor_start = pieces.partition_point(|piece| piece.source.1 <= anchor.0);
    let anchor_end = pieces.partition_point(|piece| piece.source.0 < anchor.1).max(anchor_start);
    let mut start = 0;
    if width(0..anchor_end) > columns {
        // As much of what stands before as fits, but never more than a third.
        let wanted = width(anchor_start..anchor_end).min(columns);
        let before = (columns - wanted).clamp(columns / 6, columns / 3);
        start = anchor_start;
        let mut used = 0;
        for (index, piece) in pieces.iter().enumerate().take(anchor_start).rev() {
            used += piece.width;
            if used > before {
                break;
            }
            start = index;
        }
    }
    let mut end = start;
    let mut used = 0;
    for piece in pieces.iter().skip(start) {
        used += piece.width;
        if used > columns {
            break;
        }
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Verdict;
    use crate::report::fixture::{PLAIN, Repo};

    fn shown(line: &str, marked: &str, columns: usize) -> (String, String) {
        let mut repo = Repo::default();
        repo.file("a.yaml", line);
        let span = repo.span("a.yaml", marked);
        let source = repo.sources.get(span.source).unwrap();
        let secrets = Secrets::new(&Verdict::default(), &repo.sources);
        let room = Room { columns, style: PLAIN };
        let whole = (0, u32::try_from(line.len()).unwrap());
        let anchor = Some((span.start, span.end));
        let shown = Line::new(source, span.source, whole, anchor, &secrets, room);
        let marked = shown.text.get(shown.start(span.start)..shown.end(span.end)).unwrap();
        (shown.text.clone(), marked.to_owned())
    }

    #[test]
    fn a_line_that_fits_is_shown_whole() {
        assert_eq!(shown("a: bc", "bc", 12), ("a: bc".into(), "bc".into()));
    }

    #[test]
    fn a_long_line_is_cut_behind_the_mark() {
        let line = format!("key: value {}", "x".repeat(1000));
        let (text, marked) = shown(&line, "value", 30);
        assert_eq!((text.as_str(), marked.as_str()), ("key: value xxxxxxxxxxxxx…", "value"));
    }

    #[test]
    fn a_long_line_is_cut_before_the_mark() {
        let line = format!("{} wrong {}", "x".repeat(100_000), "y".repeat(100_000));
        let (text, marked) = shown(&line, "wrong", 30);
        assert_eq!((text.as_str(), marked.as_str()), ("…xxxxxxx wrong yyyyyyyyyy…", "wrong"));
    }

    #[test]
    fn a_mark_wider_than_the_room_is_cut() {
        let line = format!("k: {}", "z".repeat(500));
        let (text, marked) = shown(&line, &"z".repeat(500), 30);
        assert_eq!(text, "k: zzzzzzzzzzzzzzzzzzzzz…");
        assert_eq!(marked, "z".repeat(21));
    }

    #[test]
    fn wide_and_unsafe_characters_keep_the_mark_in_place() {
        let (text, marked) = shown("漢\u{202e}\t: ä\u{1b}", "ä\u{1b}", 40);
        assert_eq!(text, "漢\\u{202e}    : ä\\u{1b}");
        assert_eq!(marked, "ä\\u{1b}");
    }
}
