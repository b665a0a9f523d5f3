//! The ring that threads without one of their own share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, TryLockError};

use millpond_core::Level;

use super::RingSupply;
use super::writer::Writer;

/// A ring behind a lock that is tried and never waited for, and the records that found it taken.
pub(super) struct Fallback<W> {
    writer: Mutex<Option<W>>,
    /// Counted here until the next call that gets the lock can write them into the ring.
    missed: [AtomicU64; Level::COUNT],
}

impl<P: RingSupply> Fallback<Writer<P>> {
    pub(super) fn new() -> Self {
        Self { writer: Mutex::new(None), missed: Default::default() }
    }

    /// Calls `log` with the shared ring, or counts the record as dropped if another thread is
    /// using it, this thread is already inside, or there is no ring to be had from `make`.
    pub(super) fn with(
        &self,
        level: Level,
        make: impl FnOnce() -> Option<Writer<P>>,
        log: impl FnOnce(&mut Writer<P>),
    ) {
        let mut guard = match self.writer.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return self.miss(level),
        };
        if guard.is_none() {
            *guard = make();
        }
        match guard.as_mut() {
            Some(writer) => {
                self.settle(writer);
                log(writer);
            }
            None => self.miss(level),
        }
        if guard.as_ref().is_some_and(Writer::is_closed) {
            *guard = None;
        }
    }

    /// Lets go of the ring of a logger that was closed: the ring leads back to the logger. If a
    /// call is using it, that call will.
    pub(super) fn close(&self) {
        if let Ok(mut writer) = self.writer.try_lock() {
            *writer = None;
        }
    }

    /// Counts in this ring what was missed, so that a gap is shown before its next record.
    pub(super) fn settle(&self, writer: &mut Writer<P>) {
        for (level, missed) in Level::ALL.into_iter().zip(&self.missed) {
            writer.ring.drop_records(level, missed.swap(0, Ordering::Relaxed));
        }
    }

    pub(super) fn miss(&self, level: Level) {
        self.missed[level.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Records that were missed and are not in any ring's account.
    pub(super) fn missed(&self) -> [u64; Level::COUNT] {
        std::array::from_fn(|level| self.missed[level].load(Ordering::Relaxed))
    }
}
