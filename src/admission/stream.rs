//! Many AdmissionReviews in one text: JSON or YAML documents, one after the other.

use crate::document::Node;
use crate::load::{self, Dialect, Limits, Problem, ProblemKind};
use crate::source::{Source, SourceId};

/// A document of a text.
#[derive(Debug)]
pub struct Question {
    /// The offset at which it starts; after the last one, where nothing of it could be read.
    pub start: u32,
    /// The document, or why it cannot be read.
    pub node: Result<Node, Problem>,
}

/// Returns the documents of a text in their order.
///
/// What cannot be read does not hide what follows: after a broken JSON value reading goes on at
/// the next line that starts with a brace.
pub fn questions(source: &Source, id: SourceId, limits: &Limits) -> Vec<Question> {
    if source.text().trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        return json(source, id, limits);
    }
    let parsed = load::parse(source, id, Dialect::Kubectl, limits);
    let mut all: Vec<Question> = parsed
        .documents
        .into_iter()
        .map(|it| Question { start: it.span.start, node: Ok(it.root) })
        .chain(
            // A key that stands twice leaves its document readable.
            parsed
                .problems
                .into_iter()
                .filter(|it| it.kind != ProblemKind::DuplicateKey)
                .map(|it| Question { start: it.span.start, node: Err(it) }),
        )
        .collect();
    all.sort_by_key(|it| it.start);
    all
}

fn json(source: &Source, id: SourceId, limits: &Limits) -> Vec<Question> {
    let text = source.text();
    let mut all = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    loop {
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        match load::json_value(source, id, start, limits) {
            Ok(None) => return all,
            Ok(Some((node, end))) => {
                at = end as usize;
                all.push(Question { start, node: Ok(node) });
            }
            Err(problem) => {
                all.push(Question { start, node: Err(problem) });
                // The first one, not the first after the break: a value without its end takes the
                // next one for a part of itself.
                let rest = text.get(at..).unwrap_or_default();
                let space = rest.len() - rest.trim_start().len();
                match rest.trim_start().find("\n{") {
                    Some(next) => at += space + next + 1,
                    None => return all,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, RepoPath, SourceMap};

    fn read(text: &str) -> Vec<Result<serde_json::Value, u32>> {
        let mut sources = SourceMap::default();
        let path = RepoPath::new("<stdin>");
        let id = sources.add(Source::new(path, Origin::Stdin, text.into()));
        let source = sources.get(id).unwrap();
        let line = |it: Problem| sources.location(it.span).start.line;
        questions(source, id, &Limits::default())
            .into_iter()
            .map(|it| it.node.map(|node| node.to_json()).map_err(line))
            .collect()
    }

    #[test]
    fn values_follow_each_other_with_or_without_line_breaks() {
        let one = || Ok(serde_json::json!({"a": 1}));
        assert_eq!(read("{\"a\": 1}{\"a\":\n1}\n\n{\"a\": 1}"), [one(), one(), one()]);
        assert_eq!(read("a: 1\n---\n# nothing\n---\na: 1\n"), [one(), one()]);
        assert_eq!(read(" \n"), []);
    }

    #[test]
    fn a_broken_value_does_not_hide_the_next() {
        let good = || Ok(serde_json::json!({"a": 1}));
        assert_eq!(
            read("{\"a\": 1}\n{\"a\": \n  {oops}\n}\n{\"a\": 1}\n{"),
            [good(), Err(3), good(), Err(6)]
        );
        assert_eq!(read("{\"a\": 1\n{\"a\": 1}\n{\"a\": 1}"), [Err(2), good(), good()]);
        assert_eq!(read("{\"a\":\n{\n{\"a\": 1}"), [Err(3), Err(3), good()]);
        assert_eq!(read("a: 1\n---\na: [\n---\na: 1\n").len(), 3);
    }
}
