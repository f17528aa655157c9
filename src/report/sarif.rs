//! SARIF 2.1.0, for code scanning services and editors.
//!
//! Section numbers in the comments are those of the OASIS standard.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};
use serde_sarif::sarif;

use super::redact::Secrets;
use super::{Report, address};
use crate::document::ObjectRef;
use crate::finding::{Finding, Label};
use crate::judge::{Exit, Judged};
use crate::rule::{Enforcement, RuleId, RuleMeta, Severity};
use crate::source::{RepoPath, Span};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What all addresses are relative to (§3.14.14).
const ROOT: &str = "%SRCROOT%";

/// The fingerprint's name; the number is that of how it is computed.
const FINGERPRINT: &str = "tidewaiter/v1";

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let secrets = Secrets::new(report.verdict, report.sources);
    let log = sarif::Sarif::builder()
        .schema(SCHEMA)
        .version(json!("2.1.0"))
        .runs(vec![Mirror::new(report, secrets).run()])
        .build();
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

struct Mirror<'a> {
    report: &'a Report<'a>,
    secrets: Secrets,
    // The rules that something is said of, and their place in the list of rules.
    rules: BTreeMap<&'a RuleId, i64>,
}

impl<'a> Mirror<'a> {
    fn new(report: &'a Report<'a>, secrets: Secrets) -> Self {
        let found = report.verdict.findings.iter().map(|judged| &judged.finding.rule);
        let failed = report.verdict.failures.iter().filter_map(|failure| failure.rule.as_ref());
        let mut rules: BTreeMap<&RuleId, i64> = found.chain(failed).map(|id| (id, 0)).collect();
        for (index, place) in (0..).zip(rules.values_mut()) {
            *place = index;
        }
        Self { report, secrets, rules }
    }

    fn run(&self) -> sarif::Run {
        let rules: Vec<sarif::ReportingDescriptor> = self
            .rules
            .keys()
            .map(|id| match self.report.registry.get(id) {
                Some(meta) => descriptor(meta),
                None => sarif::ReportingDescriptor::builder().id(id.as_str()).build(),
            })
            .collect();
        let driver = sarif::ToolComponent::builder()
            .name("Tidewaiter")
            .version(env!("CARGO_PKG_VERSION"))
            .semantic_version(env!("CARGO_PKG_VERSION"))
            .rules(rules)
            .build();
        let root = sarif::ArtifactLocation::builder()
            .description(message("The root of the repository."))
            .build();
        let summary = &self.report.verdict.summary;
        let counts = json!({
            "files": summary.files,
            "documents": summary.documents,
            "objects": summary.objects,
            "roots": summary.roots,
            "rules": summary.rules,
            "notJudged": summary.not_judged.len(),
        });
        sarif::Run::builder()
            .tool(sarif::Tool::builder().driver(driver).build())
            .column_kind(json!("unicodeCodePoints"))
            .original_uri_base_ids(BTreeMap::from([(ROOT.to_owned(), root)]))
            .invocations(vec![self.invocation()])
            .results(
                self.report.verdict.findings.iter().map(|it| self.result(it)).collect::<Vec<_>>(),
            )
            .properties(properties([("tidewaiter/summary", counts)]))
            .build()
    }

    fn invocation(&self) -> sarif::Invocation {
        let verdict = self.report.verdict;
        let mut notifications = Vec::new();
        for failure in &verdict.failures {
            let mut it = self.notification(&failure.reason);
            it.associated_rule = failure.rule.as_ref().map(|id| {
                let mut rule =
                    sarif::ReportingDescriptorReference::builder().id(id.as_str()).build();
                rule.index = self.rules.get(id).copied();
                rule
            });
            it.locations = failure.span.map(|span| vec![self.location(span)]);
            notifications.push(it);
        }
        for not_judged in verdict.summary.not_judged.iter().filter(|it| it.failure) {
            let mut it = self.notification(&not_judged.reason);
            let location = not_judged.span.map_or_else(
                || {
                    let place = sarif::PhysicalLocation::builder()
                        .artifact_location(artifact(&not_judged.path))
                        .build();
                    sarif::Location::builder().physical_location(place).build()
                },
                |span| self.location(span),
            );
            it.locations = Some(vec![location]);
            notifications.push(it);
        }
        let exit = verdict.exit();
        sarif::Invocation::builder()
            .execution_successful(notifications.is_empty() && exit != Exit::Incomplete)
            .exit_code(i64::from(exit.code()))
            .tool_execution_notifications(notifications)
            .build()
    }

    fn notification(&self, reason: &str) -> sarif::Notification {
        sarif::Notification::builder().message(self.message(reason)).level(json!("error")).build()
    }

    fn result(&self, judged: &Judged) -> sarif::Result {
        let finding = &judged.finding;
        let mut location = self.location(finding.primary.span);
        location.message = self.note(&finding.primary);
        location.logical_locations =
            finding.object.as_ref().map(|object| vec![logical_location(object)]);
        let mut result = sarif::Result::builder()
            .message(self.message(&finding.message))
            .rule_id(finding.rule.as_str())
            .kind(sarif::ResultKind::Fail)
            .level(match judged.enforcement {
                Enforcement::Deny => sarif::ResultLevel::Error,
                Enforcement::Warn | Enforcement::Off => sarif::ResultLevel::Warning,
            })
            .locations(vec![location])
            .partial_fingerprints(BTreeMap::from([(
                FINGERPRINT.to_owned(),
                judged.fingerprint.to_string(),
            )]))
            .properties(self.result_properties(finding))
            .build();
        result.rule_index = self.rules.get(&finding.rule).copied();
        let related: Vec<sarif::Location> = (1..)
            .zip(&finding.related)
            .map(|(id, label)| {
                let mut location = self.location(label.span);
                location.id = Some(id);
                location.message = self.note(label);
                location
            })
            .collect();
        result.related_locations = (!related.is_empty()).then_some(related);
        result
    }

