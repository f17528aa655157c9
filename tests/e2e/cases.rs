//! The cases, in their order: they share one cluster.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Response;
use crate::cluster::{Cluster, User};
use crate::gate::Gate;
use crate::process::wait_for;

const NAMESPACE: &str = "/api/v1/namespaces/apps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/apps/deployments";
const REGISTRATIONS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const WIDGETS: &str = "/apis/e2e.example.com/v1/namespaces/apps/widgets";

const CONFIGURATION: &str = "environments:
  - name: prod
    tier: production
    paths: ['**']
";

pub(crate) type Case = fn(&mut World);

pub(crate) const CASES: &[(&str, Case)] = &[
    ("what is fine passes", what_is_fine_passes),
    ("a denial says what, where and how to mend it", a_denial_says_what_and_where),
    ("a warning reaches the client", a_warning_reaches_the_client),
    ("a dry run is judged and stores nothing", a_dry_run_is_judged),
    ("what a reconciler applies is judged", what_a_reconciler_applies_is_judged),
    ("an update to the worse is denied", an_update_to_the_worse_is_denied),
    ("a Secret is judged by who writes it", a_secret_is_judged_by_who_writes_it),
    ("access is judged in the whole cluster", access_is_judged),
    ("the decision is in the audit log", the_decision_is_in_the_audit_log),
    ("what is denied can be deleted", what_is_denied_can_be_deleted),
    ("a finalizer can be taken from what is being deleted", a_finalizer_can_be_taken),
    ("every operation is answered", every_operation_is_answered),
    ("a custom resource is judged", a_custom_resource_is_judged),
    ("an object of three megabytes is judged", a_large_object_is_judged),
    ("while the gate is away one registration closes and one opens", the_gate_goes_away),
    ("certificates change under load without a failed call", certificates_change_under_load),
    ("the configuration is read again", the_configuration_is_read_again),
    ("the gate drains under load without a failed call", the_gate_drains_under_load),
];

/// Returns where the objects of a kind that `deploy` installs are created.
fn collection(object: &Value) -> &'static str {
    match object["kind"].as_str().unwrap() {
        "Namespace" => "/api/v1/namespaces",
        "ConfigMap" => "/api/v1/namespaces/tidewaiter-system/configmaps",
        "ResourceQuota" => "/api/v1/namespaces/tidewaiter-system/resourcequotas",
        "Service" => "/api/v1/namespaces/tidewaiter-system/services",
        "ServiceAccount" => "/api/v1/namespaces/tidewaiter-system/serviceaccounts",
        "Deployment" => "/apis/apps/v1/namespaces/tidewaiter-system/deployments",
        "NetworkPolicy" => {
            "/apis/networking.k8s.io/v1/namespaces/tidewaiter-system/networkpolicies"
        }
        "PodDisruptionBudget" => {
            "/apis/policy/v1/namespaces/tidewaiter-system/poddisruptionbudgets"
        }
        "ValidatingWebhookConfiguration" => REGISTRATIONS,
        other => panic!("where does a {other} go?"),
    }
}

/// The servers, and what stood there before the gate was registered.
#[derive(Debug)]
pub(crate) struct World {
    cluster: Cluster,
    gate: Gate,
}

