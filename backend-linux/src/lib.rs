//! Millpond on Linux: rings in shared memory, and the operating-system layer beneath the advanced
//! logger. The crate is empty on other systems.
//!
//! Processes meet in one [`directory`]. A worker leaves each of its rings there as one
//! [`ring_file`]; the master, which holds the [`lease`], finds and drains them. There is nothing
//! to connect to: whoever comes first makes what both need ([`control`]), and whoever comes later
//! finds it.
//!
//! ```text
//!  $XDG_RUNTIME_DIR/millpond/
//!    r-1f0c9a2b-4711-4712-9e3a...  a ring of one thread      by a worker; the master removes it
//!    w-1f0c9a2b-4711-4713-07bd...  a worker's keeper ring    the same; has the owner word
//!    control                       levels, who is master     by the master
//!    doorbell                      does the collector sleep  by all
//!    checkpoint                    what was delivered        by the master
//!    master.lock                   the lease                 locked by the master
//! ```
//!
//! What others wrote is never trusted: a file is checked before it is mapped, each number that is
//! read from a mapping is checked before it is used, and nothing here panics on any of it.
//!
//! # fork
//!
//! Nothing here survives `fork` by itself. In the child, ring mappings are absent (touching one
//! is SIGSEGV), threads do not exist, and every destructor of an inherited value notices by its
//! process id and leaves the parent's things alone. A child opens everything anew.
#![cfg(target_os = "linux")]

pub mod checkpoint;
pub mod control;
pub mod directory;
pub mod doorbell;
pub mod identity;
pub mod lease;
pub mod owner;
pub mod ring_file;
pub mod watcher;

mod config;
mod error;
mod existing;
mod file_head;
mod mapping;
mod master;
mod new_file;
#[cfg(test)]
mod testing;
mod worker;

pub use config::LoggerConfig;
pub use error::{Error, ErrorKind};
pub use existing::Refusal;
pub use master::{MASTER, MasterLogger};
pub use worker::{Producer, SharedRings, StartError, WorkerLogger};
