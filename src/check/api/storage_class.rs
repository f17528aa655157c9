//! `StorageClasses` and `VolumeAttributesClasses`.

use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{IMMUTABLE, INVALID_NAME};
use super::rule::Rule;
use super::selector;
use super::shared::{DUPLICATE, MISSING, UNSUPPORTED};
use crate::naming;

const GROUP: &str = "storage.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "StorageClass", validate, update: Some(update) },
    Kind {
        group: GROUP,
        name: "VolumeAttributesClass",
        validate: attributes,
        update: Some(attributes_update),
    },
];

pub(super) const RULES: &[&Rule] = &[&PARAMETERS, &TOPOLOGY, &OLD_LABEL];

const PARAMETERS: Rule = Rule::new(
    "api/invalid-parameters",
    "Parameters of a class of volumes that the server does not keep",
    "There are at most 512 parameters of 256 KiB together, and each has a name.",
    "leave parameters out",
    &["validateParameters"],
);

const TOPOLOGY: Rule = Rule::new(
    "api/invalid-topology",
    "Topology of a class of volumes that no node has",
    "Each term names labels of nodes, each once, with values, each once; no term stands there twice.",
    "mend the term, or leave it out",
    &["ValidateTopologySelectorTerm", "validateAllowedTopologies"],
);

pub(super) const OLD_LABEL: Rule = Rule::new(
    "api/old-node-label",
    "Label of nodes that has a successor",
    "New nodes may not have the old label any more.",
    "use the label that the message names",
    &["GetNodeLabelDeprecatedMessage"],
)
.warning();

/// Labels of nodes and what to use instead.
const OLD_LABELS: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"),
];

fn validate<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_provisioner(cx, object.get("provisioner"));
    check_parameters(cx, object.get("parameters"));
    let policy = object.get("reclaimPolicy");
    if policy.text() == "Recycle" {
        cx.not_supported(&UNSUPPORTED, policy, &["Delete", "Retain"]);
    }
    let mode = object.get("volumeBindingMode");
    if mode.exists() && mode.text().is_empty() {
        cx.not_supported(&UNSUPPORTED, mode, &["Immediate", "WaitForFirstConsumer"]);
    }
    check_topologies(cx, object.get("allowedTopologies"));
}

/// Checks the name of a provisioner or a driver (`validateProvisioner`).
fn check_provisioner<'a>(cx: &mut Cx<'a>, name: Field<'a>) {
    if cx.require(name)
        && let Some(wrong) = naming::qualified_name(&name.text().to_lowercase())
    {
        cx.invalid(&INVALID_NAME, name, wrong);
    }
}

fn check_parameters<'a>(cx: &mut Cx<'a>, parameters: Field<'a>) {
    if parameters.len() > 512 {
        cx.too_long(&PARAMETERS, parameters, 512, "entries");
        return;
    }
    let mut size = 0;
    for (key, value) in parameters.entries() {
        if key.is_empty() {
            cx.invalid_key_of(&PARAMETERS, parameters, key, "must not be empty");
        }
        size += key.len() + value.text().len();
    }
    if size > 256 * 1024 {
        cx.too_long(&PARAMETERS, parameters, 256 * 1024, "bytes");
    }
}

fn check_topologies<'a>(cx: &mut Cx<'a>, terms: Field<'a>) {
    let mut seen = BTreeSet::new();
    for term in terms.items() {
        let expressions = term.get("matchLabelExpressions");
        let mut meaning: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for expression in expressions.items() {
            let (key, values) = (expression.get("key"), expression.get("values"));
            let mut set = BTreeSet::new();
            if values.is_empty() {
                cx.required(&TOPOLOGY, values, "");
            }
            for value in values.items() {
                if !set.insert(value.text()) {
                    cx.duplicate(&TOPOLOGY, value);
                }
            }
            selector::check_key(cx, &TOPOLOGY, key);
            warn_old_label(cx, key);
            if meaning.insert(key.text(), set).is_some() {
                cx.duplicate(&TOPOLOGY, key);
            }
        }
        // The server holds every term against as many empty ones as there are terms.
        if !seen.insert(meaning.clone()) || meaning.is_empty() {
            cx.invalid(&DUPLICATE, expressions, "has the meaning of an earlier term");
        }
    }
}

/// Warns of a label of nodes that has a successor.
pub(super) fn warn_old_label<'a>(cx: &mut Cx<'a>, key: Field<'a>) {
    if let Some((_, new)) = OLD_LABELS.iter().find(|it| it.0 == key.text()) {
        cx.invalid(&OLD_LABEL, key, &format!("is the old name of `{new}`"));
    }
}

fn update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    for key in ["parameters", "provisioner"] {
        cx.unchanged(new.get(key), old.get(key));
    }
    for (key, default) in [("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")] {
        let value =
            |it: Field<'a>| it.get(key).str().filter(|it| !it.is_empty()).unwrap_or(default);
        if value(new) != value(old) {
            cx.immutable(&IMMUTABLE, new.get(key));
        }
    }
}

fn attributes<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    check_provisioner(cx, object.get("driverName"));
    let parameters = object.get("parameters");
    check_parameters(cx, parameters);
    if parameters.is_empty() {
        cx.required(&MISSING, parameters, "a class has at least one parameter");
    }
}

fn attributes_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    for key in ["driverName", "parameters"] {
        cx.unchanged(new.get(key), old.get(key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{
        assert_clean, assert_one, assert_refused, assert_update, findings,
    };

    fn class(fields: &str) -> String {
        format!(
            "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: a}}\nprovisioner: ebs.csi.aws.com\n{fields}"
        )
    }

    #[test]
    fn fields_are_right() {
        assert_clean(&class("reclaimPolicy: Retain\nparameters: {type: gp3}\n"));
        assert_refused(&class("").replace("ebs.csi.aws.com", "''"), &["provisioner"]);
        assert_refused(&class("").replace("ebs.csi.aws.com", "a b"), &["provisioner"]);
        assert_one(
            &class("reclaimPolicy: Recycle\n"),
            "api/unsupported-value",
            "`Recycle` is not a value of `reclaimPolicy`",
            "reclaimPolicy",
            "Recycle",
        );
    }

    #[test]
    fn topologies_are_those_of_nodes() {
        let topology = |terms: &str| class(&format!("allowedTopologies: [{terms}]\n"));
        let term = "{matchLabelExpressions: [{key: zone, values: [a]}]}";
        assert_clean(&topology(term));
        assert_refused(
            &topology(&format!("{term}, {term}")),
            &["allowedTopologies[1].matchLabelExpressions"],
        );
        assert_refused(
            &topology(&term.replace("[a]", "[a, a]")),
            &["allowedTopologies[0].matchLabelExpressions[0].values[1]"],
        );
        let old = topology(&term.replace("zone", "failure-domain.beta.kubernetes.io/zone"));
        assert_eq!(findings(37, &old)[0].0, "api/old-node-label");
    }

    #[test]
    fn a_class_stays_as_it_is() {
        let old = class("parameters: {type: gp3}\n");
        assert_update(&old, &class("parameters: {type: gp3}\nreclaimPolicy: Delete\n"), &[]);
        assert_update(&old, &class("parameters: {type: gp2}\n"), &["parameters"]);
        assert_update(
            &old,
            &class("parameters: {type: gp3}\nvolumeBindingMode: WaitForFirstConsumer\n"),
            &["volumeBindingMode"],
        );
    }
}
