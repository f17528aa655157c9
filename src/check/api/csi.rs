//! What drivers of storage tell the cluster of themselves: `CSIDrivers`, `CSINodes` and
//! `CSIStorageCapacities`.

use std::collections::BTreeSet;

use super::Kind;
use super::cx::Cx;
use super::field::Field;
use super::forms::{IMMUTABLE, INVALID, INVALID_NAME, OUT_OF_RANGE};
use super::resources::amount;
use super::rule::Rule;
use super::selector;
use super::shared::{DUPLICATE, MISSING};
use crate::naming;

const GROUP: &str = "storage.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind { group: GROUP, name: "CSIDriver", validate: driver, update: Some(driver_update) },
    Kind { group: GROUP, name: "CSINode", validate: node, update: Some(node_update) },
    Kind {
        group: GROUP,
        name: "CSIStorageCapacity",
        validate: capacity,
        update: Some(capacity_update),
    },
];

pub(super) const RULES: &[&Rule] = &[&TOKEN_REQUEST];

const TOKEN_REQUEST: Rule = Rule::new(
    "api/invalid-token-request",
    "Token for a driver that the server does not issue",
    "Tokens live between ten minutes and 2³² seconds, and each audience is named once.",
    "mend `expirationSeconds`, or remove the audience that stands there twice",
    &["validateTokenRequests", "validateServiceAccountTokenInSecrets"],
);

/// Checks the name of a driver (`ValidateCSIDriverName`).
pub(super) fn check_driver_name<'a>(cx: &mut Cx<'a>, name: Field<'a>) {
    if !cx.require(name) {
        return;
    }
    if name.text().len() > naming::LABEL_MAX {
        cx.too_long(&INVALID_NAME, name, naming::LABEL_MAX, "characters");
    } else if let Some(wrong) = naming::dns_subdomain(&name.text().to_lowercase()) {
        cx.invalid(&INVALID_NAME, name, wrong);
    }
}

fn driver<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let spec = object.get("spec");
    cx.one_of(spec.get("fsGroupPolicy"), &["File", "None", "ReadWriteOnceWithFSType"]);
    let requests = spec.get("tokenRequests");
    let mut audiences = BTreeSet::new();
    for request in requests.items() {
        if !audiences.insert(request.get("audience").text()) {
            cx.duplicate(&TOKEN_REQUEST, request.get("audience"));
            continue;
        }
        let seconds = request.get("expirationSeconds");
        if seconds.int().is_some_and(|it| !(600..=1 << 32).contains(&it)) {
            cx.invalid(&TOKEN_REQUEST, seconds, "must be between 600 and 4294967296");
        }
    }
    let modes = spec.get("volumeLifecycleModes");
    for mode in modes.items() {
        if !matches!(mode.text(), "Persistent" | "Ephemeral") {
            cx.not_supported(&INVALID, mode, &["Persistent", "Ephemeral"]);
            cx.named(modes);
        }
    }
    if cx.minor >= 35 {
        let period = spec.get("nodeAllocatableUpdatePeriodSeconds");
        cx.at_least(period, 10);
        let in_secrets = spec.get("serviceAccountTokenInSecrets");
        if in_secrets.exists() && requests.is_empty() {
            cx.forbidden(&TOKEN_REQUEST, in_secrets, "without `tokenRequests`");
        }
    }
}

fn driver_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    let attach = |it: Field<'a>| it.get("attachRequired").bool().unwrap_or(true);
    if attach(spec) != attach(old_spec) {
        cx.immutable(&IMMUTABLE, spec.get("attachRequired"));
        cx.named(spec.get("attachedRequired"));
    }
    let modes = |it: Field<'a>| -> Vec<&'a str> {
        let modes = it.get("volumeLifecycleModes");
        if modes.is_empty() { vec!["Persistent"] } else { modes.items().map(Field::text).collect() }
    };
    if modes(spec) != modes(old_spec) {
        cx.immutable(&IMMUTABLE, spec.get("volumeLifecycleModes"));
    }
}

