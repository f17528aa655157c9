//! Custom resource definitions that are at hand as objects: those of the repository under check,
//! and those of folders that a user names.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::source::{Answer, Authority, Found, SchemaSource, Wanted};
use super::structural::{Options, Structural};
use crate::check::KindScope;
use crate::document::{Node, ObjectRef};

/// Custom resource definitions. Those of the environment that an object reaches come first.
#[derive(Debug, Default)]
pub struct Definitions {
    /// By group and kind, in the order in which they were added.
    by_kind: BTreeMap<(Box<str>, Box<str>), Vec<Placed>>,
    /// The texts of what was added, so that a definition that reaches many environments is kept
    /// and compiled once.
    known: BTreeMap<Vec<u8>, Arc<Definition>>,
}

/// A definition and where it holds.
#[derive(Debug)]
struct Placed {
    environment: Option<Arc<str>>,
    authority: Authority,
    definition: Arc<Definition>,
}

/// What a definition says.
#[derive(Debug)]
struct Definition {
    scope: KindScope,
    versions: Vec<Version>,
}

/// One version of a kind.
#[derive(Debug)]
struct Version {
    name: Box<str>,
    served: bool,
    options: Options,
    schema: Option<Value>,
    compiled: OnceLock<Result<Arc<Structural>, String>>,
}

/// Returns the group and the kind that a custom resource definition defines; `None` for any other
/// object.
pub fn defines(object: Option<&ObjectRef>, root: &Node) -> Option<(String, String)> {
    let object = object?;
    if object.group() != "apiextensions.k8s.io" || &*object.kind != "CustomResourceDefinition" {
        return None;
    }
    let text = |keys: &[&str]| Some(root.at(keys)?.as_str()?.to_owned());
    Some((text(&["spec", "group"])?, text(&["spec", "names", "kind"])?))
}

impl Definitions {
    /// Adds a definition, which [`defines`] a kind; says whether it is one.
    ///
    /// `environment` is the one that it reaches, where one is known.
    pub fn add(
        &mut self,
        environment: Option<Arc<str>>,
        authority: Authority,
        object: Option<&ObjectRef>,
        root: &Node,
    ) -> bool {
        let Some((group, kind)) = defines(object, root) else { return false };
        let Some(spec) = root.get("spec").map(Node::to_json) else { return false };
        let text = serde_json::to_vec(&spec).unwrap_or_default();
        let definition = self.known.entry(text).or_insert_with(|| Arc::new(Definition::of(&spec)));
        let placed = Placed { environment, authority, definition: Arc::clone(definition) };
        self.by_kind.entry((group.into(), kind.into())).or_default().push(placed);
        true
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    /// Returns the definition that counts: of the same environment, else any, and of those the
    /// first that serves the version.
    fn find(&self, wanted: &Wanted<'_>) -> Option<&Placed> {
        let all = self.by_kind.get(&(wanted.group.into(), wanted.kind.into()))?;
        let own: Vec<&Placed> = match wanted.environment {
            Some(name) => all.iter().filter(|it| it.environment.as_deref() == Some(name)).collect(),
            None => Vec::new(),
        };
        let candidates = if own.is_empty() { all.iter().collect() } else { own };
        let serves = |it: &&&Placed| {
            it.definition.version(wanted.version).is_some_and(|version| version.served)
        };
        candidates.iter().find(serves).or(candidates.first()).copied()
    }
}

impl Definition {
    fn of(spec: &Value) -> Self {
        let scope = match spec.get("scope").and_then(Value::as_str) {
            Some("Cluster") => KindScope::Cluster,
            _ => KindScope::Namespaced,
        };
        // The old API had one schema, and one set of subresources, for all versions.
        let common = spec.pointer("/validation/openAPIV3Schema");
        let preserve = spec.get("preserveUnknownFields").and_then(Value::as_bool);
        let preserve = preserve == Some(true);
        let version = |it: &Value| {
            let status = |it: &Value| it.pointer("/subresources/status").is_some();
            let replicas = |it: &Value| {
                let path = it.pointer("/subresources/scale/specReplicasPath")?.as_str()?;
                Some(Box::from(path))
            };
            let name = it.get("name")?.as_str()?;
            Some(Version {
                name: name.into(),
                served: it.get("served").and_then(Value::as_bool) != Some(false),
                options: Options {
                    status: status(it) || status(spec),
                    preserve_unknown_fields: preserve,
                    replicas: replicas(it).or_else(|| replicas(spec)),
                },
                schema: it.pointer("/schema/openAPIV3Schema").or(common).cloned(),
                compiled: OnceLock::new(),
            })
        };
        let list = spec.get("versions").and_then(Value::as_array).map(Vec::as_slice);
        let mut versions: Vec<Version> =
            list.unwrap_or_default().iter().filter_map(version).collect();
        if versions.is_empty()
            && let Some(name) = spec.get("version")
        {
            let mut only = spec.clone();
            if let Some(only) = only.as_object_mut() {
                only.insert("name".to_owned(), name.clone());
            }
            versions.extend(version(&only));
        }
        Self { scope, versions }
    }

    fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|it| &*it.name == name)
    }

    fn served(&self) -> Vec<String> {
        self.versions.iter().filter(|it| it.served).map(|it| it.name.to_string()).collect()
    }
}

impl SchemaSource for Definitions {
    fn lookup(&self, wanted: &Wanted<'_>) -> Option<Answer<'_>> {
        let Placed { authority, definition, .. } = self.find(wanted)?;
        let found = match definition.version(wanted.version).filter(|it| it.served) {
            None => Found::NotServed(definition.served()),
            Some(Version { schema: None, .. }) => Found::Open,
            Some(Version { schema: Some(schema), options, compiled, .. }) => {
                let compile = || {
                    let schema = Structural::compile(schema, options.clone());
                    schema.map(Arc::new).map_err(|err| err.to_string())
                };
                match compiled.get_or_init(compile) {
                    Ok(schema) => Found::Structural(Arc::clone(schema)),
                    Err(reason) => Found::Unusable(format!(
                        "the definition of `{}` in {} cannot be used: {reason}",
                        wanted.kind,
                        authority.name().unwrap_or("the repository"),
                    )),
                }
            }
        };
        Some(Answer { found, authority: authority.clone() })
    }

    fn scope(&self, wanted: &Wanted<'_>) -> Option<KindScope> {
        Some(self.find(wanted)?.definition.scope)
    }

    fn known(&self, group: &str, kind: Option<&str>) -> Vec<(String, String)> {
        self.by_kind
            .iter()
            .filter(|((of, name), _)| &**of == group && kind.is_none_or(|it| it == &**name))
            .flat_map(|((_, name), placed)| {
                let versions = placed.iter().flat_map(|it| it.definition.served());
                versions.map(move |version| (version, name.to_string()))
            })
            .collect()
    }
}
