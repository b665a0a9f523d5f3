//! Models of core's concurrent code, one file for each promise. One program for all, so that a
//! changed core is linked once: `scripts/orderings` does that for every ordering there is.
#![cfg(millpond_loom)]

mod batch;
mod books;
mod callsites;
mod canary;
mod closing;
mod doorbell;
mod flush;
mod full;
mod handover;
mod publish;
mod quick;

use std::collections::BTreeSet;

/// Bytes of a model's ring.
const CAPACITY: u32 = millpond_core::ring::MIN_CAPACITY;

/// A text whose frame takes 32 bytes.
const SHORT: &str = "short";
/// A text whose frame takes 64 bytes, the most that a model's ring allows.
const LONG: &str = "a text that needs sixty-four bytes whole";

/// Positions from which a short and a long frame
const STARTS: [u32; 5] = [
    0,                         // lie side by side,
    0u32.wrapping_sub(32),     // are parted by the end of the data, where positions wrap to zero,
    0u32.wrapping_sub(8),      // start after the least padding,
    0u32.wrapping_sub(32 + 8), // are parted by the least padding,
    0u32.wrapping_sub(64),     // are parted by padding of 32 bytes.
];

fn set<T: Ord, const N: usize>(outcomes: [T; N]) -> BTreeSet<T> {
    BTreeSet::from(outcomes)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}
