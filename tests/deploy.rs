//! What installs the gate: it passes the gate, and keeps what its comments promise.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use clap::Parser as _;
use serde_json::{Value, json};
use tidewaiter::admission::Decision;
use tidewaiter::certificates;
use tidewaiter::check::policy::built_in_modules;
use tidewaiter::check::{KindScope, schema};
use tidewaiter::cli::{Cli, Command, Serve};
use tidewaiter::date::Date;
use tidewaiter::judge::Exit;
use tidewaiter::load::{Limits, Repository};
use tidewaiter::render::{Cache, kustomize};
use tidewaiter::rule::Doors;
use tidewaiter::run::{self, Gate, GateOptions, Input, Inputs, Options};
use tidewaiter::source::{Origin, RepoPath, Source};

/// What a user may install.
const FOLDERS: [&str; 3] =
    ["deploy/base", "deploy/overlays/cert-manager", "deploy/overlays/own-certificates"];

/// The namespaces without which a cluster does not work, and that of the gate.
const PROTECTED: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "tidewaiter-system"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Reads `deploy`, with some files replaced.
fn repository(replaced: &[(&str, String)]) -> Repository {
    let mut repository = Repository::new(Limits::default());
    let mut add = |path: &str, text: Vec<u8>| {
        repository.add(Source::new(RepoPath::new(path), Origin::File, text), true);
    };
    // A file that is there already keeps its text.
    for (path, text) in replaced {
        add(path, text.clone().into_bytes());
    }
    let mut folders = vec![root().join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                add(&name, fs::read(&path).unwrap());
            }
        }
    }
    repository
}

/// Returns the objects that a folder installs.
fn rendered_from(repository: &Repository, folder: &str) -> Vec<Value> {
    let rendered = kustomize(repository, &RepoPath::new(folder), &Cache::default());
    let rendered = rendered.unwrap();
    assert_eq!(rendered.gaps, []);
    rendered.objects.iter().map(|document| document.root.to_json()).collect()
}

fn rendered(folder: &str) -> Vec<Value> {
    rendered_from(&repository(&[]), folder)
}

/// Returns the one object of a kind.
fn only(objects: &[Value], kind: &str) -> Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let object = found.next().unwrap_or(&Value::Null).clone();
    assert!(object.is_object(), "no {kind}");
    assert!(found.next().is_none(), "more than one {kind}");
    object
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

fn webhooks(objects: &[Value]) -> Vec<Value> {
    only(objects, "ValidatingWebhookConfiguration")["webhooks"].as_array().unwrap().clone()
}

fn closes(webhook: &Value) -> bool {
    webhook["failurePolicy"] == "Fail"
}

/// Returns every group and resource of a webhook, each with where its objects live.
fn resources(webhook: &Value) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    for rule in webhook["rules"].as_array().unwrap() {
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                let scope = rule["scope"].as_str().unwrap();
                out.push((group.to_owned(), resource.to_owned(), scope.to_owned()));
            }
        }
    }
    out
}

/// Returns the namespaces whose objects a webhook is not asked about.
fn left_out(webhook: &Value) -> BTreeSet<String> {
    let selector = &webhook["namespaceSelector"];
    assert_eq!(selector.as_object().unwrap().len(), 1, "no labels that tenants could set");
    let expressions = selector["matchExpressions"].as_array().unwrap();
    assert_eq!(expressions.len(), 1);
    assert_eq!(expressions[0]["key"], "kubernetes.io/metadata.name");
    assert_eq!(expressions[0]["operator"], "NotIn");
    strings(&expressions[0]["values"]).into_iter().map(str::to_owned).collect()
}

