//! Accepting connections, and what each may take.
//!
//! hyper can bound the time for a head, but counts the time between two requests as part of it,
//! and API servers keep connections for 90 seconds. So a watch of our own tells the two apart.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::Patience;
use super::logs::{Level, Logs};
use super::metrics::Counted;
use super::server::Phase;

/// The bytes that a head may have, and that are read ahead.
const BUFFER: usize = 32 << 10;
/// The pause after a connection could not be accepted, e.g. for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What is served at an address.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) router: Router,
    /// Without it, plain HTTP.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) patience: Patience,
    pub(super) max_connections: usize,
    pub(super) connections: Gauge,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) logs: Logs,
}

impl Door {
    /// Accepts connections until the phase is `Closing`, then waits for those that are open. When
    /// this is dropped, they are cut.
    pub(super) async fn serve(self, listener: TcpListener) {
        let door = Arc::new(self);
        let places = Arc::new(Semaphore::new(door.max_connections));
        let mut closing = door.phase.clone();
        let mut tasks = JoinSet::new();
        let mut refused = false;
        loop {
            while tasks.try_join_next().is_some() {}
            let accepted = tokio::select! {
                // Beyond the limit, connections wait in the system's queue.
                accepted = accept(&listener, &places) => accepted,
                _ = closing.wait_for(|it| *it >= Phase::Closing) => break,
            };
            match accepted {
                Ok((stream, place)) => {
                    refused = false;
                    let door = Arc::clone(&door);
                    tasks.spawn(async move {
                        door.connection(stream).await;
                        drop(place);
                    });
                }
                Err(err) => {
                    if !std::mem::replace(&mut refused, true) {
                        let fields = json!({ "error": err.to_string() });
                        door.logs.event(Level::Error, "cannot-accept", fields);
                    }
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        while tasks.join_next().await.is_some() {}
    }

    async fn connection(&self, stream: TcpStream) {
        let counted = Counted::new(&self.connections, 1);
        // Answers are small, and nothing follows them that they could wait for.
        drop(stream.set_nodelay(true));
        if let Some(tls) = &self.tls {
            let handshake = timeout(self.patience.handshake, tls.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                self.talk(stream).await;
            }
        } else {
            self.talk(stream).await;
        }
        drop(counted);
    }

    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let pace = Arc::new(Pace::default());
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(|request: hyper::Request<Incoming>| {
            pace.set(Step::Answering);
            let response = router.call(request);
            let pace = Arc::clone(&pace);
            async move {
                let response = response.await;
                pace.set(Step::Idle);
                response
            }
        });
        let io = TokioIo::new(Watched { stream, pace: Arc::clone(&pace) });
        let connection = http1::Builder::new()
            .max_buf_size(BUFFER)
            .header_read_timeout(None)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        let mut closing = self.phase.clone();
        let mut asked = false;
        let tick = (self.patience.head.min(self.patience.idle) / 4).max(Duration::from_millis(10));
        loop {
            tokio::select! {
                // What the client did wrong, it was told; what broke, it knows.
                _ = connection.as_mut() => return,
                _ = closing.wait_for(|it| *it >= Phase::Closing), if !asked => {
                    asked = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep(tick) => {
                    if pace.is_too_slow(&self.patience) {
                        return;
                    }
                }
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// What a connection does, and since when.
#[derive(Debug)]
struct Pace(Mutex<(Step, Instant)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing was asked, or the answer is on its way.
    Idle,
    /// A head has begun.
    Head,
    /// There is a question; its body and its evaluation have times of their own.
    Answering,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new((Step::Idle, Instant::now())))
    }
}

impl Pace {
    fn set(&self, step: Step) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (step, Instant::now());
    }

    fn received(&self) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 == Step::Idle {
            *now = (Step::Head, Instant::now());
        }
    }

    fn is_too_slow(&self, patience: &Patience) -> bool {
        let (step, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Idle => since.elapsed() >= patience.idle,
            Step::Head => since.elapsed() >= patience.head,
            Step::Answering => false,
        }
    }
}

/// A stream that notes when bytes come.
struct Watched<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.pace.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
