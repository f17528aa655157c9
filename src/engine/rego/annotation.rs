//! The `# METADATA` comment above a package, which is YAML inside of comments.

use super::Place;
use crate::document::Node;
use crate::load::{self, Dialect, Limits};
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// The annotation of a package.
#[derive(Debug)]
pub struct Annotation {
    /// Its content.
    pub root: Node,
    /// Where the comment starts.
    pub place: Place,
    file: String,
    sources: SourceMap,
}

/// Why the annotation of a package cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AnnotationError {
    /// Where.
    pub place: Place,
    /// Why: one sentence.
    pub message: String,
}

impl Annotation {
    /// Returns the place in the module of a part of the content.
    pub fn place_of(&self, span: Span) -> Place {
        match self.sources.get(span.source) {
            Some(source) => {
                let position = source.position(span.start);
                Place { file: self.file.clone(), line: position.line, column: position.column }
            }
            None => self.place.clone(),
        }
    }
}

/// Reads the annotation that stands directly above the `package` of a module.
///
/// As OPA does: the block starts at a line `# METADATA` and ends with the comment. An annotation
/// anywhere else belongs to a rule and is not read.
pub(super) fn of_package(file: &str, text: &str) -> Result<Option<Annotation>, AnnotationError> {
    let Some((first, yaml)) = blank_all_else(text) else {
        return Ok(None);
    };
    let start = Place { file: file.to_owned(), line: first, column: 1 };
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::new(file), Origin::File, yaml.into_bytes()));
    let Some(source) = sources.get(id) else {
        return Ok(None);
    };
    let mut parsed = load::parse(source, id, Dialect::Kustomize, &Limits::default());
    if let Some(problem) = parsed.problems.into_iter().next() {
        let position = source.position(problem.span.start);
        return Err(AnnotationError {
            place: Place { file: file.to_owned(), line: position.line, column: position.column },
            message: format!("the annotation is not YAML: {}", problem.message),
        });
    }
    if parsed.documents.len() > 1 {
        return Err(AnnotationError {
            place: start,
            message: "the annotation is more than one YAML document".to_owned(),
        });
    }
    let Some(document) = parsed.documents.pop() else {
        let message = "the annotation is empty".to_owned();
        return Err(AnnotationError { place: start, message });
    };
    Ok(Some(Annotation { root: document.root, place: start, file: file.to_owned(), sources }))
}

/// Returns the line of `# METADATA`, and a text that has the YAML at the lines and columns at
/// which the module has it, and nothing else.
fn blank_all_else(text: &str) -> Option<(u32, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let package = lines.iter().position(|line| line.starts_with("package "))?;
    let above = lines.get(..package)?;
    let length = above.iter().rev().take_while(|line| line.starts_with('#')).count();
    let block = package - length;
    let start = above
        .iter()
        .enumerate()
        .skip(block)
        .find(|(_, line)| line.strip_prefix('#').is_some_and(|it| it.trim() == "METADATA"))
        .map(|(index, _)| index)?;
    let mut yaml = "\n".repeat(start + 1);
    for line in above.iter().skip(start + 1) {
        yaml.push(' ');
        yaml.push_str(line.strip_prefix('#').unwrap_or_default());
        yaml.push('\n');
    }
    Some((u32::try_from(start + 1).unwrap_or(u32::MAX), yaml))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = "# Copyright\n\n# METADATA\n# title: A title\n# custom:\n#   severity: \
                          high\npackage a.b\n";

    #[test]
    fn parts_of_an_annotation_keep_their_place() {
        let annotation = of_package("a/b/policy.rego", MODULE).unwrap().unwrap();
        assert_eq!(annotation.place.to_string(), "a/b/policy.rego:3:1");
        let severity = annotation.root.at(&["custom", "severity"]).unwrap();
        assert_eq!(severity.as_str(), Some("high"));
        assert_eq!(annotation.place_of(severity.span).to_string(), "a/b/policy.rego:6:15");
    }

    #[test]
    fn a_comment_that_does_not_touch_the_package_is_no_annotation() {
        let module = MODULE.replace("package", "\npackage");
        assert!(of_package("a.rego", &module).unwrap().is_none());
    }

    #[test]
    fn a_broken_annotation_names_its_line() {
        let error = of_package("a.rego", "# METADATA\n# title: 'x\npackage a\n").unwrap_err();
        assert_eq!(error.place.file, "a.rego");
        assert!(error.place.line >= 2, "{error:?}");
    }
}
