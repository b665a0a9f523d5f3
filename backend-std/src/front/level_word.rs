//! The one word that a disabled call reads.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use millpond_core::Level;

/// Above every level: the logger is closed.
const CLOSED: u8 = u8::MAX;

/// The least level that is logged. Calls read it relaxed: no other data hangs on it, and a call may
/// see a change a moment late. Changes are sequentially consistent, and so is `get`, so that of
/// several changes at once the same one wins here and in the gate (`Shared::set_gate`).
pub(super) struct LevelWord {
    word: AtomicU8,
    refused: AtomicU64,
}

impl LevelWord {
    pub(super) fn new(level: Level) -> Self {
        Self { word: AtomicU8::new(level as u8), refused: AtomicU64::new(0) }
    }

    #[inline(always)]
    pub(super) fn allows(&self, level: Level) -> bool {
        level as u8 >= self.word.load(Ordering::Relaxed)
    }

    /// To be called for a record that is not allowed.
    #[inline]
    pub(super) fn count_if_closed(&self) {
        if self.word.load(Ordering::Relaxed) == CLOSED {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> Option<Level> {
        Level::from_byte(self.word.load(Ordering::SeqCst))
    }

    pub(super) fn set(&self, level: Level) {
        let change = |word| (word != CLOSED).then_some(level as u8);
        let _ = self.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
    }

    pub(super) fn close(&self) {
        self.word.store(CLOSED, Ordering::SeqCst);
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_word_allows_nothing_and_counts() {
        let word = LevelWord::new(Level::Info);
        assert!(word.allows(Level::Info) && !word.allows(Level::Debug));
        word.count_if_closed();
        assert_eq!(word.refused(), 0);
        word.set(Level::Trace);
        assert_eq!(word.get(), Some(Level::Trace));
        word.close();
        word.set(Level::Trace);
        assert!(!word.allows(Level::Error));
        word.count_if_closed();
        assert_eq!((word.refused(), word.get()), (1, None));
    }
}
