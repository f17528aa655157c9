//! What an API server has to know of the CA.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

/// The name of the registration in `deploy/base`.
pub const REGISTRATION: &str = "tidewaiter";
/// The webhooks of the registration in `deploy/base`, in their order.
pub const WEBHOOKS: [&str; 3] =
    ["workloads.tidewaiter.io", "access.tidewaiter.io", "objects.tidewaiter.io"];

/// Why a file is no CA that was in use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// The text cannot be read.
    #[error("it is not PEM")]
    NotPem,
    /// There is something else in it. A bundle is public, so this may be a grave mistake.
    #[error("it holds something else than certificates")]
    NotOnlyCertificates,
    /// A certificate in it cannot be read.
    #[error("it holds a certificate that cannot be read: {0}")]
    Certificate(rustls::Error),
    /// There is nothing in it.
    #[error("it holds no certificate")]
    Empty,
}

/// Returns the `caBundle` of a registration: PEM in base64, on one line.
///
/// `previous` is the PEM of CAs that stay trusted. API servers then trust the old certificate and
/// the new one, and it does not matter which of them a pod serves at the moment.
pub fn bundle(ca: &str, previous: Option<&[u8]>) -> Result<String, BundleError> {
    let mut pem = ca.to_owned();
    for certificate in previous.map(certificates).transpose()?.unwrap_or_default() {
        // Written anew, so that nothing between the certificates comes along.
        let block = block(&certificate);
        if !pem.contains(&block) {
            pem.push_str(&block);
        }
    }
    Ok(STANDARD.encode(pem))
}

/// Returns a certificate in PEM, as RFC 7468 has it.
fn block(certificate: &CertificateDer<'_>) -> String {
    let mut out = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (at, c) in STANDARD.encode(certificate).chars().enumerate() {
        if at > 0 && at.is_multiple_of(64) {
            out.push('\n');
        }
        out.push(c);
    }
    out.push_str("\n-----END CERTIFICATE-----\n");
    out
}

/// Returns the patch that puts a `caBundle` into every webhook of the registration.
///
/// `last_day` is that of the newest CA, for whoever reads the file.
pub fn patch(bundle: &str, last_day: &str) -> String {
    let mut out = format!(
        "# The CA of the gate, for API servers. It expires on {last_day}.\n\
         # Written by `tidewaiter certificates --print patch`.\n\
         apiVersion: admissionregistration.k8s.io/v1\n\
         kind: ValidatingWebhookConfiguration\n\
         metadata:\n  name: {REGISTRATION}\n\
         webhooks:\n"
    );
    for name in WEBHOOKS {
        out.push_str("  - name: ");
        out.push_str(name);
        out.push_str("\n    clientConfig:\n      caBundle: ");
        out.push_str(bundle);
        out.push('\n');
    }
    out
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    let sections: Result<Vec<(SectionKind, Vec<u8>)>, _> =
        <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).collect();
    let sections = sections.map_err(|_| BundleError::NotPem)?;
    if sections.iter().any(|(kind, _)| *kind != SectionKind::Certificate) {
        return Err(BundleError::NotOnlyCertificates);
    }
    if sections.is_empty() {
        return Err(BundleError::Empty);
    }
    sections
        .into_iter()
        .map(|(_, der)| {
            let certificate = CertificateDer::from(der);
            let read = RootCertStore::empty().add(certificate.clone());
            read.map(|()| certificate).map_err(BundleError::Certificate)
        })
        .collect()
}
