//! An AdmissionReview's response, and what a log and metrics may know of it.

use crate::rule::{Enforcement, RuleId};

/// The answer to one AdmissionReview.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The AdmissionReview that goes back: JSON on one line, at most 64 KiB.
    pub body: Vec<u8>,
    /// What logs and metrics may know. Holds no value of an object.
    pub record: Record,
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
    /// Whether time ran out before every rule was evaluated.
    pub timed_out: bool,
}

/// Answers a question that cannot be judged, with a denial that says why.
///
/// `question` is what was sent, where anything was: its uid and its version are kept in the answer
/// if they can be read. `code` is an HTTP status, e.g. 400, 413, 500.
pub fn refuse(question: Option<&[u8]>, code: u16, message: &str) -> Answer {
    let _ = (question, message);
    Answer { body: Vec::new(), record: Record { code, ..Record::default() } }
}
