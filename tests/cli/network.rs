//! Schemas from other hosts: `--schema-network`.
//!
//! The hosts are threads of the test. Those with names of their own are reached through a proxy
//! that answers for all of them, as a company's would.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::gate::{GOOD, Gate, Run};

const BAD_WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {sise: 1}\n";
const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "spec": {"properties": {"size": {"type": "integer"}}, "additionalProperties": false}
  }
}"#;
const UNKNOWN_FIELD: &str = "schema/unknown-field a.yaml:4:8";
const UNKNOWN_KIND: &str = "coverage/unknown-kind a.yaml:1:13";
const TEMPLATE: &str = "/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json";
const WIDGET: &str = "/example.com/widget_v1.json";

/// What a host says to a host's name and a path: a status and a body, or where it lies now.
type Says = fn(&str, &str) -> (&'static str, &'static str);

/// Knows the Widget and nothing else.
fn widget_alone(_: &str, path: &str) -> (&'static str, &'static str) {
    if path == WIDGET { ("200 OK", SCHEMA) } else { ("404 Not Found", "") }
}

/// A host on this machine, over plain HTTP.
struct Host {
    port: u16,
    asked: Receiver<String>,
}

impl Host {
    fn new(says: Says) -> Self {
        Self::listen(move |stream, told| answer(stream, "", says, told))
    }

    /// A proxy, which takes the place of every host that is asked for through it.
    fn proxy(certificate: &Certificate, says: Says) -> Self {
        let config = Arc::new(certificate.config());
        Self::listen(move |mut stream, told| {
            let request = head(&mut stream);
            let Some(host) = request.strip_prefix("CONNECT ") else {
                drop(told.send(request));
                return;
            };
            let host = host.split(':').next().unwrap().to_owned();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(StreamOwned::new(session, stream), &host, says, told);
        })
    }

    fn listen(serve: impl Fn(TcpStream, &Sender<String>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, asked) = mpsc::channel();
        let told = Mutex::new(told);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serve, told) = (Arc::clone(&serve), told.lock().unwrap().clone());
                thread::spawn(move || serve(stream.unwrap(), &told));
            }
        });
        Self { port, asked }
    }

    fn location(&self) -> String {
        format!("http://127.0.0.1:{}{TEMPLATE}", self.port)
    }

    /// Returns the hosts and paths that were asked for so far, in order.
    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self.asked.try_iter().collect();
        asked.sort();
        asked
    }
}

/// Reads the head of a request.
fn head(stream: &mut impl Read) -> String {
    let mut request = String::new();
    let mut reader = BufReader::with_capacity(1, stream);
    while reader.read_line(&mut request).unwrap_or(0) > 2 {}
    request
}

/// Answers one request, and tells of it.
fn answer(mut stream: impl Read + Write, host: &str, says: Says, told: &Sender<String>) {
    let request = head(&mut stream);
    let Some(path) = request.strip_prefix("GET ") else { return };
    let path = path.split(' ').next().unwrap();
    let secret = ["authorization", "cookie", "secret"];
    assert!(!secret.iter().any(|it| request.to_lowercase().contains(it)), "{request}");
    told.send(format!("{host}{path}")).unwrap();
    let (status, body) = says(host, path);
    let (location, body) = match status.split(' ').next().unwrap() {
        "302" => (format!("location: {body}\r\n"), ""),
        _ => (String::new(), body),
    };
    let len = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{location}connection: close\r\ncontent-length: {len}\r\n\r\n"
    );
    drop(stream.write_all(format!("{head}{body}").as_bytes()));
    drop(stream.flush());
}

/// A certificate that signs itself.
struct Certificate {
    pem: String,
    key: rcgen::KeyPair,
    signed: rcgen::Certificate,
}

impl Certificate {
    fn new() -> Self {
        let names = ["one.example.com", "two.example.com", "raw.githubusercontent.com"];
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let key = rcgen::KeyPair::generate().unwrap();
        let signed = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        Self { pem: signed.pem(), key, signed }
    }

