//! What machine this is, and on which of its processors a thread runs.

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// The machine and the day of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) system: String,
    pub(crate) date: String,
    /// Load of the last minute when the run began: what else was running.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name\t: "));
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            processor: processor.unwrap_or("unknown processor").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, |count| count.get()),
            system: format!("{} {}", std::env::consts::OS, kernel.trim()),
            date: jiff::Zoned::now().date().to_string(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    /// One line.
    pub(crate) fn show(&self) -> String {
        let Self { processor, processors, system, date, .. } = self;
        format!("{processor}, {processors} processors, {system}, {date}")
    }
}

/// Keeps this thread on one processor, chosen round robin among those that it may use.
pub(crate) fn pin(number: usize) -> anyhow::Result<()> {
    let allowed = sched_getaffinity(None).context("cannot ask for the processors")?;
    let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
    let mut one = CpuSet::new();
    one.set(all[number % all.len()]);
    sched_setaffinity(None, &one).context("cannot pin a thread")
}
