//! Values that may be absent.

use std::sync::Arc;

use super::{Row, Scratch, by_evaluator, row};
use crate::engine::cel::value::{Evaluated, Failure, Value};

pub(super) const ROWS: &[Row] = &[
    row("optional.of(V): optional(V)", of).since(28),
    row("optional.ofNonZeroValue(V): optional(V)", of_non_zero).since(28),
    row("optional.none(): optional(V)", none).since(28),
    row("optional(V)#value(): V", value).since(28),
    row("optional(V)#hasValue(): bool", has_value).since(28),
    row("optional(V)#or(optional(V)): optional(V)", by_evaluator).since(28),
    row("optional(V)#orValue(V): V", by_evaluator).since(28),
    row("list(V)#first(): optional(V)", first).since(33),
    row("list(V)#last(): optional(V)", last).since(33),
    row("optional.unwrap(list(optional(V))): list(V)", unwrap).since(33),
    row("list(optional(V))#unwrapOpt(): list(V)", unwrap).since(33),
];

fn of<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value] => Ok(Value::Optional(Some(Arc::new(value.clone())))),
        _ => Err(Failure::no_overload()),
    }
}

fn of_non_zero<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [value] = args else { return Err(Failure::no_overload()) };
    let zero = match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Timestamp(time) => time.is_zero(),
        Value::Duration(span) => span.0 == 0,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Optional(_) | Value::Type(_) | Value::Opaque(_) => false,
    };
    Ok(Value::Optional((!zero).then(|| Arc::new(value.clone()))))
}

fn none<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    if args.is_empty() { Ok(Value::Optional(None)) } else { Err(Failure::no_overload()) }
}

fn value<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => Err(Failure::new("optional.none() dereference")),
        _ => Err(Failure::no_overload()),
    }
}

fn has_value<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(Failure::no_overload()),
    }
}

fn at<'a>(args: &[Value<'a>], place: fn(usize) -> Option<usize>) -> Evaluated<'a> {
    let [Value::List(list)] = args else { return Err(Failure::no_overload()) };
    let item = place(list.len()).and_then(|at| list.get(at)).transpose()?;
    Ok(Value::Optional(item.map(Arc::new)))
}

fn first<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    at(args, |length| (length > 0).then_some(0))
}

fn last<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    at(args, |length| length.checked_sub(1))
}

fn unwrap<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::List(list)] = args else { return Err(Failure::no_overload()) };
    let mut out = Vec::new();
    for item in list.iter() {
        match item? {
            Value::Optional(Some(value)) => out.push((*value).clone()),
            Value::Optional(None) => {}
            other => return Err(Failure::new(format!("value {other} is not optional"))),
        }
    }
    Ok(Value::list(out))
}
