//! From spanned nodes to typed fields, as strict as kustomize's own decoder.
//!
//! kustomize decodes with Go's `encoding/json` and `DisallowUnknownFields`: `null` leaves a field
//! unset, a key matches without regard to case, nothing is coerced.

use std::sync::Arc;

use super::Defect;
use crate::document::{Node, NodeKind, Scalar};
use crate::rule::closest;
use crate::source::Span;

/// A text and the place that holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Text {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Says whether the text is empty, which kustomize takes as not set.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A value and the place that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// One entry of a map of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key and where it stands.
    pub key: Text,
    /// The value and where it stands.
    pub value: Text,
}

/// Collects what is wrong while fields are read.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// What was wrong, in the order of the text.
    pub(crate) defects: Vec<Defect>,
}

impl Reader {
    fn wrong_type(&mut self, name: &str, expected: &str, node: &Node) {
        let found = match &node.kind {
            NodeKind::Scalar(Scalar::Null) => "nothing",
            NodeKind::Scalar(Scalar::Bool(_)) => "a boolean",
            NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "a number",
            NodeKind::Scalar(Scalar::String(_)) => "a string",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a map",
        };
        let mut defect =
            Defect::new(node.span, format!("`{name}` must be {expected}, but is {found}"));
        if expected == "a string" && found != "a list" && found != "a map" {
            defect = defect.with_help("put the value in quotes");
        }
        self.defects.push(defect);
    }

    /// Lets what is wrong with an entry as a whole say that it is an entry.
    fn tell_entry(&mut self, name: &str, item: &Node, known: usize) {
        let Some(defect) = self.defects.get_mut(known).filter(|it| it.span == item.span) else {
            return;
        };
        if let Some(rest) = defect.message.strip_prefix(&format!("`{name}` must be")) {
            defect.message = format!("an entry of `{name}` must be{rest}");
            if name == "patches" && item.as_str().is_some() {
                defect.help = Some("write `path:` before the name of a file".to_owned());
            }
        }
    }

    /// Reports a field that `owner` does not have.
    pub(super) fn unknown(&mut self, owner: &str, key: &str, span: Span, known: &[&str]) {
        let defect = Defect::lenient(span, format!("{owner} has no field `{key}`"));
        self.defects.push(match closest(key, known.iter().copied()) {
            Some(near) => defect.with_help(format!("did you mean `{near}`?")),
            None => defect,
        });
    }
}

/// A type that a field can have.
pub(crate) trait Field: Sized + Default {
    /// Reads the value of the field `name`; reports and gives the empty value where it does not fit.
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Self;
}

impl<T: Item> Field for Option<T> {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Self {
        if node.is_null() { None } else { T::read(name, node, reader) }
    }
}

impl<T: Item> Field for Vec<T> {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Self {
        match &node.kind {
            NodeKind::Sequence(items) => {
                let read = |item: &Node| {
                    let known = reader.defects.len();
                    let value = T::read(name, item, reader);
                    reader.tell_entry(name, item, known);
                    value
                };
                items.iter().filter_map(read).collect()
            }
            NodeKind::Scalar(Scalar::Null) => Self::new(),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => {
                reader.wrong_type(name, "a list", node);
                Self::new()
            }
        }
    }
}

/// A type that a field or an item of a list can have.
pub(crate) trait Item: Sized {
    /// Reads a value; reports and gives nothing where it does not fit.
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Option<Self>;
}

impl Item for Text {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            NodeKind::Scalar(Scalar::String(text)) => {
                Some(Self { text: Arc::clone(text), span: node.span })
            }
            // `encoding/json` decodes a null item to the empty string.
            NodeKind::Scalar(Scalar::Null) => Some(Self { text: Arc::from(""), span: node.span }),
            _ => {
                reader.wrong_type(name, "a string", node);
                None
            }
        }
    }
}

impl Item for Spanned<bool> {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Option<Self> {
        let value = node.as_bool();
        if value.is_none() {
            reader.wrong_type(name, "a boolean", node);
        }
        Some(Self { value: value?, span: node.span })
    }
}

impl Item for Spanned<i64> {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Option<Self> {
        if let NodeKind::Scalar(Scalar::Int(value)) = node.kind {
            return Some(Self { value, span: node.span });
        }
        reader.wrong_type(name, "a whole number", node);
        None
    }
}

impl Item for Node {
    fn read(_: &str, node: &Node, _: &mut Reader) -> Option<Self> {
        Some(node.clone())
    }
}

/// A map of texts, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<Pair>);

impl Field for Pairs {
    fn read(name: &str, node: &Node, reader: &mut Reader) -> Self {
        match &node.kind {
            NodeKind::Mapping(entries) => Self(
                entries
                    .iter()
                    .filter_map(|entry| {
                        let key = Text { text: Arc::clone(&entry.key), span: entry.key_span };
                        let name = format!("{name}.{}", entry.key);
                        let value = <Text as Item>::read(&name, &entry.value, reader)?;
                        Some(Pair { key, value })
                    })
                    .collect(),
            ),
            NodeKind::Scalar(Scalar::Null) => Self::default(),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
                reader.wrong_type(name, "a map of strings", node);
                Self::default()
            }
        }
    }
}

impl Pairs {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Text> {
        self.0.iter().find(|pair| &*pair.key.text == key).map(|pair| &pair.value)
    }

    /// Says whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the entries of a mapping into the fields of `T`, which `set` knows.
pub(super) fn record<T>(
    name: &str,
    node: &Node,
    reader: &mut Reader,
    mut value: T,
    known: &[&'static str],
    set: impl Fn(&mut T, &str, &Node, &mut Reader),
) -> Option<T> {
    let NodeKind::Mapping(entries) = &node.kind else {
        if node.is_null() {
            return Some(value);
        }
        reader.wrong_type(name, "a map", node);
        return None;
    };
    for entry in entries {
        let exact = known.iter().find(|field| **field == &*entry.key);
        let folded = || known.iter().find(|field| field.eq_ignore_ascii_case(&entry.key));
        if let Some(field) = exact.or_else(folded) {
            set(&mut value, field, &entry.value, reader);
            continue;
        }
        let owner =
            if name.is_empty() { "a kustomization".to_owned() } else { format!("`{name}`") };
        reader.unknown(&owner, &entry.key, entry.key_span, known);
    }
    Some(value)
}

/// Defines structs together with the way they are read.
macro_rules! records {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$field_meta:meta])* $key:literal => $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            /// Where the whole value stands.
            pub span: $crate::source::Span,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// The names of the fields.
            pub const FIELDS: &'static [&'static str] = &[$($key),*];

            /// Returns a value without any field set.
            pub fn empty(span: $crate::source::Span) -> Self {
                Self { span, $($field: Default::default(),)* }
            }
        }

        impl $crate::graph::kustomization::decode::Item for $name {
            fn read(
                name: &str,
                node: &$crate::document::Node,
                reader: &mut $crate::graph::kustomization::decode::Reader,
            ) -> Option<Self> {
                use $crate::graph::kustomization::decode::{Field, record};
                record(name, node, reader, Self::empty(node.span), Self::FIELDS, |value, key, node, reader| {
                    match key {
                        $($key => value.$field = <$type as Field>::read(key, node, reader),)*
                        _ => {}
                    }
                })
            }
        }
    )*};
}

pub(super) use records;
