//! The type checker: names become variables, calls become signatures.

use std::ops::Range;
use std::sync::Arc;

use super::ast::{Comprehension, Expr, Kind, Literal};
use super::library::{Overload, overloads};
use super::types::{Opaque, Param, Substitutions, Type, most_general};
use super::{CompileError, Environment};

/// An expression of which the types are known.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) range: Range<usize>,
    /// May hold parameters; [`Checker::finish`] has replaced them.
    pub(super) of: Type,
    pub(super) kind: CheckedKind,
}

#[derive(Debug)]
pub(super) enum CheckedKind {
    /// Something is wrong with it.
    Error,
    Literal(Literal),
    /// The place of a variable in the environment.
    Global(usize),
    /// The place of a variable of a loop in the frame.
    Local(usize),
    /// A type as a value.
    TypeName(Arc<str>),
    Select {
        operand: Box<Checked>,
        field: Arc<str>,
        test: bool,
        optional: bool,
    },
    Call {
        function: Arc<str>,
        overloads: Vec<&'static Overload>,
        /// The target first, where there is one.
        args: Vec<Checked>,
    },
    List(Vec<(bool, Checked)>),
    Map(Vec<(bool, Checked, Checked)>),
    Struct(Vec<(bool, Arc<str>, Checked)>),
    Comprehension(Box<CheckedLoop>),
}

#[derive(Debug)]
pub(super) struct CheckedLoop {
    pub(super) range: Checked,
    pub(super) first: usize,
    pub(super) second: Option<usize>,
    pub(super) accumulator: usize,
    pub(super) initial: Checked,
    pub(super) condition: Checked,
    pub(super) step: Checked,
    pub(super) result: Checked,
}

impl Checked {
    /// Visits the variables of the environment that are named.
    pub(super) fn for_each_global(&self, visit: &mut dyn FnMut(usize)) {
        match &self.kind {
            CheckedKind::Global(at) => visit(*at),
            CheckedKind::Error
            | CheckedKind::Literal(_)
            | CheckedKind::Local(_)
            | CheckedKind::TypeName(_) => {}
            CheckedKind::Select { operand, .. } => operand.for_each_global(visit),
            CheckedKind::Call { args, .. } => args.iter().for_each(|it| it.for_each_global(visit)),
            CheckedKind::List(items) => items.iter().for_each(|it| it.1.for_each_global(visit)),
            CheckedKind::Map(entries) => {
                for (_, key, value) in entries {
                    key.for_each_global(visit);
                    value.for_each_global(visit);
                }
            }
            CheckedKind::Struct(fields) => {
                for (_, _, value) in fields {
                    value.for_each_global(visit);
                }
            }
            CheckedKind::Comprehension(it) => {
                for child in [&it.range, &it.initial, &it.condition, &it.step, &it.result] {
                    child.for_each_global(visit);
                }
            }
        }
    }
}

/// Names of types that are values.
const TYPE_NAMES: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("bytes", Type::Bytes),
    ("double", Type::Double),
    ("google.protobuf.Duration", Type::Duration),
    ("int", Type::Int),
    ("null_type", Type::Null),
    ("string", Type::String),
    ("google.protobuf.Timestamp", Type::Timestamp),
    ("uint", Type::Uint),
    ("net.IP", Type::Opaque(Opaque::Ip)),
    ("net.CIDR", Type::Opaque(Opaque::Cidr)),
];

fn type_name(name: &str) -> Option<Type> {
    match name {
        "list" => Some(Type::list(Type::Dyn)),
        "map" => Some(Type::map(Type::Dyn, Type::Dyn)),
        "type" => Some(Type::Type(Arc::new(Type::Dyn))),
        "optional_type" => Some(Type::optional(Type::Dyn)),
        _ => TYPE_NAMES.iter().find(|(known, _)| *known == name).map(|(_, of)| of.clone()),
    }
}

/// Checks one expression.
pub(super) struct Checker<'e> {
    pub(super) environment: &'e Environment,
    substitutions: Substitutions,
    /// Variables of the loops around.
    locals: Vec<(Arc<str>, Type, usize)>,
    free: u32,
    /// How many variables of loops there are in all.
    pub(super) slots: usize,
    pub(super) errors: Vec<CompileError>,
}

