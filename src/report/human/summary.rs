//! The end of the report for people: what was judged, what was not, and the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::super::text;
use super::{Page, path};
use crate::environment::KubernetesVersion;
use crate::judge::{Exit, NotJudged, Verdict};
use crate::rule::{Enforcement, RuleId};
use crate::source::Span;

/// Paths that are listed for each reason why something was not judged.
const LISTED: usize = 5;

/// Writes the summary; its last line is the verdict.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    failures(page, out)?;
    if page.report.verdict.summary.refused {
        return last(page, out);
    }
    rules(page, out)?;
    waived(page, out)?;
    not_judged(page, out)?;
    other_documents(page, out)?;
    environments(page, out)?;
    schemas(page, out)?;
    let verdict = page.report.verdict;
    let summary = &verdict.summary;
    if summary.files == 0 {
        loud(page, "NOTHING WAS JUDGED: no file was read", out)?;
    } else if summary.objects == 0 {
        let what = format!(
            "NO OBJECT WAS JUDGED: nothing in {} is an object that would be applied",
            text::count(summary.files, "file")
        );
        loud(page, &what, out)?;
    }
    last(page, out)
}

fn last(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let verdict = page.report.verdict;
    let exit = verdict.exit();
    let styles = &page.theme.styles;
    let style = match exit {
        Exit::Passed => styles.help,
        Exit::Denied => styles.error,
        Exit::Incomplete => styles.warning,
    };
    writeln!(out, "{}", style.style(last_line(verdict)))
}

/// Returns the verdict in one line, never wrapped, so that a script finds it.
pub(in crate::report) fn last_line(verdict: &Verdict) -> String {
    let summary = &verdict.summary;
    let denied = verdict.denied();
    let warnings = verdict.findings.len() - denied;
    let environments = match summary.environments.len() {
        0 => "no known environment".to_owned(),
        n => text::count(n, "environment"),
    };
    let waived = match verdict.waived.len() {
        0 => String::new(),
        n => format!(", {n} waived"),
    };
    let failures = match verdict.failures.len() {
        0 => String::new(),
        n => format!(", {}", text::count(n, "failure")),
    };
    let has_gaps = verdict.findings.iter().any(|it| it.finding.rule.category() == "coverage");
    let meaning = match verdict.exit() {
        Exit::Passed if summary.files == 0 => "nothing was judged",
        Exit::Passed if summary.objects == 0 => "no object was judged",
        Exit::Passed if !summary.not_judged.is_empty() || has_gaps => "nothing denied",
        Exit::Passed => "everything was judged, nothing denied",
        Exit::Denied => "something was denied",
        Exit::Incomplete if summary.refused => {
            "the configuration is refused, so nothing was judged"
        }
        Exit::Incomplete => "something could not be judged",
    };
    format!(
        "judged {} of {} in {} for {environments} by {}: {denied} denied, {}, \
         {} not judged{waived}{failures} (exit {}: {meaning})",
        text::count(summary.objects, "object"),
        text::count(summary.files, "file"),
        text::count(summary.roots, "root"),
        text::count(summary.rules, "rule"),
        text::count(warnings, "warning"),
        summary.not_judged.len(),
        verdict.exit().code(),
    )
}

fn loud(page: &Page<'_>, text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in text::wrap(text, page.style.width) {
        writeln!(out, "{}", page.theme.styles.warning.style(line))?;
    }
    writeln!(out)
}

