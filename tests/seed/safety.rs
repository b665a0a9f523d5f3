//! "Thread safety" and "When to use".

use std::collections::HashSet;

use millpond::advanced::{LoggerConfig, MASTER, MasterLogger, WorkerLogger};
use millpond::handlers::FileHandler;
use millpond::{Overflow, standard};

use super::support::{PATIENCE, Place, Process, keep, lines, master};

/// "Lock-free design": every thread through one `&WorkerLogger`, each with a ring of its own. (That
/// the ring needs no lock is what `loom-tests` is for.)
#[test]
fn lock_free_any_thread_through_one_reference() {
    fn is_shareable<T: Send + Sync + Clone>(_: &T) {}
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    is_shareable(&worker);
    is_shareable(&master);
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                worker.info("from a thread");
                barrier.wait();
            });
        }
    });
    worker.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("w").len(), 8);
    assert_eq!(place.rings("r-").len(), 8);
    master.shutdown().unwrap();
}

/// "Process isolation: worker crashes do not affect master or other workers".
#[test]
fn worker_crashes_do_not_affect_master_or_other_workers() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let mut survivor = Process::start("hundred Survivor", &place.config());
    let mut crashers: Vec<_> = (0..4)
        .map(|number| Process::start(&format!("one Crasher{number}"), &place.config()))
        .collect();
    crashers.iter_mut().for_each(|process| drop(process.hears()));
    crashers.iter_mut().for_each(Process::kill);
    (0..4).for_each(|number| drop(seen.wait_for(&format!("Worker Crasher{number} is dead"))));
    survivor.hears();
    survivor.end();
    let worker = WorkerLogger::new(place.config(), "late").unwrap();
    worker.info("still served");
    worker.flush(PATIENCE).unwrap();
    master.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("Survivor").len(), 100);
    assert_eq!(seen.of("late"), ["still served"]);
    assert_eq!(seen.of(MASTER).len(), 4);
    master.shutdown().unwrap();
}

/// "Atomic operations: single-write semantics": no record is ever seen in part or mixed.
#[test]
fn records_are_never_torn() {
    let place = Place::new();
    let file = Box::new(FileHandler::new(place.file("app.log")).unwrap());
    let master = MasterLogger::new(place.config(), vec![file]).unwrap();
    let config =
        LoggerConfig { overflow: Overflow::WAIT, buffer_size: 64 * 1024, ..place.config() };
    let worker = WorkerLogger::new(config, "w").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            let worker = &worker;
            scope.spawn(move || {
                let letter = char::from(b'a' + thread as u8).to_string();
                (0..500).for_each(|number| worker.info(&letter.repeat(1 + number * 7)));
            });
        }
    });
    worker.flush(PATIENCE).unwrap();
    master.shutdown().unwrap();
    let lines = lines(&place.file("app.log"));
    assert_eq!(lines.len(), 4 * 500);
    let mut seen = HashSet::new();
    for line in &lines {
        let (_, message) = line.split_once(" - ").unwrap();
        let first = message.chars().next().unwrap();
        assert!(message.chars().all(|letter| letter == first), "{line}");
        assert!((message.len() - 1).is_multiple_of(7));
        assert!(seen.insert((first, message.len())), "twice: {line}");
    }
}

/// "Good for: high-frequency logging (1000+ logs/sec)": a hundred times that, without a loss.
#[test]
fn high_frequency_logging() {
    const RECORDS: usize = 100_000;
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let config = LoggerConfig { overflow: Overflow::WAIT, ..place.config() };
    let worker = WorkerLogger::new(config, "fast").unwrap();
    let mut producer = worker.producer().unwrap();
    (0..RECORDS).for_each(|number| producer.info(&number.to_string()));
    worker.flush(PATIENCE).unwrap();
    let all = seen.of("fast");
    assert!(
        all.iter().map(|number| number.parse::<usize>().unwrap()).eq(0..RECORDS),
        "{}",
        all.len()
    );
    master.shutdown().unwrap();
}

/// "Good for: multi-process applications", and master and worker may be one process as well.
#[test]
fn master_and_worker_in_one_process() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "same").unwrap();
    let mut other = Process::start("one other", &place.config());
    other.hears();
    worker.info("here");
    master.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("same"), ["here"]);
    assert_eq!(seen.of("other"), ["from a process of its own"]);
    other.end();
    master.shutdown().unwrap();
}

/// "Overkill for: single-process applications, simple file-only logging, development": the standard
/// logger has the same calls and needs no directory.
#[test]
fn for_the_rest_there_is_the_standard_logger() {
    let (seen, handler) = keep();
    let logger =
        standard::Logger::new("dev", standard::LoggerConfig::default(), vec![handler]).unwrap();
    logger.set_level(millpond::Level::Trace);
    logger.trace("trace");
    logger.debug("debug");
    logger.info("info");
    logger.warning("warning");
    logger.error_with("error", b"\x01");
    logger.shutdown().unwrap();
    assert_eq!(seen.of("dev"), ["trace", "debug", "info", "warning", "error"]);
}
