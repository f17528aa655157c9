//! From an `openAPIV3Schema` to shapes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::NotStructural;
use super::formats::Format;
use super::rules::Rules;
use super::shape::{Additional, Limits, ListKind, Pattern, Shape, ShapeId, Shapes, Types};
use crate::document::Node;
use crate::source::{SourceId, Span};

/// A schema may be so deep.
const DEPTH: usize = 200;
/// And have so many parts: the largest in use have about twenty thousand.
const PARTS: usize = 200_000;

/// Compiles a schema; returns its parts and the first of them.
pub(super) fn compile(schema: &Value) -> Result<(Shapes, ShapeId), NotStructural> {
    let mut compiler = Compiler { shapes: Shapes::new(), path: Vec::new() };
    let root = compiler.shape(schema)?;
    Ok((compiler.shapes, root))
}

struct Compiler<'a> {
    shapes: Shapes,
    path: Vec<&'a str>,
}

/// Where a default stands until it is put into an object.
fn nowhere() -> Span {
    Span::start_of(SourceId::NOWHERE)
}

impl<'a> Compiler<'a> {
    fn error(&self, reason: &str) -> NotStructural {
        NotStructural { path: self.path.join("."), reason: reason.to_owned() }
    }

    fn below(&mut self, name: &'a str, schema: &'a Value) -> Result<ShapeId, NotStructural> {
        self.path.push(name);
        let id = self.shape(schema)?;
        self.path.pop();
        Ok(id)
    }

    fn all(
        &mut self,
        schema: &'a Map<String, Value>,
        key: &'a str,
    ) -> Result<Vec<ShapeId>, NotStructural> {
        let list = schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|it| self.below(key, it)).collect()
    }

    fn shape(&mut self, schema: &'a Value) -> Result<ShapeId, NotStructural> {
        let Some(schema) = schema.as_object() else {
            return Err(self.error("a schema must be an object"));
        };
        if self.path.len() > DEPTH {
            return Err(self.error("the schema is too deep"));
        }
        if self.shapes.len() > PARTS {
            return Err(self.error("the schema is too large"));
        }
        let is = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
        let int_or_string = is("x-kubernetes-int-or-string");
        let types = if int_or_string {
            Types::INT_OR_STRING
        } else {
            let name = schema.get("type").and_then(Value::as_str);
            name.map_or(Types::NONE, Types::named)
        };
        let mut shape = Shape {
            types,
            format: schema.get("format").and_then(Value::as_str).and_then(|it| format(types, it)),
            nullable: is("nullable"),
            preserve: is("x-kubernetes-preserve-unknown-fields"),
            embedded: is("x-kubernetes-embedded-resource"),
            atomic: schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic"),
            list: list(schema),
            required: strings(schema.get("required")),
            default: schema.get("default").filter(|it| !it.is_null()).map(|it| Box::new(node(it))),
            ..Shape::anything()
        };
        for (name, property) in
            schema.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let id = self.below(name, property)?;
            shape.properties.push((name.as_str().into(), id));
        }
        shape.properties.sort_by(|(one, _), (other, _)| one.cmp(other));
        shape.additional = match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Additional::Any,
            Some(it @ Value::Object(_)) => Additional::Of(self.below("additionalProperties", it)?),
            _ => Additional::Unsaid,
        };
        shape.items = match schema.get("items") {
            Some(it @ Value::Object(_)) => Some(self.below("items", it)?),
            _ => None,
        };
        // A structural schema says what its lists hold. Where one does not, nothing is known.
        shape.preserve |= types == Types::ARRAY && shape.items.is_none();
        shape.limits = self.limits(schema)?;
        shape.rules = Rules::of(schema);
        self.note_within(&mut shape);
        Ok(self.shapes.add(shape))
    }

    /// Notes what lies within, so that whoever walks can pass by.
    fn note_within(&self, shape: &mut Shape) {
        let mut defaults = shape.default.is_some();
        let mut lists = shape.embedded || shape.list != ListKind::Atomic;
        let mut rules = shape.rules.is_some();
        let additional = match shape.additional {
            Additional::Of(id) => Some(id),
            Additional::Unsaid | Additional::Any => None,
        };
        let children =
            shape.properties.iter().map(|(_, id)| *id).chain(additional).chain(shape.items);
        for child in children {
            let child = self.shapes.get(child);
            defaults |= child.defaults_within;
            lists |= child.lists_within;
            rules |= child.rules_within;
        }
        for of in shape.limits.iter().flat_map(|it| &it.all_of) {
            rules |= self.shapes.get(*of).rules_within;
        }
        shape.defaults_within = defaults;
        shape.lists_within = lists;
        shape.rules_within = rules;
    }

    fn limits(
        &mut self,
        schema: &'a Map<String, Value>,
    ) -> Result<Option<Box<Limits>>, NotStructural> {
        const KEYS: [&str; 18] = [
            "enum",
            "pattern",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "uniqueItems",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
        ];
        if !KEYS.iter().any(|key| schema.contains_key(*key)) {
            return Ok(None);
        }
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let size = |key: &str| schema.get(key).and_then(size);
        let is = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
        let values = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let pattern = schema.get("pattern").and_then(Value::as_str).filter(|it| !it.is_empty());
        Ok(Some(Box::new(Limits {
            values: values.unwrap_or_default().iter().map(node).collect(),
            pattern: pattern.map(Pattern::new),
            minimum: number("minimum"),
            maximum: number("maximum"),
            above_minimum: is("exclusiveMinimum"),
            below_maximum: is("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_length: size("minLength"),
            max_length: size("maxLength"),
            min_items: size("minItems"),
            max_items: size("maxItems"),
            min_properties: size("minProperties"),
            max_properties: size("maxProperties"),
            unique: is("uniqueItems"),
            all_of: self.all(schema, "allOf")?,
            any_of: self.all(schema, "anyOf")?,
            one_of: self.all(schema, "oneOf")?,
            not: match schema.get("not") {
                Some(it @ Value::Object(_)) => Some(self.below("not", it)?),
                _ => None,
            },
        })))
    }
}

/// Reads a size; some generators write them as `1.0`.
fn size(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size below zero is none, and one too large allows everything"
    )]
    value.as_u64().or_else(|| value.as_f64().map(|it| it as u64))
}

fn format(types: Types, name: &str) -> Option<Format> {
    match types {
        Types::NONE | Types::STRING | Types::INT_OR_STRING => Format::of_string(name),
        Types::INTEGER => Format::of_integer(name),
        Types::NUMBER => Format::of_number(name),
        _ => None,
    }
}

fn strings(value: Option<&Value>) -> Vec<Arc<str>> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(Arc::from).collect()
}

fn list(schema: &Map<String, Value>) -> ListKind {
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListKind::Set,
        Some("map") => ListKind::Map(strings(schema.get("x-kubernetes-list-map-keys")).into()),
        _ => ListKind::Atomic,
    }
}

/// Returns a value as a tree that stands nowhere.
pub(super) fn node(value: &Value) -> Node {
    Node::from_json(value, nowhere())
}
