//! The two position lines of a ring: one written by the producer, one by the consumer.
//!
//! This is a layout that processes share. 128-byte lines, because processors fetch pairs of
//! 64-byte lines; every word has exactly one writer, so nothing here needs more than load and
//! store.
//!
//! ```text
//!  ProducerLine (256 bytes)                       ConsumerLine (128 bytes)
//!    0 tail            u32  all before it stands    0 head   u32  room is free up to here
//!    4 state           u32  see below               4 state  u32  see below
//!    8 attempted       u64                          8 epoch  u64  grows with each consumer
//!   16 in_call_since   u64  ticks, 0 = not in one  16 ... 128     zero
//!   24 flush_requests  u32
//!   28 table_length    u32  call sites up to here
//!   32 ... 128              zero
//!  128 dropped[5]      u64  by level
//!  168 dropped_bytes   u64
//!  176 blocked_ns      u64
//!  184 worst_call_ns   u64
//!  192 high_water      u32  most bytes ever used
//!  196 ... 256              zero
//! ```

use crate::Level;
use crate::sync::{Counter, Ordering, Word};

/// The lines of a ring that only its producer writes.
///
/// Anybody who maps the ring may read it at any time; what is read may be a moment old.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct ProducerLine {
    pub(crate) tail: Word,
    pub(crate) state: Word,
    pub(crate) attempted: Counter,
    pub(crate) in_call_since: Counter,
    pub(crate) flush_requests: Word,
    pub(crate) table_length: Word,
    pub(crate) cold: ProducerStatistics,
}

/// The second line: written when something is unusual.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub(crate) struct ProducerStatistics {
    pub(crate) dropped: [Counter; Level::COUNT],
    pub(crate) dropped_bytes: Counter,
    pub(crate) blocked_ns: Counter,
    pub(crate) worst_call_ns: Counter,
    pub(crate) high_water: Word,
}

/// The line of a ring that only its consumer writes.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct ConsumerLine {
    pub(crate) head: Word,
    pub(crate) state: Word,
    pub(crate) epoch: Counter,
}

#[cfg(not(millpond_loom))]
mod layout {
    use core::mem::offset_of;

    use static_assertions::{const_assert, const_assert_eq};

    use super::*;

    // A change here is a change of the layout that processes share: raise LAYOUT_MAJOR.
    const_assert_eq!(size_of::<ProducerLine>(), 256);
    const_assert_eq!(align_of::<ProducerLine>(), 128);
    const_assert_eq!(offset_of!(ProducerLine, tail), 0);
    const_assert_eq!(offset_of!(ProducerLine, state), 4);
    const_assert_eq!(offset_of!(ProducerLine, attempted), 8);
    const_assert_eq!(offset_of!(ProducerLine, in_call_since), 16);
    const_assert_eq!(offset_of!(ProducerLine, flush_requests), 24);
    const_assert_eq!(offset_of!(ProducerLine, table_length), 28);
    const_assert_eq!(offset_of!(ProducerLine, cold), 128);
    const_assert_eq!(offset_of!(ProducerStatistics, dropped), 0);
    const_assert_eq!(offset_of!(ProducerStatistics, dropped_bytes), 40);
    const_assert_eq!(offset_of!(ProducerStatistics, blocked_ns), 48);
    const_assert_eq!(offset_of!(ProducerStatistics, worst_call_ns), 56);
    const_assert_eq!(offset_of!(ProducerStatistics, high_water), 64);
    const_assert_eq!(size_of::<ConsumerLine>(), 128);
    const_assert_eq!(align_of::<ConsumerLine>(), 128);
    const_assert_eq!(offset_of!(ConsumerLine, head), 0);
    const_assert_eq!(offset_of!(ConsumerLine, state), 4);
    const_assert_eq!(offset_of!(ConsumerLine, epoch), 8);
    const_assert!(size_of::<Counter>() == 8 && align_of::<Counter>() == 8);
}

impl Default for Word {
    fn default() -> Self {
        Word::new(0)
    }
}

/// What a producer says of its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProducerState {
    /// Records may follow.
    Open,
    /// The owner ended in good order: nothing follows what the tail shows.
    Closed,
}

/// What a consumer says of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// It is being drained.
    Serving,
    /// It will not be drained again; its owner, if alive, takes a new one.
    Retired,
}

const CLOSED: u32 = 1;
const RETIRED: u32 = 1;

