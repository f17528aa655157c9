//! What validators know beside the object, and where they put what they find.
//!
//! The methods that report have the names of the errors of
//! `k8s.io/apimachinery/pkg/util/validation/field`, and word them as this program does.

use super::field::Field;
use super::rule::Rule;
use crate::check::KindScope;
use crate::document::{FieldPath, Node, ObjectRef, Part, Step};
use crate::review::Apply;
use crate::rule::closest;
use crate::source::Span;
use crate::wording::{self, Crumb};

/// How many defects of one object are told; a hostile object may have millions.
pub(super) const LIMIT: usize = 1000;

/// The longest text that suggestions are looked for.
const SUGGESTED: usize = 64;

/// One thing that the API server refuses.
#[derive(Debug)]
pub(super) struct Defect {
    pub(super) rule: &'static str,
    pub(super) path: FieldPath,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Whether the server only warns.
    pub(super) warns: bool,
}

/// What validators know beside the field that they look at.
#[derive(Debug)]
pub(super) struct Cx<'a> {
    /// The minor version of Kubernetes.
    pub(super) minor: u32,
    /// What the object calls itself.
    pub(super) object: &'a ObjectRef,
    /// The object.
    pub(super) root: Field<'a>,
    /// The object as it is, at updates.
    pub(super) old: Option<Field<'a>>,
    /// Where objects of the kind live, where that is known.
    pub(super) scope: Option<KindScope>,
    /// How the object is applied.
    pub(super) apply: Apply,
    /// Whether nothing will be stored.
    pub(super) dry_run: bool,
    defects: Vec<Defect>,
    /// Whether the last report was taken; what cannot be judged is not.
    taken: bool,
}

impl<'a> Cx<'a> {
    pub(super) fn new(
        minor: u32,
        object: &'a ObjectRef,
        root: Field<'a>,
        old: Option<Field<'a>>,
        scope: Option<KindScope>,
        apply: Apply,
        dry_run: bool,
    ) -> Self {
        Self { minor, object, root, old, scope, apply, dry_run, defects: Vec::new(), taken: false }
    }

    /// Takes back what was found since a mark.
    pub(super) fn forget_since(&mut self, mark: usize) {
        self.defects.truncate(mark);
        self.taken = false;
    }