impl World {
    pub(crate) fn new(tools: &Path, folder: &Path) -> Self {
        let gate = Gate::start(folder, CONFIGURATION);
        let cluster = Cluster::start(tools, folder);
        let world = Self { cluster, gate };
        world.furnish();
        for object in world.gate.deployment() {
            created(&world.cluster.create(User::Admin, collection(&object), &object));
        }
        // The API server takes a moment to ask whom it was told to ask.
        for (path, object) in [
            (DEPLOYMENTS, privileged("probe")),
            (
                CLUSTER_ROLES,
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRole",
                    "metadata": {"name": "probe"},
                    "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
                }),
            ),
            (&format!("{NAMESPACE}/configmaps"), leaking("probe")),
        ] {
            wait_for("registration in effect", || {
                let path = format!("{path}?dryRun=All");
                world.cluster.create(User::Alice, &path, &object).status == 403
            });
        }
        world
    }

    /// Creates what is there before the gate.
    fn furnish(&self) {
        let create = |path: &str, object: &Value| {
            created(&self.cluster.create(User::Admin, path, object));
        };
        create(
            "/api/v1/namespaces",
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}),
        );
        create(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            &json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "reconciler"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                    "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": "kustomize-controller",
                    "namespace": "flux-system"}],
            }),
        );
        create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &json!({
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "widgets.e2e.example.com"},
                "spec": {
                    "group": "e2e.example.com",
                    "names": {"kind": "Widget", "plural": "widgets"},
                    "scope": "Namespaced",
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                        "openAPIV3Schema": {"type": "object", "properties": {
                            "spec": {"type": "object",
                                "x-kubernetes-preserve-unknown-fields": true}}}}}],
                },
            }),
        );
        create(DEPLOYMENTS, &privileged("legacy"));
        create(
            &format!("{NAMESPACE}/pods"),
            &json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "web"},
                "spec": {"containers": [container("web")]},
            }),
        );
        let mut held = leaking("held");
        held["metadata"]["finalizers"] = json!(["e2e.example.com/hold"]);
        create(&format!("{NAMESPACE}/configmaps"), &held);
        for name in ["one", "two"] {
            let mut map = leaking(name);
            map["metadata"]["labels"] = json!({"collection": "yes"});
            create(&format!("{NAMESPACE}/configmaps"), &map);
        }
        wait_for("custom resource that is served", || self.cluster.get(WIDGETS).status == 200);
    }
}

const CLUSTER_ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

fn container(name: &str) -> Value {
    json!({
        "name": name,
        "image": "registry.example.com/web:1.2.3",
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]},
        },
    })
}

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "apps"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container("web")]},
            },
        },
    })
}

fn privileged(name: &str) -> Value {
    let mut object = deployment(name);
    let pod = &mut object["spec"]["template"]["spec"];
    pod["hostNetwork"] = json!(true);
    pod["containers"][0]["securityContext"] = json!({"privileged": true});
    object
}

/// A `ConfigMap` with a made-up credential in it.
fn leaking(name: &str) -> Value {
    // In parts, so that nobody takes this file for a leak.
    let lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"; 12].join("\n");
    let key = ["-----BEGIN ", "PRIVATE KEY-----\n", &lines, "\n-----END ", "PRIVATE KEY-----\n"];
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "apps"},
        "data": {"key": key.concat()},
    })
}

fn secret(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "apps"},
        "stringData": {"password": "correct-horse-battery"},
    })
}

fn said(answer: &Response) -> String {
    format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body))
}

fn created(answer: &Response) {
    assert_eq!(answer.status, 201, "{}", said(answer));
}

fn accepted(answer: &Response) {
    assert!([200, 201, 202].contains(&answer.status), "{}", said(answer));
}

