//! What an answer says: enough for a person, within what an API server passes on, and no secret.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::ask::{answered, ask, configured, create, explain, gate, host_network, update};

/// Findings that the message of a denial tells, and causes that it has.
const TOLD: usize = 10;
const CAUSES: usize = 32;
/// What an API server passes on.
const WARNINGS: usize = 16;
const WARNING: usize = 256;
const BODY: usize = 64 << 10;

/// Returns a Pod with a number of containers, each privileged and able to gain privileges.
fn privileged(containers: usize) -> Value {
    let mut pod = host_network();
    pod["spec"]["hostNetwork"] = json!(false);
    let container = |index: usize| {
        json!({
            "name": format!("c{index:03}"),
            "image": "registry.example.com/web:1.2.3",
            "securityContext": {"privileged": true, "allowPrivilegeEscalation": true},
        })
    };
    pod["spec"]["containers"] = (0..containers).map(container).collect();
    pod
}

#[test]
fn w23_a_denial_says_what_is_wrong_where_and_how_to_mend_it() {
    let answer = ask(&gate(), &create(privileged(2)));
    let told = |index: usize| {
        format!(
            "[pod-security/privileged-container] container `c00{index}` runs privileged \
             (spec.containers[{index}].securityContext.privileged); to mend it: remove \
             `privileged`, and add the one capability that is needed"
        )
    };
    let cause = |index: usize| {
        json!({
            "reason": "pod-security/privileged-container",
            "message": format!("container `c00{index}` runs privileged"),
            "field": format!("spec.containers[{index}].securityContext.privileged"),
        })
    };
    let warning = |index: usize| {
        format!(
            "[pod-security/allow-privilege-escalation] container `c00{index}` may gain more \
             privileges than it starts with \
             (spec.containers[{index}].securityContext.allowPrivilegeEscalation)"
        )
    };
    let digest = answer["response"]["auditAnnotations"]["gate-digest"].clone();
    assert_eq!(digest.as_str().unwrap().len(), 64);
    assert_eq!(
        answer,
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {
                "uid": "3e2f0b5c-made-up",
                "allowed": false,
                "status": {
                    "status": "Failure",
                    "code": 403,
                    "reason": "Forbidden",
                    "message": format!("{}\n{}", told(0), told(1)),
                    "details": {"name": "web", "kind": "Pod", "causes": [cause(0), cause(1)]},
                },
                "warnings": [warning(0), warning(1)],
                "auditAnnotations": {
                    "decision": "denied",
                    "denied-by": "pod-security/privileged-container",
                    "warned-by": "pod-security/allow-privilege-escalation",
                    "gate-digest": digest,
                },
            },
        })
    );
}

#[test]
fn w23_many_findings_are_told_in_part_and_counted() {
    let response = &ask(&gate(), &create(privileged(40)))["response"];
    let message = response["status"]["message"].as_str().unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), TOLD + 1);
    assert!(lines[..TOLD].iter().all(|it| it.starts_with("[pod-security/privileged-container] ")));
    assert_eq!(lines[TOLD], "and 30 more findings");
    assert_eq!(response["status"]["details"]["causes"].as_array().unwrap().len(), CAUSES);
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), WARNINGS);
    assert_eq!(warnings[WARNINGS - 1], "and 25 more warnings");
}

