//! What the gate could not see: many small notes, which must not bury the defects.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::text;
use super::Page;
use crate::judge::Judged;
use crate::rule::{Enforcement, RuleId};

/// Places that are shown for each rule; the others are counted.
const SHOWN: usize = 10;

/// Says whether a finding is such a note: one of the category `coverage` that closes nothing.
pub(super) fn is_note(judged: &Judged) -> bool {
    judged.finding.rule.category() == "coverage" && judged.enforcement == Enforcement::Warn
}

/// Writes the notes, a line or two each, grouped by rule.
pub(super) fn write(page: &Page<'_>, notes: &[&Judged], out: &mut dyn Write) -> io::Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let mut groups: BTreeMap<&RuleId, Vec<&Judged>> = BTreeMap::new();
    for note in notes {
        groups.entry(&note.finding.rule).or_default().push(note);
    }
    let heading = "not seen by the gate (warnings)";
    writeln!(out, "{}", page.theme.styles.warning.style(heading))?;
    for (rule, group) in groups {
        let title = page.report.registry.get(rule).map(|meta| &*meta.title).unwrap_or_default();
        page.entry("  ", &format!("{rule}: {}", page.text(title)), out)?;
        for note in group.iter().take(SHOWN) {
            let finding = &note.finding;
            let place = page.place(&page.report.sources.location(finding.primary.span));
            // A path is never wrapped, so that it can be opened.
            writeln!(out, "    {place}")?;
            let mut line = page.text(&finding.message);
            if !finding.primary.note.is_empty() {
                line = format!("{line} ({})", page.text(&finding.primary.note));
            }
            page.entry("      ", &line, out)?;
        }
        if group.len() > SHOWN {
            let more = text::count(group.len() - SHOWN, "more place");
            writeln!(out, "    {} and {more}", page.ellipsis())?;
        }
        let helps: Vec<&str> = group
            .iter()
            .filter_map(|note| note.finding.help.as_deref())
            .chain(page.report.registry.get(rule).map(|meta| &*meta.help))
            .collect();
        if let Some(help) = helps.first().filter(|help| !help.is_empty()) {
            page.entry("    ", &format!("help: {}", page.text(help)), out)?;
        }
    }
    writeln!(out)
}