fn container(objects: &[Value]) -> Value {
    let deployment = only(objects, "Deployment");
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

/// Returns what the command line of the container means.
fn serve(objects: &[Value]) -> Serve {
    let container = container(objects);
    let cli = Cli::try_parse_from([&["tidewaiter"], &strings(&container["args"])[..]].concat());
    match cli.unwrap().command {
        Command::Serve(serve) => serve,
        other => panic!("the container does not serve: {other:?}"),
    }
}

#[test]
fn it_passes_the_gate() {
    let options = Options {
        input: Input::Paths(vec!["deploy".into()]),
        current_dir: root(),
        ..Options::default()
    };
    let outcome = run::check(&options, &()).unwrap();
    let verdict = &outcome.verdict;
    assert_eq!(verdict.exit(), Exit::Passed);
    assert_eq!(verdict.failures, []);
    assert_eq!(verdict.summary.not_judged, []);
    let found: BTreeSet<(&str, String)> = verdict
        .findings
        .iter()
        .map(|it| {
            let path = outcome.sources().path(it.finding.primary.span);
            let kind = it.finding.object.as_ref().map_or("", |object| &*object.kind);
            (it.finding.rule.as_str(), format!("{path}: {kind}"))
        })
        .collect();
    // Those of cert-manager are judged by the definitions that the program brings along.
    assert_eq!(found, BTreeSet::new());
    // Both ways to install it are judged as what they render to.
    assert_eq!(verdict.summary.roots, 2);
}

#[test]
fn nothing_of_it_needs_a_right() {
    for folder in FOLDERS {
        let objects = rendered(folder);
        for object in &objects {
            let group = object["apiVersion"].as_str().unwrap();
            assert!(!group.starts_with("rbac.authorization.k8s.io/"), "{object}");
        }
        assert_eq!(only(&objects, "ServiceAccount")["automountServiceAccountToken"], false);
        let deployment = only(&objects, "Deployment");
        assert_eq!(deployment["spec"]["template"]["spec"]["automountServiceAccountToken"], false);
    }
}

#[test]
fn every_object_is_in_the_namespace_of_the_gate() {
    for folder in FOLDERS {
        for object in rendered(folder) {
            let kind = object["kind"].as_str().unwrap();
            let expected = match kind {
                "Namespace" | "ValidatingWebhookConfiguration" => Value::Null,
                _ => json!("tidewaiter-system"),
            };
            assert_eq!(object["metadata"]["namespace"], expected, "{kind}");
        }
    }
}

#[test]
fn the_pod_has_no_more_than_it_needs() {
    let objects = rendered("deploy/base");
    let pod = &only(&objects, "Deployment")["spec"]["template"]["spec"];
    let context = &pod["securityContext"];
    assert_eq!(context["runAsNonRoot"], true);
    assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
    let container = container(&objects);
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    for resource in ["cpu", "memory"] {
        assert!(container["resources"]["requests"][resource].is_string(), "{resource}");
    }
    assert!(container["resources"]["limits"]["memory"].is_string());
    assert_eq!(
        only(&objects, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
}

#[test]
fn the_image_is_that_of_this_version_and_of_the_dockerfile() {
    let image = concat!("ghcr.io/tidewaiter/tidewaiter:", env!("CARGO_PKG_VERSION"));
    for folder in FOLDERS {
        let objects = rendered(folder);
        assert_eq!(container(&objects)["image"], image);
        let user = &only(&objects, "Deployment")["spec"]["template"]["spec"]["securityContext"];
        let user = format!("USER {0}:{1}", user["runAsUser"], user["runAsGroup"]);
        let dockerfile = read("Dockerfile");
        let lines: Vec<&str> = dockerfile.lines().collect();
        assert!(lines.contains(&user.as_str()), "{user}");
        assert!(lines.contains(&concat!("ARG VERSION=", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn the_dockerfile_builds_with_the_pinned_toolchain() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let channel = channel.trim_matches('"');
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains(&format!("FROM rust:{channel}-alpine AS build\n")));
    assert!(dockerfile.contains(&format!("ENV RUSTUP_TOOLCHAIN={channel}\n")));
}

#[test]
fn probes_service_and_policy_reach_where_the_gate_listens() {
    let objects = rendered("deploy/base");
    let serve = serve(&objects);
    let container = container(&objects);
    let ports: BTreeMap<&str, u64> = container["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| (port["name"].as_str().unwrap(), port["containerPort"].as_u64().unwrap()))
        .collect();
    let expected =
        [("health", serve.health_listen.port().into()), ("https", serve.listen.port().into())];
    assert_eq!(ports, BTreeMap::from(expected));
    assert!(serve.listen.ip().is_unspecified() && serve.health_listen.ip().is_unspecified());
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "health"}));
    }
    let service = only(&objects, "Service");
    let port = &service["spec"]["ports"][0];
    assert_eq!((&port["port"], &port["targetPort"]), (&json!(443), &json!("https")));

    let policy = only(&objects, "NetworkPolicy");
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["spec"]["egress"], json!([]));
    let open: Vec<&Value> = policy["spec"]["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| rule["ports"].as_array().unwrap())
        .map(|port| &port["port"])
        .collect();
    assert_eq!(open, ["https", "health"]);

    let labels = &only(&objects, "Deployment")["spec"]["template"]["metadata"]["labels"];
    let budget = only(&objects, "PodDisruptionBudget");
    assert_eq!(&service["spec"]["selector"], labels);
    for selector in [&policy["spec"]["podSelector"], &budget["spec"]["selector"]] {
        assert_eq!(&selector["matchLabels"], labels);
    }
}

#[test]
fn one_gate_is_always_there() {
    let objects = rendered("deploy/base");
    let deployment = only(&objects, "Deployment");
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    assert_eq!(only(&objects, "PodDisruptionBudget")["spec"]["minAvailable"], 1);
    let pod = &deployment["spec"]["template"]["spec"];
    let spread = &pod["topologySpreadConstraints"][0];
    assert_eq!(spread["topologyKey"], "kubernetes.io/hostname");
    assert_eq!(spread["whenUnsatisfiable"], "DoNotSchedule");
    // It drains, and finishes what is in flight, before it is killed.
    let serve = serve(&objects);
    let drain = serve.shutdown_delay + serve.shutdown_timeout;
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > drain.as_secs());
}

#[test]
fn what_can_change_is_mounted_as_a_folder() {
    let objects = rendered("deploy/base");
    let serve = serve(&objects);
    let container = container(&objects);
    let mounts = container["volumeMounts"].as_array().unwrap();
    for file in [serve.gate.config.as_ref().unwrap(), &serve.tls_cert, &serve.tls_key] {
        let folder = file.parent().unwrap().to_str().unwrap();
        let mount = mounts.iter().find(|mount| mount["mountPath"] == folder);
        let mount = mount.unwrap_or(&Value::Null);
        assert_eq!((&mount["readOnly"], &mount["subPath"]), (&json!(true), &Value::Null));
    }
    // The name stays when the content changes, or the mounted folder would be another.
    let config = only(&objects, "ConfigMap");
    assert_eq!(config["metadata"]["name"], "tidewaiter");
    assert_eq!(config["data"]["tidewaiter.yaml"], read("deploy/base/gate.yaml"));
    let volumes = &only(&objects, "Deployment")["spec"]["template"]["spec"]["volumes"];
    assert_eq!(volumes[0]["configMap"]["name"], "tidewaiter");
    assert_eq!(volumes[1]["secret"]["secretName"], "tidewaiter-tls");
}

#[test]
fn every_webhook_calls_the_service() {
    for folder in FOLDERS {
        let objects = rendered(folder);
        let service = only(&objects, "Service");
        for webhook in webhooks(&objects) {
            let expected = json!({
                "name": service["metadata"]["name"],
                "namespace": service["metadata"]["namespace"],
                "path": "/validate",
                "port": service["spec"]["ports"][0]["port"],
            });
            assert_eq!(webhook["clientConfig"]["service"], expected);
            assert_eq!(webhook["admissionReviewVersions"], json!(["v1"]));
            assert_eq!(webhook["sideEffects"], "None");
            assert_eq!(webhook["matchPolicy"], "Equivalent");
            assert!((1..=5).contains(&webhook["timeoutSeconds"].as_u64().unwrap()));
        }
    }
}

#[test]
fn webhooks_name_what_they_are_asked_about() {
    for webhook in webhooks(&rendered("deploy/base")) {
        for rule in webhook["rules"].as_array().unwrap() {
            // Neither DELETE, or nothing could be cleared away, nor CONNECT.
            assert_eq!(rule["operations"], json!(["CREATE", "UPDATE"]));
        }
        for (group, resource, scope) in resources(&webhook) {
            assert!(!group.contains('*') && !resource.contains('*'), "{group}/{resource}");
            assert!(["Namespaced", "Cluster"].contains(&scope.as_str()));
            assert!(!resource.contains('/') || resource == "pods/ephemeralcontainers");
            let noise = ["leases", "events", "endpoints", "endpointslices", "nodes"];
            assert!(!noise.contains(&resource.as_str()), "{resource}");
            for never in ["authentication", "authorization", "coordination", "apiregistration"] {
                assert!(!group.starts_with(&format!("{never}.k8s.io")), "{group}");
            }
        }
    }
}

#[test]
fn no_resource_is_asked_about_twice() {
    let mut seen = BTreeSet::new();
    for webhook in webhooks(&rendered("deploy/base")) {
        for (group, resource, _) in resources(&webhook) {
            assert!(seen.insert((group.clone(), resource.clone())), "{group}/{resource}");
        }
    }
}

#[test]
fn resources_of_kubernetes_exist_and_have_the_scope_that_rules_say() {
    // By plural, as a registration has them: the kinds whose plural is not theirs with an `s`.
    let irregular = BTreeMap::from([
        ("ingresses", "Ingress"),
        ("ingressclasses", "IngressClass"),
        ("networkpolicies", "NetworkPolicy"),
        ("priorityclasses", "PriorityClass"),
        ("storageclasses", "StorageClass"),
    ]);
    let newest = schema::newest();
    let regular = "ClusterRole ClusterRoleBinding ConfigMap CronJob DaemonSet Deployment Job LimitRange \
         HorizontalPodAutoscaler Namespace PersistentVolume PersistentVolumeClaim Pod PodTemplate \
         PodDisruptionBudget ReplicaSet ReplicationController ResourceQuota Role RoleBinding Secret \
         Service ServiceAccount StatefulSet";
    let mut kind_of: BTreeMap<String, &str> =
        irregular.iter().map(|(plural, kind)| ((*plural).to_owned(), *kind)).collect();
    kind_of
        .extend(regular.split_whitespace().map(|kind| (format!("{}s", kind.to_lowercase()), kind)));
    let mut known = 0;
    for webhook in webhooks(&rendered("deploy/base")) {
        for rule in webhook["rules"].as_array().unwrap() {
            let group = rule["apiGroups"][0].as_str().unwrap();
            let version = rule["apiVersions"][0].as_str().unwrap();
            if group.contains('.') && !group.ends_with(".k8s.io") {
                continue;
            }
            for resource in strings(&rule["resources"]) {
                let name = resource.split('/').next().unwrap();
                let kind = kind_of[name];
                assert_eq!(schema::plural(newest, group, version, kind), Some(name));
                let expected = match schema::scope(newest, group, version, kind).unwrap() {
                    KindScope::Namespaced => "Namespaced",
                    KindScope::Cluster => "Cluster",
                };
                assert_eq!(rule["scope"], expected, "{resource}");
                known += 1;
            }
        }
    }
    assert_eq!(known, 30);
}

/// Returns the kinds that guardrails ask about, each with its group where one is named.
fn kinds_of_guardrails() -> BTreeSet<(Option<String>, String)> {
    let mut out = BTreeSet::new();
    for (_, text) in built_in_modules() {
        let comments: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix('#')).map(str::trim).collect();
        let comments = comments.join(" ");
        let Some((_, kinds)) = comments.split_once("kinds: [") else { continue };
        let kinds = kinds.split(']').next().unwrap();
        for kind in kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()) {
            out.insert(match kind.split_once('/') {
                Some((group, kind)) => (Some(group.to_owned()), kind.to_owned()),
                None => (None, kind.to_owned()),
            });
        }
    }
    out
}

