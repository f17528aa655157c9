//! Verdicts for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Display, Format, Report, SourceUrl, Style, write};
use crate::config::WaiverNote;
use crate::document::{FieldPath, ObjectRef};
use crate::environment::KubernetesVersion;
use crate::finding::{Failure, Finding, Fingerprint};
use crate::judge::{
    Judged, JudgedEnvironment, JudgedKind, NotJudged, OtherDocument, Verdict, Waived,
};
use crate::rule::{Doors, Enforcement, Minors, Reference, Registry, RuleMeta, Scope, Severity};
use crate::source::{Origin, RepoPath, Source, SourceId, SourceMap, Span};

/// A repository with a verdict.
#[derive(Debug, Default)]
pub(super) struct Repo {
    pub(super) sources: SourceMap,
    pub(super) registry: Registry,
    pub(super) verdict: Verdict,
    pub(super) prefix: String,
    pub(super) source_url: Option<SourceUrl>,
    ids: BTreeMap<String, SourceId>,
}

impl Repo {
    /// Adds a file.
    pub(super) fn file(&mut self, path: &str, text: &str) {
        let source = Source::new(RepoPath::new(path), Origin::File, text.into());
        let id = self.sources.add(source);
        self.ids.insert(path.to_owned(), id);
        self.verdict.summary.files += 1;
    }

    /// Returns the span of the first occurrence of a text.
    pub(super) fn span(&self, path: &str, text: &str) -> Span {
        let id = self.ids[path];
        let start = self.sources.get(id).unwrap().text().find(text).unwrap();
        let at = |offset| u32::try_from(offset).unwrap();
        Span::new(id, at(start), at(start + text.len()))
    }

    /// Adds a rule to the registry.
    pub(super) fn rule(&mut self, meta: &RuleMeta) {
        self.registry.add(meta.clone()).unwrap();
    }

    /// Adds a finding to the verdict.
    pub(super) fn judge(&mut self, finding: Finding, enforcement: Enforcement) {
        let path = self.sources.path(finding.primary.span);
        let nth = self.verdict.findings.len();
        let fingerprint = Fingerprint::new(&finding, &path, nth);
        self.verdict.findings.push(Judged { finding, enforcement, fingerprint });
    }

    /// Adds a finding that a waiver at `at` lets through.
    pub(super) fn waive(&mut self, finding: Finding, at: Span) {
        let fingerprint = Fingerprint::new(&finding, &RepoPath::root(), self.verdict.waived.len());
        let waiver = WaiverNote {
            span: at,
            rules: vec![finding.rule.to_string()],
            reason: "known and followed up".to_owned(),
            owner: Some("team-shop".to_owned()),
            ticket: None,
            expires: Some(("2026-12-31".parse().unwrap(), at)),
        };
        let judged = Judged { finding, enforcement: Enforcement::Deny, fingerprint };
        self.verdict.waived.push(Waived { judged, waiver: Arc::new(waiver) });
    }

    /// Adds an environment to the verdict.
    pub(super) fn environment(&mut self, name: &str, tier: &'static str, given: bool) {
        self.verdict.summary.environments.push(JudgedEnvironment {
            name: name.to_owned(),
            tier,
            kubernetes: KubernetesVersion { major: 1, minor: 37 },
            version_given: given,
            upgraded_from: None,
            objects: 7,
        });
    }

