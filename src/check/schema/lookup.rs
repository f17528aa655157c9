//! Schemas of built-in kinds, as a walk reads them.

use super::table::{Bits, Field, Format, Name, Node, NodeId, Table};

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
    /// A list of these, and whether their `name` tells them apart.
    List(Schema<'a>, bool),
    /// An object of any keys with these values.
    Map(Schema<'a>),
    /// An object of these fields and no others.
    Object(Fields<'a>),
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
                let names = self.table.list(values);
                View::String(*format, Values { table: self.table, names })
            }
            Node::IntOrString => View::IntOrString,
            Node::Quantity => View::Quantity,
            Node::Open => View::Open,
            Node::List(items, keys) => {
                let named =
                    matches!(self.table.list(keys), [key] if self.table.text(*key) == "name");
                View::List(with(*items), named)
            }
            Node::Map(values) => View::Map(with(*values)),
            Node::Object(fields) => {
                let all = self.table.fields(fields);
                View::Object(Fields { table: self.table, all, minor: self.minor })
            }
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
        let at = self.all.binary_search_by(|it| self.table.text(it.name).cmp(name)).ok()?;
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
