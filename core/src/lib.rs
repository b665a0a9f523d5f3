//! The heart of Millpond: frames, batches, rings, worker health.
//!
//! What this crate does not do: it does not allocate, read a clock, start a thread, wait, do I/O
//! or know an operating system. It is `no_std` and has no `alloc`. Whoever uses it brings the
//! memory (a [`storage::Storage`]), the time (a [`Clock`]) and the waiting.
#![cfg_attr(not(millpond_loom), no_std)]

pub mod callsite;
pub mod capture;
pub mod doorbell;
pub mod envelope;
pub mod frame;
pub mod health;
pub mod ring;
pub mod storage;
pub mod sync;
pub mod version;

mod batch;
mod clock;
mod level;

pub use batch::{Batch, BatchFull};
#[cfg(feature = "embassy")]
pub use clock::EmbassyClock;
pub use clock::{Clock, ManualClock};
pub use level::{Level, ParseLevelError};
