//! The program's own JSON, version 1.
//!
//! These structs are the format: within version 1 fields are added, never renamed, removed or
//! given another meaning. `schemas/output/report-v1.json` is made of them.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::Report;
use super::redact::Secrets;
use crate::document::{ObjectRef, Step};
use crate::finding::Failure;
use crate::judge::{
    Judged, JudgedEnvironment, JudgedFile, JudgedKind, NotJudged, OtherDocument, Waived,
};
use crate::source::{Location, Span};

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let secrets = Secrets::new(report.verdict, report.sources);
    serde_json::to_writer_pretty(&mut *out, &Mirror { report, secrets }.report())?;
    out.write_all(b"\n")
}

/// The findings and failures of a report, for an answer that explains itself.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    findings: Vec<FindingV1>,
    waived: Vec<WaivedV1>,
    failures: Vec<FailureV1>,
}

/// Returns the findings and failures of a report, as this format has them.
pub(crate) fn explain(report: &Report<'_>) -> Explanation {
    let secrets = Secrets::new(report.verdict, report.sources);
    let mirror = Mirror { report, secrets };
    Explanation {
        findings: mirror.findings(),
        waived: mirror.waived(),
        failures: mirror.failures(),
    }
}

/// The outcome of one run of Tidewaiter.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Tidewaiter report, version 1")]
struct ReportV1 {
    /// The version of this format.
    version: FormatVersion,
    /// The program that wrote the report.
    tool: ToolV1,
    /// 0: nothing was denied; 1: something was denied; 2: something could not be judged.
    exit_code: u8,
    /// What was judged and what was not.
    summary: SummaryV1,
    /// The defects, in the order of their places.
    findings: Vec<FindingV1>,
    /// The defects that waivers let through, in the same order. They are not among `findings`.
    waived: Vec<WaivedV1>,
    /// The rules that could not be evaluated.
    failures: Vec<FailureV1>,
}

/// The version of this format.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) enum FormatVersion {
    #[serde(rename = "v1")]
    V1,
}

/// The program that wrote a report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ToolV1 {
    /// Always `tidewaiter`.
    name: String,
    /// The version of the program.
    version: String,
}

/// What was judged and what was not.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SummaryV1 {
    /// The number of files read.
    files: usize,
    /// The number of documents in them.
    documents: usize,
    /// The number of objects judged, each counted once for every environment that receives it.
    objects: usize,
    /// The number of folders rendered.
    roots: usize,
    /// The number of rules evaluated.
    rules: usize,
    /// The number of findings that close the gate.
    denied: usize,
    /// The number of findings that do not.
    warned: usize,
    /// The number of findings that waivers let through.
    waived: usize,
    /// The files whose objects were judged, as they stand or as kustomizations render them.
    judged_files: Vec<JudgedFileV1>,
    /// What was not judged.
    not_judged: Vec<NotJudgedV1>,
    /// Documents that are no objects of their own.
    other_documents: Vec<OtherDocumentV1>,
    /// The environments, by name.
    environments: Vec<EnvironmentV1>,
    /// By whose schemas the objects were judged, by `apiVersion` and kind.
    kinds: Vec<KindV1>,
    /// The Kubernetes version for objects of which no environment is known.
    default_kubernetes: Option<String>,
    /// The version before, where an upgrade is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_upgraded_from: Option<String>,
}

/// By whose schema the objects of a kind were judged.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct KindV1 {
    /// The `apiVersion`.
    api_version: String,
    /// The kind.
    kind: String,
    /// `kubernetes`, `repository`, `user` or `embedded`; `null` where no schema is known.
    source: Option<String>,
    /// The file, folder or package that holds the schema, where there is one.
    name: Option<String>,
    /// The number of objects, each counted once for every environment that receives it.
    objects: usize,
}

/// A file whose objects were judged.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct JudgedFileV1 {
    /// The file, below the root of the repository.
    path: String,
    /// The number of documents in it that define objects.
    documents: usize,
    /// The environments that receive them, by name.
    environments: Vec<String>,
}

/// Something that was not judged, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NotJudgedV1 {
    /// The file or folder, below the root of the repository.
    path: String,
    /// The line, from 1, where the place is smaller than the file.
    line: Option<u32>,
    /// Why.
    reason: String,
    /// Whether it should have been judged and could not, which closes the gate.
    failure: bool,
}

/// A document that is no object of its own, e.g. a patch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OtherDocumentV1 {
    /// The file, below the root of the repository.
    path: String,
    /// The line at which it starts, from 1.
    line: u32,
    /// Its `apiVersion`.
    api_version: String,
    /// Its `kind`.
    kind: String,
    /// What it is, e.g. `patch`.
    role: String,
}

