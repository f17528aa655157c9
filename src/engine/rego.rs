//! Rego: modules to a [`Program`], and its evaluation within bounds.
//!
//! A thin wrapper over `regorus`, and the only place that names it. What it adds: errors with a
//! [`Place`], annotations (which `regorus` takes for comments), an [`Outline`] of every module for
//! those who lint them, inputs that are built from nodes without a detour over text, and evaluators
//! that threads share.
//!
//! # Bounds
//!
//! - **Time**: each evaluation has a limit on the wall clock. It is looked at between the steps of
//!   the interpreter, not within a builtin; a builtin takes time in proportion to its input
//!   (regular expressions are matched in linear time).
//! - **Modules**: a module has at most 1 MiB, 20,000 lines, 1,024 columns, and a nesting that
//!   `regorus` bounds.
//! - **Memory** is *not* bounded by itself: `regorus` can count it only with an allocator of its
//!   own. A rule that builds a value without end runs into the limit of time first. Inputs are
//!   bounded where they are read, by the limits of the loader.
//! - A builtin that fails (`strict_builtin_errors`) fails the evaluation, because an undefined
//!   value would be a rule that silently never fires.

mod annotation;
mod error;
mod outline;
mod value;

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use annotation::{Annotation, AnnotationError};
pub use error::{Place, RegoError};
pub use outline::{
    Argument, Call, InputField, Module, Reference, RuleForm, RuleOutline, is_builtin,
};
use regorus::utils::limits::ExecutionTimerConfig;
pub use value::Value;

/// How many steps of the interpreter pass between two looks at the clock.
const STEPS_PER_LOOK: NonZeroU32 = NonZeroU32::new(256).unwrap();

/// A set of modules, read and analyzed, ready to be evaluated from any thread.
pub struct Program {
    prototype: regorus::Engine,
    modules: Vec<Module>,
    time_limit: Duration,
    // Evaluators that are not in use. A used one is faster than a fresh clone by the 8 µs of its
    // first evaluation.
    idle: Mutex<Vec<regorus::Engine>>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("modules", &self.modules.len())
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

impl Program {
    /// Reads modules, each a name (for errors and annotations) and its text.
    ///
    /// Modules that cannot be read are all reported, not only the first.
    pub fn load<N, T>(
        modules: impl IntoIterator<Item = (N, T)>,
        time_limit: Duration,
    ) -> Result<Self, Vec<RegoError>>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let mut engine = regorus::Engine::new();
        engine.set_strict_builtin_errors(true);
        // Printed text would go to standard error, which is not ours to write to.
        engine.set_gather_prints(true);
        let config = ExecutionTimerConfig { limit: time_limit, check_interval: STEPS_PER_LOOK };
        engine.set_execution_timer_config(config);
        let mut errors = Vec::new();
        for (name, text) in modules {
            if let Err(error) = engine.add_policy(name.into(), text.into()) {
                errors.push(RegoError::of(&error, time_limit));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let modules = outline::modules(&mut engine);
        Ok(Self { prototype: engine, modules, time_limit, idle: Mutex::new(Vec::new()) })
    }

    /// Returns what each module declares and uses, in the order in which they were given.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// Analyzes all modules, so that a defect of one shows here and not in the first evaluation.
    ///
    /// `rules` are evaluated once on `input`; what they give is thrown away.
    pub fn prepare<'a>(
        &mut self,
        rules: impl IntoIterator<Item = &'a str>,
        input: &Value,
    ) -> Result<(), RegoError> {
        self.prototype.set_input(input.clone().into());
        for rule in rules {
            evaluate(&mut self.prototype, rule, self.time_limit)?;
        }
        Ok(())
    }

    /// Returns an evaluator for one input. Evaluators of several threads do not wait on each other.
    pub fn evaluator(&self, input: Value) -> Evaluator<'_> {
        Evaluator { program: self, input: input.into(), engine: None }
    }

    fn borrow(&self, input: &regorus::Value) -> regorus::Engine {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut engine = idle.unwrap_or_else(|| self.prototype.clone());
        engine.set_input(input.clone());
        engine
    }
}

/// Evaluates rules on one input.
pub struct Evaluator<'program> {
    program: &'program Program,
    input: regorus::Value,
    // Nothing before the first evaluation, and after one that failed: whatever state that left is
    // not used again.
    engine: Option<regorus::Engine>,
}

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("program", self.program).finish_non_exhaustive()
    }
}

impl Evaluator<'_> {
    /// Evaluates a rule by its path, e.g. `data.tidewaiter.rbac.wildcard_verb.deny`.
    ///
    /// [`Value::is_undefined`] holds of the value of a rule that does not.
    pub fn eval(&mut self, rule: &str) -> Result<Value, RegoError> {
        let engine = self.engine.get_or_insert_with(|| self.program.borrow(&self.input));
        let result = evaluate(engine, rule, self.program.time_limit);
        if result.is_err() {
            self.engine = None;
        }
        result
    }
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.set_input(regorus::Value::Undefined);
            self.program.idle.lock().unwrap_or_else(PoisonError::into_inner).push(engine);
        }
    }
}

