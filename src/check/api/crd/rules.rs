//! The rules of custom resource definitions: whether their expressions compile.

use std::sync::Arc;

use crate::check::api::cx::Cx;
use crate::check::api::expression::{self, EXPRESSION, Wanted};
use crate::check::api::field::Field;
use crate::engine::cel::{Environment, Type, escape};

const RULES: &str = "x-kubernetes-validations";

/// From this minor on a field that is a word of the language has its own name, too
/// (`SetRecognizeKeywordAsFieldName`).
const WORDS_SINCE: u32 = 31;

/// Looks at all rules of a schema, which is structural.
pub(super) fn check<'a>(cx: &mut Cx<'a>, schema: Field<'a>, old: Option<Field<'a>>) {
    if cx.minor < 25 || !has_rules(schema) {
        return;
    }
    let is_stored = old.is_some_and(|it| it.equals(schema));
    let takes_words = cx.minor - u32::from(!is_stored) >= WORDS_SINCE;
    let mut walk = Walk { names: 0, is_stored, takes_words };
    walk.schema(cx, schema, true, true);
}

fn has_rules(schema: Field<'_>) -> bool {
    schema.get(RULES).exists()
        || schema.get("properties").entries().any(|it| has_rules(it.1))
        || ["items", "additionalProperties"].into_iter().any(|key| {
            let inner = schema.get(key);
            inner.exists() && has_rules(inner)
        })
}

#[derive(Debug)]
struct Walk {
    /// How many object types have names.
    names: usize,
    /// Whether the schema is stored as it is, so that its expressions are.
    is_stored: bool,
    /// Whether a word of the language may stand after a dot as it is.
    takes_words: bool,
}

impl Walk {
    /// Returns the type of a schema (`SchemaDeclType`), and looks at the rules in it and below.
    fn schema<'a>(
        &mut self,
        cx: &mut Cx<'a>,
        schema: Field<'a>,
        is_root: bool,
        has_old: bool,
    ) -> Option<Type> {
        let of = self.declared(cx, schema, is_root, has_old);
        if let Some(of) = &of {
            self.rules(cx, schema, of, has_old);
        } else if !schema.get(RULES).is_empty() {
            let wrong = "need a type that expressions know, which a schema without one has not";
            cx.invalid(&EXPRESSION, schema.get(RULES), wrong);
        }
        of
    }

    fn declared<'a>(
        &mut self,
        cx: &mut Cx<'a>,
        schema: Field<'a>,
        is_root: bool,
        has_old: bool,
    ) -> Option<Type> {
        let (items, values) = (schema.get("items"), schema.get("additionalProperties"));
        let flag = |key| schema.get(key).is_true();
        // Items of a list are told apart from one state to the next only by keys.
        let items_have_old = has_old && schema.get("x-kubernetes-list-type").text() == "map";
        let mut below = |cx: &mut Cx<'a>, inner: Field<'a>, has_old| {
            let is_root = inner.get("x-kubernetes-embedded-resource").is_true();
            self.schema(cx, inner, is_root, has_old)
        };
        let item = items.exists().then(|| below(cx, items, items_have_old)).flatten();
        let is_map = values.exists() && values.bool().is_none();
        let value = is_map.then(|| below(cx, values, has_old)).flatten();
        let properties: Vec<(&str, Option<Type>)> = schema
            .get("properties")
            .entries()
            .map(|(name, property)| (name, below(cx, property, has_old)))
            .collect();
        if flag("x-kubernetes-int-or-string") {
            return Some(Type::Dyn);
        }
        match schema.get("type").text() {
            "array" => item.map(Type::list),
            "object" if is_map => value.map(|it| Type::map(Type::String, it)),
            "object" => Some(self.object(properties, is_root)),
            "string" => Some(match schema.get("format").text() {
                "byte" => Type::Bytes,
                "duration" => Type::Duration,
                "date" | "date-time" => Type::Timestamp,
                _ => Type::String,
            }),
            "boolean" => Some(Type::Bool),
            "number" => Some(Type::Double),
            "integer" => Some(Type::Int),
            _ => None,
        }
    }

    /// The root of an object has a kind, a version and names, whatever its schema says.
    fn object(&mut self, properties: Vec<(&str, Option<Type>)>, is_root: bool) -> Type {
        let mut fields: Vec<(Arc<str>, Type)> = properties
            .into_iter()
            .filter(|(name, _)| !is_root || !matches!(*name, "kind" | "apiVersion" | "metadata"))
            .filter_map(|(name, of)| Some((name, escape(name)?, of?)))
            .flat_map(|(name, escaped, of)| {
                let is_word = self.takes_words && *escaped == format!("__{name}__");
                let plain = is_word.then(|| (Arc::from(name), of.clone()));
                plain.into_iter().chain([(Arc::from(&*escaped), of)])
            })
            .collect();
        if is_root {
            let text = |name: &str| (Arc::from(name), Type::String);
            let metadata = self.named([text("name"), text("generateName")]);
            fields.extend([text("kind"), text("apiVersion"), (Arc::from("metadata"), metadata)]);
        }
        self.named(fields)
    }

    fn named(&mut self, fields: impl IntoIterator<Item = (Arc<str>, Type)>) -> Type {
        self.names += 1;
        Type::object(&format!("selfType{}", self.names), fields)
    }

    fn rules<'a>(&self, cx: &mut Cx<'a>, schema: Field<'a>, of: &Type, has_old: bool) {
        let new = || {
            if self.is_stored {
                Environment::for_stored(cx.minor)
            } else {
                Environment::for_new(cx.minor)
            }
        };
        let rules = schema.get(RULES);
        if !rules.exists() {
            return;
        }
        let plain = new().with("self", of.clone()).with("oldSelf", of.clone());
        let optional = new().with("self", of.clone()).with("oldSelf", Type::optional(of.clone()));
        for rule in rules.items() {
            let is_optional = rule.get("optionalOldSelf");
            let environment = if is_optional.is_true() { &optional } else { &plain };
            let text = rule.get("rule");
            let Some(compiled) = expression::check(cx, text, environment, Wanted::Bool) else {
                continue;
            };
            if compiled.uses_old && !has_old {
                cx.invalid(&EXPRESSION, text, "must not name `oldSelf`, which is not known there");
            } else if !compiled.uses_old && is_optional.exists() {
                cx.invalid(&EXPRESSION, is_optional, "must be missing where `oldSelf` is not used");
            }
            let message = rule.get("messageExpression");
            if !message.is_empty() {
                expression::check(cx, message, environment, Wanted::String);
            }
        }
    }
}
