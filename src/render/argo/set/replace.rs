//! Fills in templates with parameters, in both forms that Argo CD has.

use std::sync::Arc;

use crate::document::{Document, Entry, Node, NodeKind, Scalar};
use crate::engine::go_template::{self, MissingKey};
use crate::render::RenderError;
use crate::source::Span;

/// How the templates of an `ApplicationSet` are filled in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Templates {
    /// Whether they are templates of Go, and not names between braces.
    pub(super) go: bool,
    missing: MissingKey,
}

impl Templates {
    pub(super) fn of(document: &Document) -> Self {
        let spec = |key| document.root.at(&["spec", key]);
        let mut missing = MissingKey::default();
        for option in spec("goTemplateOptions").map_or(&[][..], Node::items) {
            match option.as_str() {
                Some("missingkey=error") => missing = MissingKey::Error,
                Some("missingkey=zero") => missing = MissingKey::Zero,
                Some("missingkey=default" | "missingkey=invalid") => missing = MissingKey::Default,
                _ => {}
            }
        }
        Self { go: spec("goTemplate").and_then(Node::as_bool) == Some(true), missing }
    }

    /// The same, where a key that is missing is an error.
    pub(super) fn strict(self) -> Self {
        Self { missing: MissingKey::Error, ..self }
    }

    /// Fills in a text.
    pub(super) fn text(
        self,
        text: &str,
        span: Span,
        parameters: &Node,
    ) -> Result<String, RenderError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        if !self.go {
            return Ok(plain(text, parameters));
        }
        go_template::render(text, parameters, self.missing).map_err(|error| {
            RenderError::broken(span, format!("the template cannot be filled in: {error}"))
        })
    }

    /// Fills in every text of a tree, keys included.
    ///
    /// A value that is one parameter and nothing else has the place of the parameter; any other
    /// that of the template.
    pub(super) fn fill(self, node: &Node, parameters: &Node) -> Result<Node, RenderError> {
        let kind = match &node.kind {
            NodeKind::Scalar(Scalar::String(text)) if text.contains("{{") => {
                let filled = self.text(text, node.span, parameters)?;
                let span = self.only(text, parameters).unwrap_or(node.span);
                return Ok(Node::string(filled, span));
            }
            NodeKind::Scalar(scalar) => NodeKind::Scalar(scalar.clone()),
            NodeKind::Sequence(items) => NodeKind::Sequence(
                items.iter().map(|item| self.fill(item, parameters)).collect::<Result<_, _>>()?,
            ),
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        Ok(Entry {
                            key: Arc::from(self.text(&entry.key, entry.key_span, parameters)?),
                            key_span: entry.key_span,
                            value: self.fill(&entry.value, parameters)?,
                        })
                    })
                    .collect::<Result<_, RenderError>>()?,
            ),
        };
        Ok(Node { span: node.span, kind })
    }

    /// Returns the place of the parameter that is all of a text.
    fn only(self, text: &str, parameters: &Node) -> Option<Span> {
        let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
        let found = if self.go {
            let keys: Vec<&str> = name.strip_prefix('.')?.split('.').collect();
            parameters.at(&keys)?
        } else {
            parameters.get(name)?
        };
        Some(found.span)
    }
}

/// Replaces `{{name}}` by the parameter of that name; what has none stays.
fn plain(text: &str, parameters: &Node) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((tag, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        match parameters.get(tag.trim()).and_then(Node::as_str) {
            Some(value) => out.push_str(value),
            None => out.extend(["{{", tag, "}}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
