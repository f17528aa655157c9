//! What an expression costs at least and at most, told before there is data (`checker/cost.go` of
//! cel-go).
//!
//! The API server refuses rules that may become too expensive, so the estimate has to be the very
//! same number. Up to 1.32 the server knows nothing of the sizes of what lies in the lists and maps
//! that an expression makes.

mod bounds;
mod calls;
mod extent;
mod path;

use std::sync::Arc;

use super::ast::Literal;
use super::check::{Checked, CheckedKind, CheckedLoop, Checker};
use super::cost::{MAKE_LIST, MAKE_MAP, MAKE_STRUCT};
use super::library::Overload;
use super::types::Type;
pub use bounds::{Bounds, FieldBounds};
pub use extent::Extent;
use path::{INDICES, ITEMS, KEYS, Path, VALUES};

/// Estimates the cost of an expression whose variables are within bounds.
pub(super) fn estimate(checked: &Checked, checks: &Checker<'_>, bounds: &Bounds) -> Extent {
    let locals = std::iter::repeat_with(Local::default).take(checks.slots).collect();
    let server = checks.environment.server;
    let mut estimator = Estimator { checks, bounds, server, knows_parts: server >= 33, locals };
    estimator.cost(checked).0
}

struct Estimator<'c> {
    checks: &'c Checker<'c>,
    bounds: &'c Bounds,
    /// The minor of the server.
    server: u32,
    /// Whether the sizes of what lies in made lists and maps are known.
    knows_parts: bool,
    /// The variables of loops by their slots.
    locals: Vec<Local>,
}

/// A variable of a loop.
#[derive(Debug, Default, Clone)]
struct Local {
    path: Option<Path>,
    /// The step from the path to the variable, where each use of it takes the step anew.
    step: Option<&'static str>,
    size: Option<Extent>,
    entry: Option<Entry>,
}

/// The sizes of what lies in a made list or map.
#[derive(Debug, Clone, Copy)]
struct Entry {
    is_list: bool,
    key: Extent,
    value: Extent,
}

impl Entry {
    fn union(self, other: Self) -> Self {
        let (key, value) = (self.key.union(other.key), self.value.union(other.value));
        Self { is_list: self.is_list, key, value }
    }
}

/// What is known of a part of the expression.
#[derive(Debug)]
struct Part<'c> {
    checked: &'c Checked,
    path: Option<Path>,
    /// The size that was found for it.
    size: Option<Extent>,
    /// The size it had as an argument when the call came to it.
    seen: Option<Extent>,
    /// The size of the variable that it is.
    local: Option<Extent>,
    entry: Option<Entry>,
}

impl<'c> Part<'c> {
    fn new(checked: &'c Checked) -> Self {
        Self { checked, path: None, size: None, seen: None, local: None, entry: None }
    }

    fn literal_size(&self) -> Option<Extent> {
        let size = match &self.checked.kind {
            CheckedKind::Literal(Literal::String(text)) => text.chars().count(),
            CheckedKind::Literal(Literal::Bytes(bytes)) => bytes.len(),
            CheckedKind::Literal(_) => 1,
            CheckedKind::List(items) => items.len(),
            CheckedKind::Map(entries) => entries.len(),
            _ => return None,
        };
        Some(Extent::exactly(size as u64))
    }
}

/// Returns a step of a path.
fn step(name: &'static str) -> Arc<str> {
    Arc::from(name)
}

impl<'c> Estimator<'c> {
    /// Returns the type of a part, without parameters.
    fn type_of(&self, part: &Part<'_>) -> Type {
        self.checks.closed(&part.checked.of)
    }

    fn is_scalar(&self, of: &Type) -> bool {
        match of {
            Type::Bool
            | Type::Double
            | Type::Duration
            | Type::Int
            | Type::Timestamp
            | Type::Uint => true,
            Type::Optional(of) => self.knows_parts && self.is_scalar(of),
            _ => false,
        }
    }

    /// Returns the size that was found, is written there, or is declared.
    fn declared_size(&self, part: &Part<'_>) -> Option<Extent> {
        part.size.or_else(|| part.literal_size()).or_else(|| self.bounds.at(part.path.as_ref()))
    }

    /// As [`Self::declared_size`], or what the type or the variable says (`computeSize`).
    fn looked_up_size(&self, part: &Part<'_>) -> Option<Extent> {
        self.declared_size(part)
            .or_else(|| self.is_scalar(&self.type_of(part)).then_some(Extent::ONE))
            .or(part.local)
    }

    /// Looks the size up, and remembers one that is declared.
    fn size(&self, part: &mut Part<'_>) -> Option<Extent> {
        if self.knows_parts && part.size.is_none() && part.literal_size().is_none() {
            part.size = self.bounds.at(part.path.as_ref());
        }
        self.looked_up_size(part)
    }

