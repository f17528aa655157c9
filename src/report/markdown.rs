//! The report as the summary of a job: Markdown with tables in HTML.
//!
//! Text of the repository stands only inside of HTML blocks, in which Markdown is not read, and
//! only escaped. What a site makes of text on its own (links, mentions, references to issues,
//! commits, pictures of words between colons) it does not make of `<code>`, so every word that is
//! not plain stands in one.

mod prose;

use std::io::{self, Write};

use self::prose::{code, prose};
use super::annotations::unjudged;
use super::human::{last_line, object_name};
use super::redact::Secrets;
use super::{Report, address};
use crate::finding::Failure;
use crate::judge::{Exit, Judged, NotJudged};
use crate::rule::{Enforcement, Severity};
use crate::source::{Origin, RepoPath, Span};

/// Bytes at which each part is cut, the last a little below the 1 MiB that GitHub takes of a step.
const UNJUDGED_UNTIL: usize = 250_000;
const DENIED_UNTIL: usize = 700_000;
const WARNED_UNTIL: usize = 900_000;
const ALL_UNTIL: usize = 1_000_000;

/// Places that are shown for each reason why something was not judged.
const LISTED: usize = 5;

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let secrets = Secrets::new(report.verdict, report.sources);
    let mut page = Page { report, secrets, out: String::new() };
    page.head();
    page.unjudged();
    page.findings("Denied", Enforcement::Deny, DENIED_UNTIL);
    page.findings("Warnings", Enforcement::Warn, WARNED_UNTIL);
    page.not_judged();
    page.environments();
    out.write_all(page.out.as_bytes())
}

struct Page<'a> {
    report: &'a Report<'a>,
    secrets: Secrets,
    out: String,
}

