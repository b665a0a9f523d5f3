//! Accounts: what was attempted and what became of it.

use std::fmt;

use millpond_core::Level;
use serde::Serialize;

/// What became of the records of one worker, one ring or all.
///
/// `attempted = delivered + dropped + filtered + quarantined + in the ring + in flight`: every
/// term is counted where it happens. In flight is at most one for each ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// Log calls that passed the logger's level, as the producers counted them.
    pub attempted: u64,
    /// Records handed to the handlers.
    pub delivered: u64,
    /// Records that found no room, by [`Level::index`], as the producers counted them.
    pub dropped: [u64; Level::COUNT],
    /// Of the dropped, those that a gap frame has reported in place.
    pub gaps: [u64; Level::COUNT],
    /// Records below the collector's level.
    pub filtered: u64,
    /// Records that could not be understood.
    pub quarantined: u64,
    /// Records that were drained and not yet handed out.
    pub in_ring: u64,
}

impl Account {
    /// Records dropped, of all levels.
    pub fn total_dropped(&self) -> u64 {
        sum(&self.dropped)
    }

    /// Records that are accounted for.
    pub fn accounted(&self) -> u64 {
        let dropped = self.total_dropped();
        sum(&[self.delivered, dropped, self.filtered, self.quarantined, self.in_ring])
    }

    /// Whether every attempted record is accounted for, but for those in flight: one that was
    /// being written when its process died was attempted and is nowhere.
    pub fn is_balanced(&self, in_flight: u64) -> bool {
        self.attempted.abs_diff(self.accounted()) <= in_flight
    }

    /// What an earlier collector of the same ring counted, and the losses that it need not report
    /// again.
    pub fn of_earlier(
        delivered: u64,
        filtered: u64,
        quarantined: u64,
        gaps: [u64; Level::COUNT],
    ) -> Self {
        Self { delivered, filtered, quarantined, gaps, ..Self::default() }
    }

    /// Adds another account to this one.
    pub fn merge(&mut self, other: &Account) {
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        add(&mut self.attempted, other.attempted);
        add(&mut self.delivered, other.delivered);
        for level in 0..Level::COUNT {
            add(&mut self.dropped[level], other.dropped[level]);
            add(&mut self.gaps[level], other.gaps[level]);
        }
        add(&mut self.filtered, other.filtered);
        add(&mut self.quarantined, other.quarantined);
        add(&mut self.in_ring, other.in_ring);
    }
}

/// The sum of counts that may be lies of another process: it stops at the largest number.
pub(crate) fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// The account of one worker: all its rings together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkerAccount {
    /// The name, which need not be unique.
    pub name: String,
    /// The process.
    pub process: u32,
    /// Whether the worker has ended and everything of it was drained.
    pub ended: bool,
    /// Rings that it used.
    pub rings: u32,
    /// What became of its records.
    pub account: Account,
}

/// What one handler did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HandlerAccount {
    /// The handler's name.
    pub name: String,
    /// Records that it took.
    pub delivered: u64,
    /// Records whose batch it answered with an error or a panic.
    pub failed: u64,
    /// Records that were not offered because its queue was full.
    pub dropped: u64,
    /// Whether it was still stuck in a call when the deadline of `shutdown` passed.
    pub stuck: bool,
}

/// What a logger did, from start to now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// All workers together.
    pub total: Account,
    /// Each worker (or the one logger).
    pub workers: Vec<WorkerAccount>,
    /// Each handler.
    pub handlers: Vec<HandlerAccount>,
    /// Records logged after shutdown began, or lost because no ring could be made for them.
    pub refused: u64,
}

impl fmt::Display for Report {
    /// One line: `250000 attempted, 250000 delivered, 0 dropped`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = &self.total;
        write!(
            f,
            "{} attempted, {} delivered, {} dropped",
            total.attempted,
            total.delivered,
            total.total_dropped()
        )?;
        let others = [
            (total.filtered, "filtered"),
            (total.quarantined, "quarantined"),
            (self.refused, "refused"),
        ];
        for (count, what) in others {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for handler in &self.handlers {
            if handler.failed + handler.dropped > 0 || handler.stuck {
                write!(f, "; {}: {} failed", handler.name, handler.failed)?;
                write!(f, ", {} dropped", handler.dropped)?;
                if handler.stuck {
                    write!(f, ", stuck in a call")?;
                }
            }
        }
        Ok(())
    }
}

/// Writes "3 DEBUG, 5 INFO" for counts by level.
pub(crate) fn by_level(counts: &[u64; Level::COUNT]) -> String {
    let some = Level::ALL.into_iter().filter(|level| counts[level.index()] > 0);
    let shown: Vec<String> =
        some.map(|level| format!("{} {level}", counts[level.index()])).collect();
    shown.join(", ")
}
