//! From the start to the end: health, readiness, draining.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidewaiter::serve::ServeError;

use crate::client::{self, TlsConnection};
use crate::fixture::{
    Certificate, Running, Scripts, config_map, echo, eventually, options, question,
};

fn status(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let response = client::get(address, path).ok()?;
    Some((response.status, response.text()))
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn w19_health_has_an_address_of_its_own() {
    let server = Running::start(Scripts::simple());
    assert_eq!(status(server.health, "/healthz"), Some((200, "ok\n".to_owned())));
    assert_eq!(status(server.health, "/readyz"), Some((200, "ok\n".to_owned())));
    assert_eq!(status(server.health, "/validate").unwrap().0, 404);
    let metrics = client::get(server.health, "/metrics").unwrap();
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(metrics.text().ends_with("# EOF\n"));
}

#[test]
fn w19_a_server_is_not_ready_before_its_gate_is() {
    let (go, wait) = mpsc::channel::<()>();
    let scripts = Scripts::simple();
    let health = free_port();
    let source = Late { scripts, wait: std::sync::Mutex::new(wait) };
    let starting = thread::spawn(move || Running::with(source, |it| it.health_listen = health));
    eventually("health is served", || status(health, "/healthz").is_some());
    assert_eq!(status(health, "/readyz"), Some((503, "starting\n".to_owned())));
    go.send(()).unwrap();
    let server = starting.join().unwrap();
    assert_eq!(status(health, "/readyz"), Some((200, "ok\n".to_owned())));
    server.end().unwrap();
}

/// A source that makes nothing until it is told to.
struct Late {
    scripts: Scripts,
    wait: std::sync::Mutex<mpsc::Receiver<()>>,
}

impl tidewaiter::serve::Source for Late {
    fn digest(&self) -> Result<String, String> {
        self.scripts.digest()
    }

    fn make(&self) -> Result<std::sync::Arc<dyn tidewaiter::serve::Reviewer>, String> {
        self.wait.lock().unwrap().recv_timeout(client::PATIENCE).unwrap();
        self.scripts.make()
    }
}

#[test]
fn w20_a_draining_server_answers_and_sends_its_clients_away() {
    let server = Running::with(Scripts::simple(), |it| it.shutdown_delay = Duration::from_mins(1));
    let mut kept = server.connect();
    let body = question("a-1", &config_map());
    assert_eq!(kept.review("/validate", &body).unwrap().header("connection"), None);
    server.server.as_ref().unwrap().stop();
    assert_eq!(status(server.health, "/readyz"), Some((503, "draining\n".to_owned())));
    assert_eq!(status(server.health, "/healthz").unwrap().0, 200);
    // Those that are connected, and those that do not know yet.
    for connection in [&mut kept, &mut server.connect()] {
        let response = connection.review("/validate", &body).unwrap();
        assert_eq!(response.review()["uid"], "a-1");
        assert_eq!(response.header("connection"), Some("close"));
        assert!(connection.ends());
    }
    let (address, tls) = (server.address, server.tls.clone());
    // The second time ends the delay.
    server.end().unwrap();
    assert!(TlsConnection::open(address, &tls).is_err());
}

#[test]
fn w20_what_is_being_evaluated_is_answered() {
    let (begun, waits) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let goes = std::sync::Mutex::new(goes);
    let server = Running::start(Scripts::new(move |question, _| {
        begun.send(()).unwrap();
        goes.lock().unwrap().recv_timeout(client::PATIENCE).unwrap();
        echo(&question)
    }));
    let mut idle = server.connect();
    let mut connection = server.connect();
    let asking = thread::spawn(move || {
        connection.review("/validate?timeout=30s", question("a-1", &config_map())).unwrap()
    });
    waits.recv().unwrap();
    let ending = thread::spawn(move || server.end());
    assert!(idle.ends(), "idle connections are closed");
    go.send(()).unwrap();
    let response = asking.join().unwrap();
    assert_eq!(response.review()["uid"], "a-1");
    assert_eq!(response.header("connection"), Some("close"));
    ending.join().unwrap().unwrap();
}

#[test]
fn w20_what_does_not_end_is_cut() {
    let (begun, waits) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let goes = std::sync::Mutex::new(goes);
    let scripts = Scripts::new(move |question, _| {
        begun.send(()).unwrap();
        // Ends with the test.
        let _: Result<(), _> = goes.lock().unwrap().recv();
        echo(&question)
    });
    let server = Running::with(scripts, |it| {
        it.shutdown_timeout = Duration::from_millis(100);
        it.max_duration = Duration::from_mins(10);
    });
    let mut connection = server.connect();
    let asking =
        thread::spawn(move || connection.review("/validate", question("a-1", &config_map())));
    waits.recv().unwrap();
    let ended = server.end();
    assert!(matches!(ended, Err(ServeError::Cut(1))), "{ended:?}");
    assert!(asking.join().unwrap().is_err());
    drop(go);
}

#[test]
fn a_server_does_not_start_with_what_it_cannot_use() {
    let start = |change: &dyn Fn(&mut tidewaiter::serve::Options, &std::path::Path)| {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::new();
        certificate.write(folder.path());
        let mut options = options(folder.path());
        change(&mut options, folder.path());
        let started = Running::launch(Scripts::simple(), &options, folder, &certificate);
        started.err().map(|err| err.to_string()).unwrap_or_default()
    };
    let gone = start(&|options, folder| options.certificate = folder.join("none.crt"));
    assert!(gone.starts_with("cannot read `") && gone.contains("none.crt"), "{gone}");
    let swapped = start(&|options, _| std::mem::swap(&mut options.key, &mut options.certificate));
    assert!(swapped.ends_with("holds no certificate in PEM"), "{swapped}");
    let mismatched = start(&|_, folder| {
        std::fs::write(folder.join("tls.key"), Certificate::new().key).unwrap();
    });
    assert!(mismatched.contains("cannot be used with the key"), "{mismatched}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let taken = start(&|options, _| options.listen = address);
    assert!(taken.starts_with(&format!("cannot listen at {address}: ")), "{taken}");
}
