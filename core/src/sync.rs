//! Atomics, and nothing that a processor without compare-and-swap lacks.
//!
//! The only file of this crate that names an atomic type (a lint keeps it so). It offers loads,
//! stores and the one fence of the sleep handshake; there is no read-modify-write operation to
//! call by mistake. Under `--cfg millpond_loom` the same names are loom's, so the models in
//! `loom-tests` explore this very code.
#![allow(clippy::disallowed_types)]

#[cfg(all(not(millpond_loom), target_has_atomic = "64"))]
use core::sync::atomic::AtomicU64;
#[cfg(not(millpond_loom))]
use core::sync::atomic::{AtomicU32, fence};
#[cfg(millpond_loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
#[cfg(all(not(millpond_loom), not(target_has_atomic = "64")))]
use portable_atomic::AtomicU64;

pub(crate) use core::sync::atomic::Ordering;

/// A 32-bit word that one side writes and the other reads.
#[derive(Debug)]
#[repr(transparent)]
pub struct Word(AtomicU32);

impl Word {
    /// A word that holds `value`.
    #[cfg(not(millpond_loom))]
    pub const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    /// A word that holds `value`.
    #[cfg(millpond_loom)]
    pub fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    #[inline(always)]
    pub(crate) fn load(&self, ordering: Ordering) -> u32 {
        self.0.load(ordering)
    }

    #[inline(always)]
    pub(crate) fn store(&self, value: u32, ordering: Ordering) {
        self.0.store(value, ordering);
    }
}

/// A statistic that one side writes and anybody may read: no other data hangs on it, so every
/// access is relaxed and a reader may see it a moment late.
#[derive(Debug)]
#[repr(transparent)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter that stands at zero.
    #[cfg(not(millpond_loom))]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// A counter that stands at zero.
    #[cfg(millpond_loom)]
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// What it stands at; a reader on another thread may see it a moment late.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Only for the one writer that the layout names.
    #[inline(always)]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// The fence of the sleep handshake, see [`crate::doorbell`].
#[inline(always)]
pub(crate) fn full_fence() {
    fence(Ordering::SeqCst);
}
