//! Evaluates rules. No I/O, no output formats; the children never import one another.

pub mod api;
pub mod policy;
pub mod schema;
pub mod secrets;
mod together;

use std::sync::Arc;
use std::time::Instant;

pub use together::judge_object;

use crate::document::ObjectRef;
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding};
use crate::review::Review;
use crate::rule::{RuleMeta, Selection};
use crate::source::{SourceId, SourceMap};

/// Where the objects of a kind live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindScope {
    /// In a namespace.
    Namespaced,
    /// In the cluster.
    Cluster,
}

/// Knows kinds, built-in and custom.
pub trait Kinds: Send + Sync + std::fmt::Debug {
    /// Returns where the objects of a kind live, where that is known.
    fn scope(&self, kubernetes: KubernetesVersion, object: &ObjectRef) -> Option<KindScope>;
}

/// What every check may read beside the thing it judges.
#[derive(Debug, Clone, Copy)]
pub struct Context<'run> {
    /// All texts of the run.
    pub sources: &'run SourceMap,
    /// The version whose schemas and rules hold where the review has no environment.
    pub kubernetes: KubernetesVersion,
    /// Which rules are wanted; a check leaves the others out before it evaluates them.
    pub selection: &'run Selection,
    /// When an answer is due; a rule that is not evaluated by then is a failure. `None` for no
    /// limit but that of each rule.
    pub deadline: Option<Instant>,
}

/// What a check found, and what it could not judge.
#[derive(Debug, Default)]
pub struct Results {
    /// The defects.
    pub findings: Vec<Finding>,
    /// The rules that could not be evaluated.
    pub failures: Vec<Failure>,
    /// By whose schemas the objects were judged, one entry for each object.
    pub schemas: Vec<SchemaUse>,
}

/// By whose schema an object was judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaUse {
    /// The `apiVersion` of the object.
    pub api_version: Arc<str>,
    /// Its kind.
    pub kind: Arc<str>,
    /// Who says what the kind looks like; `None` where nobody does.
    pub authority: Option<schema::Authority>,
}

impl Results {
    /// Adds what another part of the run found.
    pub fn append(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.failures.append(&mut other.failures);
        self.schemas.append(&mut other.schemas);
    }
}

/// An evaluator for a family of rules.
///
/// A check implements the narrowest method that sees what it needs. The methods do not call each
/// other, so that implementing one cannot disable another.
pub trait Check: Send + Sync + std::fmt::Debug {
    /// Returns every rule that this check can report.
    fn rules(&self) -> Vec<RuleMeta>;

    /// Does now what the first review would otherwise wait for. What fails here fails there.
    fn prepare(&self) {}

    /// Judges the text of one file.
    fn check_source(&self, _cx: Context<'_>, _source: SourceId, _results: &mut Results) {}

    /// Judges one object.
    fn check_object(&self, _cx: Context<'_>, _review: &Review<'_>, _results: &mut Results) {}
}
