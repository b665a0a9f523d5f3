//! A ring whose bytes loom watches.
//!
//! # Safety
//!
//! Every access goes through a loom cell, which panics if it is not ordered after all earlier
//! accesses by other threads that conflict with it. So a breach of the contracts that
//! [`millpond_core::ring`] relies on is a failed test here, not undefined behaviour.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use millpond_core::ring::{Consumer, ConsumerLine, Producer, ProducerLine};
use millpond_core::storage::{Area, Storage};

const WORD: usize = 8;
const TABLE: usize = 128;

/// Bytes, in cells of one word each. Positions are multiples of 8, so a word never belongs to two
/// sides and a race on a cell is a race on bytes.
#[derive(Debug)]
pub struct TrackedArea {
    words: Box<[UnsafeCell<[u8; WORD]>]>,
}

// SAFETY: loom checks each access, see above; and it runs one thread at a time.
unsafe impl Sync for TrackedArea {}

impl TrackedArea {
    fn new(length: usize) -> Self {
        assert!(length.is_multiple_of(WORD));
        Self { words: (0..length / WORD).map(|_| UnsafeCell::new([0; WORD])).collect() }
    }
}

// SAFETY: (1) the slice of words has a fixed length; (2) and (3) the methods below touch the named
// bytes through the cells, and a race is a panic.
unsafe impl Area for TrackedArea {
    fn length(&self) -> u32 {
        (self.words.len() * WORD) as u32
    }

    unsafe fn write(&self, offset: usize, bytes: &[u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let inside = at % WORD;
            let (now, later) = rest.split_at(rest.len().min(WORD - inside));
            self.words[at / WORD].with_mut(|word| {
                // SAFETY: loom has just checked that this thread has the word for itself.
                let word = unsafe { &mut *word };
                word[inside..inside + now.len()].copy_from_slice(now);
            });
            at += now.len();
            rest = later;
        }
    }

    unsafe fn read(&self, offset: usize, into: &mut [MaybeUninit<u8>]) {
        assert!((offset | into.len()).is_multiple_of(WORD));
        for (i, place) in into.chunks_exact_mut(WORD).enumerate() {
            let word = self.words[offset / WORD + i].with(|word| {
                // SAFETY: loom has just checked that nobody writes the word meanwhile.
                unsafe { *word }
            });
            for (place, byte) in place.iter_mut().zip(word) {
                place.write(byte);
            }
        }
    }
}

/// A handle of a ring in tracked memory.
#[derive(Clone, Debug)]
pub struct TrackedStorage(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    producer: ProducerLine,
    consumer: ConsumerLine,
    data: TrackedArea,
    table: TrackedArea,
}

// SAFETY: all handles share one `Memory`, which starts zeroed and never changes its sizes; that
// the capacity is a power of two in the right range is checked by `Producer::new`.
unsafe impl Storage for TrackedStorage {
    type Area = TrackedArea;

    fn producer_line(&self) -> &ProducerLine {
        &self.0.producer
    }

    fn consumer_line(&self) -> &ConsumerLine {
        &self.0.consumer
    }

    fn data(&self) -> &TrackedArea {
        &self.0.data
    }

    fn table(&self) -> &TrackedArea {
        &self.0.table
    }
}

/// Both halves of a ring of `capacity` bytes whose positions stand at `position`, a multiple of 8.
/// To be called inside a model, before its threads start.
pub fn ring(capacity: u32, position: u32) -> (Producer<TrackedStorage>, Consumer<TrackedStorage>) {
    let mut producer = ProducerLine::default();
    producer.start_at(position);
    let storage = TrackedStorage(Arc::new(Memory {
        producer,
        consumer: ConsumerLine::default(),
        data: TrackedArea::new(capacity as usize),
        table: TrackedArea::new(TABLE),
    }));
    // SAFETY: the ring was made just now, so these are its only halves; its tail is `position`,
    // and `Consumer::new` sets the head to it.
    unsafe { (Producer::new(storage.clone(), position), Consumer::new(storage, position.into())) }
}
