//! What a worker can rely on when something is not as usual: a backlog, a ring that went bad, a
//! master that starts anew, clocks that count from elsewhere.
#![cfg(target_os = "linux")]

mod support;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond_std::{Account, Overflow};

use support::{Lines, PATIENCE, Place, eventually, master, role, say, wait_for_parent};

/// The account of a worker with this name.
fn account(master: &MasterLogger, name: &str) -> Account {
    let report = master.report().unwrap();
    report.workers.iter().find(|worker| worker.name == name).unwrap().account
}

/// More than is drained in one pass; and nothing but the flush makes it due.
#[test]
fn a_flush_takes_a_whole_backlog_however_long_the_interval_is() {
    let text = "x".repeat(100);
    for records in [10_000, 14_000, 18_000] {
        for has_master_before in [false, true] {
            let place = Place::new();
            let config = LoggerConfig {
                buffer_size: 4 << 20,
                flush_interval: Duration::from_secs(3600),
                ..place.config()
            };
            let early = has_master_before.then(|| master(&config));
            let worker = WorkerLogger::new(config.clone(), "busy").unwrap();
            (0..records).for_each(|_| worker.info(&text));
            let (master, lines) = early.unwrap_or_else(|| master(&config));
            assert_eq!(worker.flush(PATIENCE), Ok(()), "{records} records");
            assert_eq!(lines.count("busy: "), records);
            master.shutdown().unwrap();
        }
    }
}

/// One bad store of its own process costs a worker one ring, and what it had not yet noticed.
#[test]
fn the_owner_of_a_quarantined_ring_gets_a_fresh_one() {
    const BUFFER: usize = 64 * 1024;
    const TAIL: u64 = 4096; // as docs/wire-format.md has it
    let place = Place::new();
    let config = LoggerConfig { buffer_size: BUFFER, overflow: Overflow::WAIT, ..place.config() };
    let (master, lines) = master(&config);
    let worker = WorkerLogger::new(config, "hurt").unwrap();
    worker.info("before");
    worker.flush(PATIENCE).unwrap();
    let before = place.names(&["r-"]);
    let largest = before.iter().map(|name| place.pond().join(name));
    let ring = largest.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let file = OpenOptions::new().write(true).open(&ring).unwrap();
    file.write_all_at(&3u32.to_ne_bytes(), TAIL).unwrap();
    lines.wait_for("quarantined a ring of hurt");

    // It may find out only when the ring seems full.
    let fill = "y".repeat(100);
    let most = BUFFER / fill.len() + 1;
    for number in 0..2 * most {
        worker.info(&format!("{number} {fill}"));
    }
    worker.info("after");
    assert_eq!(worker.flush(PATIENCE), Ok(()));
    let seen = lines.of("hurt");
    assert_eq!(
        (seen.first().unwrap().as_str(), seen.last().unwrap().as_str()),
        ("before", "after")
    );
    let numbers = seen.iter().filter_map(|line| line.split_once(' ')?.0.parse::<usize>().ok());
    let first = numbers.clone().next().expect("some records through the new ring");
    assert!(first <= most, "a whole ring was lost, and more: {first}");
    assert!(numbers.eq(first..2 * most), "each that came after the first one");

    worker.shutdown();
    eventually("the quarantined ring is set aside", || !ring.exists());
    assert_eq!(lines.count("quarantined a ring"), 1);
    let report = master.shutdown().unwrap();
    let hurt = report.workers.iter().find(|worker| worker.name == "hurt").unwrap();
    assert_eq!(hurt.account.attempted, 2 * most as u64 + 2);
    assert_eq!(hurt.account.delivered, seen.len() as u64);
    assert!(hurt.account.is_balanced(0), "{hurt:?}");
}

/// The number of records that these lines report as lost.
fn lost(lines: &Lines) -> Vec<u64> {
    let lines = lines.of("lossy");
    let lost = lines.iter().filter_map(|line| line.split_once(" records lost "));
    lost.map(|(count, _)| count.parse().unwrap()).collect()
}

#[test]
fn losses_are_not_reported_again_by_the_next_master() {
    let place = Place::new();
    let config =
        LoggerConfig { buffer_size: 64 * 1024, overflow: Overflow::Drop, ..place.config() };
    let worker = WorkerLogger::new(config.clone(), "lossy").unwrap();
    let text = "y".repeat(100);
    (0..1000).for_each(|_| worker.info(&text));

    let (first, lines) = master(&config);
    worker.flush(PATIENCE).unwrap();
    worker.info("after the losses");
    worker.flush(PATIENCE).unwrap();
    let dropped = account(&first, "lossy").total_dropped();
    assert!(dropped > 0);
    assert_eq!(lost(&lines), [dropped]);
    first.shutdown().unwrap();

    let (second, lines) = master(&config);
    worker.shutdown();
    eventually("the worker has ended", || {
        let report = second.report().unwrap();
        report.workers.iter().any(|worker| worker.name == "lossy" && worker.ended)
    });
    let report = second.shutdown().unwrap();
    assert_eq!(lost(&lines), [0; 0]);
    let lossy = report.workers.iter().find(|worker| worker.name == "lossy").unwrap();
    assert_eq!(lossy.account.attempted, 1001);
    assert_eq!(lossy.account.total_dropped(), dropped);
    assert!(lossy.account.is_balanced(0), "{lossy:?}");
}

const TURNS: usize = 20;

/// A worker process, in namespaces of its own: logs, waits, and goes on.
#[test]
fn worker_process() {
    let Some((_, config)) = role() else { return };
    let worker = WorkerLogger::new(config, "elsewhere").unwrap();
    worker.info("first");
    say("ready");
    wait_for_parent();
    for number in 0..TURNS {
        worker.info(&number.to_string());
        say(worker.flush(PATIENCE).is_ok());
    }
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--time", "--boottime", "100000", "--fork", "--kill-child"]);
    command
}

/// The start times that the kernel shows are those of the boot clock, which such a worker sees
/// shifted. Its owner word is evidence of its life; without one, it is its process.
#[test]
fn a_worker_in_another_time_namespace_is_not_declared_dead() {
    let probe = unshare().arg("true").stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: `unshare --time` is not allowed here");
        return;
    }
    for has_keeper in [true, false] {
        let place = Place::new();
        let config = place.config();
        let mut child = unshare()
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "worker_process", "--nocapture"])
            .env("MILLPOND_TEST_ROLE", "elsewhere")
            .env("MILLPOND_TEST_PATH", &config.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines_of_child = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut hears = || {
            let said = lines_of_child.find_map(|line| {
                line.unwrap().split_once("said: ").map(|(_, word)| word.to_owned())
            });
            said.expect("the worker goes on")
        };
        assert_eq!(hears(), "ready");
        if !has_keeper {
            for name in place.names(&["w-"]) {
                std::fs::remove_file(place.pond().join(name)).unwrap();
            }
        }
        let (master, lines) = master(&config);
        lines.wait_for("elsewhere: first");
        drop(child.stdin.take());
        for _ in 0..TURNS {
            assert_eq!(hears(), "true", "a flush");
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(lines.of("elsewhere").len(), 1 + TURNS);
        master.shutdown().unwrap();
    }
}
