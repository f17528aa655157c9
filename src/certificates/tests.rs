use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{
    BundleError, CertificateError, Certificates, Folder, FolderError, Request, bundle, make, patch,
};

/// 2026-03-01, half a second past midnight.
const NOW: Duration = Duration::from_millis(1_772_323_200_500);
const DAY: Duration = Duration::from_hours(24);
const NAME: &str = "gate.guards.svc";

fn request() -> Request {
    Request {
        service: "gate".parse().unwrap(),
        namespace: "guards".parse().unwrap(),
        dns_names: Vec::new(),
        addresses: Vec::new(),
        days: 30,
        now: SystemTime::UNIX_EPOCH + NOW,
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    let (rest, certificate) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

/// Says whether whoever trusts `cas` takes the certificate for `name` at `at`.
fn accepts(cas: &[u8], made: &Certificates, name: &str, at: Duration) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_slice_iter(cas) {
        roots.add(ca.unwrap()).unwrap();
    }
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let certificate = der(&made.certificate);
    let at = UnixTime::since_unix_epoch(at);
    verifier.verify_server_cert(&certificate, &[], &name, &[], at).map(drop)
}

#[test]
fn an_api_server_accepts_the_certificate_for_every_name_of_the_service() {
    let made = make(&Request {
        dns_names: vec!["gate.example.com".parse().unwrap()],
        addresses: vec![Ipv4Addr::new(192, 0, 2, 7).into(), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        ..request()
    })
    .unwrap();
    let ca = made.ca.as_bytes();
    for name in [
        "gate",
        "gate.guards",
        "gate.guards.svc",
        "gate.guards.svc.cluster.local",
        "gate.example.com",
        "192.0.2.7",
        "::1",
    ] {
        assert_eq!(accepts(ca, &made, name, NOW), Ok(()), "{name}");
    }
    for name in ["other.guards.svc", "gate.other.svc", "guards", "192.0.2.8"] {
        assert!(accepts(ca, &made, name, NOW).is_err(), "{name}");
    }
}

#[test]
fn it_holds_from_an_hour_ago_and_for_as_many_days_as_were_asked_for() {
    let made = make(&request()).unwrap();
    let begin = NOW.checked_sub(Duration::from_hours(1)).unwrap();
    for (at, holds) in [
        (begin, true),
        (begin.checked_sub(Duration::from_secs(1)).unwrap(), false),
        (NOW + DAY * 30, true),
        (NOW + DAY * 30 + Duration::from_secs(1), false),
    ] {
        assert_eq!(accepts(made.ca.as_bytes(), &made, NAME, at).is_ok(), holds, "{at:?}");
    }
    assert_eq!(made.last_day, "2026-03-31");
    let ca = der(&made.ca);
    let validity = parse(&ca).validity().clone();
    let seconds = i64::try_from(NOW.as_secs()).unwrap();
    assert_eq!(validity.not_before.timestamp(), seconds - 3600);
    assert_eq!(validity.not_after.timestamp(), seconds + 30 * 86400);
}

#[test]
fn the_certificate_serves_and_signs_nothing() {
    let made = make(&request()).unwrap();
    let certificate = der(&made.certificate);
    let certificate = parse(&certificate);
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert!(usage.value.digital_signature());
    assert!(!usage.value.key_cert_sign());
    let extended = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.server_auth && !extended.client_auth && !extended.any);
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && !constraints.value.ca);
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(
        names[..],
        [
            GeneralName::DNSName("gate"),
            GeneralName::DNSName("gate.guards"),
            GeneralName::DNSName("gate.guards.svc"),
            GeneralName::DNSName("gate.guards.svc.cluster.local"),
        ]
    );
    assert_eq!(
        certificate.public_key().algorithm.parameters.as_ref().unwrap().as_oid().unwrap(),
        x509_parser::oid_registry::OID_EC_P256
    );
}

#[test]
fn the_ca_signs_certificates_and_no_further_ca() {
    let made = make(&request()).unwrap();
    let ca = der(&made.ca);
    let ca = parse(&ca);
    let constraints = ca.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = ca.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign());
    assert!(!usage.value.digital_signature());
    assert_eq!(ca.subject(), ca.issuer());
    let certificate = der(&made.certificate);
    assert_eq!(parse(&certificate).issuer(), ca.subject());
}

#[test]
fn a_name_that_is_given_twice_is_there_once() {
    let made = make(&Request {
        dns_names: vec![NAME.parse().unwrap(), "a.example".parse().unwrap()],
        ..request()
    })
    .unwrap();
    let certificate = der(&made.certificate);
    let certificate = parse(&certificate);
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names.len(), 5);
}

#[test]
fn names_of_any_length_have_a_place() {
    let long = "x".repeat(63);
    let request =
        Request { service: long.parse().unwrap(), namespace: long.parse().unwrap(), ..request() };
    let made = make(&request).unwrap();
    assert_eq!(accepts(made.ca.as_bytes(), &made, &format!("{long}.{long}.svc"), NOW), Ok(()));
}

#[test]
fn nothing_is_the_same_twice() {
    let (one, two) = (make(&request()).unwrap(), make(&request()).unwrap());
    assert_ne!(one.key, two.key);
    let ders = [&one.ca, &one.certificate, &two.ca, &two.certificate].map(|pem| der(pem));
    let mut serials: Vec<String> =
        ders.iter().map(|der| parse(der).raw_serial_as_string()).collect();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 4);
    assert!(accepts(two.ca.as_bytes(), &one, NAME, NOW).is_err());
}

