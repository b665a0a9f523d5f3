//! The writing end of a ring's call-site table.
//!
//! ```text
//!  table   ┌──────────────┬──────────────┬─ ─ ─ ─┬──────────────┬───────────────────────────┐
//!          │ definition 1 │ definition 2 │       │ definition n │           free            │
//!          └──────────────┴──────────────┴─ ─ ─ ─┴──────────────┴───────────────────────────┘
//!          └──────────────── published length ──────────────────┘
//! ```
//!
//! Rules that both ends rely on:
//!
//! 1. Bytes below the published length are never written again.
//! 2. Bytes from the published length on belong to the one writer.
//! 3. The published length only grows, frame by frame. A writer that is killed at any instruction
//!    leaves a table that is valid.
//!
//! # Safety
//!
//! The one unsafe block stores into the part that rule 2 gives to the writer.
#![allow(unsafe_code)]

use super::{CallSite, TableError};
use crate::storage::{Area, Storage};
use crate::sync::Ordering;

/// Appends call-site definitions to the table of one ring.
///
/// Definitions go in by their process-wide numbers, without gaps, so a table holds a prefix of the
/// process's list and [`TableWriter::known`] says how long it is. Nothing is ever taken out; what
/// does not fit is refused, and its records travel as text.
#[derive(Debug)]
pub(crate) struct TableWriter {
    length: u32,
    known: u32,
}

impl TableWriter {
    /// A writer for the table of a fresh ring, whose published length is zero. Only the ring's
    /// one producer makes it (rule 1 of [`crate::ring`]) and uses it with its own storage only:
    /// that is why bytes that nobody published are ours alone.
    pub(crate) const fn new() -> Self {
        Self { length: 0, known: 0 }
    }

    /// How many call sites are in the table: those with the numbers 1 to this. So a record of the
    /// call site `n` can be decoded from the ring alone if `n <= known()`.
    #[inline(always)]
    pub(crate) const fn known(&self) -> u32 {
        self.known
    }

    /// Publishes the next definition. Readers see all of it or nothing.
    ///
    /// Touches only the table; a reader may poll it at the same time.
    ///
    /// # Errors
    ///
    /// [`TableError::Number`] if `site` is not the call site after [`TableWriter::known`], else
    /// [`TableError::Full`] if the table has no room for it. Nothing has changed then.
    pub(crate) fn append<S: Storage>(
        &mut self,
        storage: &S,
        site: &CallSite<'_>,
    ) -> Result<(), TableError> {
        // The number of a list that is full to the last u32 would wrap to zero, which is none.
        let expected = self.known.wrapping_add(1);
        if site.number != expected || site.number == 0 {
            return Err(TableError::Number { came: site.number, expected });
        }
        let table = storage.table();
        let needed = site.encoded_length();
        let free = table.length().saturating_sub(self.length);
        if needed > free {
            return Err(TableError::Full { needed, free });
        }
        let mut at = self.length;
        site.encode(|part| {
            // SAFETY: `encode` emits `needed` bytes in all, which was checked to fit between
            // `self.length` and the end. They are above the published length and so ours (rule 2
            // of this module): a ring has one producer, which has one `TableWriter` (see `new`),
            // `&mut self` rules out a second call, and readers stay below the published length.
            unsafe { table.write(at as usize, part) };
            at += part.len() as u32;
        });
        self.length = at;
        self.known = site.number;
        // Release [sites]: pairs with the Acquire [sites] in `TableReader::poll`. With Relaxed a
        // reader could see the new length before the definition, and parse bytes of nobody.
        storage.producer_line().table_length.store(self.length, Ordering::Release);
        Ok(())
    }
}

#[cfg(all(test, not(millpond_loom)))]
mod tests {
    use super::super::testing::{Ring, site};
    use super::*;

    #[test]
    fn only_the_next_number_is_taken() {
        let ring = Ring::new(1024);
        let mut table = TableWriter::new();
        for came in [0, 2, u32::MAX] {
            let refused = table.append(&ring, &site(came, b""));
            assert_eq!(refused, Err(TableError::Number { came, expected: 1 }));
        }
        table.append(&ring, &site(1, b"")).unwrap();
        assert_eq!(table.known(), 1);
        assert!(table.append(&ring, &site(1, b"")).is_err());
        table.append(&ring, &site(2, b"")).unwrap();
    }

    #[test]
    fn the_list_ends_before_its_numbers_wrap() {
        let ring = Ring::new(1024);
        let mut table = TableWriter { length: 0, known: u32::MAX };
        assert!(table.append(&ring, &site(0, b"")).is_err());
    }

    #[test]
    fn a_full_table_says_how_much_is_missing_and_stays_as_it_was() {
        let first = site(1, b"0123456789");
        let ring = Ring::new(first.encoded_length() + 32);
        let mut table = TableWriter::new();
        table.append(&ring, &first).unwrap();
        let refused = table.append(&ring, &site(2, b""));
        assert_eq!(refused, Err(TableError::Full { needed: 40, free: 32 }));
        assert_eq!(table.known(), 1);
        assert_eq!(ring.published(), first.encoded_length());
    }

    #[test]
    fn a_ring_without_a_table_refuses_every_definition() {
        let ring = Ring::new(0);
        let refused = TableWriter::new().append(&ring, &site(1, b""));
        assert_eq!(refused, Err(TableError::Full { needed: 40, free: 0 }));
    }
}
