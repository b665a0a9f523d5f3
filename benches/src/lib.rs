//! What the measurements of Millpond share: messages whose arrival can be verified, an allocator
//! that counts, and processor time.
//!
//! `cargo bench -p millpond-benches` runs small benchmarks of one thing each, under criterion.
//! `cargo run --release -p millpond-benches --bin figures` measures the figures that Millpond
//! promises, all in one run; `docs/performance/README.md` has a table of them.

pub mod allocator;
pub mod messages;
pub mod usage;
