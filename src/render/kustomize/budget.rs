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
#[derive(Debug)]
pub(super) struct Budget {
    work: usize,
    values: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { work: WORK, values: VALUES }
    }
}

impl Budget {
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
