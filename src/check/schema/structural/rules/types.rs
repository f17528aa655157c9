//! The types that rules see (`SchemaDeclType` of `k8s.io/apiserver/pkg/cel/common`).

use std::sync::Arc;

use super::super::formats::Format;
use super::super::shape::{Additional, ListKind as Kind, Shape, ShapeId, Shapes, Types};
use crate::engine::cel::{ListKind, ListType, ObjectType, Type, escape};

/// Returns the type of every part, by its number; `None` for what rules do not see.
///
/// A part comes after all that it consists of.
pub(in super::super) fn types(shapes: &Shapes, root: ShapeId) -> Vec<Option<Type>> {
    let mut types: Vec<Option<Type>> = Vec::with_capacity(shapes.len());
    for (at, shape) in shapes.iter().enumerate() {
        let of = of(at, shape, root.index() == at || shape.embedded, &types);
        types.push(of);
    }
    types
}

fn of(at: usize, shape: &Shape, is_resource: bool, known: &[Option<Type>]) -> Option<Type> {
    let child = |id: ShapeId| known.get(id.index())?.clone();
    match shape.types {
        Types::INT_OR_STRING => Some(Type::Dyn),
        Types::ARRAY => {
            let kind = match &shape.list {
                Kind::Atomic => ListKind::Atomic,
                Kind::Set => ListKind::Set,
                Kind::Map(keys) => ListKind::Map(keys.to_vec()),
            };
            Some(Type::List(Arc::new(ListType { item: child(shape.items?)?, kind })))
        }
        Types::OBJECT => match shape.additional {
            Additional::Of(values) => Some(Type::map(Type::String, child(values)?)),
            Additional::Unsaid | Additional::Any => Some(object(at, shape, is_resource, child)),
        },
        Types::STRING => Some(match shape.format {
            Some(Format::Byte) => Type::Bytes,
            Some(Format::Duration) => Type::Duration,
            Some(Format::Date | Format::DateTime) => Type::Timestamp,
            _ => Type::String,
        }),
        Types::BOOLEAN => Some(Type::Bool),
        Types::NUMBER => Some(Type::Double),
        Types::INTEGER => Some(Type::Int),
        _ => None,
    }
}

fn object(
    at: usize,
    shape: &Shape,
    is_resource: bool,
    child: impl Fn(ShapeId) -> Option<Type>,
) -> Type {
    let field = |(name, id): &(Arc<str>, ShapeId)| {
        let name = escape(name)?;
        Some((Arc::from(&*name), child(*id)?))
    };
    let mut fields: std::collections::BTreeMap<Arc<str>, Type> =
        shape.properties.iter().filter_map(field).collect();
    if is_resource {
        let text = |name: &str| (Arc::from(name), Type::String);
        let metadata = Type::object(&format!("metadata{at}"), [text("name"), text("generateName")]);
        fields.extend([text("apiVersion"), text("kind")]);
        fields.insert(Arc::from("metadata"), metadata);
    }
    Type::Object(Arc::new(ObjectType {
        name: format!("object{at}").into(),
        fields,
        preserves_unknown: shape.preserve,
    }))
}