    fn result_properties(&self, finding: &Finding) -> sarif::PropertyBag {
        let mut bag = properties([("severity", json!(finding.severity.as_str()))]);
        let mut add = |name: &str, value: Value| {
            bag.additional_properties.insert(name.to_owned(), value);
        };
        if !finding.path.is_empty() {
            add("field", json!(self.secrets.redact_path(&finding.path).to_string()));
        }
        if !finding.environments.is_empty() {
            let names: Vec<&str> = finding.environments.iter().map(AsRef::as_ref).collect();
            add("environments", json!(names));
        }
        if let Some(help) = &finding.help {
            add("help", json!(self.secrets.redact(help)));
        }
        bag
    }

    // No snippet: the line may hold a secret.
    fn location(&self, span: Span) -> sarif::Location {
        let location = self.report.sources.location(span);
        let region = sarif::Region::builder()
            .start_line(i64::from(location.start.line))
            .start_column(i64::from(location.start.column))
            .end_line(i64::from(location.end.line))
            .end_column(i64::from(location.end.column))
            .build();
        let place = sarif::PhysicalLocation::builder()
            .artifact_location(artifact(&location.path))
            .region(region)
            .build();
        sarif::Location::builder().physical_location(place).build()
    }

    fn note(&self, label: &Label) -> Option<sarif::Message> {
        (!label.note.is_empty()).then(|| self.message(&label.note))
    }

    fn message(&self, text: &str) -> sarif::Message {
        message(&self.secrets.redact(text))
    }
}

fn descriptor(meta: &RuleMeta) -> sarif::ReportingDescriptor {
    let text = |text: &str| sarif::MultiformatMessageString::builder().text(text).build();
    let mut configuration = sarif::ReportingConfiguration::builder()
        .level(json!(match meta.enforcement {
            Enforcement::Deny => "error",
            Enforcement::Warn => "warning",
            Enforcement::Off => "none",
        }))
        .build();
    if meta.enforcement == Enforcement::Off {
        configuration.enabled = Some(false);
    }
    let mut help = format!("{}\n\nHow to fix: {}\n", meta.description.trim(), meta.help.trim());
    let mut markdown =
        format!("{}\n\n**How to fix:** {}\n", meta.description.trim(), meta.help.trim());
    for reference in &meta.references {
        // Writing to a string does not fail.
        let _ = write!(help, "\n{}: {}", reference.title, reference.url);
        let _ = write!(markdown, "\n- [{}]({})", reference.title, reference.url);
    }
    let help = sarif::MultiformatMessageString::builder().text(help).markdown(markdown).build();
    // GitHub sorts by this number: above 9 critical, from 7 high, from 4 medium, else low.
    let score = match meta.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    };
    let mut bag = properties([
        ("security-severity", json!(score)),
        ("precision", json!("high")),
        (
            "problem.severity",
            json!(if meta.enforcement == Enforcement::Deny { "error" } else { "warning" }),
        ),
    ]);
    bag.tags =
        Some(vec!["security".to_owned(), "kubernetes".to_owned(), meta.id.category().to_owned()]);
    sarif::ReportingDescriptor::builder()
        .id(meta.id.as_str())
        .name(pascal_case(meta.id.as_str()))
        .short_description(text(&meta.title))
        .full_description(text(meta.description.trim()))
        .help(help)
        .default_configuration(configuration)
        .properties(bag)
        .build()
}

/// Returns `RbacWildcardVerb` for `rbac/wildcard-verb`, as §3.49.7 advises for names.
fn pascal_case(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for word in id.split(['/', '-']) {
        let mut rest = word.chars();
        out.extend(rest.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(rest.as_str());
    }
    out
}

fn logical_location(object: &ObjectRef) -> sarif::LogicalLocation {
    let mut parts = vec![&*object.api_version, &*object.kind];
    parts.extend(object.namespace.as_deref());
    parts.push(&object.name);
    let mut location = sarif::LogicalLocation::builder()
        .fully_qualified_name(parts.join("/"))
        .kind("resource")
        .build();
    location.name = (!object.name.is_empty()).then(|| object.name.to_string());
    location
}

fn artifact(path: &RepoPath) -> sarif::ArtifactLocation {
    if path.is_outside() {
        // A configuration that lies elsewhere.
        let uri = format!("file://{}", address::reference(path));
        return sarif::ArtifactLocation::builder().uri(uri).build();
    }
    sarif::ArtifactLocation::builder().uri(address::reference(path)).uri_base_id(ROOT).build()
}

fn message(text: &str) -> sarif::Message {
    sarif::Message::builder().text(escape(text)).build()
}

/// Escapes plain text for a message: braces are placeholders (§3.11.5) and `[text](target)` is a
/// link (§3.11.6).
///
/// The standard has no way to write `](` outside of a link, so a space goes between.
fn escape(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

fn properties<const N: usize>(values: [(&str, Value); N]) -> sarif::PropertyBag {
    let values: BTreeMap<String, Value> =
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    sarif::PropertyBag::builder().additional_properties(values).build()
}

#[cfg(test)]
mod tests;
