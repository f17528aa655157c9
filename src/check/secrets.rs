//! Finds credentials in the texts of a repository, by their format alone.
//!
//! What a place in a manifest says of a value (a `Secret`, an environment variable) is a matter
//! of policies. This check reads every text, so that it also sees what no manifest is.

mod aws;
mod base64;
mod checksum;
mod connection;
mod format;
mod formats;
mod judges;
mod pem;
mod placeholder;
mod scan;
mod url;

use std::collections::BTreeSet;
use std::ops::Range;

use self::format::{Format, Shape, Verdict, with_article};
use self::scan::{Hit, Mode, Scan, Scanner};
use super::{Check, Context, Results};
use crate::document::{FieldPath, Node, NodeKind, Scalar, Step};
use crate::finding::{Failure, Finding};
use crate::review::Review;
use crate::rule::{RuleId, RuleMeta, Severity};
use crate::source::{RepoPath, SourceId, Span};

/// Finds tokens, keys and passwords that stand in clear, or in base64, in texts and objects.
#[derive(Debug)]
pub struct SecretsCheck {
    // `None` where the automaton could not be built; every text is then a failure.
    scanner: Option<Scanner>,
    rules: Vec<RuleMeta>,
}

impl SecretsCheck {
    /// Builds the check.
    pub fn new() -> Self {
        let rules = formats::all().map(Format::rule).collect();
        Self { scanner: Scanner::new().ok(), rules }
    }
}

impl Default for SecretsCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for SecretsCheck {
    fn rules(&self) -> Vec<RuleMeta> {
        self.rules.clone()
    }

    fn check_source(&self, cx: Context<'_>, source: SourceId, results: &mut Results) {
        if !cx.selection.allows_category("secrets") {
            return;
        }
        let Some(text) = cx.sources.get(source) else { return };
        let start = Span::start_of(source);
        let Some(scanner) = &self.scanner else {
            results.failures.push(no_scanner(start));
            return;
        };
        let mode = if is_lock_file(text.path()) { Mode::Distinctive } else { Mode::Full };
        let scan = scanner.scan(text.text().as_bytes(), mode);
        let report = Report { check: self, cx, scanner };
        report.failures(&scan, start, results);
        for hit in &scan.hits {
            let place = |range: &Range<usize>| place(source, range.start, range.end);
            if let Some(mut finding) = report.finding(hit, place(&hit.token)) {
                if let Some(related) = &hit.related {
                    finding = finding.with_related(place(related), "it belongs to this id");
                }
                results.findings.push(finding);
            }
        }
    }

    fn check_object(&self, cx: Context<'_>, review: &Review<'_>, results: &mut Results) {
        if !cx.selection.allows_category("secrets") {
            return;
        }
        let root = &review.object.root;
        let Some(scanner) = &self.scanner else {
            results.failures.push(no_scanner(root.span));
            return;
        };
        let is_secret = review
            .object
            .object
            .as_ref()
            .is_some_and(|object| &*object.kind == "Secret" && &*object.api_version == "v1");
        if review.asked.is_some() {
            if review.stores_object() {
                Requested { report: Report { check: self, cx, scanner }, review, is_secret }
                    .scan(results);
            }
            return;
        }
        let mut values = Values { report: Report { check: self, cx, scanner }, review, results };
        let mut path = FieldPath::root();
        for entry in root.entries() {
            path.push_key(entry.key.clone());
            if is_secret && &*entry.key == "data" {
                for value in entry.value.entries() {
                    path.push_key(value.key.clone());
                    values.encoded(&value.value, &path);
                    path.pop();
                }
            } else {
                values.walk(&entry.value, &mut path);
            }
            path.pop();
        }
    }
}

/// Turns the text of an object that an API server asks about into findings.
///
/// There is no file that is scanned beside it, so here the text of the object is the file.
struct Requested<'a> {
    report: Report<'a>,
    review: &'a Review<'a>,
    is_secret: bool,
}

