//! Lists and sets: the library of Kubernetes, and the extensions of the language.

use std::cmp::Ordering;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::time::Duration;
use crate::engine::cel::value::{Evaluated, Failure, List, Value};

pub(super) const ROWS: &[Row] = &[
    row("list(int)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(uint)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(double)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(bool)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(duration)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(timestamp)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(string)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(bytes)#isSorted(): bool", is_sorted).cost(Cost::Deep),
    row("list(int)#sum(): int", sum_int).cost(Cost::Deep),
    row("list(uint)#sum(): uint", sum_uint).cost(Cost::Deep),
    row("list(double)#sum(): double", sum_double).cost(Cost::Deep),
    row("list(duration)#sum(): duration", sum_duration).cost(Cost::Deep),
    row("list(int)#max(): int", max).cost(Cost::Deep),
    row("list(uint)#max(): uint", max).cost(Cost::Deep),
    row("list(double)#max(): double", max).cost(Cost::Deep),
    row("list(bool)#max(): bool", max).cost(Cost::Deep),
    row("list(duration)#max(): duration", max).cost(Cost::Deep),
    row("list(timestamp)#max(): timestamp", max).cost(Cost::Deep),
    row("list(string)#max(): string", max).cost(Cost::Deep),
    row("list(bytes)#max(): bytes", max).cost(Cost::Deep),
    row("list(int)#min(): int", min).cost(Cost::Deep),
    row("list(uint)#min(): uint", min).cost(Cost::Deep),
    row("list(double)#min(): double", min).cost(Cost::Deep),
    row("list(bool)#min(): bool", min).cost(Cost::Deep),
    row("list(duration)#min(): duration", min).cost(Cost::Deep),
    row("list(timestamp)#min(): timestamp", min).cost(Cost::Deep),
    row("list(string)#min(): string", min).cost(Cost::Deep),
    row("list(bytes)#min(): bytes", min).cost(Cost::Deep),
    row("list(A)#indexOf(A): int", first_index).cost(Cost::Deep),
    row("list(A)#lastIndexOf(A): int", last_index).cost(Cost::Deep),
    row("dyn#includes(dyn): bool", includes).cost(Cost::Deep).since(37),
    row("sets.contains(list(T), list(T)): bool", sets_contains).cost(Cost::Sets(1)).since(29),
    row("sets.equivalent(list(T), list(T)): bool", sets_equivalent).cost(Cost::Sets(2)).since(29),
    row("sets.intersects(list(T), list(T)): bool", sets_intersect).cost(Cost::Sets(1)).since(29),
    row("list(T)#slice(int, int): list(T)", slice).cost(Cost::ListResult).since(34),
    row("list(list(T))#flatten(): list(T)", flatten).cost(Cost::Flatten).since(34),
    row("list(dyn)#flatten(int): list(dyn)", flatten).cost(Cost::Flatten).since(34),
    row("list(int)#sort(): list(int)", sort).cost(Cost::Sort(0)).since(34),
    row("list(uint)#sort(): list(uint)", sort).cost(Cost::Sort(0)).since(34),
    row("list(double)#sort(): list(double)", sort).cost(Cost::Sort(0)).since(34),
    row("list(bool)#sort(): list(bool)", sort).cost(Cost::Sort(0)).since(34),
    row("list(duration)#sort(): list(duration)", sort).cost(Cost::Sort(0)).since(34),
    row("list(timestamp)#sort(): list(timestamp)", sort).cost(Cost::Sort(0)).since(34),
    row("list(string)#sort(): list(string)", sort).cost(Cost::Sort(0)).since(34),
    row("list(bytes)#sort(): list(bytes)", sort).cost(Cost::Sort(0)).since(34),
    row("list(T)#@sortByAssociatedKeys(list(int)): list(T)", sort_by).cost(Cost::Sort(1)).since(34),
    row("list(T)#@sortByAssociatedKeys(list(uint)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(double)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(bool)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(duration)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(timestamp)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(string)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("list(T)#@sortByAssociatedKeys(list(bytes)): list(T)", sort_by)
        .cost(Cost::Sort(1))
        .since(34),
    row("lists.range(int): list(int)", range).cost(Cost::ListResult).since(34),
    row("list(T)#reverse(): list(T)", reverse).cost(Cost::ListResult).since(34),
    row("list(T)#distinct(): list(T)", distinct).cost(Cost::Sort(0)).since(34),
];

fn only_list<'a, 'b>(args: &'b [Value<'a>]) -> Result<&'b List<'a>, Failure> {
    match args {
        [Value::List(list)] => Ok(list),
        _ => Err(Failure::no_overload()),
    }
}

