//! The standard logger: one process, rings on the heap, the collector in a thread.

mod config;
mod logger;
mod rings;

pub use config::{ConfigError, LoggerConfig, check_name};
pub use logger::{Logger, ShutdownError, StartError, complain, judge};
pub use rings::{Forked, HeapRings};

/// A handle with a ring of its own, for a hot loop.
pub type Producer = crate::front::Producer<HeapRings>;
