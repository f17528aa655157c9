use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::*;

/// A host on this machine.
struct Host {
    address: String,
    asked: Receiver<String>,
}

impl Host {
    /// Starts a host that answers the first line of each request; where there is no answer it
    /// hangs up.
    fn new(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answer, &told);
            }
        });
        Self { address, asked }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Returns the requests so far.
    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(&str) -> Option<String>,
    told: &mpsc::Sender<String>,
) {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut request).unwrap_or(0) > 2 {}
    let first = request.lines().next().unwrap_or_default().to_owned();
    drop(told.send(request));
    if let Some(answer) = answer(&first) {
        drop(stream.write_all(answer.as_bytes()));
    }
}

fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

fn body(text: &str) -> String {
    let len = text.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n{text}")
}

fn text(answer: Answer) -> Result<Option<String>, String> {
    answer.map(|it| it.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

#[test]
fn an_address_is_asked_once_however_many_want_it() {
    let host = Host::new(|_| Some(body("{}")));
    let client = Client::new();
    let address = host.at("/a.json");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(text(client.fetch(&address)), Ok(Some("{}".to_owned())));
            });
        }
    });
    assert_eq!(host.asked().len(), 1);
}

#[test]
fn a_request_holds_nothing_but_the_address() {
    let host = Host::new(|_| Some(status("404 Not Found")));
    assert_eq!(text(Client::new().fetch(&host.at("/a.json"))), Ok(None));
    let [request] = <[String; 1]>::try_from(host.asked()).unwrap();
    let name = host.address.trim_start_matches("http://");
    let mut lines: Vec<&str> = request.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "GET /a.json HTTP/1.1");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "accept: application/json".to_owned(),
            format!("host: {name}"),
            format!("user-agent: tidewaiter/{}", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[test]
fn what_is_not_there_is_no_failure_and_anything_else_is() {
    let host = Host::new(|line| {
        Some(match line {
            "GET /gone HTTP/1.1" => status("410 Gone"),
            "GET /teapot HTTP/1.1" => status("418 I'm a teapot"),
            "GET /login HTTP/1.1" => status("401 Unauthorized"),
            "GET /moved HTTP/1.1" => {
                "HTTP/1.1 302 Found\r\nlocation: https://example.com/\r\n\r\n".to_owned()
            }
            _ => status("404 Not Found"),
        })
    });
    let client = Client::new();
    let fetched = |path: &str| text(client.fetch(&host.at(path)));
    let failed =
        |path: &str, reason: &str| Err(format!("`{}` cannot be fetched: {reason}", host.at(path)));
    assert_eq!(fetched("/absent"), Ok(None));
    assert_eq!(fetched("/gone"), Ok(None));
    assert_eq!(fetched("/teapot"), failed("/teapot", "the status is 418"));
    assert_eq!(fetched("/login"), failed("/login", "the status is 401"));
    let reason = "it redirects, and on this machine that is not followed";
    assert_eq!(fetched("/moved"), failed("/moved", reason));
}

#[test]
fn what_passes_is_asked_twice() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let host = Host::new(move |_| {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        Some(if first { status("503 Service Unavailable") } else { body("{}") })
    });
    assert_eq!(text(Client::new().fetch(&host.at("/a"))), Ok(Some("{}".to_owned())));
    assert_eq!(host.asked().len(), 2);

    let host = Host::new(|_| Some(status("503 Service Unavailable")));
    let failed = format!("`{}` cannot be fetched: the status is 503", host.at("/a"));
    assert_eq!(text(Client::new().fetch(&host.at("/a"))), Err(failed));
    assert_eq!(host.asked().len(), 2);
}

#[test]
fn a_host_that_does_not_answer_is_left_alone() {
    let host = Host::new(|_| None);
    let client = Client::new();
    let first = text(client.fetch(&host.at("/a"))).unwrap_err();
    let name = host.address.trim_start_matches("http://");
    assert!(first.starts_with(&format!("`{name}` cannot be asked for schemas: ")), "{first}");
    assert_eq!(host.asked().len(), 2);
    // The same sentence for all kinds, so that a report has it once.
    assert_eq!(text(client.fetch(&host.at("/b"))), Err(first));
    assert_eq!(host.asked().len(), 0);
}

#[test]
fn size_time_and_number_are_bounded() {
    let host = Host::new(|line| match line {
        "GET /slow HTTP/1.1" => {
            thread::sleep(Duration::from_secs(2));
            None
        }
        "GET /long HTTP/1.1" => Some(body("12345")),
        _ => Some(body("1234")),
    });
    let bounds = Bounds { size: 4, total: 8, addresses: 4, ..BOUNDS };
    let client = Client::within(bounds);
    let fetched = |path: &str| text(client.fetch(&host.at(path)));
    let failed =
        |path: &str, reason: &str| Err(format!("`{}` cannot be fetched: {reason}", host.at(path)));
    assert_eq!(fetched("/a"), Ok(Some("1234".to_owned())));
    assert_eq!(fetched("/long"), failed("/long", "it is larger than 4 bytes"));
    assert_eq!(fetched("/b"), Ok(Some("1234".to_owned())));
    assert_eq!(fetched("/c"), failed("/c", "more than 8 bytes came in all"));
    let enough = "no more schemas are fetched: 4 addresses were asked";
    assert_eq!(fetched("/d"), Err(enough.to_owned()));
    // What is known is known.
    assert_eq!(fetched("/a"), Ok(Some("1234".to_owned())));

    let client = Client::within(Bounds { run: Duration::ZERO, ..bounds });
    let enough = "no more schemas are fetched: it took 0 seconds so far";
    assert_eq!(text(client.fetch(&host.at("/a"))), Err(enough.to_owned()));

    let client = Client::within(Bounds { answer: Duration::from_millis(100), ..bounds });
    let name = host.address.trim_start_matches("http://");
    let late = format!("`{name}` cannot be asked for schemas: it takes too long to answer");
    assert_eq!(text(client.fetch(&host.at("/slow"))), Err(late));
}

#[test]
fn only_this_machine_is_asked_without_tls_and_nobody_with_credentials() {
    let refused = |address: &str| Target::of(address).unwrap_err();
    for other in ["http://example.com/a", "http://10.0.0.1/a", "http://localhost.example.com/a"] {
        let error = refused(other);
        assert!(error.ends_with("only this machine is asked without TLS"), "{error}");
    }
    assert_eq!(
        refused("https://user:secret@example.com:8443/a"),
        "`example.com:8443` cannot be asked for schemas: the address holds credentials, and none \
         are sent"
    );
    assert_eq!(refused("https:///a"), "`https:///a` is no address");
    for (address, is_here) in [
        ("http://localhost:8080/a", true),
        ("http://127.0.0.2/a", true),
        ("http://[::1]:80/a", true),
        ("https://LOCALHOST/a", true),
        ("https://example.com/a", false),
        ("https://[2001:db8::1]/a", false),
    ] {
        assert_eq!(Target::of(address).unwrap().is_here, is_here, "{address}");
    }
}