/// An environment that was judged.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentV1 {
    /// Its name.
    name: String,
    /// `production` or `non-production`.
    tier: String,
    /// The Kubernetes version for which it was judged, e.g. `1.37`.
    kubernetes: String,
    /// Whether that version was given; otherwise it is the newest known.
    kubernetes_given: bool,
    /// The version that it has, where an upgrade is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgraded_from: Option<String>,
    /// The number of objects that it would receive.
    objects: usize,
}

/// One defect at one place.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FindingV1 {
    /// The rule that found it, e.g. `rbac/wildcard-verb`.
    rule: String,
    /// How bad it is.
    severity: SeverityV1,
    /// What it does to the gate.
    enforcement: EnforcementV1,
    /// What is wrong here: one sentence.
    message: String,
    /// How to mend it.
    help: Option<String>,
    /// The object it is about.
    object: Option<ObjectV1>,
    /// The environments that it reaches, by name.
    environments: Vec<String>,
    /// The field of the object: names of fields and numbers of items, from 0.
    path: Vec<StepV1>,
    /// The place that set the wrong value.
    location: LocationV1,
    /// What is to be seen at that place, where it says more than the message.
    note: Option<String>,
    /// Other places worth a look.
    related: Vec<RelatedV1>,
    /// What makes it the same finding across commits.
    fingerprint: String,
}

/// A defect that a waiver lets through.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WaivedV1 {
    /// The defect, with what it would do, in the environments in which the waiver holds.
    finding: FindingV1,
    /// The waiver.
    waiver: WaiverV1,
}

/// An entry of `waivers` in the configuration.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WaiverV1 {
    /// Why it is fine.
    reason: String,
    /// Who answers for it.
    owner: Option<String>,
    /// Where it is followed up.
    ticket: Option<String>,
    /// The last day on which it holds, as YYYY-MM-DD.
    expires: Option<String>,
    /// Where it stands. The path of a configuration outside of the repository is absolute.
    location: LocationV1,
}

/// How bad a defect is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SeverityV1 {
    Low,
    Medium,
    High,
    Critical,
}

/// What a finding does to the gate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum EnforcementV1 {
    Warn,
    Deny,
}

/// What an object calls itself.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectV1 {
    /// E.g. `apps/v1`.
    api_version: String,
    /// E.g. `Deployment`.
    kind: String,
    /// The namespace, where the object names one.
    namespace: Option<String>,
    /// The name; empty where the object has none.
    name: String,
}

/// A step to a field: the name of a field, or the number of an item, from 0.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum StepV1 {
    Key(String),
    Index(usize),
}

/// A place in a file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocationV1 {
    /// The file, below the root of the repository, `/` between segments.
    path: String,
    /// The line at which it starts, from 1.
    line: u32,
    /// The column at which it starts, in characters, from 1.
    column: u32,
    /// The line at which it ends.
    end_line: u32,
    /// The column after its last character.
    end_column: u32,
}

/// Another place worth a look.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RelatedV1 {
    /// The place.
    location: LocationV1,
    /// What is to be seen there; may be empty.
    message: String,
}

/// A rule that could not be evaluated.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FailureV1 {
    /// The rule, where it is one.
    rule: Option<String>,
    /// Why.
    reason: String,
    /// Where it failed.
    location: Option<LocationV1>,
}

struct Mirror<'a> {
    report: &'a Report<'a>,
    secrets: Secrets,
}