#[test]
fn every_kind_that_a_guardrail_asks_about_is_asked_about() {
    let webhooks = webhooks(&rendered("deploy/base"));
    let kinds = kinds_of_guardrails();
    assert!(kinds.len() > 15, "{kinds:?}");
    for (group, kind) in kinds {
        let plural = format!("{}s", kind.to_lowercase());
        let asked = webhooks.iter().find(|webhook| {
            resources(webhook).iter().any(|(of, resource, _)| {
                let group_fits = group.as_ref().is_none_or(|group| match group.as_str() {
                    "core" => of.is_empty(),
                    group => of == group,
                });
                *resource == plural && group_fits
            })
        });
        let asked = asked.unwrap_or(&Value::Null);
        assert!(asked.is_object(), "{group:?}/{kind}");
        // A guardrail that anybody passes while the gate is away is none. Secrets are the exception:
        // the rule about them asks who wrote one, and nothing in a cluster works without them.
        assert_eq!(closes(asked), kind != "Secret", "{group:?}/{kind}");
    }
}

#[test]
fn a_gate_that_is_away_closes_nothing_that_keeps_the_cluster_or_brings_it_back() {
    for folder in FOLDERS {
        let webhooks = webhooks(&rendered(folder));
        assert_eq!(webhooks.iter().filter(|it| closes(it)).count(), 2);
        for webhook in &webhooks {
            let left_out = left_out(webhook);
            for namespace in PROTECTED {
                assert!(left_out.contains(namespace), "{namespace}");
            }
            if closes(webhook) {
                assert!(left_out.contains("flux-system") && left_out.contains("argocd"));
                let cert_manager = folder.ends_with("/cert-manager");
                assert_eq!(left_out.contains("cert-manager"), cert_manager, "{folder}");
                // A webhook that was asked about these would have to allow its own pods.
                for (group, resource, scope) in resources(webhook) {
                    let rbac = group == "rbac.authorization.k8s.io";
                    assert!(scope == "Namespaced" || rbac, "{resource}");
                }
            }
        }
    }
}

