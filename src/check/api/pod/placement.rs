//! Where a pod may be placed: node selectors, affinity, tolerations and gates.

use std::collections::BTreeSet;

use super::{Spec, spread};
use crate::check::api::cx::Cx;
use crate::check::api::field::Field;
use crate::check::api::forms::INVALID;
use crate::check::api::rule::Rule;
use crate::check::api::selector;
use crate::check::api::shared::UNSUPPORTED;
use crate::naming;

pub(super) const RULES: &[&Rule] = &[&NODE_SELECTOR, &POD_AFFINITY, &WEIGHT, &TOLERATION];

const NODE_SELECTOR: Rule = Rule::new(
    "api/invalid-node-selector",
    "Selector of nodes that cannot match",
    "A selector of nodes has terms, each with requirements on labels or on `metadata.name`. `In` \
     and `NotIn` need values, `Gt` and `Lt` exactly one, `Exists` and `DoesNotExist` none.",
    "mend the term",
    &["ValidateNodeSelector", "ValidateNodeSelectorTerm", "ValidateNodeSelectorRequirement"],
);

const POD_AFFINITY: Rule = Rule::new(
    "api/invalid-pod-affinity",
    "Affinity to other pods that cannot be judged",
    "A term names the label of nodes that makes two places one, and namespaces that may exist.",
    "mend the term",
    &["validatePodAffinityTerm"],
);

const WEIGHT: Rule = Rule::new(
    "api/invalid-weight",
    "Weight of a preference beyond its range",
    "What a pod prefers has a weight between 1 and 100.",
    "use a weight in that range",
    &["ValidatePreferredSchedulingTerms", "validateWeightedPodAffinityTerms"],
);

const TOLERATION: Rule = Rule::new(
    "api/invalid-toleration",
    "Toleration that matches no taint",
    "Without a key a toleration is for all taints and has the operator `Exists`, which takes no \
     value. Only `NoExecute` is tolerated for a time.",
    "mend the toleration",
    &["ValidateTolerations"],
);

const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
const EFFECTS: &[&str] = &["NoExecute", "NoSchedule", "PreferNoSchedule"];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The minor in which values of required node affinity are checked, of pods and of volumes. Later
/// patches of 1.32 take them.
const VALUES_CHECKED: u32 = 33;
/// The minor in which pods may wait for gates by default.
const GATES: u32 = 27;

/// Looks at `nodeSelector`.
pub(super) fn check_node_selector<'a>(cx: &mut Cx<'a>, spec: Field<'a>) {
    selector::check_labels(cx, &NODE_SELECTOR, spec.get("nodeSelector"));
}

/// Looks at affinity, tolerations and gates.
pub(super) fn check<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>) {
    let affinity = spec.field.get("affinity");
    if affinity.exists() {
        check_node_affinity(cx, spec, affinity.get("nodeAffinity"));
        let keep = spec.had(has_invalid_values);
        for key in ["podAffinity", "podAntiAffinity"] {
            let part = affinity.get(key);
            for term in part.get(REQUIRED).items() {
                check_pod_term(cx, spec, term, keep);
            }
            for weighted in part.get(PREFERRED).items() {
                check_weight(cx, weighted.get("weight"));
                check_pod_term(cx, spec, weighted.get("podAffinityTerm"), keep);
            }
        }
    }
    check_tolerations(cx, spec.field.get("tolerations"));
    check_gates(cx, spec.field.get("schedulingGates"));
}

fn check_gates<'a>(cx: &mut Cx<'a>, gates: Field<'a>) {
    if cx.minor < GATES {
        return;
    }
    let mut names = BTreeSet::new();
    for gate in gates.items() {
        let name = gate.get("name");
        selector::check_key(cx, &INVALID, name);
        if naming::qualified_name(name.text()).is_some() {
            cx.named(gate);
        }
        if !names.insert(name.text()) {
            cx.invalid(&INVALID, gate, "has the name of another gate");
        }
    }
}

fn check_weight<'a>(cx: &mut Cx<'a>, weight: Field<'a>) {
    match weight.int() {
        Some(it) if !(1..=100).contains(&it) => {
            cx.invalid(&WEIGHT, weight, "must be between 1 and 100");
        }
        None if !weight.exists() => cx.required(&WEIGHT, weight, "it is between 1 and 100"),
        _ => {}
    }
}

fn check_node_affinity<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, affinity: Field<'a>) {
    let required = affinity.get(REQUIRED);
    if required.exists() {
        check_terms(cx, required, spec.had(has_invalid_node_values));
    }
    for preferred in affinity.get(PREFERRED).items() {
        check_weight(cx, preferred.get("weight"));
        check_term(cx, preferred.get("preference"), false);
    }
}