fn failures(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    for failure in &page.report.verdict.failures {
        let head = match &failure.rule {
            Some(rule) => format!("failure[{rule}]:"),
            None => "failure:".to_owned(),
        };
        let lines =
            text::wrap(&format!("{head} {}", page.text(&failure.reason)), page.style.width - 4);
        for (n, line) in lines.iter().enumerate() {
            let indent = if n == 0 { "  " } else { "    " };
            match line.strip_prefix(&head).filter(|_| n == 0) {
                Some(rest) => {
                    writeln!(out, "{indent}{}{rest}", page.theme.styles.error.style(&head))?;
                }
                None => writeln!(out, "{indent}{line}")?,
            }
        }
        if let Some(span) = failure.span {
            let location = page.report.sources.location(span);
            writeln!(out, "    at {}", page.theme.styles.link.style(page.place(&location)))?;
        }
        if let Some(help) = &failure.help {
            let lines = text::wrap(&page.text(help), page.style.width - 10);
            for (n, line) in lines.iter().enumerate() {
                let label = if n == 0 { "help:" } else { "" };
                writeln!(out, "    {} {line}", page.theme.styles.help.style(format!("{label:5}")))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

// A table of the rules that found something.
fn rules(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<&RuleId, (usize, usize)> = BTreeMap::new();
    for judged in &page.report.verdict.findings {
        let (denied, warned) = counts.entry(&judged.finding.rule).or_default();
        match judged.enforcement {
            Enforcement::Deny => *denied += 1,
            Enforcement::Warn | Enforcement::Off => *warned += 1,
        }
    }
    if counts.is_empty() {
        return writeln!(out, "no findings\n");
    }
    let longest = counts.keys().map(|rule| rule.as_str().len()).max().unwrap_or(0);
    // Two columns of numbers stand to the right.
    let columns = longest.min(page.style.width - 22).max(4);
    writeln!(out, "{:columns$}  {:>7}  {:>8}", "rule", "denied", "warnings")?;
    for (rule, (denied, warned)) in counts {
        let mut lines = text::wrap(rule.as_str(), columns);
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{last:columns$}  {denied:>7}  {warned:>8}")?;
    }
    writeln!(out)
}

// One line: what is let through is no news, but it is not hidden either.
fn waived(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = &page.report.verdict.waived;
    if all.is_empty() {
        return Ok(());
    }
    let spans: BTreeSet<Span> = all.iter().map(|it| it.waiver.span).collect();
    let places: Vec<String> = spans
        .iter()
        .take(LISTED)
        .map(|span| page.place(&page.report.sources.location(*span)))
        .collect();
    let more = match spans.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let line = format!(
        "{} waived by {}: {}{more}",
        text::count(all.len(), "finding"),
        text::count(spans.len(), "waiver"),
        places.join(", "),
    );
    page.entry("", &line, out)?;
    writeln!(out)
}

fn not_judged(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = &page.report.verdict.summary.not_judged;
    if all.is_empty() {
        return Ok(());
    }
    // What closes the gate comes first.
    let mut reasons: BTreeMap<(bool, &str), Vec<&NotJudged>> = BTreeMap::new();
    for it in all {
        reasons.entry((!it.failure, &it.reason)).or_default().push(it);
    }
    writeln!(out, "not judged")?;
    for ((harmless, reason), places) in reasons {
        let mark = if harmless { "" } else { "failed: " };
        let line = format!("{} {mark}{}", places.len(), page.text(reason));
        page.entry("  ", &line, out)?;
        for it in places.iter().take(LISTED) {
            let place = match it.span {
                Some(span) => page.place(&page.report.sources.location(span)),
                None => text::escape(&path(page.report, &it.path)).into_owned(),
            };
            writeln!(out, "    - {place}")?;
        }
        if places.len() > LISTED {
            writeln!(out, "    {} and {} more", page.ellipsis(), places.len() - LISTED)?;
        }
    }
    writeln!(out)
}

fn other_documents(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    for document in &page.report.verdict.summary.other_documents {
        *roles.entry(document.role).or_default() += 1;
    }
    if roles.is_empty() {
        return Ok(());
    }
    let roles: Vec<String> = roles.iter().map(|(role, n)| format!("{n} {role}")).collect();
    let line = format!("read, but no objects of their own: {}", roles.join(", "));
    page.entry("", &line, out)?;
    writeln!(out)
}

/// Says that only what is new is told, where an upgrade is asked about.
fn upgraded(from: Option<KubernetesVersion>) -> String {
    from.map_or_else(String::new, |from| format!(", only what is new after {from}"))
}

/// Says in one line by whose schemas the objects were judged; nothing where all are built in.
fn schemas(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let kinds = &page.report.verdict.summary.kinds;
    let count = |source: Option<&str>| -> usize {
        kinds.iter().filter(|it| it.source == source).map(|it| it.objects).sum()
    };
    let rows = [
        (Some("kubernetes"), "by Kubernetes"),
        (Some("repository"), "by definitions in this repository"),
        (Some("user"), "by schemas that were named"),
        (Some("embedded"), "by embedded definitions"),
        (None, "without a schema"),
    ];
    let parts: Vec<String> = rows
        .into_iter()
        .map(|(source, by)| (count(source), by))
        .filter(|(objects, _)| *objects > 0)
        .map(|(objects, by)| format!("{} {by}", text::count(objects, "object")))
        .collect();
    if kinds.iter().all(|it| it.source == Some("kubernetes")) {
        return Ok(());
    }
    page.entry("", &format!("schemas: {}", parts.join(", ")), out)?;
    writeln!(out)
}

fn environments(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let summary = &page.report.verdict.summary;
    if summary.environments.is_empty() {
        if let Some(version) = summary.default_kubernetes.filter(|_| summary.objects > 0) {
            let from = upgraded(summary.default_upgraded_from);
            let line = format!("no environment is known: judged for Kubernetes {version}{from}");
            page.entry("", &line, out)?;
            writeln!(out)?;
        }
        return Ok(());
    }
    writeln!(out, "environments")?;
    for environment in &summary.environments {
        let given =
            if environment.version_given { "" } else { " (newest known, no version given)" };
        let from = upgraded(environment.upgraded_from);
        let line = format!(
            "{} ({}): {}, Kubernetes {}{from}{given}",
            text::escape(&environment.name),
            environment.tier,
            text::count(environment.objects, "object"),
            environment.kubernetes,
        );
        page.entry("  ", &line, out)?;
    }
    writeln!(out)
}
