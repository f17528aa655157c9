//! Whether an entry of the configuration names a place. A list that is empty names all.

use super::{Glob, Place};
use crate::rule::RuleId;

/// Says whether a list of rule ids and categories names a rule.
pub(super) fn rule(listed: &[String], rule: &RuleId) -> bool {
    listed.iter().any(|it| it == rule.as_str() || it == rule.category())
}

/// Says whether a list of environments names that of a place, in full or by its class.
pub(super) fn environment(listed: &[String], place: Place<'_>) -> bool {
    listed.is_empty()
        || place.environment.is_some_and(|(name, _)| {
            let class = name.split_once('/').map_or(name, |(class, _)| class);
            listed.iter().any(|it| it == name || it == class)
        })
}

/// Says whether a list of globs names the path of a place.
pub(super) fn path(listed: &[Glob], place: Place<'_>) -> bool {
    listed.is_empty() || listed.iter().any(|it| it.matches(place.path))
}