fn node<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let mut names = BTreeSet::new();
    for driver in object.at(&["spec", "drivers"]).items() {
        let (name, id) = (driver.get("name"), driver.get("nodeID"));
        check_driver_name(cx, name);
        cx.require(id);
        let longest = if cx.minor >= 23 { 256 } else { 192 };
        if id.text().len() > longest {
            cx.invalid(&INVALID, id, &format!("must have at most {longest} characters"));
        }
        cx.at_least(driver.get("allocatable").get("count"), 0);
        if !names.insert(name.text()) {
            cx.duplicate(&DUPLICATE, name);
        }
        let mut keys = BTreeSet::new();
        for key in driver.get("topologyKeys").items() {
            // The server names the driver, not the key.
            if key.is_empty() {
                cx.required(&MISSING, key, "");
                cx.named(driver);
            } else if let Some(wrong) = naming::qualified_name(key.text()) {
                cx.invalid(&INVALID_NAME, key, wrong);
                cx.named(driver);
            }
            if !keys.insert(key.text()) {
                cx.duplicate(&DUPLICATE, key);
                cx.named(driver);
            }
        }
    }
}

fn node_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    let way = ["spec", "drivers"];
    for driver in new.at(&way).items() {
        let name = driver.get("name").text();
        let Some(old) = old.at(&way).items().find(|it| it.get("name").text() == name) else {
            continue;
        };
        let mut same =
            ["nodeID", "topologyKeys"].iter().all(|key| driver.get(key).equals(old.get(key)));
        // How many volumes fit may change from 1.35 on.
        same &= cx.minor >= 35 || driver.get("allocatable").equals(old.get("allocatable"));
        if !same {
            cx.immutable(&IMMUTABLE, driver);
            cx.named(new.at(&way));
        }
    }
}

fn capacity<'a>(cx: &mut Cx<'a>, object: Field<'a>) {
    let topology = object.get("nodeTopology");
    let old = cx.old.map(|it| it.get("nodeTopology"));
    selector::check_leniently(cx, topology, old.is_some_and(selector::has_invalid_value));
    let class = object.get("storageClassName");
    if let Some(wrong) = naming::dns_subdomain(class.text()) {
        cx.invalid(&INVALID_NAME, class, wrong);
    }
    let capacity = object.get("capacity");
    if amount(capacity).is_some_and(|it| it.is_negative()) {
        cx.invalid(&OUT_OF_RANGE, capacity, "must not be negative");
    }
}

fn capacity_update<'a>(cx: &mut Cx<'a>, new: Field<'a>, old: Field<'a>) {
    for key in ["nodeTopology", "storageClassName"] {
        cx.unchanged(new.get(key), old.get(key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::api::fixture::{assert_clean, assert_refused, assert_update};

    fn driver(spec: &str) -> String {
        format!(
            "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {{name: a.b}}\nspec: {{{spec}}}\n"
        )
    }

    #[test]
    fn drivers() {
        assert_clean(&driver(
            "attachRequired: false, tokenRequests: [{audience: a, expirationSeconds: 600}]",
        ));
        assert_refused(&driver("fsGroupPolicy: Files"), &["spec.fsGroupPolicy"]);
        assert_refused(
            &driver("volumeLifecycleModes: [Temporary]"),
            &["spec.volumeLifecycleModes"],
        );
        assert_refused(
            &driver("tokenRequests: [{audience: a, expirationSeconds: 1}, {audience: a}]"),
            &["spec.tokenRequests[0].expirationSeconds", "spec.tokenRequests[1].audience"],
        );
    }

    #[test]
    fn drivers_stay_what_they_are() {
        assert_update(&driver(""), &driver("attachRequired: true"), &[]);
        assert_update(&driver(""), &driver("attachRequired: false"), &["spec.attachedRequired"]);
        assert_update(
            &driver(""),
            &driver("volumeLifecycleModes: [Ephemeral]"),
            &["spec.volumeLifecycleModes"],
        );
    }
}
