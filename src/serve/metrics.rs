//! What a Prometheus server may know.
//!
//! No label holds what a client made up: operations and decisions are of a fixed set, rules are
//! those of the gate.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::logs::Logs;
use crate::admission::{Decision, Record};

/// Seconds: from what a small object takes to the longest timeout that is sane.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0];

/// The metrics of one server.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
    findings: Family<FindingLabels, Counter>,
    gate: Family<GateLabels, Gauge>,
    reloads: Family<ReloadLabels, Counter>,
    reload_failing: Family<PartLabels, Gauge>,
    /// Reviews that are read, wait or are evaluated.
    pub(super) in_flight: Gauge,
    /// Bytes of their bodies.
    pub(super) bytes_in_flight: Gauge,
    /// Open connections of the webhook.
    pub(super) connections: Gauge,
    /// Reviews that wait for a thread.
    pub(super) queued: Gauge,
    /// Seconds that a review waited for a thread.
    pub(super) queue_wait: Histogram,
    /// Evaluations that panicked.
    pub(super) panics: Counter,
    /// Reviews that were not judged in time.
    pub(super) timeouts: Counter,
    /// Reviews that there was no room for.
    pub(super) overloads: Counter,
    /// Seconds since 1970 at which the certificate ends.
    pub(super) not_after: Gauge,
}

/// What is reloaded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reloaded {
    /// The rules and their configuration.
    Gate,
    /// The certificate and its key.
    Certificate,
}

impl Reloaded {
    /// Returns the name in metrics and events.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Certificate => "certificate",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    decision: &'static str,
    dry_run: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    rule: String,
    enforcement: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabels {
    digest: String,
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    what: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartLabels {
    what: &'static str,
}

impl Metrics {
    pub(super) fn new(logs: &Logs) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tidewaiter_admission"),
            requests: Family::default(),
            duration: Histogram::new(SECONDS),
            findings: Family::default(),
            gate: Family::default(),
            reloads: Family::default(),
            reload_failing: Family::default(),
            in_flight: Gauge::default(),
            bytes_in_flight: Gauge::default(),
            connections: Gauge::default(),
            queued: Gauge::default(),
            queue_wait: Histogram::new(SECONDS),
            panics: Counter::default(),
            timeouts: Counter::default(),
            overloads: Counter::default(),
            not_after: Gauge::default(),
        };
        for what in [Reloaded::Gate, Reloaded::Certificate] {
            metrics.failing(what, false);
        }
        metrics.register(logs);
        metrics
    }

    fn register(&mut self, logs: &Logs) {
        let registry = &mut self.registry;
        registry.register("requests", "Reviews that were answered", self.requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time from the head of a review to its answer",
            self.duration.clone(),
        );
        registry.register("in_flight", "Reviews without an answer yet", self.in_flight.clone());
        registry.register(
            "bytes_in_flight",
            "Bytes of the bodies of reviews without an answer yet",
            self.bytes_in_flight.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("queued", "Reviews that wait for a thread", self.queued.clone());
        registry.register(
            "queue_wait_seconds",
            "Time that reviews waited for a thread",
            self.queue_wait.clone(),
        );
        registry.register("panics", "Evaluations that panicked", self.panics.clone());
        registry.register("timeouts", "Reviews not judged in time", self.timeouts.clone());
        registry.register(
            "rejected_overload",
            "Reviews that there was no room for",
            self.overloads.clone(),
        );
        registry.register(
            "findings",
            "Reviews in which a rule found something",
            self.findings.clone(),
        );
        registry.register("gate_info", "The gate in use", self.gate.clone());
        registry.register(
            "certificate_not_after_seconds",
            "The end of the certificate, in seconds since 1970",
            self.not_after.clone(),
        );
        registry.register("reloads", "Changed files that were read again", self.reloads.clone());
        registry.register(
            "reload_failing",
            "1 while the files are bad and what was read before is in use",
            self.reload_failing.clone(),
        );
        registry.register(
            "audit_lines_lost",
            "Lines of the audit log that nobody read",
            logs.audit.lost.clone(),
        );
    }

    /// Counts an answer.
    pub(super) fn answered(&self, record: &Record, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        let operation = if record.operation.is_empty() { "unknown" } else { record.operation };
        let labels = RequestLabels {
            operation,
            decision: record.decision.map_or("unknown", Decision::as_str),
            dry_run: if record.dry_run { "true" } else { "false" },
        };
        self.requests.get_or_create(&labels).inc();
        for (rule, enforcement) in &record.rules {
            let labels =
                FindingLabels { rule: rule.to_string(), enforcement: enforcement.as_str() };
            self.findings.get_or_create(&labels).inc();
        }
        if record.timed_out {
            self.timeouts.inc();
        }
    }

    /// Notes which gate is in use.
    pub(super) fn uses_gate(&self, digest: &str) {
        self.gate.clear();
        let labels = GateLabels { digest: digest.to_owned(), version: env!("CARGO_PKG_VERSION") };
        self.gate.get_or_create(&labels).set(1);
    }

    /// Counts an attempt to reload.
    pub(super) fn reloaded(&self, what: Reloaded, worked: bool) {
        let result = if worked { "success" } else { "failure" };
        self.reloads.get_or_create(&ReloadLabels { what: what.as_str(), result }).inc();
        self.failing(what, !worked);
    }

    /// Notes whether the files of a part are bad.
    pub(super) fn failing(&self, what: Reloaded, failing: bool) {
        let labels = PartLabels { what: what.as_str() };
        self.reload_failing.get_or_create(&labels).set(i64::from(failing));
    }

    /// Returns all metrics as `OpenMetrics` has them.
    pub(super) fn encode(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _: std::fmt::Result = text::encode(&mut out, &self.registry);
        out
    }
}

/// Counts something while it is there.
#[derive(Debug)]
pub(super) struct Counted {
    gauge: Gauge,
    by: i64,
}

impl Counted {
    /// Adds to a gauge until this is dropped.
    pub(super) fn new(gauge: &Gauge, by: usize) -> Self {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        gauge.inc_by(by);
        Self { gauge: gauge.clone(), by }
    }

    /// Changes what was added.
    pub(super) fn set(&mut self, by: usize) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        self.gauge.inc_by(by - self.by);
        self.by = by;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.gauge.dec_by(self.by);
    }
}
