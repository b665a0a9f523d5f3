//! A single-producer, single-consumer ring of frames.
//!
//! # Algorithm
//!
//! Two free-running 32-bit positions: `tail`, up to which the producer has written, and `head`, up
//! to which the consumer has released. An offset is a position modulo the capacity, which is a
//! power of two, so positions may wrap. This is Lamport's bounded buffer (*Proving the Correctness
//! of Multiprocess Programs*, IEEE TSE 1977) with each side caching the other's position (Lee et
//! al., *MCRingBuffer*, IPDPS 2010), over frames that never cross the end: a padding frame fills
//! what is left there.
//!
//! The rules on which every `unsafe` block here rests:
//!
//! 1. There is one [`Producer`] and one [`Consumer`] per ring (contract of their constructors).
//! 2. The bytes from `tail` up to `head + capacity` belong to the producer, those from `head` up
//!    to `tail` to the consumer.
//! 3. The producer gives bytes away by one release store of `tail` after they are complete, the
//!    consumer by one release store of `head` after it has copied them out. A producer that dies
//!    at any instruction therefore leaves a ring that is valid: there is nothing to repair.
//! 4. What the other side wrote is data, not truth: a position is checked before it is used, and
//!    frames are copied out before they are parsed.
//!
//! The consumer has two positions: *read*, up to which it has copied frames out, and *released*,
//! which it moves when whoever got the frames no longer needs them kept. It is the released one
//! that makes room.

mod claim;
mod consumer;
mod entry;
mod lines;
mod producer;
mod producer_batch;
mod push_error;
mod static_ring;

pub use claim::Claim;
pub use consumer::{Consumer, Drained, RingFault};
pub use entry::{Entry, Quick};
pub use lines::{ConsumerLine, ConsumerState, ProducerLine, ProducerState};
pub use producer::Producer;
pub use producer_batch::ProducerBatch;
pub use push_error::PushError;
pub use static_ring::{StaticRing, StaticStorage};

/// Bytes of the smallest ring.
#[cfg(not(millpond_loom))]
pub const MIN_CAPACITY: u32 = 4096;
/// Bytes of the smallest ring. Loom tracks each word, and four frames make a full ring as well as
/// a hundred.
#[cfg(millpond_loom)]
pub const MIN_CAPACITY: u32 = 256;
/// Bytes of the largest ring.
pub const MAX_CAPACITY: u32 = 1 << 31;
/// Bytes of the largest frame of any ring, header included.
pub const MAX_FRAME: u32 = 64 * 1024;

/// Bytes of the largest frame of a ring of `capacity` bytes, header included. A quarter of the
/// ring, so that a frame and the padding before it fit even into the part that low levels may
/// fill, see [`Producer`].
pub const fn max_frame(capacity: u32) -> u32 {
    if capacity / 4 < MAX_FRAME { capacity / 4 } else { MAX_FRAME }
}
