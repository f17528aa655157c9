//! Checked expressions to what is evaluated: constants are folded, patterns compiled, and each
//! step knows what it costs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::CompileError;
use super::ast::Literal;
use super::check::{Checked, CheckedKind};
use super::cost::Cost;
use super::eval::Scratch;
use super::library::{Implementation, Overload, convert, regex};
use super::value::{Evaluated, Failure, Key, Map, Value};

/// A step of evaluation.
#[derive(Debug)]
pub(super) enum Step {
    Constant(Value<'static>),
    /// A variable of the environment.
    Global {
        at: usize,
        charge: u64,
    },
    /// A variable of a loop.
    Local {
        slot: usize,
        charge: u64,
    },
    Select {
        operand: Box<Self>,
        field: Arc<str>,
        test: bool,
        optional: bool,
        charge: u64,
    },
    Index {
        operand: Box<Self>,
        index: Box<Self>,
        optional: bool,
        charge: u64,
    },
    And(Box<[Self]>),
    Or(Box<[Self]>),
    /// Condition, then, else.
    Conditional(Box<[Self; 3]>),
    NotStrictlyFalse(Box<Self>),
    Equal {
        sides: Box<[Self; 2]>,
        negated: bool,
        cost: Cost,
    },
    /// `or` and `orValue`: the right side only where the left one is absent.
    Fallback {
        sides: Box<[Self; 2]>,
        value: bool,
    },
    Call(Box<Call>),
    List {
        items: Box<[(bool, Self)]>,
        charge: u64,
    },
    Map {
        entries: Box<[(bool, Self, Self)]>,
        charge: u64,
    },
    Struct {
        fields: Box<[(bool, Arc<str>, Self)]>,
        charge: u64,
    },
    Loop(Box<Loop>),
    /// `accumulator + [items]`, done in place.
    Append {
        slot: usize,
        items: Box<[(bool, Self)]>,
        charge: u64,
    },
    /// `cel.@mapInsert(accumulator, ...)`, done in place.
    Insert {
        slot: usize,
        args: Box<[Self]>,
        charge: u64,
    },
}

/// A call of a function.
pub(super) struct Call {
    pub(super) implementation: Implementation,
    pub(super) cost: Cost,
    pub(super) args: Box<[Step]>,
    /// The second argument, where it is a constant pattern.
    pub(super) pattern: Option<Arc<::regex::Regex>>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("cost", &self.cost)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}

/// A loop over a list or a map.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) range: Step,
    pub(super) first: usize,
    pub(super) second: Option<usize>,
    pub(super) accumulator: usize,
    pub(super) initial: Step,
    pub(super) condition: Step,
    pub(super) step: Step,
    pub(super) result: Step,
}

type Planned = Result<Step, CompileError>;

/// Plans an expression.
pub(super) fn plan(checked: Checked) -> Planned {
    step(checked, false)
}

/// Plans a part. Where it is `inner` to an attribute, as a branch of a conditional or as an index,
/// upstream does not count the access to the attribute itself.
fn step(checked: Checked, inner: bool) -> Planned {
    let Checked { range, kind, .. } = checked;
    Ok(match kind {
        CheckedKind::Error => Step::Constant(Value::Null),
        CheckedKind::Literal(literal) => Step::Constant(constant(literal)),
        CheckedKind::TypeName(name) => Step::Constant(Value::Type(name)),
        CheckedKind::Global(at) => Step::Global { at, charge: u64::from(!inner) },
        CheckedKind::Local(slot) => Step::Local { slot, charge: u64::from(!inner) },
        CheckedKind::Select { operand, field, test, optional } => {
            let (operand, extra) = attribute(*operand, inner)?;
            let charge = if test { extra } else { extra + 1 };
            Step::Select { operand: Box::new(operand), field, test, optional, charge }
        }
        CheckedKind::Call { function, overloads, args } => {
            return call(&range, &function, &overloads, args, inner);
        }
        CheckedKind::List(items) => {
            let mut planned = Vec::with_capacity(items.len());
            for (optional, item) in items {
                planned.push((optional, step(item, false)?));
            }
            let constants: Option<Vec<Value<'static>>> = planned
                .iter()
                .map(|(optional, item)| item.as_constant().filter(|_| !optional).cloned())
                .collect();
            match constants {
                Some(items) => Step::Constant(Value::list(items)),
                None => {
                    Step::List { items: planned.into_boxed_slice(), charge: super::cost::MAKE_LIST }
                }
            }
        }
        CheckedKind::Map(entries) => return map(entries),
        CheckedKind::Struct(fields) => {
            let mut planned = Vec::with_capacity(fields.len());
            for (optional, name, value) in fields {
                planned.push((optional, name, step(value, false)?));
            }
            let fields = planned.into_boxed_slice();
            Step::Struct { fields, charge: super::cost::MAKE_STRUCT }
        }
        CheckedKind::Comprehension(of) => {
            let accumulator = of.accumulator;
            Step::Loop(Box::new(Loop {
                range: step(of.range, false)?,
                first: of.first,
                second: of.second,
                accumulator,
                initial: step(of.initial, false)?,
                condition: step(of.condition, false)?,
                step: in_place(step(of.step, false)?, accumulator),
                result: step(of.result, false)?,
            }))
        }
    })
}

