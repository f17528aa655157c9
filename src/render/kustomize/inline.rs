//! YAML that stands inside of a value, with its places in the file around it.

use crate::document::{Document, Node, NodeKind};
use crate::load::{self, Dialect, Limits, Parsed};
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// Reads the text of a value as documents of their own.
///
/// Places lead into the value where its lines stand as they are in the file around it (a literal
/// block, a plain or quoted line without escapes); otherwise they are that of the whole value.
pub(in crate::render) fn parse(
    text: &str,
    span: Span,
    sources: &SourceMap,
    dialect: Dialect,
) -> Parsed {
    let Some(outer) = sources.get(span.source) else { return Parsed::default() };
    let parsed = read(text, dialect);
    translated(parsed, &Places::new(text, span, outer.text()))
}

/// Reads a text whose places do not matter: all are the same one.
pub(super) fn parse_alone(text: &str, span: Span, dialect: Dialect) -> Parsed {
    translated(read(text, dialect), &Places { span, lines: Vec::new() })
}

fn read(text: &str, dialect: Dialect) -> Parsed {
    // The inner text gets a map of its own, and its places are translated before they leave.
    let mut inner = SourceMap::default();
    // Such a text is read as a kustomization is: to its end, whether that is the end of a line.
    let path = RepoPath::new("kustomization.yaml");
    let source = Source::new(path, Origin::File, text.as_bytes().to_vec());
    let id = inner.add(source);
    let Some(source) = inner.get(id) else { return Parsed::default() };
    load::parse(source, id, dialect, &Limits::default())
}

fn translated(parsed: Parsed, places: &Places) -> Parsed {
    let documents = parsed
        .documents
        .into_iter()
        .map(|mut document| {
            places.translate(&mut document.root);
            Document::new(document.root)
        })
        .collect();
    let problems = parsed
        .problems
        .into_iter()
        .map(|mut problem| {
            problem.span = places.of(problem.span);
            problem.related = problem.related.map(|(span, note)| (places.of(span), note));
            problem
        })
        .collect();
    Parsed { documents, problems }
}

/// Where the lines of an inner text stand in the outer one.
struct Places {
    span: Span,
    /// The start of each line in the inner text and in the outer one; empty where they differ.
    lines: Vec<(u32, u32)>,
}

impl Places {
    fn new(inner: &str, span: Span, outer: &str) -> Self {
        let lines = align(inner, span, outer).unwrap_or_default();
        Self { span, lines }
    }

    fn offset(&self, at: u32) -> Option<u32> {
        let line = self.lines.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
        let (inner, outer) = self.lines.get(line)?;
        Some(outer + (at - inner))
    }

    fn of(&self, span: Span) -> Span {
        match (self.offset(span.start), self.offset(span.end)) {
            (Some(start), Some(end)) => Span::new(self.span.source, start, end),
            _ => self.span,
        }
    }

    fn translate(&self, node: &mut Node) {
        node.span = self.of(node.span);
        match &mut node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => items.iter_mut().for_each(|item| self.translate(item)),
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    entry.key_span = self.of(entry.key_span);
                    self.translate(&mut entry.value);
                }
            }
        }
    }
}

/// Finds each line of the inner text in the outer one, in order.
fn align(inner: &str, span: Span, outer: &str) -> Option<Vec<(u32, u32)>> {
    let mut at = span.start as usize;
    let block = outer.get(at..)?;
    let header = block.lines().next()?;
    if header.trim_start().starts_with(['|', '>']) {
        at += header.len() + 1;
    }
    let mut lines = Vec::new();
    let mut start = 0;
    for line in inner.split('\n') {
        // A line of a block stands at the end of its outer line, behind the indentation.
        if !line.trim().is_empty() {
            loop {
                let rest = outer.get(at..)?;
                let whole = rest.split('\n').next()?;
                let trimmed = whole.trim_end_matches('\r');
                if let Some(indent) = trimmed.strip_suffix(line)
                    && (indent.trim().is_empty() || lines.is_empty())
                {
                    lines
                        .push((u32::try_from(start).ok()?, u32::try_from(at + indent.len()).ok()?));
                    at += whole.len() + 1;
                    break;
                }
                if let Some(found) = trimmed.find(line).filter(|_| lines.is_empty()) {
                    lines.push((u32::try_from(start).ok()?, u32::try_from(at + found).ok()?));
                    at += whole.len() + 1;
                    break;
                }
                if !whole.trim().is_empty() {
                    return None;
                }
                at += whole.len() + 1;
            }
        }
        start += line.len() + 1;
    }
    let inside = lines.last().is_none_or(|(_, last)| *last < span.end.max(span.start + 1));
    inside.then_some(lines)
}
