//! The rules of custom resource definitions: whether their expressions compile, and what they may
//! cost.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bounds::{self, Open, join};
use super::cost::{self, Costs};
use crate::check::api::cx::Cx;
use crate::check::api::expression::{self, EXPRESSION, Wanted};
use crate::check::api::field::Field;
use crate::engine::cel::{Bounds, Environment, Type, escape};

const RULES: &str = "x-kubernetes-validations";

/// Looks at all rules of a schema, which is structural.
pub(super) fn check<'a>(cx: &mut Cx<'a>, schema: Field<'a>, old: Option<Field<'a>>) {
    if cx.minor < 25 || !has_rules(schema) {
        return;
    }
    let stored = cx.old.map(Stored::of).unwrap_or_default();
    let is_kept = old.is_some_and(|it| it.equals(schema));
    let mut walk = Walk { names: 0, stored, is_kept, costs: Costs::default(), around: Vec::new() };
    let place = Place { name: String::new(), is_root: true, has_old: true, copies: Some(1) };
    walk.schema(cx, schema, &place);
    walk.costs.finish(cx, schema);
}

fn has_rules(schema: Field<'_>) -> bool {
    schema.get(RULES).exists()
        || schema.get("properties").entries().any(|it| has_rules(it.1))
        || ["items", "additionalProperties"].into_iter().any(|key| {
            let inner = schema.get(key);
            inner.exists() && has_rules(inner)
        })
}

/// The expressions that the definition had before, in whatever version
/// (`findPreexistingExpressions`).
#[derive(Debug, Default)]
struct Stored<'a> {
    rules: BTreeSet<&'a str>,
    messages: BTreeSet<&'a str>,
}

impl<'a> Stored<'a> {
    fn of(definition: Field<'a>) -> Self {
        let mut stored = Self::default();
        let spec = definition.get("spec");
        let versions = spec.get("versions").items().map(|it| it.get("schema"));
        for schema in versions.chain([spec.get("validation")]) {
            stored.add(schema.get("openAPIV3Schema"));
        }
        stored
    }

    fn add(&mut self, schema: Field<'a>) {
        for rule in schema.get(RULES).items() {
            self.rules.extend(rule.get("rule").str());
            self.messages.extend(rule.get("messageExpression").str());
        }
        for key in ["items", "additionalProperties"] {
            let inner = schema.get(key);
            if inner.exists() {
                self.add(inner);
            }
        }
        for (_, property) in schema.get("properties").entries() {
            self.add(property);
        }
    }
}

/// Where a schema stands.
#[derive(Debug)]
struct Place {
    /// The data it is for, as messages name it.
    name: String,
    /// Whether it is for an object with a kind and a name.
    is_root: bool,
    /// Whether the data has a former state.
    has_old: bool,
    /// How often there may be such data; `None` for as often as a request takes.
    copies: Option<u64>,
}

/// What expressions see of a schema.
#[derive(Debug, Clone)]
struct Declared {
    of: Type,
    bounds: Arc<Bounds>,
}

impl Declared {
    fn new(of: Type, bounds: Bounds) -> Self {
        Self { of, bounds: Arc::new(bounds) }
    }
}

#[derive(Debug)]
struct Walk<'a> {
    /// How many object types have names.
    names: usize,
    stored: Stored<'a>,
    /// Whether the schema is stored as it is, so that its rules may stay expensive.
    is_kept: bool,
    costs: Costs,
    /// The lists and maps around.
    around: Vec<(Field<'a>, String)>,
}

impl<'a> Walk<'a> {
    /// Returns what expressions see of a schema (`SchemaDeclType`), and looks at the rules in it
    /// and below.
    fn schema(&mut self, cx: &mut Cx<'a>, schema: Field<'a>, place: &Place) -> Option<Declared> {
        let declared = self.declared(cx, schema, place);
        if let Some(declared) = &declared {
            self.rules(cx, schema, place, declared);
        } else if !schema.get(RULES).is_empty() {
            let wrong = "need a type that expressions know, which a schema without one has not";
            cx.invalid(&EXPRESSION, schema.get(RULES), wrong);
        }
        declared
    }

    fn declared(&mut self, cx: &mut Cx<'a>, schema: Field<'a>, place: &Place) -> Option<Declared> {
        let (items, values) = (schema.get("items"), schema.get("additionalProperties"));
        let copies = place.copies.zip(cost::copies(schema));
        let copies = copies.map(|(around, here)| around.saturating_mul(here));
        let below = |inner: Field<'a>, name: String, has_old| Place {
            name,
            is_root: inner.get("x-kubernetes-embedded-resource").is_true(),
            has_old,
            copies,
        };
        self.around.push((schema, place.name.clone()));
        let item = items.exists().then(|| {
            // Items of a list are told apart from one state to the next only by keys.
            let is_map = schema.get("x-kubernetes-list-type").text() == "map";
            let name = format!("{}[]", place.name);
            self.schema(cx, items, &below(items, name, place.has_old && is_map))
        });
        let is_map = values.exists() && values.bool().is_none();
        let value = is_map.then(|| {
            let name = format!("{}.*", place.name);
            self.schema(cx, values, &below(values, name, place.has_old))
        });
        let mut properties: Vec<(&'a str, Declared)> = Vec::new();
        self.around.pop();
        for (name, property) in schema.get("properties").entries() {
            let below = below(property, join(&place.name, name), place.has_old);
            let declared = self.schema(cx, property, &below);
            properties.extend(declared.map(|it| (name, it)));
        }
        if schema.get("x-kubernetes-int-or-string").is_true() {
            return Some(Declared::new(Type::Dyn, bounds::int_or_string(schema, cx.minor)));
        }
        let most = |key| schema.get(key).int();
        match schema.get("type").text() {
            "array" => item.flatten().map(|it| {
                Declared::new(Type::list(it.of), Bounds::list(it.bounds, most("maxItems")))
            }),
            "object" if is_map => value.flatten().map(|it| {
                let of = Type::map(Type::String, it.of);
                Declared::new(of, Bounds::map(it.bounds, most("maxProperties")))
            }),
            "object" => Some(self.object(schema, properties, place.is_root, cx.minor)),
            "string" => {
                let of = match schema.get("format").text() {
                    "byte" => Type::Bytes,
                    "duration" => Type::Duration,
                    "date" | "date-time" => Type::Timestamp,
                    _ => Type::String,
                };
                Some(Declared::new(of, bounds::string(schema)))
            }
            "boolean" => Some(Declared::new(Type::Bool, Bounds::boolean())),
            "number" => Some(Declared::new(Type::Double, Bounds::number())),
            "integer" => Some(Declared::new(Type::Int, Bounds::number())),
            _ => None,
        }
    }

