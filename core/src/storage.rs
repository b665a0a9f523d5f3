//! Where a ring lives: a `static`, the heap, a mapping, or a model's tracked cells.
//!
//! # Safety
//!
//! Bytes behind an [`Area`] may be written by another thread or process at any time, so this
//! module never makes a Rust reference to them: bytes go in by raw stores and come out by relaxed
//! atomic loads of whole words into private memory.
#![allow(unsafe_code, clippy::disallowed_types)]

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::ring::{ConsumerLine, ProducerLine};

/// A run of bytes that one side writes and the other reads.
///
/// # Safety
///
/// An implementation promises:
///
/// 1. `length` never changes and is a multiple of 8.
/// 2. `write` and `read` touch exactly the bytes they name, and what `write` stored is what a
///    later `read` yields once the two are ordered by a release and an acquire.
/// 3. A read that races with a write yields arbitrary bytes and is no undefined behaviour as long
///    as the writer is another process (the bytes are not Rust's) or does not exist by the rules
///    of [`crate::ring`].
pub unsafe trait Area {
    /// Bytes.
    fn length(&self) -> u32;

    /// Stores `bytes` at `offset`.
    ///
    /// # Safety
    ///
    /// `offset + bytes.len() <= length()`, and no other thread of this process writes or reads
    /// these bytes now.
    unsafe fn write(&self, offset: usize, bytes: &[u8]);

    /// Loads the bytes at `offset` into all of `into`.
    ///
    /// # Safety
    ///
    /// `offset` and `into.len()` are multiples of 8, `offset + into.len() <= length()`, and no
    /// other thread of this process writes these bytes now.
    unsafe fn read(&self, offset: usize, into: &mut [MaybeUninit<u8>]);

    /// Tells the processor that the line [`PREFETCH_AHEAD`] bytes behind `offset` will soon be
    /// written. A hint: any offset is allowed and nothing is changed.
    #[inline(always)]
    fn prefetch_ahead(&self, offset: usize) {
        let _ = offset;
    }
}

/// How far ahead of where they are needed lines are fetched for writing: far enough that they are
/// here in time, near enough that the consumer has left them. 512 halved p99 when measured.
pub const PREFETCH_AHEAD: usize = 512;

/// The memory of one ring: two position lines, the data, and the call-site table.
///
/// A `Storage` is a handle: cheap to hold twice, once in the producer and once in the consumer,
/// each of which may be in another thread or process.
///
/// # Safety
///
/// An implementation promises that the same memory answers for as long as any handle lives, that
/// the data's length is a power of two between [`crate::ring::MIN_CAPACITY`] and 2^31, and that
/// a fresh ring starts from zeroed lines.
pub unsafe trait Storage {
    /// The kind of area that data and table lie in.
    type Area: Area;

    /// What the producer writes.
    fn producer_line(&self) -> &ProducerLine;
    /// What the consumer writes.
    fn consumer_line(&self) -> &ConsumerLine;
    /// The frames.
    fn data(&self) -> &Self::Area;
    /// The call-site definitions; may be empty.
    fn table(&self) -> &Self::Area;
}

/// An area of ordinary or mapped memory.
#[derive(Clone, Copy, Debug)]
pub struct RawArea {
    base: NonNull<u8>,
    length: u32,
}

// SAFETY: the pointer is only used through `Area`, whose contract makes the callers say who may
// touch which bytes when; the memory itself is not tied to a thread (rule of `RawArea::new`).
unsafe impl Send for RawArea {}
// SAFETY: as above: all access is through the unsafe methods of `Area`.
unsafe impl Sync for RawArea {}

impl RawArea {
    /// An area of `length` bytes at `base`.
    ///
    /// # Safety
    ///
    /// `base` is aligned to 8 bytes, and the bytes behind it may be read and written from any
    /// thread (or, if nobody calls `write`, only read) for as long as this value is used.
    pub const unsafe fn new(base: NonNull<u8>, length: u32) -> Self {
        Self { base, length }
    }
}