fn items<'a>(list: &List<'a>) -> Result<Vec<Value<'a>>, Failure> {
    list.iter().collect()
}

/// Says whether a list holds a value. An item that cannot be compared counts where none is equal.
pub(super) fn contains<'a>(list: &List<'a>, value: &Value<'a>) -> Result<bool, Failure> {
    let mut failure = None;
    for item in list.iter() {
        match item.and_then(|item| item.equals(value)) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(false), Err)
}

fn is_sorted<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let mut previous: Option<Value<'a>> = None;
    for item in only_list(args)?.iter() {
        let item = item?;
        if let Some(previous) = &previous
            && previous.compare(&item)?.is_gt()
        {
            return Ok(Value::Bool(false));
        }
        previous = Some(item);
    }
    Ok(Value::Bool(true))
}

fn sum<'a>(args: &[Value<'a>], zero: Value<'a>) -> Evaluated<'a> {
    only_list(args)?.iter().try_fold(zero, |sum, item| super::operators::sum(&sum, &item?))
}

fn sum_int<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    sum(args, Value::Int(0))
}

fn sum_uint<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    sum(args, Value::Uint(0))
}

fn sum_double<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    sum(args, Value::Double(0.0))
}

fn sum_duration<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    sum(args, Value::Duration(Duration(0)))
}

fn extreme<'a>(args: &[Value<'a>], name: &str, wanted: Ordering) -> Evaluated<'a> {
    let mut best: Option<Value<'a>> = None;
    for item in only_list(args)?.iter() {
        let item = item?;
        match &best {
            Some(known) if known.compare(&item)? != wanted => {}
            _ => best = Some(item),
        }
    }
    best.ok_or_else(|| Failure::new(format!("{name} called on empty list")))
}

fn max<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    extreme(args, "max", Ordering::Less)
}

fn min<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    extreme(args, "min", Ordering::Greater)
}

/// Returns the place of the first or the last item that is equal, or -1.
pub(super) fn index<'a>(list: &List<'a>, value: &Value<'a>, from_end: bool) -> Value<'a> {
    let equal = |at: &usize| match list.get(*at) {
        Some(Ok(item)) => item.equals(value).unwrap_or(false),
        _ => false,
    };
    let found =
        if from_end { (0..list.len()).rev().find(equal) } else { (0..list.len()).find(equal) };
    Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
}

fn first_index<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::List(list), item] => Ok(index(list, item, false)),
        _ => Err(Failure::no_overload()),
    }
}

fn last_index<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::List(list), item] => Ok(index(list, item, true)),
        _ => Err(Failure::no_overload()),
    }
}

fn includes<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        [Value::List(list), item] => {
            let equal = |it: Evaluated<'a>| it.is_ok_and(|it| it.equals(item).unwrap_or(false));
            Ok(Value::Bool(list.iter().any(equal)))
        }
        [value, other] => Ok(Value::Bool(value.equals(other).unwrap_or(false))),
        _ => Err(Failure::no_overload()),
    }
}

fn two_lists<'a, 'b>(args: &'b [Value<'a>]) -> Result<(&'b List<'a>, &'b List<'a>), Failure> {
    match args {
        [Value::List(left), Value::List(right)] => Ok((left, right)),
        _ => Err(Failure::no_overload()),
    }
}

