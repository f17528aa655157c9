//! Values against their schema.
//!
//! Follows the validator that the API server has from `k8s.io/kube-openapi/pkg/validation/validate`,
//! with its peculiarities: of several alternatives none of which fits, the one counts that most
//! checks speak for.

mod limits;

use super::super::defect::Breach;
use super::items::{Before, Correlation, unchanged};
use super::place::{Place, name_of};
use super::shape::{Additional, Limits, Shape, ShapeId, Shapes, Types};
use crate::document::{Entry, Node, NodeKind, Scalar};
use crate::source::Span;
use crate::wording::{self, Crumb, is_placeholder};

/// Validates an object that is prepared, against its former state where there is one.
///
/// Returns whether something was found that keeps the server from evaluating CEL rules.
pub(super) fn validate<'a>(
    shapes: &'a Shapes,
    root: ShapeId,
    node: &'a Node,
    old: Option<&'a Node>,
    minor: u32,
    place: &mut Place<'a>,
) -> bool {
    let anchor = node.get("kind").map_or(node.span, |kind| kind.span);
    let mut values = Values { shapes, minor, place, silent: 0, errors: 0, blocked: false };
    values.value(node, root, old.map(|node| Before { node, spine: root }), anchor);
    values.blocked
}

struct Values<'a, 'p> {
    shapes: &'a Shapes,
    minor: u32,
    place: &'p mut Place<'a>,
    /// Within how many trials the walk is: nothing is told there.
    silent: usize,
    /// How many errors there were, told or not.
    errors: usize,
    /// Whether an error keeps CEL rules from being evaluated (`hasBlockingErr`).
    blocked: bool,
}

/// How many alternatives are tried within alternatives: beyond that, one is taken to fit.
const TRIALS: usize = 32;

