//! The reading side of a ring.
//!
//! # Safety
//!
//! The block below reads only bytes that rule 2 of [`crate::ring`] gives to the consumer.
#![allow(unsafe_code)]

use core::fmt;
use core::ops::Range;

use super::{MAX_FRAME, ProducerState, max_frame};
use crate::Batch;
use crate::frame::{ALIGN, HEADER, Kind, LENGTH_KIND, aligned};
use crate::storage::{Area, Storage};
use crate::sync::Ordering;

/// The reading side of a ring. There is one for each ring at a time, used by one thread at a time.
///
/// Positions are 64 bits wide here: the ring's 32-bit ones, extended by counting laps.
#[derive(Debug)]
pub struct Consumer<S: Storage> {
    storage: S,
    read: u64,
    released: u64,
    capacity: u32,
}

impl<S: Storage> Consumer<S> {
    /// The consumer of a ring, which goes on reading at `position`.
    ///
    /// # Safety
    ///
    /// No other consumer of this ring is in use, and `position` is where the last one released
    /// (zero if there was none), as whoever kept it remembers; the ring itself is not asked.
    pub unsafe fn new(storage: S, position: u64) -> Self {
        let capacity = storage.data().length();
        let line = storage.consumer_line();
        line.epoch.set(line.epoch.get().wrapping_add(1));
        line.head.store(position as u32, Ordering::Release);
        Self { storage, read: position, released: position, capacity }
    }

    /// Copies whole frames into `batch` until the ring is empty or the batch is full. The frames
    /// stay in the ring until [`Consumer::release`].
    ///
    /// # Errors
    ///
    /// [`RingFault`] if what the producer wrote cannot be: nothing after it will ever be read, and
    /// calling again yields the same fault. Frames that stand before the fault come first, with
    /// [`Drained::more`] set, and the fault with the next call.
    pub fn consume_all<const N: usize>(
        &mut self,
        batch: &mut Batch<N>,
    ) -> Result<Drained, RingFault> {
        let start = batch.as_bytes().len();
        let from = self.read;
        let mut skip = Skip::default();
        // Acquire [published]: pairs with Release [published] in `Producer::publish`. Seeing the
        // tail means seeing every byte before it; with Relaxed we could copy half a frame.
        let tail = self.storage.producer_line().tail.load(Ordering::Acquire);
        let mut pending = tail.wrapping_sub(self.read as u32);
        let unreleased = (self.read - self.released) as u32;
        if !(pending as usize).is_multiple_of(ALIGN) || pending > self.capacity - unreleased {
            return Err(RingFault::Tail { position: self.read, tail });
        }
        while pending > 0 {
            let offset = self.read as u32 & (self.capacity - 1);
            let run = pending.min(self.capacity - offset);
            let before = batch.as_bytes().len();
            let (copied, fault) = self.copy_frames(batch, offset, run);
            self.read += u64::from(copied);
            pending -= copied;
            if let Some(fault) = fault
                && self.read == from
            {
                return Err(fault);
            }
            if copied < run {
                break;
            }
            // What was left out is padding, at the end of the data: once in a drain.
            let kept = (batch.as_bytes().len() - before) as u32;
            if pending > 0 {
                skip = Skip { at: batch.as_bytes().len(), bytes: copied - kept };
            }
        }
        let range = start..batch.as_bytes().len();
        Ok(Drained { range, from, skip, position: self.read, more: pending > 0 })
    }

    /// Copies the whole frames among the `run` bytes at `offset` that the batch has room for, and
    /// returns how many bytes of the ring they are.
    fn copy_frames<const N: usize>(
        &self,
        batch: &mut Batch<N>,
        offset: u32,
        run: u32,
    ) -> (u32, Option<RingFault>) {
        let take = run.min(batch.room() as u32);
        let bytes = batch.bytes_mut();
        let start = bytes.len();
        let spare = &mut bytes.spare_capacity_mut()[..take as usize];
        // SAFETY: `offset + take` is within the data, `take` and `offset` are multiples of 8
        // (checked by the caller, resp. by `Batch::room`), and the bytes lie between `released`
        // and the tail: rule 2 gives them to the consumer.
        unsafe { self.storage.data().read(offset as usize, spare) };
        // SAFETY: `read` has initialised all of `spare`.
        unsafe { bytes.set_len(start + take as usize) };

        let checked = whole_frames(&bytes[start..], run, self.max_frame());
        bytes.truncate(start + checked.kept as usize);
        let fault = checked.fault.map(|length| RingFault::Length {
            position: self.read + u64::from(checked.read),
            length,
        });
        let stuck = checked.read == 0 && start == 0 && fault.is_none();
        let fault = fault.or(stuck.then_some(RingFault::Batch { room: N as u32 }));
        (checked.read, fault)
    }

