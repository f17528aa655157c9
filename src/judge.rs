//! From findings to a verdict: enforcement, order, exit code. Evaluates no rule.

mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{Place, Settings};
use crate::environment::{KubernetesVersion, Tier};
use crate::finding::{Failure, Finding, Fingerprint};
use crate::rule::{Enforcement, Registry};
use crate::source::{RepoPath, SourceMap, Span};

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
    /// The number of objects that it would receive.
    pub objects: usize,
}

/// What was judged and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
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
    /// The version for objects of which no environment is known.
    pub default_kubernetes: Option<KubernetesVersion>,
}

/// The verdict of one run, ready to be reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The findings that are shown, worst first within their file: by path, line and rule.
    pub findings: Vec<Judged>,
    /// Rules that could not be evaluated, and anything else that closes the gate.
    pub failures: Vec<Failure>,
    /// What was judged.
    pub summary: Summary,
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

/// Everything that decides what a finding does to the gate.
#[derive(Debug, Clone, Copy)]
pub struct Court<'run> {
    /// All texts of the run.
    pub sources: &'run SourceMap,
    /// The rules of the run.
    pub registry: &'run Registry,
    /// The configuration.
    pub settings: &'run Settings,
    /// The tier of every environment.
    pub tiers: &'run BTreeMap<Arc<str>, Tier>,
}

impl Court<'_> {
    /// Returns each defect once, in the order of its place, with what it does to the gate.
    pub fn judge(&self, findings: Vec<Finding>) -> Vec<Judged> {
        let mut placed: Vec<(RepoPath, Finding, Enforcement)> = merge::merge(findings)
            .into_iter()
            .filter_map(|finding| {
                let path = self.sources.path(finding.primary.span);
                let (finding, enforcement) = self.enforce(finding, &path)?;
                Some((path, finding, enforcement))
            })
            .collect();
        placed.sort_by(|(path, a, _), (other, b, _)| {
            let place = |it: &Finding| (it.primary.span.start, it.primary.span.end);
            (path, place(a), &a.rule, &a.message, &a.object).cmp(&(
                other,
                place(b),
                &b.rule,
                &b.message,
                &b.object,
            ))
        });
        let mut alike: BTreeMap<Fingerprint, usize> = BTreeMap::new();
        placed
            .into_iter()
            .map(|(path, finding, enforcement)| {
                let nth = alike.entry(Fingerprint::new(&finding, &path, 0)).or_insert(0);
                let fingerprint = Fingerprint::new(&finding, &path, *nth);
                *nth += 1;
                Judged { finding, enforcement, fingerprint }
            })
            .collect()
    }

    /// Returns the finding with the environments in which it counts, and the strictest of them.
    fn enforce(&self, mut finding: Finding, path: &RepoPath) -> Option<(Finding, Enforcement)> {
        let default =
            self.registry.get(&finding.rule).map_or(Enforcement::Deny, |meta| meta.enforcement);
        let at = |environment| {
            self.settings.enforcement(&finding.rule, default, Place { environment, path })
        };
        if finding.environments.is_empty() {
            let enforcement = at(None);
            return (enforcement != Enforcement::Off).then_some((finding, enforcement));
        }
        let mut strictest = Enforcement::Off;
        let mut reached = BTreeSet::new();
        for name in &finding.environments {
            let tier = self.tiers.get(name).copied().unwrap_or(Tier::NonProduction);
            let enforcement = at(Some((&**name, tier)));
            if enforcement != Enforcement::Off {
                reached.insert(Arc::clone(name));
            }
            strictest = strictest.max(enforcement);
        }
        finding.environments = reached;
        (strictest != Enforcement::Off).then_some((finding, strictest))
    }
}
