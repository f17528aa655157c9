//! Label selectors.

use super::cx::Cx;
use super::field::Field;
use super::rule::Rule;
use crate::naming;
use crate::wording;

pub(super) const RULES: &[&Rule] = &[&SELECTOR];

pub(super) const SELECTOR: Rule = Rule::new(
    "api/invalid-label-selector",
    "Label selector that cannot match",
    "Keys and values of a selector have the form of labels. `In` and `NotIn` need values, `Exists` \
     and `DoesNotExist` take none, and there are no other operators.",
    "mend the requirement",
    &["ValidateLabelSelector", "ValidateLabelSelectorRequirement", "ValidateLabels"],
);

/// The operators of a requirement.
const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];

/// From this minor on values of `matchExpressions` are checked too.
const VALUES_CHECKED: u32 = 27;

/// Checks a selector with `matchLabels` and `matchExpressions` (`ValidateLabelSelector`).
pub(super) fn check<'a>(cx: &mut Cx<'a>, selector: Field<'a>) {
    check_leniently(cx, selector, false);
}

/// Checks a selector, at an update that may keep invalid values which the old object has.
pub(super) fn check_leniently<'a>(cx: &mut Cx<'a>, selector: Field<'a>, keep_values: bool) {
    if !selector.exists() {
        return;
    }
    check_labels(cx, &SELECTOR, selector.get("matchLabels"));
    for requirement in selector.get("matchExpressions").items() {
        check_requirement(cx, requirement, keep_values || cx.minor < VALUES_CHECKED);
    }
}

/// Says whether a requirement of a selector has a value that no label can have
/// (`LabelSelectorHasInvalidLabelValue`).
pub(super) fn has_invalid_value(selector: Field<'_>) -> bool {
    let requirements = selector.get("matchExpressions").items();
    let mut values = requirements.flat_map(|it| it.get("values").items());
    values.any(|value| naming::label_value(value.text()).is_some())
}

/// Checks the keys and values of a map of labels, telling of the map as a whole as the server does
/// (`ValidateLabels`).
pub(super) fn check_labels<'a>(cx: &mut Cx<'a>, rule: &'static Rule, labels: Field<'a>) {
    for (key, value) in labels.entries() {
        if let Some(wrong) = naming::qualified_name(key) {
            cx.invalid_key_of(rule, labels, key, wrong);
        }
        if let Some(wrong) = naming::label_value(value.text()) {
            cx.invalid_value_of(rule, labels, value, wrong);
        }
    }
}

fn check_requirement<'a>(cx: &mut Cx<'a>, requirement: Field<'a>, keep_values: bool) {
    let (operator, values) = (requirement.get("operator"), requirement.get("values"));
    match operator.text() {
        "In" | "NotIn" if values.is_empty() => {
            cx.required(&SELECTOR, values, "`In` and `NotIn` need at least one");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            cx.forbidden(&SELECTOR, values, "when the operator is `Exists` or `DoesNotExist`");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ if operator.is_empty() => cx.required(&SELECTOR, operator, ""),
        _ => cx.not_supported(&SELECTOR, operator, OPERATORS),
    }
    check_key(cx, &SELECTOR, requirement.get("key"));
    if !keep_values {
        check_values(cx, &SELECTOR, values);
    }
}

/// Checks the key of a label, which must be there (`ValidateLabelName`).
pub(super) fn check_key<'a>(cx: &mut Cx<'a>, rule: &'static Rule, key: Field<'a>) {
    if key.is_empty() {
        cx.required(rule, key, "");
    } else if let Some(wrong) = naming::qualified_name(key.text()) {
        cx.invalid(rule, key, wrong);
    }
}

/// Checks a list of values of labels.
pub(super) fn check_values<'a>(cx: &mut Cx<'a>, rule: &'static Rule, values: Field<'a>) {
    for value in values.items() {
        if let Some(wrong) = naming::label_value(value.text()) {
            cx.invalid(rule, value, wrong);
        }
    }
}

/// Says whether a selector has no requirements, and thus selects everything.
pub(super) fn is_empty(selector: Field<'_>) -> bool {
    selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty()
}

/// Says whether the server can turn a selector into one that it can evaluate
/// (`LabelSelectorAsSelector`). What is filled in later is taken to be right.
pub(super) fn is_valid(selector: Field<'_>) -> bool {
    let fits = |text: &str, form: fn(&str) -> naming::Wrong| {
        form(text).is_none() || wording::is_placeholder(text)
    };
    let labels = selector.get("matchLabels").entries().all(|(key, value)| {
        fits(key, naming::qualified_name) && fits(value.text(), naming::label_value)
    });
    labels
        && selector.get("matchExpressions").items().all(|requirement| {
            let (operator, values) =
                (requirement.get("operator").text(), requirement.get("values"));
            let takes_values = match operator {
                "In" | "NotIn" => !values.is_empty(),
                "Exists" | "DoesNotExist" => values.is_empty(),
                _ => wording::is_placeholder(operator),
            };
            takes_values
                && fits(requirement.get("key").text(), naming::qualified_name)
                && values.items().all(|it| fits(it.text(), naming::label_value))
        })
}

/// The labels of an object by key, for selectors to be held against. The last of a key counts.
#[derive(Debug)]
pub(super) struct Labels<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Labels<'a> {
    /// Returns the labels that stand in a map.
    pub(super) fn of(map: Field<'a>) -> Self {
        Self::sorted(map.entries().map(|(key, value)| (key, value.text())).collect())
    }

    /// Returns the labels of a list.
    pub(super) fn from(list: &[(&'a str, &'a str)]) -> Self {
        Self::sorted(list.to_vec())
    }

    /// Returns these labels and those of a list.
    pub(super) fn and(mut self, list: &[(&'a str, &'a str)]) -> Self {
        self.0.extend(list);
        Self::sorted(self.0)
    }

    fn sorted(mut list: Vec<(&'a str, &'a str)>) -> Self {
        list.sort_by_key(|it| it.0);
        Self(list)
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let after = self.0.partition_point(|it| it.0 <= key);
        self.0.get(after.checked_sub(1)?).filter(|it| it.0 == key).map(|it| it.1)
    }

    /// Says whether a map of labels selects these.
    ///
    /// What is filled in later is taken to fit.
    pub(super) fn have_all_of(&self, map: Field<'_>) -> bool {
        map.entries().all(|(key, value)| {
            self.get(key).is_some_and(|it| it == value.text() || is_open(it, value.text()))
        })
    }

    /// Says whether a selector selects these labels; `selector` is taken to be valid.
    pub(super) fn match_selector(&self, selector: Field<'_>) -> bool {
        self.have_all_of(selector.get("matchLabels"))
            && selector.get("matchExpressions").items().all(|it| self.match_requirement(it))
    }

    fn match_requirement(&self, requirement: Field<'_>) -> bool {
        let label = self.get(requirement.get("key").text());
        let mut values = requirement.get("values").items();
        match requirement.get("operator").text() {
            "In" => label.is_some_and(|label| {
                values.any(|it| it.text() == label || is_open(label, it.text()))
            }),
            "NotIn" => label.is_none_or(|label| {
                values.all(|it| it.text() != label || wording::is_placeholder(label))
            }),
            "Exists" => label.is_some(),
            "DoesNotExist" => label.is_none(),
            _ => true,
        }
    }
}

/// Says whether one of two values is filled in later.
fn is_open(one: &str, two: &str) -> bool {
    wording::is_placeholder(one) || wording::is_placeholder(two)
}
