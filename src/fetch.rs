//! Fetches schemas from other hosts: the one module that asks anybody, and only where the command
//! line says so.
//!
//! Nothing that the machine knows goes along: no credentials, no cookies, no names but those in
//! the address. What comes is bounded in size, in time and in number.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};

use crate::discover::Fetch;

/// What a run may fetch, and how long that may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The largest answer, in bytes.
    size: usize,
    /// The most bytes of all answers.
    total: usize,
    /// The most addresses that are asked.
    addresses: usize,
    /// How long one answer may take, its redirects included.
    answer: Duration,
    /// How long all of them may take.
    run: Duration,
}

const BOUNDS: Bounds = Bounds {
    size: 32 << 20,
    total: 256 << 20,
    addresses: 5_000,
    answer: Duration::from_secs(20),
    run: Duration::from_mins(5),
};
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How many redirects are followed.
const REDIRECTS: u32 = 3;
/// How long to wait before an address is asked a second time.
const PAUSE: Duration = Duration::from_millis(300);
/// The statuses after which a second answer may be another one.
const PASSING: [u16; 4] = [429, 502, 503, 504];

type Answer = Result<Option<Arc<[u8]>>, String>;

/// Asks hosts for schemas, each address at most once.
#[derive(Debug)]
pub struct Client {
    bounds: Bounds,
    agents: OnceLock<Result<Agents, String>>,
    answers: Mutex<BTreeMap<String, Arc<OnceLock<Answer>>>>,
    spent: Mutex<Spent>,
}

/// Who asks. Made when the first address is asked: the certificates of the machine are read then.
#[derive(Debug)]
struct Agents {
    /// Asks other machines, over TLS alone, through the proxy of the environment.
    others: Agent,
    /// Asks this machine, without a proxy and without redirects.
    this: Agent,
}

/// What was spent so far.
#[derive(Debug, Default)]
struct Spent {
    addresses: usize,
    bytes: usize,
    since: Option<Instant>,
    /// Hosts that could not be asked, and why: they are not asked again.
    silent: BTreeMap<String, String>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// Returns a client that has asked nobody yet.
    pub fn new() -> Self {
        Self::within(BOUNDS)
    }

    fn within(bounds: Bounds) -> Self {
        Self { bounds, agents: OnceLock::new(), answers: Mutex::default(), spent: Mutex::default() }
    }

    fn spent<T>(&self, spend: impl FnOnce(&mut Spent) -> T) -> T {
        spend(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks an address for the first time.
    fn ask(&self, address: &str) -> Answer {
        let target = Target::of(address)?;
        self.spent(|spent| spent.may_ask(&target.host, &self.bounds))?;
        let agents = self.agents.get_or_init(|| Agents::new(&self.bounds)).as_ref();
        let agents = agents.map_err(Clone::clone)?;
        let agent = if target.is_here { &agents.this } else { &agents.others };
        let mut answer = self.answer(agent, &target);
        if answer.as_ref().is_err_and(|failed| failed.passes) {
            std::thread::sleep(PAUSE);
            answer = self.answer(agent, &target);
        }
        answer.map_err(|Failed { silent, reason, .. }| {
            if !silent {
                return format!("`{address}` cannot be fetched: {reason}");
            }
            self.spent(|spent| {
                // Many threads may have asked; the first says why for all of them.
                let reason = spent.silent.entry(target.host.clone()).or_insert(reason);
                unheard(&target.host, reason)
            })
        })
    }

    fn answer(&self, agent: &Agent, target: &Target) -> Result<Option<Arc<[u8]>>, Failed> {
        let mut response = agent.get(target.uri.clone()).call().map_err(Failed::to_answer)?;
        match response.status().as_u16() {
            200 => {}
            404 | 410 => return Ok(None),
            301..=308 => {
                return Err(Failed::with("it redirects, and on this machine that is not followed"));
            }
            status => {
                let reason = format!("the status is {status}");
                return Err(Failed { passes: PASSING.contains(&status), ..Failed::with(reason) });
            }
        }
        let size = self.bounds.size;
        let limit = u64::try_from(size).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| match error {
            Error::BodyExceedsLimit(_) => Failed::with(format!("it is larger than {size} bytes")),
            error => Failed { passes: true, ..Failed::with(told(&error)) },
        })?;
        let total = self.bounds.total;
        let bytes = self.spent(|spent| {
            spent.bytes = spent.bytes.saturating_add(body.len());
            spent.bytes
        });
        if bytes > total {
            return Err(Failed::with(format!("more than {total} bytes came in all")));
        }
        Ok(Some(body.into()))
    }
}

impl Fetch for Client {
    fn fetch(&self, address: &str) -> Result<Option<Arc<[u8]>>, String> {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(address.to_owned()).or_default())
        };
        answer.get_or_init(|| self.ask(address)).clone()
    }
}

