//! The life of a server: start, ready, drain, end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::body::Budget;
use super::connection::Door;
use super::logs::{Level, Logs};
use super::metrics::Metrics;
use super::reload::{self, Told, Watches};
use super::tls::{self, Files, Served};
use super::webhook::{self, Current, Webhook};
use super::workers::Workers;
use super::{Options, Patience, ServeError, Source, health};

/// Connections for health and metrics: a kubelet and a few collectors.
const HEALTH_CONNECTIONS: usize = 64;

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The gate and the certificate are being read.
    Starting,
    /// Questions are answered.
    Serving,
    /// Questions are answered, and nobody should ask here again.
    Draining,
    /// No connection is accepted, and those that are open end.
    Closing,
}

/// A server that runs until it is told to stop.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    address: SocketAddr,
    health_address: SocketAddr,
    phase: Arc<watch::Sender<Phase>>,
    doors: [JoinHandle<()>; 2],
    metrics: Arc<Metrics>,
    logs: Logs,
    delay: Duration,
    grace: Duration,
    watches: Watches,
}

/// Serves until the process is told to stop: by SIGTERM or SIGINT, and at once by a second one.
pub fn run(options: &Options, source: Arc<dyn Source>, logs: &Logs) -> Result<(), ServeError> {
    let runtime = runtime()?;
    // From here on a signal waits until the server runs.
    let mut signals = runtime.block_on(async { Signals::new() })?;
    let server = Server::start_on(runtime, options, source, logs)?;
    let phase = Arc::clone(&server.phase);
    server.runtime.spawn(async move {
        while signals.next().await.is_some() {
            stop(&phase);
        }
    });
    server.wait()
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().thread_name("http").enable_all().build()
}

/// Begins to drain, or ends the draining.
fn stop(phase: &watch::Sender<Phase>) {
    phase.send_modify(|phase| {
        *phase = if *phase < Phase::Draining { Phase::Draining } else { Phase::Closing };
    });
}

impl Server {
    /// Starts a server; it is ready when this returns.
    pub fn start(
        options: &Options,
        source: Arc<dyn Source>,
        logs: &Logs,
    ) -> Result<Self, ServeError> {
        Self::start_on(runtime()?, options, source, logs)
    }

    fn start_on(
        runtime: Runtime,
        options: &Options,
        source: Arc<dyn Source>,
        logs: &Logs,
    ) -> Result<Self, ServeError> {
        let metrics = Arc::new(Metrics::new(logs));
        let (phase, phase_seen) = watch::channel(Phase::Starting);
        let door = Door {
            router: health::router(phase_seen.clone(), Arc::clone(&metrics)),
            tls: None,
            patience: Patience { idle: Duration::from_mins(1), ..options.patience },
            max_connections: HEALTH_CONNECTIONS,
            connections: prometheus_client::metrics::gauge::Gauge::default(),
            phase: phase_seen.clone(),
            logs: logs.clone(),
        };
        let (listener, health_address) = listen(&runtime, options.health_listen)?;
        let health = runtime.spawn(door.clone().serve(listener));

        let (certificate, key) = (&options.certificate, &options.key);
        let files = Files::read(certificate, key)?;
        let pair = files.pair(certificate, key)?;
        let not_after = pair.not_after;
        metrics.not_after.set(not_after.unwrap_or_default());
        let served = Served::new(pair);
        let tls = tls::config(served.clone()).map_err(std::io::Error::other)?;
        let reviewer = source.make().map_err(ServeError::Gate)?;
        metrics.uses_gate(reviewer.digest());
        let (digest, kubernetes) = (reviewer.digest().to_owned(), reviewer.kubernetes());
        let current = Current::new(reviewer);
        let told = Told { metrics: Arc::clone(&metrics), logs: logs.clone() };
        let certificate = (files.digest(), served);
        let watches = reload::watch(options, source, current.clone(), certificate, &told)?;

        let webhook = Webhook {
            reviewer: current,
            workers: Workers::start(options, &metrics)?,
            budget: Budget::new(options.max_bytes_in_flight, metrics.bytes_in_flight.clone()),
            metrics: Arc::clone(&metrics),
            logs: logs.clone(),
            phase: phase_seen,
            options: options.clone(),
        };
        let (listener, address) = listen(&runtime, options.listen)?;
        let door = Door {
            router: webhook::router(Arc::new(webhook)),
            tls: Some(TlsAcceptor::from(Arc::new(tls))),
            patience: options.patience,
            max_connections: options.max_connections.get(),
            connections: metrics.connections.clone(),
            ..door
        };
        let reviews = runtime.spawn(door.serve(listener));
        phase.send_replace(Phase::Serving);
        let fields = json!({
            "address": address,
            "healthAddress": health_address,
            "version": env!("CARGO_PKG_VERSION"),
            "kubernetes": kubernetes,
            "digest": digest,
            "notAfter": time(not_after),
        });
        logs.event(Level::Info, "started", fields);
        Ok(Self {
            runtime,
            address,
            health_address,
            phase: Arc::new(phase),
            doors: [reviews, health],
            metrics,
            logs: logs.clone(),
            delay: options.shutdown_delay,
            grace: options.shutdown_timeout,
            watches,
        })
    }

    /// Returns the address of the webhook.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of health and metrics.
    pub fn health_address(&self) -> SocketAddr {
        self.health_address
    }

    /// Tells the server to drain; the second time, to do so at once.
    pub fn stop(&self) {
        stop(&self.phase);
    }

    /// Waits until the server was told to stop, and has ended.
    pub fn wait(self) -> Result<(), ServeError> {
        let Self { runtime, phase, doors: [mut reviews, health], metrics, logs, .. } = self;
        let cut = runtime.block_on(async {
            let mut reached = phase.subscribe();
            // The sender lives, so waiting does not fail.
            drop(reached.wait_for(|it| *it >= Phase::Draining).await);
            logs.event(
                Level::Info,
                "draining",
                json!({ "delaySeconds": self.delay.as_secs_f64() }),
            );
            drop(timeout(self.delay, reached.wait_for(|it| *it >= Phase::Closing)).await);
            phase.send_replace(Phase::Closing);
            let cut = match timeout(self.grace, &mut reviews).await {
                Ok(_) => 0,
                Err(_) => usize::try_from(metrics.connections.get()).unwrap_or_default(),
            };
            reviews.abort();
            health.abort();
            cut
        });
        drop(self.watches);
        // Nothing of it is waited for any more.
        runtime.shutdown_background();
        logs.event(Level::Info, "stopped", json!({ "cutConnections": cut }));
        logs.flush();
        if cut > 0 { Err(ServeError::Cut(cut)) } else { Ok(()) }
    }
}

fn listen(runtime: &Runtime, address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    runtime
        .block_on(async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        })
        .map_err(|source| ServeError::Listen { address, source })
}

/// Returns a time in seconds since 1970 as RFC 3339 has it.
pub(super) fn time(seconds: Option<i64>) -> Option<String> {
    Some(Timestamp::from_second(seconds?).ok()?.to_string())
}

/// The signals that tell the process to stop.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            signal = self.terminate.recv() => signal,
            signal = self.interrupt.recv() => signal,
        }
    }
}

/// The signals that tell the process to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<()> {
        tokio::signal::ctrl_c().await.ok()
    }
}