    /// Says whether the server would refuse another state of the object, were it new.
    pub(super) fn would_refuse(
        &self,
        state: Field<'a>,
        validate: fn(&mut Self, Field<'a>),
    ) -> bool {
        let mut other =
            Self::new(self.minor, self.object, state, None, self.scope, self.apply, self.dry_run);
        validate(&mut other, state);
        other.defects.iter().any(|it| !it.warns)
    }

    /// Returns what was found, in the order in which it was found.
    pub(super) fn into_defects(self) -> Vec<Defect> {
        self.defects
    }

    /// A value that is wrong: `problem` ends the sentence, e.g. `must be between 1 and 65535`.
    pub(super) fn invalid(&mut self, rule: &'static Rule, field: Field<'a>, problem: &str) {
        if self.is_placeholder(field) {
            return;
        }
        let path = field.path();
        let place = self.place(&path);
        let message = match field.node().and_then(|it| self.quote(&path, it)) {
            Some(value) => format!("{value} in {place} {problem}"),
            None => format!("{place} {problem}"),
        };
        self.report(rule, path, Part::Value, message, None);
    }

    /// A key of a map that is wrong; `field` is its value.
    pub(super) fn invalid_key(&mut self, rule: &'static Rule, field: Field<'a>, problem: &str) {
        let mut path = field.path();
        let Some(Step::Key(key)) = path.pop() else { return };
        self.taken = false;
        if wording::is_placeholder(&key) {
            return;
        }
        let message = format!("the key {} in {} {problem}", wording::code(&key), self.place(&path));
        path.push_key(key);
        self.report(rule, path, Part::Key, message, None);
    }

    /// A key of a map that is wrong, told of the whole map, as the server does for labels.
    pub(super) fn invalid_key_of(
        &mut self,
        rule: &'static Rule,
        map: Field<'a>,
        key: &str,
        problem: &str,
    ) {
        self.taken = false;
        if wording::is_placeholder(key) {
            return;
        }
        let path = map.path();
        let message = format!("the key {} in {} {problem}", wording::code(key), self.place(&path));
        let span = map.node().and_then(|it| it.entry(key)).map(|it| it.key_span);
        self.report_at(rule, path, Part::Value, span, message, None);
    }

    /// A value of a map that is wrong, told of the whole map, as the server does for labels.
    pub(super) fn invalid_value_of(
        &mut self,
        rule: &'static Rule,
        map: Field<'a>,
        value: Field<'a>,
        problem: &str,
    ) {
        if self.is_placeholder(value) {
            return;
        }
        let path = value.path();
        let place = self.place(&path);
        let message = match value.node().and_then(|it| self.quote(&path, it)) {
            Some(value) => format!("{value} in {place} {problem}"),
            None => format!("{place} {problem}"),
        };
        let span = value.node().map(|it| it.span);
        self.report_at(rule, map.path(), Part::Value, span, message, None);
    }

    /// A value that is missing. `why` ends the sentence, or is empty.
    pub(super) fn required(&mut self, rule: &'static Rule, field: Field<'a>, why: &str) {
        let path = field.path();
        let place = self.place(&path);
        let what = if field.exists() { "is empty" } else { "is missing" };
        let message = if why.is_empty() {
            format!("{place} {what}")
        } else {
            format!("{place} {what}: {why}")
        };
        self.report(rule, path, Part::Value, message, None);
    }

    /// A field that must not be there: `why` says when, e.g. `when the type is ClusterIP`.
    pub(super) fn forbidden(&mut self, rule: &'static Rule, field: Field<'a>, why: &str) {
        let path = field.path();
        let message = format!("{} must not be set {why}", self.place(&path)).trim_end().to_owned();
        self.report(rule, path, Part::Key, message, None);
    }

    /// A value that stands twice where it may stand once.
    pub(super) fn duplicate(&mut self, rule: &'static Rule, field: Field<'a>) {
        if self.is_placeholder(field) {
            return;
        }
        let path = field.path();
        let place = self.place(&path);
        let message = match field.node().and_then(|it| self.quote(&path, it)) {
            Some(value) => format!("{value} in {place} stands there twice"),
            None => format!("the value of {place} stands there twice"),
        };
        self.report(rule, path, Part::Value, message, None);
    }

    /// A name that leads to nothing: `what` is what it should name, e.g. `a volume of the pod`.
    pub(super) fn not_found(&mut self, rule: &'static Rule, field: Field<'a>, what: &str) {
        if self.is_placeholder(field) {
            return;
        }
        let path = field.path();
        let place = self.place(&path);
        let message = match field.node().and_then(|it| self.quote(&path, it)) {
            Some(value) => format!("{value} in {place} does not name {what}"),
            None => format!("{place} does not name {what}"),
        };
        self.report(rule, path, Part::Value, message, None);
    }

    /// A value that is none of those which the field takes.
    pub(super) fn not_supported(&mut self, rule: &'static Rule, field: Field<'a>, values: &[&str]) {
        if self.is_placeholder(field) {
            return;
        }
        let path = field.path();
        let place = self.place(&path);
        let message = match field.node().and_then(|it| self.quote(&path, it)) {
            Some(value) => format!("{value} is not a value of {place}"),
            None => format!("{place} does not take this value"),
        };
        let near = field
            .str()
            .filter(|it| it.len() <= SUGGESTED)
            .and_then(|text| nearest(text, values))
            .map(|near| format!("did you mean `{near}`?"));
        let help = near.or_else(|| {
            let all: Vec<String> = values.iter().map(|it| format!("`{it}`")).collect();
            (!all.is_empty()).then(|| format!("use one of {}", all.join(", ")))
        });
        self.report(rule, path, Part::Value, message, help);
    }

    /// A text that is too long: `max` is counted in `unit`, e.g. `characters`.
    pub(super) fn too_long(
        &mut self,
        rule: &'static Rule,
        field: Field<'a>,
        max: usize,
        unit: &str,
    ) {
        let path = field.path();
        let message = format!("{} must have at most {max} {unit}", self.place(&path));
        self.report(rule, path, Part::Value, message, None);
    }

    /// A field that may not change.
    pub(super) fn immutable(&mut self, rule: &'static Rule, field: Field<'a>) {
        if self.is_placeholder(field) {
            return;
        }
        let path = field.path();
        let message = format!("{} cannot be changed once the object exists", self.place(&path));
        let part = if field.exists() { Part::Value } else { Part::Key };
        self.report(rule, path, part, message, None);
    }

    /// Says whether server-side apply takes a map away whose fields the manifest leaves out.
    pub(super) fn is_emptied(&self, new: Field<'_>, old: Option<Field<'_>>) -> bool {
        self.apply == Apply::ServerSide && new.is_empty() && old.is_some_and(|it| !it.is_empty())
    }

    /// Says how to mend what was found last.
    pub(super) fn help(&mut self, help: impl Into<String>) {
        if let Some(defect) = self.last() {
            defect.help = Some(help.into());
        }
    }

    /// Says that the server names another field for what was found last.
    pub(super) fn named(&mut self, field: Field<'a>) {
        if let Some(defect) = self.last() {
            defect.path = field.path();
        }
    }

    /// Returns where the defects that are yet to come will begin; see [`Self::name_anew`] and
    /// [`Self::forget_since`].
    pub(super) fn mark(&self) -> usize {
        self.defects.len()
    }

    /// Says that the server names the fields of what was found since a mark as if what stands
    /// below `from` stood below `to`.
    pub(super) fn name_anew(&mut self, mark: usize, from: Field<'a>, to: &FieldPath) {
        let from = from.path();
        for defect in self.defects.iter_mut().skip(mark) {
            if let Some(rest) = defect.path.strip_prefix(&*from) {
                defect.path = [&**to, rest].concat().into();
            }
        }
    }

    fn last(&mut self) -> Option<&mut Defect> {
        self.defects.last_mut().filter(|_| self.taken)
    }

    /// Anything else, in words of its own.
    pub(super) fn report(
        &mut self,
        rule: &'static Rule,
        path: FieldPath,
        part: Part,
        message: String,
        help: Option<String>,
    ) {
        self.report_at(rule, path, part, None, message, help);
    }

    fn report_at(
        &mut self,
        rule: &'static Rule,
        path: FieldPath,
        part: Part,
        span: Option<Span>,
        message: String,
        help: Option<String>,
    ) {
        self.taken = false;
        if !rule.minors.contains(self.minor) || self.defects.len() >= LIMIT {
            return;
        }
        let root = self.root.node();
        let Some(span) = span.or_else(|| root.map(|it| it.locate(&path, part))) else { return };
        let warns = rule.warns;
        self.defects.push(Defect { rule: rule.id, path, span, message, help, warns });
        self.taken = true;
    }

    /// Returns a place as a person would name it, in backticks.
    pub(super) fn place(&self, path: &FieldPath) -> String {
        let crumbs = crumbs(self.root.node(), path);
        wording::whole(&crumbs, &self.object.kind)
    }

    /// What is filled in later cannot be judged now.
    fn is_placeholder(&mut self, field: Field<'a>) -> bool {
        self.taken = false;
        field.str().is_some_and(wording::is_placeholder)
    }

    fn quote(&self, path: &FieldPath, node: &Node) -> Option<String> {
        let crumbs = crumbs(self.root.node(), path);
        if &*self.object.kind == "Secret" || !wording::shows_values(&crumbs) {
            return None;
        }
        wording::scalar(node)
    }
}

/// Returns the nearest of a list of values.
fn nearest<'v>(text: &str, values: &[&'v str]) -> Option<&'v str> {
    values
        .iter()
        .copied()
        .find(|it| it.eq_ignore_ascii_case(text))
        .or_else(|| closest(text, values.iter().copied()))
}

/// Returns a path with the names of items, where names tell them apart.
fn crumbs<'p>(root: Option<&'p Node>, path: &'p FieldPath) -> Vec<Crumb<'p>> {
    let mut node = root;
    path.iter()
        .map(|step| match step {
            Step::Key(key) => {
                node = node.and_then(|it| it.get(key));
                Crumb::Key(key)
            }
            Step::Index(index) => {
                node = node.and_then(|it| it.items().get(*index));
                Crumb::Item(*index, node.and_then(|it| it.get("name")).and_then(Node::as_str))
            }
        })
        .collect()
}