/// Holds a denial to its causes: rule and field of each.
fn denied(answer: &Response, webhook: &str, causes: &[(&str, &str)]) {
    assert_eq!(answer.status, 403, "{}", said(answer));
    let status = answer.json();
    assert_eq!(status["reason"], "Forbidden");
    let start = format!("admission webhook \"{webhook}\" denied the request: [{}] ", causes[0].0);
    assert!(answer.message().starts_with(&start), "{}", answer.message());
    let list = status["details"]["causes"].as_array().cloned().unwrap_or_default();
    let found: Vec<(&str, &str)> = list
        .iter()
        .map(|it| (it["reason"].as_str().unwrap(), it["field"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(found, causes);
}

const WORKLOADS: &str = "workloads.tidewaiter.io";
const OBJECTS: &str = "objects.tidewaiter.io";
const PRIVILEGED: (&str, &str) = (
    "pod-security/privileged-container",
    "spec.template.spec.containers[0].securityContext.privileged",
);
const HOST_NETWORK: (&str, &str) = ("pod-security/host-network", "spec.template.spec.hostNetwork");

fn what_is_fine_passes(world: &mut World) {
    let answer = world.cluster.create(User::Alice, DEPLOYMENTS, &deployment("web"));
    created(&answer);
    assert_eq!(answer.warnings(), Vec::<String>::new());
}

fn a_denial_says_what_and_where(world: &mut World) {
    let answer = world.cluster.create(User::Alice, DEPLOYMENTS, &privileged("bad"));
    denied(&answer, WORKLOADS, &[PRIVILEGED, HOST_NETWORK]);
    let message = answer.message();
    let (_, told) = message.split_once(" denied the request: ").unwrap();
    assert_eq!(
        told.lines().next(),
        Some(
            "[pod-security/privileged-container] container `web` runs privileged \
         (spec.template.spec.containers[0].securityContext.privileged); to mend it: remove \
         `privileged`, and add the one capability that is needed"
        )
    );
    let status = answer.json();
    assert_eq!(status["details"]["name"], "bad");
    assert_eq!(status["details"]["kind"], "Deployment");
}

fn a_warning_reaches_the_client(world: &mut World) {
    let mut object = deployment("mounts");
    object["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "logs", "hostPath": {"path": "/var/log/apps"}}]);
    let answer = world.cluster.create(User::Alice, DEPLOYMENTS, &object);
    created(&answer);
    let warnings = answer.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("[pod-security/host-path-volume] "), "{warnings:?}");
    assert!(
        warnings[0].ends_with("(spec.template.spec.volumes[0].hostPath.path)")
            || warnings[0].ends_with("(spec.template.spec.volumes[0].hostPath)"),
        "{warnings:?}"
    );
}

fn a_dry_run_is_judged(world: &mut World) {
    let path = format!("{DEPLOYMENTS}?dryRun=All");
    let answer = world.cluster.create(User::Alice, &path, &privileged("dry"));
    denied(&answer, WORKLOADS, &[PRIVILEGED, HOST_NETWORK]);
    created(&world.cluster.create(User::Alice, &path, &deployment("dry")));
    assert_eq!(world.cluster.get(&format!("{DEPLOYMENTS}/dry")).status, 404);
}

fn what_a_reconciler_applies_is_judged(world: &mut World) {
    let path = format!("{DEPLOYMENTS}/applied");
    let with_label = |mut object: Value| {
        object["metadata"]["labels"] = json!({
            "kustomize.toolkit.fluxcd.io/name": "apps",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        });
        object
    };
    let (good, bad) = (with_label(deployment("applied")), with_label(privileged("applied")));
    accepted(&world.cluster.apply(&path, &good, true));
    denied(&world.cluster.apply(&path, &bad, true), WORKLOADS, &[PRIVILEGED, HOST_NETWORK]);
    created(&world.cluster.apply(&path, &good, false));
    // Each interval once more, though nothing changed.
    accepted(&world.cluster.apply(&path, &good, false));
    denied(&world.cluster.apply(&path, &bad, false), WORKLOADS, &[PRIVILEGED, HOST_NETWORK]);
}

fn an_update_to_the_worse_is_denied(world: &mut World) {
    let path = format!("{DEPLOYMENTS}/web");
    let change = json!({"spec": {"template": {"spec": {"hostNetwork": true}}}});
    denied(&world.cluster.merge(User::Alice, &path, &change), WORKLOADS, &[HOST_NETWORK]);
    let mut object = world.cluster.get(&path).json();
    object["spec"]["template"]["spec"]["containers"][0]["image"] =
        json!("registry.example.com/web:latest");
    denied(
        &world.cluster.replace(User::Alice, &path, &object),
        WORKLOADS,
        &[("production/latest-image-tag", "spec.template.spec.containers[0].image")],
    );
    let change = json!({"metadata": {"labels": {"team": "web"}}});
    accepted(&world.cluster.merge(User::Alice, &path, &change));
}

fn a_secret_is_judged_by_who_writes_it(world: &mut World) {
    let path = format!("{NAMESPACE}/secrets");
    let answer = world.cluster.create(User::Alice, &path, &secret("by-hand"));
    denied(&answer, OBJECTS, &[("secrets/plaintext-secret", "data")]);
    assert!(answer.message().contains("Secret `by-hand` is written by `alice@example.com`"));
    assert!(!answer.message().contains("correct-horse"));
    let mut owned = secret("unsealed");
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret", "name": "unsealed", "uid": "6e2f1a4e-0000-4000-8000-000000000001"}]);
    created(&world.cluster.create(User::Alice, &path, &owned));
    let applied = secret("decrypted");
    created(&world.cluster.apply(&format!("{path}/decrypted"), &applied, false));
    assert!(!world.gate.written().contains("correct-horse"), "a log holds a value");
    let encoded = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5";
    assert!(!world.gate.written().contains(encoded), "a log holds a value");
}

fn access_is_judged(world: &mut World) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "everything"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    });
    let answer = world.cluster.create(User::Alice, CLUSTER_ROLES, &role);
    assert_eq!(answer.status, 403, "{}", said(&answer));
    assert!(answer.message().contains("[rbac/full-wildcard]"), "{}", answer.message());
}