    fn config(&self) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.signed.der().clone()], key)
            .unwrap()
    }
}

/// Returns a check of `a.yaml` with the network, by the schemas of some locations.
fn fetching(text: &str, locations: &[&str]) -> Gate {
    // Any certificate will do where no TLS is spoken.
    fetching_with(&Certificate::new(), text, locations)
}

fn fetching_with(certificate: &Certificate, text: &str, locations: &[&str]) -> Gate {
    let gate = Gate::new().repo([("a.yaml", text), ("ca.pem", &certificate.pem)]);
    let bundle = gate.path().join("ca.pem").display().to_string();
    let gate = gate
        .args(["check", "a.yaml", "--format", "json", "--schema-network"])
        .variable("SSL_CERT_FILE", &bundle);
    locations.iter().fold(gate, |gate, it| gate.args(["--schema-location", it]))
}

/// Returns the failures: rule, path, reason.
fn failures(run: &Run) -> Vec<String> {
    let report = run.json();
    let failures = report["failures"].as_array().unwrap();
    let text = |it: &serde_json::Value| it.as_str().unwrap_or("-").to_owned();
    failures
        .iter()
        .map(|it| {
            let (rule, path) = (text(&it["rule"]), text(&it["location"]["path"]));
            format!("{rule} {path}: {}", text(&it["reason"]))
        })
        .collect()
}

#[test]
fn nobody_is_asked_without_the_flag() {
    let host = Host::new(widget_alone);
    let run = Gate::new()
        .repo([("a.yaml", BAD_WIDGET)])
        .args(["check", "a.yaml", "--format", "json", "--schema-cache", "cache"])
        .args(["--schema-location", &host.location()])
        .run();
    assert_eq!((run.findings(), run.code), (vec![UNKNOWN_KIND.to_owned()], Some(0)));
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn the_configuration_names_nobody_who_is_asked() {
    let host = Host::new(widget_alone);
    let config = format!("schemas:\n- location: '{}'\n", host.location());
    let run = fetching(BAD_WIDGET, &[]).repo([("tidewaiter.yaml", &*config)]).run();
    assert_eq!(run.findings(), [UNKNOWN_KIND, "coverage/remote-schema tidewaiter.yaml:2:13"]);
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn a_schema_is_fetched_once_and_judges() {
    let host = Host::new(widget_alone);
    let two = format!("{BAD_WIDGET}---\n{}", BAD_WIDGET.replace("name: w", "name: v"));
    let run = fetching(&two, &[&host.location()]).run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD, "schema/unknown-field a.yaml:9:8"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(host.asked(), [WIDGET]);
}

#[test]
fn an_upgrade_asks_once_too() {
    let host = Host::new(widget_alone);
    let run = Gate::new()
        .repo([("a.yaml", BAD_WIDGET)])
        .args(["upgrade", "--to", "1.37", "--kubernetes", "1.36", "a.yaml", "--schema-network"])
        .args(["--schema-location", &host.location()])
        .run();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(host.asked(), [WIDGET]);
}

#[test]
fn only_kinds_that_nobody_else_knows_are_asked_for() {
    let host = Host::new(widget_alone);
    let text = format!("{GOOD}---\n{BAD_WIDGET}");
    let run = fetching(&text, &["default", &host.location()]).run();
    assert_eq!(run.findings(), ["schema/unknown-field a.yaml:9:8"]);
    assert_eq!(host.asked(), [WIDGET]);
    // An earlier place knows it.
    let run = fetching(BAD_WIDGET, &["s", &host.location()])
        .repo([("s/example.com/widget_v1.json", SCHEMA)])
        .run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD]);
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn what_a_host_does_not_have_the_next_one_may() {
    let (none, some) = (Host::new(|_, _| ("404 Not Found", "")), Host::new(widget_alone));
    let run = fetching(BAD_WIDGET, &[&none.location(), &some.location()]).run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD]);
    assert_eq!((none.asked(), some.asked()), (vec![WIDGET.to_owned()], vec![WIDGET.to_owned()]));
    let run = fetching(BAD_WIDGET, &[&none.location()]).run();
    assert_eq!((run.findings(), run.code), (vec![UNKNOWN_KIND.to_owned()], Some(0)));
}

