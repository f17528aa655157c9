//! Reading a body: bounded in bytes and in time, alone and together with all others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use http_body_util::BodyExt as _;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::metrics::Counted;

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 10;
/// Bytes of the start of a body that are kept for its uid.
const HEAD: usize = 64 << 10;
/// Bodies' worth of bytes that are read and thrown away, so that the client is done writing and
/// reads the answer. Whoever sends more is cut off.
const DISCARDED: usize = 4;

/// The bytes that all bodies may have together.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    used: Gauge,
    most: usize,
}

/// The place of one body in the budget, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    permit: OwnedSemaphorePermit,
    counted: Counted,
}

/// A body, whole.
#[derive(Debug)]
pub(super) struct Received {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Their place in the budget.
    pub(super) room: Option<Room>,
}

/// Why a body was not read. With it comes what was read, or the start of that.
#[derive(Debug)]
pub(super) enum Unread {
    /// It has too many bytes.
    TooLarge(Vec<u8>),
    /// It did not come in time.
    TooSlow(Vec<u8>),
    /// It ended too early, or is no body.
    Broken(Vec<u8>),
    /// There are too many bytes in flight.
    NoRoom,
}

/// How long a body is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// For room in the budget.
    pub(super) room: Instant,
    /// For the last byte, from when there is room.
    pub(super) body: Duration,
    /// For the last byte, whenever there was room.
    pub(super) last: Instant,
}

impl Budget {
    pub(super) fn new(most: usize, used: Gauge) -> Self {
        let units = (most / UNIT).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(units)), used, most }
    }

    async fn room(&self, bytes: usize, until: Instant) -> Option<Room> {
        let units = u32::try_from(bytes.min(self.most).div_ceil(UNIT)).ok()?;
        let units = units.min(u32::try_from(self.most / UNIT).unwrap_or(u32::MAX));
        let permit = Arc::clone(&self.free).acquire_many_owned(units);
        let permit = timeout_at(until.into(), permit).await.ok()?.ok()?;
        Some(Room { permit, counted: Counted::new(&self.used, bytes) })
    }
}

impl Room {
    /// Gives back what the body turned out not to need.
    fn shrink(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(bytes.div_ceil(UNIT));
        drop(self.permit.split(surplus));
        self.counted.set(bytes);
    }
}

/// Reads a body of at most `limit` bytes.
///
/// A body of unknown length takes the room of the longest while it is read: were room taken piece
/// by piece, many large bodies would each have some and none enough.
pub(super) async fn read(
    mut body: Body,
    limit: usize,
    budget: &Budget,
    waiting: Waiting,
) -> Result<Received, Unread> {
    let announced = body.size_hint().exact().and_then(|it| usize::try_from(it).ok());
    let until = |from: Instant| waiting.last.min(from + waiting.body);
    if body.size_hint().lower() > limit as u64 {
        let until = until(Instant::now());
        return Err(Unread::TooLarge(discard(body, Vec::new(), limit, until).await));
    }
    if announced == Some(0) {
        return Ok(Received { bytes: Vec::new(), room: None });
    }
    let wanted = announced.unwrap_or(limit);
    let mut room = budget.room(wanted, waiting.room).await.ok_or(Unread::NoRoom)?;
    let until = until(Instant::now());
    let mut bytes = Vec::with_capacity(wanted.min(HEAD));
    loop {
        let frame = match timeout_at(until.into(), body.frame()).await {
            Err(_) => return Err(Unread::TooSlow(head(bytes))),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Unread::Broken(head(bytes))),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            bytes.extend(data.iter().take(HEAD.saturating_sub(bytes.len())));
            drop(room);
            return Err(Unread::TooLarge(discard(body, head(bytes), limit, until).await));
        }
        bytes.extend_from_slice(&data);
    }
    room.shrink(bytes.len());
    Ok(Received { bytes, room: Some(room) })
}

fn head(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(HEAD);
    bytes.shrink_to_fit();
    bytes
}

/// Reads the rest of a body and returns its start.
async fn discard(mut body: Body, mut head: Vec<u8>, limit: usize, until: Instant) -> Vec<u8> {
    let mut read = 0;
    while read < limit * DISCARDED {
        let frame = timeout_at(until.into(), body.frame()).await;
        let Ok(Some(Ok(frame))) = frame else { break };
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        head.extend(data.iter().take(HEAD.saturating_sub(head.len())));
    }
    head
}
