//! Values: what expressions give, and the nodes of a document seen through their types.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::library::format::Format;
use super::library::net::Cidr;
use super::library::semver::Semver;
use super::library::url::Url;
use super::time::{Duration, Timestamp};
use super::types::{ListType, ObjectType, Opaque, Type};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::quantity::Quantity;

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// An error of the language: `&&`, `||` and their kin may make up for it.
    Error(Arc<str>),
    /// The cost is above the limit: nothing makes up for it.
    TooExpensive,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Error(Arc::from(message.into()))
    }

    pub(super) fn no_overload() -> Self {
        Self::Error(Arc::from("no such overload"))
    }

    pub(super) fn overflow() -> Self {
        Self::Error(Arc::from("integer overflow"))
    }
}

/// A result of evaluation.
pub(super) type Evaluated<'a> = Result<Value<'a>, Failure>;

/// A value of CEL. Values of a document are read where they stand.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    String(Text<'a>),
    /// A string of bytes.
    Bytes(Arc<[u8]>),
    /// A point in time.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(Duration),
    /// A list.
    List(List<'a>),
    /// A map, or an object.
    Map(Map<'a>),
    /// A value that may be absent.
    Optional(Option<Arc<Self>>),
    /// A type.
    Type(Arc<str>),
    /// A value of the Kubernetes libraries.
    Opaque(OpaqueValue),
}

/// A string of a document or an expression, or a new one.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// It stands in what is evaluated.
    Borrowed(&'a str),
    /// It was made, or is shared.
    Owned(Arc<str>),
}

impl Text<'_> {
    /// Returns the string.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// A list of a document, or a new one.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// Items of a document.
    Nodes(&'a [Node], ListView<'a>),
    /// Items that an expression made.
    Made(Arc<Vec<Value<'a>>>),
}

/// What a schema says of a list of a document.
#[derive(Debug, Clone, Copy)]
pub enum ListView<'a> {
    /// Its items have this type.
    Typed(&'a ListType),
    /// Nothing is known.
    Dynamic,
}

/// A map of a document, or a new one.
#[derive(Debug, Clone)]
pub enum Map<'a> {
    /// Entries of a document.
    Nodes(&'a [Entry], MapView<'a>),
    /// Entries that an expression made, by key.
    Made(Arc<BTreeMap<Key, (Value<'a>, Value<'a>)>>),
}

/// What a schema says of a map of a document.
#[derive(Debug, Clone, Copy)]
pub enum MapView<'a> {
    /// All values have this type.
    Typed(&'a Type),
    /// Each field has its own.
    Object(&'a ObjectType),
    /// Nothing is known.
    Dynamic,
}

/// A key of a map; numbers of different types are the same key where they are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i128),
    /// A string.
    String(Arc<str>),
    /// Anything else, by its type and how it is written.
    Other(Arc<str>),
}

/// A value of the Kubernetes libraries.
#[derive(Debug, Clone)]
pub enum OpaqueValue {
    /// `quantity("1Gi")`.
    Quantity(Arc<Quantity>),
    /// `ip("10.0.0.1")`.
    Ip(IpAddr),
    /// `cidr("10.0.0.0/8")`.
    Cidr(Cidr),
    /// `url("https://example.com")`.
    Url(Arc<Url>),
    /// `semver("1.2.3")`.
    Semver(Arc<Semver>),
    /// `format.dns1123Label()`.
    Format(&'static Format),
}

impl OpaqueValue {
    fn kind(&self) -> Opaque {
        match self {
            Self::Quantity(_) => Opaque::Quantity,
            Self::Ip(_) => Opaque::Ip,
            Self::Cidr(_) => Opaque::Cidr,
            Self::Url(_) => Opaque::Url,
            Self::Semver(_) => Opaque::Semver,
            Self::Format(_) => Opaque::Format,
        }
    }
}

impl<'a> Value<'a> {
    /// Returns a new string.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Owned(text.into()))
    }

