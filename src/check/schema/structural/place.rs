//! Where a walk is, and how it tells what it finds there.

use super::super::defect::{Breach, Defect, LIMIT};
use crate::document::{FieldPath, Node, Step};
use crate::source::Span;
use crate::wording::{self, Crumb};

/// Where a walk is, with what it has found so far.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) kind: &'a str,
    pub(super) crumbs: Vec<Crumb<'a>>,
    pub(super) defects: Vec<Defect>,
    /// The fields that unknown ones were probably meant to be.
    pub(super) meant: Vec<FieldPath>,
    /// The objects that have unknown fields.
    pub(super) unknown_in: Vec<FieldPath>,
}

impl<'a> Place<'a> {
    pub(super) fn new(kind: &'a str) -> Self {
        Self {
            kind,
            crumbs: Vec::new(),
            defects: Vec::new(),
            meant: Vec::new(),
            unknown_in: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.defects.len() >= LIMIT
    }

    /// Returns the path of the present value.
    pub(super) fn path(&self) -> FieldPath {
        let step = |crumb: &Crumb<'_>| match *crumb {
            Crumb::Key(key) => Step::Key(key.into()),
            Crumb::Item(index, _) => Step::Index(index),
        };
        self.crumbs.iter().map(step).collect::<Vec<_>>().into()
    }

    /// Returns the path of the present value, or the name of the kind, for a message.
    pub(super) fn whole(&self) -> String {
        wording::whole(&self.crumbs, self.kind)
    }

    pub(super) fn shows_values(&self) -> bool {
        wording::shows_values(&self.crumbs)
    }

    /// Returns a text in backticks, where it may be shown.
    pub(super) fn quote(&self, text: &str) -> Option<String> {
        if self.shows_values() { wording::quote(text) } else { None }
    }

    /// Returns the value in backticks, where it is short and may be shown, else its place.
    pub(super) fn value(&self, node: &Node) -> String {
        let shown = if self.shows_values() { wording::scalar(node) } else { None };
        shown.unwrap_or_else(|| "the value".to_owned())
    }

    /// Tells a defect of the present value.
    pub(super) fn tell(
        &mut self,
        breach: Breach,
        span: Span,
        message: String,
        help: Option<String>,
    ) {
        let path = self.path();
        self.tell_at(breach, path, span, message, help);
    }

    /// Tells a defect of any field.
    pub(super) fn tell_at(
        &mut self,
        breach: Breach,
        path: FieldPath,
        span: Span,
        message: String,
        help: Option<String>,
    ) {
        if !self.is_full() {
            self.defects.push(Defect { breach, path, span, message, help });
        }
    }

    /// Says whether the present value, or something within it, has an unknown field.
    pub(super) fn has_unknown(&self) -> bool {
        if self.unknown_in.is_empty() {
            return false;
        }
        let here = self.path();
        self.unknown_in.iter().any(|it| it.starts_with(&here))
    }
}

/// Returns the name by which a person knows an item of a list.
pub(super) fn name_of(item: &Node) -> Option<&str> {
    item.get("name").and_then(Node::as_str)
}