    /// The root of an object has a kind, a version and names, whatever its schema says
    /// (`WithTypeAndObjectMeta`).
    fn object(
        &mut self,
        schema: Field<'a>,
        mut properties: Vec<(&'a str, Declared)>,
        is_root: bool,
        minor: u32,
    ) -> Declared {
        if is_root && !has_metadata(schema) {
            properties.retain(|it| !matches!(it.0, "kind" | "apiVersion" | "metadata"));
            let text = |name: &str| (Arc::from(name), Type::String);
            let names = self.named([text("name"), text("generateName")]);
            let names_bounds = bounds::metadata(schema.at(&["properties", "metadata"]), minor);
            let text = Declared::new(Type::String, Bounds::string(None));
            properties.extend([("kind", text.clone()), ("apiVersion", text)]);
            properties.push(("metadata", Declared::new(names, names_bounds)));
        }
        let bounds = properties.iter().map(|(name, it)| (*name, Arc::clone(&it.bounds)));
        let bounds = bounds::object(schema, bounds);
        let escaped = |name| escape(name).map(Arc::from);
        let fields = properties.into_iter();
        let fields = fields.filter_map(|(name, it)| Some((escaped(name)?, it.of)));
        Declared::new(self.named(fields), bounds)
    }

    fn named(&mut self, fields: impl IntoIterator<Item = (Arc<str>, Type)>) -> Type {
        self.names += 1;
        Type::object(&format!("selfType{}", self.names), fields)
    }

    fn rules(&mut self, cx: &mut Cx<'a>, schema: Field<'a>, place: &Place, declared: &Declared) {
        let rules = schema.get(RULES);
        if !rules.exists() {
            return;
        }
        let of = &declared.of;
        let bounds = Some(&*declared.bounds);
        let copies = place.copies.unwrap_or_else(|| declared.bounds.times_in_request());
        let minor = cx.minor;
        let environment = |is_stored: bool, is_optional: bool| {
            let base = if is_stored {
                Environment::for_stored(minor)
            } else {
                Environment::for_new(minor)
            };
            let old = if is_optional { Type::optional(of.clone()) } else { of.clone() };
            base.with("self", of.clone()).with("oldSelf", old)
        };
        for rule in rules.items() {
            let (text, is_optional) = (rule.get("rule"), rule.get("optionalOldSelf"));
            let is_stored = self.stored.rules.contains(text.text());
            let known = environment(is_stored, is_optional.is_true());
            let compiled = expression::check_within(cx, text, &known, Wanted::Bool, bounds);
            let Some(compiled) = compiled else { continue };
            let cost = compiled.cost.saturating_mul(copies);
            let around = &self.around;
            self.costs.count(cx, text, cost, self.is_kept, || {
                let around = if copies > 1 { &**around } else { &[] };
                Open::of(around, schema, &place.name, text.text())
            });
            if compiled.uses_old && !place.has_old {
                cx.invalid(&EXPRESSION, text, "must not name `oldSelf`, which is not known there");
            } else if !compiled.uses_old && is_optional.exists() {
                cx.invalid(&EXPRESSION, is_optional, "must be missing where `oldSelf` is not used");
            }
            let message = rule.get("messageExpression");
            if message.is_empty() {
                continue;
            }
            let is_stored = self.stored.messages.contains(message.text());
            let known = environment(is_stored, is_optional.is_true());
            let compiled = expression::check_within(cx, message, &known, Wanted::String, bounds);
            if let Some(compiled) = compiled {
                self.costs.count(cx, message, compiled.cost, self.is_kept, || {
                    Open::of(&[], schema, &place.name, message.text())
                });
            }
        }
    }
}

/// Says whether a schema declares itself what the root of an object has.
fn has_metadata(schema: Field<'_>) -> bool {
    let is = |at: &[&'static str], of| {
        let keys: Vec<&str> = at.iter().flat_map(|name| ["properties", name]).collect();
        schema.at(&keys).get("type").text() == of
    };
    is(&["kind"], "string")
        && is(&["apiVersion"], "string")
        && is(&["metadata"], "object")
        && is(&["metadata", "name"], "string")
        && is(&["metadata", "generateName"], "string")
}
