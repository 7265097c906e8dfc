//! The lane: one thread, one connection, one transaction for all commands that wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use cobro_domain::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::driver::{Batch, DbError, Driver};
use crate::error::{StoreError, TxError};
use crate::tx::{CommitOrder, Memory, Tx};
use crate::writes::WriteSet;

/// How many commands may wait.
pub(crate) const QUEUE_MAX: usize = 4096;

/// How many commands share one commit at most.
const BATCH_MAX: usize = 256;

/// What a command says after it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Keep what it wrote.
    Done,
    /// It was refused: drop what it wrote.
    Refused,
}

/// A command, and who waits for it to be durable. Its result is kept by the closure, so that a
/// lane and its queue are the same for all commands.
pub(crate) struct Job {
    pub(crate) run: Box<dyn FnMut(&mut Tx<'_>) -> Verdict + Send>,
    /// Nobody may be waiting any more; what was done stays done.
    pub(crate) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// What a lane has done so far, for metrics.
#[derive(Debug, Default)]
pub struct LaneCounters {
    /// Batches that were made durable.
    pub batches: AtomicU64,
    /// Commands that were run in them, refused ones too.
    pub commands: AtomicU64,
    /// Batches that met unexpected rows and were run again, one command at a time.
    pub reruns: AtomicU64,
}

/// What a lane shares with the rest of its store.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Set when nothing may be written any more.
    pub(crate) stopped: AtomicBool,
    /// The time of the last batch.
    pub(crate) last_at: AtomicI64,
    pub(crate) counters: LaneCounters,
}

pub(crate) struct Lane {
    pub(crate) number: i64,
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) queue: mpsc::Receiver<Job>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) memory: Memory,
    /// Answers `Again` at the first read of every row, to prove that commands can be run again.
    pub(crate) prove_rerunnable: bool,
}

/// How a batch ended.
enum BatchEnd {
    Committed,
    /// Nothing was done; the commands can be run one by one.
    Conflict(&'static str),
    /// The database failed before the commit; nothing was done.
    Failed(String),
    /// The commit itself was not answered.
    CommitFailed(String),
}

impl Lane {
    /// Runs until the store is dropped.
    pub(crate) fn run(mut self) {
        let mut waiting: Vec<Job> = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = self.queue.blocking_recv() {
            waiting.push(first);
            while waiting.len() < BATCH_MAX {
                match self.queue.try_recv() {
                    Ok(job) => waiting.push(job),
                    Err(_) => break,
                }
            }
            self.batch(std::mem::take(&mut waiting));
        }
    }

    fn batch(&mut self, mut jobs: Vec<Job>) {
        if self.shared.stopped.load(Ordering::Acquire) {
            return answer_all(jobs, &Err(StoreError::Closed));
        }
        match self.try_batch(&mut jobs) {
            BatchEnd::Committed => answer_all(jobs, &Ok(())),
            BatchEnd::Conflict(table) if jobs.len() > 1 => {
                self.shared.counters.reruns.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(table, commands = jobs.len(), "conflict: one command at a time");
                for job in jobs {
                    self.batch(vec![job]);
                }
            }
            BatchEnd::Conflict(table) => answer_all(jobs, &Err(StoreError::Conflict(table))),
            BatchEnd::Failed(text) => {
                tracing::error!(error = text, "a batch failed");
                self.recover();
                answer_all(jobs, &Err(StoreError::Database(text)));
            }
            BatchEnd::CommitFailed(text) => {
                tracing::error!(error = text, "a commit failed");
                if self.driver.commit_failure_is_fatal() {
                    self.shared.stopped.store(true, Ordering::Release);
                } else {
                    self.recover();
                }
                answer_all(jobs, &Err(StoreError::Unknown(text)));
            }
        }
    }

    fn recover(&mut self) {
        self.memory.forget();
        self.driver.rollback();
        if let Err(error) = self.driver.reconnect() {
            tracing::error!(?error, "the lane's connection could not be made anew");
        }
    }