#[test]
fn the_control_plane_is_never_asked_about() {
    for webhook in webhooks(&rendered("deploy/base")) {
        let conditions = webhook["matchConditions"].as_array().unwrap();
        let names: Vec<&Value> = conditions.iter().map(|it| &it["name"]).collect();
        assert_eq!(names[..2], ["not-by-nodes", "not-by-the-control-plane"]);
        let expression = conditions[1]["expression"].as_str().unwrap();
        assert!(!expression.contains('\n'), "one line");
        let users: Vec<&str> = expression.split('\'').skip(1).step_by(2).collect();
        // Restores roles when it starts, and would not start without.
        assert!(users.contains(&"system:apiserver"));
        // What keeps pods running.
        for controller in ["replicaset", "daemon-set", "statefulset", "job"] {
            let user = format!("system:serviceaccount:kube-system:{controller}-controller");
            assert!(users.contains(&user.as_str()), "{user}");
        }
        // No prefix, and no group: reconcilers and people have accounts in `kube-system` as well.
        assert!(expression.starts_with("!(request.userInfo.username in [ 'system:"));
        assert!(!users.iter().any(|user| user.ends_with(':') || user.contains('*')));
        assert!(!expression.contains("system:masters"));
    }
}

#[test]
fn the_program_knows_the_registration_and_the_service() {
    let objects = rendered("deploy/base");
    let registration = only(&objects, "ValidatingWebhookConfiguration");
    assert_eq!(registration["metadata"]["name"], certificates::REGISTRATION);
    let webhooks = webhooks(&objects);
    let names: Vec<&Value> = webhooks.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, certificates::WEBHOOKS);
    let cli = Cli::try_parse_from(["tidewaiter", "certificates", "--out", "a"]).unwrap();
    let Command::Certificates(defaults) = cli.command else { panic!("not parsed as what it is") };
    let service = only(&objects, "Service");
    assert_eq!(service["metadata"]["name"], defaults.service.to_string());
    assert_eq!(service["metadata"]["namespace"], defaults.namespace.to_string());
}

