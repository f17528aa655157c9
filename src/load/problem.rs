//! What a text gets wrong, before any object is looked at.

use crate::finding::Finding;
use crate::rule::{Doors, Enforcement, Minors, RuleId, RuleMeta, Scope, Severity};
use crate::source::{Encoding, Source, SourceId, Span};

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The text is not YAML, or not JSON.
    Syntax,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// The text is deeper or larger than the limits allow.
    Limit,
    /// The bytes are not text.
    Encoding,
    /// Text after the first document of a chunk that Kubernetes never reads.
    Unread,
}

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where it is.
    pub span: Span,
    /// What is wrong: one sentence, no final period.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Another place worth a look, e.g. where a key stands first.
    pub related: Option<(Span, String)>,
}

const SYNTAX: RuleId = RuleId::known("yaml/syntax-error");
const DUPLICATE: RuleId = RuleId::known("yaml/duplicate-key");
const LIMIT: RuleId = RuleId::known("yaml/limit-exceeded");
const ENCODING: RuleId = RuleId::known("yaml/invalid-encoding");
const UNREAD: RuleId = RuleId::known("yaml/unread-text");

impl ProblemKind {
    /// Returns the rule under which the problem is reported.
    pub fn rule(self) -> RuleId {
        match self {
            Self::Syntax => SYNTAX,
            Self::DuplicateKey => DUPLICATE,
            Self::Limit => LIMIT,
            Self::Encoding => ENCODING,
            Self::Unread => UNREAD,
        }
    }
}

impl Problem {
    /// Returns a problem at `span`.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, span, message: message.into(), help: None, related: None }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says whether nothing could be read of the document that has it.
    pub fn is_fatal(&self) -> bool {
        match self.kind {
            ProblemKind::Syntax | ProblemKind::Limit | ProblemKind::Encoding => true,
            ProblemKind::DuplicateKey | ProblemKind::Unread => false,
        }
    }

    /// Returns the finding that reports the problem.
    pub fn to_finding(&self, rule: &RuleMeta) -> Finding {
        let mut finding = Finding::new(rule, self.span, self.message.clone());
        finding.help.clone_from(&self.help);
        if let Some((span, note)) = &self.related {
            finding = finding.with_related(*span, note.clone());
        }
        finding
    }
}

/// Returns the problem of a source whose bytes are not text, where it has one.
pub(super) fn unreadable(source: &Source, id: SourceId) -> Option<Problem> {
    let Encoding::Invalid { first } = source.encoding() else {
        return None;
    };
    let message = "the text is not UTF-8 from here on, so Kubernetes refuses the file";
    Some(
        Problem::new(ProblemKind::Encoding, Span::new(id, first, first), message)
            .with_help("save the file as UTF-8"),
    )
}

/// Returns the rules under which problems of texts are reported.
pub fn rules() -> Vec<RuleMeta> {
    let rule = |id, title, description, help, severity, enforcement| RuleMeta {
        id,
        title: std::borrow::Cow::Borrowed(title),
        description: std::borrow::Cow::Borrowed(description),
        help: std::borrow::Cow::Borrowed(help),
        severity,
        enforcement,
        scope: Scope::Source,
        doors: Doors::Repository,
        minors: Minors::ALL,
        since: "0.1.0".into(),
        references: Vec::new(),
    };
    vec![
        rule(
            SYNTAX,
            "Text cannot be read",
            "The text is not YAML as Kubernetes reads it, or not JSON. Nothing in the document is \
             judged or applied: the reconciler stops at it.",
            "mend the text at the place shown; `kubectl apply --dry-run=client -f` refuses it too",
            Severity::High,
            Enforcement::Deny,
        ),
        rule(
            DUPLICATE,
            "Key stands twice",
            "Of two equal keys kubectl silently keeps the last one, kustomize and the API server's \
             strict validation refuse the file, and a reader sees the first. What is reviewed is \
             not what is applied.",
            "remove one of the two keys",
            Severity::High,
            Enforcement::Deny,
        ),
        rule(
            LIMIT,
            "Text exceeds a limit",
            "The text is nested deeper, or expands to more values, than any manifest needs. Such \
             texts are used to exhaust the memory of whoever reads them.",
            "split the file, or write out what its aliases repeat",
            Severity::High,
            Enforcement::Deny,
        ),
        rule(
            ENCODING,
            "Text is not UTF-8",
            "Kubernetes reads UTF-8, and UTF-16 with a byte order mark. Any other bytes are refused.",
            "save the file as UTF-8",
            Severity::High,
            Enforcement::Deny,
        ),
        rule(
            UNREAD,
            "Text that Kubernetes never reads",
            "Between two `---` lines Kubernetes reads one document. What follows a `...` line is \
             silently ignored, though a reader takes it for a part of the file.",
            "start the document with a `---` line, or remove it",
            Severity::Medium,
            Enforcement::Deny,
        ),
    ]
}
