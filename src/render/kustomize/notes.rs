//! What `buildMetadata` asks for: annotations that say where an object came from and what changed
//! it, and a label that says by what it was made.

use std::sync::Arc;

use super::budget::Budget;
use super::object::{Object, map_at, remove, set};
use crate::document::Node;
use crate::graph::kustomization::Text;
use crate::render::RenderError;
use crate::source::Span;

const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The value of [`MANAGED_BY`]: the kustomize whose results these are.
const KUSTOMIZE: &str = "kustomize-v5.8.1";

/// Keeps notes while kustomizations are put together.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    /// The option that asks for them.
    span: Span,
    /// The way from the kustomization that is rendered to the current one.
    path: String,
    /// The name of the current kustomization's file.
    file: String,
}

impl Notes {
    /// Starts at the kustomization that is rendered; `None` where it asks for no notes.
    pub(super) fn new(options: &[Text], file: &str) -> Option<Self> {
        let first = options.first()?;
        Some(Self { span: first.span, path: String::new(), file: file.to_owned() })
    }

    /// Goes on to another kustomization.
    pub(super) fn enter(&self, reference: &str, file: &str) -> Self {
        Self { span: self.span, path: join(&self.path, reference), file: file.to_owned() }
    }

    /// Notes the file that holds objects.
    pub(super) fn loaded(&self, objects: &mut [Object], reference: &str) {
        let origin = format!("path: {}\n", scalar(&join(&self.path, reference)));
        for object in objects {
            self.annotate(object, ORIGIN, origin.clone());
        }
    }

    /// Notes that objects stand in the kustomization itself.
    pub(super) fn inline(&self, objects: &mut [Object]) {
        self.loaded(objects, &self.file);
    }

    /// Returns what is noted of kustomize's own generators and transformers.
    pub(super) fn builtin(&self, kind: &str) -> String {
        let file = scalar(&join(&self.path, &self.file));
        format!("configuredIn: {file}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n")
    }

    /// Returns what is noted of a plugin: where its configuration came from.
    pub(super) fn plugin(plugin: &Object) -> Option<String> {
        let origin = annotation(plugin, ORIGIN)?;
        let mut out = match origin.strip_prefix("path: ") {
            Some(path) => format!("configuredIn: {path}"),
            None => String::new(),
        };
        out.push_str("configuredBy:\n");
        for (key, value) in [
            ("apiVersion", plugin.api_version()),
            ("kind", plugin.kind()),
            ("name", plugin.name()),
            ("namespace", plugin.namespace()),
        ] {
            if !value.is_empty() {
                out.extend(["  ", key, ": ", &scalar(&value), "\n"]);
            }
        }
        Some(out)
    }

    /// Notes what generated an object, unless that is known already.
    pub(super) fn generated(&self, object: &mut Object, origin: &str) {
        if annotation(object, ORIGIN).is_none() {
            self.annotate(object, ORIGIN, origin.to_owned());
        }
    }

    /// Notes what changed objects; of those that came from nowhere, it is what made them.
    pub(super) fn transformed(
        &self,
        objects: &mut [Object],
        origin: &str,
        budget: &mut Budget,
    ) -> Result<(), RenderError> {
        for object in objects {
            if annotation(object, ORIGIN).is_none() {
                self.annotate(object, ORIGIN, origin.to_owned());
                continue;
            }
            let mut all = annotation(object, TRANSFORMATIONS).unwrap_or_default().to_owned();
            for (at, line) in origin.lines().enumerate() {
                all.push_str(if at == 0 { "- " } else { "  " });
                all.push_str(line);
                all.push('\n');
            }
            budget.text(all.len(), origin.len(), self.span)?;
            self.annotate(object, TRANSFORMATIONS, all);
        }
        Ok(())
    }

    fn annotate(&self, object: &mut Object, key: &str, text: String) {
        let Some(metadata) = map_at(&mut object.node, "metadata", self.span) else { return };
        if let Some(annotations) = map_at(metadata, "annotations", self.span) {
            set(annotations, key, Node::string(text, self.span));
        }
    }
}

fn annotation<'o>(object: &'o Object, key: &str) -> Option<&'o str> {
    object.node.at(&["metadata", "annotations", key]).and_then(Node::as_str)
}

/// Lets an object that completes another keep the note of where that one came from.
pub(super) fn keep_origin(new: &mut Object, old: &Object) {
    let Some(origin) = old.node.at(&["metadata", "annotations", ORIGIN]) else { return };
    let span = origin.span;
    let Some(metadata) = map_at(&mut new.node, "metadata", span) else { return };
    if let Some(annotations) = map_at(metadata, "annotations", span) {
        set(annotations, ORIGIN, origin.clone());
    }
}

/// Takes away the notes that were not asked for, wherever they came from, and adds the label.
pub(super) fn finish(objects: &mut [Object], options: &[Text]) {
    let find = |name: &str| options.iter().find(|option| &*option.text == name);
    for (option, key) in
        [("originAnnotations", ORIGIN), ("transformerAnnotations", TRANSFORMATIONS)]
    {
        if find(option).is_some() {
            continue;
        }
        for object in objects.iter_mut() {
            let annotations =
                object.node.get_mut("metadata").and_then(|it| it.get_mut("annotations"));
            if let Some(annotations) = annotations {
                remove(annotations, key);
            }
        }
    }
    let Some(option) = find("managedByLabel") else { return };
    for object in objects {
        let Some(metadata) = map_at(&mut object.node, "metadata", option.span) else { continue };
        if let Some(labels) = map_at(metadata, "labels", option.span) {
            set(labels, MANAGED_BY, Node::string(Arc::from(KUSTOMIZE), option.span));
        }
    }
}

/// Joins two paths as Go's `filepath.Join` does.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Returns a text as a YAML scalar.
fn scalar(text: &str) -> String {
    let first = |c: char| c.is_ascii_alphabetic() || "_/.".contains(c);
    let plain = text.starts_with(first)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@+".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"]
            .contains(&text.to_ascii_lowercase().as_str())
        && text.parse::<f64>().is_err();
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
