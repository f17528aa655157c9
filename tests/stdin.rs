//! Manifests from standard input are judged as files are.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use tidewaiter::judge::{Exit, Verdict};
use tidewaiter::run::{self, Input, Options};

fn judged(text: &str, environment: Option<&str>) -> Verdict {
    let options = Options {
        input: Input::Stdin(text.into()),
        environment: environment.map(str::to_owned),
        ..Options::default()
    };
    run::check(&options, &()).unwrap().verdict
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.findings.iter().map(|it| it.finding.rule.as_str()).collect()
}

const PODS: &str = "\
# Source: web/templates/pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  hostNetwork: true
  containers: [{name: a, image: 'registry.example.com/a:latest'}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
data: {a: b}
";

#[test]
fn every_object_is_judged() {
    let verdict = judged(PODS, None);
    assert_eq!(verdict.summary.objects, 2);
    assert!(rules(&verdict).contains(&"pod-security/host-network"), "{:?}", rules(&verdict));
    assert_eq!(verdict.exit(), Exit::Denied);
}

#[test]
fn the_environment_that_is_named_receives_the_objects() {
    let rule = "production/latest-image-tag";
    assert!(!rules(&judged(PODS, Some("dev"))).contains(&rule));
    let verdict = judged(PODS, Some("prod"));
    assert!(rules(&verdict).contains(&rule), "{:?}", rules(&verdict));
    let environments: Vec<_> =
        verdict.summary.environments.iter().map(|it| (it.name.as_str(), it.objects)).collect();
    assert_eq!(environments, [("prod", 2)]);
}

#[test]
fn json_is_judged() {
    let verdict = judged("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"x\": 1}}", None);
    assert_eq!(verdict.summary.objects, 1);
    assert!(rules(&verdict).contains(&"schema/unknown-field"), "{:?}", rules(&verdict));
}

#[test]
fn a_manifest_that_cannot_be_read_closes_the_gate() {
    let verdict = judged("apiVersion: v1\nkind: Pod\nmetadata: {name: a\n", None);
    assert_eq!(rules(&verdict), ["yaml/syntax-error"]);
    assert_eq!(verdict.exit(), Exit::Denied);
}

#[test]
fn nothing_is_no_pass() {
    for nothing in ["", "\n", "# Source: web/templates/empty.yaml\n", "Error: no chart\n"] {
        let verdict = judged(nothing, None);
        assert_eq!(verdict.exit(), Exit::Incomplete, "{nothing}");
        let reasons: Vec<_> = verdict.failures.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["standard input holds no object"]);
    }
}
