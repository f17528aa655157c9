//! The certificate of the webhook, and how TLS is spoken with it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

/// Bytes of a certificate file; chains have some ten thousand.
const FILE: u64 = 1 << 20;

/// Why a certificate and its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file does not hold what it should.
    #[error("`{path}` holds no {wanted} in PEM")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The two do not belong together, or are of a kind that TLS does not have.
    #[error("the certificate `{certificate}` cannot be used with the key `{key}`: {reason}")]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// The files of a certificate, as they were read.
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate that can be served.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    key: Arc<CertifiedKey>,
    /// Its end, in seconds since 1970.
    pub(super) not_after: Option<i64>,
}

impl Files {
    /// Reads both files. A Secret is mounted as links to a folder that is swapped as a whole, so
    /// each reading finds the files of one version, but the second may find another than the first.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            let mut bytes = Vec::new();
            std::fs::File::open(path)
                .and_then(|file| file.take(FILE).read_to_end(&mut bytes))
                .map(|_| bytes)
                .map_err(|err| CertificateError::Unreadable {
                    path: path.to_owned(),
                    reason: err.to_string(),
                })
        };
        Ok(Self { certificate: read(certificate)?, key: read(key)? })
    }

    /// Returns what tells these files from others; the key itself is not kept.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update((self.certificate.len() as u64).to_le_bytes());
        hash.update(&self.certificate);
        hash.update(&self.key);
        hash.finalize().into()
    }

    /// Makes a certificate of the files; the names are for the error.
    pub(super) fn pair(&self, certificate: &Path, key: &Path) -> Result<Pair, CertificateError> {
        let not_pem =
            |path: &Path, wanted| CertificateError::NotPem { path: path.to_owned(), wanted };
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| not_pem(certificate, "certificate"))?;
        let private =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| not_pem(key, "private key"))?;
        let not_after = chain.first().and_then(|it| not_after(it));
        let pair = CertifiedKey::from_der(chain, private, &ring::default_provider());
        let pair = pair.map_err(|err| CertificateError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            reason: err.to_string(),
        })?;
        Ok(Pair { key: Arc::new(pair), not_after })
    }
}

/// Returns `notAfter` of a certificate (RFC 5280, 4.1.2.5), in seconds since 1970.
fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The certificate in use. A connection keeps the one it began with.
#[derive(Debug, Clone)]
pub(super) struct Served(Arc<RwLock<Arc<CertifiedKey>>>);

impl Served {
    pub(super) fn new(pair: Pair) -> Self {
        Self(Arc::new(RwLock::new(pair.key)))
    }

    /// Replaces the certificate for the connections to come.
    pub(super) fn set(&self, pair: Pair) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pair.key;
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Returns how TLS is spoken: 1.2 and 1.3, no client certificates, HTTP/1.1 above.
///
/// Under load an API server opens a connection for nearly every call, so sessions are resumed, by
/// tickets that no server has to remember.
pub(super) fn config(served: Served) -> Result<ServerConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(served));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        // 2049 is the last year that a certificate writes with two digits.
        for (year, end) in [(2031, 1_930_348_800), (2051, 2_561_500_800)] {
            let mut params =
                rcgen::CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 3, 4);
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(not_after(certificate.der()), Some(end));
        }
        assert_eq!(not_after(b"no certificate"), None);
    }
}