impl Requested<'_> {
    fn scan(&self, results: &mut Results) {
        let root = &self.review.object.root;
        let Report { cx, scanner, .. } = self.report;
        let scan = scanner.scan(cx.sources.text(root.span).as_bytes(), Mode::Full);
        self.report.failures(&scan, root.span, results);
        let start = root.span.start as usize;
        let mut found = Results::default();
        let mut copies = Vec::new();
        for hit in &scan.hits {
            let at = place(root.span.source, start + hit.token.start, start + hit.token.end);
            let path = root.path_at(at.start);
            if self.is_left_out(&path) {
                continue;
            }
            let Some(finding) = self.report.finding(hit, at) else { continue };
            let finding = finding.with_object(self.review.object.object.clone()).with_path(path);
            if is_last_applied(&finding.path) {
                copies.push(finding);
            } else {
                found.findings.push(finding);
            }
        }
        let mut values = Values { report: self.report, review: self.review, results: &mut found };
        values.walk_unless(root, &mut FieldPath::root(), &|path| {
            self.is_left_out(path) || is_last_applied(path)
        });
        // kubectl keeps a copy of the whole object in an annotation: one secret, told once.
        copies.retain(|copy| found.findings.iter().all(|it| it.rule != copy.rule));
        found.findings.append(&mut copies);
        results.append(found);
    }

    /// Says whether a field is not judged by its content: in a `Secret` every value is readable
    /// here, and the managed fields are names.
    fn is_left_out(&self, path: &FieldPath) -> bool {
        let of_secret = [&["data"][..], &["stringData"], &LAST_APPLIED];
        is_below(path, &["metadata", "managedFields"])
            || self.is_secret && of_secret.iter().any(|keys| is_below(path, keys))
    }
}

/// The copy that kubectl keeps of what it applied.
const LAST_APPLIED: [&str; 3] =
    ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];

fn is_last_applied(path: &FieldPath) -> bool {
    is_below(path, &LAST_APPLIED)
}

fn is_below(path: &FieldPath, keys: &[&str]) -> bool {
    let is_step = |(step, key): (&Step, &&str)| matches!(step, Step::Key(it) if **it == **key);
    path.len() >= keys.len() && path.iter().zip(keys).all(is_step)
}

/// Turns the values of one object into findings.
struct Values<'a> {
    report: Report<'a>,
    review: &'a Review<'a>,
    results: &'a mut Results,
}

impl Values<'_> {
    fn walk(&mut self, node: &Node, path: &mut FieldPath) {
        self.walk_unless(node, path, &|_| false);
    }

    /// Walks what `leave_out` does not say to leave out.
    fn walk_unless(
        &mut self,
        node: &Node,
        path: &mut FieldPath,
        leave_out: &dyn Fn(&FieldPath) -> bool,
    ) {
        if leave_out(path) {
            return;
        }
        match &node.kind {
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    path.push_key(entry.key.clone());
                    self.walk_unless(&entry.value, path, leave_out);
                    path.pop();
                }
            }
            NodeKind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_index(index);
                    self.walk_unless(item, path, leave_out);
                    path.pop();
                }
            }
            NodeKind::Scalar(Scalar::String(text)) => self.plain(node, text, path),
            NodeKind::Scalar(_) => {}
        }
    }

    /// Finds secrets that the text of the file does not show: escaped, folded over lines.
    fn plain(&mut self, node: &Node, value: &str, path: &FieldPath) {
        let written = self.report.cx.sources.text(node.span);
        if written.contains(value) {
            return;
        }
        let scanner = self.report.scanner;
        let scan = scanner.scan(value.as_bytes(), Mode::Full);
        self.report.failures(&scan, node.span, self.results);
        if scan.hits.is_empty() {
            return;
        }
        let shown: BTreeSet<usize> =
            scanner.scan(written.as_bytes(), Mode::Full).hits.iter().map(|it| it.format).collect();
        for hit in scan::encoded(scan.hits, &(0..0)).filter(|hit| !shown.contains(&hit.format)) {
            self.push(&Hit { is_encoded: false, ..hit }, node.span, path);
        }
    }

    /// Finds secrets in a value of the `data` of a `Secret`.
    fn encoded(&mut self, node: &Node, path: &FieldPath) {
        let Some(value) = node.as_str() else { return };
        let digits: Vec<u8> = value.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let Some(decoded) = base64::decode(&digits) else { return };
        // A generated value is encoded nowhere but in the cluster: the file shows it as it is.
        let written = self.report.cx.sources.text(node.span);
        if str::from_utf8(&decoded).is_ok_and(|decoded| written.contains(decoded)) {
            return;
        }
        let scan = self.report.scanner.scan_decoded(&decoded);
        self.report.failures(&scan, node.span, self.results);
        let written = self.written(node.span, value);
        for hit in scan::encoded(scan.hits, &(0..0)) {
            self.push(&hit, written, path);
        }
    }

    /// Returns the place of a value within its node: without quotes, where it stands as it is.
    ///
    /// The scan of the file gives the same place.
    fn written(&self, span: Span, value: &str) -> Span {
        match self.report.cx.sources.text(span).find(value) {
            Some(at) => {
                let start = span.start as usize + at;
                place(span.source, start, start + value.len())
            }
            None => span,
        }
    }

    fn push(&mut self, hit: &Hit, span: Span, path: &FieldPath) {
        let finding = self.report.finding(hit, span);
        self.results.findings.extend(finding.map(|finding| {
            finding.with_object(self.review.object.object.clone()).with_path(path.clone())
        }));
    }
}

