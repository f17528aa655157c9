//! The types of CEL, and which may stand for which.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A type, as the checker sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// The type of `null`.
    Null,
    /// A boolean.
    Bool,
    /// A signed number of 64 bits.
    Int,
    /// An unsigned number of 64 bits.
    Uint,
    /// A floating-point number.
    Double,
    /// A string.
    String,
    /// A string of bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// Anything: checked when it is evaluated.
    Dyn,
    /// The type of an expression that is wrong; nothing more is said about it.
    Error,
    /// A list.
    List(Arc<ListType>),
    /// A map.
    Map(Arc<(Self, Self)>),
    /// A map with known fields.
    Object(Arc<ObjectType>),
    /// A value that may be absent.
    Optional(Arc<Self>),
    /// The type of a type, where it is known of which.
    Type(Arc<Self>),
    /// A type of the Kubernetes libraries.
    Opaque(Opaque),
    /// Stands for a type that is not known yet.
    Param(Param),
}

/// A type parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Param {
    /// One of a signature, by its letter.
    Declared(char),
    /// One that the checker made.
    Free(u32),
}

/// The element type of a list, and what the list means in a structural schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ListType {
    /// The type of the items.
    pub item: Type,
    /// How two lists compare and add up.
    pub kind: ListKind,
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ListKind {
    /// The order counts.
    #[default]
    Atomic,
    /// The order does not count, and no item stands in it twice.
    Set,
    /// The order does not count, and these keys tell the items apart.
    Map(Vec<Arc<str>>),
}

/// A map of which the fields are known.
#[derive(Debug, Clone)]
pub struct ObjectType {
    /// Tells the type from others; messages show it.
    pub name: Arc<str>,
    /// The fields by the name that CEL gives them ([`super::escape`]).
    pub fields: BTreeMap<Arc<str>, Type>,
    /// Fields of the data that are not known here exist and are compared, but cannot be selected.
    pub preserves_unknown: bool,
}

impl ObjectType {
    /// Returns the type of a field; a name that is a word of the language may be said as it is.
    pub(super) fn field(&self, name: &str) -> Option<&Type> {
        self.fields.get(name).or_else(|| {
            if !super::name::is_reserved(name) {
                return None;
            }
            self.fields.get(format!("__{name}__").as_str())
        })
    }
}

impl PartialEq for ObjectType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The types of the Kubernetes libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opaque {
    /// `quantity("1Gi")`.
    Quantity,
    /// `ip("10.0.0.1")`.
    Ip,
    /// `cidr("10.0.0.0/8")`.
    Cidr,
    /// `url("https://example.com")`.
    Url,
    /// `semver("1.2.3")`.
    Semver,
    /// `format.named("dns1123Label")`.
    Format,
    /// `authorizer`.
    Authorizer,
    /// `authorizer.path("/healthz")`.
    PathCheck,
    /// `authorizer.group("apps")`.
    GroupCheck,
    /// `authorizer.group("apps").resource("deployments")`.
    ResourceCheck,
    /// What `check` answers.
    Decision,
    /// `JSONPatch{}`.
    JsonPatch,
}

impl Opaque {
    /// Returns the name that the API server uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quantity => "kubernetes.Quantity",
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Url => "kubernetes.URL",
            Self::Semver => "kubernetes.Semver",
            Self::Format => "kubernetes.NamedFormat",
            Self::Authorizer => "kubernetes.authorization.Authorizer",
            Self::PathCheck => "kubernetes.authorization.PathCheck",
            Self::GroupCheck => "kubernetes.authorization.GroupCheck",
            Self::ResourceCheck => "kubernetes.authorization.ResourceCheck",
            Self::Decision => "kubernetes.authorization.Decision",
            Self::JsonPatch => "JSONPatch",
        }
    }
}

impl Type {
    /// Returns the type of a list whose order counts.
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(ListType { item, kind: ListKind::Atomic }))
    }

    /// Returns the type of a map.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// Returns the type of a map with known fields.
    pub fn object(name: &str, fields: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Self::Object(Arc::new(ObjectType {
            name: Arc::from(name),
            fields: fields.into_iter().collect(),
            preserves_unknown: false,
        }))
    }

    /// Returns the type of a value that may be absent.
    pub fn optional(of: Self) -> Self {
        Self::Optional(Arc::new(of))
    }

    pub(super) fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn)
    }

    pub(super) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Self::Dyn | Self::Error)
    }

    /// Returns the name of the type as a value: `type(1)` is `int`.
    pub(super) fn runtime_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Dyn | Self::Param(_) => "dyn",
            Self::Error => "error",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Object(object) => &object.name,
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Opaque(opaque) => opaque.name(),
        }
    }
}

