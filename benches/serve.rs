//! The webhook as a process: latency, throughput, processor time and memory.
//!
//! `cargo bench --bench serve` starts the program with its built-in rules, asks it over TLS, and
//! prints a table. Linux only: the processor time and the memory come from `/proc`. The client runs
//! on the same processors, so throughput is a lower bound.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark, which fails by panicking"
)]

#[path = "../tests/serve/client.rs"]
#[expect(dead_code, reason = "the tests of the webhook use the rest")]
mod client;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use client::{NAME, TlsConnection, trusting};
use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use serde_json::{Value, json};

fn main() {
    // What `cargo test --benches` asks of every bench.
    if std::env::args().any(|it| it == "--test" || it == "--list") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(folder.path());
    println!(
        "{:<28} {:>5} {:>9} {:>9} {:>9} {:>9} {:>11} {:>9}",
        "question", "conn.", "questions", "p50", "p99", "per s", "CPU/question", "peak RSS"
    );
    let good = review(&deployment(false), &Value::Null);
    let denied = review(&deployment(true), &Value::Null);
    let map = |text: char| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "a"},
            "data": {"a": text.to_string().repeat(1_000_000)}})
    };
    let large = review(&map('a'), &map('b'));
    // The first questions find caches cold.
    gate.measure("", &good, 4, 50, false);
    for (name, question, times) in
        [("Deployment", &good, 2_000), ("Deployment, denied", &denied, 2_000)]
    {
        for connections in [1, 16] {
            gate.measure(name, question, connections, times / connections, false);
        }
    }
    gate.measure("Deployment, new connections", &good, 1, 300, true);
    for connections in [1, 4] {
        gate.measure("ConfigMap, 2 x 1 MB", &large, connections, 60 / connections, false);
    }
}

/// The program, and how to reach it.
struct Gate {
    process: Child,
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Gate {
    #[expect(clippy::disallowed_methods, reason = "the program that is measured")]
    fn start(folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (cert_file, key_file) = (folder.join("tls.crt"), folder.join("tls.key"));
        fs::write(&cert_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tidewaiter"))
            .args(["serve", "--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0"])
            .args(["--environment=prod", "--kubernetes=1.37", "--shutdown-delay=0s"])
            .arg(format!("--tls-cert={}", cert_file.display()))
            .arg(format!("--tls-key={}", key_file.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let started = lines
            .find_map(|line| {
                let event: Value = serde_json::from_str(&line.unwrap()).ok()?;
                event["address"].as_str()?.parse().ok()
            })
            .unwrap();
        // Whoever reads no more of a pipe blocks whoever writes.
        thread::spawn(move || lines.for_each(drop));
        Self { process, address: started, config: trusting(certificate.der()) }
    }

    fn connect(&self) -> TlsConnection {
        TlsConnection::open(self.address, &self.config).unwrap()
    }

    /// Asks one question `times` times on each of some connections, and prints a line.
    fn measure(&self, name: &str, question: &[u8], connections: usize, times: usize, anew: bool) {
        let before = self.processor_time();
        let start = Instant::now();
        let mut latencies: Vec<Duration> = thread::scope(|scope| {
            let ask = || {
                let mut stream = self.connect();
                let mut latencies = Vec::with_capacity(times);
                for _ in 0..times {
                    let start = Instant::now();
                    if anew {
                        stream = self.connect();
                    }
                    let answer = stream.review("/validate?timeout=10s", question).unwrap();
                    assert_eq!(answer.status, 200);
                    latencies.push(start.elapsed());
                }
                latencies
            };
            let threads: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        let (wall, processor) = (start.elapsed(), self.processor_time().saturating_sub(before));
        if name.is_empty() {
            return;
        }
        latencies.sort_unstable();
        let count = u32::try_from(latencies.len()).unwrap();
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        println!(
            "{name:<28} {connections:>5} {count:>9} {:>7.2}ms {:>7.2}ms {:>9.0} {:>10.2}ms {:>6} MiB",
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
            f64::from(count) / wall.as_secs_f64(),
            processor.as_secs_f64() * 1e3 / f64::from(count),
            self.peak_memory() / 1024,
        );
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).unwrap()
    }

    /// Returns the processor time so far, in ticks of 10 ms as Linux counts it for users.
    fn processor_time(&self) -> Duration {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks = |at: usize| fields.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Returns the most memory that was resident, in KiB.
    fn peak_memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn review(object: &Value, old: &Value) -> Vec<u8> {
    let (group, version) =
        object["apiVersion"].as_str().unwrap().rsplit_once('/').unwrap_or(("", "v1"));
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "6e2f1a4e-0000-4000-8000-000000000001",
            "kind": {"group": group, "version": version, "kind": object["kind"]},
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
            "operation": if old.is_null() { "CREATE" } else { "UPDATE" },
            "userInfo": {"username": "system:serviceaccount:flux-system:kustomize-controller"},
            "object": object,
            "oldObject": old,
            "dryRun": false,
            "options": {"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1",
                "fieldManager": "kustomize-controller"},
        },
    })
    .to_string()
    .into_bytes()
}

/// Returns a Deployment of about five kilobytes, as an API server has it after an apply.
fn deployment(privileged: bool) -> Value {
    let container = |name: &str| {
        let env: Vec<Value> = (0..8)
            .map(|it| json!({"name": format!("SETTING_{it}"), "value": format!("value-{it}")}))
            .collect();
        json!({
            "name": name,
            "image": "registry.example.com/web:1.2.3",
            "imagePullPolicy": "IfNotPresent",
            "env": env,
            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
            "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
                "periodSeconds": 10, "failureThreshold": 3, "successThreshold": 1, "timeoutSeconds": 1},
            "securityContext": {"allowPrivilegeEscalation": false, "privileged": privileged,
                "readOnlyRootFilesystem": true, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        })
    };
    let fields = json!({"f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:metadata": {
        "f:labels": {".": {}, "f:app.kubernetes.io/name": {}}}, "f:spec": {"f:containers": {
        "k:{\"name\":\"web\"}": {".": {}, "f:env": {}, "f:image": {}, "f:name": {}, "f:ports": {},
            "f:resources": {}, "f:securityContext": {}, "f:livenessProbe": {}}}}}}});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "apps",
            "uid": "6e2f1a4e-0000-4000-8000-000000000002",
            "generation": 3,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"app.kubernetes.io/name": "web", "kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
            "managedFields": [{"manager": "kustomize-controller", "operation": "Apply",
                "apiVersion": "apps/v1", "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1",
                "fieldsV1": fields}],
        },
        "spec": {
            "replicas": 3,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app.kubernetes.io/name": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
                "spec": {
                    "containers": [container("web"), container("sidecar")],
                    "dnsPolicy": "ClusterFirst",
                    "restartPolicy": "Always",
                    "schedulerName": "default-scheduler",
                    "serviceAccountName": "web",
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                },
            },
        },
    })
}
