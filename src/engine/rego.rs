//! Rego: modules to a [`Program`], whose rules are evaluated within bounds.
//!
//! A thin wrapper over `regorus`, and the only place that names it. What it adds: errors with a
//! [`Place`], annotations (which `regorus` takes for comments), an outline of every module for
//! those who lint them, inputs that are built from nodes without a detour over text, and rules that
//! threads share.
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

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};
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

/// A set of modules that were read together.
#[derive(Debug)]
pub struct Program {
    // Name and text, in the order of `modules`.
    texts: Vec<(String, String)>,
    modules: Vec<Module>,
    time_limit: Duration,
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
        let texts: Vec<(String, String)> =
            modules.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let mut engine = regorus::Engine::new();
        let mut errors = Vec::new();
        for (name, text) in &texts {
            if let Err(error) = engine.add_policy(name.clone(), text.clone()) {
                errors.push(RegoError::of(&error, time_limit).in_modules(&texts));
            }
        }
        if errors.is_empty() {
            let modules = outline::modules(&mut engine);
            Ok(Self { texts, modules, time_limit })
        } else {
            Err(errors)
        }
    }

    /// Returns what each module declares and uses, in the order in which they were given.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// Returns a rule of a module, to be evaluated from any thread.
    ///
    /// Its modules are analyzed at the first evaluation, on `trial`, which takes some milliseconds
    /// that a rule that nobody asks does not cost; [`Rule::prepare`] does it at once.
    pub fn rule(&self, module: &Module, name: &str, trial: &Value) -> Rule {
        // Whenever a rule refers to another package, `regorus` looks at every module of the engine
        // again, so a rule gets the modules that it needs and no others.
        let needed = self.needed_by(module);
        let modules = self.texts.iter().zip(&self.modules);
        Rule {
            path: format!("data.{}.{name}", module.package.join(".")),
            modules: modules
                .filter(|(_, module)| needed.contains(&module.package))
                .map(|(text, _)| text.clone())
                .collect(),
            trial: trial.clone(),
            time_limit: self.time_limit,
            prototype: OnceLock::new(),
            idle: Mutex::default(),
        }
    }

    /// Returns the packages that a module refers to, its own among them, and those that they do.
    fn needed_by<'a>(&'a self, module: &'a Module) -> BTreeSet<&'a Vec<String>> {
        let mut needed = BTreeSet::from([&module.package]);
        let mut open = vec![module];
        while let Some(module) = open.pop() {
            for other in &self.modules {
                let is_named = |it: &Reference| it.path.starts_with(&other.package);
                if module.references.iter().any(is_named) && needed.insert(&other.package) {
                    open.push(other);
                }
            }
        }
        needed
    }
}

/// A rule that can be evaluated.
pub struct Rule {
    path: String,
    // The names and texts of what it needs.
    modules: Vec<(String, String)>,
    trial: Value,
    time_limit: Duration,
    prototype: OnceLock<Result<regorus::Engine, RegoError>>,
    // Engines that are not in use: a used one is faster than a fresh clone by the 8 µs of its
    // first evaluation.
    idle: Mutex<Vec<regorus::Engine>>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("path", &self.path)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// Analyzes the modules of the rule and tries it, so that a defect shows here and not in the
    /// first evaluation; what it gives is thrown away.
    pub fn prepare(&self) -> Result<(), RegoError> {
        self.prototype().map(|_| ())
    }

    fn prototype(&self) -> Result<&regorus::Engine, RegoError> {
        self.prototype.get_or_init(|| self.analyze()).as_ref().map_err(Clone::clone)
    }

    fn analyze(&self) -> Result<regorus::Engine, RegoError> {
        let mut engine = regorus::Engine::new();
        engine.set_strict_builtin_errors(true);
        // Printed text would go to standard error, which is not ours to write to.
        engine.set_gather_prints(true);
        engine.set_execution_timer_config(timer(self.time_limit));
        for (name, text) in &self.modules {
            engine.add_policy(name.clone(), text.clone()).map_err(|error| {
                RegoError::of(&error, self.time_limit).in_modules(&self.modules)
            })?;
        }
        engine.set_input(self.trial.clone().into());
        self.evaluate(&mut engine, self.time_limit)?;
        Ok(engine)
    }

    /// Evaluates the rule on an input.
    ///
    /// [`Value::is_undefined`] holds of the value of a rule that does not. Threads do not wait on
    /// each other.
    pub fn eval(&self, input: &Value) -> Result<Value, RegoError> {
        self.eval_within(input, self.time_limit)
    }