/// Returns every text of a value, with the names of fields.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|it| texts(it, out)),
        Value::Object(fields) => fields.iter().for_each(|(key, it)| {
            out.push(key.clone());
            texts(it, out);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn w23_no_text_holds_a_control_character_and_no_warning_is_too_long() {
    let hostile = "a\u{1b}[31m\tb\r\n\u{202e}\u{200b}\u{9b}c";
    let mut pod = privileged(3);
    for container in pod["spec"]["containers"].as_array_mut().unwrap() {
        let name = format!("{}{hostile}", container["name"].as_str().unwrap());
        container["name"] = json!(name + &"é".repeat(300));
    }
    pod["metadata"]["name"] = json!(hostile);
    pod["spec"]["volumes"] = json!([{"name": hostile, "hostPath": {"path": hostile}}]);
    pod["spec"][hostile] = json!(1);
    let answer = ask(&gate(), &create(pod));
    let response = &answer["response"];
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 4);
    for warning in warnings {
        assert!(warning.as_str().unwrap().chars().count() <= WARNING, "{warning}");
    }
    let mut all = Vec::new();
    texts(&response["warnings"], &mut all);
    texts(&response["auditAnnotations"], &mut all);
    texts(&response["status"]["details"]["causes"], &mut all);
    let message = response["status"]["message"].as_str().unwrap();
    all.extend(message.split('\n').map(str::to_owned));
    assert!(all.len() > 10);
    for text in all {
        let bad = |c: &char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(bad), None, "{text:?}");
    }
}

#[test]
fn audit_annotations_have_keys_that_a_server_takes() {
    let config = "enforcement:\n  - {rules: [pod-security], set: warn}\n";
    for gate in [gate(), configured(config)] {
        let answer = ask(&gate, &create(privileged(1)));
        for (key, value) in answer["response"]["auditAnnotations"].as_object().unwrap() {
            assert!(key.len() <= 63 && !key.contains('/'), "{key}");
            assert!(key.starts_with(|c: char| c.is_ascii_alphanumeric()), "{key}");
            assert!(value.is_string(), "{key}");
        }
    }
}

#[test]
fn w30_an_answer_is_bounded_whatever_is_wrong() {
    let gate = gate();
    let long = "x".repeat(200_000);
    let mut many = privileged(500);
    for container in many["spec"]["containers"].as_array_mut().unwrap() {
        container["name"] = json!(format!("{}{}", container["name"], "n".repeat(2000)));
    }
    let mut fields = host_network();
    for index in 0..500 {
        fields["spec"][format!("unknown{index}{}", &long[..1000])] = json!(1);
    }
    let mut name = host_network();
    name["metadata"]["name"] = json!(long);
    name["metadata"]["namespace"] = json!(long);
    let mut kind = host_network();
    kind["kind"] = json!(long);
    let mut escaped = privileged(40);
    for container in escaped["spec"]["containers"].as_array_mut().unwrap() {
        container["name"] = json!("\"\\".repeat(1000));
    }
    for object in [many, fields, name, kind, escaped] {
        let review = create(object);
        let given = answered(&gate, review.to_string());
        assert!(given.body.len() <= BODY, "{} bytes", given.body.len());
        let body: Value = serde_json::from_slice(&given.body).unwrap();
        assert_eq!(body["response"]["uid"], "3e2f0b5c-made-up");
    }
    // The message is the last to go: it is what a person reads.
    let mut wide = privileged(40);
    for container in wide["spec"]["containers"].as_array_mut().unwrap() {
        container["name"] = json!(format!("{}{}", container["name"], "\u{1d11e}".repeat(600)));
    }
    let given = answered(&gate, create(wide).to_string());
    assert!(given.body.len() <= BODY, "{} bytes", given.body.len());
    let body: Value = serde_json::from_slice(&given.body).unwrap();
    assert_eq!(body["response"]["status"]["message"].as_str().unwrap().lines().count(), TOLD + 1);
    // What names the request is bounded with it: a uid is 36 characters, not a megabyte.
    for field in ["uid", "operation", "name", "namespace", "subResource"] {
        let mut review = create(host_network());
        review["request"][field] = json!("y".repeat(1 << 20));
        let given = answered(&gate, review.to_string());
        assert!(given.body.len() <= BODY, "{field}: {} bytes", given.body.len());
    }
}

