//! Slow clients, slow rules, too many questions.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::client::{Connection, chunk, chunked, request};
use crate::fixture::{Running, Scripts, config_map, echo, eventually, question};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const SHORT: Duration = Duration::from_millis(200);

/// Where evaluations wait until a test lets them go.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>, Arc<AtomicUsize>);

impl Gate {
    fn scripts(&self) -> Scripts {
        let gate = self.clone();
        Scripts::new(move |question, _| {
            gate.1.fetch_add(1, Ordering::SeqCst);
            let (open, opened) = &*gate.0;
            drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            echo(&question)
        })
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Returns the number of evaluations that were begun.
    fn begun(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

// A test that fails leaves no thread behind that waits.
impl Drop for Gate {
    fn drop(&mut self) {
        if thread::panicking() {
            self.open();
        }
    }
}

#[test]
fn w07_a_late_evaluation_is_answered_with_a_decision() {
    let gate = Gate::default();
    let server = Running::start(gate.scripts());
    let mut connection = server.connect();
    let body = question("late-1", &config_map());
    let review = connection.review("/validate?timeout=300ms", &body).unwrap().review();
    assert_eq!(
        (review["uid"].as_str(), review["allowed"].as_bool()),
        (Some("late-1"), Some(false))
    );
    assert_eq!(review["status"]["code"], 500);
    let message = review["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("evaluation timed out"), "{message}");
    assert_eq!(server.metric("timeouts_total"), Some(1.0));
    gate.open();
    assert_eq!(connection.review("/validate", &body).unwrap().review()["status"]["code"], 418);
}

#[test]
fn w13_a_slow_handshake_or_head_ends_the_connection() {
    let server = Running::with(Scripts::simple(), |it| {
        it.patience.handshake = SHORT;
        it.patience.head = SHORT;
    });
    let mut silent = Connection::plain(server.address).unwrap();
    assert!(silent.ends(), "a client that does not shake hands");
    let mut slow = server.connect();
    slow.send("POST /validate HTTP/1.1\r\nHost: ").unwrap();
    assert!(slow.ends(), "a head that does not end");

    // A head that comes byte by byte does not win time with each.
    let mut trickle = server.connect();
    let mut bytes = 0;
    while trickle.send("P").is_ok() {
        bytes += 1;
        assert!(bytes < 1000, "a head may take for ever");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn w13_a_connection_may_be_idle_longer_than_a_head_may_take() {
    let server = Running::with(Scripts::simple(), |it| {
        it.patience.head = Duration::from_millis(50);
        it.patience.idle = Duration::from_mins(10);
    });
    let mut connection = server.connect();
    for uid in ["i-1", "i-2", "i-3"] {
        thread::sleep(Duration::from_millis(300));
        let body = question(uid, &config_map());
        assert_eq!(connection.review("/validate", body).unwrap().review()["uid"], uid);
    }
}

#[test]
fn w13_an_idle_connection_ends_at_last() {
    let server = Running::with(Scripts::simple(), |it| it.patience.idle = SHORT);
    let mut fresh = server.connect();
    let mut used = server.connect();
    used.review("/validate", question("i-1", &config_map())).unwrap();
    assert!(fresh.ends() && used.ends());
    eventually("all are counted as closed", || server.metric("connections") == Some(0.0));
}

#[test]
fn w13_a_slow_body_is_answered() {
    let server = Running::with(Scripts::simple(), |it| it.patience.body = SHORT);
    let mut connection = server.connect();
    connection.send(chunked("/validate")).unwrap();
    connection.send(chunk(br#"{"request": {"uid": "slow-1", "#)).unwrap();
    let review = connection.response().unwrap().review();
    assert_eq!(review["uid"], "slow-1");
    assert_eq!(review["status"]["message"], "the request body did not come in time");
    assert!(connection.ends());
    assert_eq!(server.metric("bytes_in_flight"), Some(0.0));
}

#[test]
fn w13_clients_that_do_nothing_keep_nobody_out() {
    let server = Running::start(Scripts::simple());
    let silent: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    assert_eq!(server.review("/validate", question("a-1", &config_map())).review()["uid"], "a-1");
    drop(silent);
}

#[test]
fn w13_connections_beyond_the_limit_wait() {
    let server = Running::with(Scripts::simple(), |it| {
        it.max_connections = std::num::NonZeroUsize::MIN;
    });
    let mut first = server.connect();
    let (address, tls) = (server.address, Arc::clone(&server.tls));
    let second = thread::spawn(move || {
        let mut connection = crate::client::TlsConnection::open(address, &tls).unwrap();
        connection.review("/validate", question("second", &config_map())).unwrap()
    });
    for _ in 0..20 {
        first.review("/validate", question("first", &config_map())).unwrap();
        assert_eq!(server.metric("connections"), Some(1.0));
    }
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(second.join().unwrap().review()["uid"], "second");
}

#[test]
fn w14_too_many_questions_are_sent_away_at_once() {
    let gate = Gate::default();
    let server = Running::with(gate.scripts(), |it| {
        it.workers = std::num::NonZeroUsize::MIN;
        it.queue = std::num::NonZeroUsize::MIN;
    });
    let mut running = server.connect();
    running.send(request("/validate?timeout=30s", JSON, &question("q-1", &config_map()))).unwrap();
    eventually("the first is evaluated", || gate.begun() == 1);
    let mut queued = server.connect();
    queued.send(request("/validate?timeout=30s", JSON, &question("q-2", &config_map()))).unwrap();
    eventually("the second waits", || server.metric("queued") == Some(1.0));
    let mut third = server.connect();
    let response = third.review("/validate", question("q-3", &config_map())).unwrap();
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(server.metric("rejected_overload_total"), Some(1.0));
    assert_eq!(gate.begun(), 1, "there is one thread");
    gate.open();
    for (connection, uid) in [(&mut running, "q-1"), (&mut queued, "q-2")] {
        assert_eq!(connection.response().unwrap().review()["uid"], uid);
    }
    // The connection that was sent away is as good as before.
    let body = question("q-4", &config_map());
    assert_eq!(third.review("/validate", body).unwrap().review()["uid"], "q-4");
}

#[test]
fn w14_the_deadline_includes_the_wait_for_a_thread() {
    let gate = Gate::default();
    let server = Running::with(gate.scripts(), |it| it.workers = std::num::NonZeroUsize::MIN);
    let mut running = server.connect();
    running.send(request("/validate?timeout=30s", JSON, &question("q-1", &config_map()))).unwrap();
    eventually("the first is evaluated", || gate.begun() == 1);
    let review = server.review("/validate?timeout=300ms", question("q-2", &config_map())).review();
    assert_eq!(
        (review["uid"].as_str(), review["status"]["code"].as_u64()),
        (Some("q-2"), Some(500))
    );
    gate.open();
    assert_eq!(running.response().unwrap().review()["uid"], "q-1");
    server.review("/validate", question("q-3", &config_map())).review();
    assert_eq!(gate.begun(), 2, "what came too late is not evaluated");
}

#[test]
fn w14_all_bodies_together_are_bounded() {
    let gate = Gate::default();
    let server = Running::with(gate.scripts(), |it| {
        it.max_body = 64 << 10;
        it.max_bytes_in_flight = 100 << 10;
        it.workers = std::num::NonZeroUsize::MIN.saturating_add(3);
    });
    let mut large = config_map();
    large["data"]["key"] = "x".repeat(60 << 10).into();
    let mut first = server.connect();
    let body = question("r-1", &large);
    first.send(request("/validate?timeout=30s", JSON, &body)).unwrap();
    eventually("the first is evaluated", || gate.begun() == 1);
    assert_eq!(
        server.metric("bytes_in_flight"),
        Some(f64::from(u32::try_from(body.len()).unwrap()))
    );
    let second = server.review("/validate?timeout=400ms", question("r-2", &large));
    assert_eq!((second.status, second.header("retry-after")), (503, Some("1")));
    // For a small one there is room.
    let mut small = server.connect();
    small.send(request("/validate?timeout=30s", JSON, &question("r-3", &config_map()))).unwrap();
    eventually("the small one is evaluated", || gate.begun() == 2);
    gate.open();
    assert_eq!(first.response().unwrap().review()["uid"], "r-1");
    assert_eq!(small.response().unwrap().review()["uid"], "r-3");
    assert_eq!(server.review("/validate", question("r-4", &large)).review()["uid"], "r-4");
    assert_eq!(server.metric("bytes_in_flight"), Some(0.0));
}

#[test]
fn w15_a_question_that_nobody_waits_for_is_not_evaluated() {
    let gate = Gate::default();
    let server = Running::with(gate.scripts(), |it| it.workers = std::num::NonZeroUsize::MIN);
    let mut running = server.connect();
    running.send(request("/validate?timeout=30s", JSON, &question("d-1", &config_map()))).unwrap();
    eventually("the first is evaluated", || gate.begun() == 1);
    for uid in ["d-2", "d-3"] {
        let mut gone = server.connect();
        gone.send(request("/validate?timeout=30s", JSON, &question(uid, &config_map()))).unwrap();
        eventually("it waits", || server.metric("in_flight") == Some(2.0));
        drop(gone);
        eventually("it is given up", || server.metric("in_flight") == Some(1.0));
    }
    gate.open();
    running.response().unwrap();
    assert_eq!(server.review("/validate", question("d-4", &config_map())).review()["uid"], "d-4");
    assert_eq!(gate.begun(), 2);
    let audited: Vec<_> =
        server.audit.lines().iter().map(|it| it["uid"].as_str().unwrap().to_owned()).collect();
    assert!(!audited.contains(&"d-2".to_owned()), "{audited:?}");
}
