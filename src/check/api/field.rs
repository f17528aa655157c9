//! A place in an object, which may hold nothing: what validators walk.

use std::cell::RefCell;

use crate::document::{Entry, FieldPath, Node, NodeKind, Scalar, Step};

/// The steps that led to the fields of one object: those below which something was looked for.
#[derive(Debug)]
pub(super) struct Trail<'a> {
    crumbs: RefCell<Vec<(u32, Crumb<'a>)>>,
}

/// How many steps most objects take, or fewer.
const STEPS: usize = 256;

impl Default for Trail<'_> {
    fn default() -> Self {
        Self { crumbs: RefCell::new(Vec::with_capacity(STEPS)) }
    }
}

impl<'a> Trail<'a> {
    /// Adds a step below another one, and returns its number.
    fn add(&self, parent: u32, crumb: Crumb<'a>) -> u32 {
        let mut crumbs = self.crumbs.borrow_mut();
        crumbs.push((parent, crumb));
        u32::try_from(crumbs.len()).unwrap_or(u32::MAX)
    }

    /// As [`Self::add`], unless the step is the newest one.
    fn add_once(&self, parent: u32, crumb: Crumb<'a>) -> u32 {
        let newest = self.crumbs.borrow();
        if newest.last().is_some_and(|it| it.0 == parent && it.1.is(crumb)) {
            return u32::try_from(newest.len()).unwrap_or(u32::MAX);
        }
        drop(newest);
        self.add(parent, crumb)
    }
}

#[derive(Debug, Clone, Copy)]
enum Crumb<'a> {
    Key(&'a str),
    Index(usize),
}

impl Crumb<'_> {
    /// Says whether it is the same step, and not only one of the same name.
    fn is(self, other: Crumb<'_>) -> bool {
        match (self, other) {
            (Crumb::Key(one), Crumb::Key(two)) => std::ptr::eq(one, two),
            (Crumb::Index(one), Crumb::Index(two)) => one == two,
            (Crumb::Key(_), Crumb::Index(_)) | (Crumb::Index(_), Crumb::Key(_)) => false,
        }
    }
}

/// A place in an object: where it is, and what stands there.
///
/// A field that is not there can be walked on: everything below it is not there either. `null`
/// counts as not there, as it does for the API server's decoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    trail: &'a Trail<'a>,
    /// The number of the step before the last, counted from one; 0 for the object itself.
    parent: u32,
    /// The number of the last step; 0 for the object itself, and for what has nothing below it,
    /// whose step is numbered only if somebody looks there all the same.
    number: u32,
    /// The last step; nothing for the object itself.
    last: Option<Crumb<'a>>,
    node: Option<&'a Node>,
}

impl<'a> Field<'a> {
    /// Returns the object itself.
    pub(super) fn root(node: &'a Node, trail: &'a Trail<'a>) -> Self {
        Self { trail, parent: 0, number: 0, last: None, node: Some(node) }
    }

    fn step(self, crumb: Crumb<'a>, node: Option<&'a Node>) -> Self {
        let parent = match self.last {
            Some(last) if self.number == 0 => self.trail.add_once(self.parent, last),
            _ => self.number,
        };
        Self::below(self.trail, parent, crumb, node)
    }

    fn below(trail: &'a Trail<'a>, parent: u32, crumb: Crumb<'a>, node: Option<&'a Node>) -> Self {
        let (node, number) = match node.map(|it| &it.kind) {
            None | Some(NodeKind::Scalar(Scalar::Null)) => (None, 0),
            Some(NodeKind::Scalar(_)) => (node, 0),
            Some(NodeKind::Sequence(_) | NodeKind::Mapping(_)) => (node, trail.add(parent, crumb)),
        };
        Self { trail, parent, number, last: Some(crumb), node }
    }

    /// Returns a field of an object, or the value of a key of a map.
    pub(super) fn get(self, key: &'a str) -> Self {
        self.step(Crumb::Key(key), self.node.and_then(|it| it.get(key)))
    }

    /// Says whether a map has a key, though the value may be `null`.
    pub(super) fn has_key(self, key: &str) -> bool {
        self.node.is_some_and(|it| it.get(key).is_some())
    }

    /// Returns the field at a path of keys.
    pub(super) fn at(self, keys: &[&'a str]) -> Self {
        keys.iter().fold(self, |field, key| field.get(key))
    }

    /// Returns the item at a place of a list, which may be beyond its end.
    pub(super) fn index(self, at: usize) -> Self {
        self.step(Crumb::Index(at), self.node.and_then(|it| it.items().get(at)))
    }

    /// Returns the place of this item of a list in another list.
    pub(super) fn beside(self, list: Self) -> Self {
        match self.last {
            Some(Crumb::Index(at)) => list.index(at),
            Some(Crumb::Key(key)) => list.get(key),
            None => list,
        }
    }

    /// Returns the items of a list; none for anything else.
    pub(super) fn items(self) -> impl ExactSizeIterator<Item = Self> + use<'a> {
        // What has items has a number.
        let items = self.node.map_or(&[][..], Node::items).iter().enumerate();
        items.map(move |(at, item)| {
            Self::below(self.trail, self.number, Crumb::Index(at), Some(item))
        })
    }

