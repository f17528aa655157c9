//! Generated `ConfigMap`s and Secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::files::Files;
use super::notes;
use super::object::{Behavior, Object, remove, set};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::graph::kustomization::{Generator, GeneratorOptions, Pair, Pairs, Text};
use crate::render::RenderError;
use crate::source::{SourceId, Span};

type Result<T> = std::result::Result<T, RenderError>;

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ConfigMap,
    Secret,
}

/// One value, before it is encoded.
struct Value {
    bytes: Vec<u8>,
    /// Where its key is written.
    key_span: Span,
    /// Where it is written: in the file that holds it, else in the kustomization.
    span: Span,
}

/// Makes an object, without the hash in its name.
pub(super) fn generate(
    kind: Kind,
    generator: &Generator,
    global: Option<&GeneratorOptions>,
    files: &mut Files<'_>,
) -> Result<Object> {
    let span = generator.span;
    let Some(name) = generator.name.as_ref().filter(|name| !name.is_empty()) else {
        return Err(RenderError::broken(span, "a generated object has no `name`"));
    };
    let data = data(generator, files)?;
    let mut node = Node::mapping(span);
    let string = |text: &str, span| Node::string(text, span);
    set(&mut node, "apiVersion", string("v1", span));
    let kind_text = if kind == Kind::Secret { "Secret" } else { "ConfigMap" };
    set(&mut node, "kind", string(kind_text, span));
    let mut metadata = Node::mapping(span);
    set(&mut metadata, "name", Node::string(Arc::clone(&name.text), name.span));
    if let Some(namespace) = generator.namespace.as_ref().filter(|it| !it.is_empty()) {
        set(&mut metadata, "namespace", Node::string(Arc::clone(&namespace.text), namespace.span));
    }
    let options = Options::new(generator.options.as_ref(), global);
    for (key, pairs) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !pairs.is_empty() {
            set(&mut metadata, key, map(pairs, span));
        }
    }
    set(&mut node, "metadata", metadata);
    if kind == Kind::Secret {
        let type_ = match generator.type_.as_ref().filter(|type_| !type_.is_empty()) {
            Some(type_) => Node::string(Arc::clone(&type_.text), type_.span),
            None => string("Opaque", span),
        };
        set(&mut node, "type", type_);
        set(&mut node, "data", Node::mapping(span));
    }
    for (key, value) in data {
        let (field, text) = match (kind, String::from_utf8(value.bytes)) {
            (Kind::ConfigMap, Ok(text)) => ("data", text),
            (Kind::ConfigMap, Err(error)) => ("binaryData", encode(error.as_bytes())),
            (Kind::Secret, Ok(text)) => ("data", encode(text.as_bytes())),
            (Kind::Secret, Err(error)) => ("data", encode(error.as_bytes())),
        };
        if node.get(field).is_none() {
            set(&mut node, field, Node::mapping(span));
        }
        if let Some(map) = node.get_mut(field) {
            set(map, &key, Node::string(text, value.span));
            if let NodeKind::Mapping(entries) = &mut map.kind
                && let Some(entry) = entries.last_mut()
            {
                entry.key_span = value.key_span;
            }
        }
    }
    if let Some(span) = options.immutable {
        let kind = NodeKind::Scalar(Scalar::Bool(true));
        set(&mut node, "immutable", Node { span, kind });
    }
    let mut object = Object::new(node, files.sources());
    object.hash = (!options.no_hash).then_some(name.span);
    object.behavior = behavior(generator)?;
    object.is_generated = true;
    Ok(object)
}

fn behavior(generator: &Generator) -> Result<Behavior> {
    let Some(behavior) = &generator.behavior else { return Ok(Behavior::Create) };
    match &*behavior.text {
        "" | "create" => Ok(Behavior::Create),
        "replace" => Ok(Behavior::Replace),
        "merge" => Ok(Behavior::Merge),
        other => Err(RenderError::broken(
            behavior.span,
            format!("`{other}` is not a behavior of a generated object"),
        )
        .with_help("use `create`, `replace` or `merge`")),
    }
}

