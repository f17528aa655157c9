//! A compiled schema: its parts, told apart by number, so that one array holds them all.

use std::sync::{Arc, OnceLock};

use regex::Regex;

use super::formats::Format;
use super::rules::Rules;
use crate::document::Node;
use crate::engine::re2;

/// Names one part of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShapeId(u32);

impl ShapeId {
    /// Returns the number.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All parts of a schema.
#[derive(Debug)]
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a part, and returns its number.
    pub(super) fn add(&mut self, shape: Shape) -> ShapeId {
        let id = ShapeId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(shape);
        id
    }

    /// Returns a part; one that takes anything where there is none of this number.
    pub(super) fn get(&self, id: ShapeId) -> &Shape {
        static ANYTHING: Shape = Shape::anything();
        self.0.get(id.0 as usize).unwrap_or(&ANYTHING)
    }

    /// Returns all parts, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.0.iter()
    }

    /// Returns the number of parts.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The types that a value may have; all where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const STRING: Self = Self(1);
    pub(super) const INTEGER: Self = Self(2);
    pub(super) const NUMBER: Self = Self(4);
    pub(super) const BOOLEAN: Self = Self(8);
    pub(super) const ARRAY: Self = Self(16);
    pub(super) const OBJECT: Self = Self(32);
    pub(super) const INT_OR_STRING: Self = Self(1 | 2);

    /// Returns the type of a name; none for any other text.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "string" => Self::STRING,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "boolean" => Self::BOOLEAN,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    pub(super) fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the words for a message.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::STRING => "a string",
            Self::INTEGER => "an integer",
            Self::NUMBER => "a number",
            Self::BOOLEAN => "a boolean",
            Self::ARRAY => "a list",
            Self::OBJECT => "an object",
            Self::INT_OR_STRING => "an integer or a string",
            _ => "another type",
        }
    }
}

/// What the keys of an object that are no properties may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Additional {
    /// The schema does not speak of them.
    Unsaid,
    /// `true`: they are there, and what they hold has no schema.
    Any,
    /// Values of this schema.
    Of(ShapeId),
}

/// What makes the items of a list differ (`x-kubernetes-list-type`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListKind {
    /// Nothing.
    Atomic,
    /// No two are alike.
    Set,
    /// No two have the same values in these fields.
    Map(Box<[Arc<str>]>),
}

/// One part of a schema.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a keyword of the schema")]
pub(super) struct Shape {
    pub(super) types: Types,
    pub(super) format: Option<Format>,
    pub(super) nullable: bool,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub(super) preserve: bool,
    /// `x-kubernetes-embedded-resource`.
    pub(super) embedded: bool,
    /// `x-kubernetes-map-type: atomic`.
    pub(super) atomic: bool,
    /// Whether this or something within has a default.
    pub(super) defaults_within: bool,
    /// Whether this or something within is an embedded resource, a set or a map.
    pub(super) lists_within: bool,
    /// Whether this or something within has CEL rules.
    pub(super) rules_within: bool,
    /// Sorted by name.
    pub(super) properties: Vec<(Arc<str>, ShapeId)>,
    pub(super) additional: Additional,
    pub(super) items: Option<ShapeId>,
    pub(super) list: ListKind,
    pub(super) required: Vec<Arc<str>>,
    pub(super) default: Option<Box<Node>>,
    pub(super) limits: Option<Box<Limits>>,
    pub(super) rules: Option<Box<Rules>>,
}

impl Shape {
    /// Returns the part that takes anything.
    pub(super) const fn anything() -> Self {
        Self {
            types: Types::NONE,
            format: None,
            nullable: false,
            preserve: false,
            embedded: false,
            atomic: false,
            defaults_within: false,
            lists_within: false,
            rules_within: false,
            properties: Vec::new(),
            additional: Additional::Unsaid,
            items: None,
            list: ListKind::Atomic,
            required: Vec::new(),
            default: None,
            limits: None,
            rules: None,
        }
    }

    /// Returns the schema of a property.
    pub(super) fn property(&self, name: &str) -> Option<ShapeId> {
        let at = self.properties.binary_search_by(|(it, _)| (**it).cmp(name)).ok()?;
        self.properties.get(at).map(|(_, id)| *id)
    }

    /// Returns the schema of a key: that of its property, or that of all other keys.
    pub(super) fn field(&self, name: &str) -> Option<ShapeId> {
        self.property(name).or(match self.additional {
            Additional::Of(id) => Some(id),
            Additional::Unsaid | Additional::Any => None,
        })
    }
}

/// What a schema asks of values beside their types.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) values: Vec<Node>,
    pub(super) pattern: Option<Pattern>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) above_minimum: bool,
    pub(super) below_maximum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    pub(super) unique: bool,
    pub(super) all_of: Vec<ShapeId>,
    pub(super) any_of: Vec<ShapeId>,
    pub(super) one_of: Vec<ShapeId>,
    pub(super) not: Option<ShapeId>,
}

/// A regular expression, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// Says whether a text matches; `None` where the expression is none.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| re2::compile(&self.text).ok());
        compiled.as_ref().map(|it| it.is_match(text))
    }
}