#[test]
fn the_key_belongs_to_the_certificate() {
    let made = make(&request()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        // Compares the two.
        .with_single_cert(vec![der(&made.certificate)], key);
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn the_key_is_not_shown_for_debugging() {
    let made = make(&request()).unwrap();
    let shown = format!("{made:?}");
    assert!(shown.contains("last_day"));
    assert!(!shown.contains("PRIVATE"), "{shown}");
}

#[test]
fn a_clock_out_of_its_mind_is_refused() {
    for now in [
        SystemTime::UNIX_EPOCH - DAY,
        SystemTime::UNIX_EPOCH,
        SystemTime::UNIX_EPOCH + DAY * 365 * 9000,
    ] {
        let refused = make(&Request { now, ..request() });
        assert!(matches!(refused, Err(CertificateError::Clock)), "{refused:?}");
    }
}

fn decoded(bundle: &str) -> Vec<u8> {
    assert!(!bundle.contains('\n'));
    STANDARD.decode(bundle).unwrap()
}

#[test]
fn a_bundle_is_the_ca_in_base64() {
    let made = make(&request()).unwrap();
    let bundle = bundle(&made.ca, None).unwrap();
    assert_eq!(decoded(&bundle), made.ca.as_bytes());
}

#[test]
fn a_bundle_with_the_previous_ca_accepts_both_certificates() {
    let (old, new) = (make(&request()).unwrap(), make(&request()).unwrap());
    let both = bundle(&new.ca, Some(old.ca.as_bytes())).unwrap();
    let both = decoded(&both);
    assert_eq!(String::from_utf8(both.clone()).unwrap(), format!("{}{}", new.ca, old.ca));
    assert_eq!(accepts(&both, &old, NAME, NOW), Ok(()));
    assert_eq!(accepts(&both, &new, NAME, NOW), Ok(()));
}

#[test]
fn a_ca_is_in_a_bundle_once() {
    let made = make(&request()).unwrap();
    let twice = format!("comment\n{0}{0}", made.ca);
    let bundle = bundle(&made.ca, Some(twice.as_bytes())).unwrap();
    assert_eq!(decoded(&bundle), made.ca.as_bytes());
}

#[test]
fn a_bundle_takes_nothing_but_certificates() {
    let made = make(&request()).unwrap();
    let key = format!("{}{}", made.ca, made.key);
    let broken = made.ca.replace('M', "!");
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (previous, expected) in [
        (key.as_str(), BundleError::NotOnlyCertificates),
        ("", BundleError::Empty),
        ("apiVersion: v1\n", BundleError::Empty),
        (&broken, BundleError::NotPem),
        (
            no_certificate,
            BundleError::Certificate(rustls::Error::InvalidCertificate(
                rustls::CertificateError::BadEncoding,
            )),
        ),
    ] {
        assert_eq!(bundle(&made.ca, Some(previous.as_bytes())), Err(expected), "{previous}");
    }
}

#[test]
fn a_patch_names_every_webhook() {
    insta::assert_snapshot!(patch("QUJD", "2026-03-31"), @"
    # The CA of the gate, for API servers. It expires on 2026-03-31.
    # Written by `tidewaiter certificates --print patch`.
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata:
      name: tidewaiter
    webhooks:
      - name: workloads.tidewaiter.io
        clientConfig:
          caBundle: QUJD
      - name: access.tidewaiter.io
        clientConfig:
          caBundle: QUJD
      - name: objects.tidewaiter.io
        clientConfig:
          caBundle: QUJD
    ");
}

fn write(folder: &std::path::Path, replace: bool) -> Result<Certificates, FolderError> {
    let made = make(&request()).unwrap();
    Folder { path: folder.to_owned(), replace }.write(&made).map(|()| made)
}

fn read(folder: &std::path::Path) -> [String; 3] {
    ["tls.crt", "tls.key", "ca.crt"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
}

#[test]
fn a_folder_is_made_and_filled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a/b");
    let made = write(&folder, false).unwrap();
    assert_eq!(read(&folder), [made.certificate, made.key, made.ca]);
}

#[test]
fn a_file_that_is_there_stays_and_nothing_else_is_written() {
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), "mine").unwrap();
        let refused = write(folder.path(), false);
        let expected = folder.path().join(name);
        assert!(matches!(refused, Err(FolderError::There(path)) if path == expected));
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn files_are_replaced_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), false).unwrap();
    // What a run that was killed leaves behind.
    std::fs::write(folder.path().join(".tls.key.new"), "half").unwrap();
    let made = write(folder.path(), true).unwrap();
    assert_eq!(read(folder.path()), [made.certificate, made.key, made.ca]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = write(&file, false).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("cannot write `{}`: ", file.display())), "{refused}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &std::path::Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_its_owner_reads_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        for replace in [false, true] {
            write(&folder, replace).unwrap();
            assert_eq!(mode(&folder), 0o700);
            assert_eq!(mode(&folder.join("tls.key")), 0o600);
        }
    }

    #[test]
    fn a_key_that_others_could_read_is_replaced_by_one_that_they_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("tls.key");
        std::fs::write(&key, "old").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        write(folder.path(), true).unwrap();
        assert_eq!(mode(&key), 0o600);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        let key = folder.path().join("tls.key");
        // A link that leads nowhere yet.
        symlink(&elsewhere, &key).unwrap();
        assert!(
            matches!(write(folder.path(), false), Err(FolderError::There(path)) if path == key)
        );
        assert!(!elsewhere.exists());
        // Replaced is the link, not what it leads to.
        std::fs::write(&elsewhere, "theirs").unwrap();
        write(folder.path(), true).unwrap();
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "theirs");
        assert!(!key.symlink_metadata().unwrap().is_symlink());
    }
}
