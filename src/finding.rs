//! What was found. Deliberately not serializable: each format of `report` has its own mirror.

mod fingerprint;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use fingerprint::Fingerprint;

use crate::document::{FieldPath, ObjectRef};
use crate::rule::{RuleId, RuleMeta, Severity};
use crate::source::Span;

/// A place and what is to be seen there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen; may be empty.
    pub note: String,
}

/// One defect at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleId,
    /// How bad it is: the rule's, unless the rule says otherwise of this case.
    pub severity: Severity,
    /// What is wrong here: one sentence, no final period, user text in backticks, no secret.
    pub message: String,
    /// How to mend it here. Where there is none, the rule's help stands.
    pub help: Option<String>,
    /// The object it is about.
    pub object: Option<ObjectRef>,
    /// The field of the object.
    pub path: FieldPath,
    /// The place that set the wrong value.
    pub primary: Label,
    /// Other places worth a look.
    pub related: Vec<Label>,
    /// The environments that it reaches.
    pub environments: BTreeSet<Arc<str>>,
}

impl Finding {
    /// Returns a finding of `rule` at `span`; the other parts are added by the `with_` methods.
    pub fn new(rule: &RuleMeta, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule: rule.id.clone(),
            severity: rule.severity,
            message: message.into(),
            help: None,
            object: None,
            path: FieldPath::root(),
            primary: Label { span, note: String::new() },
            related: Vec::new(),
            environments: BTreeSet::new(),
        }
    }

    /// Names the object.
    #[must_use]
    pub fn with_object(mut self, object: Option<ObjectRef>) -> Self {
        self.object = object;
        self
    }

    /// Names the field.
    #[must_use]
    pub fn with_path(mut self, path: FieldPath) -> Self {
        self.path = path;
        self
    }

    /// Says how to mend it here.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what is to be seen at the primary place.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.primary.note = note.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push(Label { span, note: note.into() });
        self
    }
}

/// A rule that could not be evaluated, as opposed to one that found something.
///
/// Always closes the gate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The rule, where it is one.
    pub rule: Option<RuleId>,
    /// Where it failed.
    pub span: Option<Span>,
    /// Why: one sentence, no final period.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}
