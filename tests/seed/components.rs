//! "Core components": WorkerLogger, MasterLogger, message types; and the picture above them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use millpond::advanced::{LoggerConfig, MASTER, MasterLogger, WorkerLogger};
use millpond::core::frame::{Body, Frames, HEADER};
use millpond::handlers::FileHandler;
use millpond::{Level, Overflow};

use super::support::{PATIENCE, Place, Process, keep, lines, master};

/// The frames in the data of a ring file, as docs/wire-format.md has it.
fn frames(file: &std::path::Path, look: impl FnMut(&millpond::core::frame::Frame<'_>)) {
    let bytes = std::fs::read(file).unwrap();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (data, tail) = (word(56), word(4096));
    let frames = Frames::new(&bytes[data..data + tail]);
    frames.map(|frame| frame.unwrap()).collect::<Vec<_>>().iter().for_each(look);
}

/// The picture: any number of processes, one transport, one master, several handlers.
#[test]
fn workers_in_processes_to_one_master_to_several_handlers() {
    let place = Place::new();
    let (seen, handler) = keep();
    let file = Box::new(FileHandler::new(place.file("all.log")).unwrap());
    let master = MasterLogger::new(place.config(), vec![handler, file]).unwrap();
    let names = ["A", "B", "N"];
    let mut processes = names.map(|name| Process::start(&format!("one {name}"), &place.config()));
    processes.iter_mut().for_each(|process| drop(process.hears()));
    master.flush(PATIENCE).unwrap();
    for name in names {
        assert_eq!(seen.of(name), ["from a process of its own"]);
        let suffix = format!("[INFO] {name} - from a process of its own");
        assert_eq!(
            lines(&place.file("all.log")).iter().filter(|l| l.ends_with(&suffix)).count(),
            1
        );
    }
    processes.into_iter().for_each(Process::end);
    master.shutdown().unwrap();
}

/// "Purpose: lightweight logger for worker processes": it needs nobody and one thread.
#[test]
fn a_worker_is_lightweight() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    assert_eq!(place.rings("w-").len(), 1);
    assert!(place.rings("r-").is_empty(), "a ring for records comes with the first one");
    worker.info("now");
    assert_eq!(place.rings("r-").len(), 1);
    let length = |path: &std::path::PathBuf| std::fs::metadata(path).unwrap().len();
    let all = place.rings("w-").iter().chain(&place.rings("r-")).map(length).sum::<u64>();
    assert!(all < 2 << 20, "{all} bytes of shared memory");
}

/// "Batching: collects logs in memory, sends in batches": our memory is already the master's, so
/// what is batched is the way to the handlers.
#[test]
fn records_come_to_handlers_in_batches() {
    let place = Place::new();
    let flush_interval = Duration::from_secs(3600);
    let (master, seen) = master(&LoggerConfig { flush_interval, ..place.config() });
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    (0..1000).for_each(|number| worker.info(&number.to_string()));
    worker.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("w").len(), 1000);
    assert!(seen.pushes() < 10, "{} batches", seen.pushes());
    master.shutdown().unwrap();
}

/// "Heartbeats: sends periodic health checks (60s intervals)" and "with next check-in time".
#[test]
fn heartbeats_promise_the_next_after_60_seconds() {
    let place = Place::new();
    assert_eq!(place.config().heartbeat_interval, Duration::from_secs(60));
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    let [keeper] = &place.rings("w-")[..] else { panic!("one keeper") };
    let mut promised = Vec::new();
    // The first one follows the file.
    super::support::eventually("a heartbeat", || {
        frames(keeper, |frame| {
            if let Ok(Some(Body::Heartbeat(heartbeat))) = frame.body() {
                promised.push(heartbeat.next_checkin_ns);
            }
        });
        !promised.is_empty()
    });
    assert_eq!(promised, [60_000_000_000]);
    drop(worker);
}

/// "Non-blocking: never blocks the main process thread": nobody drains, and the calls return.
#[test]
fn a_worker_never_blocks() {
    let place = Place::new();
    let config = LoggerConfig { buffer_size: 4096, ..place.config() };
    assert_eq!(config.overflow, Overflow::Drop);
    let worker = WorkerLogger::new(config, "w").unwrap();
    (0..10_000).for_each(|number| worker.info(&number.to_string()));

    let (master, seen) = master(&place.config());
    worker.flush(PATIENCE).unwrap();
    worker.info("the loss is shown before this");
    worker.flush(PATIENCE).unwrap();
    assert!(seen.of("w").iter().any(|line| line.contains(" records lost here: ")));
    let total = master.shutdown().unwrap().total;
    assert!(total.total_dropped() > 0 && total.is_balanced(0), "{total:?}");
    assert_eq!(total.attempted, 10_001);
}

