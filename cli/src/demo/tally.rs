//! Counts the lines of each worker as they reach the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use millpond::{Handler, HandlerError, Records};

use super::message::is_numbered;
use super::worker::name_of;

/// Lines in the file so far, by worker.
#[derive(Clone, Debug)]
pub(super) struct Tally(Arc<[AtomicU64]>);

impl Tally {
    pub(super) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| AtomicU64::new(0)).collect())
    }

    /// Lines of a worker.
    pub(super) fn of(&self, worker: usize) -> u64 {
        self.0[worker].load(Ordering::Acquire)
    }

    /// Lines of all workers.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|lines| lines.load(Ordering::Acquire)).sum()
    }
}

/// Hands everything to another handler and counts what that took.
pub(super) struct Counting<H> {
    inner: H,
    tally: Tally,
    names: Vec<String>,
    counts: Vec<u64>,
}

impl<H: Handler> Counting<H> {
    pub(super) fn new(inner: H, tally: Tally) -> Self {
        let names: Vec<String> = (0..tally.0.len()).map(name_of).collect();
        let counts = vec![0; names.len()];
        Self { inner, tally, names, counts }
    }
}

impl<H: Handler> Handler for Counting<H> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        self.inner.push(records)?;
        // Written: from here on it counts as delivered.
        self.counts.fill(0);
        let mut last = 0;
        for record in records {
            let name = record.name();
            if self.names[last] != name {
                match self.names.iter().position(|known| known == name) {
                    Some(found) => last = found,
                    None => continue,
                }
            }
            self.counts[last] += u64::from(is_numbered(record.message_bytes()));
        }
        for (total, count) in self.tally.0.iter().zip(&self.counts) {
            total.fetch_add(*count, Ordering::Release);
        }
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        self.inner.tick_interval()
    }

    fn tick(&mut self, now: Instant) -> Result<(), HandlerError> {
        self.inner.tick(now)
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        self.inner.flush(deadline)
    }

    fn close(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        self.inner.close(deadline)
    }

    fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }
}