    /// Runs the commands, flushes and commits. Panicked commands are answered and removed.
    fn try_batch(&mut self, jobs: &mut Vec<Job>) -> BatchEnd {
        let batch = match self.driver.begin(self.number, self.clock.now().micros()) {
            Ok(batch) => batch,
            Err(error) => return BatchEnd::Failed(format!("{error:?}")),
        };
        self.memory.begin(batch.number);
        let (mut writes, after_commit, failure) = self.run_jobs(batch, jobs);
        if let Some(error) = failure {
            self.driver.rollback();
            self.memory.forget();
            return BatchEnd::Failed(error.to_string());
        }
        if writes.is_empty() {
            self.driver.rollback();
            self.memory.dropped(batch.number);
        } else {
            match self.driver.flush(&writes.sets()) {
                Ok(()) => {}
                Err(DbError::Conflict(table)) => {
                    self.driver.rollback();
                    self.memory.forget();
                    return BatchEnd::Conflict(table);
                }
                Err(DbError::Failed(text)) => return BatchEnd::Failed(text),
            }
            if let Err(error) = self.driver.commit() {
                return BatchEnd::CommitFailed(format!("{error:?}"));
            }
            self.memory.committed(batch.number, &mut writes);
            self.shared.last_at.store(batch.at, Ordering::Release);
        }
        let counters = &self.shared.counters;
        counters.batches.fetch_add(1, Ordering::Relaxed);
        counters.commands.fetch_add(jobs.len() as u64, Ordering::Relaxed);
        for action in after_commit {
            if catch_unwind(AssertUnwindSafe(action)).is_err() {
                tracing::error!("what should follow a commit panicked");
            }
        }
        BatchEnd::Committed
    }

    fn run_jobs(
        &mut self,
        batch: Batch,
        jobs: &mut Vec<Job>,
    ) -> (WriteSet, Vec<crate::tx::AfterCommit>, Option<TxError>) {
        let mut tx = Tx {
            driver: self.driver.as_mut(),
            memory: &mut self.memory,
            batch: WriteSet::default(),
            command: WriteSet::default(),
            after_commit: Vec::new(),
            order: CommitOrder { lane: self.number, batch: batch.number, index: 0 },
            now: Timestamp::from_micros(batch.at),
            failed: None,
            fetched: None,
            again: false,
        };
        let mut after_commit = Vec::new();
        let mut panicked = Vec::new();
        for (place, job) in jobs.iter_mut().enumerate() {
            tx.order.index = i64::try_from(place).unwrap_or(i64::MAX);
            tx.fetched = self.prove_rerunnable.then(Default::default);
            let verdict = run_until_settled(&mut tx, job);
            if let Some(error) = tx.failed.take() {
                return (tx.batch, after_commit, Some(error));
            }
            match verdict {
                Some(Verdict::Done) => {
                    tx.batch.absorb(&mut tx.command);
                    after_commit.append(&mut tx.after_commit);
                }
                Some(Verdict::Refused) => {}
                None => panicked.push(place),
            }
            tx.command.clear();
            tx.after_commit.clear();
        }
        let writes = tx.batch;
        for place in panicked.into_iter().rev() {
            let _ = jobs.remove(place).reply.send(Err(StoreError::Panicked));
        }
        (writes, after_commit, None)
    }
}

/// Runs a command, again whenever a row was not at hand; `None` when it panicked.
fn run_until_settled(tx: &mut Tx<'_>, job: &mut Job) -> Option<Verdict> {
    loop {
        tx.again = false;
        let Ok(verdict) = catch_unwind(AssertUnwindSafe(|| (job.run)(tx))) else {
            tracing::error!("a command panicked");
            tx.failed = None;
            return None;
        };
        if !tx.again {
            return Some(verdict);
        }
        tx.command.clear();
        tx.after_commit.clear();
    }
}

fn answer_all(jobs: Vec<Job>, outcome: &Result<(), StoreError>) {
    for job in jobs {
        let _ = job.reply.send(outcome.clone());
    }
}
