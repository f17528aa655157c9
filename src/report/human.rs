//! The report for people: what is wrong, where, on which object, why, and how to mend it.

mod coverage;
mod excerpt;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use self::excerpt::Excerpt;
pub(super) use self::summary::last_line;
use super::redact::Secrets;
use super::{Display, Report, Style, text};
use crate::document::ObjectRef;
use crate::judge::Judged;
use crate::rule::{Enforcement, RuleId};
use crate::source::{Location, RepoPath};

/// Findings of one rule that are shown in full for each file; the others are counted.
const SHOWN: usize = 10;

/// Lines that are listed for the findings that are only counted.
const LISTED: usize = 10;

/// The narrowest terminal that is written for.
const NARROWEST: usize = 40;

/// Writes the report.
pub(super) fn write(report: &Report<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { width: style.width.max(NARROWEST), ..style };
    let secrets = Secrets::new(report.verdict, report.sources);
    let page = Page { report, secrets: &secrets, style, theme: theme(style) };
    let (notes, defects): (Vec<&Judged>, Vec<&Judged>) =
        report.verdict.findings.iter().partition(|judged| coverage::is_note(judged));
    // The findings come ordered by file.
    for file in defects.chunk_by(|a, b| source(a) == source(b)) {
        page.file(file, out)?;
    }
    coverage::write(&page, &notes, out)?;
    summary::write(&page, out)
}

fn source(judged: &Judged) -> crate::source::SourceId {
    judged.finding.primary.span.source
}

/// Returns the path of a file as it is shown: from the working directory.
fn path(report: &Report<'_>, path: &RepoPath) -> String {
    shown_path(&report.display, path)
}

/// The same, outside of a report.
pub(super) fn shown_path(display: &Display, path: &RepoPath) -> String {
    let prefix = display.prefix.trim_end_matches('/');
    if path.is_outside() || display.prefix.is_empty() {
        path.to_string()
    } else if path.is_root() {
        // `/` is a prefix too.
        if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }
    } else {
        format!("{prefix}/{path}")
    }
}

/// Returns how things are drawn.
pub(super) fn theme(style: Style) -> GraphicalTheme {
    let characters =
        if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let mut styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    if style.color {
        styles.error = styles.error.bold();
        styles.warning = styles.warning.bold();
    }
    GraphicalTheme { characters, styles }
}

// What every part of the report is written with.
struct Page<'a> {
    report: &'a Report<'a>,
    secrets: &'a Secrets,
    style: Style,
    theme: GraphicalTheme,
}

