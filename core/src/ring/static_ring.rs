//! A ring in a `static` or on a stack.
//!
//! # Safety
//!
//! The memory behind the areas is this value's own, and `split` borrows the value mutably for as
//! long as the two halves live.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::{Consumer, ConsumerLine, Producer, ProducerLine};
use crate::storage::{RawArea, Storage};

/// A ring of `CAPACITY` bytes of frames (a power of two, at least 4096) and `TABLE` bytes of
/// call-site definitions (a multiple of 8, may be zero), all in one value.
///
/// ```
/// use millpond_core::ring::StaticRing;
///
/// let mut ring = StaticRing::<4096, 0>::new();
/// let (mut producer, consumer) = ring.split();
/// producer.try_insert_text(millpond_core::Level::Info, 0, b"motor on").unwrap();
/// assert_eq!(consumer.unread(), 32);
/// ```
#[repr(C, align(128))]
pub struct StaticRing<const CAPACITY: usize, const TABLE: usize> {
    producer: ProducerLine,
    consumer: ConsumerLine,
    data: UnsafeCell<[MaybeUninit<u8>; CAPACITY]>,
    table: UnsafeCell<[MaybeUninit<u8>; TABLE]>,
}

impl<const CAPACITY: usize, const TABLE: usize> StaticRing<CAPACITY, TABLE> {
    const SIZES: () = {
        assert!(CAPACITY.is_power_of_two(), "the capacity of a ring is a power of two");
        assert!(CAPACITY >= super::MIN_CAPACITY as usize, "a ring has at least 4096 bytes");
        assert!(CAPACITY <= super::MAX_CAPACITY as usize, "a ring has at most 2^31 bytes");
        assert!(TABLE.is_multiple_of(8), "the call-site table is a multiple of 8 bytes");
        assert!(TABLE <= super::MAX_CAPACITY as usize, "the call-site table is too large");
    };

    /// An empty ring.
    #[cfg(not(millpond_loom))]
    pub const fn new() -> Self {
        let () = Self::SIZES;
        Self {
            producer: ProducerLine::new(),
            consumer: ConsumerLine::new(),
            data: UnsafeCell::new([MaybeUninit::zeroed(); CAPACITY]),
            table: UnsafeCell::new([MaybeUninit::zeroed(); TABLE]),
        }
    }

    /// The two halves, for as long as they borrow the ring. Whatever an earlier split left in the
    /// ring is forgotten.
    pub fn split(&mut self) -> (Producer<StaticStorage<'_>>, Consumer<StaticStorage<'_>>) {
        self.split_at(0)
    }

    /// As [`StaticRing::split`], with positions that start at `position`, rounded down to a
    /// multiple of 8. Positions wrap at 2^32, which tests want to see happen.
    pub fn split_at(
        &mut self,
        position: u32,
    ) -> (Producer<StaticStorage<'_>>, Consumer<StaticStorage<'_>>) {
        let () = Self::SIZES;
        let position = position & !7;
        self.producer = ProducerLine::default();
        self.consumer = ConsumerLine::default();
        self.producer.start_at(position);
        let storage = StaticStorage {
            producer: &self.producer,
            consumer: &self.consumer,
            data: area(&self.data),
            table: area(&self.table),
        };
        // SAFETY: `&mut self` is borrowed by both halves, so no others exist; the tail was just
        // set to `position`, the head is by `Consumer::new`, and the table's length is zero.
        unsafe { (Producer::new(storage, position), Consumer::new(storage, position.into())) }
    }
}

fn area<const N: usize>(cell: &UnsafeCell<[MaybeUninit<u8>; N]>) -> RawArea {
    let base = NonNull::from(cell).cast::<u8>();
    // SAFETY: `repr(C, align(128))`, lines of 128 and 256 bytes and a power-of-two capacity align
    // both areas to 8. The bytes live as long as the borrow in `StaticStorage`, are initialised,
    // and lie in an `UnsafeCell`, so writing behind a shared reference is allowed.
    unsafe { RawArea::new(base, N as u32) }
}

#[cfg(not(millpond_loom))]
impl<const CAPACITY: usize, const TABLE: usize> Default for StaticRing<CAPACITY, TABLE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAPACITY: usize, const TABLE: usize> fmt::Debug for StaticRing<CAPACITY, TABLE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticRing").field("capacity", &CAPACITY).field("table", &TABLE).finish()
    }
}

/// A handle of a [`StaticRing`]'s memory.
#[derive(Clone, Copy, Debug)]
pub struct StaticStorage<'a> {
    producer: &'a ProducerLine,
    consumer: &'a ConsumerLine,
    data: RawArea,
    table: RawArea,
}

// SAFETY: all handles borrow the same `StaticRing`, whose sizes `SIZES` has checked and whose
// lines `split` has zeroed.
unsafe impl Storage for StaticStorage<'_> {
    type Area = RawArea;

    #[inline(always)]
    fn producer_line(&self) -> &ProducerLine {
        self.producer
    }

    #[inline(always)]
    fn consumer_line(&self) -> &ConsumerLine {
        self.consumer
    }

    #[inline(always)]
    fn data(&self) -> &RawArea {
        &self.data
    }

    #[inline(always)]
    fn table(&self) -> &RawArea {
        &self.table
    }
}
