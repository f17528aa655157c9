//! The program itself: signals, streams, exit codes.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "runs the program")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::client::{self, TlsConnection};
use crate::fixture::{Certificate, config_map, eventually, pod, question};

fn program(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidewaiter"));
    command.current_dir(folder).args([
        "serve",
        "--listen=127.0.0.1:0",
        "--health-listen=127.0.0.1:0",
        "--tls-cert=tls.crt",
        "--tls-key=tls.key",
    ]);
    command.args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Reads events until one of a name.
fn event(events: &mut impl Iterator<Item = std::io::Result<String>>, name: &str) -> Value {
    for line in events {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == name {
            return event;
        }
    }
    panic!("there is no event `{name}`");
}

fn address(event: &Value, field: &str) -> SocketAddr {
    event[field].as_str().unwrap().parse().unwrap()
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn w20_no_call_fails_while_the_program_drains() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    certificate.write(folder.path());
    let mut child = program(folder.path(), &["--shutdown-delay=1h"]).spawn().unwrap();
    let mut events = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut audit = child.stdout.take().unwrap();
    let audit = thread::spawn(move || {
        let mut text = String::new();
        audit.read_to_string(&mut text).unwrap();
        text
    });
    let started = event(&mut events, "started");
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert!(started["kubernetes"].as_str().unwrap().starts_with("1."));
    let (webhook, health) = (address(&started, "address"), address(&started, "healthAddress"));
    let tls = client::trusting(&certificate.der);

    // Clients that take a new connection where the old one was closed after an answer, and that
    // ask elsewhere once the server is said to drain. What is elsewhere is not of this test, so
    // they stop then.
    let draining = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (tls, draining) = (Arc::clone(&tls), Arc::clone(&draining));
            thread::spawn(move || {
                let mut answered = 0;
                let mut connection = None;
                while !draining.load(Ordering::SeqCst) {
                    let uid = format!("d-{number}-{answered}");
                    let mut open = connection
                        .take()
                        .unwrap_or_else(|| TlsConnection::open(webhook, &tls).unwrap());
                    let body = question(&uid, &config_map());
                    let response = open.review("/validate?timeout=20s", body).unwrap();
                    assert_eq!(response.review()["uid"], uid);
                    if response.header("connection") != Some("close") {
                        connection = Some(open);
                    }
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    signal(&child, "TERM");
    event(&mut events, "draining");
    assert_eq!(client::get(health, "/readyz").unwrap().status, 503);
    thread::sleep(std::time::Duration::from_millis(500));
    draining.store(true, Ordering::SeqCst);
    let answered: usize = clients.into_iter().map(|it| it.join().unwrap()).sum();
    assert!(answered > 0);
    signal(&child, "TERM");
    assert_eq!(event(&mut events, "stopped")["cutConnections"], 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines = audit.join().unwrap();
    assert_eq!(lines.lines().count(), answered);
    assert!(lines.lines().all(|it| serde_json::from_str::<Value>(it).is_ok()));
}

#[test]
fn a_second_signal_ends_the_delay() {
    let folder = tempfile::tempdir().unwrap();
    Certificate::new().write(folder.path());
    let mut child = program(folder.path(), &["--shutdown-delay=1h"]).spawn().unwrap();
    let mut events = BufReader::new(child.stderr.take().unwrap()).lines();
    event(&mut events, "started");
    signal(&child, "INT");
    event(&mut events, "draining");
    signal(&child, "INT");
    event(&mut events, "stopped");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn closed_streams_do_not_end_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    certificate.write(folder.path());
    let mut child = program(folder.path(), &["--shutdown-delay=0"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut events = BufReader::new(child.stderr.take().unwrap()).lines();
    let started = event(&mut events, "started");
    drop(events);
    let tls = client::trusting(&certificate.der);
    let mut connection = TlsConnection::open(address(&started, "address"), &tls).unwrap();
    for uid in ["c-1", "c-2", "c-3"] {
        let response = connection.review("/validate?timeout=20s", question(uid, &pod())).unwrap();
        assert_eq!(response.review()["uid"], uid);
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_configuration_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    certificate.write(folder.path());
    let config = folder.path().join("tidewaiter.yaml");
    let text = |enforcement: &str| {
        format!("enforcement:\n  - {{rules: [pod-security/host-network], set: {enforcement}}}\n")
    };
    std::fs::write(&config, text("deny")).unwrap();
    let more = ["--config=tidewaiter.yaml", "--shutdown-delay=0"];
    let mut child = program(folder.path(), &more).spawn().unwrap();
    let mut events = BufReader::new(child.stderr.take().unwrap()).lines();
    let started = event(&mut events, "started");
    let tls = client::trusting(&certificate.der);
    let mut connection = TlsConnection::open(address(&started, "address"), &tls).unwrap();
    let mut allowed = || {
        let body = question("a-1", &pod());
        connection.review("/validate?timeout=20s", body).unwrap().review()["allowed"].clone()
    };
    assert_eq!(allowed(), false);
    std::fs::write(&config, text("warn")).unwrap();
    let reloaded = event(&mut events, "reloaded");
    assert_ne!(reloaded["digest"], started["digest"]);
    eventually("the new configuration holds", || allowed() == true);
    std::fs::write(&config, text("no such thing")).unwrap();
    assert_eq!(event(&mut events, "reload-failed")["what"], "gate");
    assert_eq!(allowed(), true);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    Certificate::new().write(folder.path());
    std::fs::write(folder.path().join("bad.yaml"), "rulez: {}\n").unwrap();
    for (more, message) in [
        (&["--config=bad.yaml"][..], "rulez"),
        (&["--config=none.yaml"], "none.yaml"),
        (&["--tls-cert=none.crt"], "cannot be used multiple times"),
        (&["--max-bytes-in-flight=1Mi"], "one review may have"),
        (&["--max-duration=0"], "more than nothing"),
        (&["--shutdown-delay=soon"], "is not a duration"),
        (&["--kubernetes=1.3"], "1.3"),
    ] {
        let output = program(folder.path(), more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}: {said}");
        assert!(said.contains(message), "{more:?}: {said}");
    }
    std::fs::write(folder.path().join("tls.key"), "").unwrap();
    let output = program(folder.path(), &[]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("`tls.key` holds no private key in PEM"), "{said}");
}
