//! Evaluation, within a limit of cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cost::Cost;
use super::library::operators::insert_all;
use super::library::regex::Patterns;
use super::plan::{Call, Loop, Step};
use super::value::{Evaluated, Failure, List, Map, Text, Value};

/// What functions keep between their calls.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Patterns that were compiled on the way.
    pub(super) patterns: Patterns,
    /// The compiled pattern of the call at hand, where it is a constant.
    pub(super) pattern: Option<Arc<::regex::Regex>>,
    /// Items that lists were made of.
    made: usize,
}

/// Items that all lists of an evaluation may be made of: upstream joins lists without copying, and
/// counts one for it.
const MAX_MADE: usize = 20_000_000;

/// Evaluates one expression.
pub(super) struct Evaluator<'a, 'v> {
    pub(super) globals: &'v [Option<&'v Evaluated<'a>>],
    pub(super) names: &'v [Arc<str>],
    pub(super) locals: Vec<Evaluated<'a>>,
    pub(super) scratch: Scratch,
    pub(super) cost: u64,
    pub(super) limit: u64,
}

impl<'a> Evaluator<'a, '_> {
    fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit { Err(Failure::TooExpensive) } else { Ok(()) }
    }

    pub(super) fn evaluate(&mut self, step: &'a Step) -> Evaluated<'a> {
        match step {
            Step::Constant(value) => Ok(match value {
                Value::String(Text::Owned(text)) => Value::String(Text::Borrowed(text)),
                other => other.clone(),
            }),
            Step::Global { at, charge } => {
                self.charge(*charge)?;
                self.globals.get(*at).copied().flatten().cloned().unwrap_or_else(|| {
                    let name = self.names.get(*at).map_or("", |it| it);
                    Err(Failure::new(format!("no such attribute(s): {name}")))
                })
            }
            Step::Local { slot, charge } => {
                self.charge(*charge)?;
                self.locals.get(*slot).cloned().unwrap_or(Ok(Value::Null))
            }
            Step::Select { operand, field, test, optional, charge } => {
                let operand = self.evaluate(operand)?;
                let absent = matches!(operand, Value::Optional(None));
                let found = select(&operand, field, *test, *optional);
                self.charge_access(*charge, absent, &found)?;
                found
            }
            Step::Index { operand, index, optional, charge } => {
                let operand = self.evaluate(operand)?;
                let index = self.evaluate(index)?;
                let absent = matches!(operand, Value::Optional(None));
                let found = at(&operand, &index, *optional);
                self.charge_access(*charge, absent, &found)?;
                found
            }
            Step::And(terms) => self.logic(terms, false),
            Step::Or(terms) => self.logic(terms, true),
            Step::Conditional(parts) => {
                let [condition, then, other] = &**parts;
                match self.evaluate(condition)? {
                    Value::Bool(true) => self.evaluate(then),
                    Value::Bool(false) => self.evaluate(other),
                    _ => Err(Failure::no_overload()),
                }
            }
            Step::NotStrictlyFalse(step) => {
                let value = self.evaluate(step);
                self.charge(1)?;
                match value {
                    Ok(Value::Bool(false)) => Ok(Value::Bool(false)),
                    Err(Failure::TooExpensive) => Err(Failure::TooExpensive),
                    _ => Ok(Value::Bool(true)),
                }
            }
            Step::Equal { sides, negated, cost } => {
                let [left, right] = &**sides;
                let sides = self.pair(left, right)?;
                self.charge(cost.of(&sides, None))?;
                let [left, right] = &sides;
                let equal = left.equals(right)?;
                Ok(Value::Bool(equal != *negated))
            }
            Step::Fallback { sides, value } => {
                let [left, right] = &**sides;
                match self.evaluate(left)? {
                    Value::Optional(Some(inner)) if *value => Ok((*inner).clone()),
                    found @ Value::Optional(Some(_)) => Ok(found),
                    Value::Optional(None) => self.evaluate(right),
                    _ => Err(Failure::no_overload()),
                }
            }
            Step::Call(call) => self.call(call),
            Step::List { items, charge } => {
                let items = self.items(items)?;
                self.charge(*charge)?;
                Ok(Value::list(items))
            }
            Step::Map { entries, charge } => self.map(entries, *charge),
            Step::Struct { fields, charge } => {
                let mut made = BTreeMap::new();
                for (optional, name, value) in fields {
                    let value = match self.evaluate(value)? {
                        Value::Optional(inner) if *optional => match inner {
                            Some(inner) => (*inner).clone(),
                            None => continue,
                        },
                        value => value,
                    };
                    let key = Value::String(Text::Owned(Arc::clone(name)));
                    insert_all(&mut made, &[key, value])?;
                }
                self.charge(*charge)?;
                Ok(Value::Map(Map::Made(Arc::new(made))))
            }
            Step::Loop(of) => self.repeat(of),
            Step::Append { slot, items, charge } => {
                let items = self.items(items)?;
                self.charge(*charge)?;
                let Value::List(List::Made(mut list)) = self.take(*slot)? else {
                    return Err(Failure::no_overload());
                };
                Arc::make_mut(&mut list).extend(items);
                Ok(Value::List(List::Made(list)))
            }
            Step::Insert { slot, args, charge } => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.evaluate(arg)?);
                }
                self.charge(*charge)?;
                let Value::Map(Map::Made(mut map)) = self.take(*slot)? else {
                    return Err(Failure::no_overload());
                };
                insert_all(Arc::make_mut(&mut map), &values)?;
                Ok(Value::Map(Map::Made(map)))
            }
        }
    }

    /// Charges an access; to find something absent costs nothing by itself.
    fn charge_access(
        &mut self,
        charge: u64,
        absent: bool,
        found: &Evaluated<'a>,
    ) -> Result<(), Failure> {
        let absent = absent || matches!(found, Ok(Value::Optional(None)));
        self.charge(charge.saturating_sub(u64::from(absent)))
    }

    /// Takes the value of an accumulator away, which is set again at once.
    fn take(&mut self, slot: usize) -> Evaluated<'a> {
        let Some(place) = self.locals.get_mut(slot) else { return Ok(Value::Null) };
        match place {
            Ok(_) => std::mem::replace(place, Ok(Value::Null)),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// Evaluates `&&` or `||`: one term may decide whatever the others are.
    fn logic(&mut self, terms: &'a [Step], decides: bool) -> Evaluated<'a> {
        let mut failure = None;
        for term in terms {
            match self.evaluate(term) {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failure = failure.or_else(|| Some(Failure::no_overload())),
                Err(Failure::TooExpensive) => return Err(Failure::TooExpensive),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn call(&mut self, call: &'a Call) -> Evaluated<'a> {
        let result;
        let cost;
        match &*call.args {
            [only] => {
                let only = self.evaluate(only);
                let args = [self.argument(only)?];
                (result, cost) = self.apply(call, &args);
            }
            [left, right] => {
                let args = self.pair(left, right)?;
                (result, cost) = self.apply(call, &args);
            }
            more => {
                let mut args = Vec::with_capacity(more.len());
                for arg in more {
                    args.push(self.evaluate(arg));
                }
                let args: Result<Vec<_>, _> = args.into_iter().collect();
                let args = self.argument(args)?;
                (result, cost) = self.apply(call, &args);
            }
        }
        self.charge(cost)?;
        if let Ok(Value::List(list)) = &result {
            self.scratch.made += list.len();
            if self.scratch.made > MAX_MADE {
                return Err(Failure::TooExpensive);
            }
        }
        result
    }

    /// A call of which an argument has failed is counted all the same.
    fn argument<T>(&mut self, argument: Result<T, Failure>) -> Result<T, Failure> {
        if argument.is_err() {
            self.charge(1)?;
        }
        argument
    }

    /// Evaluates two arguments: both, also where the first one fails.
    fn pair(&mut self, left: &'a Step, right: &'a Step) -> Result<[Value<'a>; 2], Failure> {
        let left = self.evaluate(left);
        if matches!(left, Err(Failure::TooExpensive)) {
            return Err(Failure::TooExpensive);
        }
        let right = self.evaluate(right);
        let pair = match (left, right) {
            (_, Err(Failure::TooExpensive)) => return Err(Failure::TooExpensive),
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
            (Ok(left), Ok(right)) => Ok([left, right]),
        };
        self.argument(pair)
    }

    fn apply(&mut self, call: &Call, args: &[Value<'a>]) -> (Evaluated<'a>, u64) {
        // What is charged by the arguments alone is charged before the work is done.
        if call.cost != Cost::Result && call.cost != Cost::ListResult {
            let cost = call.cost.of(args, None);
            if self.cost.saturating_add(cost) > self.limit {
                return (Err(Failure::TooExpensive), cost);
            }
            self.scratch.pattern.clone_from(&call.pattern);
            return ((call.implementation)(&mut self.scratch, args), cost);
        }
        let result = (call.implementation)(&mut self.scratch, args);
        let cost = call.cost.of(args, result.as_ref().ok());
        (result, cost)
    }

    fn items(&mut self, items: &'a [(bool, Step)]) -> Result<Vec<Value<'a>>, Failure> {
        let mut out = Vec::with_capacity(items.len());
        for (optional, item) in items {
            match self.evaluate(item)? {
                Value::Optional(inner) if *optional => {
                    out.extend(inner.map(|inner| (*inner).clone()));
                }
                _ if *optional => return Err(Failure::no_overload()),
                value => out.push(value),
            }
        }
        Ok(out)
    }

    fn map(&mut self, entries: &'a [(bool, Step, Step)], charge: u64) -> Evaluated<'a> {
        let mut made = BTreeMap::new();
        for (optional, key, value) in entries {
            let key = self.evaluate(key)?;
            let value = match self.evaluate(value)? {
                Value::Optional(inner) if *optional => match inner {
                    Some(inner) => (*inner).clone(),
                    None => continue,
                },
                _ if *optional => return Err(Failure::no_overload()),
                value => value,
            };
            made.insert(key.key(), (key, value));
        }
        self.charge(charge)?;
        Ok(Value::Map(Map::Made(Arc::new(made))))
    }

    fn set(&mut self, slot: usize, value: Evaluated<'a>) {
        if let Some(place) = self.locals.get_mut(slot) {
            *place = value;
        }
    }

    fn repeat(&mut self, of: &'a Loop) -> Evaluated<'a> {
        let initial = self.evaluate(&of.initial);
        if matches!(initial, Err(Failure::TooExpensive)) {
            return initial;
        }
        let range = self.evaluate(&of.range)?;
        self.set(of.accumulator, initial);
        match range {
            Value::List(list) => {
                for index in 0..list.len() {
                    let item = list.get(index).unwrap_or(Ok(Value::Null));
                    match of.second {
                        Some(second) => {
                            let index = i64::try_from(index).unwrap_or(i64::MAX);
                            self.set(of.first, Ok(Value::Int(index)));
                            self.set(second, item);
                        }
                        None => self.set(of.first, item),
                    }
                    if !self.turn(of)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for key in map.keys() {
                    if let Some(second) = of.second {
                        let value = map.find(&key).and_then(|it| {
                            it.ok_or_else(|| Failure::new(format!("no such key: {key}")))
                        });
                        self.set(second, value);
                    }
                    self.set(of.first, Ok(key));
                    if !self.turn(of)? {
                        break;
                    }
                }
            }
            other => {
                let message = format!("got '{}', expected iterable type", other.type_name());
                return Err(Failure::new(message));
            }
        }
        self.evaluate(&of.result)
    }

    /// Takes one turn of a loop; `false` ends it.
    fn turn(&mut self, of: &'a Loop) -> Result<bool, Failure> {
        match self.evaluate(&of.condition) {
            Ok(Value::Bool(false)) => return Ok(false),
            Err(Failure::TooExpensive) => return Err(Failure::TooExpensive),
            _ => {}
        }
        // A loop costs something in each turn, whatever stands in it.
        self.scratch.made += 1;
        if self.scratch.made > MAX_MADE {
            return Err(Failure::TooExpensive);
        }
        let value = self.evaluate(&of.step);
        if matches!(value, Err(Failure::TooExpensive)) {
            return Err(Failure::TooExpensive);
        }
        self.set(of.accumulator, value);
        Ok(true)
    }
}

fn no_key(key: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("no such key: {key}"))
}

/// Selects a field, or tells whether it is there.
fn select<'a>(operand: &Value<'a>, field: &Arc<str>, test: bool, optional: bool) -> Evaluated<'a> {
    let (target, wrapped) = match operand {
        Value::Optional(Some(inner)) => (&**inner, true),
        Value::Optional(None) if test => return Ok(Value::Bool(false)),
        Value::Optional(None) => return Ok(Value::Optional(None)),
        other => (other, false),
    };
    let found = match target {
        Value::Map(map) => map.find_text(field),
        Value::List(_) => {
            return Err(Failure::new("unsupported index type 'string' in list"));
        }
        _ if optional || wrapped || test => None,
        _ => return Err(no_key(field)),
    };
    if test {
        return match found {
            Some(Err(error)) => Err(error),
            found => Ok(Value::Bool(found.is_some())),
        };
    }
    match found {
        Some(value) if optional || wrapped => Ok(Value::Optional(Some(Arc::new(value?)))),
        Some(value) => value,
        None if optional || wrapped => Ok(Value::Optional(None)),
        None => Err(no_key(field)),
    }
}

/// Takes an item or an entry.
fn at<'a>(operand: &Value<'a>, index: &Value<'a>, optional: bool) -> Evaluated<'a> {
    let (target, optional) = match operand {
        Value::Optional(Some(inner)) => (&**inner, true),
        Value::Optional(None) => return Ok(Value::Optional(None)),
        other => (other, optional),
    };
    let found = match target {
        Value::Map(map) => map.find(index)?.ok_or_else(|| match index {
            Value::String(text) => no_key(&text.as_str()),
            other => no_key(other),
        }),
        Value::List(list) => {
            let Some(place) = place(index) else {
                let message = format!("unsupported index type '{}' in list", index.type_name());
                return Err(Failure::new(message));
            };
            let item = usize::try_from(place).ok().and_then(|place| list.get(place));
            match item {
                Some(item) => Ok(item?),
                None => Err(Failure::new(format!("index out of bounds: {place}"))),
            }
        }
        _ => Err(no_key(index)),
    };
    match found {
        Ok(value) if optional => Ok(Value::Optional(Some(Arc::new(value)))),
        Err(_) if optional => Ok(Value::Optional(None)),
        found => found,
    }
}

/// Reads a number that has no fraction as a place in a list.
fn place(index: &Value<'_>) -> Option<i128> {
    match index {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => match index.key() {
            super::value::Key::Number(place) => Some(place),
            _ => None,
        },
        _ => None,
    }
}
