//! What a question is answered with.

use serde_json::{Value, json};

use crate::client::Response;
use crate::fixture::{Running, Scripts, config_map, pod, question};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Headers and body; uid, code and a part of the message of the answer.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [u8], &'a str, u16, &'a str);

fn code(response: &Response) -> Value {
    let review = response.review();
    assert_eq!(review["allowed"], false, "{response:?}");
    review["status"]["code"].clone()
}

#[test]
fn w01_every_post_is_answered_with_a_review() {
    let server = Running::real();
    let mut large = br#"{"request": {"uid": "large-1", "x": ""#.to_vec();
    large.resize(8 << 20, b'a');
    let whole = question("whole-1", &config_map());
    let cases: [Case<'_>; 8] = [
        (&[JSON], b"", "", 400, "request body is empty"),
        (&[], b"", "", 400, "request body is empty"),
        (
            &[("Content-Type", "text/plain")],
            &whole,
            "whole-1",
            400,
            "Content-Type is not application/json",
        ),
        (&[], &whole, "whole-1", 400, "Content-Type is not application/json"),
        (&[JSON], b"{", "", 400, "cannot be read"),
        (&[JSON], &large, "large-1", 413, "the request body is too large"),
        (&[JSON], br#"{"request": {}}"#, "", 400, ""),
        (&[JSON, ("Content-Encoding", "gzip")], &whole, "", 415, "compressed"),
    ];
    for (headers, body, uid, wanted, message) in cases {
        let response = server.connect().post("/validate", headers, body).unwrap();
        assert_eq!(code(&response), wanted, "{}", response.text());
        let review = response.review();
        assert_eq!(review["uid"], uid, "{}", response.text());
        let said = review["status"]["message"].as_str().unwrap();
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn w01_an_object_is_judged() {
    let server = Running::real();
    let allowed = server.review("/validate?timeout=10s", question("a-1", &config_map())).review();
    assert_eq!((&allowed["uid"], &allowed["allowed"]), (&json!("a-1"), &json!(true)));
    let denied = server.review("/validate?timeout=10s", question("a-2", &pod())).review();
    assert_eq!((&denied["uid"], &denied["allowed"]), (&json!("a-2"), &json!(false)));
    assert_eq!(denied["status"]["code"], 403);
    let cause = &denied["status"]["details"]["causes"][0];
    assert_eq!(cause["reason"], "pod-security/host-network");
    assert_eq!(cause["field"], "spec.hostNetwork");
}

#[test]
fn w02_the_uid_is_echoed_byte_for_byte() {
    let server = Running::real();
    for uid in ["705ab4f5-6393-11e8-b7cc-42010a800002", "A b/\"\\\u{7}é😀", "0", " "] {
        let review = server.review("/validate", question(uid, &config_map())).review();
        assert_eq!(review["uid"], uid);
    }
}

#[test]
fn w03_the_version_is_that_of_the_question() {
    let server = Running::real();
    let whole = String::from_utf8(question("a-1", &config_map())).unwrap();
    for version in ["v1", "v1beta1"] {
        let asked = format!("admission.k8s.io/{version}");
        let response = server.review("/validate", whole.replace("admission.k8s.io/v1", &asked));
        assert_eq!(response.review()["allowed"], true);
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(answer["apiVersion"], asked);
    }
    let response =
        server.review("/validate", whole.replace("admission.k8s.io/v1", "admission.k8s.io/v2"));
    assert_eq!(code(&response), 400);
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
}

#[test]
fn w04_answers_are_json() {
    let server = Running::real();
    for body in [&b""[..], b"{", &question("a-1", &config_map())] {
        let response = server.review("/validate", body);
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("content-encoding"), None);
    }
}

#[test]
fn w09_hostile_json_is_answered() {
    let server = Running::real();
    let whole = String::from_utf8(question("a-1", &config_map())).unwrap();
    let with = |value: &str| whole.replace("\"value\"", value).into_bytes();
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let unreadable: Vec<Vec<u8>> = vec![
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
        with(&deep(100_000)),
        with("\"\\ud800\""),
        with("\"\u{0}\""),
        [&whole.as_bytes()[..whole.len() - 40], b"\"\xff\xfe\"}}}"].concat(),
        with("01"),
        with("NaN"),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"request\"".to_vec(),
        whole.replace("\"request\"", "\"Request\"").into_bytes(),
        (whole.clone() + &whole).into_bytes(),
    ];
    for body in unreadable {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(code(&server.review("/validate", &body)), 400, "{start}");
    }
    // Whether these are good values of a ConfigMap is for the rules to say.
    for value in ["1e400", "18446744073709551616", "-170141183460469231731687303715884105729"] {
        server.review("/validate", with(value)).review();
    }
    assert_eq!(server.review("/validate", &whole).review()["allowed"], true);
}

#[test]
fn w30_answers_are_bounded() {
    let server = Running::real();
    let containers: Vec<Value> = (0..500)
        .map(|number| {
            json!({
                "name": format!("c{number}-{}", "x".repeat(200)),
                "image": "registry.example.com/web:latest",
                "securityContext": { "privileged": true },
            })
        })
        .collect();
    let mut object = pod();
    object["spec"]["containers"] = json!(containers);
    let bodies = [question("a-1", &object), question(&"u".repeat(1 << 20), &object)];
    for (body, most) in bodies.iter().zip([64 << 10, (1 << 20) + (64 << 10)]) {
        let response = server.review("/validate", body);
        assert!(response.body.len() <= most, "{}", response.body.len());
        let review = response.review();
        assert_eq!(review["allowed"], false);
        let none = Vec::new();
        let warnings = review["warnings"].as_array().unwrap_or(&none);
        assert!(warnings.len() <= 16);
        assert!(warnings.iter().all(|it| it.as_str().unwrap().chars().count() <= 256));
    }
}

#[test]
fn w11_a_panic_is_an_answer() {
    let server = Running::start(Scripts::new(|question, _| {
        assert!(!question.windows(4).any(|it| it == b"boom"), "as the test wants it");
        crate::fixture::echo(&question)
    }));
    let mut connection = server.connect();
    for round in 1..=3 {
        let mut body = config_map();
        body["data"]["key"] = json!("boom");
        let response = connection.review("/validate", question("p-1", &body)).unwrap();
        assert_eq!(code(&response), 500);
        assert_eq!(response.review()["uid"], "p-1");
        assert_eq!(server.metric("panics_total"), Some(f64::from(round)));
        // The same connection and the same thread go on.
        let response = connection.review("/validate", question("p-2", &config_map())).unwrap();
        assert_eq!(code(&response), 418);
    }
    assert_eq!(server.metric("in_flight"), Some(0.0));
    assert_eq!(server.metric("bytes_in_flight"), Some(0.0));
}