    /// Returns the cost of a part that is an argument, and what is known of it.
    fn argument(&mut self, checked: &'c Checked) -> (Extent, Part<'c>) {
        let (cost, mut part) = self.cost(checked);
        part.seen = self.size(&mut part);
        (cost, part)
    }

    fn cost(&mut self, checked: &'c Checked) -> (Extent, Part<'c>) {
        let mut part = Part::new(checked);
        let cost = match &checked.kind {
            CheckedKind::Error | CheckedKind::Literal(_) => Extent::NOTHING,
            CheckedKind::Global(at) => {
                let variable = self.checks.environment.variables.get(*at);
                part.path = variable.map(|(name, _)| Path::of(name));
                Extent::ONE
            }
            CheckedKind::TypeName(name) => {
                part.path = Some(Path::of(name));
                Extent::ONE
            }
            CheckedKind::Local(slot) => {
                self.local(*slot, &mut part);
                Extent::ONE
            }
            CheckedKind::Select { operand, test: true, .. } => self.cost(operand).0,
            CheckedKind::Select { operand, optional: true, .. } => {
                let cost = self.cost(operand).0;
                part.size = if self.knows_parts { self.size(&mut part) } else { None };
                cost + Extent::ONE
            }
            CheckedKind::Select { operand, field, .. } => {
                let (cost, inner) = self.cost(operand);
                part.path = Some(Path::with(inner.path.as_ref(), field));
                match self.type_of(&inner) {
                    Type::Map(_) | Type::Object(_) => cost + Extent::ONE,
                    _ => cost,
                }
            }
            CheckedKind::Call { function, overloads, args } => {
                self.call(&mut part, function, overloads, args)
            }
            CheckedKind::List(items) => self.list(&mut part, items),
            CheckedKind::Map(entries) => self.map(&mut part, entries),
            CheckedKind::Struct(fields) => {
                let costs = fields.iter().map(|(_, _, value)| self.cost(value).0);
                costs.fold(Extent::exactly(MAKE_STRUCT), |sum, it| sum + it)
            }
            CheckedKind::Comprehension(of) if self.knows_parts && of.is_binding() => {
                let range = self.cost(&of.range).0;
                let (initial, value) = self.cost(&of.initial);
                self.bind(of.accumulator, value);
                let (cost, mut result) = self.cost(&of.result);
                part.size = self.size(&mut result);
                part.entry = result.entry;
                range + initial + cost
            }
            CheckedKind::Comprehension(of) => self.comprehension(&mut part, of),
        };
        (cost, part)
    }

    fn local(&self, slot: usize, part: &mut Part<'_>) {
        let Some(local) = self.locals.get(slot) else { return };
        part.path = match local.step {
            Some(name) => Some(Path::with(local.path.as_ref(), &step(name))),
            None => local.path.clone(),
        };
        part.local = local.size;
        part.entry = local.entry;
    }

    fn set(&mut self, slot: usize, local: Local) {
        if let Some(place) = self.locals.get_mut(slot) {
            *place = local;
        }
    }

    /// Lets a variable stand for a part.
    fn bind(&mut self, slot: usize, mut value: Part<'_>) {
        let size = self.size(&mut value);
        self.set(slot, Local { path: value.path, step: None, size, entry: value.entry });
    }

    fn list(&mut self, part: &mut Part<'c>, items: &'c [(bool, Checked)]) -> Extent {
        let mut sum = Extent::exactly(MAKE_LIST);
        let mut value = if items.is_empty() { Extent::NOTHING } else { Extent::NEUTRAL };
        for (_, item) in items {
            let (cost, item) = self.argument(item);
            sum = sum + cost;
            value = value.union(item.seen.unwrap_or(Extent::UNKNOWN));
        }
        if self.knows_parts {
            part.entry = Some(Entry { is_list: true, key: Extent::ONE, value });
        }
        sum
    }

    fn map(&mut self, part: &mut Part<'c>, entries: &'c [(bool, Checked, Checked)]) -> Extent {
        let mut sum = Extent::exactly(MAKE_MAP);
        let none = if entries.is_empty() { Extent::NOTHING } else { Extent::NEUTRAL };
        let (mut keys, mut values) = (none, none);
        for (_, key, value) in entries {
            let (key_cost, mut key) = self.cost(key);
            let (value_cost, mut value) = self.cost(value);
            sum = sum + key_cost + value_cost;
            keys = keys.union(self.size(&mut key).unwrap_or(Extent::UNKNOWN));
            values = values.union(self.size(&mut value).unwrap_or(Extent::UNKNOWN));
        }
        if self.knows_parts {
            part.entry = Some(Entry { is_list: false, key: keys, value: values });
        }
        sum
    }

