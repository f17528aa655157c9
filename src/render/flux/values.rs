//! The variables of a Kustomization, and the objects of the cluster that set them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::template::Lookup;
use crate::document::{Document, Node, ObjectRef};
use crate::graph::Placement;
use crate::render::RenderError;
use crate::render::deliver::Known;
use crate::source::Span;

/// The `ConfigMap`s and Secrets of a cluster, for the variables of `substituteFrom`.
#[derive(Clone, Default)]
pub struct Values {
    /// The environment; none for the objects of the repository itself.
    pub environment: Option<String>,
    objects: BTreeMap<Key, BTreeMap<String, Held>>,
}

// Secrets are among them.
impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Values")
            .field("environment", &self.environment)
            .field("objects", &self.objects.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// An object by its kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: String,
    namespace: String,
    name: String,
}

/// One value of an object.
#[derive(Clone)]
struct Held {
    /// The text; none where it is encrypted.
    text: Option<String>,
    /// Where the repository says so.
    span: Option<Span>,
}

impl Values {
    /// Returns values that the objects of an environment's cluster have, as somebody says.
    pub fn of_environment(environment: impl Into<String>) -> Self {
        Self { environment: Some(environment.into()), objects: BTreeMap::new() }
    }

    /// Adds an object that is not in the repository.
    pub fn give(
        &mut self,
        kind: &str,
        namespace: &str,
        name: &str,
        values: impl IntoIterator<Item = (String, String)>,
    ) {
        let key =
            Key { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        let held = |text| Held { text: Some(text), span: None };
        let values = values.into_iter().map(|(name, text)| (name, held(text)));
        self.objects.entry(key).or_default().extend(values);
    }

    /// Adds the values of a document, where it is a `ConfigMap` or a Secret.
    pub fn add(&mut self, document: &Document) {
        let Some(object) = &document.object else { return };
        let fields: &[&str] = match (&*object.api_version, &*object.kind) {
            ("v1", "ConfigMap") => &["data"],
            ("v1", "Secret") => &["data", "stringData"],
            _ => return,
        };
        let mut values = BTreeMap::new();
        for field in fields {
            for entry in document.root.get(field).map_or(&[][..], Node::entries) {
                let text = entry.value.as_str().filter(|text| !is_encrypted(text));
                let text = match (&*object.kind, *field) {
                    ("Secret", "data") => text.and_then(decoded),
                    _ => text.map(str::to_owned),
                };
                let held = Held { text, span: Some(entry.value.span) };
                values.insert(entry.key.to_string(), held);
            }
        }
        self.objects.insert(Key::of(object), values);
    }

    fn object(&self, key: &Key) -> Option<&BTreeMap<String, Held>> {
        // Something without a namespace takes that of whoever applies it.
        self.objects
            .get(key)
            .or_else(|| self.objects.get(&Key { namespace: String::new(), ..key.clone() }))
    }
}

impl Key {
    fn of(object: &ObjectRef) -> Self {
        Self {
            kind: object.kind.to_string(),
            namespace: object.namespace.as_deref().unwrap_or_default().to_owned(),
            name: object.name.to_string(),
        }
    }
}

/// Says whether SOPS has encrypted a value.
fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[") && text.ends_with(']')
}

/// Reads a value of a Secret's `data`.
pub(in crate::render) fn decoded(text: &str) -> Option<String> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    String::from_utf8(STANDARD.decode(packed).ok()?).ok()
}

/// An object that `substituteFrom` names.
///
/// Whether it is `optional` makes no difference here: one that is not in the repository may well be
/// in the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    kind: &'a str,
    name: &'a Node,
}

impl Reference<'_> {
    /// Names the object as kubectl does.
    pub(super) fn shown(&self) -> String {
        format!("{}/{}", self.kind, self.name.as_str().unwrap_or_default())
    }

    pub(super) fn span(&self) -> Span {
        self.name.span
    }
}

/// Returns what `substituteFrom` names, in order.
fn references(document: &Document) -> Vec<Reference<'_>> {
    let from = document.root.at(&["spec", "postBuild", "substituteFrom"]);
    from.map_or(&[][..], Node::items)
        .iter()
        .filter_map(|item| {
            Some(Reference {
                kind: item.get("kind").and_then(Node::as_str)?,
                name: item.get("name")?,
            })
        })
        .collect()
}

/// What a variable is set to.
pub(super) struct Variable {
    text: String,
    span: Option<Span>,
}

/// The variables of a Kustomization.
pub(super) struct Variables<'a> {
    set: BTreeMap<String, Variable>,
    /// The variables whose value is encrypted, and the object that holds them.
    encrypted: BTreeMap<String, Reference<'a>>,
    /// The objects that are nowhere to be found, so that they may set any variable.
    absent: Vec<Reference<'a>>,
    /// The values that come from Secrets.
    secret: BTreeSet<Arc<str>>,
    /// Whether a text is filled in even where there are no variables.
    always: bool,
    /// Whether what is not known is taken for what is not there.
    absent_is_empty: bool,
}

