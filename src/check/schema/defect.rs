//! What a schema does not allow.

use crate::document::FieldPath;
use crate::source::Span;

/// Which rule a defect breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// A field that the kind does not have.
    UnknownField,
    /// A value of another type than its field.
    WrongType,
    /// A field that must be there.
    MissingField,
    /// A value of the right type that the field does not take.
    InvalidValue,
    /// An item that a list has already.
    DuplicateItem,
    /// A CEL rule of the definition that does not hold.
    BrokenRule,
}

/// Something that a schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Which rule it breaks.
    pub breach: Breach,
    /// The field.
    pub path: FieldPath,
    /// The place to underline.
    pub span: Span,
    /// What is wrong: one sentence, no final period, user text in backticks, no secret.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// How many defects of one object are told; a hostile object may have millions.
pub(super) const LIMIT: usize = 1000;