fn contains_all<'a>(list: &List<'a>, part: &List<'a>) -> Result<bool, Failure> {
    for item in part.iter() {
        if !contains(list, &item?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sets_contains<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (left, right) = two_lists(args)?;
    Ok(Value::Bool(contains_all(left, right)?))
}

fn sets_equivalent<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (left, right) = two_lists(args)?;
    Ok(Value::Bool(contains_all(left, right)? && contains_all(right, left)?))
}

fn sets_intersect<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (left, right) = two_lists(args)?;
    for item in left.iter() {
        if contains(right, &item?).unwrap_or(false) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn slice<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::List(list), Value::Int(start), Value::Int(end)] = args else {
        return Err(Failure::no_overload());
    };
    let fail = |why: String| Err(Failure::new(format!("cannot slice({start}, {end}), {why}")));
    let (Ok(from), Ok(to)) = (usize::try_from(*start), usize::try_from(*end)) else {
        return fail("negative indexes not supported".to_owned());
    };
    if from > to {
        return fail("start index must be less than or equal to end index".to_owned());
    }
    if to > list.len() {
        return fail(format!("list is length {}", list.len()));
    }
    let items: Result<Vec<_>, _> = (from..to).filter_map(|at| list.get(at)).collect();
    Ok(Value::list(items?))
}

fn flatten<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    fn into<'a>(list: &List<'a>, depth: i64, out: &mut Vec<Value<'a>>) -> Result<(), Failure> {
        for item in list.iter() {
            match item? {
                Value::List(inner) if depth > 0 => into(&inner, depth - 1, out)?,
                other => out.push(other),
            }
        }
        Ok(())
    }
    let (list, depth) = match args {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, *depth),
        _ => return Err(Failure::no_overload()),
    };
    if depth < 0 {
        return Err(Failure::new("level must be non-negative"));
    }
    let mut out = Vec::new();
    into(list, depth, &mut out)?;
    Ok(Value::list(out))
}

fn sorted<'a>(list: &List<'a>, keys: &List<'a>) -> Evaluated<'a> {
    if list.len() != keys.len() {
        return Err(Failure::new("the list and its keys differ in length"));
    }
    let mut pairs: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(list.len());
    for (key, item) in keys.iter().zip(list.iter()) {
        pairs.push((key?, item?));
    }
    if let Some((first, _)) = pairs.first() {
        let comparable = !matches!(
            first,
            Value::Null
                | Value::List(_)
                | Value::Map(_)
                | Value::Optional(_)
                | Value::Type(_)
                | Value::Opaque(_)
        );
        if !comparable {
            return Err(Failure::new("list elements must be comparable"));
        }
        if pairs.iter().any(|(key, _)| key.type_name() != first.type_name()) {
            return Err(Failure::new("list elements must have the same type"));
        }
    }
    pairs.sort_by(|(left, _), (right, _)| left.compare(right).unwrap_or(Ordering::Equal));
    Ok(Value::list(pairs.into_iter().map(|(_, item)| item).collect()))
}

fn sort<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let list = only_list(args)?;
    sorted(list, list)
}

fn sort_by<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (list, keys) = two_lists(args)?;
    sorted(list, keys)
}

fn range<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    match args {
        // What costs more than a call may cost is not made at all.
        [Value::Int(count)] if *count > 1_000_000 => Err(Failure::TooExpensive),
        [Value::Int(count)] if *count < 0 => {
            Err(Failure::new(format!("lists.range: size must be non-negative, got {count}")))
        }
        [Value::Int(count)] => Ok(Value::list((0..*count).map(Value::Int).collect())),
        _ => Err(Failure::no_overload()),
    }
}

fn reverse<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let mut items = items(only_list(args)?)?;
    items.reverse();
    Ok(Value::list(items))
}

fn distinct<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let list = only_list(args)?;
    // The cost is that of a comparison of each with each, and so is the time.
    if list.len() > 1000 {
        return Err(Failure::TooExpensive);
    }
    let mut out: Vec<Value<'a>> = Vec::new();
    for item in list.iter() {
        let item = item?;
        if !out.iter().any(|known| item.equals(known).unwrap_or(false)) {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}
