//! What may stand for the logger.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use millpond::info;
use millpond::standard::{Logger, Producer};

use crate::support::Log;

struct Session {
    log: Logger,
    fast: Producer,
    others: Vec<Producer>,
    count: u32,
}

impl Session {
    fn log(&self) -> &Logger {
        &self.log
    }

    fn fast(&mut self) -> &mut Producer {
        &mut self.fast
    }

    fn whole(&mut self) -> &mut Self {
        self
    }

    fn work(&mut self) {
        info!(self.log, "field {}", self.count);
        info!(self.fast, "producer {}", self.count);
        info!(&mut self.fast, "reference {}", self.count);
        info!(self.others[0], "element {}", self.count);
        info!(self.log(), "method {}", self.count);
        info!(self.fast(), "method {}", 1);
        info!(self.whole().fast, "field of a call {}", 1);
        info!(self.whole().others[0], "element of a call {}", 1);
    }
}

#[test]
fn loggers_and_producers_in_structs() {
    let log = Log::new();
    let producer = || log.logger.producer().unwrap();
    let mut session =
        Session { log: log.logger.clone(), fast: producer(), others: vec![producer()], count: 7 };
    session.work();
    drop(session);
    let mut messages = log.messages();
    messages.sort_unstable();
    let expected = [
        "element 7",
        "element of a call 1",
        "field 7",
        "field of a call 1",
        "method 1",
        "method 7",
        "producer 7",
        "reference 7",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn references_and_pointers() {
    let log = Log::new();
    let reference = &log.logger;
    let shared = Arc::new(log.logger.clone());
    let boxed = Box::new(log.logger.clone());
    info!(log.logger, "a");
    info!(reference, "b");
    info!(&log.logger, "c");
    info!(&reference, "d");
    info!(shared, "e");
    info!(boxed, "f");
    info!(*shared, "g");
    info!(Arc::clone(&shared), "h");
    info!((log.logger), "i");
    drop((shared, boxed));
    assert_eq!(log.messages().concat(), "abcdefghi");
}

#[test]
fn producers_by_reference() {
    fn by_reference(fast: &mut Producer, number: u32) {
        info!(fast, "a {number}");
        info!(*fast, "b {number}");
        info!(&mut *fast, "c {number}");
    }
    let log = Log::new();
    let mut fast = log.logger.producer().unwrap();
    by_reference(&mut fast, 1);
    info!(&mut fast, "d {}", 1);
    let mut boxed = Box::new(fast);
    info!(boxed, "e {}", 1);
    let locked = Mutex::new(boxed);
    info!(locked.lock().unwrap(), "f {}", 1);
    drop(locked);
    assert_eq!(log.messages(), ["a 1", "b 1", "c 1", "d 1", "e 1", "f 1"]);
}

#[test]
fn a_call_is_evaluated_once() {
    let log = Log::new();
    let count = Cell::new(0);
    let get = || {
        count.set(count.get() + 1);
        &log.logger
    };
    info!(get(), "a");
    info!({ get() }, "b");
    info!([get(), get()][count.replace(1) - count.get() - 2], "c");
    assert_eq!(count.get(), 1);
    assert_eq!(log.messages(), ["a", "b", "c"]);
}

#[test]
fn an_argument_may_use_the_producer() {
    let log = Log::new();
    let mut fast = log.logger.producer().unwrap();
    info!(fast, "enabled {}", fast.is_enabled(millpond::Level::Info));
    drop(fast);
    assert_eq!(log.messages(), ["enabled true"]);
}

#[test]
fn calls_are_expressions() {
    let log = Log::new();
    let choose = |number: u32| match number {
        0 => info!(log.logger, "zero"),
        1 => info!(log.logger, "one {number}"),
        _ => (),
    };
    choose(0);
    choose(1);
    assert_eq!(log.messages(), ["zero", "one 1"]);
}

#[test]
#[cfg(all(feature = "advanced", feature = "handlers", target_os = "linux"))]
fn workers_and_masters() {
    use millpond::advanced::{LoggerConfig, MasterLogger, WorkerLogger};

    let place = tempfile::Builder::new().prefix("millpond-macros-").tempdir_in("/dev/shm").unwrap();
    let path = format!("ipc://{}", place.path().join("pond").display());
    let config = LoggerConfig { path, ..LoggerConfig::default() };
    let file = place.path().join("log");
    let handler = millpond::handlers::FileHandler::new(&file).unwrap();
    let master = MasterLogger::new(config.clone(), vec![Box::new(handler)]).unwrap();
    let worker = WorkerLogger::new(config, "worker").unwrap();
    info!(master, "of the master {}", 1);
    info!(worker, "of the worker {}", 2);
    let mut fast = worker.producer().unwrap();
    info!(fast, "of the producer {}", 3);
    drop(fast);
    worker.shutdown();
    let _report = master.shutdown().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    for message in ["of the master 1", "of the worker 2", "of the producer 3"] {
        assert!(text.contains(message), "{text}");
    }
}
