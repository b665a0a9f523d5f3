//! A ring on the heap for the tests of both ends of the table.
//!
//! # Safety
//!
//! One thread, and memory that is only touched through raw pointers.
#![allow(unsafe_code)]

extern crate std;
use core::ptr::NonNull;
use std::vec;
use std::vec::Vec;

use super::CallSite;
use crate::Level;
use crate::ring::{ConsumerLine, ProducerLine};
use crate::storage::{Area, RawArea, Storage};
use crate::sync::Ordering;

/// A ring of which only the table matters.
pub(super) struct Ring {
    producer: ProducerLine,
    consumer: ConsumerLine,
    data: RawArea,
    table: RawArea,
    _memory: [Vec<u64>; 2],
}

impl Ring {
    /// A ring whose table has `table` bytes.
    pub(super) fn new(table: u32) -> Ring {
        let mut memory = [vec![0; 512], vec![0; table as usize / 8]];
        let [data, table] = memory.each_mut().map(|words| {
            let base = NonNull::new(words.as_mut_ptr().cast()).unwrap_or(NonNull::dangling());
            // SAFETY: aligned for a `u64`; the vector lives as long as the ring and is not
            // touched but through this area.
            unsafe { RawArea::new(base, 8 * words.len() as u32) }
        });
        let (producer, consumer) = (ProducerLine::new(), ConsumerLine::new());
        Ring { producer, consumer, data, table, _memory: memory }
    }

    /// The published length.
    pub(super) fn published(&self) -> u32 {
        self.producer.table_length.load(Ordering::Acquire)
    }

    /// Publishes any length, as a faulty process may.
    pub(super) fn publish(&self, length: u32) {
        self.producer.table_length.store(length, Ordering::Release);
    }

    /// Writes anything into the table.
    pub(super) fn put(&self, at: u32, bytes: &[u8]) {
        assert!(at as usize + bytes.len() <= self.table.length() as usize);
        // SAFETY: in bounds as asserted, and these tests have one thread.
        unsafe { self.table.write(at as usize, bytes) };
    }
}

// SAFETY: the areas point into vectors that the ring owns and never resizes; the data has 4096
// bytes, a power of two, and the lines start zeroed.
unsafe impl Storage for Ring {
    type Area = RawArea;

    fn producer_line(&self) -> &ProducerLine {
        &self.producer
    }

    fn consumer_line(&self) -> &ConsumerLine {
        &self.consumer
    }

    fn data(&self) -> &RawArea {
        &self.data
    }

    fn table(&self) -> &RawArea {
        &self.table
    }
}

/// A call site that has a number and a template.
pub(super) fn site(number: u32, template: &[u8]) -> CallSite<'_> {
    CallSite {
        number,
        level: Level::Info,
        line: 1,
        target: b"",
        file: b"",
        template,
        signature: b"",
        fields: b"",
    }
}
