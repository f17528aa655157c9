//! The schemas of custom resources, judged as the API server judges them.
//!
//! In its order: unknown fields, `null` and defaults, values, lists, rules
//! (`unstructuredSchemaCoercer` and `customResourceStrategy` of `k8s.io/apiextensions-apiserver`).

mod compile;
mod formats;
mod items;
mod lists;
mod merged;
mod place;
mod prepare;
mod rules;
mod shape;
mod unknown;
mod values;

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value;

use super::defect::{Breach, Defect};
use crate::document::{Entry, FieldPath, Node, NodeKind, Scalar, Step};
use crate::engine::cel::Type;
use crate::environment::KubernetesVersion;
use crate::review::Apply;
use crate::wording::{self, Crumb};
use place::Place;
use shape::{ShapeId, Shapes};

/// The compiled schema of one version of a custom resource definition. Shared by threads.
#[derive(Debug)]
pub struct Structural {
    shapes: Shapes,
    root: ShapeId,
    options: Options,
    /// The types of the parts, as rules see them; made for the first object that has rules.
    types: OnceLock<Vec<Option<Type>>>,
}

/// What a definition says of a kind beside its schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The status subresource is on: what an object brings as `status` is dropped.
    pub status: bool,
    /// `preserveUnknownFields` of the old definitions: nothing is unknown.
    pub preserve_unknown_fields: bool,
    /// Where the scale subresource finds the number of replicas, e.g. `.spec.replicas`.
    pub replicas: Option<Box<str>>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", if path.is_empty() { String::new() } else { format!(" at `{path}`") })]
pub struct NotStructural {
    /// Where in the schema.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// An object to hold against a schema.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its kind, for messages.
    pub kind: &'a str,
    /// The object.
    pub object: &'a Node,
    /// Its former state, where it is known.
    pub old: Option<&'a Node>,
    /// How it is applied.
    pub apply: Apply,
    /// The version of Kubernetes that serves it.
    pub kubernetes: KubernetesVersion,
}

/// What is to be said of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What the schema does not allow.
    pub defects: Vec<Defect>,
    /// The rules of the definition that could not be compiled: one sentence each.
    pub failures: Vec<String>,
    /// The rules cost more than the API server allows.
    pub too_expensive: bool,
}

impl Structural {
    /// Compiles an `openAPIV3Schema`, of either version of the API.
    pub fn compile(schema: &Value, options: Options) -> Result<Self, NotStructural> {
        let (shapes, root) = compile::compile(schema)?;
        Ok(Self { shapes, root, options, types: OnceLock::new() })
    }

    /// Returns what an object has that the schema does not allow; at most a thousand defects.
    pub fn check(&self, subject: &Subject<'_>) -> Judgement {
        let mut place = Place::new(subject.kind);
        if !self.options.preserve_unknown_fields {
            unknown::find(&self.shapes, self.root, subject.object, &mut place);
        }
        if let Some(metadata) = subject.object.get("metadata") {
            place.crumbs.push(Crumb::Key("metadata"));
            lists::object_meta(subject.kubernetes, metadata, &mut place);
            place.crumbs.pop();
        }
        let server_side = subject.apply == Apply::ServerSide;
        let old_status = subject.old.and_then(|old| old.entry("status"));
        let mut object = self.stored(subject.object, old_status);
        if let Some(old) = subject.old.filter(|_| server_side) {
            object = merged::merged(&self.shapes, self.root, object, old);
        }
        let prepare = |node| prepare::prepare(&self.shapes, self.root, node, server_side);
        let object = prepare(object);
        let old = subject.old.map(|old| prepare(Cow::Borrowed(old)));
        self.validate(subject, &object, old.as_deref(), place)
    }

    /// Returns the object with the `status` that the server keeps.
    fn stored<'a>(&self, object: &'a Node, old: Option<&Entry>) -> Cow<'a, Node> {
        if !self.options.status || object.entry("status").is_none() && old.is_none() {
            return Cow::Borrowed(object);
        }
        let entries = object.entries().iter().filter(|it| &*it.key != "status").chain(old);
        let kind = NodeKind::Mapping(entries.cloned().collect());
        Cow::Owned(Node { span: object.span, kind })
    }

    fn validate(
        &self,
        subject: &Subject<'_>,
        object: &Node,
        old: Option<&Node>,
        place: Place<'_>,
    ) -> Judgement {
        let Place { kind, defects, meant, unknown_in, .. } = place;
        let mut place = Place { kind, crumbs: Vec::new(), defects, meant, unknown_in };
        let Subject { kubernetes, .. } = *subject;
        // Ratcheting is on by default since 1.30.
        let before = old.filter(|_| kubernetes.minor >= 30);
        let blocked =
            values::validate(&self.shapes, self.root, object, before, kubernetes.minor, &mut place);
        if self.shapes.get(self.root).lists_within {
            let lists =
                old.is_none_or(|old| lists::is_valid(&self.shapes, self.root, old, kubernetes));
            lists::validate(&self.shapes, self.root, object, kubernetes, lists, &mut place);
        }
        if let Some(path) = &self.options.replicas {
            replicas(path, object, &mut place);
        }
        let mut judgement = Judgement::default();
        // Where a value has the wrong type, rules could not be evaluated, and the server says so.
        if !blocked && self.shapes.get(self.root).rules_within {
            let types = self.types.get_or_init(|| rules::types(&self.shapes, self.root));
            let minor = kubernetes.minor;
            let ran = rules::run(&self.shapes, types, self.root, object, old, minor, &mut place);
            judgement.failures = ran.failures;
            judgement.too_expensive = ran.too_expensive;
        }
        judgement.defects = place.defects;
        judgement
    }
}

/// Checks the number of replicas that the scale subresource shows (`ValidateScaleSpec`).
fn replicas(path: &str, object: &Node, place: &mut Place<'_>) {
    let keys: Vec<&str> = path.trim_start_matches('.').split('.').collect();
    let Some(node) = object.at(&keys) else { return };
    let fits = match &node.kind {
        NodeKind::Scalar(Scalar::Int(count)) => (0..=i64::from(i32::MAX)).contains(count),
        NodeKind::Scalar(Scalar::String(text)) => wording::is_placeholder(text),
        // A wrong type is told already, where the schema names one.
        _ => true,
    };
    if !fits {
        let path: FieldPath =
            keys.iter().map(|key| Step::Key((*key).into())).collect::<Vec<_>>().into();
        let message = format!("`{path}` must be a number of replicas, 0 at least");
        place.tell_at(Breach::InvalidValue, path, node.span, message, None);
    }
}

/// SOPS keeps its own data in an encrypted object; decryption takes it out before it is applied.
pub(super) fn is_sops(entry: &Entry) -> bool {
    &*entry.key == "sops"
        && ["mac", "lastmodified", "version"].iter().any(|key| entry.value.get(key).is_some())
}

#[cfg(test)]
mod tests;
