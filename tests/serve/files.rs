//! Certificates and gates that change while the webhook runs.

use std::fs;
use std::path::Path;

use crate::client::{self, TlsConnection};
use crate::fixture::{Certificate, Running, Scripts, config_map, eventually, options, question};

/// Writes a certificate as a kubelet mounts a Secret: the files are links into `..data`, which is
/// a link to a folder, and is replaced as a whole.
#[cfg(unix)]
fn mount(folder: &Path, version: &str, certificate: &Certificate) {
    use std::os::unix::fs::symlink;
    let data = folder.join(version);
    fs::create_dir(&data).unwrap();
    certificate.write(&data);
    symlink(version, folder.join("..data_new")).unwrap();
    fs::rename(folder.join("..data_new"), folder.join("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        if !folder.join(name).is_symlink() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn w17_a_new_certificate_is_served_without_dropping_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Certificate::until(2040), Certificate::until(2041));
    mount(folder.path(), "..one", &first);
    let options = options(folder.path());
    let server = Running::launch(Scripts::simple(), &options, folder, &first).unwrap();
    assert_eq!(server.metric("certificate_not_after_seconds"), Some(2_208_988_800.0));
    let mut kept = server.connect();

    mount(server.folder.path(), "..two", &second);
    fs::remove_dir_all(server.folder.path().join("..one")).unwrap();
    let trusting = client::trusting(&second.der);
    eventually("the new certificate is served", || {
        TlsConnection::open(server.address, &trusting).is_ok()
    });
    assert_eq!(kept.review("/validate", question("a-1", &config_map())).unwrap().status, 200);
    assert_eq!(server.metric("certificate_not_after_seconds"), Some(2_240_611_200.0));
    let reloaded = "reloads_total{what=\"certificate\",result=\"success\"}";
    assert_eq!(server.metric(reloaded), Some(1.0));
    assert_eq!(server.events("reloaded")[0]["what"], "certificate");
    assert!(server.events("reload-failed").is_empty());
}

#[test]
fn w17_a_bad_certificate_changes_nothing() {
    let server = Running::start(Scripts::simple());
    let folder = server.folder.path();
    let good = fs::read_to_string(folder.join("tls.crt")).unwrap();
    let other = Certificate::new();
    let failing = "reload_failing{what=\"certificate\"}";
    let bad = [
        // Of another key; written by half; empty; no certificate at all.
        other.pem.clone(),
        good[..good.len() / 2].to_owned(),
        String::new(),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
    ];
    for (number, text) in (1..).zip(&bad) {
        fs::write(folder.join("tls.crt"), text).unwrap();
        eventually("it is said to be bad", || {
            server.events("reload-failed").last().is_some_and(|_| {
                server.metric("reloads_total{what=\"certificate\",result=\"failure\"}")
                    >= Some(f64::from(number))
            })
        });
        assert_eq!(server.metric(failing), Some(1.0));
        assert_eq!(server.review("/validate", question("a-1", &config_map())).status, 200);
    }
    fs::remove_file(folder.join("tls.crt")).unwrap();
    eventually("it is said to be gone", || {
        let events = server.events("reload-failed");
        events.last().unwrap()["error"].as_str().unwrap().starts_with("cannot read")
    });
    // The old one again.
    fs::write(folder.join("tls.crt"), &good).unwrap();
    eventually("all is well", || server.metric(failing) == Some(0.0));
    // The other, with its key: first the one file, then the other.
    fs::write(folder.join("tls.crt"), &other.pem).unwrap();
    eventually("half of a pair is bad", || server.metric(failing) == Some(1.0));
    fs::write(folder.join("tls.key"), &other.key).unwrap();
    eventually("the pair is good", || server.metric(failing) == Some(0.0));
    TlsConnection::open(server.address, &client::trusting(&other.der)).unwrap();
    let log = server.events.text();
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[test]
fn w17_sessions_are_resumed_and_tls_1_2_is_spoken() {
    let server = Running::start(Scripts::simple());
    let mut first = server.connect();
    first.review("/validate", question("a-1", &config_map())).unwrap();
    assert_eq!(first.handshake(), Some(rustls::HandshakeKind::Full));
    let second = server.connect();
    assert_eq!(second.version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(second.handshake(), Some(rustls::HandshakeKind::Resumed));

    let mut roots = rustls::RootCertStore::empty();
    let pem = fs::read(server.folder.path().join("tls.crt")).unwrap();
    let der = rustls::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap();
    roots.add(der).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let older = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let older = TlsConnection::open(server.address, &std::sync::Arc::new(older)).unwrap();
    assert_eq!(older.version(), Some(rustls::ProtocolVersion::TLSv1_2));
}

#[test]
fn a_changed_gate_is_used_and_a_bad_one_is_not() {
    let scripts = Scripts::simple();
    let state = std::sync::Arc::clone(&scripts.state);
    let server = Running::start(scripts);
    let version = env!("CARGO_PKG_VERSION");
    let info = |digest: &str| {
        server.metric(&format!("gate_info{{digest=\"{digest}\",version=\"{version}\"}}"))
    };
    let digest = || {
        server.review("/validate", question("a-1", &config_map()));
        eventually("the line is written", || !server.audit.lines().is_empty());
        server.audit.lines().last().unwrap()["digest"].clone()
    };
    assert_eq!(info("first"), Some(1.0));
    assert_eq!(digest(), "first");

    state.lock().unwrap().digest = Ok("second".to_owned());
    eventually("the second is used", || info("second") == Some(1.0));
    assert_eq!(info("first"), None);
    eventually("the second is said", || digest() == "second");
    assert_eq!(server.events("reloaded")[0]["digest"], "second");

    let made = {
        let mut state = state.lock().unwrap();
        state.digest = Ok("third".to_owned());
        state.bad = Some("no such rule".to_owned());
        state.made
    };
    eventually("the third is refused", || server.events("reload-failed").len() == 1);
    assert_eq!(server.events("reload-failed")[0]["error"], "no such rule");
    assert_eq!(server.metric("reload_failing{what=\"gate\"}"), Some(1.0));
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(state.lock().unwrap().made, made + 1, "what is bad is not made again and again");
    assert_eq!(info("second"), Some(1.0));
    assert_eq!(digest(), "second");

    state.lock().unwrap().digest = Err("cannot read `a`".to_owned());
    eventually("it is said", || server.events("reload-failed").len() == 2);
    {
        let mut state = state.lock().unwrap();
        state.digest = Ok("fourth".to_owned());
        state.bad = None;
    }
    eventually("the fourth is used", || info("fourth") == Some(1.0));
    assert_eq!(server.metric("reload_failing{what=\"gate\"}"), Some(0.0));
}