impl<'a> Variables<'a> {
    /// Finds the variables of a Kustomization: later objects before earlier ones, `substitute`
    /// before them all.
    pub(super) fn of(
        document: &'a Document,
        values: Option<&Values>,
        environments: &[Placement],
        known: &Known,
    ) -> Result<Self, RenderError> {
        let post_build = |key| document.root.at(&["spec", "postBuild", key]);
        let strategy = post_build("substituteStrategy").and_then(Node::as_str);
        let mut variables = Self {
            set: BTreeMap::new(),
            encrypted: BTreeMap::new(),
            absent: Vec::new(),
            secret: BTreeSet::new(),
            always: strategy == Some("Always"),
            absent_is_empty: known.as_rendered,
        };
        let given: Vec<&Values> = known
            .values
            .iter()
            .filter(|it| {
                it.environment.as_deref().is_none_or(|name| {
                    environments.iter().any(|placed| {
                        let whole = &*placed.environment.name;
                        whole == name
                            || whole.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
                    })
                })
            })
            .collect();
        for reference in references(document) {
            let object = document.object.as_ref();
            let key = Key {
                kind: reference.kind.to_owned(),
                namespace: object
                    .and_then(|it| it.namespace.as_deref())
                    .unwrap_or_default()
                    .to_owned(),
                name: reference.name.as_str().unwrap_or_default().to_owned(),
            };
            let own = values.and_then(|it| it.object(&key));
            let given: Vec<_> = given.iter().filter_map(|it| it.object(&key)).collect();
            if own.is_none() && given.is_empty() {
                variables.absent.push(reference);
            }
            for (name, held) in given.into_iter().chain(own).flatten() {
                match &held.text {
                    Some(text) => {
                        if reference.kind == "Secret" {
                            variables.secret.insert(Arc::from(text.as_str()));
                        }
                        variables.put(name, text, held.span);
                    }
                    // Somebody may have said what is encrypted.
                    None if !variables.set.contains_key(name) => {
                        variables.encrypted.insert(name.clone(), reference);
                    }
                    None => {}
                }
            }
        }
        for entry in post_build("substitute").map_or(&[][..], Node::entries) {
            let Some(text) = entry.value.as_str() else {
                if entry.value.is_null() {
                    variables.put(&entry.key, "", Some(entry.value.span));
                    continue;
                }
                return Err(RenderError::broken(
                    entry.value.span,
                    format!("the variable `{}` must be a string", entry.key),
                )
                .with_help("put the value in quotes; Flux refuses the object otherwise"));
            };
            if !is_name(&entry.key) {
                return Err(bad_name(&entry.key, entry.key_span));
            }
            variables.put(&entry.key, text, Some(entry.value.span));
        }
        for (name, variable) in &variables.set {
            if !is_name(name) {
                return Err(bad_name(name, variable.span.unwrap_or(document.span)));
            }
        }
        Ok(variables)
    }

    fn put(&mut self, name: &str, text: &str, span: Option<Span>) {
        self.encrypted.remove(name);
        self.set.insert(name.to_owned(), Variable { text: text.replace('\n', ""), span });
    }

    /// Says whether anything is filled in at all.
    pub(super) fn are_used(&self) -> bool {
        let unknown = !self.absent.is_empty() || !self.encrypted.is_empty();
        self.always || !self.set.is_empty() || (unknown && !self.absent_is_empty)
    }

    /// Returns the value of a variable.
    pub(super) fn get(&self, name: &str) -> Lookup<'_> {
        if let Some(variable) = self.set.get(name) {
            return Lookup::Set(&variable.text);
        }
        let unknown = !self.absent.is_empty() || self.encrypted.contains_key(name);
        if unknown && !self.absent_is_empty { Lookup::Unknown } else { Lookup::Unset }
    }

    /// Returns where the repository sets a variable.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.set.get(name)?.span
    }

    /// Returns the objects that may set a variable that is not known.
    pub(super) fn unknown(&self, name: &str) -> impl Iterator<Item = Reference<'a>> {
        let encrypted = self.encrypted.get(name).copied();
        let absent = if encrypted.is_none() { &self.absent[..] } else { &[] };
        encrypted.into_iter().chain(absent.iter().copied())
    }

    /// Returns the values that come from Secrets, whether or not something else wins over them.
    pub(super) fn secrets(&self) -> BTreeSet<Arc<str>> {
        self.secret.clone()
    }

    /// Says whether an object that must be there has not been found yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.absent.is_empty()
    }
}

/// `varsubRegex` of Flux.
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn bad_name(name: &str, span: Span) -> RenderError {
    RenderError::broken(span, format!("`{name}` is no name of a variable"))
        .with_help("Flux takes letters, digits and `_`, and no digit at the start")
}
