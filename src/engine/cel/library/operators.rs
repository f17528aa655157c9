//! Operators: arithmetic, comparison, membership, size.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Row, Scratch, by_evaluator, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::time::Duration;
use crate::engine::cel::value::{Evaluated, Failure, Map, Value};

pub(super) const ROWS: &[Row] = &[
    row("_?_:_(bool, A, A): A", by_evaluator),
    row("_&&_(bool, bool): bool", by_evaluator),
    row("_||_(bool, bool): bool", by_evaluator),
    row("!_(bool): bool", not),
    row("@not_strictly_false(bool): bool", by_evaluator),
    row("_==_(A, A): bool", by_evaluator).cost(Cost::Equal),
    row("_!=_(A, A): bool", by_evaluator).cost(Cost::Compare),
    row("_+_(bytes, bytes): bytes", add).cost(Cost::Concatenate),
    row("_+_(double, double): double", add),
    row("_+_(duration, duration): duration", add),
    row("_+_(duration, timestamp): timestamp", add),
    row("_+_(timestamp, duration): timestamp", add),
    row("_+_(int, int): int", add),
    row("_+_(list(A), list(A)): list(A)", add),
    row("_+_(string, string): string", add).cost(Cost::Concatenate),
    row("_+_(uint, uint): uint", add),
    row("_/_(double, double): double", divide),
    row("_/_(int, int): int", divide),
    row("_/_(uint, uint): uint", divide),
    row("_%_(int, int): int", modulo),
    row("_%_(uint, uint): uint", modulo),
    row("_*_(double, double): double", multiply),
    row("_*_(int, int): int", multiply),
    row("_*_(uint, uint): uint", multiply),
    row("-_(double): double", negate),
    row("-_(int): int", negate),
    row("_-_(double, double): double", subtract),
    row("_-_(duration, duration): duration", subtract),
    row("_-_(int, int): int", subtract),
    row("_-_(timestamp, duration): timestamp", subtract),
    row("_-_(timestamp, timestamp): duration", subtract),
    row("_-_(uint, uint): uint", subtract),
    row("_<_(bool, bool): bool", less),
    row("_<_(int, int): bool", less),
    row("_<_(int, double): bool", less).since(28),
    row("_<_(int, uint): bool", less).since(28),
    row("_<_(uint, uint): bool", less),
    row("_<_(uint, double): bool", less).since(28),
    row("_<_(uint, int): bool", less).since(28),
    row("_<_(double, double): bool", less),
    row("_<_(double, int): bool", less).since(28),
    row("_<_(double, uint): bool", less).since(28),
    row("_<_(string, string): bool", less).cost(Cost::Compare),
    row("_<_(bytes, bytes): bool", less).cost(Cost::Compare),
    row("_<_(timestamp, timestamp): bool", less),
    row("_<_(duration, duration): bool", less),
    row("_<=_(bool, bool): bool", less_equal),
    row("_<=_(int, int): bool", less_equal),
    row("_<=_(int, double): bool", less_equal).since(28),
    row("_<=_(int, uint): bool", less_equal).since(28),
    row("_<=_(uint, uint): bool", less_equal),
    row("_<=_(uint, double): bool", less_equal).since(28),
    row("_<=_(uint, int): bool", less_equal).since(28),
    row("_<=_(double, double): bool", less_equal),
    row("_<=_(double, int): bool", less_equal).since(28),
    row("_<=_(double, uint): bool", less_equal).since(28),
    row("_<=_(string, string): bool", less_equal).cost(Cost::Compare),
    row("_<=_(bytes, bytes): bool", less_equal).cost(Cost::Compare),
    row("_<=_(timestamp, timestamp): bool", less_equal),
    row("_<=_(duration, duration): bool", less_equal),
    row("_>_(bool, bool): bool", greater),
    row("_>_(int, int): bool", greater),
    row("_>_(int, double): bool", greater).since(28),
    row("_>_(int, uint): bool", greater).since(28),
    row("_>_(uint, uint): bool", greater),
    row("_>_(uint, double): bool", greater).since(28),
    row("_>_(uint, int): bool", greater).since(28),
    row("_>_(double, double): bool", greater),
    row("_>_(double, int): bool", greater).since(28),
    row("_>_(double, uint): bool", greater).since(28),
    row("_>_(string, string): bool", greater).cost(Cost::Compare),
    row("_>_(bytes, bytes): bool", greater).cost(Cost::Compare),
    row("_>_(timestamp, timestamp): bool", greater),
    row("_>_(duration, duration): bool", greater),
    row("_>=_(bool, bool): bool", greater_equal),
    row("_>=_(int, int): bool", greater_equal),
    row("_>=_(int, double): bool", greater_equal).since(28),
    row("_>=_(int, uint): bool", greater_equal).since(28),
    row("_>=_(uint, uint): bool", greater_equal),
    row("_>=_(uint, double): bool", greater_equal).since(28),
    row("_>=_(uint, int): bool", greater_equal).since(28),
    row("_>=_(double, double): bool", greater_equal),
    row("_>=_(double, int): bool", greater_equal).since(28),
    row("_>=_(double, uint): bool", greater_equal).since(28),
    row("_>=_(string, string): bool", greater_equal).cost(Cost::Compare),
    row("_>=_(bytes, bytes): bool", greater_equal).cost(Cost::Compare),
    row("_>=_(timestamp, timestamp): bool", greater_equal),
    row("_>=_(duration, duration): bool", greater_equal),
    row("_[_](list(A), int): A", by_evaluator),
    row("_[_](map(A, B), A): B", by_evaluator),
    row("_[_](optional(list(V)), int): optional(V)", by_evaluator).since(28),
    row("_[_](optional(map(K, V)), K): optional(V)", by_evaluator).since(28),
    row("_[?_](list(V), int): optional(V)", by_evaluator).since(28),
    row("_[?_](optional(list(V)), int): optional(V)", by_evaluator).since(28),
    row("_[?_](map(K, V), K): optional(V)", by_evaluator).since(28),
    row("_[?_](optional(map(K, V)), K): optional(V)", by_evaluator).since(28),
    row("@in(A, list(A)): bool", contained).cost(Cost::Members),
    row("@in(A, map(A, B)): bool", contained),
    row("size(bytes): int", size),
    row("bytes#size(): int", size),
    row("size(list(A)): int", size),
    row("list(A)#size(): int", size),
    row("size(map(A, B)): int", size),
    row("map(A, B)#size(): int", size),
    row("size(string): int", size),
    row("string#size(): int", size),
    row("cel.@mapInsert(map(K, V), K, V): map(K, V)", map_insert).since(32),
    row("cel.@mapInsert(map(K, V), map(K, V)): map(K, V)", map_insert).since(32),
];

