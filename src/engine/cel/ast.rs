//! Expressions as they were written, macros expanded.

use std::ops::Range;
use std::sync::Arc;

/// An expression and the bytes of the text that it stands for.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// How many expressions lie within one another, this one included.
    pub(super) depth: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Literal),
    /// A name; one that starts with a dot is never a local variable.
    Ident(Arc<str>),
    Select {
        operand: Box<Expr>,
        field: Arc<str>,
        /// `has(operand.field)`.
        test: bool,
    },
    Call {
        function: Arc<str>,
        target: Option<Box<Expr>>,
        args: Vec<Expr>,
    },
    List(Vec<Item>),
    Map(Vec<MapEntry>),
    Struct {
        name: Arc<str>,
        fields: Vec<FieldInit>,
    },
    Comprehension(Box<Comprehension>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Arc<str>),
    Bytes(Arc<[u8]>),
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) optional: bool,
    pub(super) value: Expr,
}

#[derive(Debug, Clone)]
pub(super) struct MapEntry {
    pub(super) optional: bool,
    pub(super) key: Expr,
    pub(super) value: Expr,
}

#[derive(Debug, Clone)]
pub(super) struct FieldInit {
    pub(super) range: Range<usize>,
    pub(super) optional: bool,
    pub(super) name: Arc<str>,
    pub(super) value: Expr,
}

/// A loop over a list or a map.
#[derive(Debug, Clone)]
pub(super) struct Comprehension {
    pub(super) range: Expr,
    /// The item or the key; with `second`, the index or the key.
    pub(super) first: Arc<str>,
    /// The item or the value of the key.
    pub(super) second: Option<Arc<str>>,
    /// What each turn changes.
    pub(super) accumulator: Arc<str>,
    pub(super) initial: Expr,
    /// Goes on while this holds.
    pub(super) condition: Expr,
    pub(super) step: Expr,
    pub(super) result: Expr,
}

/// The accumulator of macros: no text can name it.
pub(super) const ACCUMULATOR: &str = "@result";

impl Expr {
    pub(super) fn new(range: Range<usize>, kind: Kind) -> Self {
        let mut depth = 0;
        kind.for_each_child(&mut |child| depth = depth.max(child.depth));
        Self { range, kind, depth: depth + 1 }
    }

    /// Returns how many expressions this one is made of.
    pub(super) fn size(&self) -> usize {
        let mut size = 1;
        self.kind.for_each_child(&mut |child| size += child.size());
        size
    }

    pub(super) fn ident(range: &Range<usize>, name: &str) -> Self {
        Self::new(range.clone(), Kind::Ident(Arc::from(name)))
    }

    pub(super) fn literal(range: &Range<usize>, literal: Literal) -> Self {
        Self::new(range.clone(), Kind::Literal(literal))
    }

    pub(super) fn call(range: &Range<usize>, function: &str, args: Vec<Self>) -> Self {
        let kind = Kind::Call { function: Arc::from(function), target: None, args };
        Self::new(range.clone(), kind)
    }

    pub(super) fn member(range: &Range<usize>, function: &str, target: Self) -> Self {
        let target = Some(Box::new(target));
        let kind = Kind::Call { function: Arc::from(function), target, args: Vec::new() };
        Self::new(range.clone(), kind)
    }

    pub(super) fn list(range: &Range<usize>, items: Vec<Self>) -> Self {
        let items = items.into_iter().map(|value| Item { optional: false, value }).collect();
        Self::new(range.clone(), Kind::List(items))
    }

    /// Returns the name of a plain identifier.
    pub(super) fn as_ident(&self) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::Ident(name) => Some(name),
            _ => None,
        }
    }

    /// Returns `a.b.c`, where the expression is nothing but names and dots.
    pub(super) fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Ident(name) => Some(name.to_string()),
            Kind::Select { operand, field, test: false } => {
                Some(format!("{}.{field}", operand.qualified_name()?))
            }
            _ => None,
        }
    }
}

impl Kind {
    fn for_each_child(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Self::Literal(_) | Self::Ident(_) => {}
            Self::Select { operand, .. } => visit(operand),
            Self::Call { target, args, .. } => {
                for child in target.as_deref().into_iter().chain(args) {
                    visit(child);
                }
            }
            Self::List(items) => items.iter().for_each(|it| visit(&it.value)),
            Self::Map(entries) => {
                for entry in entries {
                    visit(&entry.key);
                    visit(&entry.value);
                }
            }
            Self::Struct { fields, .. } => fields.iter().for_each(|it| visit(&it.value)),
            Self::Comprehension(it) => {
                for child in [&it.range, &it.initial, &it.condition, &it.step, &it.result] {
                    visit(child);
                }
            }
        }
    }
}
