//! Kubernetes quantities (`100m`, `1.5Gi`, `12e6`): exact parsing, comparison and arithmetic.
//!
//! Follows `k8s.io/apimachinery/pkg/api/resource`, whose reader is laxer than the grammar that its
//! documentation gives: `Ki` and `-` are zero to it.

mod decimal;

use std::cmp::Ordering;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use decimal::Decimal;

/// Decimal places that a quantity keeps; what is finer is rounded away from zero.
const NANO: i32 = -9;

/// Digits of which every number fits into 64 bits.
const SAFE_DIGITS: i64 = 18;

/// An exact amount.
///
/// The form in which it was written shows only in [`Quantity::as_i64`].
#[derive(Debug, Clone)]
pub struct Quantity(Amount);

/// The two forms in which upstream keeps an amount.
#[derive(Debug, Clone)]
enum Amount {
    /// `value` × 10^`scale`.
    Small { value: i64, scale: i32 },
    /// Anything that the first form does not hold, or that once was not held by it.
    Large(Decimal),
}

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    /// Something other than a sign, digits, a fraction and a suffix.
    #[error("it is not a number with an optional suffix")]
    Format,
    /// The part before the suffix is no number.
    #[error("its numeric part cannot be read")]
    Number,
    /// The suffix is neither a unit nor an exponent.
    #[error("its suffix is unknown")]
    Suffix,
}

/// The parts of a text.
struct Parts<'a> {
    negative: bool,
    /// The digits before the point without leading zeros; never empty.
    whole: &'a str,
    /// The digits after the point.
    fraction: &'a str,
    suffix: &'a str,
}

/// Unit or exponent.
#[derive(Clone, Copy)]
enum Suffix {
    /// A power of ten.
    Ten(i32),
    /// A power of two.
    Two(u32),
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(Amount::Small { value: 0, scale: 0 });

    /// Returns -1, 0 or 1.
    pub fn signum(&self) -> i64 {
        match &self.0 {
            Amount::Small { value, .. } => value.signum(),
            Amount::Large(decimal) => decimal.signum(),
        }
    }

    /// Says whether the amount is below zero.
    pub fn is_negative(&self) -> bool {
        self.signum() < 0
    }

    /// Says whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// Says whether the amount has no fraction.
    pub fn is_integer(&self) -> bool {
        self.decimal().is_integer()
    }

    /// Returns the amount where upstream's `AsInt64` does: a whole number that was written
    /// without a fraction and without a unit below one, and that fits (`1.0` and `1000m` do not
    /// count).
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Amount::Small { value, scale } if scale >= 0 => scale_up(value, scale),
            Amount::Small { .. } | Amount::Large(_) => None,
        }
    }

    /// Returns the amount rounded away from zero to a whole number, where it fits.
    pub fn value(&self) -> Option<i64> {
        self.scaled(0)
    }

    /// Returns the amount in thousandths, rounded away from zero, where it fits.
    pub fn milli_value(&self) -> Option<i64> {
        self.scaled(-3)
    }

    /// Returns the amount in units of 10^`scale`, rounded away from zero, where it fits.
    pub fn scaled(&self, scale: i32) -> Option<i64> {
        match &self.0 {
            Amount::Small { value, scale: own } => {
                let steps = own.saturating_sub(scale);
                if steps >= 0 { scale_up(*value, steps) } else { Some(scale_down(*value, steps)) }
            }
            Amount::Large(decimal) => decimal.scaled(scale),
        }
    }

    /// Returns the nearest number that upstream's `AsApproximateFloat64` gives.
    pub fn approximate_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "an approximation is asked for")]
            Amount::Small { value, scale } => decimal::times_power_of_ten(*value as f64, *scale),
            Amount::Large(decimal) => decimal.approximate_f64(),
        }
    }

    fn decimal(&self) -> Decimal {
        match &self.0 {
            Amount::Small { value, scale } => Decimal::new(*value, *scale),
            Amount::Large(decimal) => decimal.clone(),
        }
    }
}

