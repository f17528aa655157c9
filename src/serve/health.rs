//! Health and metrics, over plain HTTP at an address of their own.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::sync::watch;

use super::metrics::Metrics;
use super::server::Phase;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns the routes of health and metrics.
///
/// The process is healthy as long as it answers: neither a bad configuration nor a bad certificate
/// is mended by starting it anew.
pub(super) fn router(phase: watch::Receiver<Phase>, metrics: Arc<Metrics>) -> Router {
    let ready = move || {
        let phase = *phase.borrow();
        async move {
            match phase {
                Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
                Phase::Serving => (StatusCode::OK, "ok\n"),
                Phase::Draining | Phase::Closing => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            }
        }
    };
    let text = move || {
        let text = metrics.encode();
        async move { ([(CONTENT_TYPE, OPEN_METRICS)], text) }
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(text))
}
