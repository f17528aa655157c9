//! Runs templates.

use super::parse::{Operand, Pipeline, Step, Template, Term};
use super::value::{DEPTH, Value};
use super::{MissingKey, Result, error, functions, parse};

/// How many steps one template may take.
const STEPS: usize = 200_000;

/// How many bytes one template may put out.
const SIZE: usize = 4 << 20;

/// How many values functions may look at in one template.
const LOOKS: usize = 5_000_000;

/// How many times maps may be changed, so that none gets deeper than memory is freed.
const CHANGES: usize = 500;

/// How deep templates may call each other.
const CALLS: usize = 50;

/// How deep the function `tpl` may call itself.
const TPL: usize = 3;

/// A template that is being filled in.
pub(super) struct Run {
    missing: MissingKey,
    steps: usize,
    /// How many bytes were made.
    made: usize,
    calls: usize,
    tpl: usize,
    looks: usize,
    changes: usize,
}

/// Whether what encloses a step goes on.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// The variables in sight.
struct Scope {
    variables: Vec<(String, Value)>,
}

impl Run {
    pub(super) fn new(missing: MissingKey) -> Self {
        Self { missing, steps: 0, made: 0, calls: 0, tpl: 0, looks: 0, changes: 0 }
    }

    pub(super) fn execute(&mut self, template: &Template, data: &Value) -> Result<String> {
        let mut out = String::new();
        let mut scope = Scope { variables: vec![(String::new(), data.clone())] };
        self.steps(template, &template.body, data, &mut scope, &mut out)?;
        Ok(out)
    }

    /// Fills in a text that is a template itself: the function `tpl`.
    pub(super) fn tpl(&mut self, text: &str, data: &Value) -> Result<String> {
        if self.tpl == TPL {
            return error("`tpl` calls itself too often");
        }
        self.tpl += 1;
        let template = parse::parse(text)?;
        let filled = self.execute(&template, data);
        self.tpl -= 1;
        Ok(filled?.replace(NO_VALUE, ""))
    }

