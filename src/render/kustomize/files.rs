//! The files of one kustomization: paths, restrictions, and the objects in them.

use std::collections::BTreeSet;

use super::LoadRestrictor;
use super::budget::Budget;
use super::object::{Object, text};
use super::schema::Schemas;
use crate::document::{Document, Node, NodeKind, Scalar};
use crate::graph::kustomization::{self, Found, Kustomization, Text, is_remote};
use crate::load::{Dialect, Parsed, Problem, ProblemKind, Repository};
use crate::render::{Gap, GapKind, RenderError};
use crate::rule::closest;
use crate::source::{RepoPath, SourceMap, Span};

type Result<T> = std::result::Result<T, RenderError>;

/// What one kustomization reads, and what it could not.
pub(super) struct Files<'a> {
    pub(super) repository: &'a Repository,
    pub(super) folder: &'a RepoPath,
    pub(super) restrictor: LoadRestrictor,
    pub(super) read: &'a mut BTreeSet<RepoPath>,
    pub(super) gaps: &'a mut Vec<Gap>,
    pub(super) budget: &'a mut Budget,
    pub(super) schemas: Schemas,
}

impl<'a> Files<'a> {
    pub(super) fn sources(&self) -> &'a SourceMap {
        self.repository.sources()
    }

    /// Returns the path of a file that must be there; `None` where it lies behind a URL.
    pub(super) fn require(&mut self, reference: &Text) -> Result<Option<RepoPath>> {
        self.require_as(reference, &reference.text)
    }

    /// The same for a path that is only a part of the value that holds it.
    pub(super) fn require_as(&mut self, reference: &Text, path: &str) -> Result<Option<RepoPath>> {
        let span = reference.span;
        let joined = self.repository.join(self.folder, path);
        if let Some(joined) = joined.as_ref().filter(|it| self.repository.file(it).is_some()) {
            self.permit(joined, span)?;
            self.read.insert(joined.clone());
            return Ok(Some(joined.clone()));
        }
        if is_remote(path) {
            self.gaps.push(Gap { kind: GapKind::RemoteFile, span, text: path.to_owned() });
            return Ok(None);
        }
        Err(match joined {
            None => outside(span, path),
            Some(joined) if self.repository.is_folder(&joined) => {
                RenderError::broken(span, format!("`{path}` is a folder, but a file is expected"))
            }
            Some(joined) => missing(self.repository, span, "file", path, &joined),
        })
    }

    /// Refuses a file outside of the folder, where kustomize is told to.
    pub(super) fn permit(&self, path: &RepoPath, span: Span) -> Result<()> {
        if self.restrictor == LoadRestrictor::RootOnly && !path.is_within(self.folder) {
            return Err(RenderError::broken(
                span,
                format!("`{path}` lies outside of the folder of the kustomization"),
            )
            .with_help(
                "kustomize reads such a file only with `--load-restrictor LoadRestrictionsNone`; \
                 make it a folder with a kustomization of its own",
            ));
        }
        Ok(())
    }

    pub(super) fn parsed(&self, path: &RepoPath, dialect: Dialect) -> Option<&'a Parsed> {
        self.repository.parsed(path, dialect)
    }

    /// Returns the objects of a file.
    pub(super) fn objects(&mut self, path: &RepoPath, span: Span) -> Result<Vec<Object>> {
        self.read.insert(path.clone());
        match self.parsed(path, Dialect::Kustomize) {
            Some(parsed) => self.objects_of(parsed, span),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the objects of a text.
    pub(super) fn objects_of(&self, parsed: &Parsed, span: Span) -> Result<Vec<Object>> {
        let mut objects = objects(parsed, span, self.sources())?;
        for object in &mut objects {
            object.is_cluster_scoped =
                self.schemas.is_cluster_scoped(&object.api_version(), &object.kind());
        }
        Ok(objects)
    }
}

/// Returns the first document of a file that holds no objects: a configuration, a schema.
pub(super) fn document<'r>(
    repository: &'r Repository,
    path: &RepoPath,
) -> Result<Option<&'r Node>> {
    let parsed = repository.parsed(path, Dialect::Kubectl);
    let problems = parsed.map(|it| it.problems.as_slice()).unwrap_or_default();
    if let Some(problem) = problems.iter().find(|problem| problem.is_fatal()) {
        return Err(RenderError {
            help: problem.help.clone(),
            ..RenderError::broken(problem.span, problem.message.clone())
        });
    }
    Ok(parsed.and_then(|parsed| parsed.documents.first()).map(|document| &document.root))
}

