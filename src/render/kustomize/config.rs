//! Which fields the transformers know: kustomize's defaults and what `configurations` adds.

use std::sync::{Arc, OnceLock};

use super::field::{self, Field, Kinds};
use super::{order, tables};
use crate::document::{Node, NodeKind, Scalar};
use crate::render::RenderError;
use crate::rule::closest;
use crate::source::{SourceId, Span};

/// The names of one kind, and the fields that refer to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameReference {
    pub(super) target: Kinds,
    pub(super) referrers: Vec<Field>,
}

/// The fields of all transformers: kustomize's `TransformerConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) name_prefix: Vec<Field>,
    pub(super) name_suffix: Vec<Field>,
    pub(super) namespace: Vec<Field>,
    pub(super) common_labels: Vec<Field>,
    pub(super) labels: Vec<Field>,
    pub(super) template_labels: Vec<Field>,
    pub(super) common_annotations: Vec<Field>,
    pub(super) name_reference: Vec<NameReference>,
    pub(super) var_reference: Vec<Field>,
    pub(super) images: Vec<Field>,
    pub(super) replicas: Vec<Field>,
}

impl Config {
    /// Returns kustomize's own fields.
    pub(super) fn defaults() -> Arc<Self> {
        static DEFAULTS: OnceLock<Arc<Config>> = OnceLock::new();
        let defaults = || {
            let mut sorted = Self::default();
            // The tables do not disagree with themselves, so nothing is left out here.
            let merged = sorted.absorb(&tables::defaults(), Span::start_of(SourceId::NOWHERE));
            Arc::new(if merged.is_ok() { sorted } else { tables::defaults() })
        };
        Arc::clone(DEFAULTS.get_or_init(defaults))
    }

    /// Returns no fields, from which every kustomization starts.
    pub(super) fn empty() -> Arc<Self> {
        static EMPTY: OnceLock<Arc<Config>> = OnceLock::new();
        Arc::clone(EMPTY.get_or_init(Arc::default))
    }

    /// Reads a file of `configurations`.
    pub(super) fn read(node: &Node) -> Result<Self, RenderError> {
        let mut config = Self::default();
        known(node, "a configuration", &TABLES)?;
        for entry in node.entries() {
            let value = &entry.value;
            match TABLES
                .iter()
                .copied()
                .find(|it| it.eq_ignore_ascii_case(&entry.key))
                .unwrap_or("")
            {
                "namePrefix" => config.name_prefix = fields(value)?,
                "nameSuffix" => config.name_suffix = fields(value)?,
                "namespace" => config.namespace = fields(value)?,
                "commonLabels" => config.common_labels = fields(value)?,
                "labels" => config.labels = fields(value)?,
                "templateLabels" => config.template_labels = fields(value)?,
                "commonAnnotations" => config.common_annotations = fields(value)?,
                "varReference" => config.var_reference = fields(value)?,
                "images" => config.images = fields(value)?,
                "replicas" => config.replicas = fields(value)?,
                "nameReference" => {
                    for item in list(value)? {
                        known(item, "an entry of `nameReference`", &REFERENCE)?;
                        let referrers = match item.get("fieldSpecs") {
                            Some(specs) => fields(specs)?,
                            None => Vec::new(),
                        };
                        let target = kinds(item);
                        config.name_reference.push(NameReference { target, referrers });
                    }
                }
                _ => {}
            }
        }
        Ok(config)
    }

    /// Returns both together. Fails where they disagree about a field.
    ///
    /// The order counts: a field for all kinds is dropped where one for some kinds stands already.
    pub(super) fn merge(
        this: &Arc<Self>,
        other: &Arc<Self>,
        span: Span,
    ) -> Result<Arc<Self>, RenderError> {
        // Nearly all kustomizations have the defaults and nothing else.
        let defaults = Self::defaults();
        let is_plain = Arc::ptr_eq(this, &Self::empty()) || Arc::ptr_eq(this, &defaults);
        if is_plain && Arc::ptr_eq(other, &defaults) {
            return Ok(defaults);
        }
        let mut merged = Self::clone(this);
        merged.absorb(other, span)?;
        Ok(Arc::new(merged))
    }

