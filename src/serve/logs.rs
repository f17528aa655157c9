//! Lines of JSON, written by threads of their own.
//!
//! Whoever reads the lines may be slow, or gone. The webhook never waits for them: lines queue up
//! to a number of bytes, and those beyond are counted as lost.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use serde::Serialize;
use serde_json::Value;

/// Bytes of the lines that wait to be written.
const WAITING: usize = 4 << 20;
/// Bytes that are written at once.
const BATCH: usize = 64 << 10;

/// Where the webhook says what it does.
#[derive(Debug, Clone)]
pub struct Logs {
    /// One line for each decision.
    pub(super) audit: Lines,
    /// One line for each event of the server.
    pub(super) events: Lines,
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Info,
    /// Somebody should look.
    Error,
}

#[derive(Serialize)]
struct Event<'a> {
    ts: String,
    level: Level,
    #[serde(rename = "event")]
    name: &'a str,
    #[serde(flatten)]
    fields: Value,
}

impl Logs {
    /// Starts writing: decisions to `audit`, events to `events`.
    pub fn new(audit: Box<dyn Write + Send>, events: Box<dyn Write + Send>) -> Self {
        Self { audit: Lines::new(audit), events: Lines::new(events) }
    }

    /// Writes an event; `fields` is an object.
    pub(super) fn event(&self, level: Level, name: &str, fields: Value) {
        self.events.write(&Event { ts: now(), level, name, fields });
    }

    /// Returns a hook that says where a panic happened, and not what it says: its message may hold
    /// a part of an object.
    pub fn panic_hook(&self) -> Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync> {
        let logs = self.clone();
        Box::new(move |info| {
            let at = info.location().map(|it| format!("{}:{}", it.file(), it.line()));
            logs.event(Level::Error, "panic", serde_json::json!({ "at": at }));
        })
    }

    /// Waits for what is queued to be written, but not for long.
    pub fn flush(&self) {
        self.audit.flush();
        self.events.flush();
    }
}

/// The time, as RFC 3339 has it.
pub(super) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Lines that go to one writer.
#[derive(Clone)]
pub(super) struct Lines {
    sender: Sender<Message>,
    waiting: Arc<AtomicUsize>,
    /// The lines that could not be written.
    pub(super) lost: Counter,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Lines {
    fn new(out: Box<dyn Write + Send>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let lines = Self { sender, waiting: Arc::default(), lost: Counter::default() };
        let (waiting, lost) = (Arc::clone(&lines.waiting), lines.lost.clone());
        let writer = std::thread::Builder::new().name("log".to_owned());
        // Without a thread the receiver is gone, and every line counts as lost.
        drop(writer.spawn(move || write_lines(out, &receiver, &waiting, &lost)));
        lines
    }

    /// Queues a line.
    pub(super) fn write(&self, line: &impl Serialize) {
        let Ok(text) = serde_json::to_string(line) else { return };
        let mut line = plain(&text).into_bytes();
        line.push(b'\n');
        let length = line.len();
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length > WAITING
            || self.sender.send(Message::Line(line)).is_err()
        {
            self.waiting.fetch_sub(length, Ordering::Relaxed);
            self.lost.inc();
        }
    }

    fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // A reader that does not read is not waited for.
            let _: Result<(), _> = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

/// Escapes what a terminal may obey: JSON itself escapes only the first 32 characters.
fn plain(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside of strings JSON has none of these.
        let obeyed = matches!(c, '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if obeyed {
            // Writing to a string does not fail.
            let _: fmt::Result = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn write_lines(
    mut out: Box<dyn Write + Send>,
    receiver: &Receiver<Message>,
    waiting: &AtomicUsize,
    lost: &Counter,
) {
    let mut next = None;
    loop {
        let Some(message) = next.take().or_else(|| receiver.recv().ok()) else { return };
        let mut batch = match message {
            Message::Line(line) => line,
            Message::Flush(done) => {
                let _: Result<(), _> = done.try_send(());
                continue;
            }
        };
        let mut lines = 1;
        while batch.len() < BATCH {
            match receiver.try_recv() {
                Ok(Message::Line(line)) => {
                    batch.extend(line);
                    lines += 1;
                }
                Ok(flush @ Message::Flush(_)) => {
                    next = Some(flush);
                    break;
                }
                Err(_) => break,
            }
        }
        // The next batch may find a reader again.
        if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
            lost.inc_by(lines);
        }
        waiting.fetch_sub(batch.len(), Ordering::Relaxed);
    }
}
