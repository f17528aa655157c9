//! How large the data of a schema can be (`SchemaDeclType`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::extent::Extent;
use super::path::{ITEMS, KEYS, Path, VALUES};

/// The largest request that the server reads, in bytes.
const REQUEST: i64 = 3 * 1024 * 1024;

/// How large the data of a schema can be: what it says itself, or else what fits into a request.
#[derive(Debug)]
pub struct Bounds {
    /// How many characters, items or entries it has at most.
    most: u64,
    /// How many bytes it takes at least, as JSON.
    least: i64,
    below: Below,
}

#[derive(Debug)]
enum Below {
    Nothing,
    Items(Arc<Bounds>),
    Values(Arc<Bounds>),
    Fields(BTreeMap<Arc<str>, Arc<Bounds>>),
}

/// A field of an object.
#[derive(Debug)]
pub struct FieldBounds {
    /// Its name in expressions, where it can be named.
    pub escaped: Option<Arc<str>>,
    /// How many bytes its name has.
    pub length: usize,
    /// Whether each object has it in what is sent: it is required and has no default.
    pub is_sent: bool,
    /// How large its value can be.
    pub value: Arc<Bounds>,
}

/// The key of a map, of which upstream knows nothing.
const KEY: &Bounds = &Bounds { most: 0, least: 2, below: Below::Nothing };

/// Returns how many bytes a number of characters may take.
fn as_bytes(length: i64) -> i64 {
    length.max(0).wrapping_mul(4)
}

impl Bounds {
    fn leaf(most: i64, least: i64) -> Self {
        Self { most: most.cast_unsigned(), least, below: Below::Nothing }
    }

    /// A boolean.
    pub fn boolean() -> Self {
        Self::leaf(0, 4)
    }

    /// A number, whole or not.
    pub fn number() -> Self {
        Self::leaf(0, 1)
    }

    /// A number or a string, with its `maxLength`.
    pub fn int_or_string(longest: Option<i64>) -> Self {
        Self::leaf(longest.map_or(REQUEST - 2, as_bytes), 1)
    }

    /// A string with its `maxLength`.
    pub fn string(longest: Option<i64>) -> Self {
        Self::leaf(longest.map_or(REQUEST - 2, as_bytes), 2)
    }

    /// A string that is one of several, of which this is the length of the longest in bytes.
    pub fn one_of(longest: usize) -> Self {
        Self { most: longest as u64, least: 2, below: Below::Nothing }
    }

    /// A string of bytes with its `maxLength`.
    pub fn bytes(longest: Option<i64>) -> Self {
        Self::leaf(longest.map_or(REQUEST - 2, |it| it.max(0)), 2)
    }

    /// A span of time.
    pub fn duration() -> Self {
        Self::leaf(32, 3)
    }

    /// A day.
    pub fn date() -> Self {
        Self::leaf(12, 12)
    }

    /// A point in time.
    pub fn date_time() -> Self {
        Self::leaf(32, 21)
    }

    /// A list with its `maxItems`.
    pub fn list(item: Arc<Self>, longest: Option<i64>) -> Self {
        let fits = |it: &Self| (REQUEST - 2).checked_div(it.least.saturating_add(1));
        let most = longest.map(|it| it.max(0)).or_else(|| fits(&item)).unwrap_or(0);
        Self { most: most.cast_unsigned(), least: 2, below: Below::Items(item) }
    }

    /// A map with its `maxProperties`.
    pub fn map(value: Arc<Self>, largest: Option<i64>) -> Self {
        let fits = |it: &Self| (REQUEST - 2).checked_div(it.least.saturating_add(6));
        let most = largest.map(|it| it.max(0)).or_else(|| fits(&value)).unwrap_or(0);
        Self { most: most.cast_unsigned(), least: 2, below: Below::Values(value) }
    }

    /// A map with known fields.
    pub fn object(fields: impl IntoIterator<Item = FieldBounds>) -> Self {
        let mut least = 2_i64;
        let mut known = BTreeMap::new();
        for field in fields {
            if field.is_sent {
                let name = i64::try_from(field.length).unwrap_or(i64::MAX);
                least =
                    least.saturating_add(name).saturating_add(field.value.least).saturating_add(4);
            }
            if let Some(name) = field.escaped {
                known.insert(name, field.value);
            }
        }
        Self { most: 0, least, below: Below::Fields(known) }
    }

    /// Returns how often this fits into one request (`maxCardinality`).
    pub fn times_in_request(&self) -> u64 {
        REQUEST.checked_div(self.least.saturating_add(1)).unwrap_or(0).cast_unsigned()
    }

    /// Returns the size of what a path leads to. Whatever variable it begins with, that one is
    /// taken for the whole.
    pub(super) fn at(&self, path: Option<&Path>) -> Option<Extent> {
        self.below(path, None)
    }

    /// As [`Bounds::at`], one step further.
    pub(super) fn below(&self, path: Option<&Path>, further: Option<&str>) -> Option<Extent> {
        let found = path?.follow(self, Self::go)?;
        let found = further.map_or(Some(found), |step| found.go(step))?;
        Some(Extent::new(0, found.most))
    }

    fn go(&self, step: &str) -> Option<&Self> {
        match (&self.below, step) {
            (Below::Items(inner) | Below::Values(inner), ITEMS | VALUES) => Some(inner),
            (Below::Values(_), KEYS) => Some(KEY),
            (Below::Fields(fields), name) => fields.get(name).map(|it| &**it),
            _ => None,
        }
    }
}
