//! What the loom models in `tests/models` have in common: a ring of tracked memory, one look at
//! it, and the set of outcomes that all schedules together reach.
//!
//! The models run core's own code: under `--cfg millpond_loom` its atomics are loom's. Without
//! that condition this crate is empty. `scripts/loom` runs the models, `scripts/orderings` shows
//! that they notice each ordering that is weakened.
//!
//! What loom 0.7 cannot see, and what we do about it:
//!
//! - It can miss schedules of a thread that loads an atomic and stores to it later. So both halves
//!   of a ring are made before the threads start, and every model demands that the outcomes it
//!   reached *equal* the legal ones: a legal outcome that is never reached is a failure too.
//! - It treats SeqCst loads and stores as acquire and release; its SeqCst fences are right, and
//!   fences are what core uses.
//! - It remembers the last seven stores to an atomic and forgets older ones, so models are short.
//! - It knows one process, and words that are written whole. What another process may see is the
//!   matter of `millpond_core::storage::RawArea`, which loads whole words.
#![cfg(millpond_loom)]

mod look;
mod outcomes;
mod storage;

pub use look::{Frames, insert, look, try_insert};
pub use outcomes::{outcomes, outcomes_within};
pub use storage::{TrackedArea, TrackedStorage, ring};
