//! Rules, evaluated on an object.
//!
//! Follows `Validator` of `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel`.

use std::sync::Arc;

use super::super::super::defect::Breach;
use super::super::items::{Before, Correlation, unchanged};
use super::super::place::{Place, name_of};
use super::super::shape::{Additional, Shape, ShapeId, Shapes};
use super::super::values::has_placeholder;
use super::{Compiled, Ready, Rule, Rules};
use crate::document::{Node, NodeKind, Part, Step};
use crate::engine::cel::{Budget, EvaluationError, Program, Type, Value, Variables};
use crate::wording::{self, Crumb};

/// The minor in which rules do not count that break on what did not change, and in which
/// `optionalOldSelf` came.
const RATCHETING_SINCE: u32 = 30;

/// What keeps rules from being judged.
#[derive(Debug, Default)]
pub(in super::super) struct Ran {
    /// The rules that do not compile, and why: one sentence each.
    pub(in super::super) failures: Vec<String>,
    /// The rules cost more than the server allows, which refuses the object.
    pub(in super::super) too_expensive: bool,
}

/// Evaluates all rules of a schema on an object that is valid but for them.
pub(in super::super) fn run<'a>(
    shapes: &'a Shapes,
    types: &'a [Option<Type>],
    root: ShapeId,
    object: &'a Node,
    old: Option<&'a Node>,
    minor: u32,
    place: &mut Place<'a>,
) -> Ran {
    let mut run =
        Run { shapes, types, minor, place, budget: Budget::default(), ran: Ran::default() };
    let state = State {
        old,
        correlated: old
            .filter(|_| minor >= RATCHETING_SINCE)
            .map(|node| Before { node, spine: root }),
        parent_is_unchanged: false,
    };
    run.value(object, root, root, state);
    run.ran
}

struct Run<'a, 'p> {
    shapes: &'a Shapes,
    types: &'a [Option<Type>],
    minor: u32,
    place: &'p mut Place<'a>,
    budget: Budget,
    ran: Ran,
}

/// What is known of the former state of a value.
#[derive(Debug, Clone, Copy)]
struct State<'a> {
    /// The value of `oldSelf`.
    old: Option<&'a Node>,
    /// The former state, where rules that break on an unchanged value do not count.
    correlated: Option<Before<'a>>,
    /// Whether the nearest value around whose former state is known did not change.
    parent_is_unchanged: bool,
}

