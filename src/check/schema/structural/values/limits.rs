//! What a schema asks of values beside their types: enumerations, sizes, patterns, ranges.

use super::super::super::defect::Breach;
use super::super::super::suggest;
use super::super::formats::{self, Format};
use super::super::items;
use super::super::shape::{Limits, Shape, Types};
use super::Values;
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::wording;

impl Values<'_, '_> {
    /// Checks the enumeration (`basicCommonValidator`). `null` is never a value of one.
    pub(super) fn values(&mut self, shape: &Shape, node: &Node) {
        let Some(limits) = shape.limits.as_deref().filter(|it| !it.values.is_empty()) else {
            return;
        };
        if limits.values.iter().any(|it| is_value(it, node)) {
            return;
        }
        self.block();
        self.error(Breach::InvalidValue, node.span, |place| {
            let texts: Vec<&str> =
                limits.values.iter().filter_map(Node::as_str).filter(|it| !it.is_empty()).collect();
            let help = node.as_str().map(|text| suggest::value(text, &texts));
            let what = place.whole();
            let message = match wording::scalar(node).filter(|_| place.shows_values()) {
                Some(value) => format!("{value} is not a value of {what}"),
                None => format!("{what} does not take this value"),
            };
            (message, help)
        });
    }

    /// Checks the length and the pattern of a string (`stringValidator`); the first that fails
    /// is told.
    pub(super) fn text(&mut self, shape: &Shape, node: &Node, text: &str) {
        let Some(limits) = shape.limits.as_deref() else { return };
        if limits.max_length.is_some() || limits.min_length.is_some() {
            let length = text.chars().count() as u64;
            if let Some(most) = limits.max_length.filter(|most| length > *most) {
                self.block();
                self.error(Breach::InvalidValue, node.span, |place| {
                    let what = place.whole();
                    let message =
                        format!("{what} has {length} characters, but may have {most} at most");
                    (message, None)
                });
                return;
            }
            if let Some(least) = limits.min_length.filter(|least| length < *least) {
                self.error(Breach::InvalidValue, node.span, |place| {
                    let what = place.whole();
                    let message = match length {
                        0 => format!("{what} must not be empty"),
                        1 => format!("{what} has 1 character, but needs {least} at least"),
                        _ => format!("{what} has {length} characters, but needs {least} at least"),
                    };
                    (message, None)
                });
                return;
            }
        }
        let Some(pattern) = &limits.pattern else { return };
        if pattern.matches(text) == Some(false) {
            self.error(Breach::InvalidValue, node.span, |place| {
                let value = place.quote(text).unwrap_or_else(|| "the value".to_owned());
                let message = format!("{value} does not match the pattern of {}", place.whole());
                (message, wording::quote(&pattern.text).map(|it| format!("it must match {it}")))
            });
        }
    }

    pub(super) fn format(&mut self, node: &Node, text: &str, format: Format) {
        if format.allows(text) {
            return;
        }
        self.block();
        self.error(Breach::InvalidValue, node.span, |place| {
            let what = format.what();
            let value = place.quote(text).unwrap_or_else(|| "the value".to_owned());
            (format!("{value} in {} is not {what}", place.whole()), None)
        });
    }

    pub(super) fn sizes_of_list(&mut self, shape: &Shape, node: &Node, items: &[Node]) {
        let Some(limits) = shape.limits.as_deref() else { return };
        let count = items.len() as u64;
        self.sizes(node, count, ("item", "items"), limits.min_items, limits.max_items);
        if limits.unique && !items::duplicates(items.iter().map(items::key)).is_empty() {
            self.error(Breach::DuplicateItem, node.span, |place| {
                (format!("two items of {} are alike", place.whole()), None)
            });
        }
    }

    pub(super) fn sizes_of_object(&mut self, shape: &Shape, node: &Node, entries: &[Entry]) {
        let Some(limits) = shape.limits.as_deref() else { return };
        let count = entries.len() as u64;
        let (least, most) = (limits.min_properties, limits.max_properties);
        self.sizes(node, count, ("field", "fields"), least, most);
    }

    fn sizes(
        &mut self,
        node: &Node,
        count: u64,
        (one, many): (&str, &str),
        least: Option<u64>,
        most: Option<u64>,
    ) {
        let counted = |count: u64| format!("{count} {}", if count == 1 { one } else { many });
        if let Some(least) = least.filter(|least| count < *least) {
            self.error(Breach::InvalidValue, node.span, |place| {
                let (what, count) = (place.whole(), counted(count));
                (format!("{what} has {count}, but needs {least} at least"), None)
            });
        }
        if let Some(most) = most.filter(|most| count > *most) {
            self.block();
            self.error(Breach::InvalidValue, node.span, |place| {
                let (what, count) = (place.whole(), counted(count));
                (format!("{what} has {count}, but may have {most} at most"), None)
            });
        }
    }

