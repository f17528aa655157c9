//! Filling variables into rendered objects.
//!
//! Flux does it in the YAML text of each object and reads that again, so that a value may change
//! its type. Here each string is written, filled in and read by itself, and keeps its place.

use std::collections::{BTreeMap, BTreeSet};

use super::functions::Refused;
use super::scalar::{self, Place};
use super::template::{self, Allowance, Bad, Lookup, Part};
use super::values::Variables;
use crate::document::{Document, Entry, Node, NodeKind, ObjectRef, Scalar};
use crate::load::{self, Dialect, Limits};
use crate::render::{Gap, GapKind, RenderError};
use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

/// The label or annotation by which an object is left alone.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Fills variables into objects, and returns the values that were missing for it.
pub(super) fn substitute(
    objects: &mut [Document],
    variables: &Variables<'_>,
) -> Result<Vec<Gap>, RenderError> {
    let mut filling = Filling { variables, allowance: Allowance::default(), kept: BTreeSet::new() };
    for document in objects {
        if is_left_alone(&document.root) {
            continue;
        }
        filling.node(&mut document.root, Place::Value)?;
        document.object = ObjectRef::of(&document.root);
    }
    let mut gaps: BTreeMap<Span, String> = BTreeMap::new();
    for name in &filling.kept {
        for reference in variables.unknown(name) {
            gaps.insert(reference.span(), reference.shown());
        }
    }
    let gap = |(span, text)| Gap { kind: GapKind::UnknownValues, span, text };
    Ok(gaps.into_iter().map(gap).collect())
}

fn is_left_alone(root: &Node) -> bool {
    ["labels", "annotations"].iter().any(|field| {
        root.at(&["metadata", field, SUBSTITUTE]).and_then(Node::as_str) == Some("disabled")
    })
}

struct Filling<'v> {
    variables: &'v Variables<'v>,
    allowance: Allowance,
    /// The variables whose value is not known.
    kept: BTreeSet<String>,
}

impl Filling<'_> {
    fn node(&mut self, node: &mut Node, place: Place) -> Result<(), RenderError> {
        match &mut node.kind {
            NodeKind::Scalar(Scalar::String(text)) if is_template(text) => {
                let text = text.to_string();
                if let Some(made) = self.string(&text, place, node.span)? {
                    *node = made;
                }
            }
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => {
                for item in items {
                    self.node(item, Place::Item)?;
                }
            }
            NodeKind::Mapping(entries) => {
                let mut renamed = false;
                for entry in entries.iter_mut() {
                    renamed |= self.key(entry)?;
                    self.node(&mut entry.value, Place::Value)?;
                }
                if renamed {
                    keep_last(entries);
                }
            }
        }
        Ok(())
    }

    /// Fills in a key, and says whether it became another one.
    fn key(&mut self, entry: &mut Entry) -> Result<bool, RenderError> {
        if !is_template(&entry.key) {
            return Ok(false);
        }
        let key = entry.key.to_string();
        let Some(filled) = self.fill(&key, Place::Key, entry.key_span)? else { return Ok(false) };
        let root = read(&format!("{}: 0\n", filled.text));
        let read = root.as_ref().and_then(|root| root.entries().first());
        let Some(read) = read else { return Err(unreadable(&key, entry.key_span)) };
        let changed = read.key != entry.key;
        entry.key = read.key.clone();
        entry.key_span = filled.span;
        Ok(changed)
    }

    /// Fills in a string; nothing where it stays as it is.
    fn string(
        &mut self,
        text: &str,
        place: Place,
        span: Span,
    ) -> Result<Option<Node>, RenderError> {
        let Some(filled) = self.fill(text, place, span)? else { return Ok(None) };
        let start = if place == Place::Item { "- " } else { "k: " };
        let end = if filled.text.ends_with('\n') { "" } else { "\n" };
        let root = read(&format!("{start}{}{end}", filled.text));
        let value = match root.map(|root| root.kind) {
            Some(NodeKind::Mapping(entries)) if place == Place::Value => {
                entries.into_iter().next().map(|entry| entry.value)
            }
            Some(NodeKind::Sequence(items)) if place == Place::Item => items.into_iter().next(),
            _ => None,
        };
        let Some(mut value) = value else { return Err(unreadable(text, span)) };
        set_place(&mut value, filled.span);
        Ok(Some(value))
    }

    fn fill(
        &mut self,
        text: &str,
        place: Place,
        span: Span,
    ) -> Result<Option<Filled>, RenderError> {
        let written = scalar::written(text, place);
        let parts = template::parse(&written).map_err(|bad| refused(bad, span))?;
        let variables = self.variables;
        let kept = &mut self.kept;
        let filled = template::fill(
            &parts,
            &|name| variables.get(name),
            &mut |name| {
                kept.insert(name.to_owned());
            },
            &mut self.allowance,
        )
        .map_err(|bad| refused(bad, span))?;
        if filled == written {
            return Ok(None);
        }
        let mut expressions = parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        });
        let only = expressions.next().filter(|_| expressions.next().is_none());
        let is_alone = text.starts_with("${") && text.ends_with('}');
        let set = only.filter(|it| is_alone && is_set(variables.get(it.name)));
        let span = set.and_then(|it| variables.span(it.name)).unwrap_or(span);
        Ok(Some(Filled { text: filled, span }))
    }
}

