use super::*;
use crate::check::policy::{Bundle, PolicyCheck};
use crate::rule::RuleId;

/// Returns a policy about every object.
fn policy(enforcement: &str, body: &str) -> String {
    format!(
        "# METADATA\n# title: T\n# description: D\n# custom:\n#   severity: low\n#   since: \
         0.1.0\n#   help: H\n#   enforcement: {enforcement}\npackage PACKAGE\n\n{body}\n"
    )
}

const FINDS: &str = "deny contains {\"msg\": \"it is there\"} if input.object.kind";
const FAILS: &str = "deny contains {\"msg\": \"no\"} if sum(input.object.kind) > 0";

/// Returns a gate with these rules, each with its name, its enforcement and its body.
fn gate(rules: &[(&str, &str, &str)]) -> Gate {
    let options = GateOptions::default();
    let mut gate = Gate::new(&options, &Inputs::read(&options).unwrap()).unwrap();
    let modules = rules.iter().map(|(name, enforcement, body)| {
        let package = format!("tidewaiter.test.{name}");
        let text = policy(enforcement, body).replace("PACKAGE", &package);
        (format!("test/{name}/policy.rego"), text)
    });
    let modules: Vec<(String, String)> = modules.collect();
    let bundle = Bundle::load(modules.iter().map(|(name, text)| (name.as_str(), text.clone())));
    let check = PolicyCheck::new(bundle.unwrap());
    gate.registry = Registry::default();
    for meta in check.rules() {
        gate.registry.add(meta).unwrap();
    }
    gate.checks = vec![Box::new(check)];
    gate
}

fn ask(gate: &Gate, deadline: Option<Instant>) -> (Answer, serde_json::Value) {
    let review = serde_json::json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "operation": "CREATE",
            "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}},
        },
    });
    let answer = gate.answer(review.to_string().into_bytes(), Date::default(), deadline);
    let json = serde_json::from_slice(&answer.body).unwrap();
    (answer, json)
}

fn failed(rules: &[RuleId]) -> Vec<&str> {
    rules.iter().map(RuleId::as_str).collect()
}

const BROKEN: &str = "[test/broken] cannot judge Pod `web`: `sum` requires array/set argument";

#[test]
fn w12_a_rule_that_fails_denies_and_the_others_are_evaluated() {
    let gate =
        gate(&[("before", "warn", FINDS), ("broken", "deny", FAILS), ("later", "deny", FINDS)]);
    let (answer, json) = ask(&gate, None);
    assert_eq!(json["response"]["allowed"], false);
    assert_eq!(json["response"]["status"]["code"], 403);
    let message = json["response"]["status"]["message"].as_str().unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], "[test/later] it is there; to mend it: H");
    assert!(lines[1].starts_with(BROKEN), "{message}");
    assert_eq!(json["response"]["warnings"], serde_json::json!(["[test/before] it is there"]));
    assert_eq!(failed(&answer.record.failed_rules), ["test/broken"]);
    assert_eq!(answer.record.rules.len(), 2);
    assert_eq!(json["response"]["auditAnnotations"]["failed-rules"], "test/broken");
}

#[test]
fn w12_a_rule_that_fails_alone_is_an_error_and_no_denial() {
    let gate = gate(&[("broken", "deny", FAILS), ("quiet", "deny", "deny contains {} if false")]);
    let (answer, json) = ask(&gate, None);
    assert_eq!(json["response"]["allowed"], false);
    assert_eq!(json["response"]["status"]["code"], 500);
    assert_eq!(json["response"]["status"]["reason"], "InternalError");
    assert_eq!(json["response"]["auditAnnotations"]["decision"], "failed");
    assert_eq!(answer.record.decision, Some(crate::admission::Decision::Failed));
}

#[test]
fn w12_the_failure_of_a_rule_that_warns_warns() {
    let gate = gate(&[("broken", "warn", FAILS), ("quiet", "deny", "deny contains {} if false")]);
    let (answer, json) = ask(&gate, None);
    assert_eq!(json["response"]["allowed"], true);
    assert_eq!(json["response"]["status"], serde_json::Value::Null);
    let warnings = json["response"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].as_str().unwrap().starts_with(BROKEN), "{warnings:?}");
    assert_eq!(failed(&answer.record.failed_rules), ["test/broken"]);
}

#[test]
fn when_time_is_over_the_rules_that_were_not_evaluated_are_named() {
    let gate = gate(&[("first", "deny", FINDS), ("second", "deny", FINDS)]);
    let (answer, json) = ask(&gate, Some(Instant::now()));
    assert_eq!(json["response"]["allowed"], false);
    assert_eq!(json["response"]["status"]["code"], 500);
    assert_eq!(
        json["response"]["status"]["message"],
        "evaluation timed out; not evaluated: test/first, test/second"
    );
    assert!(answer.record.timed_out);
}

#[test]
fn an_environment_is_named_with_its_cluster_where_there_are_several() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = "\
environments:
  - {name: dev, paths: [a]}
  - {name: prod, cluster: eu, kubernetes: '1.35', paths: [b]}
  - {name: prod, cluster: us, paths: [c]}
  - {name: test, cluster: one, tier: production, paths: [d]}
";
    std::fs::write(folder.path().join("c.yaml"), config).unwrap();
    let named = |environment: &str| {
        let options = GateOptions {
            current_dir: folder.path().to_owned(),
            config: Some("c.yaml".into()),
            environment: Some(environment.to_owned()),
            ..GateOptions::default()
        };
        let gate = Gate::new(&options, &Inputs::read(&options).unwrap());
        gate.map(|it| it.environment.unwrap()).map_err(|err| err.to_string())
    };
    let eu = named("prod/eu").unwrap();
    assert_eq!(
        (&*eu.name, eu.cluster.as_deref(), eu.tier),
        ("prod/eu", Some("eu"), Tier::Production)
    );
    assert_eq!(eu.kubernetes, KubernetesVersion { major: 1, minor: 35 });
    let us = named("prod/us").unwrap();
    assert_eq!((us.cluster.as_deref(), us.kubernetes), (Some("us"), schema::newest()));
    // A class with one cluster needs no more.
    let one = named("test").unwrap();
    assert_eq!((&*one.name, one.tier), ("test/one", Tier::Production));
    assert_eq!(named("dev").unwrap().tier, Tier::NonProduction);
    assert_eq!(
        named("prod").unwrap_err(),
        "there is no environment `prod` here: name one cluster of it: prod/eu, prod/us"
    );
    assert_eq!(
        named("prod/asia").unwrap_err(),
        "there is no environment `prod/asia` here: there are dev, prod/eu, prod/us, test/one"
    );
}