fn the_decision_is_in_the_audit_log(world: &mut World) {
    let annotated = |wanted: &dyn Fn(&Value) -> bool| {
        let log = std::fs::read_to_string(&world.cluster.audit_log).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .any(|event| wanted(&event["annotations"]))
    };
    wait_for("denial in the audit log", || {
        annotated(&|it| {
            it["workloads.tidewaiter.io/decision"] == "denied"
                && it["workloads.tidewaiter.io/denied-by"]
                    == "pod-security/host-network,pod-security/privileged-container"
                && it["workloads.tidewaiter.io/environment"] == "prod"
                && it["workloads.tidewaiter.io/gate-digest"]
                    .as_str()
                    .is_some_and(|it| it.len() == 64)
        })
    });
    wait_for("permission in the audit log", || {
        annotated(&|it| it["workloads.tidewaiter.io/decision"] == "allowed")
    });
}

fn what_is_denied_can_be_deleted(world: &mut World) {
    let path = format!("{DEPLOYMENTS}/legacy");
    // It stands there as it was before the gate, and no change of it passes but to the better.
    let change = json!({"metadata": {"labels": {"team": "web"}}});
    denied(
        &world.cluster.merge(User::Alice, &path, &change),
        WORKLOADS,
        &[PRIVILEGED, HOST_NETWORK],
    );
    accepted(&world.cluster.delete(User::Alice, &path));
    let collection = format!("{NAMESPACE}/configmaps?labelSelector=collection%3Dyes");
    accepted(&world.cluster.delete(User::Alice, &collection));
    let left = world.cluster.get(&collection).json()["items"].as_array().unwrap().len();
    assert_eq!(left, 0);
}

fn a_finalizer_can_be_taken(world: &mut World) {
    let path = format!("{NAMESPACE}/configmaps/held");
    accepted(&world.cluster.delete(User::Alice, &path));
    // It is still there, and being deleted is no licence.
    let change = json!({"data": {"more": "text"}});
    assert_eq!(world.cluster.merge(User::Alice, &path, &change).status, 403);
    let change = json!({"metadata": {"finalizers": null}});
    accepted(&world.cluster.merge(User::Alice, &path, &change));
    assert_eq!(world.cluster.get(&path).status, 404);
}

/// Registers the gate for what `deploy` leaves out, so that it is asked about every operation.
fn register_widely(world: &World) {
    let registration = world.gate.registration();
    let mut webhook = registration["webhooks"][0].clone();
    webhook["name"] = json!("all.tidewaiter.io");
    webhook["rules"] = json!([{
        "operations": ["*"],
        "apiGroups": ["", "apps", "policy", "autoscaling", "e2e.example.com"],
        "apiVersions": ["*"],
        "resources": ["deployments/*", "pods/*", "pods", "configmaps", "widgets"],
        "scope": "Namespaced",
    }]);
    webhook.as_object_mut().unwrap().remove("matchConditions");
    let wide = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "everything"},
        "webhooks": [webhook],
    });
    let answer = world.cluster.create(User::Admin, REGISTRATIONS, &wide);
    if answer.status != 409 {
        created(&answer);
    }
    let widget = json!({"apiVersion": "e2e.example.com/v1", "kind": "Widget",
        "metadata": {"name": "probe"}, "spec": {"key": leaking("probe")["data"]["key"]}});
    wait_for("wide registration in effect", || {
        let path = format!("{WIDGETS}?dryRun=All");
        world.cluster.create(User::Alice, &path, &widget).status == 403
    });
}