    fn comprehension(&mut self, part: &mut Part<'c>, of: &'c CheckedLoop) -> Extent {
        let (range_cost, mut range) = self.cost(&of.range);
        let (initial_cost, initial) = self.cost(&of.initial);
        let initial_size = initial.literal_size();
        if self.knows_parts {
            self.bind(of.accumulator, initial);
            self.turn(of, &range);
        } else {
            self.old_turn(of, &range);
        }
        let condition = self.cost(&of.condition).0;
        let (step_cost, step) = self.cost(&of.step);
        let result = self.cost(&of.result).0;
        // Only now, when the paths of the body have been written.
        let turns = self.size(&mut range).unwrap_or(Extent::UNKNOWN);
        match &of.initial.kind {
            _ if !self.knows_parts => part.size = Some(turns),
            CheckedKind::Literal(_) => part.size = initial_size,
            CheckedKind::List(_) | CheckedKind::Map(_) => {
                part.size = Some(turns);
                part.entry = step.entry;
            }
            _ => {}
        }
        range_cost + initial_cost + result + turns.times(step_cost + condition)
    }

    /// Sets the variables of a turn.
    fn turn(&mut self, of: &CheckedLoop, range: &Part<'_>) {
        let is_list = match range.entry {
            Some(entry) => entry.is_list,
            None => matches!(self.type_of(range), Type::List(_)),
        };
        let key = range.entry.map(|it| it.key);
        let value = range.entry.map(|it| it.value);
        let values = if is_list { ITEMS } else { VALUES };
        let mut set = |slot, name, size| {
            let path = Some(Path::with(range.path.as_ref(), &step(name)));
            self.set(slot, Local { path, size, ..Local::default() });
        };
        match of.second {
            Some(second) => {
                set(of.first, if is_list { INDICES } else { KEYS }, key);
                set(second, values, value);
            }
            None if is_list => set(of.first, ITEMS, value),
            None => set(of.first, KEYS, key),
        }
    }

    /// Sets the variables of a turn as servers up to 1.32 know them: only the first one is found
    /// in the range, and what no macro made is taken for a variable of the environment.
    fn old_turn(&mut self, of: &CheckedLoop, range: &Part<'_>) {
        let unknown = || Local { path: Some(Path::of(&step("@local"))), ..Local::default() };
        let step = match self.type_of(range) {
            Type::List(_) => Some(ITEMS),
            Type::Map(_) => Some(KEYS),
            _ => None,
        };
        let path = step.and(range.path.clone());
        let accumulator = if of.is_binding() { unknown() } else { Local::default() };
        self.set(of.accumulator, accumulator);
        self.set(of.first, Local { path, step, ..Local::default() });
        if let Some(second) = of.second {
            self.set(second, unknown());
        }
    }

    /// Returns the cost of a call with its arguments.
    fn call(
        &mut self,
        part: &mut Part<'c>,
        function: &str,
        overloads: &[&'static Overload],
        args: &'c [Checked],
    ) -> Extent {
        if function == "dyn"
            && self.knows_parts
            && let [arg] = args
        {
            let (cost, arg) = self.argument(arg);
            part.size = arg.seen;
            part.entry = arg.entry;
            return cost + Extent::ONE;
        }
        let is_member = overloads.first().is_some_and(|it| it.member);
        let (target, rest) = match args.split_first() {
            Some((target, rest)) if is_member => (Some(target), rest),
            _ => (None, args),
        };
        let mut given = calls::Given::default();
        for arg in rest {
            let (cost, arg) = self.argument(arg);
            given.costs.push(cost);
            given.args.push(arg);
        }
        let mut sum = Extent::NOTHING;
        if let Some(target) = target {
            let (cost, target) = self.argument(target);
            sum = cost;
            given.target = Some(target);
        }
        let mut all = Extent::NEUTRAL;
        let mut size: Option<Extent> = None;
        for overload in overloads {
            let called = self.function(function, overload, &given);
            all = all.union(called.cost);
            size = match (size, called.size) {
                (Some(size), Some(other)) => Some(size.union(other)),
                (size, other) => size.or(other),
            };
            part.entry = called.entry.or(part.entry);
            let within = match overload.args.first() {
                Some(Type::List(_)) if function == "_[_]" => Some(ITEMS),
                Some(Type::Map(_)) if function == "_[_]" => Some(VALUES),
                _ => None,
            };
            if let (Some(name), Some(operand)) = (within, given.args.first()) {
                if self.knows_parts {
                    size = operand.entry.map(|it| it.value);
                }
                part.path = Some(Path::with(operand.path.as_ref(), &step(name)));
            }
            if self.knows_parts && size.is_none() {
                size = self.size(part);
            }
        }
        part.size = size.or(part.size);
        sum + all
    }
}

impl CheckedLoop {
    /// Says whether this only gives a name to a value (`isBind`).
    fn is_binding(&self) -> bool {
        matches!(&self.range.kind, CheckedKind::List(items) if items.is_empty())
            && matches!(&self.condition.kind, CheckedKind::Literal(Literal::Bool(false)))
    }
}

#[cfg(test)]
mod tests;
