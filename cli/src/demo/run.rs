//! One run of the demo, from start to outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use millpond::Report;
use millpond::advanced::{LoggerConfig, MasterLogger};
use millpond::handlers::FileHandler;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Args;
use super::crew::{Crew, Worker};
use super::judge::account_of;
use super::notes::Notes;
use super::outcome::Outcome;
use super::place::{LogFile, Pond, scratch};
use super::tally::{Counting, Tally};
use super::worker::{WorkerArgs, name_of};
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
pub(super) struct Run<'a> {
    pub(super) args: &'a Args,
    pub(super) crew: Crew,
    master: MasterLogger,
    tally: Tally,
    pub(super) notes: Notes,
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
pub(super) fn is_victim(args: &Args, worker: usize) -> bool {
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
    pub(super) fn returned(&self, worker: usize) -> u64 {
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