/// The options of one object: its own, completed by those for all.
struct Options<'a> {
    labels: Vec<&'a Pair>,
    annotations: Vec<&'a Pair>,
    no_hash: bool,
    immutable: Option<Span>,
}

impl<'a> Options<'a> {
    fn new(own: Option<&'a GeneratorOptions>, global: Option<&'a GeneratorOptions>) -> Self {
        let both = [own, global];
        let pairs = |of: fn(&GeneratorOptions) -> &Pairs| {
            let mut out: Vec<&Pair> = Vec::new();
            for pair in both.iter().flatten().flat_map(|options| &of(options).0) {
                if !out.iter().any(|known| known.key.text == pair.key.text) {
                    out.push(pair);
                }
            }
            out
        };
        let mut options = both.iter().flatten();
        let no_hash = options
            .clone()
            .any(|options| options.disable_name_suffix_hash.is_some_and(|it| it.value));
        let immutable =
            options.find_map(|options| options.immutable.filter(|it| it.value)).map(|it| it.span);
        Self {
            labels: pairs(|it| &it.labels),
            annotations: pairs(|it| &it.annotations),
            no_hash,
            immutable,
        }
    }
}

fn map(pairs: &[&Pair], span: Span) -> Node {
    let entry = |pair: &&Pair| Entry {
        key: Arc::clone(&pair.key.text),
        key_span: pair.key.span,
        value: Node::string(Arc::clone(&pair.value.text), pair.value.span),
    };
    Node { span, kind: NodeKind::Mapping(pairs.iter().map(entry).collect()) }
}

/// Collects the values by their keys.
fn data(generator: &Generator, files: &mut Files<'_>) -> Result<BTreeMap<String, Value>> {
    let mut data = BTreeMap::new();
    for source in generator.envs.iter().chain(&generator.env) {
        let Some(path) = files.require(source)? else { continue };
        let Some(file) = files.repository.file(&path) else { continue };
        let Some(text) = files.repository.source(&path) else { continue };
        for Line { key, key_start, value, value_start } in env_lines(text.text()) {
            let key_span = place(file.source, key_start, key, source.span);
            let span = place(file.source, value_start, value, key_span);
            let value = Value { bytes: value.into(), key_span, span };
            put(&mut data, key.to_owned(), value, source)?;
        }
    }
    for literal in &generator.literals {
        let Some((key, value)) = literal.text.split_once('=').filter(|(key, _)| !key.is_empty())
        else {
            return Err(RenderError::broken(
                literal.span,
                "a literal must have the form `key=value`",
            ));
        };
        let span = literal.span;
        let value = Value { bytes: unquoted(value).into(), key_span: span, span };
        put(&mut data, key.to_owned(), value, literal)?;
    }
    for source in &generator.files {
        let (key, path) = match source.text.split_once('=') {
            None => (source.text.rsplit('/').next().unwrap_or_default(), &*source.text),
            Some((key, path))
                if !key.is_empty()
                    && !path.is_empty()
                    && (!path.contains('=') || path.starts_with("http")) =>
            {
                (key, path)
            }
            Some(_) => {
                return Err(RenderError::broken(
                    source.span,
                    "a file must have the form `path` or `key=path`",
                ));
            }
        };
        let Some(path) = files.require_as(source, path)? else { continue };
        let Some(file) = files.repository.file(&path) else { continue };
        let Some(text) = files.repository.source(&path) else { continue };
        let value = Value {
            bytes: text.bytes().into(),
            key_span: source.span,
            span: place(file.source, 0, text.text(), source.span),
        };
        put(&mut data, key.to_owned(), value, source)?;
    }
    Ok(data)
}

/// Returns where a text of a file stands; of an empty one, what it belongs to.
fn place(file: SourceId, start: usize, text: &str, owner: Span) -> Span {
    match (u32::try_from(start), u32::try_from(start + text.len())) {
        (Ok(start), Ok(end)) if start < end => Span::new(file, start, end),
        _ => owner,
    }
}

