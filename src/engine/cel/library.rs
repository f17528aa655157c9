//! The functions of the language, of its extensions, and of Kubernetes: their signatures and what
//! they do.
//!
//! The minor that a signature names is that of the *environment*: the API server compiles a new
//! expression in the environment of the minor before its own, so that one can roll back.

pub(super) mod authz;
pub(super) mod convert;
pub(super) mod format;
pub(super) mod lists;
pub(super) mod net;
pub(super) mod operators;
pub(super) mod optional;
pub(super) mod quantity;
pub(super) mod regex;
pub(super) mod semver;
pub(super) mod strings;
pub(super) mod template;
pub(super) mod times;
pub(super) mod url;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::cost::Cost;
use super::types::{Opaque, Param, Type};
use super::value::{Evaluated, Failure, Value};

/// What a function works with besides its arguments.
pub(super) use super::eval::Scratch;

/// A function that is done once its arguments are known.
pub(super) type Implementation = for<'a> fn(&mut Scratch, &[Value<'a>]) -> Evaluated<'a>;

/// One signature of a function.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) member: bool,
    pub(super) args: Vec<Type>,
    pub(super) result: Type,
    pub(super) params: Vec<char>,
    pub(super) implementation: Implementation,
    pub(super) cost: Cost,
    /// The first minor that has it.
    since: u32,
}

impl Overload {
    /// Says whether the environment of a minor has this.
    pub(super) fn is_in(&self, minor: u32) -> bool {
        self.since <= minor
    }
}

/// A row of a library: a signature, and what stands behind it.
pub(super) struct Row {
    signature: &'static str,
    implementation: Implementation,
    cost: Cost,
    since: u32,
}

/// Returns a row for all minors whose cost is one.
pub(super) const fn row(signature: &'static str, implementation: Implementation) -> Row {
    Row { signature, implementation, cost: Cost::One, since: 0 }
}

impl Row {
    pub(super) const fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    pub(super) const fn since(mut self, minor: u32) -> Self {
        self.since = minor;
        self
    }

    /// Reads the signature: `target#name(arg, arg): result`, or `name(arg): result`.
    fn read(&self) -> Option<(&'static str, Overload)> {
        let (target, rest) = match self.signature.split_once('#') {
            Some((target, rest)) => (Some(target), rest),
            None => (None, self.signature),
        };
        let (head, result) = rest.rsplit_once("): ")?;
        let (name, args) = head.split_once('(')?;
        let mut types = Vec::new();
        let parts = target.into_iter().chain(split(args));
        for part in parts {
            types.push(read_type(part)?);
        }
        let mut params = Vec::new();
        for of in types.iter().chain([&read_type(result)?]) {
            collect_params(of, &mut params);
        }
        let overload = Overload {
            member: target.is_some(),
            args: types,
            result: read_type(result)?,
            params,
            implementation: self.implementation,
            cost: self.cost,
            since: self.since,
        };
        Some((name, overload))
    }
}

fn collect_params(of: &Type, out: &mut Vec<char>) {
    match of {
        Type::Param(Param::Declared(letter)) if !out.contains(letter) => out.push(*letter),
        Type::List(list) => collect_params(&list.item, out),
        Type::Map(map) => {
            collect_params(&map.0, out);
            collect_params(&map.1, out);
        }
        Type::Optional(of) | Type::Type(of) => collect_params(of, out),
        _ => {}
    }
}

/// Splits at the commas that stand in no brackets.
fn split(text: &'static str) -> Vec<&'static str> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                out.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(text.get(start..));
    out.into_iter().map(str::trim).filter(|it| !it.is_empty()).collect()
}

fn read_type(text: &'static str) -> Option<Type> {
    if let Some((name, rest)) = text.split_once('(') {
        let args = split(rest.strip_suffix(')')?);
        let mut args = args.into_iter().map(read_type);
        let first = args.next()??;
        return Some(match name {
            "list" => Type::list(first),
            "map" => Type::map(first, args.next()??),
            "optional" => Type::optional(first),
            "type" => Type::Type(Arc::new(first)),
            _ => return None,
        });
    }
    Some(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "dyn" => Type::Dyn,
        "quantity" => Type::Opaque(Opaque::Quantity),
        "ip" => Type::Opaque(Opaque::Ip),
        "cidr" => Type::Opaque(Opaque::Cidr),
        "url" => Type::Opaque(Opaque::Url),
        "semver" => Type::Opaque(Opaque::Semver),
        "format" => Type::Opaque(Opaque::Format),
        "authorizer" => Type::Opaque(Opaque::Authorizer),
        "path-check" => Type::Opaque(Opaque::PathCheck),
        "group-check" => Type::Opaque(Opaque::GroupCheck),
        "resource-check" => Type::Opaque(Opaque::ResourceCheck),
        "decision" => Type::Opaque(Opaque::Decision),
        _ => {
            let mut letters = text.chars();
            let letter = letters.next().filter(char::is_ascii_uppercase)?;
            letters.next().is_none().then_some(Type::Param(Param::Declared(letter)))?
        }
    })
}

/// All functions by name, their signatures in the order of the rows.
type Functions = BTreeMap<&'static str, Vec<Overload>>;

const LIBRARIES: [&[Row]; 13] = [
    operators::ROWS,
    convert::ROWS,
    times::ROWS,
    strings::ROWS,
    lists::ROWS,
    optional::ROWS,
    regex::ROWS,
    url::ROWS,
    quantity::ROWS,
    net::ROWS,
    format::ROWS,
    semver::ROWS,
    authz::ROWS,
];

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::new();
    for row in LIBRARIES.into_iter().flatten() {
        if let Some((name, overload)) = row.read() {
            functions.entry(name).or_default().push(overload);
        }
    }
    functions
});

/// Returns the signatures of a function; none where there is no such function in any minor.
pub(super) fn overloads(name: &str) -> &'static [Overload] {
    FUNCTIONS.get(name).map_or(&[], Vec::as_slice)
}

/// The implementation of what the evaluator does by itself.
pub(super) fn by_evaluator<'a>(_: &mut Scratch, _: &[Value<'a>]) -> Evaluated<'a> {
    Err(Failure::no_overload())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_can_be_read() {
        for row in LIBRARIES.into_iter().flatten() {
            assert!(row.read().is_some(), "{}", row.signature);
        }
    }
}
