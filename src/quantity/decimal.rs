//! Decimal numbers of any size, for the few quantities that 64 bits do not hold.

use std::cmp::Ordering;

/// Digits that a sum may span. Two amounts that lie further apart are of no use to anybody, and
/// `1e2000000000` would fill the memory: the larger one then stands for the sum.
const MAX_SPAN: i64 = 4096;

/// A sign, digits, and the power of ten of the last one.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    negative: bool,
    /// Values 0 to 9, the most significant first, without leading and trailing zeros; none for zero.
    digits: Vec<u8>,
    exponent: i64,
    /// Decimals that upstream would keep, which shows where a float approximates the number.
    scale: i64,
}

impl Decimal {
    /// Returns `value` × 10^`scale`.
    pub(super) fn new(value: i64, scale: i32) -> Self {
        let digits = value.unsigned_abs().to_string().bytes().map(|byte| byte - b'0').collect();
        let exponent = i64::from(scale);
        Self { negative: value < 0, digits, exponent, scale: -exponent }.normal()
    }

    /// Reads the digits before and after a point.
    pub(super) fn read(negative: bool, whole: &str, fraction: &str) -> Self {
        let digits = whole.bytes().chain(fraction.bytes()).map(|it| it.saturating_sub(b'0'));
        let exponent = -i64::try_from(fraction.len()).unwrap_or(i64::MAX / 4);
        Self { negative, digits: digits.collect(), exponent, scale: -exponent }.normal()
    }

    fn normal(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..leading);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            return Self { negative: false, digits: Vec::new(), exponent: 0, scale: self.scale };
        }
        self
    }

    /// Returns -1, 0 or 1.
    pub(super) fn signum(&self) -> i64 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Says whether there is no fraction.
    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// Returns the number with the other sign.
    pub(super) fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }

    /// Multiplies by a power of ten.
    pub(super) fn shift(mut self, exponent: i32) -> Self {
        self.exponent += i64::from(exponent);
        self.scale -= i64::from(exponent);
        self.normal()
    }

    /// Multiplies by a number.
    pub(super) fn times(&self, factor: u64) -> Self {
        let mut digits = Vec::with_capacity(self.digits.len() + 20);
        let mut carry = 0_u128;
        let mut push = |carry: &mut u128| {
            digits.push(u8::try_from(*carry % 10).unwrap_or_default());
            *carry /= 10;
        };
        for digit in self.digits.iter().rev() {
            carry += u128::from(*digit) * u128::from(factor);
            push(&mut carry);
        }
        while carry > 0 {
            push(&mut carry);
        }
        digits.reverse();
        Self { digits, ..self.clone() }.normal()
    }

    /// Rounds away from zero to a multiple of 10^`exponent`.
    pub(super) fn round(mut self, exponent: i32) -> Self {
        let exponent = i64::from(exponent);
        self.scale = -exponent;
        let Ok(cut @ 1..) = usize::try_from(exponent - self.exponent) else { return self };
        let kept = self.digits.len().saturating_sub(cut);
        let lost = self.digits.split_off(kept).iter().any(|digit| *digit != 0);
        self.exponent = exponent;
        if lost {
            let mut carry = true;
            for digit in self.digits.iter_mut().rev() {
                if *digit < 9 {
                    *digit += 1;
                    carry = false;
                    break;
                }
                *digit = 0;
            }
            if carry {
                self.digits.insert(0, 1);
            }
        }
        self.normal()
    }

    /// Returns the power of ten above the first digit.
    fn top(&self) -> i64 {
        self.exponent + i64::try_from(self.digits.len()).unwrap_or(i64::MAX / 4)
    }

    /// Compares without the signs.
    pub(super) fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self.top().cmp(&other.top()).then(self.digits.cmp(&other.digits)),
            (left, right) => right.cmp(&left),
        }
    }

    /// Compares.
    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        self.signum().cmp(&other.signum()).then_with(|| {
            if self.negative { other.cmp_magnitude(self) } else { self.cmp_magnitude(other) }
        })
    }

    /// Adds.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (large, small) =
            if self.cmp_magnitude(other).is_ge() { (self, other) } else { (other, self) };
        let bottom = large.exponent.min(small.exponent);
        if small.digits.is_empty() || large.top() - bottom > MAX_SPAN {
            return large.clone();
        }
        let place = |number: &Self, at: i64| {
            let from_end = usize::try_from(at - number.exponent).ok();
            let index = from_end.and_then(|it| number.digits.len().checked_sub(it + 1));
            index.and_then(|it| number.digits.get(it)).copied().unwrap_or_default()
        };
        let subtract = large.negative != small.negative;
        let mut digits = Vec::new();
        let mut carry = 0;
        for at in bottom..=large.top() {
            let (left, right) = (place(large, at), place(small, at) + carry);
            let digit = if subtract { 10 + left - right } else { left + right };
            carry = u8::from(if subtract { digit < 10 } else { digit >= 10 });
            digits.push(digit % 10);
        }
        digits.reverse();
        let scale = large.scale.max(small.scale);
        Self { negative: large.negative, digits, exponent: bottom, scale }.normal()
    }

    /// Returns the number in units of 10^`scale`, rounded away from zero, where it fits.
    pub(super) fn scaled(&self, scale: i32) -> Option<i64> {
        let number = self.clone().round(scale);
        if number.digits.is_empty() {
            return Some(0);
        }
        if number.top() - i64::from(scale) > 19 {
            return None;
        }
        let zeros = u32::try_from(number.exponent - i64::from(scale)).ok()?;
        let whole = number.digits.iter().fold(0_i128, |sum, digit| sum * 10 + i128::from(*digit));
        let whole = whole.checked_mul(10_i128.checked_pow(zeros)?)?;
        i64::try_from(if self.negative { -whole } else { whole }).ok()
    }

    /// Returns the nearest float of the digits without a point, times a power of ten, as upstream
    /// reckons.
    pub(super) fn approximate_f64(&self) -> f64 {
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let scaled: f64 =
            format!("0{digits}e{}", self.exponent + self.scale).parse().unwrap_or(0.0);
        let scale = i32::try_from(-self.scale).unwrap_or(i32::MAX);
        let magnitude = times_power_of_ten(scaled, scale);
        if self.negative { -magnitude } else { magnitude }
    }
}

/// Returns `base` × 10^`exponent`, by the powers of ten that Go's `math.Pow10` has.
pub(super) fn times_power_of_ten(base: f64, exponent: i32) -> f64 {
    let table = |exponent: i32| format!("1e{exponent}").parse::<f64>().unwrap_or(f64::NAN);
    match exponent {
        0 => base,
        1..=308 => base * (table(exponent / 32 * 32) * table(exponent % 32)),
        -323..=-1 => base * (table(exponent / 32 * 32) / table(-exponent % 32)),
        309.. => base * f64::INFINITY,
        _ => base * 0.0,
    }
}
