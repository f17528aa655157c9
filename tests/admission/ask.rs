//! Asks the gate: as a webhook does, and as the command does.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidewaiter::admission::Answer;
use tidewaiter::date::Date;
use tidewaiter::run::{Gate, GateOptions, Inputs};

/// Returns the gate of a cluster of which nothing is known.
pub(crate) fn gate() -> Gate {
    gate_of(GateOptions::default())
}

/// Returns the gate of a cluster of production.
pub(crate) fn production() -> Gate {
    gate_of(GateOptions { environment: Some("production".to_owned()), ..GateOptions::default() })
}

/// Returns the gate with a configuration.
pub(crate) fn configured(config: &str) -> Gate {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tidewaiter.yaml"), config).unwrap();
    gate_of(GateOptions {
        current_dir: folder.path().to_owned(),
        config: Some("tidewaiter.yaml".into()),
        ..GateOptions::default()
    })
}

fn gate_of(options: GateOptions) -> Gate {
    Gate::new(&options, &Inputs::read(&options).unwrap()).unwrap()
}

/// Returns the answer, which is one review on one line whatever was asked.
pub(crate) fn read(answer: &Answer) -> Value {
    assert!(!answer.body.contains(&b'\n'), "an answer is one line");
    let review: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(review["kind"], "AdmissionReview", "{review}");
    review
}

/// Answers one question, as the webhook does.
pub(crate) fn answered(gate: &Gate, text: impl Into<Vec<u8>>) -> Answer {
    gate.answer(text.into(), Date::default(), None)
}

/// Answers every question of a text, with explanations.
pub(crate) fn explain(gate: &Gate, text: impl Into<Vec<u8>>) -> Vec<Answer> {
    gate.answer_all(text.into(), Date::default(), true)
}

/// Asks as a webhook does.
pub(crate) fn ask(gate: &Gate, review: &Value) -> Value {
    ask_text(gate, review.to_string())
}

/// Asks as a webhook does, with a text that may be anything.
pub(crate) fn ask_text(gate: &Gate, text: impl Into<Vec<u8>>) -> Value {
    read(&answered(gate, text))
}

/// Returns a review of an object that is to be created.
pub(crate) fn create(object: Value) -> Value {
    let (group, version) = match object["apiVersion"].as_str().unwrap_or_default().split_once('/') {
        Some((group, version)) => (group.to_owned(), version.to_owned()),
        None => (String::new(), object["apiVersion"].as_str().unwrap_or_default().to_owned()),
    };
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "3e2f0b5c-made-up",
            "kind": {"group": group, "version": version, "kind": object["kind"]},
            "operation": "CREATE",
            "namespace": object["metadata"]["namespace"],
            "name": object["metadata"]["name"],
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

/// Returns a review of a change.
pub(crate) fn update(old: Value, new: Value) -> Value {
    let mut review = create(new);
    review["request"]["operation"] = json!("UPDATE");
    review["request"]["oldObject"] = old;
    review
}

/// Returns a review of a removal.
pub(crate) fn delete(old: Value) -> Value {
    let mut review = create(old);
    let request = &mut review["request"];
    request["operation"] = json!("DELETE");
    request["oldObject"] = request["object"].take();
    review
}

/// Returns a Pod in the network of its node, which one rule denies.
pub(crate) fn host_network() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "apps"},
        "spec": {
            "hostNetwork": true,
            "containers": [{"name": "web", "image": "registry.example.com/web:1.2.3"}],
        },
    })
}

/// Returns a Pod with which nothing is wrong.
pub(crate) fn good_pod() -> Value {
    let mut pod = host_network();
    pod["spec"].as_object_mut().unwrap().remove("hostNetwork");
    pod
}

/// Returns a `ConfigMap` with which nothing is wrong.
pub(crate) fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "apps"}})
}

/// Returns the rules and fields of the causes of a denial, in their order.
pub(crate) fn causes(answer: &Value) -> Vec<(String, String)> {
    let causes = answer["response"]["status"]["details"]["causes"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    causes
        .into_iter()
        .flatten()
        .map(|cause| (text(&cause["reason"]), text(&cause["field"])))
        .collect()
}

/// Returns the causes as a test writes them.
pub(crate) fn pairs(causes: &[(&str, &str)]) -> Vec<(String, String)> {
    causes.iter().map(|(rule, field)| ((*rule).to_owned(), (*field).to_owned())).collect()
}

/// Holds that an answer refuses what it could not read, and says why.
#[track_caller]
pub(crate) fn assert_refused(answer: &Value, uid: &str, message: &str) {
    let response = &answer["response"];
    assert_eq!(response["uid"], uid, "{answer}");
    assert_eq!(response["allowed"], false, "{answer}");
    assert_eq!(response["status"]["code"], 400, "{answer}");
    assert_eq!(response["status"]["reason"], "BadRequest", "{answer}");
    assert_eq!(response["status"]["message"], message, "{answer}");
}

/// What a run of the command leaves behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Returns the answers, one a line.
    pub(crate) fn answers(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `tidewaiter review` in a folder.
pub(crate) fn review_in(folder: &Path, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidewaiter"))
        .current_dir(folder)
        .arg("review")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let text = stdin.as_ref().to_vec();
    // A command that is refused by its arguments does not read, which breaks the pipe.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&text)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `tidewaiter review`.
pub(crate) fn review(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Run {
    review_in(TempDir::new().unwrap().path(), arguments, stdin)
}