impl From<i64> for Quantity {
    fn from(value: i64) -> Self {
        Self(Amount::Small { value, scale: 0 })
    }
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    /// Reads what `ParseQuantity` reads; a field's value is trimmed of white space before.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidQuantity::Format);
        }
        let parts = Parts::of(text)?;
        let suffix = Suffix::of(parts.suffix).ok_or(InvalidQuantity::Suffix)?;
        Ok(parts.small(suffix).unwrap_or_else(|| parts.large(suffix)))
    }
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, InvalidQuantity> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = digits(rest.trim_start_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        let exponent = suffix.trim_start_matches(|it| "eEinumkKMGTP".contains(it));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self { negative, whole, fraction, suffix })
        } else {
            Err(InvalidQuantity::Format)
        }
    }

    /// Returns the amount in the small form, where upstream is sure that it fits.
    fn small(&self, suffix: Suffix) -> Option<Quantity> {
        let length = |part: &str| i64::try_from(part.len()).unwrap_or(i64::MAX / 4);
        let digits = length(self.whole) + length(self.fraction);
        let (factor, scale, spare) = match suffix {
            Suffix::Ten(exponent) => (1, exponent, SAFE_DIGITS - digits),
            Suffix::Two(exponent) if self.fraction.is_empty() => {
                (1_i64 << exponent, 0, 14 - digits - i64::from(exponent) * 3 / 10)
            }
            Suffix::Two(_) => return None,
        };
        let scale = scale.checked_sub(i32::try_from(self.fraction.len()).ok()?)?;
        if spare < 0 || scale < NANO {
            return None;
        }
        let mut value: i64 = 0;
        for digit in self.whole.bytes().chain(self.fraction.bytes()) {
            value = value.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?))?;
        }
        let value = value.checked_mul(factor)?;
        let value = if self.negative { -value } else { value };
        Some(Quantity(Amount::Small { value, scale }))
    }

    /// Returns the amount in the form that holds all: rounded to nano, and where the unit is
    /// binary no larger than 64 bits.
    fn large(&self, suffix: Suffix) -> Quantity {
        let decimal = Decimal::read(self.negative, self.whole, self.fraction);
        let decimal = match suffix {
            Suffix::Ten(exponent) => decimal.shift(exponent).round(NANO),
            Suffix::Two(exponent) => {
                let decimal = decimal.times(1 << exponent).round(NANO);
                let limit = if self.negative { -i64::MAX } else { i64::MAX };
                let limit = Decimal::new(limit, 0);
                if decimal.cmp_magnitude(&limit).is_gt() { limit } else { decimal }
            }
        };
        Quantity(Amount::Large(decimal))
    }
}

impl Suffix {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "" => Self::Ten(0),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            _ => {
                let exponent: i64 = text.strip_prefix(['e', 'E'])?.parse().ok()?;
                // Upstream cuts it to 32 bits; nobody relies on what comes out beyond them.
                Self::Ten(i32::try_from(exponent).ok()?)
            }
        })
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (
            Amount::Small { value: left, scale: left_scale },
            Amount::Small { value: right, scale: right_scale },
        ) = (&self.0, &other.0)
        {
            let wide = |value: i64, own: i32, scale: i32| {
                let power = 10_i128.checked_pow(own.abs_diff(scale))?;
                i128::from(value).checked_mul(power)
            };
            let scale = *left_scale.min(right_scale);
            let pair = wide(*left, *left_scale, scale).zip(wide(*right, *right_scale, scale));
            if let Some((left, right)) = pair {
                return left.cmp(&right);
            }
        }
        self.decimal().cmp(&other.decimal())
    }
}

impl Neg for &Quantity {
    type Output = Quantity;

    fn neg(self) -> Quantity {
        match self.0 {
            Amount::Small { value, scale } if value != i64::MIN => {
                Quantity(Amount::Small { value: -value, scale })
            }
            _ => Quantity(Amount::Large(self.decimal().negated())),
        }
    }
}

impl Add for &Quantity {
    type Output = Quantity;

    fn add(self, other: Self) -> Quantity {
        if let (
            &Amount::Small { value: left, scale: left_scale },
            &Amount::Small { value: right, scale: right_scale },
        ) = (&self.0, &other.0)
        {
            if right == 0 {
                return self.clone();
            }
            if left == 0 {
                return other.clone();
            }
            let scale = left_scale.min(right_scale);
            let left = scale_up(left, left_scale.saturating_sub(scale));
            let right = scale_up(right, right_scale.saturating_sub(scale));
            let sum = left.zip(right).and_then(|(left, right)| left.checked_add(right));
            if let Some(value) = sum {
                return Quantity(Amount::Small { value, scale });
            }
        }
        Quantity(Amount::Large(self.decimal().plus(&other.decimal())))
    }
}

impl Sub for &Quantity {
    type Output = Quantity;

    fn sub(self, other: Self) -> Quantity {
        self + &-other
    }
}

/// Splits the leading digits off.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Returns `value` × 10^`steps`, where it fits.
fn scale_up(value: i64, steps: i32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i64.checked_pow(u32::try_from(steps).ok()?)?)
}

/// Returns `value` × 10^`steps` for negative steps, rounded away from zero.
fn scale_down(value: i64, steps: i32) -> i64 {
    match 10_i64.checked_pow(steps.unsigned_abs()) {
        Some(divisor) => {
            let rest = value.checked_rem(divisor).unwrap_or_default().signum();
            value.checked_div(divisor).unwrap_or_default() + rest
        }
        None => value.signum(),
    }
}

#[cfg(test)]
mod tests;
