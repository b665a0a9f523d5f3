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
    pub(super) next: u32,
    pub(super) end: u32,
}

impl<A: Area> Claim<'_, A> {
    /// Appends as many of `bytes` as there is room for, and returns how many.
    #[inline(always)]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let length = bytes.len().min(self.room());
        // SAFETY: `next..end` lies in the bytes that `Producer::claim` found to be the producer's
        // (rule 2), and `length` was just cut to what is left of them.
        unsafe { self.area.write(self.next, &bytes[..length]) };
        self.next += length as u32;
        length
    }

    /// Bytes of room left.
    #[inline(always)]
    pub fn room(&self) -> usize {
        (self.end - self.next) as usize
    }
}