fn put(data: &mut BTreeMap<String, Value>, key: String, value: Value, from: &Text) -> Result<()> {
    if data.contains_key(&key) {
        return Err(RenderError::broken(from.span, format!("the key `{key}` is set twice")));
    }
    data.insert(key, value);
    Ok(())
}

/// A line of an environment file, and where its parts start.
struct Line<'a> {
    key: &'a str,
    key_start: usize,
    value: &'a str,
    value_start: usize,
}

/// Reads the lines of an environment file. Empty lines and comments are left out.
fn env_lines(text: &str) -> Vec<Line<'_>> {
    let mut out = Vec::new();
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut next = text.len() - lines.len();
    for line in lines.split('\n') {
        let start = next;
        next += line.len() + 1;
        let trimmed = line.trim_start();
        let key_start = start + line.len() - trimmed.len();
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
        let value_start = key_start + trimmed.len() - value.len();
        out.push(Line { key, key_start, value, value_start });
    }
    out
}

/// Takes away quotes that stand on both ends.
fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

/// Encodes bytes in base64, in lines of 70 where they do not fit into one, as kyaml does.
fn encode(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut out = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for (at, c) in encoded.chars().enumerate() {
        out.push(c);
        if (at + 1) % LINE == 0 {
            out.push('\n');
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Adds a generated object to the others, or replaces or completes the one of its name.
pub(super) fn absorb(objects: &mut Vec<Object>, mut new: Object, tolerant: bool) -> Result<()> {
    let id = new.id();
    let span = new.node.at(&["metadata", "name"]).map_or(new.node.span, |name| name.span);
    let mut found = (0..)
        .zip(objects.iter())
        .filter(|(_, object)| object.all_ids().contains(&id))
        .map(|(at, _)| at);
    let (first, second) = (found.next(), found.next());
    drop(found);
    let Some(old) = first.and_then(|at| objects.get_mut(at)) else {
        if new.behavior != Behavior::Create && !tolerant {
            return Err(RenderError::broken(
                span,
                format!("there is no {id} that could be merged or replaced"),
            )
            .with_help("remove `behavior`, or list what it is to change under `resources`"));
        }
        objects.push(new);
        return Ok(());
    };
    if second.is_some() {
        return Err(RenderError::broken(span, format!("several objects were or are called {id}")));
    }
    match new.behavior {
        Behavior::Create => {
            return Err(RenderError::broken(span, format!("there is already a {id}"))
                .with_help("set `behavior: merge` or `behavior: replace`"));
        }
        Behavior::Replace => {}
        Behavior::Merge => {
            for field in ["data", "binaryData"] {
                complete(&mut new.node, field, old.node.get(field));
            }
            notes::keep_origin(&mut new, old);
        }
    }
    for key in ["labels", "annotations"] {
        let before = old.node.at(&["metadata", key]).cloned();
        if let Some(metadata) = new.node.get_mut("metadata") {
            complete(metadata, key, before.as_ref());
        }
    }
    let kept = |key| old.node.at(&["metadata", key]).cloned();
    let (name, namespace) = (kept("name"), kept("namespace"));
    if let Some(metadata) = new.node.get_mut("metadata") {
        if let Some(name) = name {
            set(metadata, "name", name);
        }
        match namespace {
            Some(namespace) => set(metadata, "namespace", namespace),
            None => remove(metadata, "namespace"),
        }
    }
    new.inherit(old);
    *old = new;
    Ok(())
}

/// Adds the entries of an older map that a newer one does not have.
fn complete(node: &mut Node, key: &str, old: Option<&Node>) {
    let Some(old) = old.filter(|old| !old.entries().is_empty()) else { return };
    if node.get(key).is_none_or(|new| !new.is_mapping()) {
        set(node, key, old.clone());
        return;
    }
    let Some(new) = node.get_mut(key) else { return };
    let missing: Vec<Entry> =
        old.entries().iter().filter(|entry| new.get(&entry.key).is_none()).cloned().collect();
    if let NodeKind::Mapping(entries) = &mut new.kind {
        entries.extend(missing);
    }
}
