//! The rules of validators that have no better name for a defect.

use super::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&MISSING, &UNSUPPORTED, &DUPLICATE];

pub(super) const MISSING: Rule = Rule::new(
    "api/missing-field",
    "Field is missing that the API server insists on",
    "The schema calls the field optional, and the server's own validation still wants a value: \
     without it the object means nothing.",
    "set the field",
    &["field.Required"],
);

pub(super) const UNSUPPORTED: Rule = Rule::new(
    "api/unsupported-value",
    "Value is none of those which the field takes",
    "The field takes one of a few values, which are spelt as the API spells them.",
    "use one of the values of the API reference",
    &["field.NotSupported"],
);

pub(super) const DUPLICATE: Rule = Rule::new(
    "api/duplicate-value",
    "Value stands twice where it may stand once",
    "The list is a set, or the value tells its items apart, so each value may stand there once.",
    "remove one of the two",
    &["field.Duplicate"],
);