    /// Checks the range of a number (`numberValidator`).
    pub(super) fn number(&mut self, shape: &Shape, node: &Node) {
        let number = match node.kind {
            NodeKind::Scalar(Scalar::Int(it)) => Number::Int(it),
            #[expect(clippy::cast_precision_loss, reason = "the server reads it as a float too")]
            NodeKind::Scalar(Scalar::Uint(it)) => Number::Float(it as f64),
            NodeKind::Scalar(Scalar::Float(it)) => Number::Float(it),
            _ => return,
        };
        if self.minor >= formats::NUMBERS_SINCE && !number.fits(shape) {
            self.error(Breach::InvalidValue, node.span, |place| {
                let bits = if shape.format == Some(Format::Int64) { 64 } else { 32 };
                (format!("the value of {} does not fit into {bits} bits", place.whole()), None)
            });
        }
        let Some(limits) = shape.limits.as_deref() else { return };
        if let Some(factor) = limits.multiple_of.filter(|it| !number.is_multiple_of(*it)) {
            self.error(Breach::InvalidValue, node.span, |place| {
                let value = place.value(node);
                (format!("{value} in {} is no multiple of {factor}", place.whole()), None)
            });
        }
        // A limit that is no integer is refused together with any integer.
        let odd = |it: f64| {
            self.minor >= formats::NUMBERS_SINCE
                && shape.types == Types::INTEGER
                && it.fract() != 0.0
        };
        let (odd_minimum, odd_maximum) =
            (limits.minimum.is_some_and(odd), limits.maximum.is_some_and(odd));
        if let Some(least) = limits.minimum
            && (odd_minimum || !number.is_above(least, limits, odd_minimum))
        {
            self.error(Breach::InvalidValue, node.span, |place| {
                let more = if limits.above_minimum { "more than" } else { "at least" };
                let (value, what) = (place.value(node), place.whole());
                (format!("{value} in {what} is too small: it must be {more} {least}"), None)
            });
        }
        if let Some(most) = limits.maximum
            && (odd_maximum || !number.is_below(most, limits, odd_maximum))
        {
            self.error(Breach::InvalidValue, node.span, |place| {
                let less = if limits.below_maximum { "less than" } else { "at most" };
                let (value, what) = (place.value(node), place.whole());
                (format!("{value} in {what} is too large: it must be {less} {most}"), None)
            });
        }
    }
}

/// A number, as the server decodes it.
#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// Says whether it fits into the format of the schema.
    fn fits(self, shape: &Shape) -> bool {
        match (shape.types, shape.format, self) {
            (Types::INTEGER, Some(Format::Int32), Self::Int(it)) => i32::try_from(it).is_ok(),
            (Types::INTEGER, Some(Format::Int32), Self::Float(it)) => {
                (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&it)
            }
            (Types::NUMBER, Some(Format::Float), Self::Float(it)) => {
                it.abs() <= f64::from(f32::MAX)
            }
            _ => true,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "so the server compares it")]
    fn as_float(self) -> f64 {
        match self {
            Self::Int(it) => it as f64,
            Self::Float(it) => it,
        }
    }

    /// Compares integers with integers: the fraction of a limit does not count.
    #[expect(clippy::cast_possible_truncation, reason = "as the server converts limits")]
    fn is_above(self, least: f64, limits: &Limits, as_float: bool) -> bool {
        match self {
            Self::Int(it) if !as_float => {
                let least = least as i64;
                if limits.above_minimum { it > least } else { it >= least }
            }
            _ if limits.above_minimum => self.as_float() > least,
            _ => self.as_float() >= least,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as the server converts limits")]
    fn is_below(self, most: f64, limits: &Limits, as_float: bool) -> bool {
        match self {
            Self::Int(it) if !as_float => {
                let most = most as i64;
                if limits.below_maximum { it < most } else { it <= most }
            }
            _ if limits.below_maximum => self.as_float() < most,
            _ => self.as_float() <= most,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as the server converts factors")]
    fn is_multiple_of(self, factor: f64) -> bool {
        if factor <= 0.0 {
            return false;
        }
        match self {
            Self::Int(it) if factor >= 1.0 => it % (factor as i64) == 0,
            // A factor below one is zero as an integer, which is no factor.
            Self::Int(_) => false,
            Self::Float(it) if factor < 1.0 => is_whole(1.0 / factor * it),
            Self::Float(it) => is_whole(it / factor),
        }
    }
}

/// Says whether a number counts as an integer (`IsFloat64AJSONInteger`).
pub(super) fn is_whole(value: f64) -> bool {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    let rest = value.fract().abs();
    value.abs() <= LARGEST && (rest == 0.0 || rest / (value.abs() + value.trunc().abs()) < 1e-9)
}

/// Compares with a value of an enumeration; a number is converted to the type of the value.
fn is_value(value: &Node, node: &Node) -> bool {
    let (NodeKind::Scalar(value), NodeKind::Scalar(node)) = (&value.kind, &node.kind) else {
        return items::same(value, node);
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "as the server converts them"
    )]
    match (value, node) {
        (Scalar::Null, _) => false,
        (Scalar::Int(value), Scalar::Float(node)) => *value == *node as i64,
        #[expect(clippy::float_cmp, reason = "as the server compares them")]
        (Scalar::Float(value), Scalar::Int(node)) => *value == *node as f64,
        (value, node) => value == node,
    }
}
