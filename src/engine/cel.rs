//! CEL as the API server uses it: expressions to [`Program`]s, which are evaluated on nodes.
//!
//! Parser, type checker and evaluator follow `cel-go` and the environment of
//! `k8s.io/apiserver/pkg/cel`: the same functions in the same minors, the same types, and the same
//! cost, so that a rule is refused or fails here where it is refused or fails there.
//!
//! # Bounds
//!
//! - **Time**: every step has a cost, and an evaluation has a limit ([`PER_CALL_LIMIT`]); all
//!   evaluations for one object share a [`Budget`]. Patterns are matched in linear time.
//! - **Depth**: expressions nest no deeper than the parser lets them.
//! - **Memory**: strings and lists that an expression makes are bounded.

mod ast;
mod check;
mod collection;
mod cost;
mod estimate;
mod eval;
mod lexer;
mod library;
mod macros;
mod name;
mod parser;
mod plan;
mod time;
mod types;
mod validate;
mod value;

use std::ops::Range;
use std::sync::Arc;

use check::Checker;
pub use estimate::{Bounds, Extent, FieldBounds};
use eval::{Evaluator, Scratch};
pub use name::{escape, is_word, needs_unescape, unescape};
use parser::Syntax;
use plan::Step;
pub use types::{ListKind, ListType, ObjectType, Opaque, Param, Type};
use value::Evaluated;
pub use value::{EvaluationError, Key, List, ListView, Map, MapView, OpaqueValue, Text, Value};

/// What one evaluation may cost (`PerCallLimit`).
pub const PER_CALL_LIMIT: u64 = 1_000_000;

/// What all evaluations for one object may cost (`RuntimeCELCostBudget`).
pub const RUNTIME_BUDGET: u64 = 10_000_000;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// Bytes of the expression.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
}

/// What an expression may name.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: Vec<(Arc<str>, Type)>,
    /// The minor whose functions there are.
    minor: u32,
    /// The minor of the server.
    server: u32,
    /// Whether `Object` and `JSONPatch` can be made.
    mutation: bool,
}

impl Environment {
    /// Returns the environment in which a server of a minor compiles what is new to it: functions
    /// that came with this very minor are not there yet, so that one can roll back.
    pub fn for_new(minor: u32) -> Self {
        Self { minor: minor.saturating_sub(1), ..Self::for_stored(minor) }
    }

    /// Returns the environment in which a server of a minor evaluates what it has stored.
    pub fn for_stored(minor: u32) -> Self {
        Self { variables: Vec::new(), minor, server: minor, mutation: false }
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &str, of: Type) -> Self {
        self.variables.push((Arc::from(name), of));
        self
    }

    /// Adds the types `Object` and `JSONPatch` of a `MutatingAdmissionPolicy`.
    #[must_use]
    pub fn with_mutation(mut self) -> Self {
        self.mutation = true;
        self
    }

    fn variable(&self, name: &str) -> Option<(usize, &Type)> {
        let found = self.variables.iter().enumerate().rev().find(|(_, it)| *it.0 == *name);
        found.map(|(at, (_, of))| (at, of))
    }

    fn has(&self, function: &str, overload: &library::Overload) -> bool {
        overload.is_in(self.minor) && (self.mutation || !function.starts_with("jsonpatch."))
    }

    /// Returns the type that `name{...}` makes.
    fn constructible(&self, name: &str) -> Option<Type> {
        if !self.mutation {
            return None;
        }
        if name == "JSONPatch" {
            let text = |field: &str| (Arc::from(field), Type::String);
            let fields = [text("op"), text("path"), text("from")];
            let value = [(Arc::from("value"), Type::Dyn)];
            return Some(Type::object("JSONPatch", fields.into_iter().chain(value)));
        }
        (name == "Object" || name.starts_with("Object.")).then_some(Type::Dyn)
    }

    fn syntax(&self) -> Syntax {
        Syntax {
            optionals: self.minor >= 28,
            two_variables: self.minor >= 32,
            sort_by: self.minor >= 34,
        }
    }
}

/// An expression that can be evaluated. Threads may share it.
#[derive(Debug)]
pub struct Program {
    names: Vec<Arc<str>>,
    step: Step,
    slots: usize,
    result: Type,
    used: Vec<bool>,
}

