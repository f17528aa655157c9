//! Servers to test: certificates, reviewers that follow a script, logs that can be read.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use tempfile::TempDir;
use tidewaiter::admission::{Answer, refuse};
use tidewaiter::date::Date;
use tidewaiter::run::GateOptions;
use tidewaiter::serve::{GateSource, Logs, Options, Reviewer, ServeError, Server, Source};

use crate::client::{self, NAME, Response, TlsConnection};

/// A certificate that signs itself, and its key.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) key: String,
    pub(crate) der: CertificateDer<'static>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        Self::until(2040)
    }

    /// Returns a certificate that ends with the first day of a year.
    pub(crate) fn until(year: i32) -> Self {
        let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    pub(crate) fn write(&self, folder: &Path) {
        std::fs::write(folder.join("tls.crt"), &self.pem).unwrap();
        std::fs::write(folder.join("tls.key"), &self.key).unwrap();
    }
}

/// What is written to a log.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

type Script = dyn Fn(Vec<u8>, Option<Instant>) -> Answer + Send + Sync;

/// A reviewer that does what a test wants.
pub(crate) struct Scripted {
    digest: String,
    script: Arc<Script>,
}

impl Reviewer for Scripted {
    fn digest(&self) -> &str {
        &self.digest
    }

    fn kubernetes(&self) -> String {
        "1.37".to_owned()
    }

    fn answer(&self, question: Vec<u8>, deadline: Option<Instant>) -> Answer {
        (self.script)(question, deadline)
    }
}

/// A source of scripted reviewers. What it is made from can be changed.
#[derive(Clone)]
pub(crate) struct Scripts {
    script: Arc<Script>,
    pub(crate) state: Arc<Mutex<State>>,
}

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) digest: Result<String, String>,
    pub(crate) bad: Option<String>,
    pub(crate) made: usize,
}

impl Scripts {
    pub(crate) fn new(
        script: impl Fn(Vec<u8>, Option<Instant>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let state = State { digest: Ok("first".to_owned()), bad: None, made: 0 };
        Self { script: Arc::new(script), state: Arc::new(Mutex::new(state)) }
    }

    /// Returns a source whose reviewers answer at once, with a refusal that holds the uid.
    pub(crate) fn simple() -> Self {
        Self::new(|question, _| echo(&question))
    }
}

/// Returns an answer that holds the uid, and the code 418 as a sign of who answered.
pub(crate) fn echo(question: &[u8]) -> Answer {
    refuse(Some(question), 418, "scripted")
}

impl Source for Scripts {
    fn digest(&self) -> Result<String, String> {
        self.state.lock().unwrap().digest.clone()
    }

    fn make(&self) -> Result<Arc<dyn Reviewer>, String> {
        let mut state = self.state.lock().unwrap();
        state.made += 1;
        if let Some(bad) = &state.bad {
            return Err(bad.clone());
        }
        let digest = state.digest.clone()?;
        Ok(Arc::new(Scripted { digest, script: Arc::clone(&self.script) }))
    }
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) server: Option<Server>,
    pub(crate) address: SocketAddr,
    pub(crate) health: SocketAddr,
    pub(crate) folder: TempDir,
    pub(crate) audit: Captured,
    pub(crate) events: Captured,
    pub(crate) tls: Arc<ClientConfig>,
}

/// Returns options for a server in a folder: any port, and no more patience than a test has.
pub(crate) fn options(folder: &Path) -> Options {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Options {
        certificate_interval: Duration::from_millis(20),
        gate_interval: Duration::from_millis(20),
        shutdown_delay: Duration::ZERO,
        ..Options::new(any, any, folder.join("tls.crt"), folder.join("tls.key"))
    }
}

/// The gate of the built-in rules.
pub(crate) fn built_in() -> GateSource {
    GateSource { options: GateOptions::default(), today: Date::default }
}

impl Running {
    pub(crate) fn start(source: impl Source) -> Self {
        Self::with(source, |_| {})
    }

    /// Starts a server with other options.
    pub(crate) fn with(source: impl Source, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::new();
        certificate.write(folder.path());
        let mut options = options(folder.path());
        change(&mut options);
        Self::launch(source, &options, folder, &certificate).unwrap()
    }

    pub(crate) fn launch(
        source: impl Source,
        options: &Options,
        folder: TempDir,
        certificate: &Certificate,
    ) -> Result<Self, ServeError> {
        let (audit, events) = (Captured::default(), Captured::default());
        let logs = Logs::new(Box::new(audit.clone()), Box::new(events.clone()));
        let server = Server::start(options, Arc::new(source), &logs)?;
        Ok(Self {
            address: server.address(),
            health: server.health_address(),
            server: Some(server),
            folder,
            audit,
            events,
            tls: client::trusting(&certificate.der),
        })
    }

    /// Returns a server with the rules of the program, which tests share.
    pub(crate) fn real() -> &'static Self {
        static REAL: OnceLock<Running> = OnceLock::new();
        REAL.get_or_init(|| Self::start(built_in()))
    }

    pub(crate) fn connect(&self) -> TlsConnection {
        TlsConnection::open(self.address, &self.tls).unwrap()
    }

    /// Sends a review on a connection of its own.
    pub(crate) fn review(&self, target: &str, body: impl AsRef<[u8]>) -> Response {
        self.connect().review(target, body).unwrap()
    }

    /// Returns the value of a metric, by its name and its labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let text = client::get(self.health, "/metrics").unwrap().text();
        let line = text.lines().find_map(|it| {
            it.strip_prefix("tidewaiter_admission_")?.strip_prefix(name)?.strip_prefix(' ')
        });
        line.map(|it| it.parse().unwrap())
    }

    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        self.events.lines().into_iter().filter(|it| it["event"] == name).collect()
    }

    /// Stops the server and returns how it ended.
    pub(crate) fn end(mut self) -> Result<(), ServeError> {
        let server = self.server.take().unwrap();
        server.stop();
        server.wait()
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < client::PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns a question about an object.
pub(crate) fn question(uid: &str, object: &Value) -> Vec<u8> {
    let meta = &object["metadata"];
    serde_json::json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": uid,
            "kind": { "group": "", "version": "v1", "kind": object["kind"] },
            "resource": { "group": "", "version": "v1", "resource": "things" },
            "operation": "CREATE",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "userInfo": { "username": "alice", "groups": ["devs", "system:authenticated"] },
            "object": object,
            "dryRun": false,
        },
    })
    .to_string()
    .into_bytes()
}

/// Returns a `ConfigMap` that no rule minds.
pub(crate) fn config_map() -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "a", "namespace": "apps" },
        "data": { "key": "value" },
    })
}

/// Returns a Pod that a rule denies.
pub(crate) fn pod() -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web", "namespace": "apps" },
        "spec": {
            "hostNetwork": true,
            "containers": [{ "name": "web", "image": "registry.example.com/web:1.2.3" }],
        },
    })
}