impl<'a> Values<'a, '_> {
    /// Validates one value. Returns how many checks spoke for it.
    ///
    /// What did not change since the former state is not refused (`CRDValidationRatcheting`).
    fn value(&mut self, node: &'a Node, id: ShapeId, old: Option<Before<'a>>, anchor: Span) -> u32 {
        if self.place.is_full() || old.is_some_and(|old| unchanged(self.shapes, old, node)) {
            return 0;
        }
        let shape = self.shapes.get(id);
        let before = self.errors;
        let mut matches = u32::from(self.types(shape, node));
        if self.errors > before && self.silent == 0 {
            return 0;
        }
        if node.is_null() {
            self.values(shape, node);
            return matches;
        }
        let placeholder = node.as_str().is_some_and(is_placeholder);
        if let Some(limits) = shape.limits.as_deref() {
            matches += self.junctors(limits, On { node, old, anchor });
        }
        // The validator of the junctors applies always, that of a type where there is one.
        matches += 2 + u32::from(!shape.types.is_empty() || shape.format.is_some());
        match &node.kind {
            NodeKind::Scalar(Scalar::String(text)) => {
                matches += 1;
                if !placeholder {
                    self.text(shape, node, text);
                }
                if let Some(format) = shape.format.filter(|it| it.is_of_strings(self.minor)) {
                    matches += 1;
                    if !placeholder {
                        self.format(node, text, format);
                    }
                }
            }
            NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => {
                matches += 2;
                self.number(shape, node);
            }
            NodeKind::Scalar(Scalar::Null | Scalar::Bool(_)) => {}
            NodeKind::Sequence(items) => matches += 2 + self.items(shape, node, items, old),
            NodeKind::Mapping(entries) => {
                matches += 1 + self.object(shape, node, entries, old, anchor);
            }
        }
        if !placeholder {
            self.values(shape, node);
        }
        matches + 2
    }

    fn error(
        &mut self,
        breach: Breach,
        span: Span,
        tell: impl FnOnce(&Place<'a>) -> (String, Option<String>),
    ) {
        self.errors += 1;
        if self.silent == 0 {
            let (message, help) = tell(self.place);
            self.place.tell(breach, span, message, help);
        }
    }

    /// Notes that the server evaluates no CEL rules after this.
    fn block(&mut self) {
        if self.silent == 0 {
            self.blocked = true;
        }
    }

    /// Checks the type (`typeValidator`).
    fn types(&mut self, shape: &Shape, node: &Node) -> bool {
        let types = shape.types;
        let placeholder = || node.as_str().is_some_and(is_placeholder);
        let fits = match &node.kind {
            NodeKind::Scalar(Scalar::Null) => types.is_empty() || shape.nullable,
            _ if types.is_empty() => true,
            NodeKind::Scalar(Scalar::Bool(_)) => types.has(Types::BOOLEAN),
            NodeKind::Scalar(Scalar::Int(_)) => {
                types.has(Types::INTEGER) || types.has(Types::NUMBER)
            }
            NodeKind::Scalar(Scalar::Uint(_)) => types.has(Types::NUMBER),
            NodeKind::Scalar(Scalar::Float(value)) => {
                types.has(Types::NUMBER) || types.has(Types::INTEGER) && limits::is_whole(*value)
            }
            NodeKind::Scalar(Scalar::String(_)) => types.has(Types::STRING) || placeholder(),
            // A format makes the validator look no further at lists.
            NodeKind::Sequence(_) => {
                let format = shape.format.is_some_and(|it| it.is_of_strings(self.minor));
                types.has(Types::ARRAY) || format && !types.has(Types::INTEGER)
            }
            NodeKind::Mapping(_) => types.has(Types::OBJECT),
        };
        if !fits {
            self.block();
            self.error(Breach::WrongType, node.span, |place| {
                let wanted = types.wanted();
                let found = wording::found(node, place.shows_values());
                let message = match place.crumbs.as_slice() {
                    [] => format!("expected {wanted}, found {found}"),
                    crumbs => {
                        format!("expected {wanted} in `{}`, found {found}", wording::place(crumbs))
                    }
                };
                (message, wording::type_help(node, wanted).map(str::to_owned))
            });
        }
        fits
    }

    fn items(
        &mut self,
        shape: &'a Shape,
        node: &'a Node,
        items: &'a [Node],
        old: Option<Before<'a>>,
    ) -> u32 {
        let mut matches = 0;
        if let Some(of) = shape.items {
            let before = old.map(|it| it.node.items()).unwrap_or_default();
            let list = old.map_or(shape, |it| self.shapes.get(it.spine));
            let (correlation, spine) = (Correlation::of(list, before), list.items);
            for (index, item) in items.iter().enumerate() {
                self.place.crumbs.push(Crumb::Item(index, name_of(item)));
                let before = correlation.get(item).zip(spine);
                let before = before.map(|(node, spine)| Before { node, spine });
                matches += self.value(item, of, before, item.span);
                self.place.crumbs.pop();
            }
        }
        self.sizes_of_list(shape, node, items);
        matches
    }

    fn object(
        &mut self,
        shape: &'a Shape,
        node: &'a Node,
        entries: &'a [Entry],
        old: Option<Before<'a>>,
        anchor: Span,
    ) -> u32 {
        self.sizes_of_object(shape, node, entries);
        let mut matches = 0;
        let is_root = self.place.crumbs.is_empty();
        for entry in entries {
            let of = match (shape.property(&entry.key), shape.additional) {
                (Some(of), _) | (None, Additional::Of(of)) => of,
                (None, Additional::Unsaid | Additional::Any) => continue,
            };
            // The server converts both states to one version, so these never change there.
            let fixed = is_root && matches!(&*entry.key, "apiVersion" | "kind");
            let old = old.filter(|_| !fixed).and_then(|it| {
                let spine = self.shapes.get(it.spine).field(&entry.key)?;
                Some(Before { node: it.node.get(&entry.key)?, spine })
            });
            self.place.crumbs.push(Crumb::Key(&entry.key));
            matches += self.value(&entry.value, of, old, entry.key_span);
            self.place.crumbs.pop();
        }
        for name in &shape.required {
            // The server gives `metadata` to an object that has none.
            let given = is_root && &**name == "metadata";
            if given || entries.iter().any(|entry| entry.key == *name) {
                continue;
            }
            self.block();
            self.errors += 1;
            if self.silent > 0 {
                continue;
            }
            let path = self.place.path().key(name.clone());
            if self.place.meant.contains(&path) {
                continue;
            }
            let message = format!("missing field `{name}` in {}", self.place.whole());
            self.place.tell_at(Breach::MissingField, path, anchor, message, None);
        }
        matches
    }

    /// Validates without telling. Returns whether the value fits, and how many checks spoke for it.
    fn tries(&mut self, on: On<'a>, id: ShapeId) -> (bool, u32) {
        let before = self.errors;
        self.silent += 1;
        let matches =
            if self.silent > TRIALS { 0 } else { self.value(on.node, id, on.old, on.anchor) };
        self.silent -= 1;
        let fits = self.errors == before;
        self.errors = before;
        (fits, matches)
    }

    /// Checks `anyOf`, `oneOf`, `allOf` and `not` (`schemaPropsValidator`).
    fn junctors(&mut self, limits: &'a Limits, on: On<'a>) -> u32 {
        let mut matches = 0;
        if !limits.any_of.is_empty() {
            matches += self.any_of(&limits.any_of, on);
        }
        if !limits.one_of.is_empty() {
            matches += self.one_of(&limits.one_of, on);
        }
        for id in &limits.all_of {
            matches += self.value(on.node, *id, on.old, on.anchor);
        }
        if let Some(not) = limits.not
            && self.tries(on, not).0
        {
            self.tell_of_whole(on.node, |place| {
                (format!("{} has a form that its definition rules out", place.whole()), None)
            });
        }
        matches
    }

    fn any_of(&mut self, ids: &'a [ShapeId], on: On<'a>) -> u32 {
        let mut best: Option<(u32, ShapeId)> = None;
        for id in ids {
            let (fits, matches) = self.tries(on, *id);
            if fits {
                return matches;
            }
            if best.is_none_or(|(most, _)| matches > most) {
                best = Some((matches, *id));
            }
        }
        self.no_form(ids, best, on, "one of");
        best.map_or(0, |(matches, _)| matches)
    }

    fn one_of(&mut self, ids: &'a [ShapeId], on: On<'a>) -> u32 {
        let mut best: Option<(u32, ShapeId)> = None;
        let mut fitting: Vec<(u32, ShapeId)> = Vec::new();
        for id in ids {
            let (fits, matches) = self.tries(on, *id);
            if fits {
                fitting.push((matches, *id));
            } else if fitting.is_empty() && best.is_none_or(|(most, _)| matches > most) {
                best = Some((matches, *id));
            }
        }
        match fitting.as_slice() {
            [(matches, _)] => *matches,
            [] => {
                self.no_form(ids, best, on, "exactly one of");
                best.map_or(0, |(matches, _)| matches)
            }
            [_, ..] => {
                let shapes = self.shapes;
                self.tell_of_whole(on.node, |place| {
                    let what = place.whole();
                    let ids: Vec<ShapeId> = fitting.iter().map(|(_, id)| *id).collect();
                    let message = match fields_of(shapes, &ids) {
                        Some(fields) => {
                            format!("{what} has {} at once, but may have only one", and(&fields))
                        }
                        None => format!(
                            "{what} fits {} of the forms that it may take, but must fit only one",
                            fitting.len()
                        ),
                    };
                    (message, Some("remove all but one".to_owned()))
                });
                0
            }
        }
    }

    /// Says something of a value as a whole, unless a part of it is not known here: filled in
    /// later, or newer than the definition.
    fn tell_of_whole(
        &mut self,
        node: &Node,
        tell: impl FnOnce(&Place<'a>) -> (String, Option<String>),
    ) {
        if self.silent == 0 && (has_placeholder(node) || self.place.has_unknown()) {
            return;
        }
        self.error(Breach::InvalidValue, node.span, tell);
    }

    /// Says that a value fits none of its alternatives, in the words of the one that most checks
    /// spoke for.
    fn no_form(
        &mut self,
        ids: &[ShapeId],
        best: Option<(u32, ShapeId)>,
        on: On<'a>,
        how_many: &str,
    ) {
        self.errors += 1;
        let unsure = || has_placeholder(on.node);
        if self.silent > 0 || unsure() || self.place.has_unknown() {
            return;
        }
        let Some((_, best)) = best else { return };
        let told = std::mem::take(&mut self.place.defects);
        self.value(on.node, best, on.old, on.anchor);
        let nearest = std::mem::replace(&mut self.place.defects, told);
        let Some(first) = nearest.first() else { return };
        if let [_] = ids {
            self.place.defects.extend(nearest);
            return;
        }
        let what = self.place.whole();
        let (breach, message, help) = if let Some(fields) = fields_of(self.shapes, ids) {
            (Breach::MissingField, format!("{what} needs {how_many} {}", or(&fields)), None)
        } else {
            let forms = ids.len();
            let message = format!("{what} fits none of the {forms} forms that it may take");
            let help = format!("for the nearest of them: {}", first.message);
            (Breach::InvalidValue, message, Some(help))
        };
        self.place.tell_at(breach, first.path.clone(), first.span, message, help);
    }
}

/// A value, its former state, and where to point for what it lacks.
#[derive(Debug, Clone, Copy)]
struct On<'a> {
    node: &'a Node,
    old: Option<Before<'a>>,
    anchor: Span,
}

/// Returns the fields that tell alternatives apart, where each asks for one field and no more.
fn fields_of(shapes: &Shapes, ids: &[ShapeId]) -> Option<Vec<String>> {
    ids.iter()
        .map(|id| {
            let shape = shapes.get(*id);
            match shape.required.as_slice() {
                [name] if shape.limits.is_none() && shape.properties.is_empty() => {
                    Some(wording::code(name))
                }
                _ => None,
            }
        })
        .collect()
}

fn and(fields: &[String]) -> String {
    joined(fields, "and")
}

fn or(fields: &[String]) -> String {
    joined(fields, "or")
}

fn joined(fields: &[String], word: &str) -> String {
    match fields {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// Says whether something in a value is filled in later.
pub(super) fn has_placeholder(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(Scalar::String(text)) => is_placeholder(text),
        NodeKind::Scalar(_) => false,
        NodeKind::Sequence(items) => items.iter().any(has_placeholder),
        NodeKind::Mapping(entries) => {
            entries.iter().any(|it| is_placeholder(&it.key) || has_placeholder(&it.value))
        }
    }
}
