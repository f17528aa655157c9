//! Functions over lists and maps.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::value::{DEPTH, Map, Value};
use super::{Result, error, text};

/// How long a list may be made.
const LENGTH: i64 = 100_000;

/// Calls a function over lists or maps; `None` where it is none of these.
pub(super) fn call(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    Some(match (name, arguments) {
        ("list" | "tuple", items) => Ok(Value::list(items.iter().cloned())),
        ("first", [list]) => items(name, list).map(|it| it.first().cloned().unwrap_or(Value::Nil)),
        ("last", [list]) => items(name, list).map(|it| it.last().cloned().unwrap_or(Value::Nil)),
        ("rest", [list]) => items(name, list).map(|it| Value::list(it.iter().skip(1).cloned())),
        ("initial", [list]) => items(name, list)
            .map(|it| Value::list(it.iter().take(it.len().saturating_sub(1)).cloned())),
        ("append" | "push", [list, item]) => {
            items(name, list).map(|it| Value::list(it.iter().cloned().chain([item.clone()])))
        }
        ("prepend", [list, item]) => items(name, list)
            .map(|it| Value::list([item.clone()].into_iter().chain(it.iter().cloned()))),
        ("concat", lists) => lists
            .iter()
            .map(|list| items(name, list))
            .collect::<Result<Vec<_>>>()
            .map(|all| Value::list(all.iter().flat_map(|it| it.iter().cloned()))),
        ("has", [item, list]) => match list {
            Value::Nil => Ok(Value::Bool(false)),
            list => items(name, list).map(|it| Value::Bool(it.iter().any(|it| same(it, item)))),
        },
        ("without", [list, left @ ..]) => items(name, list).map(|it| {
            Value::list(it.iter().filter(|it| !left.iter().any(|item| same(it, item))).cloned())
        }),
        ("uniq", [list]) => items(name, list).map(|it| {
            let mut seen = BTreeSet::new();
            Value::list(it.iter().filter(|it| seen.insert(it.json(DEPTH).to_string())).cloned())
        }),
        ("compact", [list]) => {
            items(name, list).map(|it| Value::list(it.iter().filter(|it| it.is_true()).cloned()))
        }
        ("reverse", [list]) => items(name, list).map(|it| Value::list(it.iter().rev().cloned())),
        ("sortAlpha", [list]) => items(name, list).map(|it| {
            let mut all: Vec<Value> = it.iter().map(|it| Value::text(&it.shown(DEPTH))).collect();
            all.sort_by(text::order);
            Value::list(all)
        }),
        ("until", [Value::Int(end)]) => sequence(0, *end, if *end < 0 { -1 } else { 1 }),
        ("untilStep", [Value::Int(start), Value::Int(end), Value::Int(step)]) => {
            sequence(*start, *end, *step)
        }
        ("dict", pairs) => {
            let mut all = BTreeMap::new();
            for pair in pairs.chunks(2) {
                let Some(key) = pair.first() else { continue };
                let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
                all.insert(key.shown(DEPTH), value);
            }
            Ok(Value::map(all))
        }
        ("get", [all, key]) => map(name, all).map(|it| {
            it.borrow().get(&key.shown(DEPTH)).cloned().unwrap_or_else(|| Value::text(""))
        }),
        ("set", [all, key, value]) => map(name, all).map(|it| {
            it.borrow_mut().insert(key.shown(DEPTH), value.clone());
            all.clone()
        }),
        ("unset", [all, key]) => map(name, all).map(|it| {
            it.borrow_mut().remove(&key.shown(DEPTH));
            all.clone()
        }),
        ("hasKey", [all, key]) => {
            map(name, all).map(|it| Value::Bool(it.borrow().contains_key(&key.shown(DEPTH))))
        }
        ("keys", maps) => {
            maps.iter().map(|it| map(name, it)).collect::<Result<Vec<_>>>().map(|all| {
                let keys =
                    all.iter().flat_map(|it| it.borrow().keys().cloned().collect::<Vec<_>>());
                Value::list(keys.map(|key| Value::text(&key)))
            })
        }
        ("values", [all]) => map(name, all).map(|it| Value::list(it.borrow().values().cloned())),
        ("pick", [all, keys @ ..]) => map(name, all).map(|it| chosen(it, keys, true)),
        ("omit", [all, keys @ ..]) => map(name, all).map(|it| chosen(it, keys, false)),
        ("pluck", [key, maps @ ..]) => {
            maps.iter().map(|it| map(name, it)).collect::<Result<Vec<_>>>().map(|all| {
                let key = key.shown(DEPTH);
                Value::list(all.iter().filter_map(|it| it.borrow().get(&key).cloned()))
            })
        }
        ("merge" | "mustMerge", [target, others @ ..]) => merged(name, target, others, false),
        ("mergeOverwrite" | "mustMergeOverwrite", [target, others @ ..]) => {
            merged(name, target, others, true)
        }
        ("deepCopy" | "mustDeepCopy", [value]) => Ok(copy(value, DEPTH)),
        ("dig", [keys @ .., default, all]) => dig(keys, default, all),
        ("index", [value, keys @ ..]) => index(value, keys),
        ("slice", [value, bounds @ ..]) => slice(value, bounds),
        ("len", [value]) => match value {
            Value::Text(text) => Ok(count(text.len())),
            Value::List(items) => Ok(count(items.len())),
            Value::Map(all) => Ok(count(all.borrow().len())),
            other => error(format!("a {} has no length", other.kind())),
        },
        _ => return None,
    })
}