impl Page<'_> {
    // Writes the findings of one file.
    fn file(&self, findings: &[&Judged], out: &mut dyn Write) -> io::Result<()> {
        let mut seen: BTreeMap<(&RuleId, Enforcement), usize> = BTreeMap::new();
        let mut explained: BTreeSet<&RuleId> = BTreeSet::new();
        let mut folded: Vec<((&RuleId, Enforcement), Vec<u32>)> = Vec::new();
        for judged in findings {
            let key = (&judged.finding.rule, judged.enforcement);
            let n = seen.entry(key).or_insert(0);
            *n += 1;
            if *n <= SHOWN {
                self.finding(judged, explained.insert(key.0), out)?;
                continue;
            }
            let line = self.report.sources.location(judged.finding.primary.span).start.line;
            match folded.iter_mut().find(|(other, _)| *other == key) {
                Some((_, lines)) => lines.push(line),
                None => folded.push((key, vec![line])),
            }
        }
        for ((rule, enforcement), mut lines) in folded {
            let n = lines.len();
            lines.sort_unstable();
            lines.dedup();
            let ellipsis = self.ellipsis();
            let mut listed: Vec<String> =
                lines.iter().take(LISTED).map(ToString::to_string).collect();
            if lines.len() > LISTED {
                listed.push(ellipsis.to_owned());
            }
            let word = if lines.len() == 1 { "line" } else { "lines" };
            let what = text::count(n, &format!("more {}", level(enforcement)));
            let line = format!(
                "{ellipsis} and {what} of {rule} in this file ({word} {})",
                listed.join(", ")
            );
            self.entry("  ", &line, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    // Writes one finding; `why` says whether to give the reason of its rule.
    fn finding(&self, judged: &Judged, why: bool, out: &mut dyn Write) -> io::Result<()> {
        let finding = &judged.finding;
        let excerpt = Excerpt::new(finding, self.report, self.secrets, self.style);
        let aside = excerpt.aside.clone();
        let (level, miette_level) = match judged.enforcement {
            Enforcement::Deny => (level(judged.enforcement), miette::Severity::Error),
            Enforcement::Warn | Enforcement::Off => {
                (level(judged.enforcement), miette::Severity::Warning)
            }
        };
        // Miette puts a sign before the message; ours says more.
        let mut theme = self.theme.clone();
        let sign = format!("{level}[{}] ({}):", finding.rule, finding.severity);
        theme.characters.error.clone_from(&sign);
        theme.characters.warning = sign;
        let shown = Shown { message: self.text(&finding.message), level: miette_level, excerpt };
        let mut rendered = String::new();
        GraphicalReportHandler::new_themed(theme)
            .with_links(self.style.links)
            .with_width(self.style.width)
            .without_syntax_highlighting()
            .render_report(&mut rendered, &shown)
            .map_err(io::Error::other)?;
        for line in rendered.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        for note in aside {
            self.fact("note", &note, out)?;
        }
        if let Some(object) = &finding.object {
            self.fact("object", &self.text(&object_name(object)), out)?;
        }
        if !finding.path.is_empty() {
            self.fact("field", &self.text(&finding.path.to_string()), out)?;
        }
        if !finding.environments.is_empty() {
            let names: Vec<&str> = finding.environments.iter().map(AsRef::as_ref).collect();
            self.fact("in", &self.text(&names.join(", ")), out)?;
        }
        let meta = self.report.registry.get(&finding.rule);
        if let Some(meta) = meta.filter(|_| why) {
            let reason = text::first_sentence(&meta.description);
            let reason = if reason.is_empty() { meta.title.to_string() } else { reason };
            if reason != finding.message {
                self.fact("why", &self.text(&reason), out)?;
            }
        }
        let help = finding.help.as_deref().or(meta.map(|meta| &*meta.help)).unwrap_or_default();
        if !help.is_empty() {
            self.fact("help", &self.text(help), out)?;
        }
        if let Some(meta) = meta.filter(|_| self.style.links && why) {
            for reference in &meta.references {
                if let Some(link) = hyperlink(&reference.url, &reference.title) {
                    writeln!(out, "  {:7} {link}", "see:")?;
                }
            }
        }
        writeln!(out)
    }

    // Returns text of a rule or of the repository as the terminal may have it.
    fn text(&self, text: &str) -> String {
        text::escape(&self.secrets.redact(text.trim())).into_owned()
    }

    // Writes a named line, wrapped below itself. The text is escaped already.
    fn fact(&self, name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let head = format!("{:7}", format!("{name}:"));
        for (n, line) in text::wrap(text, self.style.width - 10).iter().enumerate() {
            if n == 0 {
                writeln!(out, "  {} {line}", self.theme.styles.help.style(&head))?;
            } else {
                writeln!(out, "          {line}")?;
            }
        }
        Ok(())
    }

    // Writes text behind `indent`, what does not fit in one line further in. The text is escaped.
    fn entry(&self, indent: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for (n, line) in text::wrap(text, self.style.width - indent.len() - 2).iter().enumerate() {
            writeln!(out, "{indent}{}{line}", if n == 0 { "" } else { "  " })?;
        }
        Ok(())
    }

    fn ellipsis(&self) -> &'static str {
        if self.style.unicode { "…" } else { "..." }
    }

    // Returns a place as it can be clicked, escaped.
    fn place(&self, location: &Location) -> String {
        let path = path(self.report, &location.path);
        format!("{}:{}:{}", text::escape(&path), location.start.line, location.start.column)
    }
}

/// Returns the word for what a finding does to the gate.
fn level(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Deny => "error",
        Enforcement::Warn | Enforcement::Off => "warning",
    }
}

/// Returns `Deployment shop/web (apps/v1)`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    let name = if object.name.is_empty() { "(without a name)" } else { &object.name };
    match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{name} ({})", object.kind, object.api_version),
        None => format!("{} {name} ({})", object.kind, object.api_version),
    }
}

/// Returns a title that a terminal links (OSC 8), where the address is one to be followed.
fn hyperlink(url: &str, title: &str) -> Option<String> {
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    let web = url.starts_with("https://") || url.starts_with("http://");
    let title = text::escape(title);
    (plain && web).then(|| format!("\u{1b}]8;;{url}\u{1b}\\{title}\u{1b}]8;;\u{1b}\\"))
}

// A finding as miette takes it.
#[derive(Debug)]
struct Shown {
    message: String,
    level: miette::Severity,
    excerpt: Excerpt,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.level)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.marks.is_empty()).then_some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.excerpt.marks.iter().enumerate().map(|(n, mark)| {
            let span = (mark.range.start, mark.range.len());
            if n == 0 {
                LabeledSpan::new_primary_with_span(mark.note.clone(), span)
            } else {
                LabeledSpan::new_with_span(mark.note.clone(), span)
            }
        });
        Some(Box::new(labels))
    }
}
