//! Every operation and subresource is judged by what it would do.

use serde_json::{Value, json};

use crate::ask::{
    answered, ask, causes, config_map, configured, create, delete, gate, good_pod, host_network,
    pairs, production, update,
};

const HOST_NETWORK: &str = "pod-security/host-network";
const ON_HOST: (&str, &str) = (HOST_NETWORK, "spec.hostNetwork");

/// Returns a `Secret` that a person writes, with a made-up value.
fn secret(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name, "namespace": "apps"},
        "data": {"password": value},
    })
}

#[test]
fn w22_a_dry_run_has_the_same_verdict() {
    let gates = [gate(), production()];
    for gate in &gates {
        for review in [
            create(host_network()),
            create(good_pod()),
            update(good_pod(), host_network()),
            delete(host_network()),
            create(secret("a", "aHVudGVyMg==")),
        ] {
            let mut dry = review.clone();
            dry["request"]["dryRun"] = json!(true);
            dry["request"]["options"]["dryRun"] = json!(["All"]);
            assert_eq!(ask(gate, &dry), ask(gate, &review));
        }
    }
}

#[test]
fn w24_a_removal_of_what_a_rule_denies_is_allowed() {
    let gate = gate();
    for object in [host_network(), secret("a", "aHVudGVyMg==")] {
        assert_eq!(ask(&gate, &create(object.clone()))["response"]["allowed"], false);
        let answer = ask(&gate, &delete(object));
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
        assert_eq!(answer["response"]["warnings"], Value::Null);
    }
}

#[test]
fn w24_what_goes_away_has_the_name_of_the_old_object() {
    let gate = gate();
    // One removal of a collection has no name of its own.
    let mut review = delete(config_map("settings"));
    for name in [json!(""), json!(null)] {
        review["request"]["name"] = name;
        let record = answered(&gate, review.to_string()).record;
        assert_eq!(record.name, "settings");
        assert_eq!(record.namespace, "apps");
        assert_eq!(record.operation, "DELETE");
    }
}

#[test]
fn w24_a_finalizer_of_an_object_that_is_being_deleted_may_always_go() {
    let gate = gate();
    let mut old = host_network();
    old["metadata"]["deletionTimestamp"] = json!("2026-05-01T08:00:00Z");
    old["metadata"]["finalizers"] = json!(["example.com/a", "example.com/b"]);
    old["metadata"]["resourceVersion"] = json!("7");
    let with = |finalizers: Value| {
        let mut object = old.clone();
        object["metadata"]["finalizers"] = finalizers;
        object["metadata"]["resourceVersion"] = json!("8");
        object["metadata"]["managedFields"] = json!([{"manager": "controller"}]);
        object
    };
    for kept in [json!(["example.com/b"]), json!([]), json!(null)] {
        let answer = ask(&gate, &update(old.clone(), with(kept)));
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
    }
    // One that is added, exchanged or kept frees nothing.
    for kept in [
        json!(["example.com/a", "example.com/b", "example.com/c"]),
        json!(["example.com/c"]),
        json!(["example.com/a", "example.com/b"]),
    ] {
        let answer = ask(&gate, &update(old.clone(), with(kept)));
        assert_eq!(causes(&answer), pairs(&[ON_HOST]), "{answer}");
    }
}

#[test]
fn w24_a_deletion_timestamp_does_not_disable_rules_for_other_changes() {
    let gate = gate();
    let deleted = |mut object: Value, finalizers: Value| {
        object["metadata"]["deletionTimestamp"] = json!("2026-05-01T08:00:00Z");
        object["metadata"]["finalizers"] = finalizers;
        object
    };
    let old = deleted(good_pod(), json!(["example.com/a"]));
    // A change beside the finalizer that goes.
    let answer = ask(&gate, &update(old, deleted(host_network(), json!([]))));
    assert_eq!(causes(&answer), pairs(&[ON_HOST]), "{answer}");
    // A deletion timestamp that only the new object claims to have.
    let mut claimed = host_network();
    claimed["metadata"]["finalizers"] = json!(["example.com/a"]);
    let answer = ask(&gate, &update(claimed, deleted(host_network(), json!([]))));
    assert_eq!(causes(&answer), pairs(&[ON_HOST]), "{answer}");
    // And one at creation, which no server would take.
    let answer = ask(&gate, &create(deleted(host_network(), json!([]))));
    assert_eq!(causes(&answer), pairs(&[ON_HOST]), "{answer}");
}

#[test]
fn w25_a_change_of_status_passes() {
    let gate = gate();
    let mut review = update(host_network(), host_network());
    review["request"]["subResource"] = json!("status");
    assert_eq!(ask(&gate, &review)["response"]["allowed"], true);
    // Only a change: nothing is created under the name of a status.
    let mut review = create(host_network());
    review["request"]["subResource"] = json!("status");
    assert_eq!(causes(&ask(&gate, &review)), pairs(&[ON_HOST]));
    let mut review = update(host_network(), host_network());
    review["request"]["subResource"] = json!("Status");
    assert_eq!(causes(&ask(&gate, &review)), pairs(&[ON_HOST]));
}

