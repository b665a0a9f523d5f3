//! The one word that a call through a producer looks at before all else: is the level enabled, and
//! is this still the process that made the producer?

use std::sync::atomic::{AtomicU8, Ordering};

use millpond_core::Level;

use crate::fork::Marked;

/// The least level that is logged by the producers of one logger in one process, or that this is
/// no longer that process. Calls read it relaxed: no other data hangs on it, and a call may see a
/// change a moment late. A call looks before it evaluates its arguments, and again if one of them is
/// more than a name or a number, since that might fork; a `Display` or `Debug` must not.
pub(super) struct Gate(Marked);

/// Above every level: the logger is closed.
const CLOSED: u8 = u8::MAX;

impl Gate {
    pub(super) fn new(level: Option<Level>) -> Self {
        let gate = Self(Marked::new());
        gate.set(level);
        gate
    }

    pub(super) fn set(&self, level: Option<Level>) {
        // Sequentially consistent, see `Shared::set_gate`.
        self.0.word().store(level.map_or(CLOSED, |level| level as u8), Ordering::SeqCst);
    }

    pub(super) fn key(&self) -> GateKey {
        GateKey(self.0.word())
    }
}

/// What a producer looks through its gate with. It outlives the gate, which is then as good as any
/// other: whoever keeps a key also keeps the logger.
#[derive(Clone, Copy)]
pub(super) struct GateKey(&'static AtomicU8);

impl GateKey {
    /// Whether a record of this level is logged, and the producer is this process's.
    #[inline(always)]
    pub(super) fn is_open(self, level: Level) -> bool {
        level as u8 >= self.0.load(Ordering::Relaxed)
    }

    /// Whether there is more to it than a level that is too low.
    #[inline(always)]
    pub(super) fn is_odd(self) -> bool {
        self.0.load(Ordering::Relaxed) >= Marked::FORKED
    }

    /// Whether this is a child of the process that made the gate.
    #[inline(always)]
    pub(super) fn is_forked(self) -> bool {
        self.0.load(Ordering::Relaxed) == Marked::FORKED
    }
}
