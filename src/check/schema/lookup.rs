//! Schemas of built-in kinds, as a walk reads them.

use super::table::{Beside, Bits, Field, Format, Items, Key, Name, Node, NodeId, Table, head};

/// A schema, as one minor has it.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    table: &'a Table,
    node: NodeId,
    minor: u64,
}

/// What a schema asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    /// Anything.
    Any,
    /// A boolean.
    Boolean,
    /// A whole number.
    Integer(Bits),
    /// A number.
    Number,
    /// A string: its format, and its values where it is an enumeration.
    String(Format, Values<'a>),
    /// A string or a whole number of 32 bits.
    IntOrString,
    /// A quantity, as a string or a number.
    Quantity,
    /// An object of any fields.
    Open,
    /// A list of these, and what tells them apart.
    List(Schema<'a>, Apart<'a>),
    /// An object of any keys with these values.
    Map(Schema<'a>),
    /// An object of these fields and no others.
    Object(Fields<'a>),
    /// One of the others that the server decodes and does not validate.
    Decoded(Schema<'a>),
    /// This object, or something beside it, read by a decoder that is not strict.
    Or(Beside, Schema<'a>),
}

impl<'a> Schema<'a> {
    pub(super) fn new(table: &'a Table, node: NodeId, minor: u64) -> Self {
        Self { table, node, minor }
    }

    pub(super) fn view(self) -> View<'a> {
        let with = |node| Self { node, ..self };
        match self.table.node(self.node, self.minor) {
            // A definition's body is never a definition.
            Node::Any | Node::Definition(_) => View::Any,
            Node::Boolean => View::Boolean,
            Node::Integer(bits) => View::Integer(*bits),
            Node::Number => View::Number,
            Node::String(format, values) => {
                let names = self.table.values(values);
                View::String(*format, Values { table: self.table, names })
            }
            Node::IntOrString => View::IntOrString,
            Node::Quantity => View::Quantity,
            Node::Open => View::Open,
            Node::List(items, apart, keys) => {
                let keys = self.table.keys(keys);
                View::List(with(*items), Apart { table: self.table, items: *apart, keys })
            }
            Node::Map(values) => View::Map(with(*values)),
            Node::Object(fields) => {
                let all = self.table.fields(fields);
                View::Object(Fields { table: self.table, all, minor: self.minor })
            }
            Node::Decoded(node) => View::Decoded(with(*node)),
            Node::Or(beside, node) => View::Or(*beside, with(*node)),
        }
    }
}

/// The fields of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    table: &'a Table,
    all: &'a [Field],
    minor: u64,
}

impl<'a> Fields<'a> {
    /// Returns the schema of a field.
    pub(super) fn get(self, name: &str) -> Option<Schema<'a>> {
        let head = head(name);
        let text = |it: &Field| self.table.text(it.name);
        let at = self
            .all
            .binary_search_by(|it| it.head.cmp(&head).then_with(|| text(it).cmp(name)))
            .ok()?;
        self.all.get(at).map(|field| self.schema(field))
    }

    /// Returns all fields, in alphabetical order.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, Schema<'a>)> {
        self.all.iter().map(move |field| (self.table.text(field.name), self.schema(field)))
    }

    /// Returns the names of the fields that must be there.
    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        self.all.iter().filter(|it| it.required).map(move |it| self.table.text(it.name))
    }

    fn schema(self, field: &Field) -> Schema<'a> {
        Schema { table: self.table, node: field.node, minor: self.minor }
    }
}

/// What tells the items of a list apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apart<'a> {
    table: &'a Table,
    pub(super) items: Items,
    keys: &'a [Key],
}

impl<'a> Apart<'a> {
    /// Says whether their `name` alone does, so that it can name an item.
    pub(super) fn by_name(self) -> bool {
        matches!(self.keys, [key] if self.table.text(key.name) == "name")
    }

    /// Returns the fields that do, each with what it is where it is missing.
    pub(super) fn keys(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let text = move |name| self.table.text(name);
        self.keys.iter().map(move |key| (text(key.name), key.default.map(text)))
    }
}

/// The values of an enumeration; none where any string will do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    table: &'a Table,
    names: &'a [Name],
}

impl<'a> Values<'a> {
    /// Says whether a string is one of them.
    pub(super) fn allow(self, text: &str) -> bool {
        self.names.is_empty() || self.iter().any(|it| it == text)
    }

    /// Returns them in alphabetical order.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        self.names.iter().map(move |it| self.table.text(*it))
    }
}
