//! What the documents of every file turn out to be, and what is to be said of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::FileRole;
use super::reach::Reach;
use super::{Other, Role, client, rules, template};
use crate::document::Document;
use crate::finding::Finding;
use crate::load::{self, Dialect, Parsed, Repository};
use crate::rule::{RuleId, RuleMeta};
use crate::source::{RepoPath, Source, Span};

/// What the documents turned out to be.
pub(super) struct Found {
    pub(super) plain: Vec<(RepoPath, usize)>,
    pub(super) others: Vec<Other>,
    pub(super) resources: Vec<RepoPath>,
    pub(super) findings: Vec<Finding>,
    /// Files of which the same is to be said, by rule and folder.
    notices: BTreeMap<(RuleId, RepoPath), BTreeMap<RepoPath, Span>>,
    yaml: Vec<RuleMeta>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            plain: Vec::new(),
            others: Vec::new(),
            resources: Vec::new(),
            findings: Vec::new(),
            notices: BTreeMap::new(),
            yaml: load::rules(),
        }
    }
}

impl Found {
    /// Sorts the documents of a file, and returns the role of the file.
    pub(super) fn sort(
        &mut self,
        repository: &Repository,
        reach: &Reach<'_>,
        file: &FileRole<'_>,
    ) -> Role {
        let Some(entry) = repository.file(file.path) else { return file.role };
        let start = Span::start_of(entry.source);
        let asked = entry.in_scope || reach.uses.contains_key(file.path);
        let mut role = file.role;
        let parsed = file.dialect.and_then(|dialect| repository.parsed_before(file.path, dialect));
        match (role, parsed) {
            (Role::Object, Some(parsed)) => {
                self.resources.push(file.path.clone());
                self.problems(repository, file, parsed);
            }
            (Role::Patch, Some(parsed)) => {
                for document in &parsed.documents {
                    self.other(file.path, document, role);
                }
                self.problems(repository, file, parsed);
            }
            (Role::Other | Role::Unreferenced, Some(parsed)) if entry.in_scope => {
                role = self.plain(repository, file, parsed);
            }
            (Role::Unreferenced, _) => role = Role::Other,
            (Role::Other | Role::Object | Role::Patch, _) => {}
            (Role::Kustomization, _) => {
                self.file(file.path, start, role);
                if let Some(parsed) = repository.parsed_before(file.path, Dialect::Kubectl)
                    && asked
                {
                    self.problems(repository, file, parsed);
                }
            }
            (Role::Template, _) => {
                self.file(file.path, start, role);
                if asked {
                    self.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
                }
            }
            _ if asked => self.file(file.path, start, role),
            _ => {}
        }
        role
    }

    /// Sorts the documents of a file that no kustomization uses.
    fn plain(&mut self, repository: &Repository, file: &FileRole<'_>, parsed: &Parsed) -> Role {
        let text = repository.source(file.path).map(Source::text);
        let text = text.unwrap_or_default();
        let start = parsed.documents.first().map(|document| document.span);
        let broken = parsed.problems.iter().any(load::Problem::is_fatal);
        if broken && template::is_template(text) {
            if let Some(entry) = repository.file(file.path) {
                let start = Span::start_of(entry.source);
                self.file(file.path, start, Role::Template);
                if template::looks_like_manifest(text) {
                    self.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
                }
            }
            return Role::Template;
        }
        let mut objects = false;
        let mut file_role = None;
        for (index, document) in parsed.documents.iter().enumerate() {
            if document.object.is_none() {
                continue;
            }
            let own = client::role(document).unwrap_or_else(|| {
                if client::is_placeholder(document) { Role::Template } else { Role::Object }
            });
            if own == Role::Object && file.role != Role::Unreferenced {
                objects = true;
                self.plain.push((file.path.clone(), index));
                continue;
            }
            let role = if own == Role::Object { Role::Unreferenced } else { own };
            file_role.get_or_insert(role);
            self.other(file.path, document, role);
            let notice = match role {
                Role::Template => rules::UNRENDERED_TEMPLATE,
                Role::Unreferenced => rules::UNREFERENCED_FILE,
                _ => continue,
            };
            self.notice(notice, file.path, start.unwrap_or(document.span));
        }
        // A text of which nothing is an object is none of Kubernetes' business, unless it claims
        // to be one and cannot be read.
        let claims = || broken && file_role.is_none() && template::looks_like_manifest(text);
        if objects || (file.role == Role::Other && claims()) {
            self.problems(repository, file, parsed);
            return Role::Object;
        }
        file_role.unwrap_or(Role::Other)
    }

    /// Reports what a manifest's text gets wrong.
    fn problems(&mut self, repository: &Repository, file: &FileRole<'_>, parsed: &Parsed) {
        let text = repository.source(file.path).map(Source::text);
        let broken = parsed.problems.iter().any(load::Problem::is_fatal);
        if broken && text.is_some_and(template::is_template) {
            if let Some(entry) = repository.file(file.path) {
                let start = Span::start_of(entry.source);
                self.notice(rules::UNRENDERED_TEMPLATE, file.path, start);
            }
            return;
        }
        for problem in &parsed.problems {
            if let Some(rule) = self.yaml.iter().find(|rule| rule.id == problem.kind.rule()) {
                self.findings.push(problem.to_finding(rule));
            }
        }
    }

    fn other(&mut self, path: &RepoPath, document: &Document, role: Role) {
        let Some(object) = &document.object else { return };
        self.others.push(Other {
            path: path.clone(),
            span: document.span,
            api_version: Arc::clone(&object.api_version),
            kind: Arc::clone(&object.kind),
            role,
        });
    }

    fn file(&mut self, path: &RepoPath, span: Span, role: Role) {
        let empty: Arc<str> = Arc::from("");
        self.others.push(Other {
            path: path.clone(),
            span,
            api_version: Arc::clone(&empty),
            kind: empty,
            role,
        });
    }

    fn notice(&mut self, rule: RuleId, path: &RepoPath, span: Span) {
        let files = self.notices.entry((rule, path.parent())).or_default();
        files.entry(path.clone()).or_insert(span);
    }

    /// Reports what is the same for several files of a folder, once a folder.
    pub(super) fn notices(&mut self) {
        for ((rule, _), files) in std::mem::take(&mut self.notices) {
            let more = files.len() - 1;
            let mut files = files.into_iter();
            let (Some((path, span)), Some(rule)) = (files.next(), rules::rule(&rule)) else {
                continue;
            };
            let what = if rule.id == rules::UNREFERENCED_FILE {
                "not listed by the kustomization beside which it lies"
            } else {
                "a template that is not filled in"
            };
            let and = match more {
                0 => String::new(),
                1 => " (like one more file of its folder)".to_owned(),
                more => format!(" (like {more} more files of its folder)"),
            };
            let message = format!("`{}` is {what}{and}, so it is not judged", path.name());
            let finding = Finding::new(&rule, span, message);
            self.findings.push(files.fold(finding, |finding, (path, span)| {
                finding.with_related(span, format!("the same holds for `{}`", path.name()))
            }));
        }
    }
}
