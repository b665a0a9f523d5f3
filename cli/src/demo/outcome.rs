//! What a run of the demo came to.

use std::path::PathBuf;

use serde::Serialize;

use super::latency::Percentiles;

/// Everything that is shown, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) workers: Vec<WorkerOutcome>,
    /// Log calls, as the workers' rings counted them.
    pub(super) attempted: u64,
    /// Records that were handed to the file.
    pub(super) delivered: u64,
    pub(super) dropped: u64,
    /// Lines that were found in the file.
    pub(super) lines: u64,
    /// Workers that were killed.
    pub(super) killed: usize,
    /// Of all of them together.
    pub(super) undelivered_at_kill: u64,
    /// Whether everything agrees.
    pub(super) balanced: bool,
    /// What does not, if something.
    pub(super) problems: Vec<String>,
    /// From the start of the workers to the last line in the file.
    pub(super) seconds: f64,
    pub(super) records_per_second: f64,
    /// Of the workers that lived to tell.
    pub(super) call_ns: Option<Percentiles>,
    pub(super) clock_read_ns: Option<f64>,
    pub(super) overflow: &'static str,
    pub(super) log: PathBuf,
    pub(super) log_bytes: u64,
    /// What the master logged of the killed.
    #[serde(skip)]
    pub(super) obituaries: Vec<String>,
}

/// One worker.
#[derive(Debug, Serialize)]
pub(super) struct WorkerOutcome {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) attempted: u64,
    /// Calls that returned, as the worker noted outside its rings.
    pub(super) returned: u64,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
    pub(super) lines: u64,
    pub(super) killed: bool,
    pub(super) undelivered_at_kill: Option<u64>,
    pub(super) records_per_second: f64,
    pub(super) call_ns: Option<Percentiles>,
    pub(super) clock_read_ns: Option<f64>,
}