/// Words what was found.
#[derive(Clone, Copy)]
struct Report<'a> {
    check: &'a SecretsCheck,
    cx: Context<'a>,
    scanner: &'a Scanner,
}

impl Report<'_> {
    /// Returns the finding of a hit, where its rule is wanted.
    fn finding(&self, hit: &Hit, span: Span) -> Option<Finding> {
        let rule = self.check.rules.get(hit.format)?;
        let format = self.scanner.format(hit.format)?;
        if !self.cx.selection.allows(&rule.id) {
            return None;
        }
        let mut finding = Finding::new(rule, span, message(format, hit));
        if hit.verdict == Verdict::Doubtful {
            finding.severity = lowered(finding.severity);
        }
        Some(finding)
    }

    fn failures(&self, scan: &Scan, at: Span, results: &mut Results) {
        for format in scan.broken.iter().filter_map(|index| self.scanner.format(*index)) {
            results.failures.push(Failure {
                rule: Some(RuleId::known(format.id)),
                span: Some(at),
                reason: "the pattern of the format cannot be compiled".to_owned(),
                help: None,
            });
        }
    }
}

/// Returns the message of a hit. Says what the secret is and how long, never what it says.
fn message(format: &Format, hit: &Hit) -> String {
    let manner = if hit.is_encoded { "merely encoded" } else { "in clear" };
    let stub = match format.shape {
        Shape::Token { lead: 0, .. } => match format.keywords {
            [keyword] => format!(" (`{keyword}…`, {} characters)", hit.len),
            _ => format!(" ({} characters)", hit.len),
        },
        _ => String::new(),
    };
    let doubt = match hit.verdict {
        Verdict::Doubtful => ", though it fails its own integrity check: an example, or altered",
        Verdict::Genuine | Verdict::Plausible | Verdict::Refuted => "",
    };
    format!("{} stands here {manner}{stub}{doubt}", with_article(format.noun))
}

fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
    }
}

fn no_scanner(span: Span) -> Failure {
    let reason = "the automaton of the secret formats cannot be built".to_owned();
    Failure { rule: None, span: Some(span), reason, help: None }
}

fn place(source: SourceId, start: usize, end: usize) -> Span {
    let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(source, offset(start), offset(end))
}

/// Says whether a file is a list of hashes by its name.
fn is_lock_file(path: &RepoPath) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "Package.resolved",
        "SHA256SUMS",
        "checksums.txt",
    ];
    NAMES.contains(&path.name()) || matches!(path.extension(), Some("lock" | "sum"))
}

#[cfg(test)]
mod tests;
