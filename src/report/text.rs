//! Text on its way to a terminal: escaped, measured, wrapped.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Says whether a character must not reach a terminal as it is.
///
/// Control characters move the cursor or start sequences that change the terminal. Characters
/// that turn the direction of text, that join, or that have no width let a line read as another
/// one than it is.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Writes a character as a terminal may have it.
pub(super) fn push_escaped(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_unsafe(c) => {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Returns the text as one line that a terminal shows and does not obey.
///
/// Logs of CI systems count: a `##name[` anywhere in a line is a command to some of them, so the
/// second `#` is escaped. Their other form, `::name::`, works at the start of a line only; see
/// [`wrap`].
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        if c == '#' && last == '#' && starts_command(rest.as_str()) {
            out.push_str("\\u{23}");
        } else {
            push_escaped(c, &mut out);
        }
        last = c;
    }
    Cow::Owned(out)
}

/// Says whether `name[` or `[` follows, as it does after the `##` of a command to a CI system.
pub(super) fn starts_command(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
    rest.starts_with('[')
}

/// Returns the columns that escaped text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns the columns that an escaped character takes.
pub(super) fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Breaks escaped text into lines of at most `columns`; a word that is longer is broken.
///
/// There is always a line. No line starts with `::`, which is a command to GitHub Actions even
/// behind spaces.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let needed = width(word);
        if used > 0 && used + 1 + needed > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let wide = char_width(c);
            if used > 0 && used + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines.iter_mut().for_each(break_command);
    lines
}

/// Returns text as one line, however long, that starts with no command to a CI system.
pub(super) fn unwrapped(text: &str) -> String {
    let mut line = escape(text).into_owned();
    break_command(&mut line);
    line
}

fn break_command(line: &mut String) {
    let start = line.len() - line.trim_start().len();
    if line.get(start..).is_some_and(|rest| rest.starts_with("::")) {
        line.replace_range(start..=start, "\\u{3a}");
    }
}

/// Returns `1 object`, `2 objects`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Returns the first sentence of the first paragraph, its line breaks turned into spaces.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let line = words.join(" ");
    let end = line.match_indices(". ").map(|(at, _)| at).find(|at| {
        // `e.g. ` and `i.e. ` end no sentence.
        let before = line.get(..*at).unwrap_or_default();
        !before.ends_with("e.g") && !before.ends_with("i.e")
    });
    match end.and_then(|at| line.get(..at)) {
        Some(sentence) => sentence.to_owned(),
        None => line.strip_suffix('.').unwrap_or(&line).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_direction_marks_are_shown_as_escapes() {
        assert_eq!(escape("a\u{1b}[31mb\nc\td"), "a\\u{1b}[31mb\\nc\\td");
        assert_eq!(escape("x\u{202e}y\u{200b}z\u{9b}"), "x\\u{202e}y\\u{200b}z\\u{9b}");
        assert_eq!(escape("plain ä 漢"), "plain ä 漢");
    }

    #[test]
    fn commands_to_ci_systems_are_broken() {
        assert_eq!(escape("x ##[error]y"), "x #\\u{23}[error]y");
        assert_eq!(escape("##vso[task.setvariable]"), "#\\u{23}vso[task.setvariable]");
        assert_eq!(escape("## heading [x]"), "## heading [x]");
        assert_eq!(wrap("::error::x", 80), ["\\u{3a}:error::x"]);
        assert_eq!(wrap("aaaa ::set-output", 5)[1], "\\u{3a}:set");
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("漢漢漢", 4), ["漢漢", "漢"]);
    }

    #[test]
    fn the_first_sentence_stands_alone() {
        assert_eq!(first_sentence("One, e.g. this.\nTwo."), "One, e.g. this");
        assert_eq!(first_sentence("Only\none.\n\nSecond paragraph."), "Only one");
    }
}
