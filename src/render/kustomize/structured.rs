//! Values inside of texts that are JSON or YAML themselves, which replacements may lead into.

use serde_json::Value;

use super::hash;
use super::scalar;
use crate::document::{Node, NodeKind, Scalar};
use crate::load::{self, Dialect, Limits};
use crate::source::{Origin, RepoPath, Source, SourceMap};

/// A text and the value that it stands for.
pub(super) struct Structured<'t> {
    text: &'t str,
    root: Node,
}

impl<'t> Structured<'t> {
    /// Reads a text; nothing where it is neither JSON nor YAML.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let mut sources = SourceMap::default();
        let id = sources.add(Source::new(RepoPath::root(), Origin::File, text.into()));
        let parsed = load::parse(sources.get(id)?, id, Dialect::Kustomize, &Limits::default());
        if parsed.problems.iter().any(load::Problem::is_fatal) {
            return None;
        }
        let root = parsed.documents.into_iter().next()?.root;
        Some(Self { text, root })
    }

    /// Returns the value, to be changed.
    pub(super) fn value(&self) -> Node {
        self.root.clone()
    }

    /// Returns the text for a changed value; nothing where the text cannot be kept beside it.
    ///
    /// JSON is written anew, in lines where it stood in lines. In YAML the changed values are put
    /// in the place of the old ones.
    pub(super) fn text(&self, changed: &Node) -> Option<String> {
        let trimmed = self.text.trim();
        if trimmed.starts_with(['{', '[']) {
            let json = hash::sorted(changed.to_json());
            let in_lines = self.text.contains('\n') && self.text.contains("  ");
            return Some(hash::escaped(&if in_lines { pretty(&json) } else { json.to_string() }));
        }
        let mut edits = Vec::new();
        differences(&self.root, changed, &mut edits)?;
        let mut out = String::with_capacity(self.text.len());
        let mut end = 0;
        for (old, new) in edits {
            let (start, next) = (old.span.start as usize, old.span.end as usize);
            out.push_str(self.text.get(end..start)?);
            out.push_str(&in_style(self.text.get(start..next)?, new)?);
            end = next;
        }
        out.push_str(self.text.get(end..)?);
        Some(out.trim().to_owned())
    }
}

fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}

/// Collects the single values that differ; nothing where more than those differs.
fn differences<'n>(
    old: &'n Node,
    new: &'n Node,
    out: &mut Vec<(&'n Node, &'n Scalar)>,
) -> Option<()> {
    match (&old.kind, &new.kind) {
        (NodeKind::Scalar(before), NodeKind::Scalar(after)) => {
            if before != after {
                out.push((old, after));
            }
            Some(())
        }
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(a, b)| differences(a, b, out))
        }
        (NodeKind::Mapping(a), NodeKind::Mapping(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(a, b)| {
                if a.key == b.key { differences(&a.value, &b.value, out) } else { None }
            })
        }
        _ => None,
    }
}

/// Returns a value as it is written in the place of another; nothing where that takes lines.
fn in_style(old: &str, new: &Scalar) -> Option<String> {
    let text = super::object::scalar_text(new);
    if old.starts_with(['|', '>']) || text.contains('\n') {
        return None;
    }
    if old.starts_with('\'') {
        return Some(format!("'{}'", text.replace('\'', "''")));
    }
    let is_text = matches!(new, Scalar::String(_));
    let must_quote = is_text
        && (!matches!(scalar::plain(&text), Scalar::String(_))
            || text.starts_with(|c: char| !c.is_alphanumeric() && !"/._".contains(c))
            || text.contains(": ")
            || text.contains(" #")
            || text.ends_with(':')
            || text.trim() != &*text);
    if old.starts_with('"') || must_quote {
        return Some(Value::from(&*text).to_string());
    }
    Some(text.to_string())
}
