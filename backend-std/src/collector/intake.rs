//! What a collector drains, and how it learns of it.

use std::time::Duration;

use millpond_core::Level;
use millpond_core::doorbell::Doorbell;
use millpond_core::frame::{Body, Header};
use millpond_core::ring::{Consumer, RingFault};
use millpond_core::storage::Storage;

use crate::report::Account;
use crate::source::Source;
use crate::timeline::Anchor;

/// Where a collector's rings come from and go to: the heap of this process, or files that other
/// processes made. Called from the collector's thread only.
pub trait RingIntake: Send + 'static {
    /// What the rings are made of.
    type Storage: Storage + Send + 'static;

    /// Adds the rings that are new since the last call. Called often; should cost next to nothing
    /// if there is none.
    fn discover(&mut self, found: &mut Vec<FoundRing<Self::Storage>>);

    /// The next [`RingIntake::discover`] must find every ring that is there now.
    fn look_again(&mut self) {}

    /// The word on which the collector announces that it sleeps.
    fn doorbell(&self) -> &Doorbell;

    /// Sleeps until the doorbell rings or `timeout` has passed. May return early.
    fn wait(&mut self, timeout: Duration);

    /// How the owner of a ring has ended, if it has: nothing more will be written but what a call
    /// that waits for room still has to write. Asked of rings that were found empty and are not
    /// closed. Only evidence counts, never a time-out.
    fn ending(&mut self, ring: u64) -> Option<Ending>;

    /// A frame that is no record was drained from `ring`.
    fn heard(&mut self, ring: u64, header: &Header, body: &Body<'_>) {
        let _ = (ring, header, body);
    }

    /// A ring was released up to `position`; `account` is what became of its records so far.
    fn released(&mut self, ring: u64, position: u64, account: &Account) {
        let _ = (ring, position, account);
    }

    /// Everything of a ring was drained and delivered, and its owner is gone: it can be removed.
    fn ended(&mut self, ring: u64, account: &Account) {
        let _ = (ring, account);
    }

    /// What a producer wrote into `ring` cannot be. The ring will not be read again.
    fn quarantine(&mut self, ring: u64, fault: &RingFault) {
        let _ = (ring, fault);
    }

    /// The collector is shutting down and will drain what is there.
    fn collector_ends(&mut self) {}

    /// Periodic work; what it has to say is logged under the collector's own name.
    fn tick(&mut self, say: &mut dyn FnMut(Level, String)) {
        let _ = say;
    }
}

/// How the owner of a ring has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its logger was shut down.
    Orderly,
    /// Its process is gone.
    Died,
}

/// A ring that a collector has not seen before.
#[derive(Debug)]
pub struct FoundRing<S: Storage> {
    /// What the intake calls it.
    pub id: u64,
    /// Its reading side, which stands where the last collector released.
    pub consumer: Consumer<S>,
    /// Who writes it, until a thread change says otherwise.
    pub source: Source,
    /// What an earlier collector already counted.
    pub account: Account,
    /// The clocks when the ring was made, if they were noted.
    pub birth: Option<Anchor>,
}
