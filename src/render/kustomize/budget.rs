//! How much one render may do, whatever the repository asks for.

use crate::render::RenderError;
use crate::source::Span;

/// How many values may be visited by transformers, each counted for every visit.
const WORK: usize = 4_000_000_000;

/// How many values the objects of one render may have, and patches may add to them.
pub(super) const VALUES: usize = 5_000_000;

/// How many bytes of text count as one value.
const BYTES: usize = 64;

/// The longest text that is put together from others.
const TEXT: usize = 4 << 20;

/// What is left to one render.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    work: usize,
    values: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { work: WORK, values: VALUES }
    }
}

/// What a part of a render has cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    work: usize,
    values: usize,
}

impl Budget {
    /// Returns what has been spent since there was `before`.
    pub(super) fn since(&self, before: &Self) -> Spent {
        Spent { work: before.work - self.work, values: before.values - self.values }
    }

    /// Spends what a part has cost before; `false` where that is too much.
    pub(super) fn spend(&mut self, spent: Spent) -> bool {
        let left = (self.work.checked_sub(spent.work), self.values.checked_sub(spent.values));
        if let (Some(work), Some(values)) = left {
            *self = Self { work, values };
            return true;
        }
        false
    }

    /// Accounts for visits to values.
    pub(super) fn work(&mut self, visits: usize, span: Span) -> Result<(), RenderError> {
        self.work = self.work.checked_sub(visits).ok_or_else(|| {
            RenderError::broken(span, "the render takes more steps than any real one does")
        })?;
        Ok(())
    }

    /// Accounts for values that are added to objects.
    pub(super) fn grow(&mut self, values: usize, span: Span) -> Result<(), RenderError> {
        self.values = self.values.checked_sub(values).ok_or_else(|| {
            RenderError::broken(span, format!("the objects grow beyond {VALUES} values"))
        })?;
        Ok(())
    }

    /// Accounts for a text that is put together: what it becomes, and what was added to it.
    pub(super) fn text(
        &mut self,
        length: usize,
        added: usize,
        span: Span,
    ) -> Result<(), RenderError> {
        if length > TEXT {
            return Err(RenderError::broken(
                span,
                format!("a text becomes longer than {TEXT} bytes"),
            ));
        }
        self.grow(1 + added / BYTES, span)
    }
}