impl Spent {
    /// Takes note that an address is asked, or says why it is not.
    fn may_ask(&mut self, host: &str, bounds: &Bounds) -> Result<(), String> {
        if let Some(reason) = self.silent.get(host) {
            return Err(unheard(host, reason));
        }
        if self.addresses >= bounds.addresses {
            return Err(format!(
                "no more schemas are fetched: {} addresses were asked",
                bounds.addresses
            ));
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= bounds.run {
            let seconds = bounds.run.as_secs();
            return Err(format!("no more schemas are fetched: it took {seconds} seconds so far"));
        }
        self.addresses += 1;
        Ok(())
    }
}

fn unheard(host: &str, reason: &str) -> String {
    format!("`{host}` cannot be asked for schemas: {reason}")
}

/// Whom an address leads to.
#[derive(Debug)]
struct Target {
    uri: Uri,
    /// The name and the port.
    host: String,
    /// Whether it is this machine.
    is_here: bool,
}

impl Target {
    /// Reads an address. The error is a sentence.
    fn of(address: &str) -> Result<Self, String> {
        let invalid = || format!("`{address}` is no address");
        let uri: Uri = address.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        let name = authority.host();
        let host = authority.port_u16().map_or(name.to_owned(), |port| format!("{name}:{port}"));
        if authority.as_str().contains('@') {
            return Err(unheard(&host, "the address holds credentials, and none are sent"));
        }
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_here = bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
        if uri.scheme() != Some(&Scheme::HTTPS) && !is_here {
            return Err(unheard(&host, "only this machine is asked without TLS"));
        }
        Ok(Self { uri, host, is_here })
    }
}

impl Agents {
    fn new(bounds: &Bounds) -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let reason = found.errors.first().map(|error| format!(": {error}"));
            return Err(format!(
                "schemas cannot be fetched, because no certificates that are trusted were found on \
                 this machine{}",
                reason.unwrap_or_default()
            ));
        }
        let roots: Vec<Certificate<'static>> =
            found.certs.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = || {
            Config::builder()
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .timeout_global(Some(bounds.answer))
                .timeout_connect(Some(CONNECT))
                .user_agent(concat!("tidewaiter/", env!("CARGO_PKG_VERSION")))
                .accept("application/json")
        };
        // The proxy of the environment is the default.
        let others = config().https_only(true).max_redirects(REDIRECTS);
        let this = config().proxy(None).max_redirects(0).max_redirects_will_error(false);
        Ok(Self { others: others.build().new_agent(), this: this.build().new_agent() })
    }
}

/// Why there is no answer.
#[derive(Debug)]
struct Failed {
    reason: String,
    /// Whether the host could not be asked at all.
    silent: bool,
    /// Whether it may be better in a moment.
    passes: bool,
}

impl Failed {
    fn with(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), silent: false, passes: false }
    }

    /// Returns why there is not even a status.
    fn to_answer(error: Error) -> Self {
        match error {
            Error::TooManyRedirects => {
                Self::with(format!("it redirects more than {REDIRECTS} times"))
            }
            Error::RequireHttpsOnly(_) => Self::with("it redirects to an address without TLS"),
            Error::BadUri(_) | Error::Http(_) => Self::with("it redirects to no address"),
            error => {
                // A host whose name or certificate is wrong will be no other in a moment.
                let passes = match &error {
                    Error::Io(error) => error.kind() != std::io::ErrorKind::InvalidData,
                    error => matches!(error, Error::ConnectionFailed),
                };
                Self { silent: true, passes, ..Self::with(told(&error)) }
            }
        }
    }
}

/// Returns what an error of the library says, as the end of a sentence.
fn told(error: &Error) -> String {
    match error {
        Error::Timeout(_) => "it takes too long to answer".to_owned(),
        Error::HostNotFound => "there is no such host".to_owned(),
        Error::Io(error) => {
            // The number says nothing that the words do not.
            let text = error.to_string();
            text.split(" (os error ").next().unwrap_or_default().to_owned()
        }
        Error::Rustls(error) => error.to_string(),
        Error::InvalidProxyUrl => "the proxy of the environment has no valid address".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
