//! YAML and JSON as Kubernetes' own readers take them.
//!
//! Two dialects are met in one repository. kubectl, Argo CD's plain folders and the API server
//! read through `sigs.k8s.io/yaml` (go-yaml v2: YAML 1.1 scalars, the last of two equal keys
//! wins); kustomize, and so Flux, through kyaml (go-yaml v3: `yes` stays a string, dates are
//! rewritten, keys are strings).

mod block;
mod build;
mod mapping;
mod resolve;
mod shared;
mod split;
mod timestamp;

pub(crate) use resolve::is_typed;

use super::{Parsed, Problem, ProblemKind};
use crate::document::Document;
use crate::source::{Source, SourceId, Span};

/// Whose reading of a text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// kubectl, Argo CD's plain folders, the API server: go-yaml v2.
    Kubectl,
    /// kustomize and Flux: go-yaml v3.
    Kustomize,
}

/// How much of a text is read before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The deepest nesting, aliases expanded.
    pub depth: usize,
    /// The number of values in one document, aliases expanded.
    pub nodes: usize,
    /// The number of documents in one file.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 250, nodes: 2_000_000, documents: 100_000 }
    }
}

/// Reads all documents of a source, and says what could not be read.
///
/// A document that cannot be read does not hide the ones after it.
pub fn parse(source: &Source, id: SourceId, dialect: Dialect, limits: &Limits) -> Parsed {
    let text = source.text();
    let mut parsed = Parsed::default();
    let chunks = match split::split(text, dialect) {
        Ok(chunks) => chunks,
        Err(chunks_and_error) => {
            let (chunks, separator) = *chunks_and_error;
            parsed.problems.push(
                Problem::new(
                    ProblemKind::Syntax,
                    Span::new(id, separator.start, separator.end),
                    "nothing but a comment may follow `---` on its line",
                )
                .with_help("start the document on the line after `---`"),
            );
            chunks
        }
    };
    let mut shared = shared::Shared::default();
    for (count, chunk) in chunks.into_iter().enumerate() {
        if count >= limits.documents {
            let message = format!("the file holds more than {} documents", limits.documents);
            let span = Span::new(id, chunk.start, chunk.start);
            parsed.problems.push(Problem::new(ProblemKind::Limit, span, message));
            break;
        }
        let reader = build::Reader {
            dialect,
            // kubectl reads lines, and so ends the last one. kustomize takes a text as it is, its
            // own files included, which it reads with kubectl's library.
            ends_last_line: dialect == Dialect::Kubectl && !source.path().is_kustomization(),
        };
        let problems = &mut parsed.problems;
        if let Some(root) = build::build(text, id, chunk, reader, limits, &mut shared, problems) {
            parsed.documents.push(Document::new(root));
        }
    }
    parsed
}

#[cfg(test)]
mod tests;
