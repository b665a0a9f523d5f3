//! Sixteen processes with small rings and one file: every record is accounted for.
//!
//! `MILLPOND_RECORDS` says how many records; by default 400 000. The whole ten million:
//!
//! ```sh
//! MILLPOND_RECORDS=10000000 cargo test --release -p millpond-linux --test accounting -- \
//!     --nocapture --test-threads 1
//! ```
#![cfg(target_os = "linux")]

mod support;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use millpond_handlers::FileHandler;
use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond_std::{Level, Overflow, Report};

use support::{Place, Process, eventually, role, say};

const WORKERS: usize = 16;
/// Of each worker.
const THREADS: usize = 2;
const BUFFER: usize = 64 * 1024;
/// Something to read; the number stands in front of it.
const FILL: &str = "order filled at 101.25 on venue XNAS after 17 us";

fn records() -> usize {
    let asked = std::env::var("MILLPOND_RECORDS").ok();
    let total = asked.map_or(400_000, |records| records.parse().expect("a number"));
    total / (WORKERS * THREADS)
}

/// The level of a thread's record with this number. One of 1000 is an ERROR, which wakes the
/// collector.
fn level_of(number: usize) -> Level {
    match number % 1000 {
        7 => Level::Error,
        n if n % 10 == 3 => Level::Warning,
        n if n % 2 == 0 => Level::Info,
        _ => Level::Debug,
    }
}

/// A worker process: logs what it was told and ends in good order.
#[test]
fn worker_process() {
    let Some((role, config)) = role() else { return };
    let mut words = role.split(' ');
    let overflow = match words.next() {
        Some("wait") => Overflow::WAIT,
        Some("drop") => Overflow::Drop,
        other => panic!("no such role: {other:?}"),
    };
    let name = words.next().unwrap();
    let each: usize = words.next().unwrap().parse().unwrap();
    let base_level = Level::Debug;
    let config = LoggerConfig { overflow, buffer_size: BUFFER, base_level, ..config };
    let worker = WorkerLogger::new(config, name).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let worker = &worker;
            scope.spawn(move || {
                for number in 0..each {
                    worker.text(level_of(number), &format!("{thread} {number} {FILL}"));
                }
            });
        }
    });
    worker.shutdown();
    say(worker.refused());
}

/// Runs the workers against a master that writes `file`; returns its account.
fn run(policy: &str, each: usize, file: &Path) -> Report {
    let place = Place::new();
    let config = LoggerConfig {
        base_level: Level::Debug,
        str_format: "%(levelname)s %(name)s %(message)s".to_owned(),
        shutdown_timeout: Duration::from_secs(60),
        ..place.config()
    };
    let handler = FileHandler::new(file).unwrap();
    let master = MasterLogger::new(config.clone(), vec![Box::new(handler)]).unwrap();
    let start = Instant::now();
    let role = |worker| format!("{policy} w{worker} {each}");
    let mut processes: Vec<_> =
        (0..WORKERS).map(|worker| Process::start(&role(worker), &config)).collect();
    for process in &mut processes {
        assert_eq!(process.hears(), "0", "records that no ring has counted");
    }
    let logged = start.elapsed();
    processes.into_iter().for_each(Process::end);
    // The rings of a worker that has ended go when all of it is delivered.
    eventually("all rings are drained and removed", || {
        let report = master.report().unwrap();
        report.workers.iter().filter(|worker| worker.ended).count() == WORKERS
    });
    let report = master.shutdown().unwrap();
    let total = WORKERS * THREADS * each;
    let written = start.elapsed();
    println!(
        "{policy}: {total} records, logged in {logged:.2?}, in the file after {written:.2?}: \
         {:.2} million a second; {report}",
        total as f64 / written.as_secs_f64() / 1e6
    );
    report
}

/// What the file says.
#[derive(Default)]
struct Found {
    lines: [u64; Level::COUNT],
    /// Records that lines like `12 records lost here: 10 DEBUG, 2 INFO` report.
    lost: [u64; Level::COUNT],
    /// The last number of each thread.
    last: HashMap<(String, usize), usize>,
}

/// Reads the file; `next` says whether a number may follow another.
fn read(file: &Path, follows: impl Fn(Option<usize>, usize) -> bool) -> Found {
    let mut found = Found::default();
    for line in BufReader::new(File::open(file).unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("a cut line: {line:?}"));
        let (level, name): (Level, _) = (word().parse().unwrap(), word());
        if let Some((_, lost)) = line.split_once(" records lost ") {
            let (_, levels) = lost.split_once(": ").unwrap();
            for part in levels.split(", ") {
                let (count, level) = part.split_once(' ').unwrap();
                let level: Level = level.parse().unwrap();
                found.lost[level.index()] += count.parse::<u64>().unwrap();
            }
            continue;
        }
        let (thread, number) = (word().parse().unwrap(), word().parse().unwrap());
        assert_eq!(word(), FILL, "{line:?}");
        assert_eq!(level, level_of(number), "{line:?}");
        found.lines[level.index()] += 1;
        let last = found.last.insert((name.to_owned(), thread), number);
        assert!(follows(last, number), "{name} {thread}: {number} after {last:?}");
    }
    found
}

/// What was logged at each level.
fn attempted(each: usize) -> [u64; Level::COUNT] {
    let mut attempted = [0; Level::COUNT];
    (0..each).for_each(|number| attempted[level_of(number).index()] += 1);
    attempted.map(|count| count * (WORKERS * THREADS) as u64)
}

#[test]
fn workers_that_wait_lose_nothing_and_keep_each_threads_order() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (file, each) = (folder.path().join("all.log"), records());
    let report = run("wait", each, &file);
    let total = attempted(each).iter().sum::<u64>();
    assert_eq!((report.total.attempted, report.total.delivered), (total, total));
    assert_eq!(report.total.total_dropped(), 0);

    let found = read(&file, |last, number| number == last.map_or(0, |last| last + 1));
    assert_eq!(found.lines, attempted(each));
    assert_eq!(found.lost, [0; Level::COUNT]);
    assert_eq!(found.last.len(), WORKERS * THREADS);
    assert!(found.last.values().all(|last| *last == each - 1));
}

#[test]
fn what_is_dropped_agrees_in_counters_gaps_and_lines_for_each_level() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (file, each) = (folder.path().join("some.log"), records());
    let report = run("drop", each, &file);
    let total = &report.total;
    assert!(total.total_dropped() > 0, "{report}");
    assert_eq!(total.attempted, attempted(each).iter().sum::<u64>());
    assert!(total.is_balanced(0), "{report:?}");

    let found = read(&file, |last, number| last.is_none_or(|last| number > last));
    assert_eq!(found.lines.iter().sum::<u64>(), total.delivered);
    assert_eq!(found.lost, total.dropped, "gap lines and counters");
    for level in Level::ALL {
        let at = level.index();
        let accounted = found.lines[at] + total.dropped[at];
        assert_eq!(accounted, attempted(each)[at], "{level}: lines and dropped");
    }
    let share =
        |level: Level| total.dropped[level.index()] as f64 / attempted(each)[level.index()] as f64;
    assert!(share(Level::Warning) <= share(Level::Debug), "low levels are dropped first");
}
