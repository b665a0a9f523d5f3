//! The rings of one logger in one process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millpond_core::Level;
use millpond_core::ring::{ConsumerState, Producer as Ring};
use millpond_core::storage::Storage;

use super::RingSupply;
use super::fallback::Fallback;
use super::writer::Writer;
use crate::fork::PerProcess;

/// All rings, by the process that made them.
pub(super) struct Registry<P: RingSupply> {
    max_rings: usize,
    processes: PerProcess<OfProcess<P>>,
}

pub(super) struct OfProcess<P: RingSupply> {
    rings: Mutex<Rings<P::Storage>>,
    pub(super) fallback: Fallback<Writer<P>>,
}

struct Rings<S: Storage> {
    /// Rings whose threads have ended, to be handed on.
    unused: Vec<Ring<S>>,
    /// Every ring that was made.
    all: Vec<S>,
    /// Rings that are being made.
    coming: usize,
    /// Flushes that were asked for.
    flushes: u32,
    /// When a ring was last asked for in vain.
    failed: Option<Instant>,
}

/// After a ring was asked for in vain, so long none is asked for.
const BACK_OFF: Duration = Duration::from_millis(100);

impl<S: Storage> Rings<S> {
    fn may_make(&self) -> bool {
        self.failed.is_none_or(|failed| failed.elapsed() > BACK_OFF)
    }
}

/// Where the ring of a new thread comes from.
pub(super) enum Vacancy<S: Storage> {
    /// A thread that ended left this one.
    Used(Ring<S>),
    /// One may be made, and then added.
    New,
    /// There are as many as there may be.
    None,
}

impl<P: RingSupply> Registry<P> {
    pub(super) fn new(max_rings: usize) -> Self {
        Self { max_rings, processes: PerProcess::new() }
    }

    /// The rings of this very process.
    pub(super) fn current(&self) -> &OfProcess<P> {
        self.processes.get_or_init(OfProcess::new)
    }

    /// A ring for a new thread, or leave to make one.
    pub(super) fn vacancy(&self) -> Vacancy<P::Storage> {
        let mut rings = self.current().rings();
        while let Some(ring) = rings.unused.pop() {
            if is_serving(ring.storage()) {
                return Vacancy::Used(ring);
            }
        }
        if rings.may_make() && rings.all.len() + rings.coming < self.max_rings {
            rings.coming += 1;
            return Vacancy::New;
        }
        Vacancy::None
    }

    /// Reports how the making of a ring went that [`Vacancy::New`] gave leave for.
    pub(super) fn made(&self, storage: Option<&P::Storage>) {
        let mut rings = self.current().rings();
        rings.coming = rings.coming.saturating_sub(1);
        rings.all.extend(storage.cloned());
        rings.failed = storage.is_none().then(Instant::now);
    }

    /// Whether a ring is likely to be had: not right after there was none, since every call of a
    /// thread without one would try, which takes some system calls.
    pub(super) fn may_make(&self) -> bool {
        self.current().rings().may_make()
    }

    /// Adds a ring that does not count against the bound.
    pub(super) fn add(&self, storage: &P::Storage) {
        self.current().rings().all.push(storage.clone());
    }

    /// Puts a new ring in the place of one that its consumer gave up.
    pub(super) fn replace(&self, new: &P::Storage) {
        let mut rings = self.current().rings();
        rings.all.retain(is_serving);
        rings.all.push(new.clone());
    }

    /// Takes the ring of a thread that ends.
    pub(super) fn hand_back(&self, ring: Ring<P::Storage>) {
        self.current().rings().unused.push(ring);
    }

    pub(super) fn unrecorded(&self) -> [u64; Level::COUNT] {
        self.current().fallback.missed()
    }

    pub(super) fn wait_until_released(&self, timeout: Duration, wake: impl Fn()) -> bool {
        let waiting: Vec<(P::Storage, u32)> = {
            let mut rings = self.current().rings();
            let serving = rings.all.iter().filter(|storage| is_serving(*storage));
            let waiting = serving.map(|s| (s.clone(), s.producer_line().published())).collect();
            rings.flushes = rings.flushes.wrapping_add(1);
            // Under the lock, so that one thread at a time asks.
            for storage in &rings.all {
                storage.producer_line().request_flush(rings.flushes);
            }
            waiting
        };
        let start = Instant::now();
        let mut sleep = Duration::from_micros(20);
        loop {
            wake();
            let released = |(storage, published): &(P::Storage, u32)| {
                published.wrapping_sub(storage.consumer_line().released()) as i32 <= 0
            };
            if waiting.iter().all(released) {
                return true;
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(sleep.min(left));
            sleep = (sleep * 2).min(Duration::from_millis(2));
        }
    }
}

/// Whether a ring's consumer has not given it up.
fn is_serving<S: Storage>(storage: &S) -> bool {
    storage.consumer_line().state() == ConsumerState::Serving
}

impl<P: RingSupply> OfProcess<P> {
    fn new() -> Self {
        let rings =
            Rings { unused: Vec::new(), all: Vec::new(), coming: 0, flushes: 0, failed: None };
        Self { rings: Mutex::new(rings), fallback: Fallback::new() }
    }

    fn rings(&self) -> MutexGuard<'_, Rings<P::Storage>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