/// Looks at a selector of nodes with terms (`ValidateNodeSelector`); what had values before that no
/// label can have may keep them.
pub(in crate::check::api) fn check_terms<'a>(
    cx: &mut Cx<'a>,
    selector: Field<'a>,
    keep_values: bool,
) {
    let check_values = cx.minor >= VALUES_CHECKED && !keep_values;
    let terms = selector.get("nodeSelectorTerms");
    if terms.is_empty() {
        cx.required(&NODE_SELECTOR, terms, "it has at least one");
    }
    for term in terms.items() {
        check_term(cx, term, check_values);
    }
}

fn check_term<'a>(cx: &mut Cx<'a>, term: Field<'a>, check_values: bool) {
    for requirement in term.get("matchExpressions").items() {
        let (operator, values) = (requirement.get("operator"), requirement.get("values"));
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                cx.required(&NODE_SELECTOR, values, "`In` and `NotIn` need at least one");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                cx.forbidden(&NODE_SELECTOR, values, "with `Exists` and `DoesNotExist`");
            }
            "Gt" | "Lt" if values.len() != 1 => {
                cx.required(&NODE_SELECTOR, values, "`Gt` and `Lt` need exactly one");
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            _ if operator.is_empty() => cx.required(&NODE_SELECTOR, operator, ""),
            _ => cx.not_supported(&UNSUPPORTED, operator, OPERATORS),
        }
        selector::check_key(cx, &NODE_SELECTOR, requirement.get("key"));
        if check_values {
            selector::check_values(cx, &NODE_SELECTOR, values);
        }
    }
    for requirement in term.get("matchFields").items() {
        check_field(cx, requirement);
    }
}

/// Looks at a requirement on a field of nodes (`ValidateNodeFieldSelectorRequirement`).
fn check_field<'a>(cx: &mut Cx<'a>, requirement: Field<'a>) {
    let (operator, values) = (requirement.get("operator"), requirement.get("values"));
    match operator.text() {
        "In" | "NotIn" if values.len() != 1 => {
            cx.required(&NODE_SELECTOR, values, "a field takes exactly one");
        }
        "In" | "NotIn" => {}
        _ if operator.is_empty() => cx.required(&NODE_SELECTOR, operator, ""),
        _ => cx.not_supported(&UNSUPPORTED, operator, &["In", "NotIn"]),
    }
    let key = requirement.get("key");
    if key.text() == "metadata.name" {
        for value in values.items() {
            cx.name(value, naming::dns_subdomain);
        }
    } else if key.is_empty() {
        cx.required(&NODE_SELECTOR, key, "");
    } else {
        cx.not_supported(&UNSUPPORTED, key, &["metadata.name"]);
    }
}

/// Says whether the required node affinity of a spec has values that no label can have.
fn has_invalid_node_values(spec: Field<'_>) -> bool {
    let terms = spec.at(&["affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms"]).items();
    terms
        .flat_map(|it| it.get("matchExpressions").items())
        .flat_map(|it| it.get("values").items())
        .any(|it| naming::label_value(it.text()).is_some())
}

/// Says whether the pod affinity of a spec has values that no label can have.
fn has_invalid_values(spec: Field<'_>) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|key| {
        let part = spec.get("affinity").get(key);
        let preferred = part.get(PREFERRED).items().map(|it| it.get("podAffinityTerm"));
        part.get(REQUIRED).items().chain(preferred).any(|term| {
            selector::has_invalid_value(term.get("labelSelector"))
                || selector::has_invalid_value(term.get("namespaceSelector"))
        })
    })
}

/// Looks at a term of pod affinity (`validatePodAffinityTerm`).
fn check_pod_term<'a>(cx: &mut Cx<'a>, spec: &Spec<'a>, term: Field<'a>, keep_values: bool) {
    let labels = term.get("labelSelector");
    selector::check_leniently(cx, labels, keep_values);
    selector::check_leniently(cx, term.get("namespaceSelector"), keep_values);
    for name in term.get("namespaces").items() {
        if let Some(wrong) = name.str().and_then(naming::dns_label) {
            cx.invalid(&POD_AFFINITY, name, wrong);
            cx.named(term.get("namespace"));
        }
    }
    spread::check_keys_of_term(cx, spec, term);
    selector::check_key(cx, &POD_AFFINITY, term.get("topologyKey"));
}

/// Looks at tolerations (`ValidateTolerations`).
pub(in crate::check::api) fn check_tolerations<'a>(cx: &mut Cx<'a>, tolerations: Field<'a>) {
    for toleration in tolerations.items() {
        let (key, operator, value) =
            (toleration.get("key"), toleration.get("operator"), toleration.get("value"));
        let effect = toleration.get("effect");
        if !key.is_empty() {
            selector::check_key(cx, &TOLERATION, key);
        } else if operator.text() != "Exists" {
            if operator.is_empty() {
                cx.required(&TOLERATION, operator, "without a key it is `Exists`");
            } else {
                cx.invalid(&TOLERATION, operator, "must be `Exists` where there is no key");
            }
        }
        if toleration.get("tolerationSeconds").exists() && effect.text() != "NoExecute" {
            if effect.is_empty() {
                cx.required(&TOLERATION, effect, "`tolerationSeconds` is for `NoExecute` only");
            } else {
                cx.invalid(&TOLERATION, effect, "must be `NoExecute` beside `tolerationSeconds`");
            }
        }
        match operator.text() {
            "" | "Equal" => {
                if let Some(wrong) = naming::label_value(value.text()) {
                    cx.invalid(&TOLERATION, value, wrong);
                    cx.named(operator);
                }
            }
            "Exists" if !value.is_empty() => {
                cx.forbidden(&TOLERATION, value, "with the operator `Exists`");
                cx.named(operator);
            }
            "Exists" => {}
            _ => cx.not_supported(&UNSUPPORTED, operator, &["Equal", "Exists"]),
        }
        cx.one_of_if_any(effect, EFFECTS);
    }
}