    /// Gives the ring back up to `position`: the frames before it need not be kept any longer.
    /// A position that was released before, or was not read yet, changes nothing beyond what was.
    pub fn release(&mut self, position: u64) {
        let position = position.clamp(self.released, self.read);
        if position == self.released {
            return;
        }
        self.released = position;
        // Release [drained]: pairs with Acquire [drained] in `Producer::free`. With Relaxed, the
        // producer could overwrite these bytes before we have copied them.
        self.storage.consumer_line().head.store(position as u32, Ordering::Release);
    }

    /// Up to here frames were copied out.
    pub fn position(&self) -> u64 {
        self.read
    }

    /// Up to here the ring was given back.
    pub fn released(&self) -> u64 {
        self.released
    }

    /// Whether everything published was read. May be stale at once, unless the ring is closed.
    pub fn is_drained(&self) -> bool {
        self.unread() == 0
    }

    /// Bytes that are published and not read; the tail is taken as it is, unchecked.
    pub fn unread(&self) -> u32 {
        // Relaxed: only a number; `consume_all` acquires before it reads bytes. A look after the
        // doorbell's fence stays behind that fence by itself, and after `ProducerState::Closed`,
        // which was acquired, there is no older tail to see.
        let tail = self.storage.producer_line().tail.load(Ordering::Relaxed);
        tail.wrapping_sub(self.read as u32)
    }

    /// Bytes that the producer cannot use now: unread ones and read but unreleased ones.
    pub fn used(&self) -> u32 {
        self.unread().saturating_add((self.read - self.released) as u32)
    }

    /// Whether the producer ended in good order and everything was read.
    pub fn is_finished(&self) -> bool {
        self.storage.producer_line().state() == ProducerState::Closed && self.is_drained()
    }

    /// Bytes of the data.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Tells the producer that this ring will not be drained any more.
    pub fn retire(&mut self) {
        self.storage.consumer_line().retire();
    }

    /// The lines and memory of this ring.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    #[inline]
    fn max_frame(&self) -> u32 {
        max_frame(self.capacity)
    }
}

static_assertions::const_assert!(MAX_FRAME as usize >= HEADER);

/// The whole frames at the head of `copy`, which is a private copy of the first bytes of a `run`.
struct Whole {
    /// Bytes of frames to keep, padding at the end left out.
    kept: u32,
    /// Bytes of frames, padding included.
    read: u32,
    /// The length that cannot be, if there was one.
    fault: Option<u32>,
}

fn whole_frames(copy: &[u8], run: u32, max: u32) -> Whole {
    let mut whole = Whole { kept: 0, read: 0, fault: None };
    let mut rest = copy;
    loop {
        let plain = plain_frames(rest, max);
        rest = &rest[plain as usize..];
        if plain > 0 {
            whole.read += plain;
            whole.kept = whole.read;
        }
        let Some(first) = rest.first_chunk::<LENGTH_KIND>() else { break };
        let length = u32::from_le_bytes([first[0], first[1], first[2], first[3]]);
        let is_padding = first[4] == Kind::Padding as u8;
        let (least, most) =
            if is_padding { (LENGTH_KIND as u32, run) } else { (HEADER as u32, max) };
        let taken = aligned(length);
        if length < least || taken > most || taken > run - whole.read {
            whole.fault = Some(length);
            break;
        }
        let Some(after) = rest.get(taken as usize..) else { break };
        rest = after;
        whole.read += taken;
        if !is_padding {
            whole.kept = whole.read;
        }
    }
    // Padding whose frame reaches beyond the copy: nothing of it is needed.
    if whole.fault.is_none() && is_cut_padding(rest, run - whole.read) {
        whole.read = run;
    }
    whole
}

