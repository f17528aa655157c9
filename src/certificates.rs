//! Certificates for the webhook where nobody else makes them: a CA, and what it signed.
//!
//! The CA signs one certificate, and its key is forgotten before anything is written. Whoever reads
//! the files later can serve as the webhook until they expire, and make nothing new. Another
//! certificate is therefore another CA, and [`bundle`] lets API servers trust both for a while.

mod bundle;
mod folder;
mod name;

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

pub use bundle::{BundleError, REGISTRATION, WEBHOOKS, bundle, patch};
pub use folder::{Folder, FolderError};
pub use name::{DnsName, InvalidDnsName, InvalidLabel, Label};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};

/// How long before now a certificate begins: API servers have clocks of their own.
const CLOCKS_DIFFER: Duration = Duration::from_hours(1);

/// The year 9000 or so: the library that counts days stops at 9999.
const END_OF_TIME: Duration = Duration::from_hours(24 * 365 * 7030);

/// What the certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The Service that stands before the webhook.
    pub service: Label,
    /// The namespace of the Service.
    pub namespace: Label,
    /// Further names under which the webhook is called.
    pub dns_names: Vec<DnsName>,
    /// Addresses under which the webhook is called.
    pub addresses: Vec<IpAddr>,
    /// For how many days it holds, from now.
    pub days: u16,
    /// When it is made.
    pub now: SystemTime,
}

/// A certificate with its key, and the CA that signed it. All in PEM.
#[derive(Clone)]
pub struct Certificates {
    /// The certificate of the webhook.
    pub certificate: String,
    /// The private key of the webhook.
    pub key: String,
    /// The certificate of the CA.
    pub ca: String,
    /// The last day on which both hold, as YYYY-MM-DD.
    pub last_day: String,
}

impl fmt::Debug for Certificates {
    /// Shows everything but the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("certificate", &self.certificate)
            .field("ca", &self.ca)
            .field("last_day", &self.last_day)
            .finish_non_exhaustive()
    }
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No key, no signature, or a name that a certificate cannot hold.
    #[error("cannot make the certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The clock of this machine.
    #[error("the clock of this machine is wrong: it is before 1970 or far in the future")]
    Clock,
}

/// Makes a CA and a certificate of it for the webhook.
pub fn make(request: &Request) -> Result<Certificates, CertificateError> {
    let now = request.now.duration_since(SystemTime::UNIX_EPOCH).ok();
    let now = now.map(|now| Duration::from_secs(now.as_secs()));
    let now = now.filter(|now| (CLOCKS_DIFFER..END_OF_TIME).contains(now));
    let now = now.ok_or(CertificateError::Clock)?;
    let now = rcgen::date_time_ymd(1970, 1, 1) + now;
    let not_before = now - CLOCKS_DIFFER;
    let not_after = now + Duration::from_hours(24) * u32::from(request.days);
    let about = |name: &str| {
        let mut about = CertificateParams::default();
        about.distinguished_name = DistinguishedName::new();
        about.distinguished_name.push(DnType::CommonName, name);
        about.not_before = not_before;
        about.not_after = not_after;
        // The serial number is left to the library: the hash of a key that is new each time.
        about
    };

    let mut authority = about("tidewaiter CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca = authority.self_signed(&authority_key)?;

    let mut server = about("tidewaiter");
    server.is_ca = IsCa::ExplicitNoCa;
    server.subject_alt_names = names(request)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = server.signed_by(&key, &Issuer::from_params(&authority, &authority_key))?;

    Ok(Certificates {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        ca: ca.pem(),
        last_day: not_after.date().to_string(),
    })
}

/// Returns every name under which the webhook may be called, each once.
///
/// API servers use `service.namespace.svc`; the others are for people and for monitoring.
fn names(request: &Request) -> Result<Vec<SanType>, CertificateError> {
    let Request { service, namespace, .. } = request;
    let mut names = vec![
        service.to_string(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
    ];
    names.extend(request.dns_names.iter().map(ToString::to_string));
    let mut out: Vec<SanType> = Vec::new();
    for name in names {
        out.push(SanType::DnsName(name.try_into()?));
    }
    out.extend(request.addresses.iter().map(|address| SanType::IpAddress(*address)));
    let mut seen = Vec::new();
    out.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    Ok(out)
}

#[cfg(test)]
mod tests;