    /// Counts what is made, so that no template fills the memory.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.made = self.made.saturating_add(bytes);
        if self.made > SIZE { error("the template makes too much text") } else { Ok(()) }
    }

    /// Counts a change of a map.
    pub(super) fn change(&mut self) -> Result<()> {
        self.changes += 1;
        if self.changes > CHANGES { error("the template changes maps too often") } else { Ok(()) }
    }

    /// Counts what is to be looked at, as a value may hold another one many times, or itself.
    pub(super) fn look(&mut self, value: &Value, depth: usize) -> Result<()> {
        self.looks += 1;
        if self.looks > LOOKS || depth > DEPTH {
            return error("a value of the template is too large");
        }
        match value {
            Value::List(items) => items.iter().try_for_each(|it| self.look(it, depth + 1)),
            Value::Map(all) => all.borrow().values().try_for_each(|it| self.look(it, depth + 1)),
            _ => Ok(()),
        }
    }

    fn steps(
        &mut self,
        template: &Template,
        steps: &[Step],
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Result<Flow> {
        let depth = scope.variables.len();
        for step in steps {
            let flow = self.step(template, step, dot, scope, out)?;
            if flow != Flow::On {
                scope.variables.truncate(depth);
                return Ok(flow);
            }
        }
        scope.variables.truncate(depth);
        Ok(Flow::On)
    }

    fn step(
        &mut self,
        template: &Template,
        step: &Step,
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Result<Flow> {
        self.steps += 1;
        if self.steps > STEPS {
            return error("the template takes too many steps");
        }
        match step {
            Step::Text(text) => {
                self.spend(text.len())?;
                out.push_str(text);
            }
            Step::Put(pipeline) => {
                let value = self.pipeline(pipeline, dot, scope)?;
                if pipeline.variables.is_empty() {
                    self.look(&value, 0)?;
                    let text = match value {
                        Value::Nil => NO_VALUE.to_owned(),
                        value => value.shown(DEPTH),
                    };
                    self.spend(text.len())?;
                    out.push_str(&text);
                }
            }
            Step::If { condition, then, otherwise } => {
                let before = scope.variables.len();
                let value = self.pipeline(condition, dot, scope)?;
                let steps = if value.is_true() { then } else { otherwise };
                let flow = self.steps(template, steps, dot, scope, out)?;
                scope.variables.truncate(before);
                return Ok(flow);
            }
            Step::With { value, then, otherwise } => {
                let before = scope.variables.len();
                let value = self.pipeline(value, dot, scope)?;
                let flow = if value.is_true() {
                    self.steps(template, then, &value, scope, out)?
                } else {
                    self.steps(template, otherwise, dot, scope, out)?
                };
                scope.variables.truncate(before);
                return Ok(flow);
            }
            Step::Range { over, each, otherwise } => {
                return self.range(template, (over, each, otherwise), dot, scope, out);
            }
            Step::Call { name, with } => {
                let Some(steps) = template.defined.get(name) else {
                    return error(format!("there is no template `{name}`"));
                };
                if self.calls == CALLS {
                    return error("templates call each other too often");
                }
                let data = match with {
                    Some(with) => self.pipeline(with, dot, scope)?,
                    None => Value::Nil,
                };
                self.calls += 1;
                let mut inner = Scope { variables: vec![(String::new(), data.clone())] };
                self.steps(template, steps, &data, &mut inner, out)?;
                self.calls -= 1;
            }
            Step::Break => return Ok(Flow::Break),
            Step::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn range(
        &mut self,
        template: &Template,
        (over, each, otherwise): (&Pipeline, &[Step], &[Step]),
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Result<Flow> {
        let bare = Pipeline { variables: Vec::new(), ..over.clone() };
        let value = self.pipeline(&bare, dot, scope)?;
        let items: Vec<(Value, Value)> = match &value {
            Value::Nil => Vec::new(),
            Value::List(items) => (0..).map(Value::Int).zip(items.iter().cloned()).collect(),
            Value::Map(all) => {
                all.borrow().iter().map(|(key, it)| (Value::text(key), it.clone())).collect()
            }
            Value::Int(count) => {
                let count = usize::try_from(*count).unwrap_or_default().min(STEPS);
                (0..).map(Value::Int).take(count).map(|it| (it.clone(), it)).collect()
            }
            other => return error(format!("a range cannot go over a {}", other.kind())),
        };
        if items.is_empty() {
            return self.steps(template, otherwise, dot, scope, out);
        }
        let before = scope.variables.len();
        for (key, item) in items {
            match over.variables.as_slice() {
                [one] if over.assigns => scope.assign(one, item.clone())?,
                [one] => scope.variables.push((one.clone(), item.clone())),
                [first, second] => {
                    scope.variables.push((first.clone(), key));
                    scope.variables.push((second.clone(), item.clone()));
                }
                _ => {}
            }
            let flow = self.steps(template, each, &item, scope, out)?;
            scope.variables.truncate(before);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value, scope: &mut Scope) -> Result<Value> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot, scope)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipeline.variables {
            if pipeline.assigns {
                scope.assign(name, value.clone())?;
            } else {
                scope.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &[Operand],
        last: Option<Value>,
        dot: &Value,
        scope: &mut Scope,
    ) -> Result<Value> {
        self.steps += 1;
        if self.steps > STEPS {
            return error("the template takes too many steps");
        }
        let Some((first, rest)) = command.split_first() else { return error("a command is empty") };
        let Term::Function(name) = &first.term else {
            if !rest.is_empty() || last.is_some() {
                return error("only a function takes arguments");
            }
            return self.operand(first, dot, scope);
        };
        if matches!(name.as_str(), "and" | "or") {
            // The rest is not looked at once the result is known.
            let mut value = Value::Nil;
            for operand in rest {
                value = self.operand(operand, dot, scope)?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            arguments.push(self.operand(operand, dot, scope)?);
        }
        arguments.extend(last);
        let value = functions::call(self, name, &arguments)?;
        self.fields(value, &first.fields)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value, scope: &mut Scope) -> Result<Value> {
        let value = match &operand.term {
            Term::Dot => dot.clone(),
            Term::Variable(name) => scope.get(name)?,
            Term::Nil => Value::Nil,
            Term::Bool(value) => Value::Bool(*value),
            Term::Int(value) => Value::Int(*value),
            Term::Float(value) => Value::Float(*value),
            Term::Text(text) => Value::text(text),
            Term::Function(name) => functions::call(self, name, &[])?,
            Term::Inner(pipeline) => {
                let before = scope.variables.len();
                let value = self.pipeline(pipeline, dot, scope)?;
                scope.variables.truncate(before);
                value
            }
        };
        self.fields(value, &operand.fields)
    }

    fn fields(&self, value: Value, fields: &[String]) -> Result<Value> {
        let mut value = value;
        for name in fields {
            let next = match &value {
                Value::Map(all) => all.borrow().get(name).cloned(),
                Value::Nil => return error(format!("nothing has a field `{name}`")),
                other => return error(format!("a {} has no field `{name}`", other.kind())),
            };
            value = match next {
                Some(next) => next,
                None if self.missing == MissingKey::Error => {
                    return error(format!("there is no key `{name}`"));
                }
                None => Value::Nil,
            };
        }
        Ok(value)
    }
}

/// What nothing is printed as.
const NO_VALUE: &str = "<no value>";

impl Scope {
    fn get(&self, name: &str) -> Result<Value> {
        match self.variables.iter().rev().find(|(own, _)| own == name) {
            Some((_, value)) => Ok(value.clone()),
            None => error(format!("there is no variable `${name}`")),
        }
    }

    fn assign(&mut self, name: &str, value: Value) -> Result<()> {
        match self.variables.iter_mut().rev().find(|(own, _)| own == name) {
            Some((_, own)) => {
                *own = value;
                Ok(())
            }
            None => error(format!("there is no variable `${name}`")),
        }
    }
}
