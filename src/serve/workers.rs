//! Threads that evaluate, and the queue before them.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::body::Room;
use super::metrics::{Counted, Metrics};
use super::{Options, Reviewer};
use crate::admission::Answer;

/// The stack of a thread: what the deepest object that may be read needs, with room to spare. Only
/// what is used of it takes memory.
pub(super) const STACK: usize = 32 << 20;

/// A question to evaluate.
pub(super) struct Job {
    /// The AdmissionReview.
    pub(super) question: Vec<u8>,
    /// What its bytes take of the budget.
    pub(super) room: Option<Room>,
    /// Who answers it.
    pub(super) reviewer: Arc<dyn Reviewer>,
    /// When the answer has to be there.
    pub(super) deadline: Instant,
    /// When it was queued.
    pub(super) queued: Instant,
    /// Where the answer goes. If nobody waits there, nothing is evaluated.
    pub(super) reply: oneshot::Sender<Result<Answer, Panicked>>,
    /// Counts it while it waits.
    pub(super) waits: Counted,
}

/// The evaluation panicked.
#[derive(Debug)]
pub(super) struct Panicked;

/// The queue is full.
#[derive(Debug)]
pub(super) struct Full;

/// The threads. They end when this is dropped.
pub(super) struct Workers {
    shared: Arc<Shared>,
    most: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Shared {
    // Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job whose answer somebody waits for.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            match queue.jobs.pop_front() {
                Some(job) if job.reply.is_closed() => {}
                Some(job) => return Some(job),
                None if queue.closed => return None,
                None => queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Workers {
    /// Starts the threads.
    pub(super) fn start(options: &Options, metrics: &Arc<Metrics>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new() });
        let workers = Self { shared, most: options.queue.get() };
        for number in 0..options.workers.get() {
            let (shared, metrics) = (Arc::clone(&workers.shared), Arc::clone(metrics));
            std::thread::Builder::new().name(format!("review-{number}")).stack_size(STACK).spawn(
                move || {
                    while let Some(job) = shared.next() {
                        evaluate(job, &metrics);
                    }
                },
            )?;
        }
        Ok(workers)
    }

    /// Queues a job.
    pub(super) fn submit(&self, job: Job) -> Result<(), Full> {
        let mut queue = self.shared.lock();
        if queue.jobs.len() >= self.most {
            // Those that nobody waits for any more take no place.
            queue.jobs.retain(|it| !it.reply.is_closed());
        }
        if queue.jobs.len() >= self.most {
            return Err(Full);
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.shared.wake.notify_one();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

fn evaluate(job: Job, metrics: &Metrics) {
    let Job { question, room, reviewer, deadline, queued, reply, waits } = job;
    drop(waits);
    metrics.queue_wait.observe(queued.elapsed().as_secs_f64());
    // A reviewer is not changed by answering, so a panic leaves nothing half done.
    let answer = catch_unwind(AssertUnwindSafe(|| reviewer.answer(question, Some(deadline))));
    if answer.is_err() {
        metrics.panics.inc();
    }
    drop(room);
    // The client may be gone by now.
    drop(reply.send(answer.map_err(|_| Panicked)));
}
