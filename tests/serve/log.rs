//! What is written down of a decision, and who reads it or does not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::json;
use tidewaiter::serve::{Logs, Server};

use crate::client::{self, TlsConnection};
use crate::fixture::{Certificate, Running, Scripts, built_in, eventually, options, pod, question};

#[test]
fn w29_a_decision_is_a_line_without_a_value() {
    let server = Running::start(built_in());
    let planted = ["pl4nted", "Value"].join("-");
    let mut pod = pod();
    pod["metadata"]["annotations"] = json!({ "note": planted });
    pod["spec"]["containers"][0]["env"] = json!([{ "name": "PASSWORD", "value": planted }]);
    server.review("/validate?timeout=20s", question("l-1", &pod));
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "s", "namespace": "apps" },
        "stringData": { "password": planted },
    });
    server.review("/validate?timeout=20s", question("l-2", &secret));
    let broken = format!("{{\"request\": {{\"uid\": \"l-3\", \"object\": \"{planted}\", ,");
    server.review("/validate?timeout=20s", broken);
    eventually("three lines are written", || server.audit.lines().len() == 3);
    let lines = server.audit.lines();

    let line = &lines[0];
    assert!(line["ts"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
    assert!(line["ms"].as_f64().unwrap() > 0.0);
    assert_eq!(line["digest"].as_str().unwrap().len(), 64);
    for (field, value) in [
        ("uid", json!("l-1")),
        ("user", json!("alice")),
        ("groups", json!(["devs", "system:authenticated"])),
        ("operation", json!("CREATE")),
        ("gvk", json!("v1/Pod")),
        ("namespace", json!("apps")),
        ("name", json!("web")),
        ("dryRun", json!(false)),
        ("decision", json!("denied")),
        ("code", json!(403)),
        ("failedRules", json!([])),
    ] {
        assert_eq!(line[field], value, "{field}");
    }
    assert_eq!(line["rules"]["pod-security/host-network"], "deny");
    assert_eq!(lines[1]["gvk"], "v1/Secret");
    assert_eq!((&lines[2]["decision"], &lines[2]["code"]), (&json!("failed"), &json!(400)));

    for text in [server.audit.text(), server.events.text()] {
        assert!(!text.contains(&planted), "{text}");
    }
    let metrics = client::get(server.health, "/metrics").unwrap().text();
    for made_up in [planted.as_str(), "alice", "apps", "web"] {
        assert!(!metrics.contains(made_up), "{made_up}");
    }
    let counted = "requests_total{operation=\"CREATE\",decision=\"denied\",dry_run=\"false\"}";
    assert!(server.metric(counted) >= Some(1.0));
    let failed = "requests_total{operation=\"unknown\",decision=\"failed\",dry_run=\"false\"}";
    assert_eq!(server.metric(failed), Some(1.0));
    let found = "findings_total{rule=\"pod-security/host-network\",enforcement=\"deny\"}";
    assert_eq!(server.metric(found), Some(1.0));
}

#[test]
fn w29_a_name_starts_no_line_and_moves_no_cursor() {
    let server = Running::start(built_in());
    let mut pod = pod();
    pod["metadata"]["name"] = json!("a\n{\"decision\":\"allowed\"}\u{1b}[2J\u{9b}2J\u{202e}b");
    server.review("/validate?timeout=20s", question("l-1\n", &pod));
    eventually("the line is written", || !server.audit.text().is_empty());
    let text = server.audit.text();
    assert_eq!(text.lines().count(), 1);
    assert!(text.trim_end().chars().all(|it| !it.is_control() && it != '\u{202e}'), "{text:?}");
    assert_eq!(server.audit.lines()[0]["name"], pod["metadata"]["name"]);
}

/// A reader that reads nothing until it is told to, or has gone.
struct Stuck(Arc<Mutex<mpsc::Receiver<()>>>);

impl Write for Stuck {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        let _: Result<(), _> = self.0.lock().unwrap().recv();
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn w29_a_log_that_nobody_reads_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    certificate.write(folder.path());
    let (go, wait) = mpsc::channel();
    let wait = Arc::new(Mutex::new(wait));
    let logs = Logs::new(Box::new(Stuck(Arc::clone(&wait))), Box::new(Stuck(wait)));
    let server =
        Server::start(&options(folder.path()), Arc::new(Scripts::simple()), &logs).unwrap();
    let (address, health) = (server.address(), server.health_address());
    let lost = || {
        let text = client::get(health, "/metrics").unwrap().text();
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix("tidewaiter_admission_audit_lines_lost_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let mut connection = TlsConnection::open(address, &client::trusting(&certificate.der)).unwrap();
    for number in 0..200 {
        let uid = format!("n-{number}");
        let body = question(&uid, &crate::fixture::config_map());
        assert_eq!(connection.review("/validate", body).unwrap().review()["uid"], uid);
    }
    // Now the reader goes.
    drop(go);
    eventually("all lines are counted as lost", || lost() == 200);
    let body = question("last", &crate::fixture::config_map());
    assert_eq!(connection.review("/validate", body).unwrap().review()["uid"], "last");
    server.stop();
    server.wait().unwrap();
}