/// "Purpose: central aggregator that receives all logs", its own among them.
#[test]
fn the_master_receives_all_logs() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let workers = ["one", "two"].map(|name| WorkerLogger::new(place.config(), name).unwrap());
    workers.iter().for_each(|worker| worker.info("hello"));
    master.info("hello yourself");
    master.flush(PATIENCE).unwrap();
    for (name, text) in [("one", "hello"), ("two", "hello"), (MASTER, "hello yourself")] {
        assert_eq!(seen.of(name), [text]);
    }
    assert_eq!(master.shutdown().unwrap().total.delivered, 3);
}

/// "Processing: decodes, filters, and routes logs to handlers".
#[test]
fn the_master_decodes_filters_and_routes() {
    let place = Place::new();
    let (first, handler) = keep();
    let (second, other) = keep();
    let config = LoggerConfig { base_level: Level::Warning, ..place.config() };
    let master = MasterLogger::new(config, vec![handler, other]).unwrap();
    let base_level = Level::Trace;
    let worker = WorkerLogger::new(LoggerConfig { base_level, ..place.config() }, "w").unwrap();
    worker.trace("filtered");
    worker.debug("filtered");
    worker.info("filtered");
    worker.warning("kept");
    worker.error_with("kept with bytes", b"\x00\xff");
    worker.flush(PATIENCE).unwrap();
    for seen in [first, second] {
        assert_eq!(seen.of("w"), ["kept", "kept with bytes"]);
        let records = seen.records();
        assert_eq!((records[0].level, records[1].level), (Level::Warning, Level::Error));
        assert_eq!(records[1].bytes.as_deref(), Some(&b"\x00\xff"[..]));
    }
    assert_eq!(master.shutdown().unwrap().total.filtered, 3);
}

/// "Handlers: forwards logs to files".
#[test]
fn the_master_forwards_to_files() {
    let place = Place::new();
    let file = Box::new(FileHandler::new(place.file("deep/in/folders/app.log")).unwrap());
    let master = MasterLogger::new(place.config(), vec![file]).unwrap();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    worker.info("to a file");
    worker.flush(PATIENCE).unwrap();
    let lines = lines(&place.file("deep/in/folders/app.log"));
    assert!(matches!(&lines[..], [line] if line.ends_with("[INFO] w - to a file")), "{lines:?}");
    master.shutdown().unwrap();
}

/// "Log batches: binary-serialized log entries with timestamps".
#[test]
fn log_entries_are_binary_and_have_timestamps() {
    let place = Place::new();
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    let before = wall();
    worker.warning("text");
    let after = wall();
    let [ring] = &place.rings("r-")[..] else { panic!("one ring") };
    let mut found = 0;
    frames(ring, |frame| {
        if frame.payload == b"text" {
            assert_eq!(frame.header.length as usize, HEADER + 4);
            assert_eq!(frame.header.level(), Level::Warning);
            assert_ne!(frame.header.ticks, 0);
            found += 1;
        }
    });
    assert_eq!(found, 1);

    let (master, seen) = master(&place.config());
    let stamp = seen.wait_for("text").timestamp_ns;
    // The wall clock may be stepped a little meanwhile.
    let slack = 500_000_000;
    assert!((before - slack..=after + slack).contains(&stamp), "{before} {stamp} {after}");
    master.shutdown().unwrap();
}

/// "Shutdown: special heartbeats indicating worker termination".
#[test]
fn shutdown_is_said_in_the_heartbeats_ring() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    let [keeper] = &place.rings("w-")[..] else { panic!("one keeper") };
    worker.shutdown();
    let mut last_is_shutdown = false;
    frames(keeper, |frame| last_is_shutdown = matches!(frame.body(), Ok(Some(Body::Shutdown))));
    assert!(last_is_shutdown);

    let (master, seen) = master(&place.config());
    super::support::eventually("its files are removed", || !keeper.exists());
    master.flush(PATIENCE).unwrap();
    assert!(seen.of(MASTER).is_empty(), "an orderly end is no news: {:?}", seen.of(MASTER));
    master.shutdown().unwrap();
}
