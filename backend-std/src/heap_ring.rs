//! A ring on the heap, for threads of one process.
//!
//! # Safety
//!
//! One allocation holds both lines, the data and the call-site table. It is zeroed when made, lives
//! as long as any handle, and is only touched through the lines' atomics and the areas' methods.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use millpond_core::ring::{
    Consumer, ConsumerLine, MAX_CAPACITY, MIN_CAPACITY, Producer, ProducerLine,
};
use millpond_core::storage::{RawArea, Storage};

/// A handle of a ring's memory on the heap.
#[derive(Clone, Debug)]
pub struct HeapStorage {
    producer: NonNull<ProducerLine>,
    consumer: NonNull<ConsumerLine>,
    data: RawArea,
    table: RawArea,
    _memory: Arc<Memory>,
}

#[derive(Debug)]
struct Memory {
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the allocation is not tied to a thread.
unsafe impl Send for Memory {}
// SAFETY: nothing reaches the allocation through a shared `Memory`.
unsafe impl Sync for Memory {}
// SAFETY: the pointers lead into `_memory`, to values that are `Sync` or behind `RawArea`.
unsafe impl Send for HeapStorage {}
// SAFETY: as above.
unsafe impl Sync for HeapStorage {}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by `alloc_zeroed` with this layout in `heap_ring`, and freed once.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

/// Makes a ring of at least `capacity` bytes of frames (rounded up to a power of two and clamped to
/// what a ring can have) and `table` bytes of call sites (rounded up to a multiple of 8).
pub fn heap_ring(capacity: usize, table: usize) -> (Producer<HeapStorage>, Consumer<HeapStorage>) {
    heap_ring_at(capacity, table, 0)
}

/// As [`heap_ring`], with positions that start at `position`, rounded down to a multiple of 8.
pub fn heap_ring_at(
    capacity: usize,
    table: usize,
    position: u32,
) -> (Producer<HeapStorage>, Consumer<HeapStorage>) {
    const LINES: usize = size_of::<ProducerLine>() + size_of::<ConsumerLine>();
    let position = position & !7;
    let capacity = capacity.clamp(MIN_CAPACITY as usize, MAX_CAPACITY as usize);
    let capacity = capacity.next_power_of_two();
    let table = table.min(MAX_CAPACITY as usize).next_multiple_of(8);
    let layout = Layout::from_size_align(LINES + capacity + table, align_of::<ProducerLine>())
        .unwrap_or_else(|_| Layout::new::<ProducerLine>());
    assert!(layout.size() == LINES + capacity + table, "a ring does not fit the address space");
    // SAFETY: the layout's size is not zero.
    let base = unsafe { alloc_zeroed(layout) };
    let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
    let memory = Arc::new(Memory { base, layout });
    // SAFETY: all offsets lie in the allocation, which is aligned for the lines; the lines' sizes
    // and the capacity are multiples of 8. The areas live as long as `memory`.
    let (producer, consumer, data, table) = unsafe {
        let data = base.add(LINES);
        (
            base.cast::<ProducerLine>(),
            base.add(size_of::<ProducerLine>()).cast::<ConsumerLine>(),
            RawArea::new(data, capacity as u32),
            RawArea::new(data.add(capacity), table as u32),
        )
    };
    // SAFETY: aligned, inside the allocation, nobody else has it yet. Zeros are valid lines, and
    // this writes a line of zeros with the tail at `position`.
    unsafe {
        let mut line = ProducerLine::new();
        line.start_at(position);
        producer.write(line);
    }
    let storage = HeapStorage { producer, consumer, data, table, _memory: memory };
    // SAFETY: the ring was just made, so these are its only producer and consumer; the tail stands
    // at `position`, the head is set by `Consumer::new`, the table is empty.
    unsafe {
        (Producer::new(storage.clone(), position), Consumer::new(storage, u64::from(position)))
    }
}

// SAFETY: `_memory` keeps the memory; `heap_ring_at` gave it a valid capacity and zeroed lines.
unsafe impl Storage for HeapStorage {
    type Area = RawArea;

    #[inline(always)]
    fn producer_line(&self) -> &ProducerLine {
        // SAFETY: set by `heap_ring_at`, valid as long as `_memory` lives.
        unsafe { self.producer.as_ref() }
    }

    #[inline(always)]
    fn consumer_line(&self) -> &ConsumerLine {
        // SAFETY: as above.
        unsafe { self.consumer.as_ref() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_storage_conforms() {
        millpond_conformance::check_all(|position| heap_ring_at(16 * 1024, 1024, position));
    }

    #[test]
    fn odd_sizes_are_rounded_up() {
        let (producer, _) = heap_ring(5000, 3);
        assert_eq!(producer.capacity(), 8192);
        let (producer, _) = heap_ring(0, 0);
        assert_eq!(producer.capacity(), 4096);
    }
}
