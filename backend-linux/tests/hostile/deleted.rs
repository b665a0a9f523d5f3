//! The directory is removed under a master and workers that run. What it then is, until recovery
//! comes with a later issue: rings that the master has are drained on, it says once what happened,
//! and records of threads that have no ring yet are counted as lost.

use std::fs;

use millpond_linux::WorkerLogger;
use millpond_std::collector::FlushError;

use super::support::{PATIENCE, Place, Process, eventually, master, say, wait_for_parent};
use super::{Healthy, check_books};

/// Processor time of this process's thread that drains, in clock ticks of 10 ms.
fn collector_ticks() -> u64 {
    let mut ticks = 0;
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        if head.contains("(millpond-coll") || head.contains("(millpond-watch") {
            let field = |at: usize| tail.split_ascii_whitespace().nth(at).unwrap();
            ticks += field(11).parse::<u64>().unwrap() + field(12).parse::<u64>().unwrap();
        }
    }
    ticks
}

/// In the worker process: a thread of its own for each record, as told.
pub(crate) fn log_from_new_threads(worker: &WorkerLogger) {
    let _ring = worker.producer().unwrap();
    say("ready");
    wait_for_parent();
    std::thread::scope(|scope| {
        for number in 0..3 {
            scope.spawn(move || worker.info(&number.to_string()));
        }
    });
    say(worker.refused());
}

#[test]
fn it_is_said_once_and_rings_that_are_known_are_drained_on() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    fs::remove_dir_all(place.pond()).unwrap();

    let said = lines.wait_for("was removed or replaced");
    assert!(said.starts_with("MASTER: the directory `"), "{said}");
    assert!(said.contains("restart the master"), "{said}");
    for number in 0..100 {
        healthy.worker.info(&number.to_string());
    }
    master.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("healthy").len(), 101);
    // Nobody is found through the directory: a worker cannot tell that there is a master.
    assert_eq!(healthy.worker.flush(PATIENCE), Err(FlushError::NoMaster));

    // Time in which nothing has to be done: some scans of the directory, which is not there.
    let before = collector_ticks();
    let start = std::time::Instant::now();
    eventually("a scan or two", || start.elapsed() > std::time::Duration::from_millis(1500));
    let used = collector_ticks() - before;
    assert!(used < 50, "{used} ticks of 10 ms in 1.5 s: a busy loop");

    healthy.worker.shutdown();
    assert_eq!(lines.count("was removed or replaced"), 1);
    check_books(&master);
}

#[test]
fn a_worker_counts_what_its_new_threads_lose() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut process = Process::start("new threads", &place.config());
    process.hears();
    fs::remove_dir_all(place.pond()).unwrap();
    lines.wait_for("was removed or replaced");
    process.release();
    let refused: u64 = process.hears().parse().unwrap();
    assert!(refused >= 2, "{refused}");
    process.end();
    master.shutdown().unwrap();
}

#[test]
fn another_directory_of_the_name_has_a_life_of_its_own() {
    let place = Place::new();
    let (first, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    fs::rename(place.pond(), place.pond().with_extension("aside")).unwrap();
    let (second, second_lines) = master(&place.config());
    lines.wait_for("was removed or replaced");
    healthy.worker.info("into the old one");
    first.flush(PATIENCE).unwrap();
    lines.wait_for("healthy: into the old one");
    Healthy::new(&place.config()).check(&second_lines);
    check_books(&second);
    check_books(&first);
}
