//! An AdmissionReview's response, and what a log and metrics may know of it.
//!
//! What an API server does with it is measured, not guessed: a message of a denial reaches the
//! client as it is; a warning with a control character in it is dropped, and so is an audit
//! annotation whose key is no qualified name; a response without the uid of its request fails the
//! call.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::request::{InvalidReview, Request, Version};
use crate::document::{Node, ObjectRef};
use crate::finding::{Failure, Finding};
use crate::judge::{Judged, Verdict};
use crate::report::{self, Redaction, Report, one_line};
use crate::rule::{Enforcement, RuleId};

/// Findings that the message of a denial tells; the number of the others follows.
const TOLD: usize = 10;
/// Findings that `causes` holds.
const CAUSES: usize = 32;
/// Characters of one line of a message.
const LINE: usize = 600;
/// Warnings, and characters of each: what an API server passes on.
const WARNINGS: usize = 16;
const WARNING: usize = 256;
/// Bytes of an answer. A message alone, all of it, stays below: 21 lines of 600 characters, of up
/// to four bytes, and a uid.
const BODY: usize = 64 << 10;
/// Characters of a name in a record or an annotation.
const NAME: usize = 253;
/// Groups in a record.
const GROUPS: usize = 16;

/// The answer to one AdmissionReview.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The AdmissionReview that goes back: JSON on one line, at most 64 KiB unless it explains.
    pub body: Vec<u8>,
    /// What logs and metrics may know. Holds no value of an object.
    pub record: Record,
    /// Why nothing could be judged, where that is so.
    pub refusal: Option<String>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// The request may pass.
    Allowed,
    /// A rule denies the request.
    Denied,
    /// The request could not be judged, and is refused for that.
    Failed,
}