/// How many bytes at the head of `copy` are whole frames with nothing else between them. Nearly all
/// are, so this asks the fewest questions that tell; what is something else, or a fault, the caller
/// finds out.
fn plain_frames(copy: &[u8], max: u32) -> u32 {
    let mut end = 0;
    while let Some(first) = copy.get(end..).and_then(<[u8]>::first_chunk::<LENGTH_KIND>) {
        let word = u64::from_le_bytes(*first);
        let (length, kind) = (word as u32, (word >> u32::BITS) as u8);
        // With the zeros behind it, it may not be longer than `max` either.
        let is_possible = (HEADER as u32..=max & !(ALIGN as u32 - 1)).contains(&length);
        let after = end + aligned(length) as usize;
        if kind == Kind::Padding as u8 || !is_possible || after > copy.len() {
            break;
        }
        end = after;
    }
    end as u32
}

/// Whether `rest`, cut by a lack of room, is a padding frame that takes all that is left.
fn is_cut_padding(rest: &[u8], left: u32) -> bool {
    rest.first_chunk::<LENGTH_KIND>().is_some_and(|first| {
        first[4] == Kind::Padding as u8
            && u32::from_le_bytes([first[0], first[1], first[2], first[3]]) == left
    })
}

/// What a drain brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Where the frames lie in the batch's bytes.
    pub range: Range<usize>,
    from: u64,
    skip: Skip,
    /// The position behind the last of them.
    pub position: u64,
    /// Whether the batch was full before the ring was empty.
    pub more: bool,
}

/// Padding that was left out between two frames of a drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Skip {
    at: usize,
    bytes: u32,
}

impl Drained {
    /// The ring position behind the frame that ends at `end` in the batch's bytes: up to there the
    /// ring may be released once this frame is no longer needed.
    #[inline]
    pub fn position_behind(&self, end: usize) -> u64 {
        let skipped = if end > self.skip.at { self.skip.bytes } else { 0 };
        self.from + end.saturating_sub(self.range.start) as u64 + u64::from(skipped)
    }

    /// How far the frames from `start` on, where one begins, stand in the ring as they stand in the
    /// batch, and the ring position of the head of the batch, if all stood so. Added to where one of
    /// these frames ends, it is [`Drained::position_behind`]; it wraps.
    #[inline]
    pub fn straight_from(&self, start: usize) -> (usize, u64) {
        let end = if start < self.skip.at { self.skip.at } else { self.range.end };
        (end, self.position_behind(end).wrapping_sub(end as u64))
    }
}

/// What a producer wrote cannot be. The ring should be quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingFault {
    /// The tail is not a multiple of 8, or more than the capacity ahead.
    Tail {
        /// Where the consumer stands.
        position: u64,
        /// The tail that came.
        tail: u32,
    },
    /// A frame's length is below a header or beyond what a frame of this ring can have.
    Length {
        /// Where the frame stands.
        position: u64,
        /// The length that came.
        length: u32,
    },
    /// The caller's batch is too small for the next frame, although it is empty.
    Batch {
        /// Bytes of the batch.
        room: u32,
    },
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RingFault::Tail { position, tail } => write!(
                f,
                "tail {tail} is impossible for a reader at {position}: expected a multiple of 8 \
                 at most one capacity ahead"
            ),
            RingFault::Length { position, length } => {
                write!(f, "frame at position {position} has the impossible length {length}")
            }
            RingFault::Batch { room } => {
                write!(f, "a batch of {room} bytes is too small for the next frame")
            }
        }
    }
}

impl core::error::Error for RingFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_runs_agree_with_single_positions() {
        for skip in [Skip::default(), Skip { at: 80, bytes: 24 }, Skip { at: 160, bytes: 8 }] {
            let from = u64::from(u32::MAX);
            let drained = Drained { range: 80..320, from, skip, position: 0, more: true };
            for start in (80..320).step_by(ALIGN) {
                let (until, head) = drained.straight_from(start);
                assert!(start < until && until <= drained.range.end);
                for end in (start + ALIGN..=until).step_by(ALIGN) {
                    assert_eq!(head.wrapping_add(end as u64), drained.position_behind(end));
                }
            }
        }
    }
}
