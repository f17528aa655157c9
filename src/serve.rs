//! The webhook: AdmissionReviews over HTTPS, answered by the gate of one cluster.
//!
//! An API server throws away the body of any answer that is not HTTP 200, and tells its user that
//! "the server rejected our request for an unknown reason". So every question has an AdmissionReview
//! for an answer, those that cannot be read too. The one other answer is 503 with `Retry-After`,
//! which an API server obeys within its own timeout: it says that there is no room just now.

mod audit;
mod body;
mod connection;
mod gate;
mod health;
mod logs;
mod metrics;
mod reload;
mod server;
mod tls;
mod units;
mod webhook;
mod workers;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use gate::GateSource;
pub use logs::Logs;
pub use server::{Server, run};
pub use units::{bytes, duration};

use crate::admission::Answer;

/// What answers reviews. Shared by threads.
pub trait Reviewer: Send + Sync + 'static {
    /// Returns a digest of all that decides the answers.
    fn digest(&self) -> &str;

    /// Returns the Kubernetes version that is judged for, for the log.
    fn kubernetes(&self) -> String;

    /// Answers one AdmissionReview, JSON as it came, before a deadline.
    fn answer(&self, question: Vec<u8>, deadline: Option<Instant>) -> Answer;
}

/// Where reviewers come from.
pub trait Source: Send + Sync + 'static {
    /// Reads what the reviewer is made from, and returns its digest.
    fn digest(&self) -> Result<String, String>;

    /// Makes a reviewer that is ready to answer.
    fn make(&self) -> Result<Arc<dyn Reviewer>, String>;
}

/// How the webhook is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of the webhook; port 0 for any that is free.
    pub listen: SocketAddr,
    /// The address of health and metrics.
    pub health_listen: SocketAddr,
    /// The file of the certificate chain.
    pub certificate: PathBuf,
    /// The file of the private key.
    pub key: PathBuf,
    /// The time that an evaluation may take, however long the API server would wait.
    pub max_duration: Duration,
    /// The number of threads that evaluate.
    pub workers: NonZeroUsize,
    /// The number of reviews that may wait for a thread.
    pub queue: NonZeroUsize,
    /// The bytes of one body.
    pub max_body: usize,
    /// The bytes of all bodies that are being read, wait or are evaluated.
    pub max_bytes_in_flight: usize,
    /// The number of open connections.
    pub max_connections: NonZeroUsize,
    /// What clients are allowed to take.
    pub patience: Patience,
    /// The time between two looks at the certificate.
    pub certificate_interval: Duration,
    /// The time between two looks at the configuration.
    pub gate_interval: Duration,
    /// The time from the wish to stop to the end of accepting connections.
    pub shutdown_delay: Duration,
    /// The time that connections then have to end.
    pub shutdown_timeout: Duration,
}

/// How long a client may take for each step.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// For the body.
    pub body: Duration,
    /// For the next request on a connection. API servers keep them for 90 seconds.
    pub idle: Duration,
}

/// The bytes of one body: two objects of the 3 MiB that an API server accepts, and what is around
/// them.
pub const MAX_BODY: usize = 7 << 20;

impl Options {
    /// Returns the options with the defaults of the command line.
    pub fn new(
        listen: SocketAddr,
        health_listen: SocketAddr,
        certificate: PathBuf,
        key: PathBuf,
    ) -> Self {
        Self {
            listen,
            health_listen,
            certificate,
            key,
            max_duration: Duration::from_secs(10),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: NonZeroUsize::MIN.saturating_add(255),
            max_body: MAX_BODY,
            max_bytes_in_flight: 64 << 20,
            max_connections: NonZeroUsize::MIN.saturating_add(1023),
            patience: Patience {
                handshake: Duration::from_secs(10),
                head: Duration::from_secs(10),
                body: Duration::from_secs(10),
                idle: Duration::from_mins(2),
            },
            certificate_interval: Duration::from_secs(1),
            gate_interval: Duration::from_secs(2),
            shutdown_delay: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Why the webhook is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or its key cannot be used.
    #[error("{0}")]
    Certificate(#[from] tls::CertificateError),
    /// The rules or their configuration are wrong.
    #[error("{0}")]
    Gate(String),
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The system refuses threads, signals or timers.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// Not all connections ended in time when the server was to stop.
    #[error("{0} connections were cut: they did not end within the time for shutting down")]
    Cut(usize),
}