/// Plans what something is selected from, and returns what the access to it costs besides.
fn attribute(operand: Checked, inner: bool) -> Result<(Step, u64), CompileError> {
    let planned = step(operand, inner)?;
    let is_attribute = matches!(
        planned,
        Step::Global { .. }
            | Step::Local { .. }
            | Step::Select { .. }
            | Step::Index { .. }
            | Step::Conditional(_)
    );
    Ok((planned, u64::from(!is_attribute && !inner)))
}

fn map(entries: Vec<(bool, Checked, Checked)>) -> Planned {
    let mut planned = Vec::with_capacity(entries.len());
    for (optional, key, value) in entries {
        planned.push((optional, step(key, false)?, step(value, false)?));
    }
    let constants: Option<Vec<(Value<'static>, Value<'static>)>> = planned
        .iter()
        .map(|(optional, key, value)| {
            let pair = key.as_constant().cloned().zip(value.as_constant().cloned());
            pair.filter(|_| !optional)
        })
        .collect();
    let Some(constants) = constants else {
        let entries = planned.into_boxed_slice();
        return Ok(Step::Map { entries, charge: super::cost::MAKE_MAP });
    };
    let made: BTreeMap<Key, (Value<'static>, Value<'static>)> =
        constants.into_iter().map(|(key, value)| (key.key(), (key, value))).collect();
    Ok(Step::Constant(Value::Map(Map::Made(Arc::new(made)))))
}

fn failure(range: &Range<usize>, failure: &Failure) -> CompileError {
    let message = match failure {
        Failure::Error(message) => message.to_string(),
        Failure::TooExpensive => "the constant is too large".to_owned(),
    };
    CompileError { range: range.clone(), message }
}

fn constant(literal: Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(value),
        Literal::Int(value) => Value::Int(value),
        Literal::Uint(value) => Value::Uint(value),
        Literal::Double(value) => Value::Double(value),
        Literal::String(text) => Value::string(text),
        Literal::Bytes(bytes) => Value::Bytes(bytes),
    }
}

impl Step {
    fn as_constant(&self) -> Option<&Value<'static>> {
        match self {
            Self::Constant(value) => Some(value),
            _ => None,
        }
    }
}

