//! Single values as their text stands in the files, which kustomize carries along with them.

use std::sync::Arc;

use super::inline;
use super::object::scalar_text;
use crate::document::{Node, NodeKind, Scalar};
use crate::load::Dialect;
use crate::source::{SourceId, SourceMap, Span};

/// Returns what a text is where it stands without quotes.
pub(super) fn plain(text: &str) -> Scalar {
    if text.is_empty() {
        return Scalar::Null;
    }
    let may_be_other = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || "+-.~".contains(c))
        && !text.contains(char::is_whitespace);
    if !may_be_other {
        return Scalar::String(Arc::from(text));
    }
    let nowhere = Span::start_of(SourceId::NOWHERE);
    let mut parsed = inline::parse_alone(text, nowhere, Dialect::Kustomize);
    match parsed.documents.pop().map(|document| document.root.kind) {
        Some(NodeKind::Scalar(scalar)) => scalar,
        // A document that holds nothing is left out.
        None if parsed.problems.is_empty() => Scalar::Null,
        _ => Scalar::String(Arc::from(text)),
    }
}

/// Returns the text of a value as it is written, `0x10` and `1.50` included; of a list or a map,
/// nothing.
pub(super) fn written(node: &Node, sources: &SourceMap) -> Arc<str> {
    let NodeKind::Scalar(scalar) = &node.kind else { return Arc::from("") };
    if let Scalar::String(text) = scalar {
        return Arc::clone(text);
    }
    let text = sources.text(node.span);
    if plain(text) == *scalar { Arc::from(text) } else { scalar_text(scalar) }
}

/// Says whether a text stands in quotes, or in a block of its own.
///
/// A text that would be something else without quotes has some, wherever it came from.
pub(super) fn is_quoted(node: &Node, sources: &SourceMap) -> bool {
    let Some(text) = node.as_str() else { return false };
    let start = sources.text(node.span);
    start.starts_with(['"', '\''])
        || text.contains('\n')
        || is_block(node.span, sources)
        || !matches!(plain(text), Scalar::String(_))
}

/// Says whether a place is the content of a block, whose header ends the line before it.
fn is_block(span: Span, sources: &SourceMap) -> bool {
    let before = sources
        .get(span.source)
        .and_then(|source| source.text().get(..span.start as usize))
        .and_then(|text| text.rsplit_once('\n'));
    before.is_some_and(|(above, indent)| {
        let line = above.rsplit('\n').next().unwrap_or_default().trim_end();
        let header = line.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        indent.trim().is_empty() && [" |", " >"].iter().any(|it| header.ends_with(it))
    })
}
