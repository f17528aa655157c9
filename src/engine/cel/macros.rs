//! Macros: `has`, the loops over lists and maps, `optMap` and `optFlatMap`.

use std::ops::Range;
use std::sync::Arc;

use super::CompileError;
use super::ast::{ACCUMULATOR, Comprehension, Expr, Kind, Literal};
use super::parser::Syntax;

/// How many nodes a target may have that is used twice.
const MAX_COPIED: usize = 20_000;

/// What became of a call.
pub(super) enum Expanded {
    /// It was a macro.
    Done(Expr),
    /// It was a macro, and used wrongly.
    Failed(CompileError),
    /// It was none.
    NoMacro(Option<Expr>, Vec<Expr>),
}

/// Expands a call where it is one of a macro.
pub(super) fn expand(
    range: &Range<usize>,
    function: &str,
    target: Option<Expr>,
    args: Vec<Expr>,
    syntax: Syntax,
) -> Expanded {
    let expanded = match (target, args.len()) {
        (None, 1) if function == "has" => has(range, args),
        (Some(target), count) => match Shape::of(function, count, syntax) {
            Some(shape) => shape.expand(range, target, args),
            None => return Expanded::NoMacro(Some(target), args),
        },
        (None, _) => return Expanded::NoMacro(None, args),
    };
    match expanded {
        Ok(expr) => Expanded::Done(expr),
        Err(error) => Expanded::Failed(error),
    }
}

fn failed(at: &Expr, message: &str) -> CompileError {
    CompileError { range: at.range.clone(), message: message.to_owned() }
}

fn has(range: &Range<usize>, args: Vec<Expr>) -> Result<Expr, CompileError> {
    match args.into_iter().next() {
        Some(Expr { kind: Kind::Select { operand, field, test: false }, .. }) => {
            Ok(Expr::new(range.clone(), Kind::Select { operand, field, test: true }))
        }
        other => Err(CompileError {
            range: other.map_or_else(|| range.clone(), |it| it.range),
            message: "invalid argument to has() macro".to_owned(),
        }),
    }
}

/// The macros that are called on a target.
#[derive(Clone, Copy)]
enum Shape {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
    TransformEntry,
    OptMap,
    OptFlatMap,
    SortBy,
}

impl Shape {
    fn of(function: &str, count: usize, syntax: Syntax) -> Option<Self> {
        match (function, count) {
            ("all", 2) => Some(Self::All),
            ("exists", 2) => Some(Self::Exists),
            ("exists_one" | "existsOne", 2) => Some(Self::ExistsOne),
            ("map", 2 | 3) => Some(Self::Map),
            ("filter", 2) => Some(Self::Filter),
            ("optMap", 2) if syntax.optionals => Some(Self::OptMap),
            ("optFlatMap", 2) if syntax.optionals => Some(Self::OptFlatMap),
            ("sortBy", 2) if syntax.sort_by => Some(Self::SortBy),
            _ if !syntax.two_variables => None,
            ("all", 3) => Some(Self::All),
            ("exists", 3) => Some(Self::Exists),
            ("exists_one" | "existsOne", 3) => Some(Self::ExistsOne),
            ("transformList", 3 | 4) => Some(Self::TransformList),
            ("transformMap", 3 | 4) => Some(Self::TransformMap),
            ("transformMapEntry", 3 | 4) => Some(Self::TransformEntry),
            _ => None,
        }
    }