    /// Returns the keys and values of a map; none for anything else.
    pub(super) fn entries(self) -> impl ExactSizeIterator<Item = (&'a str, Self)> + use<'a> {
        // What has entries has a number, or is the object itself.
        self.node.map_or(&[][..], Node::entries).iter().map(move |it| {
            let key = &*it.key;
            (key, Self::below(self.trail, self.number, Crumb::Key(key), Some(&it.value)))
        })
    }

    /// Says whether something stands there, and not `null`.
    pub(super) fn exists(self) -> bool {
        self.node.is_some()
    }

    /// Returns what stands there.
    pub(super) fn node(self) -> Option<&'a Node> {
        self.node
    }

    /// Returns the string that stands there.
    pub(super) fn str(self) -> Option<&'a str> {
        self.node.and_then(Node::as_str)
    }

    /// Returns the string that stands there, an empty one where there is none.
    pub(super) fn text(self) -> &'a str {
        self.str().unwrap_or_default()
    }

    /// Returns the whole number that stands there; one with a fraction of zero is whole too.
    pub(super) fn int(self) -> Option<i64> {
        match &self.node?.kind {
            NodeKind::Scalar(Scalar::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// Returns the boolean that stands there.
    pub(super) fn bool(self) -> Option<bool> {
        self.node.and_then(Node::as_bool)
    }

    /// Says whether `true` stands there.
    pub(super) fn is_true(self) -> bool {
        self.bool() == Some(true)
    }

    /// Returns the number of items or entries.
    pub(super) fn len(self) -> usize {
        match self.node.map(|it| &it.kind) {
            Some(NodeKind::Sequence(items)) => items.len(),
            Some(NodeKind::Mapping(entries)) => entries.len(),
            _ => 0,
        }
    }

    /// Says whether there is nothing: no value, no items, no entries, no text.
    pub(super) fn is_empty(self) -> bool {
        match self.node.map(|it| &it.kind) {
            None => true,
            Some(NodeKind::Sequence(items)) => items.is_empty(),
            Some(NodeKind::Mapping(entries)) => entries.is_empty(),
            Some(NodeKind::Scalar(Scalar::String(text))) => text.is_empty(),
            Some(NodeKind::Scalar(_)) => false,
        }
    }

    /// Says whether the same value stands at both places, whatever the order of keys. What is
    /// `null` or empty is the same as what is not there, as it is for Go's `DeepEqual` of API
    /// objects.
    pub(super) fn equals(self, other: Field<'_>) -> bool {
        match (self.node, other.node) {
            (Some(one), Some(two)) => is_same(one, two),
            (Some(one), None) | (None, Some(one)) => is_nothing(one),
            (None, None) => true,
        }
    }

    /// Returns the way to it.
    pub(super) fn path(self) -> FieldPath {
        let crumbs = self.trail.crumbs.borrow();
        let mut steps = Vec::new();
        let mut next = self.last.map(|last| (self.parent, last));
        while let Some((parent, crumb)) = next {
            steps.push(match crumb {
                Crumb::Key(key) => Step::Key(key.into()),
                Crumb::Index(index) => Step::Index(index),
            });
            next = parent.checked_sub(1).and_then(|at| crumbs.get(at as usize).copied());
        }
        steps.reverse();
        steps.into()
    }
}

fn is_nothing(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) => items.is_empty(),
        NodeKind::Mapping(entries) => entries.iter().all(|it| is_nothing(&it.value)),
        NodeKind::Scalar(scalar) => matches!(scalar, Scalar::Null),
    }
}

fn is_same(one: &Node, two: &Node) -> bool {
    match (&one.kind, &two.kind) {
        (NodeKind::Scalar(Scalar::Int(a)), NodeKind::Scalar(Scalar::Uint(b))) => {
            u64::try_from(*a) == Ok(*b)
        }
        (NodeKind::Scalar(a), NodeKind::Scalar(b)) => a == b,
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (NodeKind::Mapping(a), NodeKind::Mapping(b)) => {
            let covers = |from: &[Entry], of: &Node| {
                from.iter().all(|entry| match of.get(&entry.key) {
                    Some(value) => is_same(&entry.value, value),
                    None => is_nothing(&entry.value),
                })
            };
            covers(a, two) && b.iter().all(|it| one.get(&it.key).is_some() || is_nothing(&it.value))
        }
        _ => is_nothing(one) && is_nothing(two),
    }
}
