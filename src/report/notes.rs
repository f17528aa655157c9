//! Failures and warnings on their own, for commands that judge nothing.

use std::io::{self, Write};

use super::human::{shown_path, theme};
use super::{Display, Style, text};
use crate::finding::Failure;
use crate::source::SourceMap;

/// What is to be said of what was done.
#[derive(Debug)]
pub struct Notes<'a> {
    /// What could not be done.
    pub errors: &'a [Failure],
    /// What was done in part.
    pub warnings: &'a [Failure],
    /// The texts that their places point into.
    pub sources: &'a SourceMap,
    /// How places are named.
    pub display: &'a Display,
}

/// Writes what could not be done, each with its place and how to mend it.
pub fn write_notes(notes: &Notes<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let styles = theme(style).styles;
    let words =
        [("error:", notes.errors, styles.error), ("warning:", notes.warnings, styles.warning)];
    for (word, failures, color) in words {
        for failure in failures {
            // Never wrapped, so that a script finds it in one line.
            writeln!(out, "{} {}", color.style(word), text::unwrapped(failure.reason.trim()))?;
            if let Some(span) = failure.span {
                let location = notes.sources.location(span);
                let path = shown_path(notes.display, &location.path);
                let place = format!("{path}:{}:{}", location.start.line, location.start.column);
                writeln!(out, "  at {}", styles.link.style(text::escape(&place)))?;
            }
            if let Some(help) = &failure.help {
                writeln!(out, "  {} {}", styles.help.style("help:"), text::unwrapped(help.trim()))?;
            }
        }
    }
    Ok(())
}
