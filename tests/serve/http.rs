//! HTTP as it should be, and as it should not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{NAME, chunk, chunked, request};
use crate::fixture::{Running, Scripts, config_map, echo, question};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

#[test]
fn w05_other_methods_and_paths_are_http_errors() {
    let server = Running::start(Scripts::simple());
    let mut connection = server.connect();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let response = connection.ask(method, "/validate?timeout=3s").unwrap();
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")), "{method}");
    }
    for path in ["/", "/validate/", "/validate/x", "/mutate", "/metrics", "/readyz", "/Validate"] {
        let response = connection.review(path, question("a-1", &config_map())).unwrap();
        assert_eq!(response.status, 404, "{path}");
        assert!(response.text().contains("/validate"));
    }
    assert_eq!(connection.review("/validate", question("a-1", &config_map())).unwrap().status, 200);
}

#[test]
fn w06_the_timeout_of_the_query_is_the_deadline() {
    let seen: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let scripts = Scripts::new(move |question, deadline| {
        noted.lock().unwrap().push(deadline.unwrap().saturating_duration_since(Instant::now()));
        echo(&question)
    });
    let server = Running::with(scripts, |it| it.max_duration = Duration::from_secs(20));
    for (query, most) in [
        ("?timeout=15s", 14_500),
        ("?timeout=30s", 20_000),
        ("?a=b&timeout=12s&c", 11_500),
        ("", 20_000),
        ("?timeout=soon", 20_000),
        ("?dryRun=All", 20_000),
    ] {
        let response = server.review(&format!("/validate{query}"), question("a-1", &config_map()));
        assert_eq!(response.review()["status"]["code"], 418, "{query}");
        let left = seen.lock().unwrap().pop().unwrap();
        let most = Duration::from_millis(most);
        // A machine under load takes its time, but not ten seconds.
        assert!(left <= most && left + Duration::from_secs(10) > most, "{query}: {left:?}");
    }
}

#[test]
fn w08_bodies_are_bounded_while_they_come() {
    let server = Running::with(Scripts::simple(), |it| it.max_body = 100_000);
    let fill = |length: usize| {
        let mut body = br#"{"request": {"uid": "b-1", "x": ""#.to_vec();
        body.resize(length, b'x');
        body
    };
    let mut connection = server.connect();
    for (length, wanted) in [(100_000, 418), (100_001, 413), (350_000, 413), (99_999, 418)] {
        let response = connection.post("/validate", JSON, &fill(length)).unwrap();
        assert_eq!(response.review()["status"]["code"], wanted, "{length}");
        assert_eq!(response.review()["uid"], "b-1", "{length}");

        connection.send(chunked("/validate")).unwrap();
        for part in fill(length).chunks(7001) {
            connection.send(chunk(part)).unwrap();
        }
        connection.send(chunk(b"")).unwrap();
        let response = connection.response().unwrap();
        assert_eq!(response.review()["status"]["code"], wanted, "{length} in chunks");
        assert_eq!(response.review()["uid"], "b-1", "{length} in chunks");
    }
    assert_eq!(server.metric("bytes_in_flight"), Some(0.0));
}

#[test]
fn w08_an_endless_body_is_cut_off() {
    let server = Running::with(Scripts::simple(), |it| it.max_body = 10_000);
    let mut connection = server.connect();
    connection.send(chunked("/validate")).unwrap();
    let mut sent = 0;
    while connection.send(chunk(&[b'x'; 10_000])).is_ok() {
        sent += 10_000;
        assert!(sent < 1 << 30, "the server reads for ever");
    }
}

#[test]
fn w08_a_length_that_lies_harms_nobody() {
    let server = Running::start(Scripts::simple());
    let body = question("a-1", &config_map());

    // Less comes than was announced.
    let mut short = server.connect();
    let head = format!(
        "POST /validate HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len() + 10
    );
    short.send([head.as_bytes(), &body].concat()).unwrap();
    short.finish();
    if let Ok(response) = short.response() {
        assert_eq!(response.review()["status"]["code"], 400);
    }

    // More comes: what is too much is a request of its own, and none that can be read.
    let mut long = server.connect();
    long.send([request("/validate", JSON, &body), b"garbage\r\n\r\n".to_vec()].concat()).unwrap();
    assert_eq!(long.response().unwrap().review()["uid"], "a-1");
    assert_eq!(long.response().map_or(400, |it| it.status), 400);
    assert!(long.ends());

    // Two lengths, or a length and chunks: what smuggles a request.
    for headers in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ] {
        let mut connection = server.connect();
        let head = format!("POST /validate HTTP/1.1\r\nHost: {NAME}\r\n{headers}\r\n{{}}");
        connection.send(head).unwrap();
        let status = connection.response().map_or(400, |it| it.status);
        assert_eq!(status, 400, "{headers}");
    }
    assert_eq!(server.review("/validate", body).review()["status"]["code"], 418);
}

#[test]
fn w16_a_connection_serves_a_thousand_questions() {
    let server = Running::start(Scripts::simple());
    let mut connection = server.connect();
    for number in 0..1000 {
        let uid = format!("k-{number}");
        let response = connection.review("/validate", question(&uid, &config_map())).unwrap();
        assert_eq!(response.review()["uid"], uid);
    }
}

#[test]
fn w16_questions_in_one_piece_are_answered_in_their_order() {
    let server = Running::start(Scripts::simple());
    let mut connection = server.connect();
    let uids = ["p-1", "p-2", "p-3", "p-4"];
    let all: Vec<Vec<u8>> =
        uids.iter().map(|uid| request("/validate", JSON, &question(uid, &config_map()))).collect();
    connection.send(all.concat()).unwrap();
    for uid in uids {
        assert_eq!(connection.response().unwrap().review()["uid"], uid);
    }
}

#[test]
fn w16_a_client_may_close_after_an_answer() {
    let server = Running::start(Scripts::simple());
    let mut connection = server.connect();
    let headers = [JSON[0], ("Connection", "close")];
    let response = connection.post("/validate", &headers, &question("c-1", &config_map())).unwrap();
    assert_eq!(response.review()["uid"], "c-1");
    assert!(connection.ends());
}

#[test]
fn a_client_that_waits_for_permission_gets_it() {
    let server = Running::start(Scripts::simple());
    let mut connection = server.connect();
    let body = json!({ "request": { "uid": "e-1" } }).to_string();
    let head = format!(
        "POST /validate HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head).unwrap();
    assert_eq!(connection.response().unwrap().status, 100);
    connection.send(body).unwrap();
    assert_eq!(connection.response().unwrap().review()["uid"], "e-1");
}
