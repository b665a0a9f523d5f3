//! What the system that Millpond re-imagines promises in its document, as tests: each snippet and
//! each sentence about behaviour. `README.md` beside this file says which is which.
#![cfg(target_os = "linux")]

mod components;
mod configuration;
mod errors;
mod flow;
mod performance;
mod safety;
mod standard;
mod support;

use millpond::Overflow;
use millpond::advanced::{LoggerConfig, WorkerLogger};
use millpond::standard::Logger;
use support::{PATIENCE, say, wait_for_parent};

/// The process that the tests start: this very binary, to play a part.
#[test]
fn worker_process() {
    let Some((role, config)) = support::role() else { return };
    let (role, name) = role.split_once(' ').unwrap();
    if role == "mirror" {
        let config = millpond::standard::LoggerConfig { do_stdout: true, ..Default::default() };
        let logger = Logger::new(name, config, vec![]).unwrap();
        logger.info("said: mirrored");
        logger.flush(PATIENCE).unwrap();
        return wait_for_parent();
    }
    if role == "master" {
        return errors::master_process(config, name);
    }
    let config = LoggerConfig { overflow: Overflow::WAIT, ..config };
    let worker = WorkerLogger::new(config, name).unwrap();
    match role {
        "one" => worker.info("from a process of its own"),
        "hundred" => (0..100).for_each(|number| worker.info(&number.to_string())),
        other => panic!("no such role: {other}"),
    }
    say("logged");
    wait_for_parent();
    worker.shutdown();
}
