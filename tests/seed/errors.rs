//! "Error handling".

use std::collections::BTreeSet;

use millpond::advanced::{LoggerConfig, MASTER, MasterLogger, WorkerLogger};
use millpond::handlers::FileHandler;
use millpond::{FlushError, Handler, HandlerError, Records};

use super::support::{
    PATIENCE, Place, Process, eventually, keep, lines, master, say, wait_for_parent,
};

/// "Connection failures: workers continue logging locally and reconnect".
#[test]
fn workers_continue_without_a_master_and_the_next_one_finds_them() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    worker.info("before any master");
    assert_eq!(worker.flush(PATIENCE), Err(FlushError::NoMaster));
    for round in 0..3 {
        let (master, seen) = master(&place.config());
        worker.info(&format!("round {round}"));
        worker.flush(PATIENCE).unwrap();
        master.shutdown().unwrap();
        let before =
            if round == 0 { "before any master".into() } else { format!("between {round}") };
        assert_eq!(seen.of("w"), [before, format!("round {round}")], "each once");
        worker.info(&format!("between {}", round + 1));
    }
}

/// In a process: a master that writes into the file `name`.
pub(crate) fn master_process(config: LoggerConfig, name: &str) {
    let file = Box::new(FileHandler::new(name).unwrap());
    let _master = MasterLogger::new(config, vec![file]).unwrap();
    say("serving");
    wait_for_parent();
}

/// The same when the master is killed. (That the file then has each record exactly once comes with
/// the issue on the checkpoint; here: at least once, and in order.)
#[test]
fn a_killed_master_loses_nothing() {
    let place = Place::new();
    let file = place.file("app.log");
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    for round in 0..3 {
        let role = format!("master {}", file.display());
        let mut process = Process::start(&role, &place.config());
        process.hears();
        for number in 0..100 {
            worker.info(&format!("{round} {number:02}"));
        }
        if round == 1 {
            worker.flush(PATIENCE).unwrap();
        }
        process.kill();
    }
    let (master, seen) = master(&place.config());
    master.flush(PATIENCE).unwrap();
    let in_file = lines(&file).into_iter().map(|l| l.split_once(" - ").unwrap().1.to_owned());
    let all: BTreeSet<_> = in_file.chain(seen.of("w")).collect();
    let expected: BTreeSet<_> =
        (0..3).flat_map(|r| (0..100).map(move |n| format!("{r} {n:02}"))).collect();
    assert_eq!(all, expected);
    master.shutdown().unwrap();
}

/// "Handler failures: individual handler errors do not affect others".
#[test]
fn handler_failures_do_not_affect_others() {
    struct Fails(bool);
    impl Handler for Fails {
        fn name(&self) -> &str {
            "fails"
        }
        fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
            self.0 = !self.0;
            if self.0 {
                Err("out of order".into())
            } else {
                std::panic::resume_unwind(Box::new(()))
            }
        }
    }
    let place = Place::new();
    let (seen, handler) = keep();
    let handlers = vec![Box::new(Fails(false)) as Box<dyn Handler>, handler];
    let master = MasterLogger::new(place.config(), handlers).unwrap();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    for number in 0..4 {
        worker.info(&number.to_string());
        worker.flush(PATIENCE).unwrap();
    }
    assert_eq!(seen.of("w"), ["0", "1", "2", "3"]);
    let report = master.shutdown().unwrap();
    let of = |name: &str| report.handlers.iter().find(|handler| handler.name == name).unwrap();
    assert_eq!((of("fails").failed, of("fails").delivered), (4, 0));
    assert_eq!((of("keep").failed, of("keep").delivered), (0, 4));
}

/// "Worker crashes: master detects": by the kernel's word, and before any heartbeat is missed.
#[test]
fn worker_crashes_are_detected_and_lose_nothing() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let mut process = Process::start("hundred Crasher", &place.config());
    process.hears();
    process.kill();
    let obituary = seen.wait_for("Worker Crasher is dead");
    assert_eq!(obituary.name, MASTER);
    assert!(obituary.message.ends_with("100 delivered, 0 dropped"), "{}", obituary.message);
    let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(seen.of("Crasher"), expected);
    eventually("its rings are removed", || {
        let pid = format!("-{}-", process.pid());
        let of = |prefix: &str| place.rings(prefix);
        !of("r-").iter().chain(&of("w-")).any(|path| path.to_str().unwrap().contains(&pid))
    });
    master.shutdown().unwrap();
}

/// "Graceful shutdown: flushes pending logs before exit", on both sides and for both loggers.
#[test]
fn graceful_shutdown_flushes_pending_logs() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    (0..1000).for_each(|number| worker.info(&number.to_string()));
    worker.shutdown();
    master.info("last of all");
    let report = master.shutdown().unwrap();
    assert_eq!((seen.of("w").len(), seen.of(MASTER).len()), (1000, 1));
    assert!(report.total.is_balanced(0), "{report:?}");

    worker.info("too late");
    assert_eq!(worker.refused(), 1);
    assert_eq!(master.flush(PATIENCE), Err(FlushError::NoMaster));
}

#[test]
fn graceful_shutdown_of_a_process_flushes_pending_logs() {
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let mut process = Process::start("hundred Orderly", &place.config());
    process.hears();
    process.end();
    eventually("its rings are drained and removed", || place.rings("r-").is_empty());
    master.flush(PATIENCE).unwrap();
    assert_eq!(seen.of("Orderly").len(), 100);
    assert!(seen.of(MASTER).is_empty(), "an orderly end is no news: {:?}", seen.of(MASTER));
    master.shutdown().unwrap();
}