pub(super) fn count(size: usize) -> Value {
    Value::Int(i64::try_from(size).unwrap_or(i64::MAX))
}

pub(super) fn same(a: &Value, b: &Value) -> bool {
    a.kind() == b.kind() && a.json(DEPTH) == b.json(DEPTH)
}

fn items(name: &str, value: &Value) -> Result<Rc<Vec<Value>>> {
    match value {
        Value::List(items) => Ok(Rc::clone(items)),
        other => error(format!("`{name}` needs a list, and this is a {}", other.kind())),
    }
}

fn map<'v>(name: &str, value: &'v Value) -> Result<&'v Map> {
    match value {
        Value::Map(all) => Ok(all),
        other => error(format!("`{name}` needs a map, and this is a {}", other.kind())),
    }
}

fn sequence(start: i64, end: i64, step: i64) -> Result<Value> {
    if step == 0 || (end > start) != (step > 0) {
        return Ok(Value::list([]));
    }
    let length = end.saturating_sub(start).checked_div(step).unwrap_or_default();
    if length > LENGTH {
        return error("a list gets too long");
    }
    let mut all = Vec::new();
    let mut at = start;
    while (step > 0 && at < end) || (step < 0 && at > end) {
        all.push(Value::Int(at));
        at = at.saturating_add(step);
    }
    Ok(Value::list(all))
}

fn chosen(all: &Map, keys: &[Value], kept: bool) -> Value {
    let keys: BTreeSet<String> = keys.iter().map(|key| key.shown(DEPTH)).collect();
    let all = all.borrow();
    let chosen = all.iter().filter(|(key, _)| keys.contains(*key) == kept);
    Value::map(chosen.map(|(key, value)| (key.clone(), value.clone())))
}

fn merged(name: &str, target: &Value, others: &[Value], over: bool) -> Result<Value> {
    for other in others {
        let (own, other) = (map(name, target)?, map(name, other)?);
        if !Rc::ptr_eq(own, other) {
            merge(own, other, over, DEPTH);
        }
    }
    Ok(target.clone())
}

fn merge(own: &Map, other: &Map, over: bool, depth: usize) {
    if depth == 0 {
        return;
    }
    let entries: Vec<(String, Value)> =
        other.borrow().iter().map(|(key, it)| (key.clone(), it.clone())).collect();
    for (key, value) in entries {
        let mine = own.borrow().get(&key).cloned();
        match (mine, value) {
            (Some(Value::Map(mine)), Value::Map(theirs)) if !Rc::ptr_eq(&mine, &theirs) => {
                merge(&mine, &theirs, over, depth - 1);
            }
            (Some(mine), value) => {
                if (over && value.is_true()) || (!over && !mine.is_true()) {
                    own.borrow_mut().insert(key, value);
                }
            }
            (None, value) => drop(own.borrow_mut().insert(key, copy(&value, DEPTH))),
        }
    }
}

fn copy(value: &Value, depth: usize) -> Value {
    match value {
        _ if depth == 0 => Value::Nil,
        Value::Map(all) => {
            let all = all.borrow();
            Value::map(all.iter().map(|(key, it)| (key.clone(), copy(it, depth - 1))))
        }
        Value::List(items) => Value::list(items.iter().map(|it| copy(it, depth - 1))),
        other => other.clone(),
    }
}

fn dig(keys: &[Value], default: &Value, all: &Value) -> Result<Value> {
    let mut value = all.clone();
    for key in keys {
        let next = map("dig", &value)?.borrow().get(&key.shown(DEPTH)).cloned();
        match next {
            Some(next) => value = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(value)
}

fn index(value: &Value, keys: &[Value]) -> Result<Value> {
    let mut value = value.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Map(all), Value::Text(key)) => {
                all.borrow().get(&**key).cloned().unwrap_or(Value::Nil)
            }
            (Value::List(items), key) => {
                let at = whole(key).and_then(|at| usize::try_from(at).ok());
                match at.and_then(|at| items.get(at)) {
                    Some(item) => item.clone(),
                    None => return error(format!("a list has no item {}", key.shown(DEPTH))),
                }
            }
            (Value::Nil, _) => return error("nothing has no items"),
            (other, _) => return error(format!("a {} has no such items", other.kind())),
        };
    }
    Ok(value)
}

/// Reads a whole number.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        #[expect(clippy::cast_possible_truncation, reason = "that is how Go converts it")]
        Value::Float(value) => Some(*value as i64),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Nil => Some(0),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value> {
    let bound = |at: usize| bounds.get(at).and_then(whole).and_then(|it| usize::try_from(it).ok());
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        other => return error(format!("a {} cannot be sliced", other.kind())),
    };
    let (start, end) = (bound(0).unwrap_or_default(), bound(1).unwrap_or(length));
    let out = match value {
        Value::Text(text) => text.get(start..end).map(Value::text),
        Value::List(items) => items.get(start..end).map(|it| Value::list(it.iter().cloned())),
        _ => None,
    };
    out.map_or_else(|| error("a slice reaches beyond the end"), Ok)
}
