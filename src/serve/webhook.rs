//! One request: from its head to an AdmissionReview, whatever goes wrong.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout_at;

use super::audit::Line;
use super::body::{self, Budget, Unread, Waiting};
use super::logs::Logs;
use super::metrics::{Counted, Metrics};
use super::server::Phase;
use super::workers::{Job, Workers};
use super::{Options, Reviewer, units};
use crate::admission::{Answer, refuse};

/// Bytes of a question that are kept for the answer to an evaluation that broke.
const HEAD: usize = 4 << 10;
/// What is left of the time that an API server waits, for the way back.
const MARGIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));

/// All that answering needs.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) reviewer: Current,
    pub(super) workers: Workers,
    pub(super) budget: Budget,
    pub(super) metrics: Arc<Metrics>,
    pub(super) logs: Logs,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) options: Options,
}

/// The reviewer in use. A request that has begun keeps the one it began with.
#[derive(Clone)]
pub(super) struct Current(Arc<RwLock<Arc<dyn Reviewer>>>);

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Current").field(&self.get().digest()).finish()
    }
}

impl Current {
    pub(super) fn new(reviewer: Arc<dyn Reviewer>) -> Self {
        Self(Arc::new(RwLock::new(reviewer)))
    }

    pub(super) fn get(&self) -> Arc<dyn Reviewer> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the reviewer for the requests to come.
    pub(super) fn set(&self, reviewer: Arc<dyn Reviewer>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = reviewer;
    }
}

/// When what has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deadlines {
    /// The evaluation stops.
    evaluate: Instant,
    /// The answer leaves, with or without an evaluation.
    answer: Instant,
}

impl Deadlines {
    /// `query` is that of the request, in which an API server says how long it waits; `most` is
    /// how long an evaluation may take at all.
    fn new(query: Option<&str>, most: Duration, now: Instant) -> Self {
        let given = query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .find_map(|pair| pair.strip_prefix("timeout="))
            .and_then(|text| units::duration(text).ok())
            .filter(|it| !it.is_zero());
        let Some(given) = given else {
            return Self { evaluate: now + most, answer: now + most + MARGIN.1 / 2 };
        };
        let margin = (given / 10).clamp(MARGIN.0, MARGIN.1).min(given / 2);
        let evaluate = most.min(given.saturating_sub(margin));
        Self { evaluate: now + evaluate, answer: now + evaluate + margin / 2 }
    }
}

/// Why there is no AdmissionReview for an answer.
struct NoRoom;

/// Returns the routes of the webhook.
pub(super) fn router(webhook: Arc<Webhook>) -> Router {
    Router::new().route("/validate", post(validate)).fallback(elsewhere).with_state(webhook)
}

async fn elsewhere() -> Response {
    (StatusCode::NOT_FOUND, "reviews are answered at /validate\n").into_response()
}