    /// Writes the verdict.
    pub(super) fn write(&self, format: Format, style: Style) -> String {
        let report = Report {
            verdict: &self.verdict,
            sources: &self.sources,
            registry: &self.registry,
            display: Display { prefix: self.prefix.clone(), source_url: self.source_url.clone() },
        };
        let mut out = Vec::new();
        write(&report, format, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Writes the verdict for people: 80 columns, no color.
    pub(super) fn human(&self) -> String {
        self.write(Format::Human, PLAIN)
    }
}

/// A terminal of 80 columns without color.
pub(super) const PLAIN: Style = Style { color: false, unicode: true, width: 80, links: false };

/// Returns a rule of high severity that denies.
pub(super) fn rule(id: &str) -> RuleMeta {
    RuleMeta {
        id: id.parse().unwrap(),
        title: "Title of the rule".into(),
        description: "The first sentence says why. The second says more.\n\nA paragraph.".into(),
        help: "the help of the rule".into(),
        severity: Severity::High,
        enforcement: Enforcement::Deny,
        scope: Scope::Object,
        doors: Doors::Both,
        minors: Minors::ALL,
        since: "0.1.0".into(),
        references: vec![Reference {
            title: "Good practice".into(),
            url: "https://example.com/practice".into(),
        }],
    }
}

/// Returns a verdict that has something of everything.
pub(super) fn full() -> Repo {
    let mut repo = Repo::default();
    repo.file("apps/web/role.yaml", ROLE);
    repo.file("clusters/prod/binding.yaml", BINDING);
    let wildcard = rule("rbac/wildcard-verb");
    let schema = rule("schema/unknown-field");
    repo.rule(&wildcard);
    repo.rule(&schema);
    let object = Some(ObjectRef {
        api_version: "rbac.authorization.k8s.io/v1".into(),
        kind: "Role".into(),
        namespace: Some("shop".into()),
        name: "web".into(),
    });
    let mut finding = Finding::new(
        &wildcard,
        repo.span("apps/web/role.yaml", "\"*\""),
        "Role `web` grants every verb on `pods`",
    )
    .with_object(object)
    .with_path(FieldPath::from(["rules"]).index(0).key("verbs").index(0))
    .with_note("every verb, those of later versions included")
    .with_help("list the verbs that the workload needs")
    .with_related(
        repo.span("clusters/prod/binding.yaml", "default"),
        "bound to every pod of the namespace",
    );
    finding.environments = ["prod".into(), "stage".into()].into();
    repo.judge(finding, Enforcement::Deny);
    let finding = Finding::new(
        &schema,
        repo.span("clusters/prod/binding.yaml", "roleref"),
        "unknown field `roleref` in RoleBinding",
    )
    .with_path(FieldPath::from(["roleref"]));
    repo.judge(finding, Enforcement::Warn);
    repo.verdict.failures.push(Failure {
        rule: Some(wildcard.id),
        span: Some(repo.span("clusters/prod/binding.yaml", "subjects")),
        reason: "evaluation took longer than 1 s".to_owned(),
        help: None,
    });
    repo.verdict.failures.push(Failure {
        rule: None,
        span: None,
        reason: "the policy bundle `extra` cannot be read".to_owned(),
        help: None,
    });
    repo.environment("prod", "production", true);
    repo.environment("stage", "non-production", false);
    let summary = &mut repo.verdict.summary;
    summary.documents = 3;
    summary.objects = 14;
    summary.roots = 2;
    summary.rules = 38;
    summary.default_kubernetes = Some(KubernetesVersion { major: 1, minor: 37 });
    summary.kinds.push(JudgedKind {
        api_version: "cert-manager.io/v1".to_owned(),
        kind: "Certificate".to_owned(),
        source: Some("embedded"),
        name: Some("github.com/cert-manager/cert-manager v1.21.2".to_owned()),
        objects: 2,
    });
    let charts = (1..=7).map(|n| NotJudged {
        path: RepoPath::new(&format!("charts/web/templates/{n}.yaml")),
        span: None,
        reason: "the template of a chart is no manifest before it is rendered".to_owned(),
        failure: false,
    });
    summary.not_judged.extend(charts);
    summary.not_judged.push(NotJudged {
        path: RepoPath::new("overlays/dev"),
        span: None,
        reason: "the base `../missing` does not exist".to_owned(),
        failure: true,
    });
    let subjects = repo.span("clusters/prod/binding.yaml", "kind: RoleBinding");
    repo.verdict.summary.other_documents.push(OtherDocument {
        span: subjects,
        api_version: "rbac.authorization.k8s.io/v1".to_owned(),
        kind: "RoleBinding".to_owned(),
        role: "patch",
    });
    repo
}

const ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: web
  namespace: shop
rules:
  - apiGroups: [\"\"]
    verbs: [\"*\"]
    resources: [pods]
";

const BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: web
roleref:
  kind: Role
  name: web
subjects:
  - kind: ServiceAccount
    name: default
";
