//! How fast records get from the rings into a file, and what that costs.

use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::ensure;
use millpond_benches::messages::Message;
use millpond_benches::usage::{process_time, thread_time};
use millpond_handlers::FileHandler;
use millpond_std::standard::{Logger, LoggerConfig, Producer};
use millpond_std::{Overflow, info};
use serde::Serialize;

use crate::Effort;
use crate::events::{Event, verify};
use crate::places::Places;
use crate::spread::Spread;

/// What is logged.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// 64 bytes of text.
    Texts,
    /// `info!` with three arguments.
    Events,
}

/// A way to run.
#[derive(Clone, Copy)]
struct Way {
    what: What,
    threads: u32,
    ring: usize,
    /// Rings whose threads log one record and no more.
    idle: u32,
    overflow: Overflow,
}

/// The figures of one way to run, in one place.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) place: &'static str,
    pub(crate) what: What,
    pub(crate) threads: u32,
    pub(crate) ring_kib: usize,
    pub(crate) idle_rings: u32,
    /// Whether calls drop records instead of waiting.
    pub(crate) drops: bool,
    /// Million lines in the file per second, from the first call to the end of the shutdown.
    pub(crate) million_per_second: Spread,
    /// Processor seconds of collector and handler per million lines.
    pub(crate) cpu_per_million: Spread,
    /// Share of the records that were dropped, in percent.
    pub(crate) dropped_percent: Spread,
    /// Lines that were read back and verified, of all rounds.
    pub(crate) lines: u64,
}

struct Run {
    seconds: f64,
    cpu: f64,
    lines: u64,
    dropped: u64,
}

pub(crate) fn measure(effort: &Effort, places: &Places) -> anyhow::Result<Vec<Row>> {
    let wait = Overflow::WAIT;
    let (texts, events) = (What::Texts, What::Events);
    let ways = [
        Way { what: events, threads: 1, ring: 1 << 20, idle: 0, overflow: wait },
        Way { what: events, threads: 4, ring: 1 << 20, idle: 0, overflow: wait },
        Way { what: texts, threads: 1, ring: 1 << 20, idle: 0, overflow: wait },
        Way { what: texts, threads: 1, ring: 1 << 20, idle: 200, overflow: wait },
        Way { what: texts, threads: 4, ring: 1 << 20, idle: 0, overflow: wait },
        Way { what: texts, threads: 1, ring: 64 << 10, idle: 0, overflow: wait },
        Way { what: texts, threads: 4, ring: 64 << 10, idle: 0, overflow: wait },
        Way { what: texts, threads: 4, ring: 1 << 20, idle: 0, overflow: Overflow::Drop },
    ];
    let mut rows = Vec::new();
    for (place, folder) in places.all() {
        for way in ways {
            rows.push((place, folder.clone(), way, Vec::new()));
        }
    }
    for _ in 0..effort.rounds {
        for (_, folder, way, runs) in &mut rows {
            runs.push(run(&folder.join("throughput.log"), *way, effort.records)?);
        }
    }
    let rows = rows.into_iter().map(|(place, _, way, runs)| {
        let per = |figure: fn(&Run) -> f64| Spread::of(runs.iter().map(figure));
        Row {
            place,
            what: way.what,
            threads: way.threads,
            ring_kib: way.ring / 1024,
            idle_rings: way.idle,
            drops: way.overflow == Overflow::Drop,
            million_per_second: per(|run| run.lines as f64 / run.seconds / 1e6),
            cpu_per_million: per(|run| run.cpu / run.lines as f64 * 1e6),
            dropped_percent: per(|run| {
                run.dropped as f64 * 100.0 / (run.dropped + run.lines) as f64
            }),
            lines: runs.iter().map(|run| run.lines).sum(),
        }
    });
    Ok(rows.collect())
}

fn run(path: &Path, way: Way, records: u64) -> anyhow::Result<Run> {
    let config = LoggerConfig {
        buffer_size: way.ring,
        overflow: way.overflow,
        max_rings: 1024,
        ..LoggerConfig::default()
    };
    let logger = Logger::new("app", config, vec![Box::new(FileHandler::new(path)?)])?;
    let idle: Vec<_> = (0..way.idle)
        .map(|number| {
            let mut producer = logger.producer().unwrap();
            producer.info(Message::of(1000 + number).number(0));
            producer
        })
        .collect();
    logger.flush(Duration::from_secs(10))?;

    let each = records / u64::from(way.threads);
    let barrier = Barrier::new(way.threads as usize + 1);
    let (mut start, mut cpu_before, mut cpu_outside) = (None, Duration::ZERO, Duration::ZERO);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..way.threads)
            .map(|sender| {
                let (logger, barrier) = (&logger, &barrier);
                scope.spawn(move || {
                    let mut producer = logger.producer().unwrap();
                    barrier.wait();
                    let before = thread_time();
                    log(&mut producer, way.what, sender, each);
                    thread_time() - before
                })
            })
            .collect();
        cpu_before = process_time();
        barrier.wait();
        start = Some(Instant::now());
        let own = thread_time();
        for thread in threads {
            cpu_outside += thread.join().unwrap_or_default();
        }
        cpu_outside += thread_time() - own;
    });
    drop(idle);
    let own = thread_time();
    let report = logger.shutdown()?;
    let seconds = start.map_or(0.0, |start| start.elapsed().as_secs_f64());
    cpu_outside += thread_time() - own;
    let cpu = process_time().saturating_sub(cpu_before + cpu_outside).as_secs_f64();

    let drops = way.overflow == Overflow::Drop;
    let found = verify(path, drops)?;
    let dropped = report.total.total_dropped();
    let attempted = each * u64::from(way.threads) + u64::from(way.idle);
    ensure!(report.total.attempted == attempted, "{attempted} attempted: {report}");
    ensure!(report.total.is_balanced(0), "the books do not balance: {report:?}");
    ensure!(found.total() == report.total.delivered, "{} lines: {report}", found.total());
    ensure!(found.lost == dropped && (drops || dropped == 0), "{} lost: {report}", found.lost);
    std::fs::remove_file(path)?;
    Ok(Run { seconds, cpu, lines: found.total(), dropped })
}

/// Logs so many records of a sender without a pause.
fn log(producer: &mut Producer, what: What, sender: u32, records: u64) {
    match what {
        What::Texts => {
            let mut message = Message::of(sender);
            for number in 0..records {
                producer.info(message.number(number));
            }
        }
        What::Events => {
            for number in 0..records {
                let Event { sender, number, price } = Event::new(sender as i32, number);
                info!(producer, "order {} qty {} px {}", sender, number, price);
            }
        }
    }
}
