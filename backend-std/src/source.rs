//! Who logged a record.

/// The logger, process and thread behind a record. Shared by all records of a ring until the ring
/// changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of the logger or worker, as its user gave it.
    pub name: String,
    /// The process, as its operating system numbers it.
    pub process: u32,
    /// The thread, as its operating system numbers it; zero if it does not.
    pub thread: u64,
    /// The thread's name; empty if it has none.
    pub thread_name: String,
}
