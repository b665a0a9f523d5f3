//! All figures of a run, as they are written to the JSON file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::subject::Entry;

/// Everything that was measured. Figures are medians of the rounds, `spread` has the least and
/// the most.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) limits: Limits,
    /// Bursts 100 to 200 µs apart.
    pub(crate) latency: Vec<Latency>,
    /// Bursts 8 µs apart, of ours and of the limits.
    pub(crate) latency_short_pauses: Vec<Latency>,
    pub(crate) throughput: Vec<Throughput>,
    pub(crate) processes: Vec<Processes>,
    pub(crate) instructions: Vec<Instructions>,
    pub(crate) settings: BTreeMap<String, String>,
    /// What could not be measured, and what lost lines.
    pub(crate) errors: Vec<Failure>,
}

/// What no logger can be faster than.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Limits {
    pub(crate) clock_read_ns: f64,
    pub(crate) copy64_ns: f64,
}

/// Nanoseconds of a call, the reading of the clock for the measurement included.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Latency {
    pub(crate) name: String,
    pub(crate) threads: u32,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) in_burst: f64,
    /// Records that are not in the file.
    pub(crate) missing: u64,
    pub(crate) spread: BTreeMap<String, [f64; 2]>,
}

/// From the first call of the first thread until every line is in the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Throughput {
    pub(crate) name: String,
    /// Threads of the one process.
    pub(crate) producers: u32,
    #[serde(flatten)]
    pub(crate) flow: Flow,
}

/// The same with several processes of one thread each.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Processes {
    pub(crate) name: String,
    pub(crate) processes: u32,
    /// `collected` by a process, `shared` file, or a file for each (`own`).
    pub(crate) files: String,
    #[serde(flatten)]
    pub(crate) flow: Flow,
}

/// How fast records get into a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Flow {
    /// Records found in the file, by second.
    pub(crate) records_per_second: f64,
    pub(crate) cpu_seconds_per_million: f64,
    /// Lines of all rounds that were read back and are as they should be.
    pub(crate) lines: u64,
    /// Records of all rounds that are not in the file.
    pub(crate) dropped: u64,
    /// Bytes of the file, of one round.
    pub(crate) bytes: u64,
    pub(crate) spread: BTreeMap<String, [f64; 2]>,
}

/// Instructions of one call, of the thread that calls.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Instructions {
    pub(crate) name: String,
    pub(crate) per_call: f64,
}

/// What went wrong.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Failure {
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) error: String,
}

impl Report {
    pub(crate) fn new(subjects: &[&Entry]) -> Self {
        let abouts = subjects.iter().map(|entry| entry.about);
        Self {
            machine: Machine::this(),
            rounds: 0,
            limits: Limits::default(),
            latency: Vec::new(),
            latency_short_pauses: Vec::new(),
            throughput: Vec::new(),
            processes: Vec::new(),
            instructions: Vec::new(),
            settings: abouts.map(|a| (a.name.to_owned(), a.settings.to_owned())).collect(),
            errors: Vec::new(),
        }
    }
}
