//! One run of the demo, from start to outcome.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use millpond::advanced::{LoggerConfig, MasterLogger};
use millpond::handlers::FileHandler;
use millpond::{Account, Report};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Args;
use super::check::{Found, Known, Problems, compare, read_back};
use super::crew::{Crew, Worker};
use super::latency::Percentiles;
use super::notes::Notes;
use super::outcome::{Outcome, WorkerOutcome};
use super::place::{LogFile, Pond, scratch};
use super::tally::{Counting, Tally};
use super::worker::{Told, WorkerArgs, name_of, told_path};
use crate::exit::{Interrupted, say};

/// How long the last records may take from the rings to the file.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long the master may take to bury a worker of which everything was delivered.
const BURIAL: Duration = Duration::from_secs(10);

/// Tells whether a signal asked for the end.
#[derive(Clone, Debug)]
struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    fn register() -> anyhow::Result<Self> {
        let word = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_usize(signal, Arc::clone(&word), signal as usize)
                .context("cannot catch signals")?;
        }
        Ok(Self(word))
    }

    fn check(&self) -> anyhow::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Interrupted { signal: signal as i32 }.into()),
        }
    }
}

/// A run that is under way. Fields are dropped in their order: workers first, directory last.
struct Run<'a> {
    args: &'a Args,
    crew: Crew,
    master: MasterLogger,
    tally: Tally,
    notes: Notes,
    interrupt: Interrupt,
}

/// Runs it. Whatever happens, no process and no directory is left.
pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let interrupt = Interrupt::register()?;
    let scratch = scratch()?;
    let mut log = LogFile::new(args.out.as_deref())?;
    let pond = Pond::new(args.path.as_deref(), scratch.path())?;
    let (workers, threads) = (usize::from(args.workers), usize::from(args.threads));
    let notes = Notes::create(&scratch.path().join("notes"), workers, threads)?;
    let tally = Tally::new(workers);
    let handler = Counting::new(FileHandler::new(&log.path)?, tally.clone());
    let config = LoggerConfig {
        path: pond.path.clone(),
        shutdown_timeout: DELIVERY,
        ..LoggerConfig::default()
    };
    let master = MasterLogger::new(config, vec![Box::new(handler)])?;
    master.warnings().iter().for_each(|warning| say(warning));
    let worker_args: Vec<WorkerArgs> = (0..workers)
        .map(|index| WorkerArgs {
            path: pond.path.clone(),
            scratch: scratch.path().to_owned(),
            index,
            workers,
            threads,
            records: args.records,
            endless: is_victim(args, index),
            drop: args.drop,
            parent: std::process::id() as i32,
        })
        .collect();
    let crew = Crew::start(&worker_args)?;
    let mut run = Run { args, crew, master, tally, notes, interrupt };
    let (start, seconds) = run.log()?;
    let report = run.end()?;
    run.interrupt.check()?;
    let outcome = run.judge(&log, scratch.path(), &report, start, seconds)?;
    log.keep();
    Ok(outcome)
}

/// The last ones are killed.
fn is_victim(args: &Args, worker: usize) -> bool {
    worker >= usize::from(args.workers - args.kill)
}

impl Run<'_> {
    /// Lets the workers log and kills some. Returns the start, and the seconds until everything
    /// was in the file.
    fn log(&mut self) -> anyhow::Result<(Instant, f64)> {
        let interrupt = self.interrupt.clone();
        self.crew.wait_until_ready(&self.notes, || interrupt.check())?;
        let progress = progress(self.args);
        let start = Instant::now();
        self.notes.start().store(1, Ordering::Release);
        while !self.crew.is_over() {
            self.interrupt.check()?;
            let is_killing = self.kill_who_is_due()?;
            self.crew.reap()?;
            progress.set_position(self.tally.total());
            let nap =
                if is_killing { Duration::from_micros(200) } else { Duration::from_millis(2) };
            std::thread::sleep(nap);
        }
        while let Err(error) = self.master.flush(Duration::from_millis(200)) {
            self.interrupt.check()?;
            progress.set_position(self.tally.total());
            if start.elapsed() > DELIVERY + last_end(self.crew.workers(), start) {
                bail!("the log is not complete after {} s: {error}", DELIVERY.as_secs());
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        progress.finish_and_clear();
        Ok((start, seconds))
    }

    /// Kills the workers whose time has come. Returns whether there are more to kill.
    fn kill_who_is_due(&mut self) -> anyhow::Result<bool> {
        let mut is_killing = false;
        for worker in (0..self.crew.workers().len()).filter(|worker| is_victim(self.args, *worker))
        {
            if self.crew.workers()[worker].ended.is_some() {
                continue;
            }
            is_killing = true;
            let logged = self.returned(worker);
            let gone = || self.tally.of(worker) + self.dropped(worker);
            // With so many behind it, it is no use to wait for a better moment.
            let is_late = logged > self.args.records.saturating_mul(4).saturating_add(1_000_000);
            if logged >= self.due(worker) && (is_late || logged > gone()) {
                self.crew.kill(worker)?;
                let in_file = self.tally.of(worker);
                self.crew.wait_for(worker)?;
                let returned = self.returned(worker);
                let undelivered = returned.saturating_sub(in_file + self.dropped(worker));
                self.crew.note_kill(worker, undelivered);
            }
        }
        Ok(is_killing)
    }

    /// After how many of its records a worker is killed: one after the other, around the middle.
    fn due(&self, worker: usize) -> u64 {
        let first = u64::from(self.args.workers - self.args.kill);
        let step = worker as u64 - first + 1;
        (self.args.records / 4 + self.args.records / 2 * step / (u64::from(self.args.kill) + 1))
            .max(1)
    }

    /// Calls of a worker that returned so far.
    fn returned(&self, worker: usize) -> u64 {
        self.notes.of_worker(worker).iter().sum()
    }

    /// Records that a worker dropped so far.
    fn dropped(&self, worker: usize) -> u64 {
        if !self.args.drop {
            return 0;
        }
        let report = self.master.report().unwrap_or_default();
        account_of(&report, worker, self.crew.workers()[worker].pid).total_dropped()
    }

    /// Waits until the master has buried the workers, and ends it.
    fn end(&self) -> anyhow::Result<Report> {
        let deadline = Instant::now() + BURIAL;
        while Instant::now() < deadline {
            self.interrupt.check()?;
            let report = self.master.report().unwrap_or_default();
            let is_buried = |(index, worker): (usize, &Worker)| {
                let name = name_of(index);
                let mut accounts = report.workers.iter();
                accounts.any(|a| a.name == name && a.process == worker.pid && a.ended)
            };
            if self.crew.workers().iter().enumerate().all(is_buried) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.master.shutdown().map_err(|error| anyhow!("the master did not end well: {error}"))
    }

    /// Reads the log back and compares everything.
    fn judge(
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

fn account_of(report: &Report, index: usize, pid: u32) -> Account {
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

/// When the last worker ended, after `start`.
fn last_end(workers: &[Worker], start: Instant) -> Duration {
    let ends = workers.iter().filter_map(|worker| worker.ended);
    ends.map(|at| at.duration_since(start)).max().unwrap_or_default()
}

/// A bar on a terminal, nothing in a pipe.
fn progress(args: &Args) -> ProgressBar {
    let style = "{bar:30} {human_pos} of about {human_len} lines written, {elapsed}";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(args.records * u64::from(args.workers)).with_style(style)
}
