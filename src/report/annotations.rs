//! Annotations of a change on GitHub: workflow commands, one a line, which the runner obeys.
//!
//! Whatever comes from the repository is escaped as the runner decodes it, so that it is text of an
//! annotation and never a command of its own.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::human::object_name;
use super::redact::Secrets;
use super::{Report, text};
use crate::finding::Failure;
use crate::judge::{Judged, NotJudged};
use crate::rule::{Enforcement, Severity};
use crate::source::{Origin, RepoPath, Span};

/// Annotations of each level that GitHub keeps of a step; it drops the others without a word.
const SHOWN: usize = 10;

/// Files that are named for what is not shown.
const LISTED: usize = 5;

/// Characters of a line of a message, before it is escaped. GitHub refuses more than 64 KiB.
const LONGEST: usize = 1000;

/// Characters of a title, which GitHub refuses if they are more than 255.
const LONGEST_TITLE: usize = 200;

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let secrets = Secrets::new(report.verdict, report.sources);
    let page = Page { report, secrets };
    let (errors, warnings) = page.items();
    for (level, items) in [("error", &errors), ("warning", &warnings)] {
        for item in items.iter().take(SHOWN) {
            page.item(level, item, out)?;
        }
    }
    page.nothing(out)?;
    page.rest(&errors, &warnings, out)
}

/// What is annotated.
#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Finding(&'a Judged),
    Failure(&'a Failure),
    NotJudged(&'a NotJudged),
}

impl Item<'_> {
    /// Returns what comes first where not all can be shown: the critical, then what the verdict
    /// lacks, then the others.
    fn rank(self) -> u8 {
        match self {
            Self::Finding(judged) => match judged.finding.severity {
                Severity::Critical => 0,
                Severity::High => 2,
                Severity::Medium => 3,
                Severity::Low => 4,
            },
            Self::Failure(_) | Self::NotJudged(_) => 1,
        }
    }
}

struct Page<'a> {
    report: &'a Report<'a>,
    secrets: Secrets,
}

impl<'a> Page<'a> {
    /// Returns the errors and the warnings, worst first.
    fn items(&self) -> (Vec<Item<'a>>, Vec<Item<'a>>) {
        let verdict = self.report.verdict;
        let (errors, warnings): (Vec<&Judged>, Vec<&Judged>) =
            verdict.findings.iter().partition(|it| it.enforcement == Enforcement::Deny);
        let mut errors: Vec<Item<'_>> = errors.into_iter().map(Item::Finding).collect();
        let mut warnings: Vec<Item<'_>> = warnings.into_iter().map(Item::Finding).collect();
        errors.extend(verdict.failures.iter().map(Item::Failure));
        errors.extend(unjudged(self.report).map(Item::NotJudged));
        errors.sort_by_key(|it| it.rank());
        warnings.sort_by_key(|it| it.rank());
        (errors, warnings)
    }

    fn item(&self, level: &str, item: &Item<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut properties = Vec::new();
        let mut lines = Vec::new();
        let title = match item {
            Item::Finding(judged) => {
                let finding = &judged.finding;
                lines.push(self.text(&finding.message));
                self.place(finding.primary.span, &mut properties, &mut lines);
                if let Some(object) = &finding.object {
                    lines.push(format!("object: {}", self.text(&object_name(object))));
                }
                if !finding.environments.is_empty() {
                    let names: Vec<&str> = finding.environments.iter().map(AsRef::as_ref).collect();
                    lines.push(format!("in: {}", self.text(&names.join(", "))));
                }
                if let Some(help) = self.report.help(finding) {
                    lines.push(format!("help: {}", self.text(help)));
                }
                format!("{} ({})", finding.rule, finding.severity)
            }
            Item::Failure(failure) => {
                lines.push(self.text(&failure.reason));
                if let Some(span) = failure.span {
                    self.place(span, &mut properties, &mut lines);
                }
                if let Some(help) = &failure.help {
                    lines.push(format!("help: {}", self.text(help)));
                }
                match &failure.rule {
                    Some(rule) => format!("{rule} could not be evaluated"),
                    None => "could not be judged".to_owned(),
                }
            }
            Item::NotJudged(it) => {
                lines.push(self.text(&it.reason));
                match it.span {
                    Some(span) => self.place(span, &mut properties, &mut lines),
                    None => properties.push(("file", it.path.to_string())),
                }
                "could not be judged".to_owned()
            }
        };
        properties.push(("title", title.chars().take(LONGEST_TITLE).collect()));
        command(level, &properties, &lines, out)
    }

