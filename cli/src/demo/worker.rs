//! One worker process of the demo.

use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use millpond::advanced::{LoggerConfig, Producer, WorkerLogger};
use millpond::{Level, Overflow, SystemClock};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};

use super::latency::{Latencies, Stopwatch, clock_read_ns};
use super::message::Message;
use super::notes::Notes;

/// A worker process of the demo; started by it.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    #[arg(long)]
    pub(super) path: String,
    /// The demo's own directory.
    #[arg(long)]
    pub(super) scratch: PathBuf,
    /// This worker, counted from 0.
    #[arg(long)]
    pub(super) index: usize,
    #[arg(long)]
    pub(super) workers: usize,
    #[arg(long)]
    pub(super) threads: usize,
    #[arg(long)]
    pub(super) records: u64,
    /// Goes on beyond `records` until it is killed.
    #[arg(long)]
    pub(super) endless: bool,
    #[arg(long)]
    pub(super) drop: bool,
    /// Ends with this process.
    #[arg(long)]
    pub(super) parent: i32,
}

/// What a worker tells at its end.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Told {
    pub(super) clock_read_ns: f64,
    pub(super) seconds: f64,
    pub(super) refused: u64,
    pub(super) latencies: Vec<Latencies>,
}

/// The name of a worker in the log.
pub(super) fn name_of(index: usize) -> String {
    format!("demo-{}", index + 1)
}

/// Where a worker leaves what it tells.
pub(super) fn told_path(scratch: &std::path::Path, index: usize) -> PathBuf {
    scratch.join(format!("told-{index}.json"))
}

/// How many records a thread logs.
pub(super) fn share(records: u64, threads: usize, thread: usize) -> u64 {
    let (threads, thread) = (threads as u64, thread as u64);
    records / threads + u64::from(thread < records % threads)
}

/// Logs, notes, tells.
pub(super) fn work(args: &WorkerArgs) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot tie myself to the demo")?;
    ensure!(getppid().map(Pid::as_raw_pid) == Some(args.parent), "the demo has ended");
    let notes = Notes::open(&args.scratch.join("notes"), args.workers, args.threads)?;
    let config = LoggerConfig {
        path: args.path.clone(),
        overflow: if args.drop { Overflow::Drop } else { Overflow::WAIT },
        max_rings: args.threads.max(64),
        ..LoggerConfig::default()
    };
    let clock = SystemClock::detect();
    let clock_read_ns = clock_read_ns(clock);
    let worker = WorkerLogger::new(config, &name_of(args.index))?;
    let everyone = Barrier::new(args.threads + 1);
    let (seconds, latencies) = std::thread::scope(|scope| {
        let run = |thread| {
            let (producer, everyone, notes) = (worker.producer(), &everyone, &notes);
            scope.spawn(move || {
                let ready = producer.map_err(anyhow::Error::from).and_then(|producer| {
                    Ok(Thread { args, thread, producer, watch: Stopwatch::new(clock)?, notes })
                });
                everyone.wait();
                wait_for_start(notes);
                ready.map(Thread::log)
            })
        };
        let threads: Vec<_> = (0..args.threads).map(run).collect();
        everyone.wait();
        notes.ready(args.index).store(1, Ordering::Release);
        wait_for_start(&notes);
        let start = Instant::now();
        let joined = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a thread of the worker panicked")))
        });
        let latencies = joined.collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::Ok((start.elapsed().as_secs_f64(), latencies))
    })?;
    worker.shutdown();
    let told = Told { clock_read_ns, seconds, refused: worker.refused(), latencies };
    let path = told_path(&args.scratch, args.index);
    std::fs::write(&path, serde_json::to_vec(&told)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn wait_for_start(notes: &Notes) {
    while notes.start().load(Ordering::Acquire) == 0 {
        std::thread::sleep(Duration::from_micros(100));
    }
}

struct Thread<'a> {
    args: &'a WorkerArgs,
    thread: usize,
    producer: Producer,
    watch: Stopwatch,
    notes: &'a Notes,
}

impl Thread<'_> {
    fn log(mut self) -> Latencies {
        let returned = self.notes.returned(self.args.index, self.thread);
        let mut message = Message::new(self.thread + 1);
        let share = share(self.args.records, self.args.threads, self.thread);
        let last = if self.args.endless { u64::MAX } else { share };
        for number in 1..=last {
            let text = message.next();
            let producer = &mut self.producer;
            self.watch.time(|| producer.text(Level::Info, text));
            // Release: not before the record is published.
            returned.store(number, Ordering::Release);
        }
        self.watch.finish()
    }
}
