//! Every rule of a run, whatever engine evaluates it.

use std::collections::BTreeMap;

use super::{RuleId, RuleMeta};

/// Every rule of a run, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    rules: BTreeMap<RuleId, RuleMeta>,
}

/// Why a rule cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule `{0}` is defined twice")]
pub struct RegistryError(pub RuleId);

impl Registry {
    /// Adds a rule.
    pub fn add(&mut self, meta: RuleMeta) -> Result<(), RegistryError> {
        if self.rules.contains_key(&meta.id) {
            return Err(RegistryError(meta.id));
        }
        self.rules.insert(meta.id.clone(), meta);
        Ok(())
    }

    /// Returns a rule by its id.
    pub fn get(&self, id: &RuleId) -> Option<&RuleMeta> {
        self.rules.get(id)
    }

    /// Returns a rule by the text of its id.
    pub fn find(&self, id: &str) -> Option<&RuleMeta> {
        self.rules.get(&id.parse().ok()?)
    }

    /// Returns all rules in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &RuleMeta> {
        self.rules.values()
    }

    /// Returns the number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Says whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Says whether a rule belongs to this category.
    pub fn has_category(&self, category: &str) -> bool {
        self.rules.keys().any(|id| id.category() == category)
    }

    /// Returns the rule id or category nearest to a misspelt one.
    pub fn suggest(&self, wrong: &str) -> Option<&str> {
        let ids = self.rules.keys().map(RuleId::as_str);
        let categories = self.rules.keys().map(RuleId::category);
        closest(wrong, ids.chain(categories))
    }
}

/// Returns the candidate nearest to `wrong`, where one is near enough to be what was meant.
///
/// Near enough is an edit distance (optimal string alignment) of at most a third of the length.
pub fn closest<'a>(wrong: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.chars().count() / 3).clamp(1, 4);
    candidates
        .filter_map(|candidate| {
            let distance = distance(&wrong.to_lowercase(), &candidate.to_lowercase());
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
            let mut best = (at(&last, j) + usize::from(x != *y))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = j > 0 && previous == Some(*y) && b.get(j - 1) == Some(&x);
            if swapped {
                best = best.min(at(&before_last, j - 1).saturating_add(1));
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_and_swaps() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("protocol", "portocol"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn only_near_names_are_suggested() {
        let names = ["replicas", "selector", "template"];
        assert_eq!(closest("replcias", names.into_iter()), Some("replicas"));
        assert_eq!(closest("Replicas", names.into_iter()), Some("replicas"));
        assert_eq!(closest("strategy", names.into_iter()), None);
    }
}
