//! Our tree as `jsonschema` reads one: in place, without a copy.
//!
//! How much a schema may look at is bounded: references branch and recur, and a hostile schema may
//! need longer than anybody waits, or more stack than there is. The library has no such limit, so
//! the tree that it walks ends the walk, by an unwinding that [`bounded`] catches.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node as JsonNode, NodeIdentity, Object, unique};
use serde_json::{Number, Value};

use crate::document::{Entry, Node, NodeKind, Scalar};

/// Our tree. With `SPARSE`, entries of a mapping that are `null` are not there, as the API server
/// reads them.
#[derive(Debug)]
pub(super) struct Tree<const SPARSE: bool>;

/// How much may be looked at.
#[derive(Debug)]
pub(super) struct Budget {
    steps: Cell<u64>,
    /// An address within the stack at the start.
    stack: usize,
}

/// How many bytes of stack a walk may take. Threads have two million, most of them free.
const STACK: usize = 512 << 10;

/// What is thrown where the budget is used up.
struct Spent;

/// Says that a walk used up what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// Runs a walk that may take so many steps.
pub(super) fn bounded<T>(steps: u64, walk: impl FnOnce(&Budget) -> T) -> Result<T, TooMuch> {
    let budget = Budget { steps: Cell::new(steps), stack: here() };
    match catch_unwind(AssertUnwindSafe(|| walk(&budget))) {
        Ok(value) => Ok(value),
        Err(thrown) if thrown.is::<Spent>() => Err(TooMuch),
        Err(thrown) => resume_unwind(thrown),
    }
}

/// Returns an address within the stack.
#[inline(never)]
fn here() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&local)).addr()
}

impl Budget {
    fn spend(&self, steps: usize) {
        let left = self.steps.get().checked_sub(steps as u64 + 1);
        match left {
            Some(left) if here().abs_diff(self.stack) < STACK => self.steps.set(left),
            _ => resume_unwind(Box::new(Spent)),
        }
    }
}

/// A node, and what is left of the budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    at: At<'a>,
    budget: Option<&'a Budget>,
}

#[derive(Debug, Clone, Copy)]
enum At<'a> {
    Node(&'a Node),
    /// A key, which is judged as if it were a value.
    Key(&'a str),
}

impl<'a> Spot<'a> {
    pub(super) fn new(node: &'a Node, budget: &'a Budget) -> Self {
        Self { at: At::Node(node), budget: Some(budget) }
    }

    fn node(self) -> Option<&'a Node> {
        match self.at {
            At::Node(node) => Some(node),
            At::Key(_) => None,
        }
    }

    fn text(self) -> Option<&'a str> {
        match self.at {
            At::Node(node) => node.as_str(),
            At::Key(key) => Some(key),
        }
    }

    fn spend(self, steps: usize) {
        if let Some(budget) = self.budget {
            budget.spend(steps);
        }
    }
}

/// The entries of a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a, const SPARSE: bool> {
    entries: &'a [Entry],
    budget: Option<&'a Budget>,
}

/// The items of a sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a> {
    items: &'a [Node],
    budget: Option<&'a Budget>,
}

/// A number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Numeric {
    Int(i64),
    Uint(u64),
    Float(f64),
}

impl<const SPARSE: bool> Json for Tree<SPARSE> {
    type Node<'a> = Spot<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    // A lookup passes over the entries one by one.
    const KEYS_PER_LOOKUP: usize = 64;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Spot<'_>) -> T) -> T {
        f(Spot { at: At::Key(string), budget: None })
    }
}

impl<'a, const SPARSE: bool> JsonNode<'a, Tree<SPARSE>> for Spot<'a> {
    type Object = Members<'a, SPARSE>;
    type Array = Items<'a>;
    type Number = Numeric;

    fn as_object(&self) -> Option<Members<'a, SPARSE>> {
        self.spend(0);
        match &self.node()?.kind {
            NodeKind::Mapping(entries) => Some(Members { entries, budget: self.budget }),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    fn as_array(&self) -> Option<Items<'a>> {
        self.spend(0);
        match &self.node()?.kind {
            NodeKind::Sequence(items) => Some(Items { items, budget: self.budget }),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let text = self.text()?;
        // Whoever asks reads the text.
        self.spend(text.len() / 64);
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<Numeric> {
        self.spend(0);
        match self.node()?.kind {
            NodeKind::Scalar(Scalar::Int(value)) => Some(Numeric::Int(value)),
            NodeKind::Scalar(Scalar::Uint(value)) => Some(Numeric::Uint(value)),
            NodeKind::Scalar(Scalar::Float(value)) => Some(Numeric::Float(value)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        self.spend(0);
        self.node()?.as_bool()
    }

    fn is_null(&self) -> bool {
        self.spend(0);
        self.node().is_some_and(Node::is_null)
    }

    fn json_type(&self) -> JsonType {
        self.spend(0);
        let Some(node) = self.node() else { return JsonType::String };
        match &node.kind {
            NodeKind::Scalar(Scalar::Null) => JsonType::Null,
            NodeKind::Scalar(Scalar::Bool(_)) => JsonType::Boolean,
            NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => {
                JsonType::Number
            }
            NodeKind::Scalar(Scalar::String(_)) => JsonType::String,
            NodeKind::Sequence(_) => JsonType::Array,
            NodeKind::Mapping(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        self.spend(0);
        let equal = |node: &'a Node, value: &Value| {
            let spot = Spot { at: At::Node(node), budget: self.budget };
            JsonNode::<Tree<SPARSE>>::equals_value(&spot, value)
        };
        let Some(node) = self.node() else { return expected.as_str() == self.text() };
        match (&node.kind, expected) {
            (NodeKind::Scalar(Scalar::Null), Value::Null) => true,
            (NodeKind::Scalar(Scalar::Bool(one)), Value::Bool(other)) => one == other,
            (NodeKind::Scalar(Scalar::String(one)), Value::String(other)) => **one == **other,
            (
                NodeKind::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)),
                Value::Number(other),
            ) => JsonNode::<Tree<SPARSE>>::as_number(self)
                .is_some_and(|one| jsonschema::json::cmp::equal_numbers(&one, other)),
            (NodeKind::Sequence(items), Value::Array(values)) => {
                items.len() == values.len()
                    && items.iter().zip(values).all(|(node, value)| equal(node, value))
            }
            (NodeKind::Mapping(entries), Value::Object(values)) => {
                entries.len() == values.len()
                    && entries.iter().all(|entry| {
                        values.get(&*entry.key).is_some_and(|it| equal(&entry.value, it))
                    })
            }
            _ => false,
        }
    }

    /// Only errors ask for the value, and ours show none: a secret gets no further than here.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        self.spend(0);
        Some(match self.at {
            At::Node(node) => NodeIdentity::new(std::ptr::from_ref(node).addr()),
            At::Key(key) => NodeIdentity::tagged(key.as_ptr().addr(), 1),
        })
    }
}

impl<const SPARSE: bool> Members<'_, SPARSE> {
    fn shows(entry: &Entry) -> bool {
        !SPARSE || !entry.value.is_null()
    }

    fn spend(&self) {
        if let Some(budget) = self.budget {
            budget.spend(self.entries.len() / 8);
        }
    }
}

