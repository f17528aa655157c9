//! One minor's JSON Schema definitions to nodes of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use serde_json::{Map, Value};

use super::Error;
use super::corrections::{NOT_ENFORCED, TEMPLATES, VALUES_SINCE};
use super::enums::{Enums, spelling};
use super::scopes::Scopes;
use super::table::{Builder, Format, Node};

/// Adds the kinds of one minor, and every definition that they reach.
pub fn add(
    wheel: &[u8],
    minor: u32,
    enums: &Enums,
    scopes: &Scopes,
    builder: &mut Builder,
) -> Result<(), Error> {
    let path = format!(
        "kubernetes_validate/kubernetes-json-schema/v1.{minor}.0-local-strict/_definitions.json"
    );
    let mut text = String::new();
    zip::ZipArchive::new(Cursor::new(wheel))?.by_name(&path)?.read_to_string(&mut text)?;
    let document: Value = serde_json::from_str(&text)?;
    let definitions = ["$defs", "definitions"]
        .iter()
        .find_map(|key| document[*key].as_object())
        .ok_or_else(|| format!("{path} has no definitions"))?;

    let bit = builder.minor(minor);
    let mut converter = Converter {
        definitions,
        minor,
        enums,
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
            let (group, version, kind) = (text("group")?, text("version")?, text("kind")?);
            let place = scopes.get(&(group.to_owned(), kind.to_owned()));
            let definition = converter.builder.definition(name);
            converter.kinds.insert(name.clone());
            converter.wanted.push(name.clone());
            let place = place.map(|(plural, scope)| (plural.as_str(), *scope));
            converter.builder.kind((group, version, kind), place, definition, bit);
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
    enums: &'a Enums,
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
                let keys = keys.into_iter().map(|key| self.builder.string(key)).collect();
                Node::List(items, keys)
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
            _ if schema["properties"].is_object() => {
                self.wanted.push(target.to_owned());
                let definition = self.builder.definition(target);
                Ok(self.builder.node(Node::Definition(definition)))
            }
            _ => self.convert(schema, Some(target)),
        }
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
            let mut is_required = required.contains(field.as_str())
                && !NOT_ENFORCED.contains(&(name, field.as_str()));
            // The server reads a missing `spec` as an empty one, and misses what that misses.
            if field == "spec" && is_template && !NOT_ENFORCED.contains(&(name, "spec")) {
                is_required |= self.misses_something(schema);
            }
            let may_be_empty = !is_required && kind_of(schema)? == "string";
            let node = match self.values(name, field, may_be_empty) {
                Some(values) => self.enumeration(schema, values)?,
                None => self.convert(schema, None)?,
            };
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
        required.filter_map(Value::as_str).any(|field| !NOT_ENFORCED.contains(&(target, field)))
    }

    /// Returns the values of a field that is an enumeration in this minor.
    fn values(&mut self, definition: &str, field: &str, may_be_empty: bool) -> Option<Vec<u32>> {
        let values = self.enums.get(&(spelling(definition), field.to_owned()))?;
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
                Ok(self.builder.node(Node::List(items, Vec::new())))
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