impl<'e> Checker<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            substitutions: Substitutions::default(),
            locals: Vec::new(),
            free: 0,
            slots: 0,
            errors: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, range: &Range<usize>, message: String) {
        self.errors.push(CompileError { range: range.clone(), message });
    }

    fn free_type(&mut self) -> Type {
        self.free += 1;
        Type::Param(Param::Free(self.free))
    }

    fn known(&self, of: &Type) -> Type {
        self.substitutions.apply(of, false)
    }

    /// Returns a type without parameters.
    pub(super) fn closed(&self, of: &Type) -> Type {
        self.substitutions.apply(of, true)
    }

    pub(super) fn mismatch(&mut self, range: &Range<usize>, expected: &Type, found: &Type) {
        let (expected, found) = (self.closed(expected), self.closed(found));
        self.error(range, format!("expected type '{expected}' but found '{found}'"));
    }

    fn undeclared(&mut self, range: &Range<usize>, name: &str) -> (Type, CheckedKind) {
        self.error(range, format!("undeclared reference to '{name}' (in container '')"));
        (Type::Error, CheckedKind::Error)
    }

    pub(super) fn check(&mut self, expr: &Expr) -> Checked {
        let range = &expr.range;
        let (of, kind) = match &expr.kind {
            Kind::Literal(literal) => {
                let of = match literal {
                    Literal::Null => Type::Null,
                    Literal::Bool(_) => Type::Bool,
                    Literal::Int(_) => Type::Int,
                    Literal::Uint(_) => Type::Uint,
                    Literal::Double(_) => Type::Double,
                    Literal::String(_) => Type::String,
                    Literal::Bytes(_) => Type::Bytes,
                };
                (of, CheckedKind::Literal(literal.clone()))
            }
            Kind::Ident(name) => match self.name(name) {
                Some(found) => found,
                None => self.undeclared(range, name),
            },
            Kind::Select { operand, field, test } => self.select(expr, operand, field, *test),
            Kind::Call { function, target, args } => {
                self.call(expr, function, target.as_deref(), args)
            }
            Kind::List(items) => {
                let mut of = None;
                let mut checked = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.check(&item.value);
                    let item_type = self.unwrap_optional(&value, item.optional);
                    of = Some(self.join(of, item_type));
                    checked.push((item.optional, value));
                }
                let of = of.unwrap_or_else(|| self.free_type());
                (Type::list(of), CheckedKind::List(checked))
            }
            Kind::Map(entries) => {
                let (mut key_type, mut value_type) = (None, None);
                let mut checked = Vec::with_capacity(entries.len());
                for entry in entries {
                    let key = self.check(&entry.key);
                    key_type = Some(self.join(key_type, key.of.clone()));
                    let value = self.check(&entry.value);
                    let of = self.unwrap_optional(&value, entry.optional);
                    value_type = Some(self.join(value_type, of));
                    checked.push((entry.optional, key, value));
                }
                let key_type = key_type.unwrap_or_else(|| self.free_type());
                let value_type = value_type.unwrap_or_else(|| self.free_type());
                (Type::map(key_type, value_type), CheckedKind::Map(checked))
            }
            Kind::Struct { name, fields } => {
                let name = name.strip_prefix('.').unwrap_or(name);
                let of = self.environment.constructible(name);
                let Some(of) = of else {
                    let (of, kind) = self.undeclared(range, name);
                    return Checked { range: range.clone(), of, kind };
                };
                let mut checked = Vec::with_capacity(fields.len());
                for init in fields {
                    let value = self.check(&init.value);
                    let found = self.unwrap_optional(&value, init.optional);
                    let wanted = match &of {
                        Type::Object(object) => object.fields.get(&init.name).cloned(),
                        _ => Some(Type::Dyn),
                    };
                    match wanted {
                        None => self.error(&init.range, format!("undefined field '{}'", init.name)),
                        Some(wanted) if !self.substitutions.assign(&wanted, &found) => {
                            let found = self.closed(&found);
                            let message = format!(
                                "expected type of field '{}' is '{wanted}' but provided type is '{found}'",
                                init.name
                            );
                            self.error(&init.range, message);
                        }
                        Some(_) => {}
                    }
                    checked.push((init.optional, Arc::clone(&init.name), value));
                }
                (of, CheckedKind::Struct(checked))
            }
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
        };
        Checked { range: range.clone(), of, kind }
    }

    /// Finds a variable or a type.
    fn name(&self, name: &str) -> Option<(Type, CheckedKind)> {
        let global = name.strip_prefix('.');
        if global.is_none()
            && let Some((_, of, slot)) = self.locals.iter().rev().find(|it| *it.0 == *name)
        {
            return Some((of.clone(), CheckedKind::Local(*slot)));
        }
        let name = global.unwrap_or(name);
        if let Some((at, of)) = self.environment.variable(name) {
            return Some((of.clone(), CheckedKind::Global(at)));
        }
        let of = type_name(name)?;
        let value = CheckedKind::TypeName(Arc::from(of.runtime_name()));
        Some((Type::Type(Arc::new(of)), value))
    }

    fn select(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        field: &Arc<str>,
        test: bool,
    ) -> (Type, CheckedKind) {
        // Names of types may have dots.
        if !test && let Some(name) = expr.qualified_name() {
            let first = name.split('.').next().unwrap_or_default();
            let local = self.locals.iter().any(|it| *it.0 == *first);
            if !local && let Some(found) = self.name(&name) {
                return found;
            }
        }
        let (of, operand) = self.field(expr, operand, field, false);
        let of = if test { Type::Bool } else { of };
        let kind = CheckedKind::Select {
            operand: Box::new(operand),
            field: Arc::clone(field),
            test,
            optional: false,
        };
        (self.known(&of), kind)
    }

    fn field(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        field: &str,
        optional: bool,
    ) -> (Type, Checked) {
        let operand = self.check(operand);
        let operand_type = self.known(&operand.of);
        let (target, unwrapped) = match &operand_type {
            Type::Optional(of) => ((**of).clone(), true),
            _ => (operand_type, false),
        };
        let of = match &target {
            Type::Map(map) => map.1.clone(),
            Type::Object(object) => match object.field(field) {
                // Said as it is only from this minor on.
                Some(of) if self.environment.minor >= 31 || object.fields.contains_key(field) => {
                    of.clone()
                }
                _ => {
                    self.error(&expr.range, format!("undefined field '{field}'"));
                    Type::Error
                }
            },
            Type::Param(_) => {
                self.substitutions.assign(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            Type::Opaque(
                Opaque::Quantity
                | Opaque::Url
                | Opaque::Semver
                | Opaque::Format
                | Opaque::Authorizer
                | Opaque::PathCheck
                | Opaque::GroupCheck
                | Opaque::ResourceCheck
                | Opaque::Decision
                | Opaque::JsonPatch,
            ) => {
                self.error(&expr.range, format!("undefined field '{field}'"));
                Type::Error
            }
            other => {
                let message = format!("type '{other}' does not support field selection");
                self.error(&expr.range, message);
                Type::Dyn
            }
        };
        let of = if unwrapped || optional { Type::optional(of) } else { of };
        (of, operand)
    }

    fn call(
        &mut self,
        expr: &Expr,
        function: &Arc<str>,
        target: Option<&Expr>,
        args: &[Expr],
    ) -> (Type, CheckedKind) {
        if &**function == "_?._" {
            let [operand, field] = args else { return (Type::Error, CheckedKind::Error) };
            let Kind::Literal(Literal::String(field)) = &field.kind else {
                return (Type::Error, CheckedKind::Error);
            };
            let (of, operand) = self.field(expr, operand, field, true);
            let kind = CheckedKind::Select {
                operand: Box::new(operand),
                field: Arc::clone(field),
                test: false,
                optional: true,
            };
            return (self.known(&of), kind);
        }
        let mut checked = Vec::with_capacity(args.len() + 1);
        let mut name = Arc::clone(function);
        let mut member = false;
        if let Some(target) = target {
            let qualified = target.qualified_name().map(|it| format!("{it}.{function}"));
            let qualified = qualified.map(|it| it.trim_start_matches('.').to_owned());
            match qualified.filter(|it| self.exists(it)) {
                Some(qualified) => name = Arc::from(qualified),
                None => {
                    member = true;
                }
            }
        } else if let Some(global) = function.strip_prefix('.') {
            name = Arc::from(global);
        }
        for arg in args {
            checked.push(self.check(arg));
        }
        if member && let Some(target) = target {
            checked.insert(0, self.check(target));
        }
        if !self.exists(&name) {
            return self.undeclared(&expr.range, &name);
        }
        self.resolve(&expr.range, name, member, checked)
    }

    fn exists(&self, name: &str) -> bool {
        overloads(name).iter().any(|it| self.environment.has(name, it))
    }

    fn resolve(
        &mut self,
        range: &Range<usize>,
        name: Arc<str>,
        member: bool,
        args: Vec<Checked>,
    ) -> (Type, CheckedKind) {
        let types: Vec<Type> = args.iter().map(|it| it.of.clone()).collect();
        if matches!(&*name, "_&&_" | "_||_") {
            let mut fine = true;
            for (arg, of) in args.iter().zip(&types) {
                if !self.substitutions.assign(of, &Type::Bool) {
                    self.mismatch(&arg.range, &Type::Bool, of);
                    fine = false;
                }
            }
            let overloads = overloads(&name).iter().collect();
            let kind = CheckedKind::Call { function: name, overloads, args };
            return if fine { (Type::Bool, kind) } else { (Type::Error, CheckedKind::Error) };
        }
        let mut found: Vec<&'static Overload> = Vec::new();
        let mut result: Option<Type> = None;
        for overload in overloads(&name) {
            if overload.member != member
                || overload.args.len() != types.len()
                || !self.environment.has(&name, overload)
            {
                continue;
            }
            let mut renamed = Substitutions::default();
            for letter in &overload.params {
                renamed.insert(Param::Declared(*letter), self.free_type());
            }
            let wanted: Vec<Type> =
                overload.args.iter().map(|it| renamed.apply(it, false)).collect();
            if !self.substitutions.assign_all(&types, &wanted) {
                continue;
            }
            found.push(overload);
            let of = self.known(&renamed.apply(&overload.result, false));
            result = Some(match result {
                None => of,
                Some(known) if known.is_dyn() || known == of => known,
                Some(_) => Type::Dyn,
            });
        }
        if let Some(of) = result {
            return (of, CheckedKind::Call { function: name, overloads: found, args });
        }
        let shown: Vec<String> = types.iter().map(|it| self.closed(it).to_string()).collect();
        let signature = match shown.split_first() {
            Some((target, rest)) if member => format!("{target}.({})", rest.join(", ")),
            _ => format!("({})", shown.join(", ")),
        };
        let message = format!("found no matching overload for '{name}' applied to '{signature}'");
        self.error(range, message);
        (Type::Error, CheckedKind::Error)
    }

    /// Returns the type of an item; one with a question mark has to be optional.
    fn unwrap_optional(&mut self, value: &Checked, optional: bool) -> Type {
        let of = value.of.clone();
        if !optional {
            return of;
        }
        match self.known(&of) {
            Type::Optional(of) => (*of).clone(),
            Type::Dyn => Type::Dyn,
            _ => {
                self.mismatch(&value.range, &Type::optional(of.clone()), &of);
                of
            }
        }
    }

    /// Joins the types of two items of a literal.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        let Some(previous) = previous else { return current };
        if self.substitutions.assign(&previous, &current) {
            return most_general(previous, current);
        }
        Type::Dyn
    }

    fn local(&mut self, name: &Arc<str>, of: Type) -> usize {
        let slot = self.slots;
        self.slots += 1;
        self.locals.push((Arc::clone(name), of, slot));
        slot
    }

    fn assert_type(&mut self, checked: &Checked, wanted: &Type) {
        if !self.substitutions.assign(wanted, &checked.of) {
            self.mismatch(&checked.range, wanted, &checked.of);
        }
    }

    fn comprehension(&mut self, of: &Comprehension) -> (Type, CheckedKind) {
        let range = self.check(&of.range);
        let initial = self.check(&of.initial);
        let range_type = self.known(&range.of);
        let outer = self.locals.len();
        let accumulator_type = initial.of.clone();
        let accumulator = self.local(&of.accumulator, accumulator_type.clone());
        let inner = self.locals.len();
        let two = of.second.is_some();
        let (first_type, second_type) = match &range_type {
            Type::List(list) if two => (Type::Int, list.item.clone()),
            Type::List(list) => (list.item.clone(), Type::Error),
            Type::Map(map) => (map.0.clone(), map.1.clone()),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.substitutions.assign(&Type::Dyn, &range_type);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.error(&range.range, message);
                (Type::Error, Type::Error)
            }
        };
        let first = self.local(&of.first, first_type);
        let second = of.second.as_ref().map(|name| self.local(name, second_type));
        let condition = self.check(&of.condition);
        self.assert_type(&condition, &Type::Bool);
        let step = self.check(&of.step);
        self.assert_type(&step, &accumulator_type);
        self.locals.truncate(inner);
        let result = self.check(&of.result);
        self.locals.truncate(outer);
        let of = self.known(&result.of);
        let comprehension =
            CheckedLoop { range, first, second, accumulator, initial, condition, step, result };
        (of, CheckedKind::Comprehension(Box::new(comprehension)))
    }
}