fn not<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Bool(value)] => Ok(Value::Bool(!value)),
        _ => Err(Failure::no_overload()),
    }
}

fn unsigned_overflow() -> Failure {
    Failure::new("unsigned integer overflow")
}

fn timestamp_overflow() -> Failure {
    Failure::new("timestamp overflow")
}

pub(super) fn add<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [left, right] = args else { return Err(Failure::no_overload()) };
    sum(left, right)
}

/// Adds two values.
pub(super) fn sum<'a>(left: &Value<'a>, right: &Value<'a>) -> Evaluated<'a> {
    Ok(match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            Value::Int(left.checked_add(*right).ok_or_else(Failure::overflow)?)
        }
        (Value::Uint(left), Value::Uint(right)) => {
            Value::Uint(left.checked_add(*right).ok_or_else(unsigned_overflow)?)
        }
        (Value::Double(left), Value::Double(right)) => Value::Double(left + right),
        (Value::String(left), Value::String(right)) => {
            Value::string([left.as_str(), right.as_str()].concat())
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            Value::Bytes(Arc::from([&**left, &**right].concat()))
        }
        (Value::List(left), Value::List(right)) => return left.plus(right),
        (Value::Duration(left), Value::Duration(right)) => {
            Value::Duration(Duration(left.0.checked_add(right.0).ok_or_else(Failure::overflow)?))
        }
        (Value::Timestamp(time), Value::Duration(span))
        | (Value::Duration(span), Value::Timestamp(time)) => {
            Value::Timestamp(time.plus(*span).ok_or_else(timestamp_overflow)?)
        }
        _ => return Err(Failure::no_overload()),
    })
}

fn subtract<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(match args {
        [Value::Int(left), Value::Int(right)] => {
            Value::Int(left.checked_sub(*right).ok_or_else(Failure::overflow)?)
        }
        [Value::Uint(left), Value::Uint(right)] => {
            Value::Uint(left.checked_sub(*right).ok_or_else(unsigned_overflow)?)
        }
        [Value::Double(left), Value::Double(right)] => Value::Double(left - right),
        [Value::Duration(left), Value::Duration(right)] => {
            Value::Duration(Duration(left.0.checked_sub(right.0).ok_or_else(Failure::overflow)?))
        }
        [Value::Timestamp(left), Value::Timestamp(right)] => {
            Value::Duration(left.since(*right).ok_or_else(Failure::overflow)?)
        }
        [Value::Timestamp(time), Value::Duration(span)] => {
            let span = span.0.checked_neg().ok_or_else(Failure::overflow)?;
            Value::Timestamp(time.plus(Duration(span)).ok_or_else(timestamp_overflow)?)
        }
        _ => return Err(Failure::no_overload()),
    })
}

