//! Replacements: a value of one object copied into others.

use std::sync::Arc;

use super::budget::Budget;
use super::files::Files;
use super::json_patch::DEPTH;
use super::object::{Object, count, depth, text};
use super::scalar;
use super::select::Patterns;
use super::structured::Structured;
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::graph::kustomization::{
    Item as _, Reader, Replacement, ReplacementOptions, ReplacementSource, ReplacementTarget, Text,
};
use crate::load::Dialect;
use crate::render::RenderError;
use crate::source::{SourceMap, Span};

type Result<T> = std::result::Result<T, RenderError>;

/// Applies replacements in order, those in files included.
pub(super) fn apply(
    objects: &mut [Object],
    replacements: &[Replacement],
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    for replacement in replacements {
        match &replacement.path {
            None => one(objects, replacement, files, tolerant)?,
            Some(path) => {
                let Some(file) = files.require(path)? else { continue };
                for replacement in read(files, &file, path)? {
                    one(objects, &replacement, files, tolerant)?;
                }
            }
        }
    }
    Ok(())
}

fn read(
    files: &Files<'_>,
    file: &crate::source::RepoPath,
    path: &Text,
) -> Result<Vec<Replacement>> {
    let parsed = files.parsed(file, Dialect::Kubectl);
    if let Some(problem) =
        parsed.and_then(|parsed| parsed.problems.iter().find(|problem| problem.is_fatal()))
    {
        return Err(RenderError::broken(problem.span, problem.message.clone()));
    }
    let Some(document) = parsed.and_then(|parsed| parsed.documents.first()) else {
        return Err(RenderError::broken(path.span, "the file holds no replacements"));
    };
    let mut reader = Reader::default();
    let nodes = match &document.root.kind {
        NodeKind::Sequence(items) => items.iter().collect(),
        NodeKind::Scalar(_) | NodeKind::Mapping(_) => vec![&document.root],
    };
    let read = nodes
        .into_iter()
        .filter_map(|node| Replacement::read("replacements", node, &mut reader))
        .collect();
    match reader.defects.into_iter().next() {
        Some(defect) => Err(defect.into()),
        None => Ok(read),
    }
}

fn one(
    objects: &mut [Object],
    replacement: &Replacement,
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    if replacement.targets.is_empty() {
        return Err(RenderError::broken(replacement.span, "the replacement has no `targets`"));
    }
    let Some(value) = source(objects, replacement, files.sources(), tolerant)? else {
        return Ok(());
    };
    for target in &replacement.targets {
        files.budget.work(objects.iter().map(|object| object.size).sum(), target.span)?;
        put(objects, target, (&value, replacement.source.is_none()), files, tolerant)?;
    }
    Ok(())
}

/// Returns the value to copy; `None` where what holds it may lie in what is left out.
fn source(
    objects: &[Object],
    replacement: &Replacement,
    sources: &SourceMap,
    tolerant: bool,
) -> Result<Option<Node>> {
    let source = match (&replacement.source, &replacement.source_value) {
        (Some(source), None) => source,
        (None, Some(value)) => {
            return Ok(Some(Node::string(Arc::clone(&value.text), value.span)));
        }
        _ => {
            return Err(RenderError::broken(
                replacement.span,
                "a replacement needs either a `source` or a `sourceValue`",
            ));
        }
    };
    let set = |text: &Option<Text>| text.clone().filter(|text| !text.is_empty());
    let fits = |object: &Object| {
        let equal = |wanted: &Option<Text>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| &*wanted.text == found)
        };
        let (group, version, kind) = (set(&source.group), set(&source.version), set(&source.kind));
        let (name, namespace) = (set(&source.name), set(&source.namespace));
        object.all_ids().iter().any(|id| {
            equal(&group, id.group())
                && equal(&version, id.version())
                && equal(&kind, &id.kind)
                && equal(&name, &id.name)
                && equal(&namespace, &id.namespace)
        })
    };
    let mut found = objects.iter().filter(|object| fits(object));
    let object = match (found.next(), found.next()) {
        (Some(object), None) => object,
        (Some(_), Some(_)) => {
            return Err(RenderError::broken(
                source.span,
                format!("several objects are {}, the source of the replacement", shown(source)),
            )
            .with_help("name the one that is meant by `kind`, `name` and `namespace`"));
        }
        (None, _) if tolerant => return Ok(None),
        (None, _) => {
            return Err(RenderError::broken(
                source.span,
                format!("no object is {}, the source of the replacement", shown(source)),
            ));
        }
    };
    let default = Text { text: Arc::from("metadata.name"), span: source.span };
    let path = source.field_path.as_ref().filter(|it| !it.is_empty()).unwrap_or(&default);
    let mut node = Some(&object.node);
    for step in steps(&path.text) {
        node = node.and_then(|node| step_into(node, &step));
    }
    let Some(value) = node.filter(|node| !is_empty(node)) else {
        return Err(RenderError::broken(
            path.span,
            format!("{} has nothing at `{}` to be copied", object.id(), path.text),
        ));
    };
    let Some(options) = source.options.as_ref() else { return Ok(Some(value.clone())) };
    let Some(delimiter) = options.delimiter.as_ref().filter(|it| !it.is_empty()) else {
        return Ok(Some(value.clone()));
    };
    let text = plain_text(value, sources, delimiter.span)?;
    let at = options.index.map_or(0, |index| index.value);
    let part = usize::try_from(at).ok().and_then(|at| text.split(&*delimiter.text).nth(at));
    match part {
        Some(part) => Ok(Some(Node::string(part, value.span))),
        None => Err(RenderError::broken(
            options.span,
            format!("the value at `{}` has no part number {at}", path.text),
        )),
    }
}

