//! Fields that `crds` brings: definitions of the Open API that mark references, labels and names.
//!
//! kustomize does not read custom resource definitions here, but the documents that `openapi-gen`
//! makes of Go types: a map of names, each with a `Schema`.

use std::sync::Arc;

use super::config::{Config, NameReference, add_all};
use super::field::{Field, Kinds};
use crate::document::Node;
use crate::render::RenderError;
use crate::source::Span;

/// How deep definitions may refer to each other, which bounds those that go in a circle.
const DEPTH: usize = 16;

/// How many fields one file may bring.
const FIELDS: usize = 10_000;

/// Reads a file of `crds`.
pub(super) fn read(root: &Node, span: Span) -> Result<Config, RenderError> {
    let mut reader = Reader { root, span, config: Config::default(), fields: 0 };
    for entry in root.entries() {
        let properties = properties(&entry.value);
        if ["kind", "apiVersion", "metadata"].iter().all(|key| properties.get(key).is_some()) {
            let kind = entry.key.rsplit('.').next().unwrap_or_default();
            let kinds = Kinds { kind: Arc::from(kind), ..Kinds::default() };
            reader.definition(&kinds, &entry.value, &mut Vec::new())?;
        }
    }
    Ok(reader.config)
}

struct Reader<'a> {
    root: &'a Node,
    span: Span,
    config: Config,
    fields: usize,
}

/// Returns the properties of a definition, whose keys Go reads without regard to case.
fn properties(definition: &Node) -> Properties<'_> {
    let schema = definition.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case("schema"));
    Properties(schema.and_then(|entry| entry.value.get("properties")))
}

struct Properties<'a>(Option<&'a Node>);

impl Properties<'_> {
    fn get(&self, key: &str) -> Option<&Node> {
        self.0?.get(key)
    }
}

impl<'a> Reader<'a> {
    fn definition(
        &mut self,
        kinds: &Kinds,
        definition: &'a Node,
        path: &mut Vec<&'a str>,
    ) -> Result<(), RenderError> {
        if path.len() > DEPTH {
            let message = format!("the definitions refer to each other over {DEPTH} levels");
            return Err(RenderError::broken(self.span, message));
        }
        let Some(properties) = properties(definition).0 else { return Ok(()) };
        for property in properties.entries() {
            self.fields += 1;
            if self.fields > FIELDS {
                let message = format!("the definitions have more than {FIELDS} fields");
                return Err(RenderError::broken(self.span, message));
            }
            path.push(&property.key);
            let text = |key: &str| property.value.get(key).and_then(Node::as_str);
            let field = |name: Option<&str>| {
                let mut steps = path.clone();
                steps.extend(name);
                vec![Field::new(kinds.clone(), &steps.join("/"), false)]
            };
            let lists = [
                ("x-kubernetes-annotation", &mut self.config.common_annotations),
                ("x-kubernetes-label-selector", &mut self.config.common_labels),
                ("x-kubernetes-identity", &mut self.config.name_prefix),
            ];
            for (extension, list) in lists {
                if text(extension).is_some() {
                    add_all(list, &field(None), self.span)?;
                }
            }
            let version = text("x-kubernetes-object-ref-api-version");
            if let Some((version, kind)) = version.zip(text("x-kubernetes-object-ref-kind")) {
                let name = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
                let target = Kinds {
                    group: Arc::from(""),
                    version: Arc::from(version),
                    kind: Arc::from(kind),
                };
                let reference = NameReference { target, referrers: field(Some(name)) };
                self.config.add_reference(&reference, self.span)?;
            }
            if let Some(next) = text("$ref").and_then(|name| self.root.get(name)) {
                self.definition(kinds, next, path)?;
            }
            path.pop();
        }
        Ok(())
    }
}
