//! What calls cost: cel-go's reckoning at run time, with the API server's own for its functions.

use super::value::{List, OpaqueValue, Value};

/// What traversing one character costs.
pub(super) const TRAVERSAL: f64 = 0.1;

/// What one character of a pattern costs, per unit of the text.
pub(super) const PATTERN: f64 = 0.25;

/// What making a list, a map and a struct costs.
pub(super) const MAKE_LIST: u64 = 10;
pub(super) const MAKE_MAP: u64 = 30;
pub(super) const MAKE_STRUCT: u64 = 40;

/// How the cost of a call follows from its arguments and its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing: the call is done when the expression is compiled.
    Zero,
    /// One.
    One,
    /// `==`: the shorter side, traversed.
    Equal,
    /// `!=`, and `<` for strings: the same.
    Compare,
    /// `+` for strings: both sides, traversed.
    Concatenate,
    /// `in` for lists: one for each item.
    Members,
    /// The first argument, traversed once.
    Traverse,
    /// The second argument, traversed once.
    TraverseSecond,
    /// The first argument, traversed twice.
    TraverseTwice,
    /// The result, traversed twice.
    Result,
    /// The first two arguments, traversed for one another.
    Product,
    /// A pattern for the first argument.
    Match,
    /// The first argument and all that lies in it.
    Deep,
    /// Each item with each, so many times.
    Sets(u8),
    /// One for each item of the result.
    ListResult,
    /// One for each item and level.
    Flatten,
    /// Each item of an argument with each of the same.
    Sort(u8),
    /// `containsIP`, with a string or not.
    ContainsIp(bool),
    /// `containsCIDR`, with a string or not.
    ContainsCidr(bool),
    /// A format's pattern for the second argument.
    Format,
}

#[expect(clippy::cast_precision_loss, reason = "costs are reckoned in floats upstream")]
fn scaled(size: u64, factor: f64) -> u64 {
    up(size as f64 * factor)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size, which is not negative, and saturates"
)]
fn up(cost: f64) -> u64 {
    cost.ceil() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size, which is not negative, and saturates"
)]
fn down(cost: f64) -> u64 {
    cost as u64
}

impl Cost {
    /// Returns the cost of a call where several signatures may be meant.
    pub(super) fn common(costs: &[Self]) -> Self {
        match costs {
            [only] => *only,
            [Self::ContainsIp(_), ..] => Self::ContainsIp(false),
            [Self::ContainsCidr(_), ..] => Self::ContainsCidr(false),
            [Self::Sort(_) | Self::Flatten, ..] | [] => Self::One,
            [first, rest @ ..] if rest.iter().all(|it| it == first) => *first,
            _ => Self::One,
        }
    }

    /// Returns the cost of a call.
    pub(super) fn of(self, args: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
        let size = |at: usize| args.get(at).map_or(1, Value::size);
        let pattern = |text: u64, pattern: u64| {
            scaled(text.saturating_add(1), TRAVERSAL).saturating_mul(scaled(pattern, PATTERN))
        };
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Equal if matches!(args.first(), Some(Value::Opaque(_))) => 1,
            Self::Equal | Self::Compare => scaled(size(0).min(size(1)), TRAVERSAL),
            Self::Concatenate => scaled(size(0).saturating_add(size(1)), TRAVERSAL),
            Self::Members => size(1),
            Self::Traverse => scaled(size(0), TRAVERSAL),
            Self::TraverseSecond => scaled(size(1), TRAVERSAL),
            Self::TraverseTwice => scaled(size(0), 2.0 * TRAVERSAL),
            Self::Result => scaled(result.map_or(1, Value::size), 2.0 * TRAVERSAL),
            Self::Product => scaled(size(0), TRAVERSAL).saturating_mul(scaled(size(1), TRAVERSAL)),
            Self::Match => pattern(size(0), size(1)),
            Self::Deep => args.first().map_or(0, deep),
            Self::Sets(times) => {
                size(0).saturating_mul(size(1)).saturating_mul(u64::from(times)).saturating_add(1)
            }
            Self::ListResult => result.map_or(1, Value::size).saturating_add(1 + MAKE_LIST),
            Self::Flatten => {
                let depth = match args.get(1) {
                    Some(Value::Int(depth)) => u64::try_from(*depth).unwrap_or(1),
                    _ => 1,
                };
                size(0).saturating_mul(depth).saturating_add(1 + MAKE_LIST)
            }
            Self::Sort(at) => {
                let list = args.get(usize::from(at));
                let first = match list {
                    Some(Value::List(list)) => list.get(0).and_then(Result::ok),
                    _ => None,
                };
                let text = matches!(first, Some(Value::String(_) | Value::Bytes(_)));
                let size = list.map_or(0, Value::size);
                let factor = if text { 2.0 + TRAVERSAL } else { 2.0 };
                #[expect(clippy::cast_precision_loss, reason = "as upstream reckons")]
                let cost = down(size.saturating_mul(size) as f64 * factor);
                cost.saturating_add(1 + MAKE_LIST)
            }
            Self::ContainsIp(text) => {
                let other = if text { scaled(size(1), TRAVERSAL) } else { 0 };
                scaled(size(0) * 2, TRAVERSAL) + other
            }
            Self::ContainsCidr(text) => {
                let other = if text { scaled(size(1), TRAVERSAL) } else { 0 };
                scaled(size(0) * 2, TRAVERSAL) + scaled(size(0), TRAVERSAL) + 1 + other
            }
            Self::Format => match args.first() {
                Some(Value::Opaque(OpaqueValue::Format(format))) => {
                    pattern(size(1), format.pattern_size)
                }
                _ => 1,
            },
        }
    }
}

/// Returns the cost of traversing a value and all that lies in it.
fn deep(value: &Value<'_>) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "as upstream reckons")]
    let bytes = |length: usize| down(length as f64 * TRAVERSAL);
    match value {
        Value::String(text) => bytes(text.as_str().len()),
        Value::Bytes(text) => bytes(text.len()),
        Value::List(list @ (List::Nodes(..) | List::Made(_))) => {
            list.iter().map(|item| item.as_ref().map_or(1, deep)).fold(0, u64::saturating_add)
        }
        Value::Map(map) => {
            let entry = |key: &Value<'_>| {
                let value = map.find_erased(key);
                deep(key).saturating_add(value.as_ref().map_or(1, deep))
            };
            map.keys().iter().map(entry).fold(0, u64::saturating_add)
        }
        _ => 1,
    }
}