    fn expand(
        self,
        range: &Range<usize>,
        target: Expr,
        mut args: Vec<Expr>,
    ) -> Result<Expr, CompileError> {
        let count = args.len();
        let two = match self {
            Self::All | Self::Exists | Self::ExistsOne => count == 3,
            Self::TransformList | Self::TransformMap | Self::TransformEntry => true,
            Self::Map | Self::Filter | Self::OptMap | Self::OptFlatMap | Self::SortBy => false,
        };
        if matches!(self, Self::OptMap | Self::OptFlatMap) {
            return self.optional(range, target, &args);
        }
        if matches!(self, Self::SortBy) {
            return sort_by(range, target, args);
        }
        let rest = args.split_off(if two { 2 } else { 1 }.min(count));
        let mut names = Vec::new();
        for arg in &args {
            let message = match self {
                Self::Map | Self::Filter => "argument is not an identifier",
                _ => "argument must be a simple name",
            };
            let name = arg.as_ident().ok_or_else(|| failed(arg, message))?;
            if &**name == ACCUMULATOR || &**name == "__result__" {
                return Err(failed(arg, "iteration variable overwrites accumulator variable"));
            }
            if names.contains(name) {
                return Err(failed(arg, &format!("duplicate variable name: {name}")));
            }
            names.push(Arc::clone(name));
        }
        let mut names = names.into_iter();
        let Some(first) = names.next() else { return Err(failed(&target, "a name is missing")) };
        let second = names.next();
        let accumulated = || Expr::ident(range, ACCUMULATOR);
        let literal = |literal| Expr::literal(range, literal);
        let call = |function, args| Expr::call(range, function, args);
        let mut rest = rest.into_iter();
        let (one, other) = (rest.next(), rest.next());
        let (filter, body) = match (one, other) {
            (Some(filter), Some(body)) => (Some(filter), body),
            (Some(body), None) => (None, body),
            (None, _) => return Err(failed(&target, "an argument is missing")),
        };
        let always = literal(Literal::Bool(true));
        let (initial, condition, step, result) = match self {
            Self::All => (
                literal(Literal::Bool(true)),
                call("@not_strictly_false", vec![accumulated()]),
                call("_&&_", vec![accumulated(), body]),
                accumulated(),
            ),
            Self::Exists => (
                literal(Literal::Bool(false)),
                call("@not_strictly_false", vec![call("!_", vec![accumulated()])]),
                call("_||_", vec![accumulated(), body]),
                accumulated(),
            ),
            Self::ExistsOne => {
                let one = || literal(Literal::Int(1));
                let more = call("_+_", vec![accumulated(), one()]);
                (
                    literal(Literal::Int(0)),
                    always,
                    call("_?_:_", vec![body, more, accumulated()]),
                    call("_==_", vec![accumulated(), one()]),
                )
            }
            Self::Filter => {
                let item = Expr::ident(range, &first);
                let longer = call("_+_", vec![accumulated(), Expr::list(range, vec![item])]);
                let step = call("_?_:_", vec![body, longer, accumulated()]);
                (Expr::list(range, Vec::new()), always, step, accumulated())
            }
            Self::Map | Self::TransformList => {
                let longer = call("_+_", vec![accumulated(), Expr::list(range, vec![body])]);
                let step = filtered(range, filter, longer);
                (Expr::list(range, Vec::new()), always, step, accumulated())
            }
            _ => {
                let args = match self {
                    Self::TransformMap => vec![accumulated(), Expr::ident(range, &first), body],
                    _ => vec![accumulated(), body],
                };
                let step = filtered(range, filter, call("cel.@mapInsert", args));
                let empty = Expr::new(range.clone(), Kind::Map(Vec::new()));
                (empty, always, step, accumulated())
            }
        };
        let accumulator = Arc::from(ACCUMULATOR);
        Ok(comprehension(
            range,
            Comprehension {
                range: target,
                first,
                second,
                accumulator,
                initial,
                condition,
                step,
                result,
            },
        ))
    }

    fn optional(
        self,
        range: &Range<usize>,
        target: Expr,
        args: &[Expr],
    ) -> Result<Expr, CompileError> {
        // The target is evaluated twice, and a chain doubles with every link.
        if target.size() > MAX_COPIED {
            return Err(failed(&target, "the expression is too large to be used twice"));
        }
        let [variable, body] = args else { return Err(failed(&target, "an argument is missing")) };
        let flat = matches!(self, Self::OptFlatMap);
        let name = variable.as_ident().ok_or_else(|| {
            let macro_name = if flat { "optFlatMap" } else { "optMap" };
            let message = format!("{macro_name}() variable name must be a simple identifier");
            failed(variable, &message)
        })?;
        let value = comprehension(
            range,
            Comprehension {
                range: Expr::list(range, Vec::new()),
                first: Arc::from("#unused"),
                second: None,
                accumulator: Arc::clone(name),
                initial: Expr::member(range, "value", target.clone()),
                condition: Expr::literal(range, Literal::Bool(false)),
                step: Expr::ident(range, name),
                result: body.clone(),
            },
        );
        let present = if flat { value } else { Expr::call(range, "optional.of", vec![value]) };
        let condition = Expr::member(range, "hasValue", target);
        let none = Expr::call(range, "optional.none", Vec::new());
        Ok(Expr::call(range, "_?_:_", vec![condition, present, none]))
    }
}

/// Evaluates the target once, takes a key of each item, and sorts by the keys.
fn sort_by(range: &Range<usize>, target: Expr, args: Vec<Expr>) -> Result<Expr, CompileError> {
    const INPUT: &str = "@__sortBy_input__";
    if matches!(target.kind, Kind::Literal(_) | Kind::Map(_) | Kind::Struct { .. }) {
        let message = "sortBy can only be applied to a list, identifier, comprehension, call or \
                       select expression";
        return Err(failed(&target, message));
    }
    let keys = Shape::Map.expand(range, Expr::ident(range, INPUT), args)?;
    let kind = Kind::Call {
        function: Arc::from("@sortByAssociatedKeys"),
        target: Some(Box::new(Expr::ident(range, INPUT))),
        args: vec![keys],
    };
    Ok(comprehension(
        range,
        Comprehension {
            range: Expr::list(range, Vec::new()),
            first: Arc::from("#unused"),
            second: None,
            accumulator: Arc::from(INPUT),
            initial: target,
            condition: Expr::literal(range, Literal::Bool(false)),
            step: Expr::ident(range, INPUT),
            result: Expr::new(range.clone(), kind),
        },
    ))
}

fn comprehension(range: &Range<usize>, of: Comprehension) -> Expr {
    Expr::new(range.clone(), Kind::Comprehension(Box::new(of)))
}

/// Keeps the accumulator as it is where the filter does not hold.
fn filtered(range: &Range<usize>, filter: Option<Expr>, step: Expr) -> Expr {
    match filter {
        Some(filter) => {
            Expr::call(range, "_?_:_", vec![filter, step, Expr::ident(range, ACCUMULATOR)])
        }
        None => step,
    }
}