/// Returns what a source asks for, as it is shown.
fn shown(source: &ReplacementSource) -> String {
    let parts = [
        ("group", &source.group),
        ("version", &source.version),
        ("kind", &source.kind),
        ("name", &source.name),
        ("namespace", &source.namespace),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|(key, text)| {
            let text = text.as_ref().filter(|text| !text.is_empty())?;
            Some(format!("{key}: {}", text.text))
        })
        .collect();
    if parts.is_empty() { "`{}`".to_owned() } else { format!("`{}`", parts.join(", ")) }
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            matches!(scalar, Scalar::Null)
                || matches!(scalar, Scalar::String(text) if text.is_empty())
        }
        NodeKind::Sequence(items) => items.is_empty(),
        NodeKind::Mapping(entries) => entries.is_empty(),
    }
}

fn plain_text(node: &Node, sources: &SourceMap, span: Span) -> Result<Arc<str>> {
    match &node.kind {
        NodeKind::Scalar(_) => Ok(scalar::written(node, sources)),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            Err(RenderError::broken(span, "only a single value can be split by a delimiter"))
        }
    }
}

/// Splits a path at its dots: a dot behind a backslash, or inside of brackets, is part of a step.
pub(super) fn steps(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('.') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let mut out: Vec<String> = Vec::new();
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            out.push(part);
            continue;
        }
        let mut whole = part;
        for next in parts.by_ref() {
            whole.push('.');
            whole.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        if !whole.contains('=') {
            out.push(whole.trim_matches(['[', ']']).to_owned());
            continue;
        }
        out.push(whole);
    }
    out
}

/// Splits `[name=value]`.
fn condition(step: &str) -> Option<(&str, &str)> {
    step.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// Follows one step of a path that leads to a single value.
pub(super) fn step_into<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    if let Some((key, value)) = condition(step) {
        return node.items().iter().find(|item| match key {
            "" => *text(item) == *value,
            key => item.get(key).is_some_and(|it| *text(it) == *value),
        });
    }
    match &node.kind {
        NodeKind::Mapping(_) => node.get(step),
        NodeKind::Sequence(items) => match step {
            "-" => items.last(),
            step => step.trim_matches(['[', ']']).parse().ok().and_then(|at: usize| items.get(at)),
        },
        NodeKind::Scalar(_) => None,
    }
}

fn put(
    objects: &mut [Object],
    target: &ReplacementTarget,
    (value, is_untyped): (&Node, bool),
    files: &mut Files<'_>,
    tolerant: bool,
) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(RenderError::broken(
            target.span,
            "the target of the replacement selects nothing",
        )
        .with_help("name its objects under `select`"));
    };
    let select = Patterns::new(select)?;
    let rejects: Vec<Patterns> = target.reject.iter().map(Patterns::new).collect::<Result<_>>()?;
    let default = [Text { text: Arc::from("metadata.name"), span: target.span }];
    let paths = if target.field_paths.is_empty() { &default[..] } else { &target.field_paths };
    for object in objects {
        let ids = object.all_ids();
        let rejected = rejects.iter().any(|reject| {
            (reject.asks_for_metadata() && reject.fits_metadata(object))
                || (!reject.is_any_id() && ids.iter().any(|id| reject.fits_id(id)))
        });
        if rejected || !select.fits_metadata(object) || !ids.iter().any(|id| select.fits_id(id)) {
            continue;
        }
        for path in paths {
            let options = target.options.as_ref();
            let mut setter = Setter {
                options,
                value,
                path,
                sources: files.sources(),
                budget: &mut *files.budget,
                set: 0,
                is_new: false,
                is_whole: false,
                is_untyped,
            };
            setter.descend(&mut object.node, &steps(&path.text))?;
            if setter.set == 0 && !tolerant {
                return Err(RenderError::broken(
                    path.span,
                    format!("{} has nothing at `{}`", object.id(), path.text),
                )
                .with_help("set `options: {create: true}` where the field is to be made"));
            }
        }
    }
    Ok(())
}