#[test]
fn a_kind_of_kubernetes_is_asked_for_as_kubeconform_does() {
    let host = Host::new(|_, _| ("404 Not Found", ""));
    let location = format!("http://127.0.0.1:{}", host.port);
    let run = fetching(GOOD, &[&location]).args(["--kubernetes", "1.30"]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(0)));
    assert_eq!(
        host.asked(),
        ["/v1.30.0-standalone-strict/configmap-v1.json", "/v1.30.0-standalone/configmap-v1.json"]
    );
}

#[test]
fn anything_else_closes_the_gate_and_is_named() {
    let host = Host::new(|_, _| ("401 Unauthorized", SCHEMA));
    let run = fetching(BAD_WIDGET, &[&host.location()]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(2)));
    let reason =
        format!("`http://127.0.0.1:{}{WIDGET}` cannot be fetched: the status is 401", host.port);
    assert_eq!(failures(&run), [format!("coverage/remote-schema <command line>: {reason}")]);

    // A host that is not there is named once, however many kinds it should know.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gadget = BAD_WIDGET.replace("Widget", "Gadget");
    let location = format!("http://127.0.0.1:{port}{TEMPLATE}");
    let run = fetching(&format!("{BAD_WIDGET}---\n{gadget}"), &[&location]).run();
    assert_eq!((run.findings().len(), run.code), (0, Some(2)));
    let failures = failures(&run);
    let start = format!(
        "coverage/remote-schema <command line>: `127.0.0.1:{port}` cannot be asked for schemas: "
    );
    assert!(failures.len() == 1 && failures[0].starts_with(&start), "{failures:?}");
}

#[test]
fn what_is_no_schema_closes_the_gate_and_is_not_kept() {
    let host = Host::new(|_, _| ("200 OK", "<html>Please log in</html>"));
    let run = fetching(BAD_WIDGET, &[&host.location()]).args(["--schema-cache", "cache"]).run();
    assert_eq!(run.code, Some(2));
    let failures = failures(&run);
    let start = format!("the schema `http://127.0.0.1:{}{WIDGET}` cannot be used: ", host.port);
    assert!(failures.len() == 1 && failures[0].contains(&start), "{failures:?}");
    assert!(!run.path("cache").exists());
}

#[test]
fn the_cache_is_read_first_and_filled() {
    let host = Host::new(widget_alone);
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("below").display().to_string();
    for asked in [&[WIDGET] as &[&str], &[]] {
        let run = fetching(BAD_WIDGET, &[&host.location()]).args(["--schema-cache", &folder]).run();
        assert_eq!(run.findings(), [UNKNOWN_FIELD]);
        assert_eq!(host.asked(), asked);
    }
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(names.len() == 1 && names[0].len() == 64, "{names:?}");
}

#[test]
fn a_schema_may_refer_to_what_is_published_beside_it() {
    let host = Host::new(|_, path| match path {
        WIDGET => ("200 OK", r#"{"$ref": "_definitions.json#/definitions/Widget"}"#),
        "/example.com/_definitions.json" => (
            "200 OK",
            r#"{"definitions": {"Widget": {"properties":
                {"spec": {"properties": {"size": {}}, "additionalProperties": false}}}}}"#,
        ),
        _ => ("404 Not Found", ""),
    });
    let run = fetching(BAD_WIDGET, &[&host.location()]).run();
    assert_eq!(run.findings(), [UNKNOWN_FIELD]);
    assert_eq!(host.asked(), ["/example.com/_definitions.json", WIDGET]);
}

