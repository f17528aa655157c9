//! Findings that are known and let through.

use std::sync::Arc;

use super::glob::{Glob, NamePattern};
use super::{Place, names};
use crate::date::Date;
use crate::document::ObjectRef;
use crate::rule::RuleId;
use crate::source::Span;

/// What a waiver says for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverNote {
    /// Where it begins.
    pub span: Span,
    /// The rules and categories that it names.
    pub rules: Vec<String>,
    /// Why it is fine.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// The last day on which it holds, and where that stands.
    pub expires: Option<(Date, Span)>,
}

impl WaiverNote {
    /// Says whether the waiver has expired by `today`.
    pub fn expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|(day, _)| day < today)
    }
}

/// Findings that are known and let through, in some places, for a reason.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// What it says for people to read.
    pub note: Arc<WaiverNote>,
    pub(super) objects: Vec<ObjectPattern>,
    pub(super) environments: Vec<String>,
    pub(super) paths: Vec<Glob>,
}

impl Waiver {
    /// Says whether the waiver names a finding of `rule` at a place, on an object.
    ///
    /// Whether it has expired is not asked.
    pub fn covers(&self, rule: &RuleId, place: Place<'_>, object: Option<&ObjectRef>) -> bool {
        let of_object = || object.is_some_and(|it| self.objects.iter().any(|on| on.matches(it)));
        names::rule(&self.note.rules, rule)
            && names::environment(&self.environments, place)
            && names::path(&self.paths, place)
            && (self.objects.is_empty() || of_object())
    }
}

/// Some objects: of what is given, all must match.
#[derive(Debug, Clone)]
pub(super) struct ObjectPattern {
    pub(super) kind: Option<String>,
    pub(super) namespace: Option<NamePattern>,
    pub(super) name: Option<NamePattern>,
}

impl ObjectPattern {
    fn matches(&self, object: &ObjectRef) -> bool {
        let is = |pattern: &Option<NamePattern>, text: &str| {
            pattern.as_ref().is_none_or(|it| it.matches(text))
        };
        self.kind.as_ref().is_none_or(|kind| **kind == *object.kind)
            && is(&self.namespace, object.namespace.as_deref().unwrap_or_default())
            && is(&self.name, &object.name)
    }
}