#[test]
fn a_printed_patch_gives_every_webhook_the_ca() {
    let folder = "deploy/overlays/own-certificates";
    let patch = certificates::patch("QUJD", "2026-03-31");
    let repository = repository(&[("deploy/overlays/own-certificates/ca-bundle.yaml", patch)]);
    let mut patched = webhooks(&rendered_from(&repository, folder));
    for webhook in &mut patched {
        let config = webhook["clientConfig"].as_object_mut().unwrap();
        assert_eq!(config.remove("caBundle"), Some(json!("QUJD")));
    }
    assert_eq!(patched, webhooks(&rendered(folder)));
}

#[test]
fn cert_manager_makes_what_the_gate_and_the_registration_use() {
    let objects = rendered("deploy/overlays/cert-manager");
    let serving = objects.iter().find(|it| it["metadata"]["name"] == "tidewaiter-tls").unwrap();
    assert_eq!(serving["kind"], "Certificate");
    assert_eq!(serving["spec"]["secretName"], "tidewaiter-tls");
    let names = strings(&serving["spec"]["dnsNames"]);
    assert!(names.contains(&"tidewaiter.tidewaiter-system.svc"));
    let registration = only(&objects, "ValidatingWebhookConfiguration");
    assert_eq!(
        registration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
        "tidewaiter-system/tidewaiter-tls"
    );
    // Injected by cert-manager: one in the repository would be taken back again and again.
    for webhook in webhooks(&objects) {
        assert_eq!(webhook["clientConfig"]["caBundle"], Value::Null);
    }
}

/// The gate as the Deployment runs it, with the configuration from where it is mounted from.
fn gate(objects: &[Value]) -> Gate {
    let serve = serve(objects);
    let options = GateOptions {
        current_dir: root(),
        config: Some("deploy/base/gate.yaml".into()),
        environment: serve.gate.environment,
        kubernetes: serve.gate.kubernetes,
        only: serve.gate.only,
        skip: serve.gate.skip,
    };
    Gate::new(&options, &Inputs::read(&options).unwrap()).unwrap()
}

