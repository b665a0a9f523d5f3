//! The side that logs: levels, rings for threads, what happens when a ring is full.
//!
//! A [`Front`] is what a logger hands its calls to. It knows nothing of where rings live or who
//! drains them; that is the business of a [`RingSupply`].

mod event;
mod fallback;
mod gate;
mod large;
mod level_word;
mod limit;
mod methods;
mod producer;
mod registry;
mod site;
mod thread;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use millpond_core::Level;
use millpond_core::doorbell::Doorbell;
use millpond_core::ring::Producer as Ring;
use millpond_core::storage::Storage;

use crate::clock::SystemClock;
use crate::fork::PerProcess;
use crate::overflow::Overflow;

pub use limit::{Every, OncePer};
pub use producer::Producer;
pub use site::Site;

use gate::Gate;
use level_word::LevelWord;
use registry::Registry;

/// Where the rings of a logger come from.
pub trait RingSupply: Send + Sync + 'static {
    /// What the rings are made of.
    type Storage: Storage + Clone + Send + Sync + 'static;
    /// Why there is no ring.
    type Error: std::error::Error;

    /// Makes a ring that somebody drains, for the calling thread.
    ///
    /// # Errors
    ///
    /// Whatever prevents it. The logger then uses the ring that its threads share, and counts.
    fn make_ring(&self) -> Result<Ring<Self::Storage>, Self::Error>;

    /// The word that tells whether the collector sleeps.
    fn doorbell(&self) -> &Doorbell;

    /// Wakes the collector. Called only after [`Doorbell::must_wake`] said so, or to shut down.
    fn wake(&self);
}

/// How a [`Front`] behaves.
#[derive(Clone, Copy, Debug)]
pub struct FrontConfig {
    /// Records below are not logged.
    pub base_level: Level,
    /// Records from this level up wake the collector.
    pub wake_level: Level,
    /// What a call does when its ring is full.
    pub overflow: Overflow,
    /// At most so many rings; further threads share one.
    pub max_rings: usize,
    /// Stamps the records.
    pub clock: SystemClock,
}

/// The logging side of a logger. Clones share everything.
pub struct Front<P: RingSupply>(Arc<Shared<P>>);

pub(crate) struct Shared<P: RingSupply> {
    /// Never used twice in a process, never zero.
    id: u32,
    level: LevelWord,
    gates: PerProcess<Gate>,
    config: FrontConfig,
    supply: P,
    registry: Registry<P>,
}

impl<P: RingSupply> Shared<P> {
    /// What the producers of this process look at.
    fn gate(&self) -> &Gate {
        self.gates.get_or_init(|| Gate::new(self.level.get()))
    }

    /// Makes the gate say what the level word says. Several threads may do so at once: whoever
    /// stores last looks once more, in the one order in which all of these accesses happen.
    fn set_gate(&self) {
        loop {
            let level = self.level.get();
            self.gate().set(level);
            if self.level.get() == level {
                return;
            }
        }
    }
}

impl<P: RingSupply> Clone for Front<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: RingSupply> std::fmt::Debug for Front<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("id", &self.0.id).field("config", &self.0.config).finish()
    }
}

impl<P: RingSupply> Front<P> {
    /// A front whose rings come from `supply`.
    pub fn new(config: FrontConfig, supply: P) -> Self {
        crate::fork::watch();
        let level = LevelWord::new(config.base_level);
        let registry = Registry::new(config.max_rings);
        let gates = PerProcess::new();
        Self(Arc::new(Shared { id: thread::new_id(), level, gates, config, supply, registry }))
    }

    /// Whether a record of this level would be logged now.
    #[inline(always)]
    pub fn is_enabled(&self, level: Level) -> bool {
        self.0.level.allows(level)
    }

    /// Logs a text record.
    #[inline]
    pub fn text(&self, level: Level, message: &str) {
        self.text_bytes(level, message.as_bytes());
    }

    /// Logs a text record whose message is meant to be UTF-8: what is not is shown escaped.
    #[inline]
    pub fn text_bytes(&self, level: Level, message: &[u8]) {
        if self.is_enabled(level) {
            thread::with_writer(&self.0, level, |writer| writer.text(level, message));
        } else {
            self.0.level.count_if_closed();
        }
    }

    /// Logs a text record with bytes beside it.
    pub fn text_with(&self, level: Level, message: &str, bytes: &[u8]) {
        if self.is_enabled(level) {
            thread::with_writer(&self.0, level, |writer| {
                writer.text_with(level, message.as_bytes(), bytes);
            });
        } else {
            self.0.level.count_if_closed();
        }
    }

    /// A handle with a ring of its own, for one thread's hot loop.
    ///
    /// # Errors
    ///
    /// Whatever prevents a ring from being made.
    pub fn producer(&self) -> Result<Producer<P>, P::Error> {
        Producer::new(&self.0)
    }

    /// The level from which records are logged; `None` after [`Front::close`].
    pub fn level(&self) -> Option<Level> {
        self.0.level.get()
    }

    /// Changes the level from which records are logged. Nothing changes after [`Front::close`].
    pub fn set_level(&self, level: Level) {
        self.0.level.set(level);
        self.0.set_gate();
    }

    /// Refuses further records; they are counted.
    pub fn close(&self) {
        self.0.level.close();
        self.0.set_gate();
        self.0.registry.current().fallback.close();
    }

    /// Records that were logged after [`Front::close`].
    pub fn refused(&self) -> u64 {
        self.0.level.refused()
    }

    /// Records that were lost because there was no ring to count them in, by level.
    pub fn unrecorded(&self) -> [u64; Level::COUNT] {
        self.0.registry.unrecorded()
    }

    /// Asks the collector to hand out everything published so far, and waits until it has released
    /// it, which means that every durable handler has it. False if `timeout` passed before.
    pub fn wait_until_released(&self, timeout: Duration) -> bool {
        self.0.registry.wait_until_released(timeout, || {
            if self.0.supply.doorbell().must_wake() {
                self.0.supply.wake();
            }
        })
    }

    /// Where the rings come from.
    pub fn supply(&self) -> &P {
        &self.0.supply
    }

    /// How it behaves.
    pub fn config(&self) -> &FrontConfig {
        &self.0.config
    }
}