#[test]
fn w25_scale_eviction_and_binding_are_judged_by_the_kind_that_they_carry() {
    let gate = production();
    let meta = json!({"name": "web", "namespace": "apps"});
    for (sub_resource, object) in [
        (
            "scale",
            json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta,
                   "spec": {"replicas": 5}, "status": {"replicas": 1, "selector": "app=web"}}),
        ),
        ("eviction", json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta})),
        (
            "binding",
            json!({"apiVersion": "v1", "kind": "Binding", "metadata": meta,
                   "target": {"kind": "Node", "name": "n1"}}),
        ),
    ] {
        let mut review = create(object);
        review["request"]["subResource"] = json!(sub_resource);
        let answer = ask(&gate, &review);
        assert_eq!(answer["response"]["allowed"], true, "{sub_resource}: {answer}");
        let record = answered(&gate, review.to_string()).record;
        assert_eq!(record.sub_resource, sub_resource);
        assert_eq!(record.name, "web");
    }
    // An ephemeral container is a Pod as a whole.
    let mut pod = good_pod();
    pod["spec"]["ephemeralContainers"] = json!([{
        "name": "debug",
        "image": "registry.example.com/tools:3",
        "securityContext": {"privileged": true},
    }]);
    let mut review = update(good_pod(), pod);
    review["request"]["subResource"] = json!("ephemeralcontainers");
    assert_eq!(
        causes(&ask(&gate, &review)),
        pairs(&[(
            "pod-security/privileged-container",
            "spec.ephemeralContainers[0].securityContext.privileged"
        )])
    );
}

#[test]
fn w25_a_connection_stores_nothing() {
    let gate = production();
    for (kind, sub_resource, name) in [
        ("PodExecOptions", "exec", "web"),
        ("PodAttachOptions", "attach", "web"),
        ("PodPortForwardOptions", "portforward", "web"),
        ("NodeProxyOptions", "proxy", "n1"),
    ] {
        let options =
            json!({"apiVersion": "v1", "kind": kind, "container": "web", "command": ["sh"]});
        let mut review = create(options);
        let request = &mut review["request"];
        request["operation"] = json!("CONNECT");
        request["subResource"] = json!(sub_resource);
        request["name"] = json!(name);
        request["namespace"] = json!("apps");
        request["options"] = Value::Null;
        let answer = ask(&gate, &review);
        assert_eq!(answer["response"]["allowed"], true, "{kind}: {answer}");
        let record = answered(&gate, review.to_string()).record;
        assert_eq!((record.kind.as_str(), record.name.as_str()), (kind, name));
        assert_eq!(record.sub_resource, sub_resource);
    }
}

#[test]
fn a_change_of_what_was_already_denied_is_denied() {
    // The object of a change is judged as a whole, as a repository is.
    let mut changed = host_network();
    changed["metadata"]["labels"] = json!({"a": "b"});
    let answer = ask(&gate(), &update(host_network(), changed));
    assert_eq!(causes(&answer), pairs(&[ON_HOST]));
}

#[test]
fn a_secret_is_judged_by_who_writes_it() {
    let gate = gate();
    let written_by = |object: Value, user: &str| {
        let mut review = create(object);
        review["request"]["userInfo"]["username"] = json!(user);
        causes(&ask(&gate, &review))
    };
    let denied = pairs(&[("secrets/plaintext-secret", "data")]);
    let value = "aHVudGVyMg==";
    assert_eq!(written_by(secret("a", value), "alice"), denied);
    assert_eq!(written_by(secret("a", value), "system:admin"), denied);
    let flux = "system:serviceaccount:flux-system:kustomize-controller";
    assert_eq!(written_by(secret("a", value), flux), []);
    assert_eq!(written_by(secret("a", ""), "alice"), []);
    let mut owned = secret("a", value);
    owned["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "a", "uid": "1",
    }]);
    assert_eq!(written_by(owned, "alice"), []);
}

#[test]
fn the_environment_and_the_configuration_of_the_cluster_decide() {
    let mut pod = good_pod();
    pod["spec"]["containers"][0]["image"] = json!("registry.example.com/web:latest");
    let image = ("production/latest-image-tag", "spec.containers[0].image");
    assert_eq!(causes(&ask(&gate(), &create(pod.clone()))), []);
    assert_eq!(causes(&ask(&production(), &create(pod))), pairs(&[image]));
    let warns = configured("enforcement:\n  - {rules: [pod-security/host-network], set: warn}\n");
    let answer = ask(&warns, &create(host_network()));
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    assert_eq!(
        answer["response"]["warnings"],
        json!(["[pod-security/host-network] Pod `web` runs in the network of its node \
             (spec.hostNetwork)"])
    );
    assert_eq!(answer["response"]["auditAnnotations"]["warned-by"], "pod-security/host-network");
    let off = configured("enforcement:\n  - {rules: [pod-security/host-network], set: off}\n");
    let answer = ask(&off, &create(host_network()));
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    assert_eq!(answer["response"]["warnings"], Value::Null);
}