    /// Returns a new list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Arc::new(items)))
    }

    /// Reads a node as a value of a type.
    ///
    /// Fails where the node is not of the type; a schema has told that before.
    pub fn of(node: &'a Node, of: &'a Type) -> Result<Self, EvaluationError> {
        Self::read(node, of).map_err(EvaluationError::from)
    }

    /// Reads a node of which nothing is known.
    pub fn dynamic(node: &'a Node) -> Self {
        match &node.kind {
            NodeKind::Scalar(scalar) => match scalar {
                Scalar::Null => Self::Null,
                Scalar::Bool(value) => Self::Bool(*value),
                Scalar::Int(value) => Self::Int(*value),
                #[expect(clippy::cast_precision_loss, reason = "JSON beyond 64 bits is a float")]
                Scalar::Uint(value) => Self::Double(*value as f64),
                Scalar::Float(value) => Self::Double(*value),
                Scalar::String(text) => Self::String(Text::Borrowed(text)),
            },
            NodeKind::Sequence(items) => Self::List(List::Nodes(items, ListView::Dynamic)),
            NodeKind::Mapping(entries) => Self::Map(Map::Nodes(entries, MapView::Dynamic)),
        }
    }

    pub(super) fn read(node: &'a Node, of: &'a Type) -> Evaluated<'a> {
        let invalid =
            |expected: &str| Err(Failure::new(format!("invalid data, expected {expected}")));
        let text = || node.as_str();
        Ok(match of {
            Type::String => match text() {
                Some(text) => Self::String(Text::Borrowed(text)),
                None => return invalid("string"),
            },
            Type::Int => match node.kind {
                NodeKind::Scalar(Scalar::Int(value)) => Self::Int(value),
                _ => return invalid("int"),
            },
            #[expect(clippy::cast_precision_loss, reason = "the schema wants a float")]
            Type::Double => match node.kind {
                NodeKind::Scalar(Scalar::Float(value)) => Self::Double(value),
                NodeKind::Scalar(Scalar::Int(value)) => Self::Double(value as f64),
                NodeKind::Scalar(Scalar::Uint(value)) => Self::Double(value as f64),
                _ => return invalid("float"),
            },
            Type::Bool => match node.as_bool() {
                Some(value) => Self::Bool(value),
                None => return invalid("bool"),
            },
            Type::Timestamp => match text() {
                Some(text) => Self::Timestamp(Timestamp::of_format(text).ok_or_else(|| {
                    Failure::new(format!("Invalid date-time formatted string {text}"))
                })?),
                None => return invalid("string"),
            },
            Type::Duration => match text() {
                Some(text) => Self::Duration(
                    Duration::of_format(text)
                        .ok_or_else(|| Failure::new(format!("Invalid duration {text}")))?,
                ),
                None => return invalid("string"),
            },
            Type::Bytes => match text() {
                Some(text) => {
                    Self::Bytes(super::library::format::decode_base64(text).ok_or_else(|| {
                        Failure::new(format!("Invalid byte formatted string {text}"))
                    })?)
                }
                None => return invalid("string"),
            },
            Type::List(list) => match &node.kind {
                NodeKind::Sequence(items) => Self::List(List::Nodes(items, ListView::Typed(list))),
                _ => return invalid("an array for the provided schema with type=array"),
            },
            Type::Map(map) => match &node.kind {
                NodeKind::Mapping(entries) => {
                    Self::Map(Map::Nodes(entries, MapView::Typed(&map.1)))
                }
                _ => return invalid("a map for the provided schema with type=object"),
            },
            Type::Object(object) => match &node.kind {
                NodeKind::Mapping(entries) => {
                    Self::Map(Map::Nodes(entries, MapView::Object(object)))
                }
                _ => return invalid("a map for the provided schema with type=object"),
            },
            Type::Optional(of) => {
                let inner = if node.is_null() { None } else { Some(Self::read(node, of)?) };
                Self::Optional(inner.map(Arc::new))
            }
            _ => Self::dynamic(node),
        })
    }

    /// Returns the name of the value's type.
    pub(super) fn type_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Opaque(value) => value.kind().name(),
        }
    }

    /// Returns the string, where this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// Returns the boolean, where this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the size by which the cost of an operation is reckoned.
    pub(super) fn size(&self) -> u64 {
        let wide = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        match self {
            Self::String(text) => wide(text.as_str().chars().count()),
            Self::Bytes(bytes) => wide(bytes.len()),
            Self::List(list) => wide(list.len()),
            Self::Map(map) => wide(map.len()),
            Self::Optional(Some(value)) => value.size(),
            Self::Opaque(OpaqueValue::Ip(ip)) => super::library::net::ip_size(*ip),
            Self::Opaque(OpaqueValue::Cidr(cidr)) => cidr.size(),
            _ => 1,
        }
    }

    /// Returns the value as a key of a map.
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Bool(value) => Key::Bool(*value),
            Self::Int(value) => Key::Number(i128::from(*value)),
            Self::Uint(value) => Key::Number(i128::from(*value)),
            Self::Double(value) => {
                #[expect(clippy::cast_possible_truncation, reason = "compared afterwards")]
                let whole = *value as i128;
                #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact or none")]
                if whole as f64 != *value {
                    return Key::Other(Arc::from(format!("double {value}")));
                }
                Key::Number(whole)
            }
            Self::String(Text::Owned(text)) => Key::String(Arc::clone(text)),
            Self::String(Text::Borrowed(text)) => Key::String(Arc::from(*text)),
            other => Key::Other(Arc::from(format!("{} {other}", other.type_name()))),
        }
    }

    /// Says whether two values are equal; `false` for what cannot be compared.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, Failure> {
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::String(left), Self::String(right)) => left.as_str() == right.as_str(),
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Timestamp(left), Self::Timestamp(right)) => left == right,
            (Self::Duration(left), Self::Duration(right)) => left == right,
            (Self::Type(left), Self::Type(right)) => left == right,
            (Self::List(left), Self::List(right)) => return left.equals(right),
            (Self::Map(left), Self::Map(right)) => return left.equals(right),
            (Self::Optional(left), Self::Optional(right)) => match (left, right) {
                (None, None) => true,
                (Some(left), Some(right)) => return left.equals(right),
                _ => false,
            },
            (Self::Opaque(left), Self::Opaque(right)) => match (left, right) {
                (OpaqueValue::Quantity(left), OpaqueValue::Quantity(right)) => left == right,
                (OpaqueValue::Ip(left), OpaqueValue::Ip(right)) => left == right,
                (OpaqueValue::Cidr(left), OpaqueValue::Cidr(right)) => left == right,
                (OpaqueValue::Url(left), OpaqueValue::Url(right)) => left == right,
                (OpaqueValue::Semver(left), OpaqueValue::Semver(right)) => {
                    left.cmp_precedence(right).is_eq()
                }
                (OpaqueValue::Format(left), OpaqueValue::Format(right)) => {
                    std::ptr::eq(*left, *right)
                }
                _ => return Err(Failure::no_overload()),
            },
            (Self::Opaque(_), other) if !matches!(other, Self::Null) => {
                return Err(Failure::no_overload());
            }
            _ => self.compare_numbers(other).is_some_and(|it| it == Some(Ordering::Equal)),
        })
    }

    /// Compares two numbers of any type: `None` for what is no number, then `None` for NaN.
    #[expect(clippy::option_option, reason = "two reasons not to have an order")]
    fn compare_numbers(&self, other: &Self) -> Option<Option<Ordering>> {
        Some(match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Uint(left), Self::Uint(right)) => Some(left.cmp(right)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(right),
            (Self::Int(left), Self::Uint(right)) => {
                Some(i128::from(*left).cmp(&i128::from(*right)))
            }
            (Self::Uint(left), Self::Int(right)) => {
                Some(i128::from(*left).cmp(&i128::from(*right)))
            }
            (Self::Double(left), Self::Int(right)) => compare_double(*left, i128::from(*right)),
            (Self::Double(left), Self::Uint(right)) => compare_double(*left, i128::from(*right)),
            (Self::Int(left), Self::Double(right)) => {
                compare_double(*right, i128::from(*left)).map(Ordering::reverse)
            }
            (Self::Uint(left), Self::Double(right)) => {
                compare_double(*right, i128::from(*left)).map(Ordering::reverse)
            }
            _ => return None,
        })
    }

    /// Orders two values, as `<` does.
    pub(super) fn compare(&self, other: &Self) -> Result<Ordering, Failure> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Ok(left.cmp(right)),
            (Self::String(left), Self::String(right)) => Ok(left.as_str().cmp(right.as_str())),
            (Self::Bytes(left), Self::Bytes(right)) => Ok(left.cmp(right)),
            (Self::Timestamp(left), Self::Timestamp(right)) => Ok(left.cmp(right)),
            (Self::Duration(left), Self::Duration(right)) => Ok(left.cmp(right)),
            _ => match self.compare_numbers(other) {
                Some(Some(order)) => Ok(order),
                Some(None) => Err(Failure::new("NaN values cannot be ordered")),
                None => Err(Failure::no_overload()),
            },
        }
    }
}

