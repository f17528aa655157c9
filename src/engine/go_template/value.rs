//! What templates compute with.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::document::{Node, NodeKind, Scalar};

/// A map; `set` changes it in place.
pub(super) type Map = Rc<RefCell<BTreeMap<String, Value>>>;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<Vec<Self>>),
    Map(Map),
}

impl Value {
    pub(super) fn of(node: &Node) -> Self {
        match &node.kind {
            NodeKind::Scalar(Scalar::Null) => Self::Nil,
            NodeKind::Scalar(Scalar::Bool(value)) => Self::Bool(*value),
            #[expect(clippy::cast_precision_loss, reason = "JSON in Go has no other numbers")]
            NodeKind::Scalar(Scalar::Int(value)) => Self::Float(*value as f64),
            #[expect(clippy::cast_precision_loss, reason = "JSON in Go has no other numbers")]
            NodeKind::Scalar(Scalar::Uint(value)) => Self::Float(*value as f64),
            NodeKind::Scalar(Scalar::Float(value)) => Self::Float(*value),
            NodeKind::Scalar(Scalar::String(text)) => Self::text(text),
            NodeKind::Sequence(items) => Self::list(items.iter().map(Self::of)),
            NodeKind::Mapping(entries) => Self::map(
                entries.iter().map(|entry| (entry.key.to_string(), Self::of(&entry.value))),
            ),
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Rc::new(items.into_iter().collect()))
    }

    pub(super) fn map(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map(Rc::new(RefCell::new(entries.into_iter().collect())))
    }

    /// Says whether the value counts as true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(all) => !all.borrow().is_empty(),
        }
    }

    /// Names the kind, as Go's reflection does.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
        }
    }

    /// Writes the value as Go prints it; `depth` bounds what holds itself.
    pub(super) fn shown(&self, depth: usize) -> String {
        if depth == 0 {
            return "...".to_owned();
        }
        match self {
            Self::Nil => "<nil>".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => float(*value),
            Self::Text(text) => text.to_string(),
            Self::List(items) => {
                let all: Vec<String> = items.iter().map(|it| it.shown(depth - 1)).collect();
                format!("[{}]", all.join(" "))
            }
            Self::Map(all) => {
                let all = all.borrow();
                let all = all.iter().map(|(key, it)| format!("{key}:{}", it.shown(depth - 1)));
                format!("map[{}]", all.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// Returns the value as JSON; `depth` bounds what holds itself.
    pub(super) fn json(&self, depth: usize) -> serde_json::Value {
        use serde_json::Value as Json;
        if depth == 0 {
            return Json::Null;
        }
        match self {
            Self::Nil => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => whole(*value).map_or_else(|| Json::from(*value), Json::from),
            Self::Text(text) => Json::String(text.to_string()),
            Self::List(items) => Json::Array(items.iter().map(|it| it.json(depth - 1)).collect()),
            Self::Map(all) => {
                let all = all.borrow();
                Json::Object(
                    all.iter().map(|(key, it)| (key.clone(), it.json(depth - 1))).collect(),
                )
            }
        }
    }
}

/// How deep a value is looked into.
pub(super) const DEPTH: usize = 50;

/// Returns a number without a fraction as an integer.
fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it was looked at before")]
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

/// Writes a number as Go prints it (`%v` of a `float64`): with an exponent from a million on.
pub(super) fn float(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