/// Reads and checks an expression.
pub fn compile(text: &str, environment: &Environment) -> Result<Program, Vec<CompileError>> {
    compile_with(text, environment, |_, _| ()).map(|(program, ())| program)
}

/// As [`compile`], and estimates what an evaluation costs where the data of all variables is
/// within bounds (`EstimateCost`).
pub fn compile_within(
    text: &str,
    environment: &Environment,
    bounds: &Bounds,
) -> Result<(Program, Extent), Vec<CompileError>> {
    compile_with(text, environment, |checked, checks| estimate::estimate(checked, checks, bounds))
}

/// As [`compile`], and looks at the expression once all types are known.
fn compile_with<T>(
    text: &str,
    environment: &Environment,
    look: impl FnOnce(&check::Checked, &Checker<'_>) -> T,
) -> Result<(Program, T), Vec<CompileError>> {
    let expr = parser::parse(text, environment.syntax())?;
    let mut checks = Checker::new(environment);
    let mut checked = checks.check(&expr);
    checks.validate(&checked);
    if !checks.errors.is_empty() {
        return Err(checks.errors);
    }
    let seen = look(&checked, &checks);
    checked.of = checks.closed(&checked.of);
    let result = checked.of.clone();
    let slots = checks.slots;
    let mut used = vec![false; environment.variables.len()];
    checked.for_each_global(&mut |at| {
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
    });
    let step = plan::plan(checked).map_err(|error| vec![error])?;
    let names = environment.variables.iter().map(|(name, _)| Arc::clone(name)).collect();
    Ok((Program { names, step, slots, result, used }, seen))
}

/// The values of variables.
#[derive(Debug, Default)]
pub struct Variables<'a>(Vec<(&'a str, Evaluated<'a>)>);

impl<'a> Variables<'a> {
    /// Returns no variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: Value<'a>) -> Self {
        self.0.push((name, Ok(value)));
        self
    }

    /// Adds a variable that is a node of a type.
    #[must_use]
    pub fn with_node(self, name: &'a str, node: &'a crate::document::Node, of: &'a Type) -> Self {
        self.with_result(name, Value::read(node, of))
    }

    fn with_result(mut self, name: &'a str, value: Evaluated<'a>) -> Self {
        self.0.push((name, value));
        self
    }
}

/// What is left of what the evaluations for one object may cost.
#[derive(Debug, Clone)]
pub struct Budget {
    left: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: RUNTIME_BUDGET }
    }
}

impl Budget {
    /// Returns a budget of an amount.
    pub fn new(left: u64) -> Self {
        Self { left }
    }

    /// Returns what is left.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl Program {
    /// Returns the type of the result.
    pub fn result_type(&self) -> &Type {
        &self.result
    }

    /// Says whether the expression names a variable.
    pub fn uses(&self, name: &str) -> bool {
        self.names.iter().zip(&self.used).any(|(known, used)| **known == *name && *used)
    }

    /// Evaluates the expression.
    pub fn evaluate<'a>(
        &'a self,
        variables: &Variables<'a>,
        budget: &mut Budget,
    ) -> Result<Value<'a>, EvaluationError> {
        let value = |name: &Arc<str>| variables.0.iter().find(|it| *it.0 == **name).map(|it| &it.1);
        let globals: Vec<_> = self.names.iter().map(value).collect();
        let limit = PER_CALL_LIMIT.min(budget.left);
        let mut evaluator = Evaluator {
            globals: &globals,
            names: &self.names,
            locals: std::iter::repeat_with(|| Ok(Value::Null)).take(self.slots).collect(),
            scratch: Scratch::default(),
            cost: 0,
            limit,
        };
        let result = evaluator.evaluate(&self.step);
        let cost = evaluator.cost;
        let exhausted = cost > budget.left;
        budget.left = budget.left.saturating_sub(cost);
        match result {
            Err(value::Failure::TooExpensive) if exhausted => Err(EvaluationError::Budget),
            result => result.map_err(EvaluationError::from),
        }
    }
}

#[cfg(test)]
mod tests;