/// Copies `bytes` to `to`. As a rule they are a message of some dozen bytes: that is done here with
/// a few moves, since calling the C library for it takes longer than the copying.
///
/// # Safety
///
/// The bytes at `to` may be written by nobody else now and do not overlap `bytes`.
#[inline(always)]
unsafe fn copy(bytes: &[u8], to: *mut u8) {
    /// Two runs of `N` bytes, one from the front and one from the back, that meet or overlap.
    #[inline(always)]
    unsafe fn ends<const N: usize>(from: *const u8, to: *mut u8, length: usize) {
        // SAFETY: `N <= length`, so both runs lie in what the caller may read and write. Both are
        // loaded before either is stored, which costs nothing and needs no order.
        unsafe {
            let front = from.cast::<[u8; N]>().read_unaligned();
            let back = from.add(length - N).cast::<[u8; N]>().read_unaligned();
            to.cast::<[u8; N]>().write_unaligned(front);
            to.add(length - N).cast::<[u8; N]>().write_unaligned(back);
        }
    }
    let (from, length) = (bytes.as_ptr(), bytes.len());
    // SAFETY: the caller's contract; each arm's `N` is at most `length`.
    unsafe {
        match length {
            33..=64 => ends::<32>(from, to, length),
            16..=32 => ends::<16>(from, to, length),
            8..=15 => ends::<8>(from, to, length),
            4..=7 => ends::<4>(from, to, length),
            65..=128 => ends::<64>(from, to, length),
            _ => core::ptr::copy_nonoverlapping(from, to, length),
        }
    }
}

// SAFETY: (1) `length` is private and never changed; its being a multiple of 8 is checked where
// rings are made. (2) both methods touch just the bytes named. (3) loads are relaxed and atomic.
unsafe impl Area for RawArea {
    #[inline(always)]
    fn length(&self) -> u32 {
        self.length
    }

    #[inline(always)]
    unsafe fn write(&self, offset: usize, bytes: &[u8]) {
        debug_assert!(offset + bytes.len() <= self.length as usize);
        // SAFETY: in bounds and unshared by this method's contract, mapped by that of `new`;
        // `bytes` is a Rust slice and so cannot overlap memory that is never lent as one.
        unsafe { copy(bytes, self.base.as_ptr().add(offset)) };
    }

    #[inline]
    unsafe fn read(&self, offset: usize, into: &mut [MaybeUninit<u8>]) {
        use core::sync::atomic::{AtomicUsize, Ordering};
        const WORD: usize = size_of::<usize>();
        debug_assert!(offset + into.len() <= self.length as usize);
        debug_assert!((offset | into.len()).is_multiple_of(8));
        // SAFETY: in bounds by contract. `base` and `offset` are multiples of 8 and so aligned
        // for a `usize`. Atomic loads, since a faulty process may store to these bytes meanwhile.
        let source = unsafe { self.base.as_ptr().add(offset) }.cast::<AtomicUsize>();
        for (i, place) in into.chunks_exact_mut(WORD).enumerate() {
            // SAFETY: `i * WORD + WORD <= into.len()`, so the word lies in the range above.
            let word = unsafe { (*source.add(i)).load(Ordering::Relaxed) };
            // SAFETY: `place` is `WORD` bytes long; the store needs no alignment.
            unsafe { place.as_mut_ptr().cast::<usize>().write_unaligned(word) };
        }
    }

    #[inline(always)]
    fn prefetch_ahead(&self, offset: usize) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: a prefetch reads and writes nothing and faults on no address. PREFETCHW is a
        // no-op on the processors that lack it.
        unsafe {
            core::arch::asm!(
                "prefetchw [{base} + {offset} + {ahead}]",
                base = in(reg) self.base.as_ptr(),
                offset = in(reg) offset,
                ahead = const PREFETCH_AHEAD,
                options(nostack, preserves_flags, readonly)
            );
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let _ = offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_arrives_and_nothing_beside_it_changes() {
        let text: [u8; 300] = core::array::from_fn(|i| i as u8 ^ 0x5a);
        for length in 0..=text.len() {
            let mut memory = [0xffu8; 320];
            let base = NonNull::from(&mut memory).cast::<u8>();
            // SAFETY: `length` bytes fit behind the first 8, and nobody else uses the memory.
            unsafe { copy(&text[..length], base.as_ptr().add(8)) };
            assert_eq!(memory[..8], [0xff; 8]);
            assert_eq!(memory[8..8 + length], text[..length]);
            assert!(memory[8 + length..].iter().all(|byte| *byte == 0xff), "{length}");
        }
    }
}
