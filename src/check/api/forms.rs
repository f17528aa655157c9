//! The checks that fields of many kinds share, and the rules for what they find.

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use super::shared::{MISSING, UNSUPPORTED};
use crate::naming::Wrong;

pub(super) const RULES: &[&Rule] =
    &[&INVALID, &INVALID_NAME, &OUT_OF_RANGE, &FORBIDDEN, &IMMUTABLE];

pub(super) const INVALID: Rule = Rule::new(
    "api/invalid-value",
    "Value that the API server does not take",
    "The value has the right type, and the server's own validation refuses it: it has the wrong \
     form, or contradicts another field.",
    "write the value as the message says",
    &["field.Invalid"],
);

pub(super) const INVALID_NAME: Rule = Rule::new(
    "api/invalid-reference",
    "Reference to a name that nothing can have",
    "A field that names an object, a group, a class or a label takes only what could be such a \
     name.",
    "write the name in the form that the message gives",
    &["IsDNS1123Label", "IsDNS1123Subdomain", "IsQualifiedName", "ValidatePathSegmentName"],
);

pub(super) const OUT_OF_RANGE: Rule = Rule::new(
    "api/out-of-range",
    "Number beyond what the field takes",
    "The number fits its type and is too small or too large for its meaning.",
    "use a number within the bounds",
    &["ValidateNonnegativeField", "ValidatePositiveField", "InclusiveRangeError"],
);

pub(super) const FORBIDDEN: Rule = Rule::new(
    "api/forbidden-field",
    "Field is set that must not be set here",
    "Other fields of the object leave no meaning to this one, and the server refuses it instead \
     of ignoring it.",
    "remove the field, or change the one that forbids it",
    &["field.Forbidden"],
);

pub(super) const IMMUTABLE: Rule = Rule::new(
    "api/immutable-field",
    "Field changes that is fixed at creation",
    "What other objects or controllers rest on stays as it is for the life of the object.",
    "give the changed object a new name, or delete the old one first",
    &["ValidateImmutableField"],
);

impl<'a> Cx<'a> {
    /// Wants a value, and says whether there is one.
    pub(super) fn require(&mut self, field: Field<'a>) -> bool {
        let empty = field.is_empty();
        if empty {
            self.required(&MISSING, field, "");
        }
        !empty
    }

    /// Wants one of a few values, where there is one; an empty string counts as one.
    pub(super) fn one_of(&mut self, field: Field<'a>, values: &[&str]) {
        if field.str().is_some_and(|it| !values.contains(&it)) {
            self.not_supported(&UNSUPPORTED, field, values);
        }
    }

    /// Wants one of a few values, where there is one that is not empty.
    pub(super) fn one_of_if_any(&mut self, field: Field<'a>, values: &[&str]) {
        if !field.is_empty() {
            self.one_of(field, values);
        }
    }

    /// Wants one of a few values of a field that is written, or of an item of a list, where the
    /// schema has refused all others but nothing.
    pub(super) fn not_blank(&mut self, field: Field<'a>, values: &[&str]) {
        if field.is_empty() {
            self.not_supported(&UNSUPPORTED, field, values);
        }
    }

    /// Wants one of a few values, and that there is one.
    pub(super) fn require_one_of(&mut self, field: Field<'a>, values: &[&str]) {
        if self.require(field) {
            self.one_of(field, values);
        }
    }

    /// Wants a name of some form, where there is one; an empty string counts as one.
    pub(super) fn name(&mut self, field: Field<'a>, form: fn(&str) -> Wrong) {
        if let Some(wrong) = field.str().and_then(form) {
            self.invalid(&INVALID_NAME, field, wrong);
        }
    }

    /// Wants a name of some form, where there is one that is not empty.
    pub(super) fn name_if_any(&mut self, field: Field<'a>, form: fn(&str) -> Wrong) {
        if !field.is_empty() {
            self.name(field, form);
        }
    }

    /// Wants a name of some form, and that there is one.
    pub(super) fn require_name(&mut self, field: Field<'a>, form: fn(&str) -> Wrong) {
        if self.require(field) {
            self.name(field, form);
        }
    }

    /// Wants a name of some form, and that there is one; tells of both by a rule of its own.
    pub(super) fn require_name_by(
        &mut self,
        rule: &'static Rule,
        field: Field<'a>,
        form: fn(&str) -> Wrong,
    ) {
        if field.is_empty() {
            self.required(rule, field, "");
        } else if let Some(wrong) = field.str().and_then(form) {
            self.invalid(rule, field, wrong);
        }
    }

    /// Wants a number between two others, both included, where there is one.
    pub(super) fn between(&mut self, field: Field<'a>, min: i64, max: i64) {
        if field.int().is_some_and(|it| it < min || it > max) {
            self.invalid(&OUT_OF_RANGE, field, &format!("must be between {min} and {max}"));
        }
    }

    /// Wants a number of at least `min`, where there is one.
    pub(super) fn at_least(&mut self, field: Field<'a>, min: i64) {
        if field.int().is_some_and(|it| it < min) {
            self.invalid(&OUT_OF_RANGE, field, &format!("must be at least {min}"));
        }
    }

    /// Wants the same value in both states of an object, nothing and emptiness being the same.
    pub(super) fn unchanged(&mut self, new: Field<'a>, old: Field<'a>) {
        if !new.equals(old) {
            self.immutable(&IMMUTABLE, new);
        }
    }
}