#[test]
fn tls_the_proxy_and_redirects() {
    let says: Says = |host, path| match (host, path) {
        ("one.example.com", WIDGET) => ("302 Found", "https://two.example.com/w.json"),
        ("two.example.com", "/w.json") => ("200 OK", SCHEMA),
        ("two.example.com", WIDGET) => ("302 Found", "http://two.example.com/w.json"),
        ("two.example.com", "/round/example.com/widget_v1.json") => ("302 Found", "?again"),
        _ => ("302 Found", "/round/example.com/widget_v1.json"),
    };
    let certificate = Certificate::new();
    let proxy = Host::proxy(&certificate, says);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let run = |location: &str| {
        fetching_with(&certificate, BAD_WIDGET, &[location]).variable("HTTPS_PROXY", &address).run()
    };
    let one = run(&format!("https://one.example.com{TEMPLATE}"));
    assert_eq!((one.findings(), one.code), (vec![UNKNOWN_FIELD.to_owned()], Some(1)));
    assert_eq!(
        proxy.asked(),
        ["one.example.com/example.com/widget_v1.json", "two.example.com/w.json"]
    );

    let failed = |run: Run, reason: &str| {
        assert_eq!((run.findings().len(), run.code), (0, Some(2)), "{run:?}");
        let failures = failures(&run);
        assert!(failures.len() == 1 && failures[0].ends_with(reason), "{failures:?}");
    };
    failed(
        run(&format!("https://two.example.com{TEMPLATE}")),
        "it redirects to an address without TLS",
    );
    let round = run(&format!("https://two.example.com/round{TEMPLATE}"));
    failed(round, "it redirects more than 3 times");
    // The certificate has no such name.
    let other = run(&format!("https://three.example.com{TEMPLATE}"));
    let reasons = failures(&other);
    assert!(
        reasons[0].contains("`three.example.com` cannot be asked for schemas: "),
        "{reasons:?}"
    );
    assert!(reasons[0].contains("certificate"), "{reasons:?}");
    assert_eq!(other.code, Some(2));
    // Nor is it trusted without being named.
    let other = Certificate::new();
    let run = fetching_with(&other, BAD_WIDGET, &[&format!("https://one.example.com{TEMPLATE}")])
        .variable("HTTPS_PROXY", &address)
        .run();
    assert_eq!(run.code, Some(2));
    assert!(failures(&run)[0].contains("certificate"), "{run:?}");
}

#[test]
fn neither_plain_http_nor_credentials_go_to_another_machine() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = format!("http://127.0.0.1:{port}");
    for (location, reason) in [
        (
            format!("http://one.example.com{TEMPLATE}"),
            "`one.example.com` cannot be asked for schemas: only this machine is asked without TLS",
        ),
        (
            format!("https://user:secret@one.example.com{TEMPLATE}"),
            "`one.example.com` cannot be asked for schemas: the address holds credentials, and \
             none are sent",
        ),
    ] {
        let run = fetching(BAD_WIDGET, &[&location]).variable("HTTPS_PROXY", &proxy).run();
        assert_eq!(failures(&run), [format!("coverage/remote-schema <command line>: {reason}")]);
        assert_eq!(run.code, Some(2));
    }
}

#[test]
fn the_program_knows_what_is_well_known_and_asks_for_the_rest() {
    let says: Says = |_, path| match path {
        "/datreeio/CRDs-catalog/main/example.com/widget_v1.json" => ("200 OK", SCHEMA),
        _ => ("404 Not Found", ""),
    };
    let certificate = Certificate::new();
    let proxy = Host::proxy(&certificate, says);
    let location =
        format!("https://raw.githubusercontent.com/datreeio/CRDs-catalog/main{TEMPLATE}");
    let run = |text: &str| {
        fetching_with(&certificate, text, &[&location])
            .variable("HTTPS_PROXY", &format!("http://127.0.0.1:{}", proxy.port))
            .run()
    };
    let known = "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a, namespace: b}\n\
                 spec: {selfSigned: {}}\n";
    assert_eq!((run(known).findings().len(), proxy.asked().len()), (0, 0));
    assert_eq!(run(BAD_WIDGET).findings(), [UNKNOWN_FIELD]);
    assert_eq!(
        proxy.asked(),
        ["raw.githubusercontent.com/datreeio/CRDs-catalog/main/example.com/widget_v1.json"]
    );
}