/// Says whether a value is that of the variable itself, not a default.
fn is_set(lookup: Lookup<'_>) -> bool {
    matches!(lookup, Lookup::Set(value) if !value.is_empty())
}

struct Filled {
    text: String,
    /// The place that set it.
    span: Span,
}

fn is_template(text: &str) -> bool {
    text.contains("${") || text.contains("$$")
}

/// Reads a text as `sigs.k8s.io/yaml` does.
fn read(text: &str) -> Option<Node> {
    let mut sources = SourceMap::default();
    let id = sources.add(Source::new(RepoPath::root(), Origin::File, text.as_bytes().to_vec()));
    let parsed = load::parse(sources.get(id)?, id, Dialect::Kubectl, &Limits::default());
    let is_fatal = parsed.problems.iter().any(load::Problem::is_fatal);
    let mut documents = parsed.documents.into_iter();
    let first = documents.next()?;
    (!is_fatal && documents.next().is_none()).then_some(first.root)
}

fn set_place(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => items.iter_mut().for_each(|item| set_place(item, span)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                entry.key_span = span;
                set_place(&mut entry.value, span);
            }
        }
    }
}

/// Keeps the last of equal keys, as the reader does.
fn keep_last(entries: &mut Vec<Entry>) {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Entry> = std::mem::take(entries)
        .into_iter()
        .rev()
        .filter(|entry| seen.insert(entry.key.clone()))
        .collect();
    kept.reverse();
    *entries = kept;
}

fn refused(bad: Bad<'_>, span: Span) -> RenderError {
    let keep = "write `$${` to keep the text, or annotate the object with \
                `kustomize.toolkit.fluxcd.io/substitute: disabled`";
    match bad {
        Bad::Name(text) => {
            RenderError::broken(span, format!("no name of a variable follows `${{` in `{text}`"))
                .with_help(keep)
        }
        Bad::Form(text) => {
            RenderError::broken(span, format!("Flux cannot read the variable in `{text}`"))
                .with_help(keep)
        }
        Bad::Depth => RenderError::broken(span, "variables stand too deep inside of each other"),
        Bad::Function(text, Refused::NoText) => {
            RenderError::broken(span, format!("`{text}` cuts a character of the value in two"))
        }
        Bad::Function(text, Refused::TooMuch) => {
            RenderError::broken(span, format!("`{text}` makes more text than any real object has"))
        }
    }
}

/// The error of a text that is no YAML any more. The values may be secret, so they are not shown.
fn unreadable(text: &str, span: Span) -> RenderError {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(60).map_or(line.len(), |(at, _)| at);
    let shown = line.get(..end).unwrap_or_default();
    RenderError::broken(span, format!("with its variables filled in, `{shown}` is no YAML"))
        .with_help("Flux fills in the text of the object and reads it again: quote the value")
}