impl Mirror<'_> {
    fn report(&self) -> ReportV1 {
        let verdict = self.report.verdict;
        let summary = &verdict.summary;
        let denied = verdict.denied();
        ReportV1 {
            version: FormatVersion::V1,
            tool: ToolV1 {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            exit_code: verdict.exit().code(),
            summary: SummaryV1 {
                files: summary.files,
                documents: summary.documents,
                objects: summary.objects,
                roots: summary.roots,
                rules: summary.rules,
                denied,
                warned: verdict.findings.len() - denied,
                waived: verdict.waived.len(),
                judged_files: summary.judged_files.iter().map(judged_file).collect(),
                not_judged: summary.not_judged.iter().map(|it| self.not_judged(it)).collect(),
                other_documents: summary.other_documents.iter().map(|it| self.other(it)).collect(),
                environments: summary.environments.iter().map(environment).collect(),
                kinds: summary.kinds.iter().map(kind).collect(),
                default_kubernetes: summary.default_kubernetes.map(|it| it.to_string()),
                default_upgraded_from: summary.default_upgraded_from.map(|it| it.to_string()),
            },
            findings: self.findings(),
            waived: self.waived(),
            failures: self.failures(),
        }
    }

    fn findings(&self) -> Vec<FindingV1> {
        self.report.verdict.findings.iter().map(|judged| self.finding(judged)).collect()
    }

    fn waived(&self) -> Vec<WaivedV1> {
        let waived = |it: &Waived| WaivedV1 {
            finding: self.finding(&it.judged),
            waiver: WaiverV1 {
                reason: self.text(&it.waiver.reason),
                owner: it.waiver.owner.as_deref().map(|owner| self.text(owner)),
                ticket: it.waiver.ticket.as_deref().map(|ticket| self.text(ticket)),
                expires: it.waiver.expires.map(|(day, _)| day.to_string()),
                location: self.location(it.waiver.span),
            },
        };
        self.report.verdict.waived.iter().map(waived).collect()
    }

    fn failures(&self) -> Vec<FailureV1> {
        let failure = |failure: &Failure| FailureV1 {
            rule: failure.rule.as_ref().map(ToString::to_string),
            reason: self.text(&failure.reason),
            location: failure.span.map(|span| self.location(span)),
        };
        self.report.verdict.failures.iter().map(failure).collect()
    }

    fn finding(&self, judged: &Judged) -> FindingV1 {
        let finding = &judged.finding;
        FindingV1 {
            rule: finding.rule.to_string(),
            severity: finding.severity.into(),
            enforcement: judged.enforcement.into(),
            message: self.text(&finding.message),
            help: self.report.help(finding).map(|help| self.text(help)),
            object: finding.object.as_ref().map(Into::into),
            environments: finding.environments.iter().map(ToString::to_string).collect(),
            path: self.secrets.redact_path(&finding.path).iter().map(Into::into).collect(),
            location: self.location(finding.primary.span),
            note: (!finding.primary.note.is_empty()).then(|| self.text(&finding.primary.note)),
            related: finding
                .related
                .iter()
                .map(|label| RelatedV1 {
                    location: self.location(label.span),
                    message: self.text(&label.note),
                })
                .collect(),
            fingerprint: judged.fingerprint.to_string(),
        }
    }

    fn not_judged(&self, it: &NotJudged) -> NotJudgedV1 {
        NotJudgedV1 {
            path: it.path.to_string(),
            line: it.span.map(|span| self.report.sources.location(span).start.line),
            reason: self.text(&it.reason),
            failure: it.failure,
        }
    }

    fn other(&self, it: &OtherDocument) -> OtherDocumentV1 {
        let location = self.report.sources.location(it.span);
        OtherDocumentV1 {
            path: location.path.to_string(),
            line: location.start.line,
            api_version: it.api_version.clone(),
            kind: it.kind.clone(),
            role: it.role.to_owned(),
        }
    }

    fn location(&self, span: Span) -> LocationV1 {
        self.report.sources.location(span).into()
    }

    fn text(&self, text: &str) -> String {
        self.secrets.redact(text).into_owned()
    }
}

fn judged_file(it: &JudgedFile) -> JudgedFileV1 {
    JudgedFileV1 {
        path: it.path.to_string(),
        documents: it.documents,
        environments: it.environments.iter().map(ToString::to_string).collect(),
    }
}

fn kind(it: &JudgedKind) -> KindV1 {
    KindV1 {
        api_version: it.api_version.clone(),
        kind: it.kind.clone(),
        source: it.source.map(str::to_owned),
        name: it.name.clone(),
        objects: it.objects,
    }
}

fn environment(it: &JudgedEnvironment) -> EnvironmentV1 {
    EnvironmentV1 {
        name: it.name.clone(),
        tier: it.tier.to_owned(),
        kubernetes: it.kubernetes.to_string(),
        kubernetes_given: it.version_given,
        upgraded_from: it.upgraded_from.map(|it| it.to_string()),
        objects: it.objects,
    }
}

impl From<crate::rule::Severity> for SeverityV1 {
    fn from(severity: crate::rule::Severity) -> Self {
        use crate::rule::Severity;
        match severity {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

impl From<crate::rule::Enforcement> for EnforcementV1 {
    fn from(enforcement: crate::rule::Enforcement) -> Self {
        use crate::rule::Enforcement;
        match enforcement {
            Enforcement::Deny => Self::Deny,
            // What is off is not shown; if it were, it would not close the gate.
            Enforcement::Warn | Enforcement::Off => Self::Warn,
        }
    }
}

impl From<&ObjectRef> for ObjectV1 {
    fn from(object: &ObjectRef) -> Self {
        Self {
            api_version: object.api_version.to_string(),
            kind: object.kind.to_string(),
            namespace: object.namespace.as_ref().map(ToString::to_string),
            name: object.name.to_string(),
        }
    }
}

impl From<&Step> for StepV1 {
    fn from(step: &Step) -> Self {
        match step {
            Step::Key(key) => Self::Key(key.to_string()),
            Step::Index(index) => Self::Index(*index),
        }
    }
}

impl From<Location> for LocationV1 {
    fn from(location: Location) -> Self {
        Self {
            path: location.path.to_string(),
            line: location.start.line,
            column: location.start.column,
            end_line: location.end.line,
            end_column: location.end.column,
        }
    }
}

#[cfg(test)]
pub(super) fn schema() -> serde_json::Value {
    // The schema of what is written: an optional field is there, and null.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<ReportV1>().to_value()
}

#[cfg(test)]
mod tests;
