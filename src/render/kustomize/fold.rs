//! What kustomize makes of folded texts.
//!
//! kustomize writes its objects as YAML and reads them again. The emitter of go-yaml v3 looks for
//! indented lines at the wrong place (`yaml_emitter_write_folded_scalar`), so that a folded text
//! (`>`) comes back with an empty line before each line that is indented more than the one above.

use std::sync::Arc;

use crate::document::{Node, NodeKind, Scalar};
use crate::source::{SourceMap, Span};

/// Changes the folded texts of a tree as kustomize does.
pub(super) fn refold(node: &mut Node, sources: &SourceMap) {
    match &mut node.kind {
        NodeKind::Scalar(Scalar::String(text)) => {
            if text.contains("\n ") && is_folded(node.span, sources) {
                *text = Arc::from(refolded(text));
            }
        }
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => items.iter_mut().for_each(|item| refold(item, sources)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                refold(&mut entry.value, sources);
            }
        }
    }
}

/// Says whether a text stands in a folded block: behind a line that ends with its header.
fn is_folded(span: Span, sources: &SourceMap) -> bool {
    let Some(source) = sources.get(span.source) else { return false };
    let before = source.text().get(..span.start as usize).unwrap_or_default().trim_end();
    let header = before.rsplit('\n').next().unwrap_or_default();
    let header = header.split_once(" #").map_or(header, |(header, _)| header).trim_end();
    let header = header.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
    header.ends_with(" >") && !sources.text(span).starts_with(['"', '\''])
}

fn refolded(text: &str) -> String {
    let blank = |line: &str| line.starts_with([' ', '\t']);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        out.push_str(line);
        out.push('\n');
        let next = after.trim_start_matches('\n');
        if !line.is_empty() && !blank(line) && !blank(text) && blank(next) {
            out.push('\n');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_lines_are_set_apart() {
        assert_eq!(refolded("a\n  b\n  c\nd\n  e\n"), "a\n\n  b\n  c\nd\n\n  e\n");
        assert_eq!(refolded("a\nb\n\nc\n"), "a\nb\n\nc\n");
        assert_eq!(refolded("  a\n  b\nc\n  d"), "  a\n  b\nc\n  d");
    }
}
