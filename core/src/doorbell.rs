//! The sleep handshake between producers that have something urgent and a collector that sleeps.
//!
//! The word lies where both sides can write it. The collector announces that it will sleep, then
//! looks at every ring once more, then waits for the word to change; a producer publishes its
//! record, then looks whether the collector sleeps. Each side stores one thing and then loads the
//! other's, so without a full fence between the two both could miss each other (the store buffer
//! pattern: Dekker's algorithm).
//!
//! A producer answers by storing [`AWAKE`] before it wakes the collector. So the wait, which
//! compares the word under the waiter's lock (`futex(2)`: FUTEX_WAIT), cannot start after the
//! wake was sent and miss it; and the next producer sees that nobody needs waking. Several
//! producers may answer at once: they all store the same value.

use crate::sync::{Ordering, Word, full_fence};

/// The collector is awake or about to be.
pub const AWAKE: u32 = 0;
/// The collector sleeps, or is about to and will look at the rings once more.
pub const ASLEEP: u32 = 1;

/// One word in memory that the collector and all its producers share.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Doorbell(Word);

static_assertions::assert_eq_size!(Doorbell, Word);

impl Doorbell {
    /// A doorbell of a collector that is awake.
    #[cfg(not(millpond_loom))]
    pub const fn new() -> Self {
        Self(Word::new(AWAKE))
    }

    /// Collector: announces sleep. Afterwards it must look at every ring once more, and sleep only
    /// if they are empty and only while [`Doorbell::is_asleep`] holds.
    pub fn announce_sleep(&self) {
        self.0.store(ASLEEP, Ordering::Relaxed);
        // Fence [asleep]: pairs with the fence [asleep] in `must_wake`. Of the two fences one
        // comes first in the single order of SeqCst fences: either the collector's second look
        // sees the record, or the producer sees ASLEEP. Without it both could read the old value
        // and the record would lie until the time-out.
        full_fence();
    }

    /// Collector: whether the announced sleep still stands. The value to wait on is [`ASLEEP`].
    pub fn is_asleep(&self) -> bool {
        // Relaxed: whoever is told to wake up looks at the rings, whose tails carry the order.
        self.0.load(Ordering::Relaxed) == ASLEEP
    }

    /// Collector: takes the announcement back.
    pub fn wake_up(&self) {
        self.0.store(AWAKE, Ordering::Relaxed);
    }

    /// Producer, after it published its record: whether the caller must wake the collector now.
    /// At most a few producers are told so for each sleep (those that answer at the same moment).
    pub fn must_wake(&self) -> bool {
        // Fence [asleep]: pairs with the fence [asleep] in `announce_sleep`.
        full_fence();
        if self.0.load(Ordering::Relaxed) != ASLEEP {
            return false;
        }
        self.0.store(AWAKE, Ordering::Relaxed);
        true
    }
}
