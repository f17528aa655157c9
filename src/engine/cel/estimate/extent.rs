//! From the least to the most: of a size, or of a cost.

use std::ops::Add;

/// The least and the most that a size or a cost may be. Sums and products saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl Extent {
    pub(super) const NOTHING: Self = Self::exactly(0);
    pub(super) const ONE: Self = Self::exactly(1);
    /// Nothing is known.
    pub(super) const UNKNOWN: Self = Self::new(0, u64::MAX);
    /// What [`Extent::union`] leaves as the other side is.
    pub(super) const NEUTRAL: Self = Self::new(u64::MAX, 0);

    pub(super) const fn new(min: u64, max: u64) -> Self {
        Self { min, max }
    }

    pub(super) const fn exactly(value: u64) -> Self {
        Self::new(value, value)
    }

    pub(super) fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Self::new(change(self.min), change(self.max))
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self::new(self.min.saturating_mul(other.min), self.max.saturating_mul(other.max))
    }

    /// Multiplies by a factor and rounds up (`MultiplyByCostFactor`).
    pub(super) fn scaled(self, factor: f64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "reckoned in floats upstream; neither side is negative, and it saturates"
        )]
        self.map(|value| (value as f64 * factor).ceil() as u64)
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self::new(self.min.min(other.min), self.max.max(other.max))
    }
}

impl Add for Extent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.min.saturating_add(other.min), self.max.saturating_add(other.max))
    }
}