fn multiply<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(match args {
        [Value::Int(left), Value::Int(right)] => {
            Value::Int(left.checked_mul(*right).ok_or_else(Failure::overflow)?)
        }
        [Value::Uint(left), Value::Uint(right)] => {
            Value::Uint(left.checked_mul(*right).ok_or_else(unsigned_overflow)?)
        }
        [Value::Double(left), Value::Double(right)] => Value::Double(left * right),
        _ => return Err(Failure::no_overload()),
    })
}

fn divide<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let by_zero = || Failure::new("division by zero");
    Ok(match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => return Err(by_zero()),
        [Value::Int(left), Value::Int(right)] => {
            Value::Int(left.checked_div(*right).ok_or_else(Failure::overflow)?)
        }
        [Value::Uint(left), Value::Uint(right)] => {
            Value::Uint(left.checked_div(*right).ok_or_else(by_zero)?)
        }
        [Value::Double(left), Value::Double(right)] => Value::Double(left / right),
        _ => return Err(Failure::no_overload()),
    })
}

fn modulo<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let by_zero = || Failure::new("modulus by zero");
    Ok(match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => return Err(by_zero()),
        [Value::Int(left), Value::Int(right)] => {
            Value::Int(left.checked_rem(*right).ok_or_else(Failure::overflow)?)
        }
        [Value::Uint(left), Value::Uint(right)] => {
            Value::Uint(left.checked_rem(*right).ok_or_else(by_zero)?)
        }
        _ => return Err(Failure::no_overload()),
    })
}

fn negate<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Int(value.checked_neg().ok_or_else(Failure::overflow)?)),
        [Value::Double(value)] => Ok(Value::Double(-value)),
        [Value::Duration(span)] => {
            let span = span.0.checked_neg().ok_or_else(Failure::overflow)?;
            Ok(Value::Duration(Duration(span)))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn order<'a>(args: &[Value<'a>], holds: fn(Ordering) -> bool) -> Evaluated<'a> {
    let [left, right] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(holds(left.compare(right)?)))
}

fn less<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    order(args, Ordering::is_lt)
}

fn less_equal<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    order(args, Ordering::is_le)
}

fn greater<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    order(args, Ordering::is_gt)
}

fn greater_equal<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    order(args, Ordering::is_ge)
}

fn contained<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [item, Value::List(list)] => Ok(Value::Bool(super::lists::contains(list, item)?)),
        [key, Value::Map(map)] => Ok(Value::Bool(map.find(key)?.is_some())),
        _ => Err(Failure::no_overload()),
    }
}

fn size<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [value @ (Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_))] => {
            Ok(Value::Int(i64::try_from(value.size()).unwrap_or(i64::MAX)))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn map_insert<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (Value::Map(map), rest) = args.split_first().ok_or_else(Failure::no_overload)? else {
        return Err(Failure::no_overload());
    };
    let mut entries = match map {
        Map::Made(entries) => (**entries).clone(),
        Map::Nodes(..) => return Err(Failure::no_overload()),
    };
    insert_all(&mut entries, rest)?;
    Ok(Value::Map(Map::Made(Arc::new(entries))))
}

/// Adds a key and a value, or the entries of a map, none of which may be there.
pub(in crate::engine::cel) fn insert_all<'a>(
    entries: &mut super::BTreeMap<crate::engine::cel::value::Key, (Value<'a>, Value<'a>)>,
    new: &[Value<'a>],
) -> Result<(), Failure> {
    let mut insert = |key: &Value<'a>, value: Value<'a>| {
        if entries.insert(key.key(), (key.clone(), value)).is_some() {
            return Err(Failure::new(format!("insert failed: key {key} already exists")));
        }
        Ok(())
    };
    match new {
        [key, value] => insert(key, value.clone()),
        [Value::Map(map)] => {
            for key in map.keys() {
                if let Some(value) = map.find(&key)? {
                    insert(&key, value)?;
                }
            }
            Ok(())
        }
        _ => Err(Failure::no_overload()),
    }
}
