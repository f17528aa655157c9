//! From findings to a verdict: enforcement, waivers, order, exit code. Evaluates no rule.

mod court;
mod merge;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use court::{Audit, Court, Ruling};
pub use rules::{UNKNOWN_ENVIRONMENT, WAIVER_EXPIRED, WAIVER_LONG, WAIVER_UNUSED, rules};

use crate::config::WaiverNote;
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding, Fingerprint};
use crate::rule::Enforcement;
use crate::source::{RepoPath, Span};

/// A finding and what it does to the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The defect.
    pub finding: Finding,
    /// What it does: the strictest of the environments that it reaches.
    pub enforcement: Enforcement,
    /// What makes it the same across commits.
    pub fingerprint: Fingerprint,
}

/// A finding that a waiver lets through. It does nothing to the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The defect, with what it would do, in the environments in which the waiver holds.
    pub judged: Judged,
    /// What the waiver says.
    pub waiver: Arc<WaiverNote>,
}

/// Something that was not judged, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotJudged {
    /// The file or folder.
    pub path: RepoPath,
    /// The place, where it is smaller than the file.
    pub span: Option<Span>,
    /// Why: one sentence, no final period.
    pub reason: String,
    /// Whether it should have been judged and could not, which closes the gate (exit 2).
    ///
    /// What lies outside of the program's reach by its nature (a chart's template) does not.
    pub failure: bool,
}

/// A document with an `apiVersion` and a `kind` that is no object of its own: a patch, say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherDocument {
    /// Where it stands.
    pub span: Span,
    /// What it calls itself: its `apiVersion` and `kind`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// What it is, e.g. `patch`, `kustomization`.
    pub role: &'static str,
}

/// A file whose objects were judged: as they stand, or as kustomizations render them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JudgedFile {
    /// The file.
    pub path: RepoPath,
    /// The number of documents in it that define objects.
    pub documents: usize,
    /// The environments that receive them, by name; none where no environment is known.
    pub environments: BTreeSet<Arc<str>>,
}

/// An environment that was judged, and for which version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JudgedEnvironment {
    /// Its name.
    pub name: String,
    /// `production` or `non-production`.
    pub tier: &'static str,
    /// The version whose schemas and rules were used.
    pub kubernetes: KubernetesVersion,
    /// Whether a flag or the configuration named the version; otherwise it is the newest known.
    pub version_given: bool,
    /// The version that it has, where an upgrade is asked about.
    pub upgraded_from: Option<KubernetesVersion>,
    /// The number of objects that it would receive.
    pub objects: usize,
}

/// By whose schema the objects of a kind were judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JudgedKind {
    /// The `apiVersion`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// `kubernetes`, `repository`, `user` or `embedded`; `None` where no schema is known.
    pub source: Option<&'static str>,
    /// The file, folder or package that holds the schema, where there is one.
    pub name: Option<String>,
    /// The number of objects, each counted once for every environment that receives it.
    pub objects: usize,
}

/// What was judged and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Whether the configuration was refused, so that nothing was judged.
    pub refused: bool,
    /// Files read.
    pub files: usize,
    /// Documents read from them.
    pub documents: usize,
    /// Objects judged, each counted once for every environment that receives it.
    pub objects: usize,
    /// Folders rendered.
    pub roots: usize,
    /// Rules evaluated.
    pub rules: usize,
    /// The files whose objects were judged, by path.
    pub judged_files: Vec<JudgedFile>,
    /// What was not judged.
    pub not_judged: Vec<NotJudged>,
    /// Documents that are no objects of their own.
    pub other_documents: Vec<OtherDocument>,
    /// The environments, by name.
    pub environments: Vec<JudgedEnvironment>,
    /// By whose schemas the objects were judged, by `apiVersion` and kind.
    pub kinds: Vec<JudgedKind>,
    /// The version for objects of which no environment is known.
    pub default_kubernetes: Option<KubernetesVersion>,
    /// The version before, where an upgrade is asked about.
    pub default_upgraded_from: Option<KubernetesVersion>,
}

/// The verdict of one run, ready to be reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The findings that are shown, worst first within their file: by path, line and rule.
    pub findings: Vec<Judged>,
    /// The findings that waivers let through, in the same order.
    pub waived: Vec<Waived>,
    /// Rules that could not be evaluated, and anything else that closes the gate.
    pub failures: Vec<Failure>,
    /// What was judged.
    pub summary: Summary,
    /// What no report shows, wherever it stands.
    pub withheld: Withheld,
}

/// Texts that no report may show: values of Secrets that were filled into objects.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Withheld(BTreeSet<Arc<str>>);

impl Withheld {
    /// Returns the texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|text| &**text)
    }
}

impl FromIterator<Arc<str>> for Withheld {
    fn from_iter<T: IntoIterator<Item = Arc<str>>>(texts: T) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl std::fmt::Debug for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Withheld")
    }
}

/// The exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was judged, nothing denied.
    Passed,
    /// Something was denied.
    Denied,
    /// Something could not be judged.
    Incomplete,
}

impl Exit {
    /// Returns the number.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Denied => 1,
            Self::Incomplete => 2,
        }
    }
}

impl Verdict {
    /// Returns the exit code: a denial wins over a failure.
    pub fn exit(&self) -> Exit {
        let failed =
            !self.failures.is_empty() || self.summary.not_judged.iter().any(|it| it.failure);
        if self.denied() > 0 {
            Exit::Denied
        } else if failed {
            Exit::Incomplete
        } else {
            Exit::Passed
        }
    }

    /// Returns the number of findings that close the gate.
    pub fn denied(&self) -> usize {
        self.findings.iter().filter(|judged| judged.enforcement == Enforcement::Deny).count()
    }

    /// Returns how many things were not judged, by reason.
    pub fn not_judged_by_reason(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for it in &self.summary.not_judged {
            *counts.entry(it.reason.as_str()).or_insert(0) += 1;
        }
        counts
    }
}