impl<'a> Run<'a, '_> {
    /// Evaluates the rules of `id` on a value whose structure is that of `spine`.
    fn value(&mut self, node: &'a Node, id: ShapeId, spine: ShapeId, state: State<'a>) {
        let shape = self.shapes.get(id);
        if !shape.rules_within || node.is_null() || self.ran.too_expensive || self.place.is_full() {
            return;
        }
        let Some(Some(of)) = self.types.get(spine.index()) else { return };
        if let Some(rules) = &shape.rules {
            self.rules(rules, of, node, state);
        }
        for nested in shape.limits.iter().flat_map(|it| &it.all_of) {
            self.value(node, *nested, spine, State { correlated: None, ..state });
        }
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => self.items(shape, spine, items, node, state),
            NodeKind::Mapping(_) => self.fields(shape, spine, node, state),
        }
    }

    /// Says whether rules that break on the value do not count, because it did not change.
    fn is_unchanged(&self, node: &Node, state: State<'_>) -> bool {
        match state.correlated {
            Some(before) => unchanged(self.shapes, before, node),
            None => state.parent_is_unchanged,
        }
    }

    fn below(
        &self,
        node: &'a Node,
        state: State<'a>,
        old: Option<&'a Node>,
        next: Option<Before<'a>>,
    ) -> State<'a> {
        if state.correlated.is_none() {
            return State { old, ..state };
        }
        let parent_is_unchanged = next.is_none() && self.is_unchanged(node, state);
        State { old, correlated: next, parent_is_unchanged }
    }

    fn items(
        &mut self,
        shape: &'a Shape,
        spine: ShapeId,
        items: &'a [Node],
        node: &'a Node,
        state: State<'a>,
    ) {
        let spine_shape = self.shapes.get(spine);
        let (Some(of), Some(spine)) = (shape.items, spine_shape.items) else { return };
        if !self.shapes.get(of).rules_within {
            return;
        }
        let old = state.old.map(Node::items).unwrap_or_default();
        let correlation = Correlation::of(spine_shape, old);
        for (index, item) in items.iter().enumerate() {
            let old = correlation.get(item);
            let before = state.correlated.and(old).map(|node| Before { node, spine });
            let state = self.below(node, state, old, before);
            self.place.crumbs.push(Crumb::Item(index, name_of(item)));
            self.value(item, of, spine, state);
            self.place.crumbs.pop();
        }
    }

    fn fields(&mut self, shape: &'a Shape, spine: ShapeId, node: &'a Node, state: State<'a>) {
        let is_root = self.place.crumbs.is_empty();
        let spine_shape = self.shapes.get(spine);
        for entry in node.entries() {
            let of = match (shape.property(&entry.key), shape.additional) {
                (Some(of), _) | (None, Additional::Of(of)) => of,
                (None, Additional::Unsaid | Additional::Any) => continue,
            };
            if !self.shapes.get(of).rules_within {
                continue;
            }
            let Some(spine) = spine_shape.field(&entry.key) else { continue };
            let old = state.old.and_then(|it| it.get(&entry.key));
            let fixed = is_root && matches!(&*entry.key, "apiVersion" | "kind");
            let correlated = state.correlated.filter(|_| !fixed);
            let before = correlated.and(old).map(|node| Before { node, spine });
            let state = self.below(node, State { correlated, ..state }, old, before);
            self.place.crumbs.push(Crumb::Key(&entry.key));
            self.value(&entry.value, of, spine, state);
            self.place.crumbs.pop();
        }
    }

    fn rules(&mut self, rules: &'a Rules, of: &Type, node: &'a Node, state: State<'a>) {
        let compiled = rules.compiled(self.minor, of);
        for ready in &compiled.rules {
            match ready {
                Ok(ready) => {
                    if let Some(rule) = rules.rules.get(ready.at) {
                        self.rule(rule, ready, &compiled, node, state);
                    }
                }
                Err(reason) => {
                    let what = self.place.whole();
                    self.ran
                        .failures
                        .push(format!("a rule of {what} cannot be compiled: {reason}"));
                }
            }
            if self.ran.too_expensive {
                return;
            }
        }
    }

    fn rule(
        &mut self,
        rule: &Rule,
        ready: &Ready,
        compiled: &Compiled,
        node: &Node,
        state: State<'_>,
    ) {
        let optional = rule.optional_old_self && self.minor >= RATCHETING_SINCE;
        if ready.is_transition && state.old.is_none() && !optional {
            return;
        }
        let mut variables = Variables::new().with_node("self", node, &compiled.of);
        match state.old {
            Some(old) if rule.optional_old_self => {
                variables = variables.with_node("oldSelf", old, &compiled.optional);
            }
            Some(old) => variables = variables.with_node("oldSelf", old, &compiled.of),
            None => variables = variables.with("oldSelf", Value::Optional(None)),
        }
        let why = match ready.program.evaluate(&variables, &mut self.budget) {
            Ok(Value::Bool(true)) => return,
            Ok(_) => None,
            Err(EvaluationError::Failed(reason)) => Some(reason),
            Err(EvaluationError::CallLimit | EvaluationError::Budget) => {
                self.ran.too_expensive = true;
                return;
            }
        };
        let counts = why.is_some() || ready.is_transition || !self.is_unchanged(node, state);
        if !counts || has_placeholder(node) || self.place.has_unknown() {
            return;
        }
        let what = self.place.whole();
        let mut path = self.place.path();
        let Some(reason) = why else {
            let said = ready.message.as_ref().and_then(|it| self.message(it, &variables));
            let said = said.or_else(|| rule.message.as_deref().and_then(plain));
            let said = said.unwrap_or_else(|| wording::code(&rule.expression));
            let message = format!("{what} breaks a rule of its definition: {said}");
            for step in &rule.path {
                if let Step::Key(key) = step {
                    path.push_key(Arc::clone(key));
                }
            }
            let span = node.locate(&rule.path, Part::Value);
            self.place.tell_at(Breach::BrokenRule, path, span, message, None);
            return;
        };
        let reason = plain(&reason).unwrap_or_default();
        let rule = wording::code(&rule.expression);
        let message = format!("the rule {rule} of {what} cannot be evaluated: {reason}");
        self.place.tell_at(Breach::BrokenRule, path, node.span, message, None);
    }

    /// Evaluates the expression that words the message (`evalMessageExpression`).
    fn message<'v>(
        &mut self,
        expression: &'v Program,
        variables: &Variables<'v>,
    ) -> Option<String> {
        // It may say what the object holds.
        if !self.place.shows_values() {
            return None;
        }
        let said = expression.evaluate(variables, &mut self.budget).ok()?;
        let said = said.as_str()?.trim();
        if said.len() > MESSAGE_LIMIT || said.contains('\n') { None } else { plain(said) }
    }
}

/// The longest message that the server takes from an expression, in bytes.
const MESSAGE_LIMIT: usize = 5 << 10;
/// The longest text of a definition that a message quotes, in characters.
const QUOTED: usize = 300;

/// Returns a text of a definition as a part of a sentence; `None` where nothing is left of it.
fn plain(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
    let text = words.join(" ");
    let mut out: String = text.trim_end_matches('.').chars().take(QUOTED).collect();
    if text.chars().nth(QUOTED).is_some() {
        out.push('…');
    }
    (!out.is_empty()).then_some(out)
}
