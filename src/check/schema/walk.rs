//! Walks an object along its schema.
//!
//! The walk reads as the API server's decoder does: `null` is the same as absent, and a `null`
//! item of a list is an empty one. What `status` lacks does not matter, because the server
//! replaces it; so it is with what the server decodes and does not validate. The depth of an
//! object is bounded by whoever loaded it.

mod repeats;

use crate::document::{Entry, FieldPath, Node, NodeKind, Scalar, Step};
use crate::review::Apply;
use crate::source::Span;

use super::defect::{Breach, Defect, LIMIT};
use super::format;
use super::lookup::{Apart, Fields, Schema, View};
use super::structural::is_sops;
use super::suggest;
use super::table::{Beside, Bits, Format, Items};
use crate::wording::{self, Crumb, is_placeholder};

/// How many unknown fields of one object get a suggestion; looking for one takes time.
const SUGGESTIONS: usize = 20;

/// Returns what an object has that its schema does not allow, in the order of the text.
///
/// There may be more where there are [`LIMIT`] of them.
pub(super) fn walk<'a>(
    root: &'a Node,
    kind: &'a str,
    schema: Schema<'a>,
    apply: Apply,
) -> Vec<Defect> {
    let mut walk = Walk { apply, ..Walk::new(kind, Vec::new()) };
    // A missing field of the object itself is shown at its kind.
    let anchor = root.get("kind").map_or(root.span, |kind| kind.span);
    walk.value(schema, root, anchor);
    walk.defects.truncate(LIMIT);
    walk.defects
}

/// Returns what a part of an object has that its schema does not allow.
pub(super) fn part<'a>(
    node: &'a Node,
    kind: &'a str,
    crumbs: &[Crumb<'a>],
    schema: Schema<'a>,
) -> Vec<Defect> {
    let mut walk = Walk::new(kind, crumbs.to_vec());
    walk.value(schema, node, node.span);
    walk.defects.truncate(LIMIT);
    walk.defects
}

struct Walk<'a> {
    kind: &'a str,
    apply: Apply,
    crumbs: Vec<Crumb<'a>>,
    /// The fields of the objects around the present one, with the number of crumbs that lead there.
    above: Vec<(usize, Fields<'a>)>,
    /// Whether the server only decodes what stands here: `status`, and what the schema says so of.
    unvalidated: bool,
    /// Whether a decoder reads this that is not strict, so that unknown fields are dropped.
    loose: bool,
    suggestions: usize,
    defects: Vec<Defect>,
}

impl<'a> Walk<'a> {
    fn new(kind: &'a str, crumbs: Vec<Crumb<'a>>) -> Self {
        Self {
            kind,
            apply: Apply::Client,
            crumbs,
            above: Vec::new(),
            unvalidated: false,
            loose: false,
            suggestions: SUGGESTIONS,
            defects: Vec::new(),
        }
    }

