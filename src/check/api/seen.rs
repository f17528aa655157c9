//! Values that were seen, to find those that come again.

use std::collections::BTreeSet;

/// A set that is free while it has one value, as most of those in an object have: one container,
/// one port, one mount.
#[derive(Debug, Clone)]
pub(super) struct Seen<T> {
    first: Option<T>,
    others: BTreeSet<T>,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { first: None, others: BTreeSet::new() }
    }
}

impl<T: Ord> Seen<T> {
    /// Adds a value, and says whether it is new.
    pub(super) fn insert(&mut self, value: T) -> bool {
        match &self.first {
            None => {
                self.first = Some(value);
                true
            }
            Some(first) => *first != value && self.others.insert(value),
        }
    }

    /// Says whether a value is among them.
    pub(super) fn contains(&self, value: &T) -> bool {
        self.first.as_ref() == Some(value) || self.others.contains(value)
    }

    /// Says whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.is_empty());
        let new: Vec<bool> = [1, 1, 2, 3, 2, 1].into_iter().map(|it| seen.insert(it)).collect();
        assert_eq!(new, [true, false, true, true, false, false]);
        assert!(!seen.is_empty());
        assert_eq!([1, 2, 3, 4].map(|it| seen.contains(&it)), [true, true, true, false]);
    }
}