impl Page<'_> {
    fn head(&mut self) {
        let verdict = self.report.verdict;
        let summary = &verdict.summary;
        let heading = match verdict.exit() {
            Exit::Denied => "something was denied",
            Exit::Incomplete => "something could not be judged",
            Exit::Passed if summary.files == 0 => "nothing was judged",
            Exit::Passed if summary.objects == 0 => "no object was judged",
            Exit::Passed => "nothing was denied",
        };
        let denied = verdict.denied();
        self.out = format!(
            "## Tidewaiter: {heading}\n\n\
             | denied | warnings | failures | not judged |\n|---:|---:|---:|---:|\n\
             | {denied} | {} | {} | {} |\n\n{}\n\n",
            verdict.findings.len() - denied,
            verdict.failures.len(),
            summary.not_judged.len(),
            last_line(verdict),
        );
    }

    // What closes the gate without being a finding.
    fn unjudged(&mut self) {
        let failures = self.report.verdict.failures.iter().map(|it| self.failure(it));
        let files = unjudged(self.report).map(|it| {
            let place = it.span.map_or_else(|| self.file(&it.path), |span| self.place(span));
            vec![place, String::new(), self.prose(&it.reason)]
        });
        let rows = failures.chain(files).collect();
        self.table("Could not be judged", &["place", "rule", "why"], rows, UNJUDGED_UNTIL);
    }

    fn failure(&self, failure: &Failure) -> Vec<String> {
        let mut why = self.prose(&failure.reason);
        if let Some(help) = &failure.help {
            why = format!("{why}<br>help: {}", self.prose(help));
        }
        vec![
            failure.span.map(|span| self.place(span)).unwrap_or_default(),
            failure.rule.as_ref().map(|rule| code(rule.as_str())).unwrap_or_default(),
            why,
        ]
    }

    // The findings that do this to the gate, worst first.
    fn findings(&mut self, heading: &str, enforcement: Enforcement, until: usize) {
        let all = self.report.verdict.findings.iter();
        let mut findings: Vec<&Judged> = all.filter(|it| it.enforcement == enforcement).collect();
        findings.sort_by_key(|it| std::cmp::Reverse(it.finding.severity));
        let rows = findings.into_iter().map(|judged| self.finding(judged)).collect();
        self.table(heading, &["severity", "rule", "place", "what"], rows, until);
    }

    fn finding(&self, judged: &Judged) -> Vec<String> {
        let finding = &judged.finding;
        let mut what = self.prose(&finding.message);
        let mut fact = |name: &str, value: &str| {
            what.extend(["<br>", name, ": ", value]);
        };
        if let Some(object) = &finding.object {
            fact("object", &self.code(&object_name(object)));
        }
        if !finding.environments.is_empty() {
            let names: Vec<String> = finding.environments.iter().map(|it| self.code(it)).collect();
            fact("in", &names.join(", "));
        }
        if let Some(help) = self.report.help(finding) {
            fact("help", &self.prose(help));
        }
        let severity = match finding.severity {
            Severity::Critical => "<b>critical</b>".to_owned(),
            severity => severity.to_string(),
        };
        let rule = code(finding.rule.as_str());
        vec![severity, rule, self.place(finding.primary.span), what]
    }

    // What lies outside of the gate's reach, by reason.
    fn not_judged(&mut self) {
        let counts = self.report.verdict.not_judged_by_reason();
        let rows = counts.into_iter().map(|(reason, count)| {
            let all = self.report.verdict.summary.not_judged.iter();
            let places: Vec<String> = all
                .filter(|it| it.reason == reason)
                .take(LISTED)
                .map(|it: &NotJudged| {
                    it.span.map_or_else(|| self.file(&it.path), |span| self.place(span))
                })
                .collect();
            let mut places = places.join("<br>");
            if count > LISTED {
                places = format!("{places}<br>and {} more", count - LISTED);
            }
            vec![count.to_string(), self.prose(reason), places]
        });
        let rows = rows.collect();
        self.table("Not judged", &["number", "why", "places"], rows, ALL_UNTIL);
    }

    fn environments(&mut self) {
        let all = self.report.verdict.summary.environments.iter();
        let rows = all.map(|it| {
            let assumed = if it.version_given { "" } else { " (assumed: the newest known)" };
            vec![
                self.code(&it.name),
                it.tier.to_owned(),
                match it.upgraded_from {
                    Some(from) => format!("{}, only what is new after {from}", it.kubernetes),
                    None => format!("{}{assumed}", it.kubernetes),
                },
                it.objects.to_string(),
            ]
        });
        let rows = rows.collect();
        let head = ["name", "tier", "Kubernetes", "objects"];
        self.table("Environments", &head, rows, ALL_UNTIL + 10_000);
    }

    // Writes a table, or as much of it as there is room for. The cells are HTML.
    fn table(&mut self, heading: &str, head: &[&str], rows: Vec<Vec<String>>, until: usize) {
        if rows.is_empty() {
            return;
        }
        let all = rows.len();
        let mut shown = 0;
        let cells: Vec<String> = head.iter().map(|it| format!("<th>{it}</th>")).collect();
        self.out.extend(["### ", heading, "\n\n<table>\n<tr>", &cells.concat(), "</tr>\n"]);
        for row in rows {
            let cells: Vec<String> = row.iter().map(|it| format!("<td>{it}</td>")).collect();
            let line = format!("<tr>{}</tr>\n", cells.concat());
            if self.out.len() + line.len() > until {
                break;
            }
            self.out.push_str(&line);
            shown += 1;
        }
        self.out.push_str("</table>\n\n");
        if shown < all {
            let cut = format!(
                "{shown} of {all} are shown, because the summary of a job has little room; the \
                 other reports hold all of them.\n\n"
            );
            self.out.push_str(&cut);
        }
    }

    // Returns a place, linked where it is known where the file can be read.
    fn place(&self, span: Span) -> String {
        let location = self.report.sources.location(span);
        let (start, end) = (location.start.line, location.end.line);
        let shown = self.code(&format!("{}:{start}", location.path));
        let source = self.report.sources.get(span.source);
        let is_file = source.is_some_and(|it| it.origin() == Origin::File);
        match &self.report.display.source_url {
            Some(url) if is_file && !location.path.is_outside() => {
                let (url, path) = (url.as_str(), address::reference(&location.path));
                let lines =
                    if end > start { format!("L{start}-L{end}") } else { format!("L{start}") };
                format!("<a href=\"{url}/{path}#{lines}\">{shown}</a>")
            }
            _ => shown,
        }
    }

    fn file(&self, path: &RepoPath) -> String {
        let shown = self.code(&path.to_string());
        match &self.report.display.source_url {
            Some(url) if !path.is_outside() => {
                format!("<a href=\"{}/{}\">{shown}</a>", url.as_str(), address::reference(path))
            }
            _ => shown,
        }
    }

    fn prose(&self, text: &str) -> String {
        prose(&self.secrets.redact(text.trim()))
    }

    fn code(&self, text: &str) -> String {
        code(&self.secrets.redact(text.trim()))
    }
}

#[cfg(test)]
mod tests;