fn evaluate(
    engine: &mut regorus::Engine,
    rule: &str,
    time_limit: Duration,
) -> Result<Value, RegoError> {
    // A panic of the interpreter is a rule that could not be judged, not the end of the run.
    // The engine is thrown away after any error, so no broken state is seen again.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let value = engine.eval_rule(rule.to_owned());
        engine.take_prints().map_or_else(|error| Err(error), |_| value)
    }));
    match result {
        Ok(Ok(value)) => Ok(Value::from(value)),
        Ok(Err(error)) => Err(RegoError::of_evaluation(&error, time_limit)),
        Err(_) => Err(RegoError::Panicked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        Program::load([("a.rego", text)], Duration::from_secs(5)).unwrap()
    }

    fn eval(program: &Program, rule: &str) -> Result<Value, RegoError> {
        program.evaluator(Value::object([("x", Value::string("hunter2"))])).eval(rule)
    }

    #[test]
    fn a_rule_gives_its_value() {
        let program = program("package a\n\ndeny contains input.x\n");
        let value = eval(&program, "data.a.deny").unwrap();
        assert_eq!(value.items().unwrap(), [Value::string("hunter2")]);
    }

    #[test]
    fn one_input_does_not_see_the_values_of_another() {
        let program = program("package a\n\nv := input.x\n");
        let mut values = Vec::new();
        for text in ["one", "two"] {
            let input = Value::object([("x", Value::string(text))]);
            values.push(program.evaluator(input).eval("data.a.v").unwrap());
        }
        assert_eq!(values, [Value::string("one"), Value::string("two")]);
        let value = program.evaluator(Value::object([])).eval("data.a.v").unwrap();
        assert!(value.is_undefined());
    }

    #[test]
    fn modules_that_cannot_be_read_are_all_reported_with_their_places() {
        let modules = [("a.rego", "package a\n\nx := 1 +\n"), ("b.rego", "packag b\n")];
        let errors = Program::load(modules, Duration::from_secs(5)).unwrap_err();
        let files: Vec<_> = errors.iter().map(|it| it.place().unwrap().file.as_str()).collect();
        assert_eq!(files, ["a.rego", "b.rego"]);
    }

    #[test]
    fn an_evaluation_without_end_is_stopped() {
        let text = "package a\n\nv := count([1 | some i in numbers.range(1, 3000); some j in \
                    numbers.range(1, 3000); i == j])\n";
        let limit = Duration::from_millis(50);
        let program = Program::load([("a.rego", text)], limit).unwrap();
        assert_eq!(eval(&program, "data.a.v"), Err(RegoError::TimeLimit(limit)));
    }

    #[test]
    fn an_error_names_the_place_and_no_value_of_the_input() {
        let program = program("package a\n\nv := sum(input.x)\n");
        let error = eval(&program, "data.a.v").unwrap_err();
        assert_eq!(error.place().unwrap().to_string(), "a.rego:3:15");
        assert_eq!(error.to_string(), "`sum` requires array/set argument");
    }

    #[test]
    fn an_evaluator_is_usable_after_an_error() {
        let program = program("package a\n\nbad := sum(input.x)\n\ngood := input.x\n");
        let mut evaluator = program.evaluator(Value::object([("x", Value::string("y"))]));
        assert!(evaluator.eval("data.a.bad").is_err());
        assert_eq!(evaluator.eval("data.a.good").unwrap().as_str(), Some("y"));
    }

    #[test]
    fn modules_are_outlined() {
        let text = "package a.b\n\nimport data.lib.k8s as it\n\ndeny contains msg if {\n\tsome x in \
                    it.all\n\tnot startswith(input.object.name, x)\n\tmsg := own(x)\n}\n\nown(x) := \
                    lower(x)\n";
        let program = program(text);
        let module = &program.modules()[0];
        assert_eq!(module.package, ["a", "b"]);
        let rules: Vec<_> = module.rules.iter().map(|it| (&*it.name, it.form)).collect();
        assert_eq!(rules, [("deny", RuleForm::Set), ("own", RuleForm::Function)]);
        let references: Vec<_> = module.references.iter().map(|it| it.path.join(".")).collect();
        assert_eq!(references, ["lib.k8s", "lib.k8s.all"]);
        let calls: Vec<_> = module.calls.iter().map(|it| &*it.function).collect();
        assert_eq!(calls, ["startswith", "lower"]);
        let inputs: Vec<_> = module.inputs.iter().map(|it| &*it.name).collect();
        assert_eq!(inputs, ["object"]);
        let uncertain: Vec<_> = module.uncertain.iter().map(|it| &*it.text).collect();
        assert_eq!(uncertain, ["input.object.name"]);
    }

    // What OPA takes for undefined, and why such arguments are refused by the lint.
    #[test]
    fn a_negated_call_of_a_missing_field_is_true_here() {
        let text = "package a\n\nf(x) := x\n\nuser if not f(input.nope)\n\nbuiltin if not \
                    startswith(input.nope, \"a\")\n\nmember if not input.nope in [\"a\"]\n";
        let program = program(text);
        let value = |rule| eval(&program, rule).unwrap().is_undefined();
        let undefined = ["data.a.user", "data.a.builtin", "data.a.member"].map(value);
        assert_eq!(undefined, [false, false, false]);
    }
}
