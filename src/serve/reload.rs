//! Reading files again when they change. What is in use stays in use until the new is whole.
//!
//! The files are looked at, not watched: a mounted Secret changes by a link two levels up, and network file systems tell nobody.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use serde_json::json;

use super::logs::{Level, Logs};
use super::metrics::{Metrics, Reloaded};
use super::tls::{Files, Served};
use super::webhook::Current;
use super::workers::STACK;
use super::{Options, Source};

/// Threads that end soon after this is dropped.
#[derive(Debug)]
pub(super) struct Watches {
    _stop: Vec<Sender<Infallible>>,
}

/// What a watch tells of.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) metrics: Arc<Metrics>,
    pub(super) logs: Logs,
}

impl Told {
    fn worked(&self, what: Reloaded, mut fields: serde_json::Value) {
        self.metrics.reloaded(what, true);
        add(&mut fields, "what", what.as_str().into());
        self.logs.event(Level::Info, "reloaded", fields);
    }

    fn failed(&self, what: Reloaded, error: &str) {
        self.metrics.reloaded(what, false);
        let fields = json!({ "what": what.as_str(), "error": error });
        self.logs.event(Level::Error, "reload-failed", fields);
    }

    /// The files are again those that are in use.
    fn mended(&self, what: Reloaded) {
        self.metrics.failing(what, false);
        self.logs.event(Level::Info, "reload-unneeded", json!({ "what": what.as_str() }));
    }
}

fn add(fields: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// What was last seen of files that are looked at again and again.
struct Seen<D> {
    /// What is in use.
    used: D,
    /// What is bad, and was said to be.
    bad: Option<Result<D, String>>,
}

impl<D: PartialEq + Clone> Seen<D> {
    /// Looks at the files: says whether they are to be loaded.
    fn looks(&mut self, now: Result<D, String>, what: Reloaded, told: &Told) -> Option<D> {
        if self.bad.as_ref() == Some(&now) {
            return None;
        }
        match now {
            Ok(now) if now == self.used => {
                if self.bad.take().is_some() {
                    told.mended(what);
                }
                None
            }
            Ok(now) => Some(now),
            Err(error) => {
                told.failed(what, &error);
                self.bad = Some(Err(error));
                None
            }
        }
    }
}

/// Starts looking at the certificate and at what the gate is made from.
pub(super) fn watch(
    options: &Options,
    source: Arc<dyn Source>,
    current: Current,
    certificate: ([u8; 32], Served),
    told: &Told,
) -> std::io::Result<Watches> {
    let mut stop = Vec::new();
    let gate_told = told.clone();
    let mut seen = Seen { used: current.get().digest().to_owned(), bad: None };
    stop.push(every(options.gate_interval, "gate", move || {
        look_at_gate(&mut seen, source.as_ref(), &current, &gate_told);
    })?);
    let (told, paths) = (told.clone(), (options.certificate.clone(), options.key.clone()));
    let (used, served) = certificate;
    let mut seen = Seen { used, bad: None };
    stop.push(every(options.certificate_interval, "certificate", move || {
        let what = Reloaded::Certificate;
        let files = Files::read(&paths.0, &paths.1).map_err(|err| err.to_string());
        let digest = files.as_ref().map(Files::digest).map_err(Clone::clone);
        let Some(digest) = seen.looks(digest, what, &told) else { return };
        match files.and_then(|it| it.pair(&paths.0, &paths.1).map_err(|err| err.to_string())) {
            Ok(pair) => {
                told.metrics.not_after.set(pair.not_after.unwrap_or_default());
                told.worked(what, json!({ "notAfter": super::server::time(pair.not_after) }));
                served.set(pair);
                seen = Seen { used: digest, bad: None };
            }
            Err(error) => {
                told.failed(what, &error);
                seen.bad = Some(Ok(digest));
            }
        }
    })?);
    Ok(Watches { _stop: stop })
}

fn look_at_gate(seen: &mut Seen<String>, source: &dyn Source, current: &Current, told: &Told) {
    let what = Reloaded::Gate;
    let Some(digest) = seen.looks(source.digest(), what, told) else { return };
    let made = catch_unwind(AssertUnwindSafe(|| source.make()))
        .unwrap_or_else(|_| Err("making the gate broke down; this is a defect".to_owned()));
    match made {
        Ok(reviewer) => {
            let digest = reviewer.digest().to_owned();
            told.metrics.uses_gate(&digest);
            told.worked(what, json!({ "digest": digest, "kubernetes": reviewer.kubernetes() }));
            current.set(reviewer);
            *seen = Seen { used: digest, bad: None };
        }
        Err(error) => {
            told.failed(what, &error);
            seen.bad = Some(Ok(digest));
        }
    }
}

/// Does something again and again on a thread, until the sender is dropped.
fn every(
    interval: Duration,
    name: &str,
    mut act: impl FnMut() + Send + 'static,
) -> std::io::Result<Sender<Infallible>> {
    let (stop, stopped): (_, Receiver<Infallible>) = mpsc::channel();
    std::thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
            act();
        }
    })?;
    Ok(stop)
}
