//! `tidewaiter certificates` as it is run: the files, what is printed, and what is refused.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "test code, which runs the program"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tempfile::TempDir;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The name by which an API server calls the webhook, unless other names are given.
const NAME: &str = "tidewaiter.tidewaiter-system.svc";

/// Runs the command in a folder, with nothing in the environment.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewaiter"))
        .arg("certificates")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

/// Runs the command and returns what it prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the command, which refuses, and returns why.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn decoded(bundle: &str) -> Vec<u8> {
    STANDARD.decode(bundle.strip_suffix('\n').unwrap()).unwrap()
}

/// Says whether whoever trusts `cas` accepts the certificate of a folder, today.
fn accepts(cas: &[u8], folder: &Path, name: &str) -> bool {
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_slice_iter(cas) {
        roots.add(ca.unwrap()).unwrap();
    }
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let certificate = CertificateDer::from_pem_file(folder.join("tls.crt")).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now()).is_ok()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_bundle_is_printed_that_trusts_the_certificate() {
    let folder = TempDir::new().unwrap();
    let bundle = printed(folder.path(), &["--out", "made"]);
    assert_eq!(bundle.lines().count(), 1);
    let made = folder.path().join("made");
    assert_eq!(decoded(&bundle), fs::read(made.join("ca.crt")).unwrap());
    assert_eq!(names(&made), ["ca.crt", "tls.crt", "tls.key"]);
    assert!(accepts(&decoded(&bundle), &made, NAME));
    assert!(!accepts(&decoded(&bundle), &made, "other.tidewaiter-system.svc"));
    // Nothing printed is secret, and the key of the CA is nowhere.
    let keys = fs::read_to_string(made.join("tls.key")).unwrap();
    assert_eq!(keys.matches("BEGIN PRIVATE KEY").count(), 1);
    for public in ["tls.crt", "ca.crt"] {
        assert!(!fs::read_to_string(made.join(public)).unwrap().contains("PRIVATE"), "{public}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["--out", "."]);
    let mode = fs::metadata(folder.path().join("tls.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_service_of_another_name_has_other_names_and_more_may_be_given() {
    let folder = TempDir::new().unwrap();
    let arguments = ["--service", "gate", "--namespace", "guards", "--days", "7"];
    let further = ["--dns-name", "gate.example.com", "--ip", "192.0.2.7", "--ip", "2001:db8::7"];
    let bundle = printed(folder.path(), &[&arguments[..], &further, &["--out", "."]].concat());
    for name in [
        "gate.guards.svc",
        "gate",
        "gate.guards.svc.cluster.local",
        "gate.example.com",
        "192.0.2.7",
    ] {
        assert!(accepts(&decoded(&bundle), folder.path(), name), "{name}");
    }
    assert!(accepts(&decoded(&bundle), folder.path(), "2001:db8::7"));
    assert!(!accepts(&decoded(&bundle), folder.path(), NAME));
    let der = CertificateDer::from_pem_file(folder.path().join("tls.crt")).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let validity = certificate.validity();
    // It begins an hour in the past, for clocks that are late.
    let lasts = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert_eq!(lasts, 7 * 86400 + 3600);
}

#[test]
fn a_certificate_lasts_a_year_unless_days_are_given() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["--out", "."]);
    let der = CertificateDer::from_pem_file(folder.path().join("tls.crt")).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let validity = certificate.validity();
    let lasts = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert_eq!(lasts, 365 * 86400 + 3600);
}

#[test]
fn files_that_are_there_are_kept_unless_forced() {
    let folder = TempDir::new().unwrap();
    let first = printed(folder.path(), &["--out", "made"]);
    let made = folder.path().join("made");
    let refused = refusal(folder.path(), &["--out", "made"]);
    assert_eq!(
        refused,
        format!(
            "error: `{}` is there already, and a key that is in use would be lost: name another \
             folder, or replace it with `--force`\n",
            Path::new("made").join("tls.key").display()
        )
    );
    assert!(accepts(&decoded(&first), &made, NAME));
    let second = printed(folder.path(), &["--out", "made", "--force"]);
    assert!(accepts(&decoded(&second), &made, NAME));
    assert!(!accepts(&decoded(&first), &made, NAME));
}

#[test]
fn the_previous_ca_stays_trusted_so_that_no_call_fails_meanwhile() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["--out", "old"]);
    let both = printed(folder.path(), &["--out", "new", "--previous-ca", "old/ca.crt"]);
    for made in ["old", "new"] {
        assert!(accepts(&decoded(&both), &folder.path().join(made), NAME), "{made}");
    }
    // What the files say is the new one alone.
    let new = fs::read(folder.path().join("new/ca.crt")).unwrap();
    assert!(!accepts(&new, &folder.path().join("old"), NAME));
}

#[test]
fn a_patch_names_the_webhooks() {
    let folder = TempDir::new().unwrap();
    let patch = printed(folder.path(), &["--out", ".", "--print", "patch"]);
    let bundle = STANDARD.encode(fs::read(folder.path().join("ca.crt")).unwrap());
    assert!(patch.contains("kind: ValidatingWebhookConfiguration\n"), "{patch}");
    assert_eq!(patch.matches(&format!("caBundle: {bundle}\n")).count(), 3);
}

#[test]
fn what_no_certificate_can_hold_is_refused_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    for (arguments, reason) in [
        (["--service", "Gate"], "lower-case letters, digits and `-`"),
        (["--service", ""], "lower-case letters, digits and `-`"),
        (["--namespace", "a.b"], "lower-case letters, digits and `-`"),
        (["--dns-name", "gate_1.example.com"], "write a DNS name in lower case"),
        (["--dns-name", "10.0.0.1"], "write a DNS name in lower case"),
        (["--ip", "gate.example.com"], "invalid IP address"),
        (["--days", "0"], "1..=3650"),
        (["--days", "3651"], "1..=3650"),
        (["--days", "soon"], "invalid digit"),
        (["--print", "yaml"], "possible values: bundle, patch"),
    ] {
        let refused = refusal(folder.path(), &[&arguments[..], &["--out", "made"]].concat());
        assert!(refused.contains(reason), "{refused}");
        assert!(refused.contains(arguments[0]), "{refused}");
    }
    assert!(refusal(folder.path(), &[]).contains("--out <FOLDER>"));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_previous_ca_that_is_none_is_refused_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["--out", "old"]);
    for (file, reason) in [
        ("old/tls.key", "it holds something else than certificates"),
        ("missing.crt", "No such file or directory"),
        ("empty", "it holds no certificate"),
    ] {
        fs::write(folder.path().join("empty"), "").unwrap();
        let refused = refusal(folder.path(), &["--out", "new", "--previous-ca", file]);
        assert!(refused.starts_with(&format!("error: cannot use `{file}`: {reason}")), "{refused}");
        // Not a letter of what was read.
        assert!(!refused.contains("BEGIN"), "{refused}");
    }
    assert!(!folder.path().join("new").exists());
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = refusal(folder.path(), &["--out", "file"]);
    assert!(refused.starts_with("error: cannot write `file`: "), "{refused}");
}