impl Decision {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// Who asked what, and what was answered: all that a log or a metric may know of a request.
///
/// Texts are as they came, within a bounded length; whoever writes them escapes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The id of the request; empty where it could not be read.
    pub uid: String,
    /// Who asks: `userInfo.username`.
    pub user: String,
    /// The first groups of the user, at most sixteen.
    pub groups: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`; empty where it is none of these.
    pub operation: &'static str,
    /// The API group of the kind; empty for the core group.
    pub group: String,
    /// The version of the kind.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The subresource; empty where there is none.
    pub sub_resource: String,
    /// The namespace; empty where there is none.
    pub namespace: String,
    /// The name, or the prefix of `generateName`; may be empty.
    pub name: String,
    /// Whether nothing would be stored.
    pub dry_run: bool,
    /// What was decided.
    pub decision: Option<Decision>,
    /// `status.code` of the answer; 200 where the request is allowed.
    pub code: u16,
    /// The rules that found something, each once, with the strictest enforcement it had.
    pub rules: Vec<(RuleId, Enforcement)>,
    /// The rules that could not be evaluated.
    pub failed_rules: Vec<RuleId>,
    /// The rules that found something which a waiver lets through.
    pub waived_rules: Vec<RuleId>,
    /// Whether time ran out before every rule was evaluated.
    pub timed_out: bool,
}

/// What was decided of one request, and by which gate.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// What was found, and the failures that close the gate.
    pub report: Report<'a>,
    /// The failures of rules that only warn here.
    pub tolerated: Vec<Failure>,
    /// Whether time ran out before every rule was evaluated.
    pub timed_out: bool,
    /// What the gate is made of, as a digest.
    pub digest: &'a str,
    /// The environment that the cluster is, where it is known.
    pub environment: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewV1<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: ResponseV1<'a>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    explanation: Option<report::Explanation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseV1<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusV1<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

/// `Status` in `k8s.io/apimachinery/pkg/apis/meta/v1`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusV1<'a> {
    status: &'static str,
    message: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<DetailsV1<'a>>,
    code: u16,
}

#[derive(Serialize)]
struct DetailsV1<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: Cow<'a, str>,
    causes: Vec<CauseV1>,
}

/// `StatusCause`: `reason` is the rule, `field` the path as Kubernetes writes it.
#[derive(Serialize)]
struct CauseV1 {
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
}

/// Answers a question that cannot be judged, with a denial that says why.
///
/// `question` is what was sent, or the start of it: its uid and its version are kept in the answer
/// if they can be read. `code` is an HTTP status, e.g. 400, 413, 500.
pub fn refuse(question: Option<&[u8]>, code: u16, message: &str) -> Answer {
    let text = question.map(String::from_utf8_lossy).unwrap_or_default();
    let version =
        if text.contains(Version::V1Beta1.as_str()) { Version::V1Beta1 } else { Version::V1 };
    refusal(first_uid(&text).unwrap_or_default(), version, code, message)
}

/// Answers a review that cannot be judged.
pub fn refuse_review(invalid: &InvalidReview) -> Answer {
    refusal(&invalid.uid, invalid.version, 400, &invalid.message)
}

fn refusal(uid: &str, version: Version, code: u16, message: &str) -> Answer {
    let message = cut(one_line(message), LINE).into_owned();
    let status = status(code, message.clone(), None);
    let record =
        Record { uid: uid.to_owned(), decision: Some(Decision::Failed), code, ..Record::default() };
    let response = ResponseV1 {
        uid,
        allowed: false,
        status: Some(status),
        warnings: Vec::new(),
        audit_annotations: BTreeMap::from([("decision", Decision::Failed.as_str().to_owned())]),
    };
    Answer { body: body(version, response, None), record, refusal: Some(message) }
}

/// Returns the first uid of a text that may be no JSON: API servers write that of the request
/// before any other.
fn first_uid(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\"uid\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (uid, _) = rest.split_once('"')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    (!uid.is_empty() && uid.len() <= 128 && uid.chars().all(is_plain)).then_some(uid)
}

/// Words the answer to a request that was judged.
pub fn answer(request: &Request, judgement: &Judgement<'_>, explain: bool) -> Answer {
    let verdict = judgement.report.verdict;
    let redaction = Redaction::new(verdict, judgement.report.sources);
    let words = Words { request, judgement, redaction };
    let denied: Vec<&Judged> =
        verdict.findings.iter().filter(|it| it.enforcement == Enforcement::Deny).collect();
    let decision = if !denied.is_empty() {
        Decision::Denied
    } else if !verdict.failures.is_empty() {
        Decision::Failed
    } else {
        Decision::Allowed
    };
    let record = record(request, judgement, decision);
    let allowed = decision == Decision::Allowed;
    let explanation = explain.then(|| report::explain(&judgement.report));
    let response = ResponseV1 {
        uid: &request.uid,
        allowed,
        status: (!allowed).then(|| words.status(&denied, record.code, CAUSES)),
        warnings: words.warnings(),
        audit_annotations: annotations(&record, judgement),
    };
    let mut bytes = body(request.version, response, explanation);
    // Long names in many scripts can fill it. The message says the most, so it stays.
    if bytes.len() > BODY && !explain {
        let response = ResponseV1 {
            uid: &request.uid,
            allowed,
            status: (!allowed).then(|| words.status(&denied, record.code, 0)),
            warnings: Vec::new(),
            audit_annotations: annotations(&record, judgement),
        };
        bytes = body(request.version, response, None);
    }
    Answer { body: bytes, record, refusal: None }
}

fn body(
    version: Version,
    response: ResponseV1<'_>,
    explanation: Option<report::Explanation>,
) -> Vec<u8> {
    let review =
        ReviewV1 { api_version: version.as_str(), kind: "AdmissionReview", response, explanation };
    // The structs hold strings, numbers and lists only, which serde_json always writes.
    serde_json::to_vec(&review).unwrap_or_default()
}

fn status(code: u16, message: String, details: Option<DetailsV1<'_>>) -> StatusV1<'_> {
    let reason = match code {
        400 => "BadRequest",
        403 => "Forbidden",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        _ => "InternalError",
    };
    StatusV1 { status: "Failure", message, reason, details, code }
}

struct Words<'a> {
    request: &'a Request,
    judgement: &'a Judgement<'a>,
    redaction: Redaction,
}

impl Words<'_> {
    fn status(&self, denied: &[&Judged], code: u16, causes: usize) -> StatusV1<'_> {
        let failures = &self.judgement.report.verdict.failures;
        let mut lines: Vec<String> =
            denied.iter().take(TOLD).map(|judged| self.told(judged)).collect();
        if denied.len() > TOLD {
            lines.push(format!("and {} more findings", denied.len() - TOLD));
        }
        if self.judgement.timed_out {
            let rules: Vec<&str> =
                failures.iter().filter_map(|it| it.rule.as_ref()).map(RuleId::as_str).collect();
            let text = format!("evaluation timed out; not evaluated: {}", rules.join(", "));
            lines.push(cut(Cow::Owned(text), LINE).into_owned());
        } else {
            lines.extend(failures.iter().take(TOLD).map(|it| self.failed(it)));
            if failures.len() > TOLD {
                lines.push(format!("and {} more failures", failures.len() - TOLD));
            }
        }
        let causes = denied.iter().take(causes).map(|it| self.cause(it)).collect();
        let target = &self.request.target;
        let details = DetailsV1 {
            name: name(&target.name),
            group: name(target.group()),
            kind: name(&target.kind),
            causes,
        };
        status(code, lines.join("\n"), Some(details))
    }

    /// Returns a finding as one line of the message of a denial: what, where, how to mend it.
    fn told(&self, judged: &Judged) -> String {
        let finding = &judged.finding;
        let mut line = format!("[{}] {}", finding.rule, self.safe(&finding.message));
        if !finding.path.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(line, " ({})", self.field(finding));
        }
        if let Some(help) = self.judgement.report.help(finding) {
            let _ = write!(line, "; to mend it: {}", self.safe(help));
        }
        cut(Cow::Owned(line), LINE).into_owned()
    }

    fn failed(&self, failure: &Failure) -> String {
        let rule = failure.rule.as_ref().map(|rule| format!("[{rule}] ")).unwrap_or_default();
        let line = format!("{rule}{}", self.safe(&failure.reason));
        cut(Cow::Owned(line), LINE).into_owned()
    }

    fn cause(&self, judged: &Judged) -> CauseV1 {
        let finding = &judged.finding;
        CauseV1 {
            reason: finding.rule.to_string(),
            message: cut(Cow::Owned(self.safe(&finding.message)), LINE).into_owned(),
            field: cut(Cow::Owned(self.field(finding)), LINE).into_owned(),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let found = &self.judgement.report.verdict.findings;
        let warned = found.iter().filter(|it| it.enforcement == Enforcement::Warn);
        let mut all: Vec<String> = warned
            .map(|judged| {
                let finding = &judged.finding;
                let field = self.field(finding);
                let place = if field.is_empty() { field } else { format!(" ({field})") };
                format!("[{}] {}{place}", finding.rule, self.safe(&finding.message))
            })
            .chain(self.judgement.tolerated.iter().map(|it| self.failed(it)))
            .collect();
        if all.len() > WARNINGS {
            let more = all.len() - (WARNINGS - 1);
            all.truncate(WARNINGS - 1);
            all.push(format!("and {more} more warnings"));
        }
        all.into_iter().map(|it| cut(one_line(&it), WARNING).into_owned()).collect()
    }

    /// Returns the field of a finding, as Kubernetes writes it.
    fn field(&self, finding: &Finding) -> String {
        one_line(&self.redaction.redact_path(&finding.path).to_string()).into_owned()
    }

    /// Returns a text without secrets, on one line, without characters that terminals obey.
    fn safe(&self, text: &str) -> String {
        one_line(&self.redaction.redact(text)).into_owned()
    }
}

fn annotations(record: &Record, judgement: &Judgement<'_>) -> BTreeMap<&'static str, String> {
    let of = |wanted| {
        let rules = record.rules.iter().filter(|(_, it)| *it == wanted);
        rules.map(|(rule, _)| rule.as_str()).collect::<Vec<_>>().join(",")
    };
    let list = |rules: &[RuleId]| rules.iter().map(RuleId::as_str).collect::<Vec<_>>().join(",");
    let decision = record.decision.map_or("", Decision::as_str);
    let all = [
        ("decision", decision.to_owned()),
        ("gate-digest", judgement.digest.to_owned()),
        ("environment", judgement.environment.unwrap_or_default().to_owned()),
        ("denied-by", of(Enforcement::Deny)),
        ("warned-by", of(Enforcement::Warn)),
        ("failed-rules", list(&record.failed_rules)),
        ("waived-rules", list(&record.waived_rules)),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key, cut(one_line(&value), LINE).into_owned()))
        .collect()
}

fn record(request: &Request, judgement: &Judgement<'_>, decision: Decision) -> Record {
    let ObjectRef { namespace, name: own, kind, .. } = &request.target;
    let mut rules: BTreeMap<&RuleId, Enforcement> = BTreeMap::new();
    let verdict: &Verdict = judgement.report.verdict;
    for judged in &verdict.findings {
        let known = rules.entry(&judged.finding.rule).or_insert(judged.enforcement);
        *known = (*known).max(judged.enforcement);
    }
    let failures = verdict.failures.iter().chain(&judgement.tolerated);
    let mut failed_rules: Vec<RuleId> = failures.filter_map(|it| it.rule.clone()).collect();
    failed_rules.sort();
    failed_rules.dedup();
    let waived: BTreeSet<&RuleId> =
        verdict.waived.iter().map(|it| &it.judged.finding.rule).collect();
    let groups = request.asked.user_info.get("groups").map_or(&[][..], Node::items);
    let text = |text: &str| name(text).into_owned();
    Record {
        uid: request.uid.clone(),
        user: text(request.user()),
        groups: groups.iter().filter_map(Node::as_str).take(GROUPS).map(text).collect(),
        operation: request.operation.as_str(),
        group: text(request.target.group()),
        version: text(request.target.version()),
        kind: text(kind),
        sub_resource: text(&request.asked.sub_resource),
        namespace: text(namespace.as_deref().unwrap_or_default()),
        name: text(own),
        dry_run: request.dry_run,
        decision: Some(decision),
        code: match decision {
            Decision::Allowed => 200,
            Decision::Denied => 403,
            Decision::Failed => 500,
        },
        rules: rules.into_iter().map(|(rule, it)| (rule.clone(), it)).collect(),
        failed_rules,
        waived_rules: waived.into_iter().cloned().collect(),
        timed_out: judgement.timed_out,
    }
}

fn name(text: &str) -> Cow<'_, str> {
    cut(Cow::Borrowed(text), NAME)
}

/// Cuts a text to a number of characters; the last one then says that something is missing.
fn cut(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    if text.char_indices().nth(most).is_none() {
        return text;
    }
    let kept: String = text.chars().take(most - 1).collect();
    Cow::Owned(kept + "…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(answer: &Answer) -> serde_json::Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn a_refusal_keeps_what_it_can_read() {
        let question = br#"{"apiVersion": "admission.k8s.io/v1beta1", "request": {"uid": "a-1", "#;
        let answer = refuse(Some(question), 413, "the body is larger than 7 MiB");
        assert_eq!(
            json(&answer),
            serde_json::json!({
                "apiVersion": "admission.k8s.io/v1beta1",
                "kind": "AdmissionReview",
                "response": {
                    "uid": "a-1",
                    "allowed": false,
                    "status": {
                        "status": "Failure",
                        "code": 413,
                        "reason": "RequestEntityTooLarge",
                        "message": "the body is larger than 7 MiB",
                    },
                    "auditAnnotations": {"decision": "failed"},
                },
            })
        );
    }

    #[test]
    fn a_uid_is_never_guessed() {
        for question in ["", "{", r#"{"uid": 3}"#, r#"{"uid": "a b"}"#, r#"{"uid": "a"#] {
            let answer = refuse(Some(question.as_bytes()), 400, "no");
            assert_eq!(json(&answer)["response"]["uid"], "", "{question}");
        }
    }

    #[test]
    fn long_texts_say_that_they_were_cut() {
        assert_eq!(cut(Cow::Borrowed("abc"), 3), "abc");
        assert_eq!(cut(Cow::Borrowed("abcd"), 3), "ab…");
    }
}
