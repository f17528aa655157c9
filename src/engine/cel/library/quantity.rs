//! Quantities.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Row, Scratch, row};
use crate::engine::cel::cost::Cost;
use crate::engine::cel::library::semver;
use crate::engine::cel::value::{Evaluated, Failure, OpaqueValue, Value};
use crate::quantity::Quantity;

pub(super) const ROWS: &[Row] = &[
    row("quantity(string): quantity", quantity).cost(Cost::Traverse).since(28),
    row("isQuantity(string): bool", is_quantity).cost(Cost::Traverse).since(28),
    row("sign(quantity): int", sign).since(28),
    row("quantity#isGreaterThan(quantity): bool", is_greater).since(28),
    row("quantity#isLessThan(quantity): bool", is_less).since(28),
    row("quantity#compareTo(quantity): int", compare).since(28),
    row("quantity#asApproximateFloat(): double", approximate_float).since(28),
    row("quantity#asInteger(): int", as_integer).since(28),
    row("quantity#isInteger(): bool", is_integer).since(28),
    row("quantity#add(quantity): quantity", add).since(28),
    row("quantity#add(int): quantity", add).since(28),
    row("quantity#sub(quantity): quantity", subtract).since(28),
    row("quantity#sub(int): quantity", subtract).since(28),
    row("semver#isGreaterThan(semver): bool", is_greater).since(33),
    row("semver#isLessThan(semver): bool", is_less).since(33),
    row("semver#compareTo(semver): int", compare).since(33),
];

fn quantity<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    let parsed = text.as_str().parse::<Quantity>();
    let value = parsed.map_err(|error| Failure::new(format!("not a quantity: {error}")))?;
    Ok(Value::Opaque(OpaqueValue::Quantity(Arc::new(value))))
}

fn is_quantity<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let [Value::String(text)] = args else { return Err(Failure::no_overload()) };
    Ok(Value::Bool(text.as_str().parse::<Quantity>().is_ok()))
}

fn only<'b>(args: &'b [Value<'_>]) -> Result<&'b Quantity, Failure> {
    match args {
        [Value::Opaque(OpaqueValue::Quantity(value))] => Ok(value),
        _ => Err(Failure::no_overload()),
    }
}

/// Orders quantities and versions alike: their methods have the same names.
fn order(args: &[Value<'_>]) -> Result<Ordering, Failure> {
    match args {
        [
            Value::Opaque(OpaqueValue::Quantity(left)),
            Value::Opaque(OpaqueValue::Quantity(right)),
        ] => Ok(left.cmp(right)),
        [Value::Opaque(OpaqueValue::Semver(left)), Value::Opaque(OpaqueValue::Semver(right))] => {
            Ok(semver::Semver::cmp_precedence(left, right))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn sign<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Int(only(args)?.signum()))
}

fn is_greater<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Bool(order(args)?.is_gt()))
}

fn is_less<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Bool(order(args)?.is_lt()))
}

fn compare<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Int(match order(args)? {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn approximate_float<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Double(only(args)?.approximate_f64()))
}

fn as_integer<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let value = only(args)?.as_i64();
    value.map(Value::Int).ok_or_else(|| Failure::new("cannot convert value to integer"))
}

fn is_integer<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    Ok(Value::Bool(only(args)?.as_i64().is_some()))
}

fn two(args: &[Value<'_>]) -> Result<(Arc<Quantity>, Quantity), Failure> {
    match args {
        [
            Value::Opaque(OpaqueValue::Quantity(left)),
            Value::Opaque(OpaqueValue::Quantity(right)),
        ] => Ok((Arc::clone(left), (**right).clone())),
        [Value::Opaque(OpaqueValue::Quantity(left)), Value::Int(right)] => {
            Ok((Arc::clone(left), Quantity::from(*right)))
        }
        _ => Err(Failure::no_overload()),
    }
}

fn add<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (left, right) = two(args)?;
    Ok(Value::Opaque(OpaqueValue::Quantity(Arc::new(&*left + &right))))
}

fn subtract<'a>(_: &mut Scratch, args: &[Value<'a>]) -> Evaluated<'a> {
    let (left, right) = two(args)?;
    Ok(Value::Opaque(OpaqueValue::Quantity(Arc::new(&*left - &right))))
}