fn every_operation_is_answered(world: &mut World) {
    register_widely(world);
    let scale = json!({"spec": {"replicas": 3}});
    accepted(&world.cluster.merge(User::Alice, &format!("{DEPLOYMENTS}/web/scale"), &scale));
    let status = json!({"status": {"observedGeneration": 1}});
    accepted(&world.cluster.merge(User::Alice, &format!("{DEPLOYMENTS}/web/status"), &status));
    let pod = format!("{NAMESPACE}/pods/web");
    // Admission lets it through; then there is no node to go to.
    let answer = world.cluster.connect(User::Alice, &format!("{pod}/exec?command=id&stdout=true"));
    assert!(answer.message().contains("does not have a host assigned"), "{}", said(&answer));
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": "web", "namespace": "apps"}});
    accepted(&world.cluster.create(User::Alice, &format!("{pod}/eviction"), &eviction));
    created(&world.cluster.create(
        User::Alice,
        &format!("{NAMESPACE}/configmaps"),
        &json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"},
        }),
    ));
    accepted(&world.cluster.delete(User::Alice, &format!("{NAMESPACE}/configmaps")));
    let log = world.gate.written();
    let asked = |operation: &str, kind: &str| {
        log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| {
            line["operation"] == operation && line["gvk"] == kind && line["decision"] == "allowed"
        })
    };
    for (operation, kind) in [
        ("UPDATE", "autoscaling/v1/Scale"),
        ("UPDATE", "apps/v1/Deployment"),
        ("CONNECT", "v1/PodExecOptions"),
        ("CREATE", "policy/v1/Eviction"),
        ("CREATE", "v1/ConfigMap"),
        ("DELETE", "v1/ConfigMap"),
    ] {
        assert!(asked(operation, kind), "the gate was not asked about {operation} of {kind}");
    }
}

fn a_custom_resource_is_judged(world: &mut World) {
    register_widely(world);
    let mut widget = json!({"apiVersion": "e2e.example.com/v1", "kind": "Widget",
        "metadata": {"name": "w"}, "spec": {"size": 1.0, "count": 12}});
    created(&world.cluster.create(User::Alice, WIDGETS, &widget));
    widget["metadata"]["name"] = json!("leaking");
    widget["spec"]["key"] = leaking("x")["data"]["key"].clone();
    let answer = world.cluster.create(User::Alice, WIDGETS, &widget);
    denied(&answer, "all.tidewaiter.io", &[("secrets/private-key", "spec.key")]);
}

fn a_large_object_is_judged(world: &mut World) {
    register_widely(world);
    let items: Vec<String> = (0..27_000).map(|it| format!("{it:0>110}")).collect();
    let mut widget = json!({"apiVersion": "e2e.example.com/v1", "kind": "Widget",
        "metadata": {"name": "large"}, "spec": {"items": items}});
    assert!(widget.to_string().len() > 3_000_000);
    let path = format!("{WIDGETS}?dryRun=All");
    created(&world.cluster.create(User::Alice, &path, &widget));
    widget["spec"]["items"][26_999] = leaking("x")["data"]["key"].clone();
    let answer = world.cluster.create(User::Alice, &path, &widget);
    denied(&answer, "all.tidewaiter.io", &[("secrets/private-key", "spec.items[26999]")]);
    accepted(&world.cluster.delete(User::Admin, &format!("{REGISTRATIONS}/everything")));
}