    fn value(&mut self, schema: Schema<'a>, node: &'a Node, anchor: Span) {
        if self.defects.len() >= LIMIT {
            return;
        }
        match (schema.view(), &node.kind) {
            (View::Any, _)
            | (View::Open, NodeKind::Mapping(_))
            | (View::Boolean, NodeKind::Scalar(Scalar::Bool(_)))
            | (
                View::Number | View::Quantity,
                NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)),
            )
            | (View::IntOrString, NodeKind::Scalar(Scalar::String(_))) => {}
            (View::Object(fields), NodeKind::Mapping(entries)) => {
                self.object(fields, entries, anchor);
            }
            (View::Map(values), NodeKind::Mapping(entries)) => {
                for entry in entries {
                    self.crumbs.push(Crumb::Key(&entry.key));
                    self.item(values, &entry.value, entry.key_span);
                    self.crumbs.pop();
                }
            }
            (View::List(items, apart), NodeKind::Sequence(nodes)) => {
                let named = apart.by_name();
                for (index, item) in nodes.iter().enumerate() {
                    let name = if named { item.get("name").and_then(Node::as_str) } else { None };
                    self.crumbs.push(Crumb::Item(index, name));
                    if item.is_null() && apart.items != Items::Atomic && self.merges() {
                        self.wrong_type(item, "an item");
                    } else {
                        self.item(items, item, item.span);
                    }
                    self.crumbs.pop();
                }
                self.twice(apart, nodes);
            }
            (View::Or(beside, inner), _) => self.either(inner, beside, node, anchor),
            (View::Decoded(inner), _) => {
                let unvalidated = std::mem::replace(&mut self.unvalidated, true);
                self.value(inner, node, anchor);
                self.unvalidated = unvalidated;
            }
            (View::Integer(bits), NodeKind::Scalar(scalar)) => {
                self.integer(node, scalar, bits, "an integer");
            }
            (View::IntOrString, NodeKind::Scalar(scalar)) => {
                self.integer(node, scalar, Bits::B32, "an integer or a string");
            }
            (View::Quantity, NodeKind::Scalar(Scalar::String(text))) => self.quantity(node, text),
            (View::String(format, values), NodeKind::Scalar(Scalar::String(text))) => {
                self.format(node, text, format);
                if !values.allow(text) && !self.unvalidated && !is_placeholder(text) {
                    let values: Vec<&str> = values.iter().filter(|it| !it.is_empty()).collect();
                    let help = suggest::value(text, &values);
                    let message = match self.quote(text) {
                        Some(quoted) => {
                            format!("{quoted} is not a value of `{}`", self.place())
                        }
                        None => format!("`{}` does not take this value", self.place()),
                    };
                    self.defect(Breach::InvalidValue, node.span, message, Some(help));
                }
            }
            // Go reads bytes from a list of numbers as well.
            (View::String(Format::Base64, _), NodeKind::Sequence(items))
                if items.iter().all(is_byte) => {}
            (View::Boolean, _) => self.wrong_type(node, "a boolean"),
            (View::Integer(_), _) => self.wrong_type(node, "an integer"),
            (View::Number, _) => self.wrong_type(node, "a number"),
            (View::String(..), _) => self.wrong_type(node, "a string"),
            (View::IntOrString, _) => self.wrong_type(node, "an integer or a string"),
            (View::Quantity, _) => self.wrong_type(node, "a quantity"),
            (View::List(..), _) => self.wrong_type(node, "a list"),
            (View::Open | View::Map(_) | View::Object(_), _) => self.wrong_type(node, "an object"),
        }
    }

    /// A JSON schema within another. Types such as `JSONSchemaPropsOrBool` have decoders of their
    /// own, which drop unknown fields without a word and ignore what is no alternative at all;
    /// only the one with the boolean insists.
    fn either(&mut self, schema: Schema<'a>, beside: Beside, node: &'a Node, anchor: Span) {
        let loose = std::mem::replace(&mut self.loose, true);
        match (&node.kind, beside) {
            (NodeKind::Mapping(_), _) => self.value(schema, node, anchor),
            (NodeKind::Sequence(items), Beside::Schemas) => {
                for (index, item) in items.iter().enumerate() {
                    self.crumbs.push(Crumb::Item(index, None));
                    self.item(schema, item, item.span);
                    self.crumbs.pop();
                }
            }
            (NodeKind::Sequence(items), Beside::Strings) => {
                for (index, item) in items.iter().enumerate() {
                    if item.as_str().is_none() && !item.is_null() {
                        self.crumbs.push(Crumb::Item(index, None));
                        self.wrong_type(item, "a string");
                        self.crumbs.pop();
                    }
                }
            }
            (NodeKind::Scalar(Scalar::Bool(_)), Beside::Boolean) => {}
            (_, Beside::Boolean) => self.wrong_type(node, "a boolean or a schema"),
            _ => {}
        }
        self.loose = loose;
    }

    /// An item of a list or a value of a map: `null` is an empty one.
    fn item(&mut self, schema: Schema<'a>, node: &'a Node, anchor: Span) {
        if !node.is_null() {
            self.value(schema, node, anchor);
        } else if let View::Object(fields) = schema.view() {
            self.object(fields, &[], anchor);
        }
    }

    /// Items that a list has already, where its items are told apart by value or by keys.
    fn twice(&mut self, apart: Apart<'a>, nodes: &'a [Node]) {
        for repeat in repeats::of(apart, nodes) {
            let Some(item) = nodes.get(repeat.index) else { continue };
            let place = self.place();
            let message = match repeat.label.filter(|_| self.shows_values()) {
                Some(label) => format!("a second item {} in `{place}`", wording::code(&label)),
                None => format!("an item of `{place}` is there twice"),
            };
            self.crumbs.push(Crumb::Item(repeat.index, None));
            self.defect(
                Breach::DuplicateItem,
                item.span,
                message,
                Some(format!("it is the same as item {} of the list", repeat.first)),
            );
            self.crumbs.pop();
        }
    }

    fn object(&mut self, fields: Fields<'a>, entries: &'a [Entry], anchor: Span) {
        let is_root = self.crumbs.is_empty();
        // What an unknown field was meant to be is not missing as well.
        let mut meant: Vec<&str> = Vec::new();
        self.above.push((self.crumbs.len(), fields));
        for entry in entries {
            if self.defects.len() >= LIMIT {
                break;
            }
            match fields.get(&entry.key) {
                Some(_) if entry.value.is_null() => {}
                Some(schema) => {
                    let unvalidated = self.unvalidated;
                    self.unvalidated |= is_root && &*entry.key == "status";
                    self.crumbs.push(Crumb::Key(&entry.key));
                    self.value(schema, &entry.value, entry.key_span);
                    self.crumbs.pop();
                    self.unvalidated = unvalidated;
                }
                None if self.loose => {}
                None if is_root && is_sops(entry) || is_placeholder(&entry.key) => {}
                None => meant.extend(self.unknown(fields, entries, entry)),
            }
        }
        self.above.pop();
        if self.unvalidated || self.defects.len() >= LIMIT {
            return;
        }
        for name in fields.required() {
            let is_there = |entry: &Entry| &*entry.key == name && !entry.value.is_null();
            if entries.iter().any(is_there) || meant.contains(&name) {
                continue;
            }
            let message = format!("missing field `{name}` in {}", self.whole());
            let mut path = self.path();
            path.push_key(name);
            let null = entries.iter().find(|entry| &*entry.key == name);
            self.defects.push(Defect {
                breach: Breach::MissingField,
                path,
                span: null.map_or(anchor, |entry| entry.key_span),
                message,
                help: null.map(|_| {
                    "it is `null`, which is the same as missing: give it a value".to_owned()
                }),
            });
        }
    }

    /// Reports an unknown field and returns the field that it was probably meant to be.
    fn unknown(
        &mut self,
        fields: Fields<'a>,
        entries: &'a [Entry],
        entry: &'a Entry,
    ) -> Option<&'a str> {
        let message = format!("unknown field {} in {}", wording::code(&entry.key), self.whole());
        let mut suggestion = None;
        if self.suggestions > 0 {
            self.suggestions -= 1;
            // The last ones are these fields.
            let above = self.above.split_last().map_or(&[][..], |it| it.1);
            suggestion = suggest::field(entry, fields, entries, above);
        }
        let (help, meant) = match suggestion {
            Some(suggest::Field::Sibling(name)) => {
                (Some(format!("did you mean `{name}`?")), Some(name))
            }
            Some(suggest::Field::Above(crumbs)) => {
                let crumbs = self.crumbs.get(..crumbs).unwrap_or_default();
                let place = wording::whole(crumbs, self.kind);
                (Some(format!("it is a field of {place}: check the indentation")), None)
            }
            Some(suggest::Field::Below(path)) => {
                let place = self.below(&path);
                (Some(format!("it is a field of {place}: check the indentation")), None)
            }
            Some(suggest::Field::Keys(maps)) => {
                let places: Vec<String> = maps.into_iter().map(|it| self.below(it)).collect();
                (Some(format!("keys of your own belong into {}", places.join(" or "))), None)
            }
            None => (None, None),
        };
        let mut path = self.path();
        path.push_key(entry.key.clone());
        self.defects.push(Defect {
            breach: Breach::UnknownField,
            path,
            span: entry.key_span,
            message,
            help,
        });
        meant
    }

    fn integer(&mut self, node: &Node, scalar: &Scalar, bits: Bits, wanted: &str) {
        // kubectl writes a YAML number such as `1e3` as 1000 before it sends it.
        let fits = match *scalar {
            Scalar::Int(value) => bits != Bits::B32 || i32::try_from(value).is_ok(),
            Scalar::Uint(_) => bits == Bits::Any,
            Scalar::Float(value) if value.fract() == 0.0 => {
                let limit = if bits == Bits::B32 { 2f64.powi(31) } else { 2f64.powi(63) };
                bits == Bits::Any || (-limit..limit).contains(&value)
            }
            Scalar::Null | Scalar::Bool(_) | Scalar::Float(_) | Scalar::String(_) => {
                self.wrong_type(node, wanted);
                return;
            }
        };
        if !fits {
            let size = if bits == Bits::B32 { 32 } else { 64 };
            let message = format!("the value of `{}` does not fit into {size} bits", self.place());
            self.defect(Breach::InvalidValue, node.span, message, None);
        }
    }

    fn quantity(&mut self, node: &Node, text: &str) {
        if format::is_quantity(text) || is_placeholder(text) {
            return;
        }
        let message = match self.quote(text) {
            Some(quoted) => format!("{quoted} in `{}` is not a quantity", self.place()),
            None => format!("`{}` is not a quantity", self.place()),
        };
        let help = match format::near_quantity(text) {
            Some(near) if self.quote(text).is_some() => format!("did you mean `{near}`?"),
            _ => "write a number with a suffix, such as `500m`, `1.5`, `128Mi` or `2G`".to_owned(),
        };
        self.defect(Breach::InvalidValue, node.span, message, Some(help));
    }

    fn format(&mut self, node: &Node, text: &str, format: Format) {
        let (fits, what, help) = match format {
            Format::Text => return,
            Format::Base64 => (
                format::is_base64(text),
                "base64",
                if self.kind == "Secret" {
                    "encode the value, or write it in plain under `stringData`"
                } else {
                    "encode the value"
                },
            ),
            Format::DateTime => (
                format::is_date_time(text),
                "a date and time of RFC 3339",
                "write it as in `2006-01-02T15:04:05Z`",
            ),
            Format::MicroTime => (
                format::is_micro_time(text),
                "a date and time of RFC 3339 with microseconds",
                "write it as in `2006-01-02T15:04:05.000000Z`",
            ),
        };
        if !fits && !is_placeholder(text) {
            let message = format!("the value of `{}` is not {what}", self.place());
            self.defect(Breach::InvalidValue, node.span, message, Some(help.to_owned()));
        }
    }

    fn wrong_type(&mut self, node: &Node, wanted: &str) {
        if node.as_str().is_some_and(is_placeholder) {
            return;
        }
        let found = wording::found(node, self.shows_values());
        let message = format!("expected {wanted} in `{}`, found {found}", self.place());
        let help = wording::type_help(node, wanted).map(str::to_owned);
        self.defect(Breach::WrongType, node.span, message, help);
    }

    /// Says whether the server merges fields by their schema, which needs items to tell apart.
    fn merges(&self) -> bool {
        self.apply == Apply::ServerSide
    }

    fn defect(&mut self, breach: Breach, span: Span, message: String, help: Option<String>) {
        self.defects.push(Defect { breach, path: self.path(), span, message, help });
    }

    fn path(&self) -> FieldPath {
        let step = |crumb: &Crumb<'_>| match *crumb {
            Crumb::Key(key) => Step::Key(key.into()),
            Crumb::Item(index, _) => Step::Index(index),
        };
        self.crumbs.iter().map(step).collect::<Vec<_>>().into()
    }

    fn place(&self) -> String {
        wording::place(&self.crumbs)
    }

    fn whole(&self) -> String {
        wording::whole(&self.crumbs, self.kind)
    }

    fn below(&self, path: &str) -> String {
        match self.place() {
            place if place.is_empty() => format!("`{path}`"),
            place => format!("`{place}.{path}`"),
        }
    }

    fn shows_values(&self) -> bool {
        self.kind != "Secret" && wording::shows_values(&self.crumbs)
    }

    fn quote(&self, text: &str) -> Option<String> {
        if self.shows_values() { wording::quote(text) } else { None }
    }
}

fn is_byte(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(Scalar::Int(value)) => u8::try_from(*value).is_ok(),
        NodeKind::Scalar(Scalar::Null) => true,
        _ => false,
    }
}