    /// Adds the fields of another, and puts all in kustomize's order.
    pub(super) fn absorb(&mut self, other: &Self, span: Span) -> Result<(), RenderError> {
        let pairs = [
            (&mut self.name_prefix, &other.name_prefix),
            (&mut self.name_suffix, &other.name_suffix),
            (&mut self.namespace, &other.namespace),
            (&mut self.common_labels, &other.common_labels),
            (&mut self.labels, &other.labels),
            (&mut self.template_labels, &other.template_labels),
            (&mut self.common_annotations, &other.common_annotations),
            (&mut self.var_reference, &other.var_reference),
            (&mut self.images, &other.images),
            (&mut self.replicas, &other.replicas),
        ];
        for (ours, theirs) in pairs {
            add_all(ours, theirs, span)?;
            ours.sort_by_cached_key(|field| order::rank(&field.kinds));
        }
        for theirs in &other.name_reference {
            self.add_reference(theirs, span)?;
        }
        self.name_reference.sort_by_cached_key(|reference| order::rank(&reference.target));
        Ok(())
    }

    /// Adds fields that refer to the names of a kind.
    pub(super) fn add_reference(
        &mut self,
        reference: &NameReference,
        span: Span,
    ) -> Result<(), RenderError> {
        let known = self.name_reference.iter_mut().find(|ours| ours.target == reference.target);
        if let Some(ours) = known {
            return add_all(&mut ours.referrers, &reference.referrers, span);
        }
        self.name_reference.push(reference.clone());
        Ok(())
    }
}

/// Adds fields to others. Fails where both disagree whether a field is to be made.
pub(super) fn add_all(
    ours: &mut Vec<Field>,
    theirs: &[Field],
    span: Span,
) -> Result<(), RenderError> {
    for theirs in theirs {
        field::add(ours, theirs.clone()).map_err(|path| {
            RenderError::broken(
                span,
                format!("two configurations disagree whether the field `{path}` is to be created"),
            )
        })?;
    }
    Ok(())
}

fn list(node: &Node) -> Result<&[Node], RenderError> {
    match &node.kind {
        NodeKind::Sequence(items) => Ok(items),
        NodeKind::Scalar(Scalar::Null) => Ok(&[]),
        NodeKind::Scalar(_) | NodeKind::Mapping(_) => {
            Err(RenderError::broken(node.span, "a list of fields is expected here"))
        }
    }
}

/// Reads a list of fields.
fn fields(node: &Node) -> Result<Vec<Field>, RenderError> {
    for item in list(node)? {
        known(item, "a field of a configuration", &FIELD)?;
    }
    fields_of_plugin(node)
}

/// Reads a list of fields, those that kustomize does not know being of no account.
pub(super) fn fields_of_plugin(node: &Node) -> Result<Vec<Field>, RenderError> {
    let read = |item: &Node| {
        let path = item.get("path").and_then(Node::as_str).unwrap_or_default();
        let create = item.get("create").and_then(Node::as_bool).unwrap_or(false);
        Ok(Field::new(kinds(item), path, create))
    };
    list(node)?.iter().map(read).collect()
}

const TABLES: [&str; 11] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

const REFERENCE: [&str; 4] = ["group", "version", "kind", "fieldSpecs"];

const FIELD: [&str; 5] = ["group", "version", "kind", "path", "create"];

/// Refuses fields that kustomize does not know, as it does.
fn known(node: &Node, owner: &str, fields: &[&'static str]) -> Result<(), RenderError> {
    for entry in node.entries() {
        if fields.iter().any(|field| field.eq_ignore_ascii_case(&entry.key)) {
            continue;
        }
        let message = format!("{owner} has no field `{}`", entry.key);
        let error = RenderError::broken(entry.key_span, message);
        // It is called so in Kubernetes, and often written here.
        let near = (entry.key.eq_ignore_ascii_case("apiGroup") && fields.contains(&"group"))
            .then_some("group")
            .or_else(|| closest(&entry.key, fields.iter().copied()));
        return Err(match near {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    Ok(())
}

fn kinds(node: &Node) -> Kinds {
    let text = |key: &str| Arc::from(node.get(key).and_then(Node::as_str).unwrap_or_default());
    Kinds { group: text("group"), version: text("version"), kind: text("kind") }
}