    // Adds where something stands: as properties, or, where it is no file, in words.
    fn place(
        &self,
        span: Span,
        properties: &mut Vec<(&'static str, String)>,
        lines: &mut Vec<String>,
    ) {
        let location = self.report.sources.location(span);
        let (start, end) = (location.start, location.end);
        let source = self.report.sources.get(span.source);
        let is_file = source.is_some_and(|it| it.origin() == Origin::File);
        if !is_file || location.path.is_outside() {
            lines.push(format!("at: {}:{}:{}", location.path, start.line, start.column));
            return;
        }
        properties.push(("file", location.path.to_string()));
        properties.push(("line", start.line.to_string()));
        properties.push(("endLine", end.line.to_string()));
        // GitHub refuses columns of an annotation that spans lines.
        if start.line == end.line {
            properties.push(("col", start.column.to_string()));
            properties.push(("endColumn", end.column.to_string()));
        }
    }

    // Says so where a pass means nothing.
    fn nothing(&self, out: &mut dyn Write) -> io::Result<()> {
        let verdict = self.report.verdict;
        if !verdict.failures.is_empty() || verdict.summary.objects > 0 {
            return Ok(());
        }
        let what = match verdict.summary.files {
            0 => "nothing was judged: no file was read".to_owned(),
            n => format!(
                "no object was judged: nothing in {} is an object that would be applied",
                text::count(n, "file")
            ),
        };
        command("notice", &[("title", "Tidewaiter".to_owned())], &[what], out)
    }

    // Counts what is not shown, and says where it stands.
    fn rest(
        &self,
        errors: &[Item<'_>],
        warnings: &[Item<'_>],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let counts: Vec<String> = [(errors, "more error"), (warnings, "more warning")]
            .into_iter()
            .filter(|(items, _)| items.len() > SHOWN)
            .map(|(items, what)| text::count(items.len() - SHOWN, what))
            .collect();
        if counts.is_empty() {
            return Ok(());
        }
        let mut files: BTreeMap<RepoPath, usize> = BTreeMap::new();
        let hidden = errors.iter().skip(SHOWN).chain(warnings.iter().skip(SHOWN));
        for path in hidden.filter_map(|item| self.path(item)) {
            *files.entry(path).or_insert(0) += 1;
        }
        let mut files: Vec<(RepoPath, usize)> = files.into_iter().collect();
        files.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut places: Vec<String> =
            files.iter().take(LISTED).map(|(path, n)| format!("{path} ({n})")).collect();
        if files.len() > LISTED {
            places.push(text::count(files.len() - LISTED, "more file"));
        }
        let places =
            if places.is_empty() { String::new() } else { format!(" in {}", places.join(", ")) };
        let what = format!(
            "{}{places}: a step shows {SHOWN} annotations of each level; the summary of the job and \
             the other reports hold all",
            counts.join(" and "),
        );
        command("notice", &[("title", "Tidewaiter".to_owned())], &[what], out)
    }

    fn path(&self, item: &Item<'_>) -> Option<RepoPath> {
        let of = |span| self.report.sources.path(span);
        match item {
            Item::Finding(judged) => Some(of(judged.finding.primary.span)),
            Item::Failure(failure) => failure.span.map(of),
            Item::NotJudged(it) => Some(it.path.clone()),
        }
    }

    fn text(&self, text: &str) -> String {
        self.secrets.redact(text.trim()).into_owned()
    }
}

/// Returns what should have been judged and was not, where no failure says so of the same place.
pub(super) fn unjudged<'a>(report: &Report<'a>) -> impl Iterator<Item = &'a NotJudged> {
    let verdict = report.verdict;
    let told = move |span: Option<Span>| {
        span.is_some() && verdict.failures.iter().any(|failure| failure.span == span)
    };
    verdict.summary.not_judged.iter().filter(move |it| it.failure && !told(it.span))
}

/// Writes a workflow command. Lines of the message stay lines of one annotation.
fn command(
    level: &str,
    properties: &[(&str, String)],
    lines: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let lines: Vec<String> = lines.iter().map(|line| data(line)).collect();
    writeln!(out, "::{level} {}::{}", properties.join(","), lines.join("%0A"))
}

/// Escapes a line of a message: controls become visible, `%` starts no code of the runner.
fn data(line: &str) -> String {
    let short: String = line.chars().take(LONGEST).collect();
    let cut = if short.len() < line.len() { "…" } else { "" };
    format!("{}{cut}", text::escape(&short)).replace('%', "%25")
}

/// Escapes a value: line breaks are kept, so that a path is the name of the file that it is.
fn property(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    for part in value.split_inclusive(['\n', '\r']) {
        let line = part.trim_end_matches(['\n', '\r']);
        let line = text::escape(line).replace('%', "%25");
        out.push_str(&line.replace(':', "%3A").replace(',', "%2C"));
        match part.chars().next_back() {
            Some('\n') => out.push_str("%0A"),
            Some('\r') => out.push_str("%0D"),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests;
