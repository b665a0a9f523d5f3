//! Rings on the heap: made by threads that log, drained by the collector's thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use millpond_core::doorbell::Doorbell;
use millpond_core::ring::Producer as Ring;
use millpond_core::storage::Storage;

use crate::collector::{Ending, FoundRing, RingIntake};
use crate::fork;
use crate::front::RingSupply;
use crate::heap_ring::{HeapStorage, heap_ring};
use crate::report::Account;
use crate::source::Source;

/// Bytes for call-site definitions in each ring.
const TABLE: usize = 64 * 1024;

/// Makes the rings of a standard logger.
#[derive(Clone, Debug)]
pub struct HeapRings(Arc<Shared>);

/// This process was forked from the one whose logger it uses, and the collector's thread did not
/// come along: nobody would drain a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a forked child has no collector: make a logger in it, or use the advanced logger")]
pub struct Forked;

#[derive(Debug)]
struct Shared {
    /// The process whose rings these are.
    generation: u32,
    source: Source,
    capacity: usize,
    doorbell: Doorbell,
    /// The collector's thread, known once it has looked for rings.
    collector: OnceLock<Thread>,
    new: Mutex<Vec<FoundRing<HeapStorage>>>,
    has_new: AtomicBool,
}

impl HeapRings {
    pub(super) fn new(source: Source, capacity: usize) -> Self {
        fork::watch();
        Self(Arc::new(Shared {
            generation: fork::generation(),
            source,
            capacity,
            doorbell: Doorbell::new(),
            collector: OnceLock::new(),
            new: Mutex::default(),
            has_new: AtomicBool::new(false),
        }))
    }

    /// Makes the collector's wait end, now or when it next begins.
    pub(super) fn ring_doorbell(&self) {
        if self.0.doorbell.must_wake() {
            self.wake();
        }
    }
}

impl RingSupply for HeapRings {
    type Storage = HeapStorage;
    type Error = Forked;

    fn make_ring(&self) -> Result<Ring<HeapStorage>, Forked> {
        if self.0.generation != fork::generation() {
            return Err(Forked);
        }
        let (producer, consumer) = heap_ring(self.0.capacity, TABLE);
        let id = std::ptr::from_ref(consumer.storage().producer_line()).addr() as u64;
        let source = self.0.source.clone();
        let found = FoundRing { id, consumer, source, account: Account::default(), birth: None };
        self.0.new.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        self.0.has_new.store(true, Ordering::Release);
        Ok(producer)
    }

    fn doorbell(&self) -> &Doorbell {
        &self.0.doorbell
    }

    fn wake(&self) {
        if let Some(collector) = self.0.collector.get() {
            collector.unpark();
        }
    }
}

/// The collecting end.
#[derive(Debug)]
pub(super) struct HeapIntake {
    rings: HeapRings,
    is_ending: bool,
}

impl HeapIntake {
    pub(super) fn new(rings: HeapRings) -> Self {
        Self { rings, is_ending: false }
    }
}

impl RingIntake for HeapIntake {
    type Storage = HeapStorage;

    fn discover(&mut self, found: &mut Vec<FoundRing<HeapStorage>>) {
        let shared = &self.rings.0;
        shared.collector.get_or_init(std::thread::current);
        // Acquire: pairs with the Release in `make_ring`; seeing the flag means finding the ring.
        if shared.has_new.load(Ordering::Acquire) {
            let mut new = shared.new.lock().unwrap_or_else(PoisonError::into_inner);
            shared.has_new.store(false, Ordering::Relaxed);
            found.append(&mut new);
        }
    }

    fn doorbell(&self) -> &Doorbell {
        &self.rings.0.doorbell
    }

    fn wait(&mut self, timeout: Duration) {
        std::thread::park_timeout(timeout);
    }

    /// The rings live as long as the collector: nothing is logged once it ends.
    fn ending(&mut self, _ring: u64) -> Option<Ending> {
        self.is_ending.then_some(Ending::Orderly)
    }

    fn collector_ends(&mut self) {
        self.is_ending = true;
    }
}
