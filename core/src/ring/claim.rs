//! Room in a ring that a frame is written into.
//!
//! # Safety
//!
//! The one block writes into the bytes that `Producer` has claimed: rule 2 of [`crate::ring`].
#![allow(unsafe_code)]

use crate::storage::Area;

/// Bytes of a ring that a frame's payload may fill.
#[derive(Debug)]
pub struct Claim<'a, A: Area> {
    pub(super) area: &'a A,
    pub(super) start: usize,
    pub(super) next: usize,
    pub(super) end: usize,
}

impl<A: Area> Claim<'_, A> {
    /// Appends as many of `bytes` as there is room for, and returns how many.
    #[inline(always)]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        // A branch of its own, so that the compiler knows the length where the caller does.
        if bytes.len() <= room {
            // SAFETY: `next..end` lies in the bytes that `Producer` found to be its own (rule 2),
            // and `bytes` fits into what is left of them.
            unsafe { self.area.write(self.next, bytes) };
            self.next += bytes.len();
            return bytes.len();
        }
        // SAFETY: as above, cut to what is left.
        unsafe { self.area.write(self.next, &bytes[..room]) };
        self.next += room;
        room
    }

    /// Bytes that were appended so far.
    pub fn written(&self) -> usize {
        self.next - self.start
    }

    /// Overwrites what was appended `at` so many bytes from the start. Does nothing if so many
    /// bytes were not appended.
    pub fn rewrite(&mut self, at: usize, bytes: &[u8]) {
        if at.checked_add(bytes.len()).is_some_and(|end| end <= self.written()) {
            // SAFETY: inside `start..next`, just checked, which `put` has written before.
            unsafe { self.area.write(self.start + at, bytes) };
        }
    }

    /// Bytes of room left.
    #[inline(always)]
    pub fn room(&self) -> usize {
        self.end - self.next
    }
}