fn the_gate_goes_away(world: &mut World) {
    world.gate.kill();
    let path = format!("{DEPLOYMENTS}?dryRun=All");
    let answer = world.cluster.create(User::Alice, &path, &deployment("alone"));
    assert_eq!(answer.status, 500, "{}", said(&answer));
    assert!(
        answer.message().contains("failed calling webhook \"workloads.tidewaiter.io\""),
        "{}",
        answer.message()
    );
    let maps = format!("{NAMESPACE}/configmaps?dryRun=All");
    created(&world.cluster.create(User::Alice, &maps, &leaking("alone")));
    world.gate.restart();
    created(&world.cluster.create(User::Alice, &path, &deployment("alone")));
    let answer = world.cluster.create(User::Alice, &path, &privileged("alone"));
    denied(&answer, WORKLOADS, &[PRIVILEGED, HOST_NETWORK]);
}

fn certificates_change_under_load(world: &mut World) {
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    // The load reads the cluster, the rotation writes the files.
    let World { cluster, gate } = world;
    let asking = Asking { cluster };
    let wrong = thread::scope(|scope| {
        let load = scope.spawn(|| asking.load(&stop, &calls));
        for _ in 0..3 {
            let before = gate.served_certificate();
            let done = calls.load(Ordering::Relaxed);
            wait_for("calls before the rotation", || calls.load(Ordering::Relaxed) > done + 20);
            gate.rotate();
            wait_for("new certificate", || gate.served_certificate() != before);
            let done = calls.load(Ordering::Relaxed);
            wait_for("calls after the rotation", || calls.load(Ordering::Relaxed) > done + 20);
        }
        stop.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert_eq!(wrong, Vec::<String>::new(), "of {} calls", calls.load(Ordering::Relaxed));
}

fn the_configuration_is_read_again(world: &mut World) {
    let path = format!("{DEPLOYMENTS}?dryRun=All");
    let only_network = |world: &World| {
        let answer = world.cluster.create(User::Alice, &path, &privileged("configured"));
        answer.status == 403 && !answer.message().contains("pod-security/privileged-container")
    };
    let off = "enforcement:\n  - rules: [pod-security/privileged-container]\n    set: 'off'\n";
    world.gate.configure(&format!("{CONFIGURATION}{off}"));
    wait_for("new configuration", || only_network(world));
    // A broken one changes nothing, and is complained about.
    world.gate.configure(&format!("{CONFIGURATION}{off}    wrong: true\n"));
    wait_for("complaint", || world.gate.written().contains("wrong"));
    assert!(only_network(world));
    world.gate.configure(CONFIGURATION);
    wait_for("old configuration", || {
        let answer = world.cluster.create(User::Alice, &path, &privileged("configured"));
        answer.message().contains("pod-security/privileged-container")
    });
}

fn the_gate_drains_under_load(world: &mut World) {
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let World { cluster, gate } = world;
    let asking = Asking { cluster };
    let wrong = thread::scope(|scope| {
        let load = scope.spawn(|| asking.load(&stop, &calls));
        wait_for("calls", || calls.load(Ordering::Relaxed) > 20);
        gate.process().terminate();
        wait_for("gate that says that it is leaving", || gate.health("/readyz") == 503);
        // Whoever is told that it leaves needs a moment to send its calls elsewhere.
        thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert_eq!(wrong, Vec::<String>::new(), "of {} calls", calls.load(Ordering::Relaxed));
    assert!(world.gate.process().wait().success(), "{}", world.gate.written());
    world.gate.restart();
}

/// What asks the API server in the background.
struct Asking<'a> {
    cluster: &'a Cluster,
}

impl Asking<'_> {
    /// Asks the API server until `stop` is set, from several threads; returns what it
    /// answered otherwise than it should.
    fn load(&self, stop: &AtomicBool, calls: &AtomicUsize) -> Vec<String> {
        let (good, bad) = (deployment("load"), privileged("load"));
        let path = format!("{DEPLOYMENTS}?dryRun=All");
        thread::scope(|scope| {
            let ask = || {
                let mut wrong = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    for (object, status) in [(&good, 201), (&bad, 403)] {
                        let answer = self.cluster.create(User::Alice, &path, object);
                        if answer.status != status {
                            wrong.push(String::from_utf8_lossy(&answer.body).into_owned());
                        }
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                }
                wrong
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
        })
    }
}
