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
                    Err(reason) => Found::unusable(format!(
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::schema::newest;
    use crate::source::{Origin, RepoPath, Source, SourceMap, Span};

    /// Adds a definition of `Widget` with this `spec` beside its group and names.
    fn add(definitions: &mut Definitions, environment: Option<&str>, file: &str, spec: &Value) {
        let mut spec = spec.clone();
        spec["group"] = json!("example.com");
        spec["names"] = json!({"kind": "Widget"});
        let mut sources = SourceMap::default();
        let source = Source::new(RepoPath::new(file), Origin::File, Vec::new());
        let span = Span::start_of(sources.add(source));
        let root = Node::from_json(&json!({"spec": spec}), span);
        let object = definition_of("apiextensions.k8s.io/v1");
        let authority = Authority::Repository(file.into());
        assert!(definitions.add(environment.map(Arc::from), authority, Some(&object), &root));
    }

    fn definition_of(api_version: &str) -> ObjectRef {
        ObjectRef {
            api_version: api_version.into(),
            kind: "CustomResourceDefinition".into(),
            namespace: None,
            name: "widgets.example.com".into(),
        }
    }

    fn version(name: &str, served: bool) -> Value {
        json!({"name": name, "served": served, "schema": {"openAPIV3Schema": {"type": "object"}}})
    }

    fn wanted<'a>(version: &'a str, environment: Option<&'a str>) -> Wanted<'a> {
        Wanted { kubernetes: newest(), environment, group: "example.com", version, kind: "Widget" }
    }

    /// Returns what is found, in a word, and in which file.
    fn found(definitions: &Definitions, wanted: &Wanted<'_>) -> Option<String> {
        let Answer { found, authority } = definitions.lookup(wanted)?;
        let found = match found {
            Found::Structural(_) => "a schema".to_owned(),
            Found::Open => "open".to_owned(),
            Found::NotServed(versions) => format!("only {}", versions.join(", ")),
            Found::Unusable(failure) => failure.reason,
            other => panic!("{other:?}"),
        };
        Some(format!("{}: {found}", authority.name().unwrap()))
    }

    #[test]
    fn only_definitions_define() {
        let mut sources = SourceMap::default();
        let source = Source::new(RepoPath::new("a.yaml"), Origin::File, Vec::new());
        let span = Span::start_of(sources.add(source));
        let node = |value: Value| Node::from_json(&value, span);
        let named = node(json!({"spec": {"group": "g.io", "names": {"kind": "Widget"}}}));
        let of = |api: &str| defines(Some(&definition_of(api)), &named);
        let defined = Some(("g.io".to_owned(), "Widget".to_owned()));
        assert_eq!(of("apiextensions.k8s.io/v1"), defined);
        assert_eq!(of("apiextensions.k8s.io/v1beta1"), defined);
        assert_eq!(of("example.com/v1"), None);
        assert_eq!(defines(None, &named), None);
        let unnamed = node(json!({"spec": {"group": "g.io", "names": {"kind": 1}}}));
        assert_eq!(defines(Some(&definition_of("apiextensions.k8s.io/v1")), &unnamed), None);
    }

    #[test]
    fn the_definition_of_the_environment_counts_and_any_other_where_it_has_none() {
        let mut definitions = Definitions::default();
        assert!(definitions.is_empty());
        let v1 = json!({"versions": [version("v1", true)]});
        let both = json!({"versions": [version("v1", true), version("v2", true)]});
        add(&mut definitions, Some("dev"), "dev.yaml", &both);
        add(&mut definitions, Some("prod"), "prod.yaml", &v1);
        let at = |version, environment| found(&definitions, &wanted(version, environment));
        assert_eq!(at("v1", Some("dev")).as_deref(), Some("dev.yaml: a schema"));
        assert_eq!(at("v1", Some("prod")).as_deref(), Some("prod.yaml: a schema"));
        // Production does not serve what only dev has.
        assert_eq!(at("v2", Some("prod")).as_deref(), Some("prod.yaml: only v1"));
        assert_eq!(at("v2", Some("stage")).as_deref(), Some("dev.yaml: a schema"));
        assert_eq!(at("v2", None).as_deref(), Some("dev.yaml: a schema"));
        let other = Wanted { kind: "Gadget", ..wanted("v1", None) };
        assert_eq!(found(&definitions, &other), None);
    }

    #[test]
    fn of_several_the_first_that_serves_the_version_counts() {
        let mut definitions = Definitions::default();
        add(&mut definitions, None, "old.yaml", &json!({"versions": [version("v1", true)]}));
        let new = json!({"versions": [version("v1", false), version("v2", true)]});
        add(&mut definitions, None, "new.yaml", &new);
        let at = |version| found(&definitions, &wanted(version, None));
        assert_eq!(at("v1").as_deref(), Some("old.yaml: a schema"));
        assert_eq!(at("v2").as_deref(), Some("new.yaml: a schema"));
        assert_eq!(at("v3").as_deref(), Some("old.yaml: only v1"));
        let widget = |version: &str| (version.to_owned(), "Widget".to_owned());
        assert_eq!(definitions.known("example.com", Some("Widget")), [widget("v1"), widget("v2")]);
        assert_eq!(definitions.known("example.com", Some("Gadget")), []);
        assert_eq!(definitions.known("example.org", None), []);
    }

    #[test]
    fn the_old_api_has_one_schema_for_all_versions() {
        let mut definitions = Definitions::default();
        let spec = json!({
            "scope": "Cluster",
            "version": "v1alpha1",
            "validation": {"openAPIV3Schema": {"type": "object"}}
        });
        add(&mut definitions, None, "old.yaml", &spec);
        let it = wanted("v1alpha1", None);
        assert_eq!(found(&definitions, &it).as_deref(), Some("old.yaml: a schema"));
        assert_eq!(definitions.scope(&it), Some(KindScope::Cluster));

        let mut definitions = Definitions::default();
        add(&mut definitions, None, "open.yaml", &json!({"version": "v1"}));
        assert_eq!(found(&definitions, &wanted("v1", None)).as_deref(), Some("open.yaml: open"));
        assert_eq!(definitions.scope(&wanted("v1", None)), Some(KindScope::Namespaced));
    }

    #[test]
    fn a_definition_is_compiled_once_for_all_that_it_reaches() {
        let mut definitions = Definitions::default();
        let spec = json!({"versions": [version("v1", true)]});
        for environment in ["dev", "prod"] {
            add(&mut definitions, Some(environment), "crd.yaml", &spec);
        }
        let schema = |environment| match definitions.lookup(&wanted("v1", Some(environment))) {
            Some(Answer { found: Found::Structural(schema), .. }) => schema,
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&schema("dev"), &schema("prod")));
    }
}