/// A pod that waits for gates may be narrowed down further (`validateNodeSelectorMutation`,
/// `validateNodeAffinityMutation`).
pub(super) fn check_additions<'a>(
    cx: &mut Cx<'a>,
    rule: &'static Rule,
    new: Field<'a>,
    old: Field<'a>,
) {
    let (labels, before) = (new.get("nodeSelector"), old.get("nodeSelector"));
    if before.entries().any(|(key, value)| labels.get(key).str() != value.str()) {
        cx.immutable(rule, labels);
    }
    let terms =
        |spec: Field<'a>| spec.at(&["affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms"]);
    let (terms, before) = (terms(new), terms(old));
    if before.is_empty() {
        return;
    }
    if terms.len() != before.len() {
        cx.immutable(rule, terms);
        return;
    }
    for (term, before) in terms.items().zip(before.items()) {
        let only_added = ["matchExpressions", "matchFields"].iter().all(|key| {
            let (new, old) = (term.get(key), before.get(key));
            new.len() >= old.len() && new.items().zip(old.items()).all(|(a, b)| a.equals(b))
        });
        let was_empty =
            before.get("matchExpressions").is_empty() && before.get("matchFields").is_empty();
        let is_empty =
            term.get("matchExpressions").is_empty() && term.get("matchFields").is_empty();
        if !only_added || (was_empty && !is_empty) {
            cx.immutable(rule, term);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_pods, findings, pod};

    #[test]
    fn selectors_of_nodes() {
        let with = |term: &str| {
            format!(
                "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{term}]}}}}}}"
            )
        };
        let at = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
        for (term, refused) in [
            ("{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}", ""),
            ("{matchExpressions: [{key: a, operator: Gt}]}", "[0].matchExpressions[0].values"),
            (
                "{matchExpressions: [{key: a, operator: in, values: [b]}]}",
                "[0].matchExpressions[0].operator",
            ),
            (
                "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
                "[0].matchExpressions[0].values",
            ),
            (
                "{matchExpressions: [{key: a, operator: In, values: [b c]}]}",
                "[0].matchExpressions[0].values[0]",
            ),
            (
                "{matchFields: [{key: metadata.uid, operator: In, values: [b]}]}",
                "[0].matchFields[0].key",
            ),
        ] {
            let found = findings(37, &pod(&with(term)));
            let paths: Vec<&str> =
                found.iter().map(|it| it.2.strip_prefix("spec.").unwrap()).collect();
            let refused = if refused.is_empty() { vec![] } else { vec![format!("{at}{refused}")] };
            assert_eq!(paths, refused, "{term}");
        }
        assert_pods(&[(&with(""), &[at]), ("nodeSelector: {a b: c}", &["nodeSelector"])]);
    }

    #[test]
    fn tolerations_match_taints() {
        assert_pods(&[
            ("tolerations: [{operator: Exists}]", &[]),
            ("tolerations: [{}]", &["tolerations[0].operator"]),
            ("tolerations: [{key: a, operator: Exists, value: b}]", &["tolerations[0].operator"]),
            ("tolerations: [{key: a, operator: Gt, value: '1'}]", &["tolerations[0].operator"]),
            ("tolerations: [{key: a, tolerationSeconds: 1}]", &["tolerations[0].effect"]),
            ("tolerations: [{key: a, effect: Never}]", &["tolerations[0].effect"]),
        ]);
    }

    #[test]
    fn terms_about_other_pods() {
        let with = |term: &str| {
            format!(
                "affinity: {{podAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 0, podAffinityTerm: {{labelSelector: {{}}, {term}}}}}]}}}}"
            )
        };
        let at = "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
        let weight = format!("{at}.weight");
        let term = |key: &str| format!("{at}.podAffinityTerm.{key}");
        assert_pods(&[
            (&with("topologyKey: a"), &[&weight]),
            (&with("topologyKey: a b"), &[&weight, &term("topologyKey")]),
            (&with("topologyKey: a, namespaces: [A]"), &[&weight, &term("namespace")]),
            (
                &with("topologyKey: a, matchLabelKeys: [b], mismatchLabelKeys: [b]"),
                &[&weight, &term("matchLabelKeys[0]")],
            ),
        ]);
    }
}
