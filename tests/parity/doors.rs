//! The doors: each says of an object what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;
use tidewaiter::date::Date;
use tidewaiter::report::{self, Display, Format, Report, Style};
use tidewaiter::run::{self, Gate, GateOptions, Input, Inputs, Options};
use tidewaiter::serve::GateSource;

use crate::apiserver::{Applied, review};
use crate::client::{PATIENCE, TlsConnection};
use crate::fixture::Running;

/// A finding, as every door shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) enforcement: String,
    pub(crate) message: String,
    pub(crate) field: String,
    /// `apiVersion`, kind and name; empty where the finding has no object.
    pub(crate) object: String,
}

impl Seen {
    /// Reads a finding of the JSON report.
    pub(crate) fn read(finding: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            rule: text(&finding["rule"]),
            severity: text(&finding["severity"]),
            enforcement: text(&finding["enforcement"]),
            message: text(&finding["message"]),
            field: field(&finding["path"]),
            object: identity(&finding["object"]),
        }
    }
}

/// Returns a path of the report as Kubernetes writes it.
fn field(path: &Value) -> String {
    let steps = path.as_array().unwrap().iter().map(|step| match step.as_u64() {
        Some(index) => tidewaiter::document::Step::Index(usize::try_from(index).unwrap()),
        None => tidewaiter::document::Step::Key(step.as_str().unwrap().into()),
    });
    tidewaiter::document::FieldPath::from(steps.collect::<Vec<_>>()).to_string()
}

/// Returns the identity of an object of a report. The namespace is left out: where a manifest has
/// none, the server fills it in.
pub(crate) fn identity(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    if object.is_null() {
        return String::new();
    }
    format!("{} {} {}", text("apiVersion"), text("kind"), text("name"))
}

/// The doors of one environment.
pub(crate) struct Doors {
    gate: Gate,
    /// The webhook, and a connection to it.
    web: Option<(Running, Mutex<TlsConnection>)>,
    config: Option<PathBuf>,
    environment: Option<String>,
}

impl Doors {
    /// Returns the doors without the web, for objects by the thousand.
    pub(crate) fn without_web(config: Option<&Path>, environment: Option<&str>) -> Self {
        let options = GateOptions {
            config: config.map(Path::to_owned),
            environment: environment.map(str::to_owned),
            ..GateOptions::default()
        };
        Self {
            gate: Gate::new(&options, &Inputs::read(&options).unwrap()).unwrap(),
            web: None,
            config: options.config,
            environment: options.environment,
        }
    }

    /// Returns the doors, with a webhook that serves.
    pub(crate) fn new(config: Option<&Path>, environment: Option<&str>) -> Self {
        let mut doors = Self::without_web(config, environment);
        let options = GateOptions {
            config: doors.config.clone(),
            environment: doors.environment.clone(),
            ..GateOptions::default()
        };
        let source = GateSource { options, today: Date::default };
        // A test of what is answered is none of how fast.
        let running = Running::with(source, |options| options.max_duration = PATIENCE);
        let connection = Mutex::new(running.connect());
        doors.web = Some((running, connection));
        doors
    }

    /// Returns what `check` finds in manifests from standard input.
    pub(crate) fn check(&self, text: &str) -> BTreeSet<Seen> {
        let options = Options {
            input: Input::Stdin(text.as_bytes().to_vec()),
            config: self.config.clone(),
            environment: self.environment.clone(),
            ..Options::default()
        };
        found(&report_of(&options))
    }

    /// Returns what `review` finds in an object that an API server asks about, and holds that
    /// `serve` answers the same.
    pub(crate) fn review(&self, object: &Value, applied: Applied) -> BTreeSet<Seen> {
        let question = review(object, applied).to_string();
        let answers = self.gate.answer_all(question.clone().into_bytes(), Date::default(), true);
        assert_eq!(answers.len(), 1);
        let explained: Value = serde_json::from_slice(&answers[0].body).unwrap();
        assert_eq!(explained["failures"], Value::Array(Vec::new()), "{explained}");
        let seen: BTreeSet<Seen> =
            explained["findings"].as_array().unwrap().iter().map(Seen::read).collect();
        let answer = self.gate.answer(question.clone().into_bytes(), Date::default(), None).body;
        if let Some((_, connection)) = &self.web {
            let mut connection = connection.lock().unwrap();
            let response = connection.review("/validate?timeout=30s", question).unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(response.status, 200);
            assert_eq!(text(&response.body), text(&answer), "`serve` answers as `review` does");
        }
        assert_answers(&serde_json::from_slice(&answer).unwrap(), &seen);
        seen
    }
}

/// Holds that an answer of `serve` tells the findings of `review`: those that deny as causes, those
/// that warn as warnings, of each as many as an answer may have.
fn assert_answers(answer: &Value, seen: &BTreeSet<Seen>) {
    let response = &answer["response"];
    let of =
        |enforcement: &'static str| seen.iter().filter(move |it| it.enforcement == enforcement);
    assert_eq!(response["allowed"], of("deny").count() == 0, "{answer}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let causes = response["status"]["details"]["causes"].as_array();
    let causes: BTreeSet<(String, String, String)> = causes
        .into_iter()
        .flatten()
        .map(|it| (text(&it["reason"]), text(&it["message"]), text(&it["field"])))
        .collect();
    let denied: BTreeSet<_> =
        of("deny").map(|it| (it.rule.clone(), it.message.clone(), it.field.clone())).collect();
    if denied.len() <= 32 {
        assert_eq!(causes, denied, "{answer}");
    } else {
        assert!(causes.len() <= 32 && causes.is_subset(&denied), "{answer}");
    }
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for warning in response["warnings"].as_array().into_iter().flatten() {
        let warning = warning.as_str().unwrap();
        if let Some((rule, _)) = warning.strip_prefix('[').and_then(|it| it.split_once(']')) {
            *rules.entry(rule.to_owned()).or_default() += 1;
        }
    }
    let mut warned: BTreeMap<String, usize> = BTreeMap::new();
    for seen in of("warn") {
        *warned.entry(seen.rule.clone()).or_default() += 1;
    }
    if warned.values().sum::<usize>() <= 16 {
        assert_eq!(rules, warned, "{answer}");
    }
}

/// Returns the JSON report of a run.
pub(crate) fn report_of(options: &Options) -> Value {
    let outcome = run::check(options, &()).unwrap();
    let report = Report {
        verdict: &outcome.verdict,
        sources: outcome.sources(),
        registry: &outcome.registry,
        display: Display::default(),
    };
    let mut out = Vec::new();
    let style = Style { color: false, unicode: false, width: 80, links: false };
    report::write(&report, Format::Json, style, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Returns the findings of a JSON report.
pub(crate) fn found(report: &Value) -> BTreeSet<Seen> {
    report["findings"].as_array().unwrap().iter().map(Seen::read).collect()
}
