//! One minor's JSON Schema definitions to nodes of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::Error;
use super::corrections::{DISABLED_SINCE, ENABLED, NOT_VALIDATED, TEMPLATES, VALUES_SINCE};
use super::defaults::Defaults;
use super::enums::{Enums, spelling};
use super::lifecycles::Lifecycles;
use super::required::is_enforced;
use super::scopes::Scopes;
use super::table::{Beside, Builder, Format, Items, Node};

/// What is known beside the definitions, of all minors.
pub struct Known {
    pub enums: Enums,
    pub scopes: Scopes,
    pub defaults: Defaults,
    pub lifecycles: Lifecycles,
}

/// Reads the definitions of these minors from a wheel or a source archive.
pub fn read(
    file: &str,
    archive: &[u8],
    minors: RangeInclusive<u32>,
) -> Result<Vec<(u32, Value)>, Error> {
    const SCHEMAS: &str = "kubernetes_validate/kubernetes-json-schema";
    let name = |minor| format!("{SCHEMAS}/v1.{minor}.0-local-strict/_definitions.json");
    let mut texts = BTreeMap::new();
    if file.ends_with(".whl") {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
        for minor in minors.clone() {
            let mut text = String::new();
            archive.by_name(&name(minor))?.read_to_string(&mut text)?;
            texts.insert(minor, text);
        }
    } else {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            if let Some(minor) = minors.clone().find(|minor| path.ends_with(&name(*minor))) {
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                texts.insert(minor, text);
            }
        }
    }
    minors
        .map(|minor| {
            let text = texts.get(&minor).ok_or_else(|| format!("{file} lacks 1.{minor}"))?;
            Ok((minor, serde_json::from_str(text)?))
        })
        .collect()
}

/// Adds the kinds of one minor, and every definition that they reach.
pub fn add(
    minor: u32,
    document: &Value,
    known: &Known,
    builder: &mut Builder,
) -> Result<(), Error> {
    let definitions = ["$defs", "definitions"]
        .iter()
        .find_map(|key| document[*key].as_object())
        .ok_or_else(|| format!("1.{minor} has no definitions"))?;

    let bit = builder.minor(minor);
    let mut converter = Converter {
        definitions,
        minor,
        known,
        builder,
        wanted: Vec::new(),
        kinds: BTreeSet::new(),
    };
    for (name, body) in definitions {
        // Requests and answers such as `DeleteOptions` and `Status` have no metadata of an object.
        let metadata = body["properties"]["metadata"]["$ref"].as_str().unwrap_or_default();
        let is_list = name.ends_with("List") && metadata.ends_with(".ListMeta");
        if !is_list && !metadata.ends_with(".ObjectMeta") {
            continue;
        }
        for gvk in body["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |key: &str| gvk[key].as_str().ok_or("a kind without a name");
            let gvk = [text("group")?, text("version")?, text("kind")?];
            let [group, version, kind] = gvk;
            let lifecycle =
                known.lifecycles.get(&gvk.map(str::to_owned)).cloned().unwrap_or_default();
            // The types stay in the published schemas when the server no longer serves them.
            if (1..=minor).contains(&lifecycle.removed) {
                continue;
            }
            let place = known.scopes.get(&(group.to_owned(), kind.to_owned()));
            let definition = converter.builder.definition(name);
            converter.kinds.insert(name.clone());
            converter.wanted.push(name.clone());
            let place = place.map(|(plural, scope)| (plural.as_str(), *scope));
            let is_disabled = version.contains("alpha")
                || version.contains("beta")
                    && minor >= DISABLED_SINCE
                    && !ENABLED.contains(&(group, version))
                    && lifecycle.introduced >= DISABLED_SINCE;
            converter.builder.kind(
                (group, version, kind),
                place,
                definition,
                &lifecycle,
                bit,
                is_disabled,
            );
            if place.is_none() && !is_list {
                return Err(format!("{group}/{version} {kind} has no scope").into());
            }
        }
    }
    let mut done = BTreeSet::new();
    while let Some(name) = converter.wanted.pop() {
        if done.insert(name.clone()) {
            let schema = definitions.get(&name).ok_or_else(|| format!("{name} is not defined"))?;
            let body = converter.convert(schema, Some(&name))?;
            let definition = converter.builder.definition(&name);
            converter.builder.define(definition, bit, body);
        }
    }
    Ok(())
}