fn call(
    range: &Range<usize>,
    function: &str,
    overloads: &[&'static Overload],
    args: Vec<Checked>,
    inner: bool,
) -> Planned {
    match (function, args.len()) {
        ("_[_]" | "_[?_]", 2) => {
            let mut args = args.into_iter();
            let (Some(operand), Some(index)) = (args.next(), args.next()) else {
                return Ok(Step::Constant(Value::Null));
            };
            let (operand, extra) = attribute(operand, inner)?;
            let index = step(index, true)?;
            if let Step::Constant(value) = &index
                && !matches!(
                    value,
                    Value::Bool(_)
                        | Value::Int(_)
                        | Value::Uint(_)
                        | Value::Double(_)
                        | Value::String(_)
                )
            {
                let message = format!("invalid qualifier type: {}", value.type_name());
                return Err(CompileError { range: range.clone(), message });
            }
            return Ok(Step::Index {
                operand: Box::new(operand),
                index: Box::new(index),
                optional: function == "_[?_]",
                charge: extra + 1,
            });
        }
        ("_?_:_", 3) => {
            let mut planned = Vec::with_capacity(3);
            for (at, arg) in args.into_iter().enumerate() {
                planned.push(step(arg, at > 0)?);
            }
            return match <[Step; 3]>::try_from(planned) {
                Ok(parts) => Ok(Step::Conditional(Box::new(parts))),
                Err(_) => Ok(Step::Constant(Value::Null)),
            };
        }
        _ => {}
    }
    let mut planned = Vec::with_capacity(args.len());
    for arg in args {
        planned.push(step(arg, false)?);
    }
    let costs: Vec<Cost> = overloads.iter().map(|it| it.cost).collect();
    let cost = Cost::common(&costs);
    match function {
        "_&&_" => return Ok(Step::And(planned.into_boxed_slice())),
        "_||_" => return Ok(Step::Or(planned.into_boxed_slice())),
        "@not_strictly_false" => {
            let only = planned.into_iter().next();
            let only = only.unwrap_or(Step::Constant(Value::Null));
            return Ok(Step::NotStrictlyFalse(Box::new(only)));
        }
        "_==_" | "_!=_" | "or" | "orValue" => {
            let sides = match <[Step; 2]>::try_from(planned) {
                Ok(sides) => Box::new(sides),
                Err(_) => return Ok(Step::Constant(Value::Null)),
            };
            return Ok(match function {
                "or" | "orValue" => Step::Fallback { sides, value: function == "orValue" },
                _ => Step::Equal { sides, negated: function == "_!=_", cost },
            });
        }
        _ => {}
    }
    let Some(implementation) = overloads.first().map(|it| it.implementation) else {
        return Ok(Step::Constant(Value::Null));
    };
    if convert::FOLDED.contains(&function)
        && let [Step::Constant(value)] = planned.as_slice()
    {
        let done: Evaluated<'static> =
            implementation(&mut Scratch::default(), std::slice::from_ref(value));
        return done.map(Step::Constant).map_err(|error| failure(range, &error));
    }
    let mut pattern = None;
    if regex::PATTERNS.contains(&function)
        && let Some(Step::Constant(Value::String(text))) = planned.get(1)
    {
        let compiled =
            crate::engine::re2::compile(text.as_str()).map_err(|error| CompileError {
                range: range.clone(),
                message: format!("invalid {function} argument: error parsing regexp: {error}"),
            })?;
        pattern = Some(Arc::new(compiled));
    }
    let mut cost = cost;
    if cost == Cost::Members
        && let Some(Step::Constant(Value::List(list))) = planned.get(1)
    {
        if list.is_empty() {
            return Ok(Step::Constant(Value::Bool(false)));
        }
        // Upstream looks it up in a set, which costs nothing.
        let simple = |item: Evaluated<'_>| {
            matches!(
                item,
                Ok(Value::Bool(_)
                    | Value::Int(_)
                    | Value::Uint(_)
                    | Value::Double(_)
                    | Value::String(_))
            )
        };
        if list.iter().all(simple) {
            cost = Cost::Zero;
        }
    }
    let args = planned.into_boxed_slice();
    Ok(Step::Call(Box::new(Call { implementation, cost, args, pattern })))
}

/// Lets a loop change its accumulator where it stands instead of copying it in each turn.
fn in_place(step: Step, accumulator: usize) -> Step {
    match step {
        Step::Conditional(parts) => {
            let [condition, then, other] = *parts;
            let then = in_place(then, accumulator);
            Step::Conditional(Box::new([condition, then, other]))
        }
        Step::Call(call) => {
            let own =
                matches!(call.args.first(), Some(Step::Local { slot, .. }) if *slot == accumulator);
            let Call { implementation, cost, args, pattern } = *call;
            let mut args = args.into_vec();
            if own && implementation_is(implementation, "cel.@mapInsert") {
                args.remove(0);
                return Step::Insert {
                    slot: accumulator,
                    args: args.into_boxed_slice(),
                    charge: 2,
                };
            }
            if own && args.len() == 2 && implementation_is(implementation, "_+_") {
                match args.pop() {
                    Some(Step::List { items, charge }) => {
                        return Step::Append { slot: accumulator, items, charge: charge + 2 };
                    }
                    Some(Step::Constant(Value::List(list))) if list.len() == 1 => {
                        let item = list.get(0).and_then(Result::ok).unwrap_or(Value::Null);
                        let items = Box::new([(false, Step::Constant(item))]);
                        return Step::Append { slot: accumulator, items, charge: 2 };
                    }
                    Some(other) => args.push(other),
                    None => {}
                }
            }
            let args = args.into_boxed_slice();
            Step::Call(Box::new(Call { implementation, cost, args, pattern }))
        }
        other => other,
    }
}

fn implementation_is(implementation: Implementation, name: &str) -> bool {
    let known = super::library::overloads(name).first().map(|it| it.implementation);
    known.is_some_and(|known| std::ptr::fn_addr_eq(known, implementation))
}
