//! What a run came to: the log read back, and all counts compared.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use millpond::{Account, Report};

use super::check::{Found, Known, Problems, compare, read_back};
use super::crew::Worker;
use super::latency::Percentiles;
use super::outcome::{Outcome, WorkerOutcome};
use super::place::LogFile;
use super::run::{Run, is_victim};
use super::worker::{Told, name_of, told_path};

impl Run<'_> {
    /// Reads the log back and compares everything.
    pub(super) fn judge(
        &self,
        log: &LogFile,
        scratch: &Path,
        report: &Report,
        start: Instant,
        seconds: f64,
    ) -> anyhow::Result<Outcome> {
        let threads = usize::from(self.args.threads);
        let workers = self.crew.workers();
        let mut problems = Problems::default();
        let found = read_back(&log.path, workers.len(), threads, self.args.drop, &mut problems)?;
        check_report(report, &mut problems);
        let rows = workers.iter().enumerate().zip(&found.workers);
        let rows = rows.map(|((index, worker), found)| {
            let known = Known {
                returned: self.notes.of_worker(index),
                account: account_of(report, index, worker.pid),
                was_killed: worker.undelivered_at_kill.is_some(),
            };
            compare(index, &known, found, &mut problems);
            let told = (!known.was_killed).then(|| told(scratch, index)).transpose()?;
            self.check_ending(index, &known, told.as_ref(), &mut problems);
            Ok((row(index, worker, &known, found, told.as_ref(), start), told))
        });
        let (rows, told): (Vec<_>, Vec<_>) =
            rows.collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip();
        let told: Vec<Told> = told.into_iter().flatten().collect();
        let sum = |count: fn(&WorkerOutcome) -> u64| rows.iter().map(count).sum::<u64>();
        let clocks = told.iter().map(|told| told.clock_read_ns).sum::<f64>();
        Ok(Outcome {
            attempted: sum(|row| row.attempted),
            delivered: sum(|row| row.delivered),
            dropped: sum(|row| row.dropped),
            lines: sum(|row| row.lines),
            killed: rows.iter().filter(|row| row.killed).count(),
            undelivered_at_kill: sum(|row| row.undelivered_at_kill.unwrap_or(0)),
            balanced: problems.is_empty(),
            seconds,
            records_per_second: sum(|row| row.lines) as f64 / seconds,
            call_ns: Percentiles::of(told.iter().flat_map(|told| &told.latencies)),
            clock_read_ns: (!told.is_empty()).then(|| clocks / told.len() as f64),
            overflow: if self.args.drop { "drop" } else { "wait" },
            log_bytes: std::fs::metadata(&log.path).map_or(0, |metadata| metadata.len()),
            log: log.path.clone(),
            obituaries: found.obituaries,
            problems: problems.into_told(),
            workers: rows,
        })
    }

    /// Who was to be killed was, and the others logged everything.
    fn check_ending(
        &self,
        index: usize,
        known: &Known,
        told: Option<&Told>,
        problems: &mut Problems,
    ) {
        let name = name_of(index);
        let returned = self.returned(index);
        match told {
            _ if known.was_killed != is_victim(self.args, index) => {
                problems.add(format!("{name} was to be killed and ended before"));
            }
            Some(told) if told.refused > 0 => {
                problems.add(format!("{name} could not log {} records", told.refused));
            }
            Some(_) if returned != self.args.records => {
                problems.add(format!("{name} logged {returned} of {}", self.args.records));
            }
            _ => {}
        }
    }
}

fn told(scratch: &Path, index: usize) -> anyhow::Result<Told> {
    let path = told_path(scratch, index);
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", path.display()))
}

fn row(
    index: usize,
    worker: &Worker,
    known: &Known,
    found: &Found,
    told: Option<&Told>,
    start: Instant,
) -> WorkerOutcome {
    let lived = worker.ended.map_or(0.0, |at| at.duration_since(start).as_secs_f64());
    let seconds = told.map_or(lived, |told| told.seconds);
    WorkerOutcome {
        name: name_of(index),
        pid: worker.pid,
        attempted: known.account.attempted,
        returned: known.returned.iter().sum(),
        delivered: known.account.delivered,
        dropped: known.account.total_dropped(),
        lines: found.lines,
        killed: known.was_killed,
        undelivered_at_kill: worker.undelivered_at_kill,
        records_per_second: known.account.attempted as f64 / seconds.max(1e-9),
        call_ns: told.and_then(|told| Percentiles::of(told.latencies.iter())),
        clock_read_ns: told.map(|told| told.clock_read_ns),
    }
}

/// What the master counted of a worker.
pub(super) fn account_of(report: &Report, index: usize, pid: u32) -> Account {
    let name = name_of(index);
    let is_it = |worker: &&millpond::WorkerAccount| worker.name == name && worker.process == pid;
    report.workers.iter().find(is_it).map(|worker| worker.account).unwrap_or_default()
}

/// Nothing failed, and nothing went where nothing should go.
fn check_report(report: &Report, problems: &mut Problems) {
    for handler in report.handlers.iter().filter(|h| h.failed + h.dropped > 0) {
        problems.add(format!(
            "{}: {} failed, {} dropped",
            handler.name, handler.failed, handler.dropped
        ));
    }
    let total = &report.total;
    let strays = [
        (total.filtered, "filtered"),
        (total.quarantined, "quarantined"),
        (report.refused, "refused"),
    ];
    for (count, what) in strays.into_iter().filter(|(count, _)| *count > 0) {
        problems.add(format!("{count} records were {what}"));
    }
}