    /// Evaluates the rule on an input, in a shorter time than its program allows.
    pub fn eval_within(&self, input: &Value, limit: Duration) -> Result<Value, RegoError> {
        let limit = limit.min(self.time_limit);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut engine = match idle {
            Some(engine) => engine,
            None => self.prototype()?.clone(),
        };
        engine.set_execution_timer_config(timer(limit));
        engine.set_input(input.clone().into());
        let value = self.evaluate(&mut engine, limit)?;
        // After an error the engine is thrown away: whatever state it is in is not used again.
        engine.set_input(regorus::Value::Undefined);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(engine);
        Ok(value)
    }

    fn evaluate(&self, engine: &mut regorus::Engine, limit: Duration) -> Result<Value, RegoError> {
        // A panic of the interpreter is a rule that could not be judged, not the end of the run.
        // The callers throw the engine away after any error, so no broken state is seen again.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let value = engine.eval_rule(self.path.clone());
            engine.take_prints().and(value)
        }));
        match result {
            Ok(Ok(value)) => Ok(Value::from(value)),
            Ok(Err(error)) => {
                Err(RegoError::of_evaluation(&error, limit).in_modules(&self.modules))
            }
            Err(_) => Err(RegoError::Panicked),
        }
    }
}

fn timer(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit, check_interval: STEPS_PER_LOOK }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        Program::load([("a.rego", text)], Duration::from_secs(5)).unwrap()
    }

    fn input(text: &str) -> Value {
        Value::object([("x", Value::string(text))])
    }

    fn rule(program: &Program, name: &str) -> Rule {
        program.rule(&program.modules()[0], name, &Value::object([]))
    }

    fn eval(text: &str, name: &str) -> Result<Value, RegoError> {
        rule(&program(text), name).eval(&input("hunter2"))
    }

    #[test]
    fn a_rule_gives_its_value() {
        let value = eval("package a\n\ndeny contains input.x\n", "deny").unwrap();
        assert_eq!(value.items().unwrap(), [Value::string("hunter2")]);
    }

    #[test]
    fn one_input_does_not_see_the_values_of_another() {
        let rule = rule(&program("package a\n\nv := input.x\n"), "v");
        assert_eq!(rule.eval(&input("one")), Ok(Value::string("one")));
        assert_eq!(rule.eval(&input("two")), Ok(Value::string("two")));
        assert!(rule.eval(&Value::object([])).unwrap().is_undefined());
    }

    #[test]
    fn a_rule_has_the_modules_that_it_needs() {
        let modules = [
            ("a.rego", "package a\n\nimport data.lib.b\n\nv := b.v\n"),
            ("b.rego", "package lib.b\n\nv := data.lib.c.v\n"),
            ("c.rego", "package lib.c\n\nv := 1\n"),
            ("d.rego", "package lib.d\n\nv := 1\n"),
        ];
        let program = Program::load(modules, Duration::from_secs(5)).unwrap();
        let needed = program.needed_by(&program.modules()[0]);
        let needed: Vec<_> = needed.into_iter().map(|it| it.join(".")).collect();
        assert_eq!(needed, ["a", "lib.b", "lib.c"]);
        assert_eq!(rule(&program, "v").eval(&input("x")).unwrap().as_index(), Some(1));
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
        let text = "package a\n\nv := count([1 | input.x; some i in numbers.range(1, 3000); some j \
                    in numbers.range(1, 3000); i == j])\n";
        let limit = Duration::from_millis(50);
        let program = Program::load([("a.rego", text)], limit).unwrap();
        assert_eq!(rule(&program, "v").eval(&input("x")), Err(RegoError::TimeLimit(limit)));
    }

    #[test]
    fn an_error_names_the_place_and_no_value_of_the_input() {
        let error = eval("package a\n\nv := sum(input.x)\n", "v").unwrap_err();
        assert_eq!(error.place().unwrap().to_string(), "a.rego:3:15");
        assert_eq!(error.to_string(), "`sum` requires array/set argument");
    }

    #[test]
    fn a_rule_is_usable_after_an_error() {
        let text = "package a\n\nv := x if {\n\tx := input.x\n\tto_number(x) > 0\n}\n";
        let rule = rule(&program(text), "v");
        assert!(rule.eval(&input("bad")).is_err());
        assert_eq!(rule.eval(&input("12")), Ok(Value::string("12")));
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
        let undefined =
            ["user", "builtin", "member"].map(|name| eval(text, name).unwrap().is_undefined());
        assert_eq!(undefined, [false, false, false]);
    }
}