impl fmt::Display for Type {
    /// Writes the type as messages of the checker show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Error => f.write_str("!error!"),
            Self::List(list) => write!(f, "list({})", list.item),
            Self::Map(map) => write!(f, "map({}, {})", map.0, map.1),
            Self::Optional(of) => write!(f, "optional_type({of})"),
            Self::Type(of) => write!(f, "type({of})"),
            other => f.write_str(other.runtime_name()),
        }
    }
}

/// What the checker has found out about type parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Substitutions(BTreeMap<Param, Type>);

impl Substitutions {
    /// Tries to let `right` be used where `left` is wanted, and remembers what follows from it.
    pub(super) fn assign(&mut self, left: &Type, right: &Type) -> bool {
        let before = self.clone();
        let fits = self.fits(left, right);
        if !fits {
            *self = before;
        }
        fits
    }

    /// As [`Substitutions::assign`], for all or none of the pairs.
    pub(super) fn assign_all(&mut self, left: &[Type], right: &[Type]) -> bool {
        let before = self.clone();
        let fits =
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| self.fits(l, r));
        if !fits {
            *self = before;
        }
        fits
    }

    pub(super) fn insert(&mut self, param: Param, of: Type) {
        self.0.insert(param, of);
    }

    fn fits(&mut self, left: &Type, right: &Type) -> bool {
        if let Type::Param(param) = right {
            let (valid, known) = self.substitute_valid(left, *param, right);
            if valid || known {
                return valid;
            }
        }
        if let Type::Param(param) = left {
            return self.substitute_valid(right, *param, left).0;
        }
        if left.is_dyn_or_error() || right.is_dyn_or_error() {
            return true;
        }
        match (left, right) {
            (Type::Null, other) | (other, Type::Null) => matches!(
                other,
                Type::Null
                    | Type::Object(_)
                    | Type::Optional(_)
                    | Type::Opaque(_)
                    | Type::Timestamp
                    | Type::Duration
            ),
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(left), Type::List(right)) => self.fits(&left.item, &right.item),
            (Type::Map(left), Type::Map(right)) => {
                self.fits(&left.0, &right.0) && self.fits(&left.1, &right.1)
            }
            (Type::Optional(left), Type::Optional(right)) => self.fits(left, right),
            (Type::Object(left), Type::Object(right)) => left.name == right.name,
            (Type::Opaque(left), Type::Opaque(right)) => left == right,
            _ => left == right,
        }
    }

    /// Says whether `param` may stand for `of`, and whether it already stood for something.
    fn substitute_valid(&mut self, of: &Type, param: Param, as_type: &Type) -> (bool, bool) {
        if of == as_type {
            return (true, true);
        }
        if let Some(known) = self.0.get(&param).cloned() {
            if *of == known {
                return (true, true);
            }
            if self.fits(of, &known) {
                let general = most_general(of.clone(), known);
                if self.is_free_of(as_type, &general) {
                    self.0.insert(param, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.is_free_of(as_type, of) {
            self.0.insert(param, of.clone());
            return (true, false);
        }
        (false, false)
    }

    /// Says whether a type does not contain the parameter.
    fn is_free_of(&self, param: &Type, within: &Type) -> bool {
        if param == within {
            return false;
        }
        match within {
            Type::Param(other) => self.0.get(other).is_none_or(|it| self.is_free_of(param, it)),
            Type::List(list) => self.is_free_of(param, &list.item),
            Type::Map(map) => self.is_free_of(param, &map.0) && self.is_free_of(param, &map.1),
            Type::Optional(of) | Type::Type(of) => self.is_free_of(param, of),
            _ => true,
        }
    }

    /// Replaces what is known; with `close`, what is not becomes `dyn`.
    pub(super) fn apply(&self, of: &Type, close: bool) -> Type {
        match of {
            Type::Param(param) => match self.0.get(param) {
                Some(known) => self.apply(known, close),
                None if close => Type::Dyn,
                None => of.clone(),
            },
            Type::List(list) => {
                let item = self.apply(&list.item, close);
                Type::List(Arc::new(ListType { item, kind: list.kind.clone() }))
            }
            Type::Map(map) => Type::map(self.apply(&map.0, close), self.apply(&map.1, close)),
            Type::Optional(of) => Type::optional(self.apply(of, close)),
            Type::Type(of) => Type::Type(Arc::new(self.apply(of, close))),
            _ => of.clone(),
        }
    }
}

/// Returns the one of two types that fit that says less.
pub(super) fn most_general(left: Type, right: Type) -> Type {
    if is_less_specific(&left, &right) { left } else { right }
}

fn is_less_specific(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Dyn | Type::Param(_), _) | (Type::Type(_), Type::Type(_)) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (Type::List(left), Type::List(right)) => is_less_specific(&left.item, &right.item),
        (Type::Map(left), Type::Map(right)) => {
            is_less_specific(&left.0, &right.0) && is_less_specific(&left.1, &right.1)
        }
        (Type::Optional(left), Type::Optional(right)) => is_less_specific(left, right),
        _ => left == right,
    }
}
