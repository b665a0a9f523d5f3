//! Bad input: in each case the master says what was wrong, once, and serves everybody else.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod deleted;
mod files;
mod large;
mod places;
mod ring_file;
mod scarce;
mod scribble;

use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond_std::Overflow;
use support::{Lines, PATIENCE, say, wait_for_parent};

/// A worker that is well and proves it.
struct Healthy {
    worker: WorkerLogger,
    logged: usize,
}

impl Healthy {
    fn new(config: &LoggerConfig) -> Self {
        Self { worker: WorkerLogger::new(config.clone(), "healthy").unwrap(), logged: 0 }
    }

    /// A record arrives, as all before it did, in order.
    fn check(&mut self, lines: &Lines) {
        self.worker.info(&self.logged.to_string());
        self.logged += 1;
        self.worker.flush(PATIENCE).unwrap();
        let expected: Vec<_> = (0..self.logged).map(|number| number.to_string()).collect();
        assert_eq!(lines.of("healthy"), expected);
    }
}

/// Everything that was logged is accounted for.
fn check_books(master: &MasterLogger) {
    let report = master.shutdown().unwrap();
    assert!(report.total.is_balanced(0), "{report:?}");
}

/// Until it is killed.
fn wait_for_end() {
    loop {
        std::thread::park();
    }
}

/// The process that the tests here start: logs one record and waits.
#[test]
fn worker_process() {
    let Some((role, config)) = support::role() else { return };
    let config = match role.as_str() {
        "goes on" => LoggerConfig { buffer_size: 4096, overflow: Overflow::WAIT, ..config },
        _ => config,
    };
    let worker = WorkerLogger::new(config, "victim").unwrap();
    match role.as_str() {
        "victim" => {
            worker.info("a good record");
            say("ready");
            wait_for_parent();
        }
        "goes on" => {
            worker.info("a good record");
            say("ready");
            wait_for_parent();
            (0..1000).for_each(|number| worker.info(&format!("number {number}")));
            say("done");
            wait_for_end();
        }
        "new threads" => deleted::log_from_new_threads(&worker),
        other => panic!("no such role: {other}"),
    }
}