/// Sets one value at all places that a path leads to.
struct Setter<'a> {
    options: Option<&'a ReplacementOptions>,
    value: &'a Node,
    path: &'a Text,
    sources: &'a SourceMap,
    budget: &'a mut Budget,
    set: usize,
    /// Whether the value that is reached next was made on the way to it.
    is_new: bool,
    /// Whether a value is replaced as a whole, whatever the options say.
    is_whole: bool,
    /// Whether the value is a `sourceValue`, whose text alone says what it is.
    is_untyped: bool,
}

impl Setter<'_> {
    fn create(&self) -> bool {
        self.options.and_then(|options| options.create).is_some_and(|create| create.value)
    }

    /// Returns what is made for a step, by what follows it.
    fn made(&self, rest: &[String]) -> NodeKind {
        match rest.first() {
            Some(next)
                if next == "-" || next.parse::<usize>().is_ok() || condition(next).is_some() =>
            {
                NodeKind::Sequence(Vec::new())
            }
            Some(_) => NodeKind::Mapping(Vec::new()),
            None => match &self.value.kind {
                NodeKind::Scalar(_) => NodeKind::Scalar(Scalar::String(Arc::from(""))),
                NodeKind::Sequence(_) => NodeKind::Sequence(Vec::new()),
                NodeKind::Mapping(_) => NodeKind::Mapping(Vec::new()),
            },
        }
    }

    fn descend(&mut self, node: &mut Node, steps: &[String]) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else {
            return self.put(node);
        };
        let span = self.path.span;
        if steps.len() > DEPTH {
            return Err(RenderError::broken(span, "the path has too many steps"));
        }
        let create = self.create();
        if matches!(&node.kind, NodeKind::Scalar(scalar) if !matches!(scalar, Scalar::Null)) {
            return self.inside(node, steps);
        }
        if step == "*" {
            return match &mut node.kind {
                NodeKind::Sequence(items) => {
                    items.iter_mut().try_for_each(|item| self.descend(item, rest))
                }
                NodeKind::Mapping(_) => {
                    let message = format!(
                        "`*` of `{}` stands for the items of a list, but a map is there",
                        self.path.text
                    );
                    Err(RenderError::broken(span, message))
                }
                NodeKind::Scalar(_) => Ok(()),
            };
        }
        if let Some((key, wanted)) = condition(step) {
            return self.descend_items(node, key, wanted, rest);
        }
        match &mut node.kind {
            NodeKind::Sequence(items) => {
                let Ok(at) = step.parse::<usize>() else { return Ok(()) };
                if create && at == items.len() {
                    items.push(Node { span, kind: self.made(rest) });
                    self.is_new = rest.is_empty();
                }
                let length = items.len();
                if let Some(item) = items.get_mut(at) {
                    return self.descend(item, rest);
                }
                let path = &self.path.text;
                let message = format!("`{path}` leads to item {at} of a list that has {length}");
                Err(RenderError::broken(span, message))
            }
            NodeKind::Mapping(entries) => {
                let known = entries.iter().position(|entry| *entry.key == **step);
                let at = match known {
                    Some(at) => at,
                    None if create => {
                        let value = Node { span, kind: self.made(rest) };
                        let key = Arc::from(step.as_str());
                        entries.push(Entry { key, key_span: span, value });
                        self.is_new = rest.is_empty();
                        entries.len() - 1
                    }
                    None => return Ok(()),
                };
                match entries.get_mut(at) {
                    Some(entry) => self.descend(&mut entry.value, rest),
                    None => Ok(()),
                }
            }
            NodeKind::Scalar(_) => Ok(()),
        }
    }

    /// Goes on inside of a text that is JSON or YAML itself.
    fn inside(&mut self, node: &mut Node, steps: &[String]) -> Result<()> {
        let Some(text) = node.as_str().map(str::to_owned) else { return Ok(()) };
        self.budget.work(text.len(), self.path.span)?;
        let Some(structured) = Structured::read(&text) else { return Ok(()) };
        let mut value = structured.value();
        let before = self.set;
        // Only whole values are set there.
        let is_whole = std::mem::replace(&mut self.is_whole, true);
        let result = self.descend(&mut value, steps);
        self.is_whole = is_whole;
        result?;
        if self.set == before {
            return Ok(());
        }
        let Some(new) = structured.text(&value) else {
            return Err(RenderError::unsupported(
                self.path.span,
                format!(
                    "`{}` leads into a text that is YAML, where only single values that are there \
                     can be replaced",
                    self.path.text
                ),
            ));
        };
        self.budget.text(new.len(), new.len(), self.path.span)?;
        *node = Node::string(new, self.path.span);
        Ok(())
    }

    fn descend_items(
        &mut self,
        node: &mut Node,
        key: &str,
        wanted: &str,
        rest: &[String],
    ) -> Result<()> {
        let NodeKind::Sequence(items) = &mut node.kind else { return Ok(()) };
        // kustomize takes the value for a regular expression that may fit anywhere.
        let pattern = super::select::compile(wanted, self.path)?;
        let before = self.set;
        for item in items.iter_mut() {
            let found = if key.is_empty() { Some(text(item)) } else { item.get(key).map(text) };
            if found.is_some_and(|found| pattern.is_match(&found)) {
                self.descend(item, if key.is_empty() { &[] } else { rest })?;
            }
        }
        if self.set == before && self.create() {
            let span = self.path.span;
            let mut item = Node::string(wanted, span);
            if !key.is_empty() {
                let value = item;
                item = Node::mapping(span);
                super::object::set(&mut item, key, value);
            }
            self.is_new = key.is_empty();
            self.descend(&mut item, if key.is_empty() { &[] } else { rest })?;
            items.push(item);
        }
        Ok(())
    }

    fn put(&mut self, node: &mut Node) -> Result<()> {
        self.set += 1;
        let mut value = self.value.clone();
        if let Some(options) = self.options
            && let Some(delimiter) = options.delimiter.as_ref().filter(|it| !it.is_empty())
            && !self.is_whole
        {
            let old = plain_text(node, self.sources, delimiter.span)?;
            let new = plain_text(&value, self.sources, delimiter.span)?;
            let mut parts: Vec<&str> = old.split(&*delimiter.text).collect();
            let at = options.index.map_or(0, |index| index.value);
            match usize::try_from(at).ok() {
                None => parts.insert(0, &new),
                Some(at) => match parts.get_mut(at) {
                    Some(part) => *part = &new,
                    None => parts.push(&new),
                },
            }
            let length = old.len() + new.len() + delimiter.text.len();
            self.budget.text(length, length, self.path.span)?;
            value = Node::string(parts.join(&delimiter.text), value.span);
        }
        self.budget.grow(count(&value), self.path.span)?;
        if depth(&value) > DEPTH {
            return Err(RenderError::broken(self.path.span, "the value is nested too deeply"));
        }
        let is_new = std::mem::take(&mut self.is_new);
        node.kind = match (&node.kind, &value.kind) {
            // A single value is copied as its text, and is what that is in the place that it gets.
            (NodeKind::Scalar(old), NodeKind::Scalar(_)) => {
                let text = scalar::written(&value, self.sources);
                let new = if is_new { Some(scalar::plain(&text)) } else { retyped(old, &text) };
                NodeKind::Scalar(new.ok_or_else(|| self.misfit(old, &text))?)
            }
            _ if self.is_untyped => NodeKind::Scalar(scalar::plain(&super::object::text(&value))),
            _ => value.kind,
        };
        node.span = self.path.span;
        Ok(())
    }

    fn misfit(&self, old: &Scalar, text: &str) -> RenderError {
        let (wanted, help) = match old {
            Scalar::Bool(_) => ("a boolean", "quote the value of the target"),
            Scalar::Null => ("nothing", "give the target a value, or remove it and create it"),
            _ => ("a number", "quote the value of the target"),
        };
        let message =
            format!("`{text}` cannot replace the value at `{}`, which is {wanted}", self.path.text);
        RenderError::broken(self.path.span, message).with_help(help)
    }
}

/// Returns a text in the type of the value that it replaces; nothing where it cannot be read so.
fn retyped(old: &Scalar, text: &str) -> Option<Scalar> {
    let new = scalar::plain(text);
    let fits = match old {
        Scalar::String(_) => return Some(Scalar::String(Arc::from(text))),
        Scalar::Int(_) | Scalar::Uint(_) => matches!(new, Scalar::Int(_) | Scalar::Uint(_)),
        Scalar::Float(_) => matches!(new, Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)),
        Scalar::Bool(_) => matches!(new, Scalar::Bool(_)),
        Scalar::Null => matches!(new, Scalar::Null),
    };
    fits.then_some(new)
}