struct Converter<'a> {
    definitions: &'a Map<String, Value>,
    minor: u32,
    known: &'a Known,
    builder: &'a mut Builder,
    /// Definitions that are referred to and not converted yet.
    wanted: Vec<String>,
    /// Definitions that are kinds.
    kinds: BTreeSet<String>,
}

impl Converter<'_> {
    fn convert(&mut self, schema: &Value, name: Option<&str>) -> Result<u32, Error> {
        if let Some(target) = schema["$ref"].as_str() {
            let target = target.rsplit('/').next().unwrap_or(target);
            return self.reference(target);
        }
        let node = match kind_of(schema)? {
            "any" => Node::Any,
            "boolean" => Node::Boolean,
            "number" => Node::Number,
            "integer" => Node::Integer(match schema["format"].as_str() {
                None => 0,
                Some("int32") => 32,
                Some("int64") => 64,
                Some(other) => return Err(format!("unknown integer format {other}").into()),
            }),
            "string" => Node::String(
                match schema["format"].as_str() {
                    None => Format::Text,
                    Some("byte") => Format::Byte,
                    Some("date-time") => Format::DateTime,
                    Some(other) => return Err(format!("unknown string format {other}").into()),
                },
                Vec::new(),
            ),
            "array" => {
                let items = self.convert(&schema["items"], None)?;
                self.list(schema, items)?
            }
            "object" => match schema["properties"].as_object() {
                Some(fields) => self.object(schema, fields, name)?,
                None => match &schema["additionalProperties"] {
                    Value::Object(_) => {
                        Node::Map(self.convert(&schema["additionalProperties"], None)?)
                    }
                    _ => Node::Open,
                },
            },
            other => return Err(format!("unknown type {other}").into()),
        };
        Ok(self.builder.node(node))
    }

    /// Definitions without fields of their own are written out where they are used.
    fn reference(&mut self, target: &str) -> Result<u32, Error> {
        let schema =
            self.definitions.get(target).ok_or_else(|| format!("{target} is not defined"))?;
        match target.rsplit('.').next() {
            Some("IntOrString") => Ok(self.builder.node(Node::IntOrString)),
            Some("Quantity") => Ok(self.builder.node(Node::Quantity)),
            Some("MicroTime") => Ok(self.builder.node(Node::String(Format::MicroTime, Vec::new()))),
            // Go types that keep the bytes as they come.
            Some("RawExtension" | "FieldsV1") => Ok(self.builder.node(Node::Any)),
            Some("JSONSchemaPropsOrArray") => self.or(target, Beside::Schemas),
            Some("JSONSchemaPropsOrBool") => self.or(target, Beside::Boolean),
            Some("JSONSchemaPropsOrStringArray") => self.or(target, Beside::Strings),
            // Go structs without fields: the decoder knows no other.
            Some(_) if self.is_empty_struct(schema) => {
                Ok(self.builder.node(Node::Object(Vec::new())))
            }
            _ if schema["properties"].is_object() => {
                self.wanted.push(target.to_owned());
                let definition = self.builder.definition(target);
                Ok(self.builder.node(Node::Definition(definition)))
            }
            _ => self.convert(schema, Some(target)),
        }
    }

    /// A JSON schema or something else: Go types with a decoder of their own.
    fn or(&mut self, target: &str, beside: Beside) -> Result<u32, Error> {
        let (of, _) = target.split_once("Or").ok_or("an alternative without a name")?;
        let schema = self.reference(of)?;
        Ok(self.builder.node(Node::Or(beside, schema)))
    }

    fn is_empty_struct(&self, schema: &Value) -> bool {
        schema["properties"].is_null()
            && schema["additionalProperties"].is_null()
            && kind_of(schema).is_ok_and(|kind| kind == "object")
    }

    fn list(&mut self, schema: &Value, items: u32) -> Result<Node, Error> {
        let apart = match schema["x-kubernetes-list-type"].as_str() {
            None | Some("atomic") => Items::Atomic,
            Some("set") => Items::Set,
            Some("map") => Items::Map,
            Some(other) => return Err(format!("unknown list type {other}").into()),
        };
        let mut keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // Older snapshots say the same of some lists only by the key of their patches.
        if keys.is_empty() {
            keys.extend(schema["x-kubernetes-patch-merge-key"].as_str());
        }
        let target = schema["items"]["$ref"].as_str().unwrap_or_default();
        let target = target.rsplit('/').next().unwrap_or_default();
        let keys = keys
            .into_iter()
            .map(|key| {
                let default = self.known.defaults.get(&(target.to_owned(), key.to_owned()));
                (self.builder.string(key), default.map(|it| self.builder.string(it)))
            })
            .collect();
        Ok(Node::List(items, apart, keys))
    }

    fn object(
        &mut self,
        schema: &Value,
        fields: &Map<String, Value>,
        name: Option<&str>,
    ) -> Result<Node, Error> {
        let name = name.unwrap_or_default();
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let is_template = self.kinds.contains(name) || TEMPLATES.contains(&name);
        let mut out = Vec::new();
        for (field, schema) in fields {
            let mut is_required = required.contains(field.as_str()) && is_enforced(name, field);
            // The server reads a missing `spec` as an empty one, and misses what that misses.
            if field == "spec" && is_template {
                is_required |= self.misses_something(schema);
            }
            let may_be_empty = !is_required && kind_of(schema)? == "string";
            let node = match self.values(name, field, may_be_empty) {
                Some(values) => self.enumeration(schema, values)?,
                None => self.convert(schema, None)?,
            };
            let is_decoded = NOT_VALIDATED.iter().any(|(of, name_of, until)| {
                (*of, *name_of) == (name, field.as_str()) && self.minor <= *until
            });
            let node = if is_decoded { self.builder.node(Node::Decoded(node)) } else { node };
            out.push((self.builder.string(field), node, is_required));
        }
        Ok(Node::Object(out))
    }

    fn misses_something(&self, schema: &Value) -> bool {
        let target = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next());
        let Some((target, schema)) =
            target.and_then(|target| Some((target, self.definitions.get(target)?)))
        else {
            return false;
        };
        let required = schema["required"].as_array().into_iter().flatten();
        required.filter_map(Value::as_str).any(|field| is_enforced(target, field))
    }

    /// Returns the values of a field that is an enumeration in this minor.
    fn values(&mut self, definition: &str, field: &str, may_be_empty: bool) -> Option<Vec<u32>> {
        let values = self.known.enums.get(&(spelling(definition), field.to_owned()))?;
        let later: BTreeMap<&str, u32> = VALUES_SINCE
            .iter()
            .filter(|(of, name, ..)| (*of, *name) == (definition, field))
            .map(|(.., value, since)| (*value, *since))
            .collect();
        let mut values: BTreeSet<&str> = values
            .iter()
            .map(String::as_str)
            .filter(|value| later.get(value).is_none_or(|since| *since <= self.minor))
            .collect();
        // The server takes an empty string as not set.
        if may_be_empty {
            values.insert("");
        }
        Some(values.into_iter().map(|value| self.builder.string(value)).collect())
    }

    fn enumeration(&mut self, schema: &Value, values: Vec<u32>) -> Result<u32, Error> {
        match kind_of(schema)? {
            "string" => Ok(self.builder.node(Node::String(Format::Text, values))),
            "array" => {
                let items = self.builder.node(Node::String(Format::Text, values));
                let list = self.list(schema, items)?;
                Ok(self.builder.node(list))
            }
            other => Err(format!("an enumeration of type {other}").into()),
        }
    }
}

/// Returns the type of a schema; `null` beside it only says that the field is optional.
fn kind_of(schema: &Value) -> Result<&str, Error> {
    match &schema["type"] {
        Value::String(kind) => Ok(kind),
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            match (kinds.next(), kinds.next()) {
                (Some(kind), None) => Ok(kind),
                _ => Err(format!("a schema of several types: {schema}").into()),
            }
        }
        _ if schema["properties"].is_object() => Ok("object"),
        _ => Ok("any"),
    }
}
