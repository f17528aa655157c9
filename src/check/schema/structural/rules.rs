//! The CEL rules of a definition (`x-kubernetes-validations`).

mod run;
mod types;

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

pub(super) use run::run;
pub(super) use types::types;

use crate::document::Step;
use crate::engine::cel::{Environment, Program, Type, compile};

/// The rules of one part of a schema, compiled when they are first needed.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// By minor: most often there is one.
    compiled: RwLock<Vec<(u32, Arc<Compiled>)>>,
}

/// One rule, as it is written.
#[derive(Debug)]
struct Rule {
    expression: String,
    message: Option<String>,
    message_expression: Option<String>,
    /// Where the server says that the defect is, below the part that has the rule.
    path: Vec<Step>,
    optional_old_self: bool,
}

/// The rules, ready to be evaluated. A rule that is empty is left out.
#[derive(Debug)]
struct Compiled {
    rules: Vec<Result<Ready, String>>,
    /// The type of `oldSelf` where it may be absent.
    optional: Type,
    of: Type,
}

#[derive(Debug)]
struct Ready {
    /// The position of the rule.
    at: usize,
    program: Program,
    message: Option<Program>,
    is_transition: bool,
}

impl Rules {
    /// Reads the rules of a part of a schema; `None` where it has none.
    pub(super) fn of(schema: &Map<String, Value>) -> Option<Box<Self>> {
        let rules = schema.get("x-kubernetes-validations")?.as_array()?;
        let rule = |rule: &Value| {
            let text = |key: &str| {
                rule.get(key)?
                    .as_str()
                    .map(str::trim)
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
            };
            Some(Rule {
                expression: text("rule")?,
                message: text("message"),
                message_expression: text("messageExpression"),
                path: text("fieldPath").map(|it| steps(&it)).unwrap_or_default(),
                optional_old_self: rule.get("optionalOldSelf").and_then(Value::as_bool)
                    == Some(true),
            })
        };
        let rules: Vec<Rule> = rules.iter().filter_map(rule).collect();
        (!rules.is_empty()).then(|| Box::new(Self { rules, compiled: RwLock::default() }))
    }

    /// Compiles the rules for a minor, on values of a type.
    fn compiled(&self, minor: u32, of: &Type) -> Arc<Compiled> {
        let find = |compiled: &[(u32, Arc<Compiled>)]| {
            compiled.iter().find(|(it, _)| *it == minor).map(|(_, it)| Arc::clone(it))
        };
        // A thread that panicked while it held the lock left a list that is whole.
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = find(&known) {
            return compiled;
        }
        drop(known);
        let rules = self.rules.iter().enumerate().map(|(at, rule)| rule.ready(at, minor, of));
        let optional = Type::optional(of.clone());
        let compiled = Arc::new(Compiled { rules: rules.collect(), optional, of: of.clone() });
        let mut known = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = find(&known) {
            return compiled;
        }
        known.push((minor, Arc::clone(&compiled)));
        compiled
    }
}

impl Rule {
    fn ready(&self, at: usize, minor: u32, of: &Type) -> Result<Ready, String> {
        let old = if self.optional_old_self { Type::optional(of.clone()) } else { of.clone() };
        let environment =
            Environment::for_stored(minor).with("self", of.clone()).with("oldSelf", old);
        let program = compile(&self.expression, &environment).map_err(|errors| {
            let errors: Vec<String> = errors.into_iter().map(|it| it.message).collect();
            errors.join("; ")
        })?;
        if !matches!(program.result_type(), Type::Bool | Type::Dyn) {
            return Err("it does not give a boolean".to_owned());
        }
        // One that does not compile is no error: the message takes its place.
        let message = self
            .message_expression
            .as_ref()
            .and_then(|it| compile(it, &environment).ok())
            .filter(|it| matches!(it.result_type(), Type::String | Type::Dyn));
        let is_transition = program.uses("oldSelf");
        Ok(Ready { at, program, message, is_transition })
    }
}

/// Reads a path such as `.spec.foo['a.b']`.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let (name, after) = if let Some(after) = rest.strip_prefix("['") {
            let Some((name, after)) = after.split_once("']") else { return steps };
            (name.replace("\\'", "'"), after)
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            (name.to_owned(), after)
        } else {
            return steps;
        };
        steps.push(Step::Key(name.into()));
        rest = after;
    }
}