fn decision(gate: &Gate, object: &Value) -> (Option<Decision>, Value) {
    let question = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "7a2c",
            "operation": "CREATE",
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
        },
    });
    let answer = gate.answer(question.to_string().into_bytes(), Date::default(), None);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.record.decision, body["response"].clone())
}

#[test]
fn the_gate_would_let_its_own_objects_pass() {
    for folder in FOLDERS {
        let objects = rendered(folder);
        let gate = gate(&objects);
        for object in &objects {
            let (decision, response) = decision(&gate, object);
            assert_eq!(decision, Some(Decision::Allowed), "{response}");
        }
        // And not because it lets everything pass.
        let mut deployment = only(&objects, "Deployment");
        deployment["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
        let (decision, response) = decision(&gate, &deployment);
        assert_eq!(decision, Some(Decision::Denied), "{response}");
    }
}

/// Returns the examples of the README that begin with a text.
fn examples(begin: &str) -> Vec<String> {
    let text = read("deploy/README.md");
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.filter(|block| block.starts_with(begin)).map(str::to_owned).collect()
}

#[test]
fn an_overlay_of_the_readme_is_the_gate_of_another_environment() {
    let [overlay] = &examples("# deploy/overlays/staging/kustomization.yaml\n")[..] else {
        panic!("not there")
    };
    let folder = "deploy/overlays/staging";
    let repository = repository(&[
        ("deploy/overlays/staging/kustomization.yaml", overlay.clone()),
        ("deploy/overlays/staging/tidewaiter.yaml", "kubernetes: \"1.36\"\n".to_owned()),
    ]);
    let objects = rendered_from(&repository, folder);
    assert_eq!(serve(&objects).gate.environment.as_deref(), Some("staging"));
    assert_eq!(serve(&rendered("deploy/base")).gate.environment.as_deref(), Some("production"));
    let config = only(&objects, "ConfigMap");
    assert_eq!(config["metadata"]["name"], "tidewaiter");
    assert_eq!(config["data"], json!({"tidewaiter.yaml": "kubernetes: \"1.36\"\n"}));
}

#[test]
fn an_overlay_of_the_readme_begins_open() {
    let [overlay] = &examples("apiVersion: kustomize.config.k8s.io/v1beta1\n")[..] else {
        panic!("not there")
    };
    let folder = "deploy/overlays/open";
    let path = "deploy/overlays/open/kustomization.yaml";
    let mut overlay = overlay.clone();
    // The patches that are shown alone, one after the other.
    let patches = examples("# One more patch of the registration.\n");
    let further = examples("# Two more patches of the registration.\n");
    assert_eq!((patches.len(), further.len()), (1, 1));
    for line in patches.iter().chain(&further).flat_map(|patch| patch.lines().skip(1)) {
        overlay.push_str("      ");
        overlay.push_str(line);
        overlay.push('\n');
    }
    let webhooks = webhooks(&rendered_from(&repository(&[(path, overlay)]), folder));
    assert!(webhooks.iter().all(|webhook| webhook["failurePolicy"] == "Ignore"));
    let conditions = webhooks[0]["matchConditions"].as_array().unwrap();
    assert_eq!(conditions.last().unwrap()["name"], "not-by-argo-rollouts");
    assert!(left_out(&webhooks[0]).contains("calico-system"));
    assert!(left_out(&webhooks[1]).contains("calico-system"));
}

#[test]
fn the_configuration_that_only_warns_names_every_category() {
    let [warns] = &examples("enforcement:\n")[..] else { panic!("not there") };
    let list = warns.split(['[', ']']).nth(1).unwrap();
    let named: BTreeSet<&str> = list.split(", ").collect();
    let rules = run::Rules::built_in().unwrap();
    let judged = rules.registry.iter().filter(|it| it.doors == Doors::Both);
    let categories: BTreeSet<&str> = judged.map(|it| it.id.category()).collect();
    assert_eq!(named, categories);
}

#[test]
fn what_is_in_flight_fits_into_memory() {
    let objects = rendered("deploy/base");
    let serve = serve(&objects);
    assert_eq!(container(&objects)["resources"]["limits"]["memory"], "1Gi");
    // Measured: a review of nothing but small values takes 36 times its size, the program 23 MB.
    assert!((64 << 20) + 40 * serve.max_bytes_in_flight <= 1 << 30);
}
