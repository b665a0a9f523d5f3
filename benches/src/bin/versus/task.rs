//! What a child process is told to do, and what it answers.

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Calls in a row, as programs make them; then a pause.
pub(crate) const BURST: usize = 20;

/// The task of a child process.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Task {
    pub(crate) subject: String,
    pub(crate) place: Place,
    pub(crate) role: Role,
    /// The process that started it, with which it ends.
    pub(crate) parent: i32,
}

/// Which side of a subject.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Role {
    /// Writes to the file what the producers of other processes send.
    Collect,
    /// Logs.
    Produce {
        /// This process, counted from 0.
        process: u32,
        threads: u32,
        work: Work,
    },
}

/// What each thread does.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Work {
    /// Bursts of [`BURST`] calls with pauses between them, each call timed.
    Bursts { bursts: u64, pause: Pause, ns_per_tick: f64 },
    /// As fast as it can.
    Saturate { records: u64 },
    /// A few calls, for a tool that counts their instructions.
    Calls { calls: u64 },
}

/// How long the thread is busy with something else between two bursts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Pause {
    /// 100 to 200 µs.
    Long,
    /// 8 µs.
    Short,
}

impl Work {
    /// Records of each thread before it is measured: caches, page faults, first calls.
    pub(crate) fn warm_up(self) -> u64 {
        match self {
            Self::Bursts { .. } => 50 * BURST as u64,
            Self::Saturate { records } => (records / 100).min(1000),
            Self::Calls { .. } => 200,
        }
    }

    /// Records of each thread that are measured.
    pub(crate) fn measured(self) -> u64 {
        match self {
            // Each burst comes twice: timed by call, and as a whole.
            Self::Bursts { bursts, .. } => 2 * bursts * BURST as u64,
            Self::Saturate { records } => records,
            Self::Calls { calls } => calls,
        }
    }

    /// Records of each thread that have to be in the file.
    pub(crate) fn all(self) -> u64 {
        self.warm_up() + self.measured()
    }
}

/// What a child answers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outcome {
    /// Nanoseconds of the monotonic clock, the same for all processes: the first call,
    pub(crate) start: u64,
    /// and the moment when this process had nothing left to do.
    pub(crate) end: u64,
    /// Processor time between the two, of all threads of the process.
    pub(crate) cpu_seconds: f64,
    /// Records that the logger says it dropped.
    pub(crate) dropped: u64,
    pub(crate) latency: Option<Quantiles>,
}

/// Nanoseconds of a call.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The median burst, divided by its calls. Here calls overlap, and the counter's steps of
    /// 10 ns matter less.
    pub(crate) in_burst: f64,
}

/// What a child says on its standard output: a line of JSON behind [`MARK`], so that a subject
/// that prints cannot be taken for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Said {
    Ready,
    Done(Outcome),
    Failed(String),
}

/// What stands in front of a line that a child says.
pub(crate) const MARK: &str = "@versus ";
