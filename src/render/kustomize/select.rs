//! Which objects a patch or a replacement applies to.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::object::{Id, Object};
use crate::graph::kustomization::{Selector, Text};
use crate::render::RenderError;

type Result<T> = std::result::Result<T, RenderError>;

/// The largest automaton that one pattern may need, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The patterns of a selector; an empty one fits all.
pub(super) struct Patterns {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl Patterns {
    pub(super) fn new(selector: &Selector) -> Result<Self> {
        Ok(Self {
            group: anchored(selector.group.as_ref())?,
            version: anchored(selector.version.as_ref())?,
            kind: anchored(selector.kind.as_ref())?,
            name: anchored(selector.name.as_ref())?,
            namespace: anchored(selector.namespace.as_ref())?,
            labels: requirements(selector.label_selector.as_ref())?,
            annotations: requirements(selector.annotation_selector.as_ref())?,
        })
    }

    /// Says whether a patch applies to an object: kustomize's `resWrangler.Select`.
    ///
    /// Names and namespaces fit as they are or as they were first.
    pub(super) fn fits(&self, object: &Object) -> bool {
        let id = object.id();
        let original = object.original_id();
        let either = |pattern: &Option<Regex>, first: &str, second: &str| {
            fits(pattern.as_ref(), first) || fits(pattern.as_ref(), second)
        };
        either(&self.namespace, &original.namespace, &id.namespace)
            && either(&self.name, &original.name, &id.name)
            && fits(self.group.as_ref(), id.group())
            && fits(self.version.as_ref(), id.version())
            && fits(self.kind.as_ref(), &id.kind)
            && self.fits_metadata(object)
    }

    /// Says whether labels and annotations fit.
    pub(super) fn fits_metadata(&self, object: &Object) -> bool {
        let all = |requirements: &[Requirement], field| {
            requirements.is_empty() || {
                let map = object.metadata_map(field);
                requirements.iter().all(|requirement| requirement.fits(&map))
            }
        };
        all(&self.labels, "labels") && all(&self.annotations, "annotations")
    }

    /// Says whether labels or annotations are asked for.
    pub(super) fn asks_for_metadata(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    /// Says whether group, version, kind, name and namespace fit an id.
    pub(super) fn fits_id(&self, id: &Id) -> bool {
        fits(self.group.as_ref(), id.group())
            && fits(self.version.as_ref(), id.version())
            && fits(self.kind.as_ref(), &id.kind)
            && fits(self.name.as_ref(), &id.name)
            && fits(self.namespace.as_ref(), &id.namespace)
    }

    /// Says whether nothing is asked of the id.
    pub(super) fn is_any_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace]
            .iter()
            .all(|pattern| pattern.is_none())
    }
}

fn fits(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}

fn anchored(text: Option<&Text>) -> Result<Option<Regex>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let pattern = format!("^(?:{})$", text.text);
    compile(&pattern, text).map(Some)
}

/// Compiles a pattern of the user's, bounded in size; matching is linear in any case.
pub(super) fn compile(pattern: &str, text: &Text) -> Result<Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build().map_err(|error| {
        let message = match error {
            regex::Error::CompiledTooBig(_) => format!("the pattern `{}` is too large", text.text),
            _ => format!("`{}` is not a regular expression", text.text),
        };
        RenderError::broken(text.span, message)
    })
}

/// One condition of a label selector.
#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    Exists(Arc<str>),
    Missing(Arc<str>),
    In(Arc<str>, Vec<Arc<str>>),
    NotIn(Arc<str>, Vec<Arc<str>>),
    Greater(Arc<str>, i64),
    Less(Arc<str>, i64),
}

impl Requirement {
    fn fits(&self, map: &[(Arc<str>, Arc<str>)]) -> bool {
        let find = |key: &Arc<str>| map.iter().find(|(it, _)| it == key).map(|(_, value)| value);
        let number = |key: &Arc<str>| find(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists(key) => find(key).is_some(),
            Self::Missing(key) => find(key).is_none(),
            Self::In(key, values) => find(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => find(key).is_none_or(|value| !values.contains(value)),
            Self::Greater(key, than) => number(key).is_some_and(|value| value > *than),
            Self::Less(key, than) => number(key).is_some_and(|value| value < *than),
        }
    }
}

/// Reads a label selector, as `labels.Parse` of Kubernetes does.
fn requirements(text: Option<&Text>) -> Result<Vec<Requirement>> {
    let Some(text) = text.filter(|text| !text.text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    parse(&text.text).ok_or_else(|| {
        RenderError::broken(text.span, format!("`{}` is not a label selector", text.text))
            .with_help("write conditions such as `app=web,tier in (front,back),!legacy`")
    })
}

fn parse(text: &str) -> Option<Vec<Requirement>> {
    split_conditions(text)?.into_iter().map(|condition| parse_one(condition.trim())).collect()
}

/// Splits at the commas that stand outside of parentheses.
fn split_conditions(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match c {
            '(' if !inside => inside = true,
            ')' if inside => inside = false,
            '(' | ')' => return None,
            ',' if !inside => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return None;
    }
    parts.push(text.get(start..)?);
    Some(parts)
}

fn parse_one(condition: &str) -> Option<Requirement> {
    let key = |text: &str| {
        let text = text.trim();
        let valid = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        valid.then(|| Arc::<str>::from(text))
    };
    if let Some(name) = condition.strip_prefix('!') {
        return Some(Requirement::Missing(key(name)?));
    }
    if let Some(list) = condition.strip_suffix(')') {
        let (head, values) = list.split_once('(')?;
        let values = values.split(',').map(|value| Arc::from(value.trim())).collect();
        let (name, operator) = head.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => Some(Requirement::In(key(name)?, values)),
            "notin" => Some(Requirement::NotIn(key(name)?, values)),
            _ => None,
        };
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((name, value)) = condition.split_once(operator) {
            let values = vec![Arc::from(value.trim())];
            let name = key(name)?;
            return Some(if negated {
                Requirement::NotIn(name, values)
            } else {
                Requirement::In(name, values)
            });
        }
    }
    if let Some((name, value)) = condition.split_once('>') {
        return Some(Requirement::Greater(key(name)?, value.trim().parse().ok()?));
    }
    if let Some((name, value)) = condition.split_once('<') {
        return Some(Requirement::Less(key(name)?, value.trim().parse().ok()?));
    }
    Some(Requirement::Exists(key(condition)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(selector: &str, labels: &[(&str, &str)]) -> bool {
        let map: Vec<(Arc<str>, Arc<str>)> =
            labels.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value))).collect();
        parse(selector).unwrap().iter().all(|requirement| requirement.fits(&map))
    }

    #[test]
    fn label_selectors_are_read_as_kubernetes_reads_them() {
        let labels = [("app", "web"), ("tier", "front"), ("rank", "7")];
        for fitting in [
            "app=web",
            "app==web, tier != back",
            "tier in (front, back),app",
            "tier notin (back)",
            "!legacy,other notin (x)",
            "rank>6,rank<8",
            "other!=x",
        ] {
            assert!(fits(fitting, &labels), "{fitting}");
        }
        for other in ["app=api", "legacy", "!app", "tier in (back)", "rank>7", "app notin (web)"] {
            assert!(!fits(other, &labels), "{other}");
        }
    }

    #[test]
    fn broken_label_selectors_are_refused() {
        for broken in ["a in (b", "a)", "a b", "=x", "a in b)", "a ~ (b)", "a>b"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