impl<'a, const SPARSE: bool> Object<'a, Tree<SPARSE>> for Members<'a, SPARSE> {
    type Node = Spot<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a, SPARSE>;

    fn len(&self) -> usize {
        self.spend();
        if SPARSE {
            self.entries.iter().filter(|it| Self::shows(it)).count()
        } else {
            self.entries.len()
        }
    }

    fn get(&self, key: &String) -> Option<Spot<'a>> {
        self.spend();
        let found = self.entries.iter().find(|entry| *entry.key == **key && Self::shows(entry))?;
        Some(Spot { at: At::Node(&found.value), budget: self.budget })
    }

    fn members(&self) -> MembersIter<'a, SPARSE> {
        self.spend();
        MembersIter { entries: self.entries.iter(), budget: self.budget }
    }
}

/// Goes through the entries of a mapping.
#[derive(Debug)]
pub(super) struct MembersIter<'a, const SPARSE: bool> {
    entries: std::slice::Iter<'a, Entry>,
    budget: Option<&'a Budget>,
}

impl<'a, const SPARSE: bool> Iterator for MembersIter<'a, SPARSE> {
    type Item = (&'a str, Spot<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.find(|entry| Members::<'a, SPARSE>::shows(entry))?;
        Some((&entry.key, Spot { at: At::Node(&entry.value), budget: self.budget }))
    }
}

impl<'a, const SPARSE: bool> Array<'a, Tree<SPARSE>> for Items<'a> {
    type Node = Spot<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn elements(&self) -> ItemsIter<'a> {
        ItemsIter { items: self.items.iter(), budget: self.budget }
    }

    fn is_unique(&self) -> bool {
        let values: Vec<Value> = self
            .items
            .iter()
            .map(|item| {
                if let Some(budget) = self.budget {
                    budget.spend(size(item));
                }
                item.to_json()
            })
            .collect();
        unique::is_unique(&values)
    }
}

/// Goes through the items of a sequence.
#[derive(Debug)]
pub(super) struct ItemsIter<'a> {
    items: std::slice::Iter<'a, Node>,
    budget: Option<&'a Budget>,
}

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Spot<'a>;

    fn next(&mut self) -> Option<Spot<'a>> {
        let node = self.items.next()?;
        Some(Spot { at: At::Node(node), budget: self.budget })
    }
}

/// Returns the number of values in a tree.
pub(super) fn size(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Scalar(_) => 1,
        NodeKind::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        NodeKind::Mapping(entries) => {
            1 + entries.iter().map(|entry| size(&entry.value)).sum::<usize>()
        }
    }
}

impl JsonNumber for Numeric {
    fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Int(value) => u64::try_from(value).ok(),
            Self::Uint(value) => Some(value),
            Self::Float(_) => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int(value) => Some(value),
            Self::Uint(_) | Self::Float(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "what a JSON number means to most readers")]
    fn as_f64(&self) -> Option<f64> {
        Some(match *self {
            Self::Int(value) => value as f64,
            Self::Uint(value) => value as f64,
            Self::Float(value) => value,
        })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_number().to_string())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(match *self {
            Self::Int(value) => Number::from(value),
            Self::Uint(value) => Number::from(value),
            // A float here is never infinite nor NaN.
            Self::Float(value) => Number::from_f64(value).unwrap_or_else(|| Number::from(0)),
        })
    }

    fn is_integer(&self) -> bool {
        match *self {
            Self::Int(_) | Self::Uint(_) => true,
            Self::Float(value) => value.fract() == 0.0,
        }
    }

    /// A client writes `1.0` and `1e3` of YAML as `1` and `1000` before it sends them.
    fn is_written_as_integer(&self) -> bool {
        self.is_integer()
    }
}