/// Returns made-up credentials of formats that rules know, put together here so that no text of
/// this repository holds one.
fn credentials() -> Vec<String> {
    let tail = "Zq7Rk2Vw9Xc4Bn6Mt8Lp3Hs5Jd1Fg0Ya2Ue4";
    vec![
        ["ghp", "_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat(),
        ["glpat", "-", "Zq7Rk2Vw9Xc4Bn6Mt8Lp"].concat(),
        ["postgres://app:", &tail[..20], "@db.acme.internal:5432/app"].concat(),
        ["xoxb", "-730591826473-4918273650918-", &tail[..24]].concat(),
    ]
}

#[test]
fn no_answer_holds_a_value_of_a_secret() {
    let gate = gate();
    let mut rules = BTreeSet::new();
    for value in credentials() {
        let config = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "apps"},
            "data": {"config": format!("a: 1\nvalue: {value}\n"), value.clone(): "key"},
        });
        let mut pod = host_network();
        pod["spec"]["containers"][0]["name"] = json!(value);
        pod["spec"]["containers"][0]["env"] = json!([{"name": "TOKEN", "value": value}]);
        pod["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
        pod["spec"]["volumes"] = json!([{"name": "v", "hostPath": {"path": value}}]);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": value,
            "metadata": {"name": "s", "namespace": "apps", "annotations": {"note": value}},
            "stringData": {"token": value},
            "data": {"raw": value},
        });
        for object in [config, pod, secret] {
            for review in [create(object.clone()), update(object.clone(), object.clone())] {
                let text = review.to_string();
                let answers = [vec![answered(&gate, text.clone())], explain(&gate, text)].concat();
                for answer in answers {
                    let body = String::from_utf8(answer.body).unwrap();
                    assert!(body.contains("\"allowed\":false"), "{value}: {body}");
                    assert!(!body.contains(&value), "{body}");
                    rules.extend(answer.record.rules.iter().map(|it| it.0.to_string()));
                    let record = format!("{:?}{:?}", answer.record, answer.refusal);
                    assert!(!record.contains(&value), "{record}");
                }
            }
        }
    }
    // The test would prove nothing if nothing had been found.
    for rule in ["secrets/github-pat", "secrets/gitlab-pat", "secrets/plaintext-secret"] {
        assert!(rules.contains(rule), "{rules:?}");
    }
}

#[test]
fn a_value_of_a_secret_in_a_review_that_cannot_be_read_stays_there() {
    let gate = gate();
    for value in credentials() {
        let review =
            create(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": value}}));
        let text = review.to_string();
        for end in 1..text.len() {
            let given = answered(&gate, &text[..end]);
            let body = String::from_utf8(given.body).unwrap();
            assert!(!body.contains(&value) && !body.contains(&value[4..]), "{body}");
        }
    }
}

#[test]
fn an_explanation_has_the_findings_of_the_json_report() {
    let schema: Value =
        serde_json::from_str(include_str!("../../schemas/output/report-v1.json")).unwrap();
    let part = |name: &str| {
        let mut part = json!({"$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"]});
        part["$schema"] = schema["$schema"].clone();
        jsonschema::validator_for(&part).unwrap()
    };
    let (finding, failure) = (part("FindingV1"), part("FailureV1"));
    let gate = gate();
    let mut objects = vec![privileged(2), host_network()];
    // More defects than are told: a failure beside the findings.
    let mut broken = host_network();
    broken["spec"]["containers"] = (0..1200).map(|_| json!({"nothing": 1})).collect();
    objects.push(broken);
    let (mut findings, mut failures) = (0, 0);
    for object in objects {
        let answers = explain(&gate, create(object).to_string());
        assert_eq!(answers.len(), 1);
        let answer: Value = serde_json::from_slice(&answers[0].body).unwrap();
        for found in answer["findings"].as_array().unwrap() {
            let errors: Vec<String> = finding.iter_errors(found).map(|it| it.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}: {found}");
            findings += 1;
        }
        for found in answer["failures"].as_array().unwrap() {
            let errors: Vec<String> = failure.iter_errors(found).map(|it| it.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}: {found}");
            failures += 1;
        }
    }
    assert!(findings > 1000 && failures >= 1, "{findings} {failures}");
    assert!(!finding.is_valid(&json!({"rule": "a/b"})), "the schema holds nothing");
}
