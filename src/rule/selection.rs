//! Which rules of a run are wanted.

use super::{Registry, RuleId};

/// Which rules are evaluated: `--only` and `--skip`, by rule id or by category.
///
/// Rules of the category `yaml` that say a text cannot be read are never left out by `--only`:
/// what cannot be read cannot be judged by any rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

/// Why a selection is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule or category `{name}`{}", suggestion.as_ref().map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())]
pub struct UnknownRule {
    /// What was written.
    pub name: String,
    /// The nearest rule or category.
    pub suggestion: Option<String>,
}

impl Selection {
    /// Returns a selection after checking that every name is a rule or a category.
    pub fn new(
        registry: &Registry,
        only: Vec<String>,
        skip: Vec<String>,
    ) -> Result<Self, UnknownRule> {
        for name in only.iter().chain(&skip) {
            if registry.find(name).is_none() && !registry.has_category(name) {
                let suggestion = registry.suggest(name).map(str::to_owned);
                return Err(UnknownRule { name: name.clone(), suggestion });
            }
        }
        Ok(Self { only, skip })
    }

    /// Says whether a rule is wanted.
    pub fn allows(&self, rule: &RuleId) -> bool {
        let named = |names: &[String]| {
            names.iter().any(|name| name == rule.as_str() || name == rule.category())
        };
        let only = self.only.is_empty() || rule.category() == "yaml" || named(&self.only);
        only && !named(&self.skip)
    }

    /// Says whether any rule of a category may be wanted.
    pub fn allows_category(&self, category: &str) -> bool {
        let within = |name: &String| {
            name == category || name.strip_prefix(category).is_some_and(|it| it.starts_with('/'))
        };
        (self.only.is_empty() || category == "yaml" || self.only.iter().any(within))
            && !self.skip.iter().any(|name| name == category)
    }
}