async fn validate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let started = Instant::now();
    let in_flight = Counted::new(&webhook.metrics.in_flight, 1);
    let reviewer = webhook.reviewer.get();
    let answered = webhook.answer(request, &reviewer, started).await;
    let mut response = if let Ok((answer, refused)) = answered {
        let took = started.elapsed();
        webhook.metrics.answered(&answer.record, took);
        webhook.logs.audit.write(&Line::new(&answer.record, refused, took, reviewer.digest()));
        let json = [(CONTENT_TYPE, "application/json")];
        (json, answer.body).into_response()
    } else {
        webhook.metrics.overloads.inc();
        let retry = [(RETRY_AFTER, "1")];
        (StatusCode::SERVICE_UNAVAILABLE, retry, "no room for the review\n").into_response()
    };
    drop(in_flight);
    if *webhook.phase.borrow() >= Phase::Draining {
        // The next question goes to a server that stays.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Webhook {
    /// Answers a request; the second value says why nothing was judged.
    async fn answer(
        &self,
        request: Request,
        reviewer: &Arc<dyn Reviewer>,
        started: Instant,
    ) -> Result<(Answer, Option<&'static str>), NoRoom> {
        let (parts, body) = request.into_parts();
        let deadlines = Deadlines::new(parts.uri.query(), self.options.max_duration, started);
        let refused = |read: &[u8], code, why: &'static str| {
            let read = (!read.is_empty()).then_some(read);
            Ok((refuse(read, code, why), Some(why)))
        };
        let waiting = Waiting {
            // Whoever has to wait half of his time can still ask again with the other half.
            room: started + (deadlines.evaluate - started) / 2,
            body: self.options.patience.body,
            last: deadlines.evaluate,
        };
        let received = match body::read(body, self.options.max_body, &self.budget, waiting).await {
            Ok(received) => received,
            Err(Unread::NoRoom) => return Err(NoRoom),
            Err(Unread::TooLarge(read)) => {
                return refused(&read, 413, "the request body is too large");
            }
            Err(Unread::TooSlow(read)) => {
                return refused(&read, 400, "the request body did not come in time");
            }
            Err(Unread::Broken(read)) => {
                return refused(&read, 400, "the request body is incomplete");
            }
        };
        let question = received.bytes;
        if question.is_empty() {
            return refused(&[], 400, "request body is empty");
        }
        if parts.headers.get_all(CONTENT_ENCODING).iter().any(|it| it != "identity") {
            return refused(&[], 415, "the request body is compressed: send it as it is");
        }
        if !is_json(&parts.headers) {
            return refused(&question, 400, "Content-Type is not application/json");
        }
        let head = question.get(..HEAD).unwrap_or(&question).to_vec();
        let (reply, answer) = oneshot::channel();
        let job = Job {
            question,
            room: received.room,
            reviewer: Arc::clone(reviewer),
            deadline: deadlines.evaluate,
            queued: Instant::now(),
            reply,
            waits: Counted::new(&self.metrics.queued, 1),
        };
        self.workers.submit(job).map_err(|_| NoRoom)?;
        match timeout_at(deadlines.answer.into(), answer).await {
            Ok(Ok(Ok(answer))) => Ok((answer, None)),
            Ok(_) => refused(&head, 500, "the evaluation broke down; this is a defect"),
            Err(_) => {
                let why = "evaluation timed out; no rule was evaluated in time";
                let (mut answer, refused) = refused(&head, 500, why)?;
                answer.record.timed_out = true;
                Ok((answer, refused))
            }
        }
    }
}

/// Says whether a request says that it holds JSON, whatever the parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let Some(Ok(first)) = types.next().map(HeaderValue::to_str) else { return false };
    let essence = first.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") && types.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(query: Option<&str>, most: u64) -> (u128, u128) {
        let now = Instant::now();
        let Deadlines { evaluate, answer } =
            Deadlines::new(query, Duration::from_millis(most), now);
        ((evaluate - now).as_millis(), (answer - now).as_millis())
    }

    #[test]
    fn an_answer_leaves_before_the_api_server_stops_waiting() {
        assert_eq!(millis(Some("timeout=3s"), 10_000), (2700, 2850));
        assert_eq!(millis(Some("timeout=30s"), 60_000), (29_500, 29_750));
        assert_eq!(millis(Some("timeout=1s"), 10_000), (900, 950));
        assert_eq!(millis(Some("timeout=100ms"), 10_000), (50, 75));
        assert_eq!(millis(Some("a=b&timeout=3s&timeout=9s"), 10_000), (2700, 2850));
    }

    #[test]
    fn an_evaluation_takes_no_longer_than_it_may() {
        assert_eq!(millis(Some("timeout=30s"), 2000), (2000, 2250));
        for query in [None, Some(""), Some("timeout="), Some("timeout=x"), Some("timeout=0s")] {
            assert_eq!(millis(query, 2000), (2000, 2250), "{query:?}");
        }
    }

    #[test]
    fn a_content_type_may_have_parameters() {
        let is = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            is_json(&headers)
        };
        assert!(is(&["application/json"]));
        assert!(is(&["Application/JSON ; charset=utf-8"]));
        for wrong in [&[][..], &["text/plain"], &["application/jsonp"], &["application/json"; 2]] {
            assert!(!is(wrong), "{wrong:?}");
        }
    }
}