/// The error of a path that leaves the repository.
pub(super) fn outside(span: Span, path: &str) -> RenderError {
    RenderError::broken(span, format!("`{path}` leads out of the repository"))
        .with_help("only what lies in the repository can be judged; use a relative path inside it")
}

/// The error of a path at which there is nothing.
///
/// `what` is what was looked for: a file, or a file or a folder.
pub(super) fn missing(
    repository: &Repository,
    span: Span,
    what: &str,
    path: &str,
    joined: &RepoPath,
) -> RenderError {
    let error = RenderError::broken(span, format!("there is no {what} `{path}`"));
    let folder = joined.parent();
    let names = repository.children(&folder).map(|(path, _)| path.name());
    match closest(joined.name(), names) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help(format!("it would be `{joined}` in the repository")),
    }
}

/// Finds and reads the kustomization of a folder.
pub(super) fn load(
    repository: &Repository,
    folder: &RepoPath,
    span: Span,
) -> Result<(RepoPath, Kustomization)> {
    let file = match kustomization::find(repository, folder) {
        Found::One(file) => file,
        Found::None => {
            return Err(RenderError::broken(
                span,
                format!("the folder `{}` has no kustomization", shown(folder)),
            )
            .with_help("add a `kustomization.yaml` to it, or list the files in it"));
        }
        Found::Several(files) => {
            return Err(RenderError::several_kustomizations(span, &files));
        }
    };
    let (kustomization, defects) = kustomization::read(repository, &file)
        .unwrap_or_else(|| (Kustomization::empty(span), Vec::new()));
    match defects.into_iter().next() {
        Some(defect) => Err(defect.into()),
        None => Ok((file, kustomization)),
    }
}

/// Returns the path of a folder as it is shown.
pub(super) fn shown(folder: &RepoPath) -> &str {
    if folder.is_root() { "." } else { folder.as_str() }
}

/// Returns the objects of a text: lists are unwrapped, and each must have a kind and a name.
fn objects(parsed: &Parsed, span: Span, sources: &SourceMap) -> Result<Vec<Object>> {
    let refused = |problem: &&Problem| {
        problem.is_fatal() || matches!(problem.kind, ProblemKind::DuplicateKey)
    };
    if let Some(problem) = parsed.problems.iter().find(refused) {
        return Err(RenderError {
            help: problem.help.clone(),
            ..RenderError::broken(problem.span, problem.message.clone())
        });
    }
    // Items of a list come after all documents, as kustomize puts them.
    let mut queue: std::collections::VecDeque<Node> =
        parsed.documents.iter().map(|document: &Document| document.root.clone()).collect();
    let mut out = Vec::new();
    while let Some(node) = queue.pop_front() {
        if node.is_null() || (node.is_mapping() && node.entries().is_empty()) {
            continue;
        }
        check(&node, span)?;
        let is_list = node.get("kind").map(text).is_some_and(|kind| kind.ends_with("List"));
        match node.get("items").filter(|_| is_list) {
            None => {
                out.push(Object::new(node, sources));
            }
            Some(items) => match &items.kind {
                NodeKind::Sequence(items) => queue.extend(items.iter().cloned()),
                NodeKind::Scalar(Scalar::Null) => {}
                NodeKind::Scalar(_) | NodeKind::Mapping(_) => {
                    return Err(RenderError::broken(
                        items.span,
                        "the `items` of a list must be a list",
                    ));
                }
            },
        }
    }
    Ok(out)
}

/// Refuses what kustomize refuses to take for an object.
pub(super) fn check(node: &Node, span: Span) -> Result<()> {
    let at = if node.span.start < node.span.end { node.span } else { span };
    if !node.is_mapping() {
        return Err(RenderError::broken(at, "an object is expected here, but this is none"));
    }
    let start = node.entries().first().map_or(at, |entry| entry.key_span);
    let kind = node.get("kind").map(text).unwrap_or_default();
    if kind.is_empty() {
        return Err(RenderError::broken(start, "the object has no `kind`")
            .with_help("only objects may be listed under `resources`, not values or other YAML"));
    }
    let name = node.at(&["metadata", "name"]).map(text).unwrap_or_default();
    if name.is_empty() && !kind.ends_with("List") {
        return Err(RenderError::broken(start, format!("the {kind} has no `metadata.name`"))
            .with_help("kustomize needs a name, `generateName` is not enough"));
    }
    Ok(())
}