/// Orders a float and a whole number as upstream does: both as floats.
#[expect(clippy::cast_precision_loss, reason = "upstream compares these very numbers")]
fn compare_double(left: f64, right: i128) -> Option<Ordering> {
    left.partial_cmp(&(right as f64))
}

impl fmt::Display for Value<'_> {
    /// Writes the value as an expression would.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}u"),
            Self::Double(value) => {
                let text = super::library::convert::double_text(*value);
                let whole = text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
                write!(f, "{text}{}", if whole { ".0" } else { "" })
            }
            Self::String(text) => write!(f, "{:?}", text.as_str()),
            Self::Bytes(bytes) => write!(f, "b{:?}", String::from_utf8_lossy(bytes)),
            Self::Timestamp(value) => write!(f, "timestamp(\"{value}\")"),
            Self::Duration(value) => write!(f, "duration(\"{value}\")"),
            Self::List(list) => {
                f.write_str("[")?;
                for (at, item) in list.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    match item {
                        Ok(item) => write!(f, "{comma}{item}")?,
                        Err(_) => write!(f, "{comma}error")?,
                    }
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (at, key) in map.keys().into_iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    match map.find(&key) {
                        Ok(Some(value)) => write!(f, "{comma}{key}: {value}")?,
                        _ => write!(f, "{comma}{key}: error")?,
                    }
                }
                f.write_str("}")
            }
            Self::Optional(None) => f.write_str("optional.none()"),
            Self::Optional(Some(value)) => write!(f, "optional.of({value})"),
            Self::Type(name) => f.write_str(name),
            Self::Opaque(value) => match value {
                OpaqueValue::Quantity(_) => f.write_str("quantity"),
                OpaqueValue::Ip(ip) => write!(f, "ip(\"{ip}\")"),
                OpaqueValue::Cidr(cidr) => write!(f, "cidr(\"{cidr}\")"),
                OpaqueValue::Url(url) => write!(f, "url(\"{}\")", url.text()),
                OpaqueValue::Semver(version) => write!(f, "semver(\"{version}\")"),
                OpaqueValue::Format(format) => write!(f, "format.{}", format.name),
            },
        }
    }
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The expression failed, e.g. `no such key: a`.
    #[error("{0}")]
    Failed(Arc<str>),
    /// The evaluation of one expression costs more than the API server allows.
    #[error("the expression costs more than the API server allows")]
    CallLimit,
    /// All evaluations for one object together cost more than the API server allows.
    #[error("the rules of this object cost more than the API server allows")]
    Budget,
}

impl From<Failure> for EvaluationError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(message) => Self::Failed(message),
            Failure::TooExpensive => Self::CallLimit,
        }
    }
}
