//! "Message flow", 1 to 3.

use std::time::Duration;

use rustix::process::Signal;

use millpond::Level;
use millpond::advanced::{LoggerConfig, MASTER, MasterLogger, WorkerLogger};

use super::support::{PATIENCE, Place, Process, keep, master};

/// Step 1: serialized, in the local buffer, sent when the time is up.
#[test]
fn worker_logging() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    worker.info("User login successful");
    let bytes = std::fs::read(&place.rings("r-")[0]).unwrap();
    let text = b"User login successful";
    assert_eq!(bytes.windows(text.len()).filter(|part| part == text).count(), 1);

    let flush_interval = Duration::from_millis(10);
    let (master, seen) = master(&LoggerConfig { flush_interval, ..place.config() });
    seen.wait_for("User login successful");
    master.shutdown().unwrap();
}

/// Step 1, the other way: sent when the buffer fills, long before the time is up.
#[test]
fn a_buffer_that_fills_is_sent() {
    let place = Place::new();
    let flush_interval = Duration::from_secs(3600);
    let (master, seen) = master(&LoggerConfig { flush_interval, ..place.config() });
    let worker =
        WorkerLogger::new(LoggerConfig { buffer_size: 8192, ..place.config() }, "w").unwrap();
    for number in 0..120 {
        worker.info(&format!("{number} {}", "x".repeat(30)));
    }
    seen.wait_for("0 x");
    master.shutdown().unwrap();
}

/// Step 2: every handler gets every decoded record; a heartbeat is no record.
#[test]
fn master_processing() {
    let place = Place::new();
    let (first, one) = keep();
    let (second, two) = keep();
    let master = MasterLogger::new(place.config(), vec![one, two]).unwrap();
    let heartbeat_interval = Duration::from_millis(5);
    let config = LoggerConfig { heartbeat_interval, ..place.config() };
    let worker = WorkerLogger::new(config, "w").unwrap();
    for level in [Level::Info, Level::Warning, Level::Error] {
        worker.text(level, level.name());
    }
    worker.flush(PATIENCE).unwrap();
    worker.shutdown();
    let report = master.shutdown().unwrap();
    for seen in [first, second] {
        assert_eq!(seen.of("w"), ["INFO", "WARNING", "ERROR"]);
        assert_eq!(seen.records().len(), 3, "and nothing of the heartbeats");
    }
    assert_eq!(report.total.delivered, 3);
}

/// Step 3: `current_time > next_checkin + 1_second`. What is known to live "appears stalled" rather than
/// dead, and is greeted when it comes back; what the kernel says is dead is dead at once.
#[test]
fn health_monitoring() {
    let place = Place::new();
    let heartbeat_interval = Duration::from_millis(50);
    let flush_interval = Duration::from_millis(20);
    let config = LoggerConfig { heartbeat_interval, flush_interval, ..place.config() };
    let (master, seen) = master(&config);
    let mut sleeper = Process::start("one Sleeper", &config);
    let mut victim = Process::start("one Victim", &config);
    sleeper.hears();
    victim.hears();

    sleeper.signal(Signal::STOP);
    let stalled = seen.wait_for("Worker Sleeper appears stalled");
    assert_eq!((&*stalled.name, stalled.level), (MASTER, Level::Warning));
    // Served meanwhile, and not taken for stalled itself.
    let worker = WorkerLogger::new(config, "w").unwrap();
    worker.info("hello");
    worker.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("w"), ["hello"]);
    sleeper.signal(Signal::CONT);
    seen.wait_for("Worker Sleeper has recovered");

    victim.kill();
    let died = seen.wait_for("Worker Victim is dead");
    assert_eq!((&*died.name, died.level), (MASTER, Level::Warning));
    assert!(died.message.contains(&format!("pid {}, 1 delivered, 0 dropped", victim.pid())));
    sleeper.end();
    master.flush(PATIENCE).unwrap();
    let said = seen.of(MASTER);
    assert_eq!(said.len(), 3, "each once, and nothing about anybody else: {said:#?}");
    master.shutdown().unwrap();
}
