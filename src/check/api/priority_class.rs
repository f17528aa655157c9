//! `PriorityClasses`.

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::IMMUTABLE;
use super::rule::Rule;
use super::shared::UNSUPPORTED;

pub(super) const KINDS: &[Kind] =
    &[Kind { group: "scheduling.k8s.io", name: "PriorityClass", validate, update: Some(update) }];

pub(super) const RULES: &[&Rule] = &[&PRIORITY];

const PRIORITY: Rule = Rule::new(
    "api/reserved-priority",
    "Priority that is reserved for the system",
    "Names that begin with `system-` and values above 1000000000 belong to the two classes of \
     Kubernetes itself.",
    "use another name and a value of at most 1000000000",
    &["ValidatePriorityClass"],
);

/// The greatest value of a class that users define (`HighestUserDefinablePriority`).
const HIGHEST: i64 = 1_000_000_000;
const SYSTEM: &[(&str, i64)] =
    &[("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let (name, value) = (object.at(&["metadata", "name"]), object.get("value"));
    if name.text().starts_with("system-") {
        let own = SYSTEM.iter().any(|it| {
            it.0 == name.text()
                && value.int().unwrap_or(0) == it.1
                && !object.get("globalDefault").is_true()
        });
        if !own {
            cx.invalid(&PRIORITY, name, "is reserved for the classes of Kubernetes itself");
        }
    } else if value.int().is_some_and(|it| it > HIGHEST) {
        cx.invalid(&PRIORITY, value, "must be at most 1000000000");
    }
    let policy = object.get("preemptionPolicy");
    if policy.exists() && policy.text().is_empty() {
        cx.not_supported(&UNSUPPORTED, policy, &["Never", "PreemptLowerPriority"]);
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let value = |it: Field<'a>| it.get("value").int().unwrap_or(0);
    if value(new) != value(old) {
        cx.immutable(&IMMUTABLE, new.get("value"));
    }
    let policy = |it: Field<'a>| it.get("preemptionPolicy").str().unwrap_or("PreemptLowerPriority");
    if policy(new) != policy(old) {
        cx.immutable(&IMMUTABLE, new.get("preemptionPolicy"));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    fn class(name: &str, value: i64) -> String {
        format!(
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {name}}}\nvalue: {value}\n"
        )
    }

    #[test]
    fn the_system_has_its_own() {
        assert_clean(&class("a", 1_000_000_000));
        assert_refused(&class("a", 1_000_000_001), &["value"]);
        assert_refused(&class("system-a", 1), &["metadata.name"]);
        assert_clean(&class("system-node-critical", 2_000_001_000));
    }

    #[test]
    fn values_stay() {
        assert_update(&class("a", 1), &class("a", 2), &["value"]);
        let never = format!("{}preemptionPolicy: Never\n", class("a", 1));
        assert_update(&class("a", 1), &never, &["preemptionPolicy"]);
    }
}