impl ProducerLine {
    /// A line for a fresh ring.
    #[cfg(not(millpond_loom))]
    pub const fn new() -> Self {
        Self {
            tail: Word::new(0),
            state: Word::new(0),
            attempted: Counter::new(),
            in_call_since: Counter::new(),
            flush_requests: Word::new(0),
            table_length: Word::new(0),
            cold: ProducerStatistics {
                dropped: [const { Counter::new() }; Level::COUNT],
                dropped_bytes: Counter::new(),
                blocked_ns: Counter::new(),
                worst_call_ns: Counter::new(),
                high_water: Word::new(0),
            },
        }
    }

    /// What the producer says. Once it says `Closed`, the tail read afterwards is the last one.
    pub fn state(&self) -> ProducerState {
        // Acquire [closed]: pairs with the Release [closed] in `Producer::close`. With Relaxed, a
        // reader could see the ring closed and yet miss the last tail.
        match self.state.load(Ordering::Acquire) {
            CLOSED => ProducerState::Closed,
            _ => ProducerState::Open,
        }
    }

    /// Sets the tail of a ring that nobody uses yet.
    pub fn start_at(&mut self, position: u32) {
        self.tail = Word::new(position);
    }

    pub(crate) fn close(&self) {
        // Release [closed]: pairs with the Acquire [closed] in `ProducerLine::state`.
        self.state.store(CLOSED, Ordering::Release);
    }

    /// Records that were delivered into the ring or dropped.
    pub fn attempted(&self) -> u64 {
        self.attempted.get()
    }

    /// Records dropped, by [`Level::index`].
    pub fn dropped(&self) -> [u64; Level::COUNT] {
        core::array::from_fn(|level| self.cold.dropped[level].get())
    }

    /// Message bytes of the dropped records.
    pub fn dropped_bytes(&self) -> u64 {
        self.cold.dropped_bytes.get()
    }

    /// Nanoseconds that calls waited for room.
    pub fn blocked_ns(&self) -> u64 {
        self.cold.blocked_ns.get()
    }

    /// Nanoseconds of the longest wait in one call.
    pub fn worst_call_ns(&self) -> u64 {
        self.cold.worst_call_ns.get()
    }

    /// The most bytes that were ever in use.
    pub fn high_water(&self) -> u32 {
        self.cold.high_water.load(Ordering::Relaxed)
    }

    /// Ticks at which the producer began to wait for room, if it waits now.
    pub fn in_call_since(&self) -> Option<u64> {
        match self.in_call_since.get() {
            0 => None,
            ticks => Some(ticks),
        }
    }

    /// A number that changes with each flush that the producer's process asks for. Whoever sees it
    /// also sees the tail that stood before the request.
    pub fn flush_requests(&self) -> u32 {
        // Acquire [flush]: pairs with the Release [flush] in `request_flush`. With Relaxed, the
        // consumer could see the request before the records, and answer it without them.
        self.flush_requests.load(Ordering::Acquire)
    }

    /// Asks the consumer to hand out what was published so far without waiting for more. `number`
    /// differs from that of the request before. To be called by one thread of the producer's
    /// process at a time.
    pub fn request_flush(&self, number: u32) {
        // Release [flush]: pairs with the Acquire [flush] in `flush_requests`.
        self.flush_requests.store(number, Ordering::Release);
    }

    /// The low 32 bits of the position up to which frames are published.
    pub fn published(&self) -> u32 {
        self.tail.load(Ordering::Relaxed)
    }
}

impl ConsumerLine {
    /// A line for a fresh ring.
    #[cfg(not(millpond_loom))]
    pub const fn new() -> Self {
        Self { head: Word::new(0), state: Word::new(0), epoch: Counter::new() }
    }

    /// What the consumer says.
    pub fn state(&self) -> ConsumerState {
        match self.state.load(Ordering::Relaxed) {
            RETIRED => ConsumerState::Retired,
            _ => ConsumerState::Serving,
        }
    }

    pub(crate) fn retire(&self) {
        self.state.store(RETIRED, Ordering::Relaxed);
    }

    /// The low 32 bits of the position up to which the consumer has released the ring: everything
    /// before it was delivered.
    pub fn released(&self) -> u32 {
        // Acquire [drained]: see `Producer::free`; here it lets `flush` conclude that what the
        // consumer did before it released is done.
        self.head.load(Ordering::Acquire)
    }

    /// How many consumers have attached so far.
    pub fn epoch(&self) -> u64 {
        self.epoch.get()
    }
}
