//! Workers and a master, in one process and in several.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond_std::collector::FlushError;
use millpond_std::{Level, Overflow};

use support::{PATIENCE, master};

fn directory() -> (tempfile::TempDir, LoggerConfig) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = format!("ipc://{}", directory.path().join("pond").display());
    (directory, LoggerConfig { path, ..LoggerConfig::default() })
}

fn rings(directory: &tempfile::TempDir) -> usize {
    let files = std::fs::read_dir(directory.path().join("pond")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("r-") || name.starts_with("w-")).count()
}

#[test]
fn master_and_worker_in_one_process() {
    let (directory, config) = directory();
    let (master, lines) = master(&config);
    let worker = WorkerLogger::new(config, "DataProcessor").unwrap();
    worker.info("processing batch 123");
    worker.debug("below the level");
    worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("DataProcessor"), ["processing batch 123"]);
    master.info("hello from the master");
    master.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("MASTER"), ["hello from the master"]);
    worker.shutdown();
    worker.info("too late");
    assert_eq!(worker.refused(), 1);
    let report = master.shutdown().unwrap();
    assert_eq!(report.total.delivered, 2);
    assert!(report.total.is_balanced(0), "{report:?}");
    assert_eq!(master.shutdown().unwrap(), report);
    drop(directory);
}

#[test]
fn what_was_logged_without_a_master_is_delivered_by_the_next() {
    let (directory, config) = directory();
    let worker = WorkerLogger::new(config.clone(), "early").unwrap();
    worker.info("before any master");
    assert_eq!(worker.flush(PATIENCE), Err(FlushError::NoMaster));

    let (first, lines) = master(&config);
    lines.wait_for("before any master");
    first.shutdown().unwrap();
    worker.info("between two masters");

    let (second, lines) = master(&config);
    worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("early"), ["between two masters"], "and nothing twice");
    worker.shutdown();
    drop(worker);
    let report = second.shutdown().unwrap();
    let early = report.workers.iter().find(|worker| worker.name == "early").unwrap();
    assert_eq!((early.account.attempted, early.account.delivered), (2, 2));
    drop(directory);
}

#[test]
fn a_second_master_is_refused() {
    let (_directory, config) = directory();
    let (first, _) = master(&config);
    let error = MasterLogger::new(config.clone(), vec![]).unwrap_err().to_string();
    assert!(error.contains(&std::process::id().to_string()), "{error}");
    first.shutdown().unwrap();
    MasterLogger::new(config, vec![]).unwrap();
}

#[test]
fn the_master_filters_by_its_own_level() {
    let (_directory, config) = directory();
    let strict = LoggerConfig { base_level: Level::Warning, ..config.clone() };
    let (master, lines) = master(&strict);
    let worker = WorkerLogger::new(config, "w").unwrap();
    worker.info("filtered");
    worker.warning("kept");
    worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("w"), ["kept"]);
    let report = master.shutdown().unwrap();
    assert_eq!((report.total.filtered, report.total.delivered), (1, 1));
    assert!(report.total.is_balanced(0));
}

/// A worker in a process of its own: this very test binary, started again.
fn spawn(role: &str, config: &LoggerConfig) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker_process", "--nocapture"])
        .env("MILLPOND_TEST_ROLE", role)
        .env("MILLPOND_TEST_PATH", &config.path)
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the child has printed `word` on a line.
fn wait_for_word(child: &mut Child, word: &str) {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(word)), "the child did not say {word}");
}

#[test]
fn worker_process() {
    let Ok(role) = std::env::var("MILLPOND_TEST_ROLE") else { return };
    let path = std::env::var("MILLPOND_TEST_PATH").unwrap();
    let config = LoggerConfig { path, overflow: Overflow::WAIT, ..LoggerConfig::default() };
    let worker = WorkerLogger::new(config, "child").unwrap();
    for number in 0..1000 {
        worker.info(&number.to_string());
    }
    println!("READY");
    match role.as_str() {
        "shut down" => worker.shutdown(),
        "exit" => std::process::exit(0),
        "abort" => std::process::abort(),
        "fork" => fork_and_log(&worker),
        _ => {
            // Until it is killed: the other end of standard input stays open.
            let _ = std::io::stdin().lines().next();
        }
    }
}

#[allow(unsafe_code)]
fn fork_and_log(worker: &WorkerLogger) {
    // SAFETY: the child only logs and leaves by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            worker.info("from the forked child");
            // SAFETY: ends the child without running the parent's destructors.
            unsafe { libc::_exit(0) };
        }
        child => {
            let mut status = 0;
            // SAFETY: waits for our own child.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(status, 0, "the child crashed");
            worker.info("from the parent after it");
            worker.shutdown();
        }
    }
}

fn check_child(role: &str, kill: bool) -> (Vec<String>, Option<String>) {
    let (directory, config) = directory();
    let (master, lines) = master(&config);
    let mut child = spawn(role, &config);
    wait_for_word(&mut child, "READY");
    if kill {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    // The rings of a worker that is gone are removed once everything of it is delivered.
    let deadline = Instant::now() + PATIENCE;
    while rings(&directory) > 2 {
        assert!(Instant::now() < deadline, "{} rings left", rings(&directory));
        master.flush(PATIENCE).unwrap();
    }
    master.flush(PATIENCE).unwrap();
    let numbers: Vec<String> =
        lines.of("child").into_iter().filter(|line| line.parse::<u32>().is_ok()).collect();
    let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    let obituary = lines.all().into_iter().find(|line| line.contains("is dead"));
    assert!(master.shutdown().unwrap().total.is_balanced(0));
    (lines.of("child"), obituary)
}

#[test]
fn a_killed_worker_loses_nothing_and_gets_an_obituary() {
    let (_, obituary) = check_child("wait", true);
    let obituary = obituary.expect("an obituary");
    assert!(obituary.starts_with("MASTER: Worker child is dead: pid "), "{obituary}");
    assert!(obituary.contains("1000 delivered"), "{obituary}");
}

#[test]
fn an_aborted_worker_loses_nothing() {
    assert!(check_child("abort", false).1.is_some());
}

#[test]
fn a_worker_that_exits_without_shutdown_loses_nothing() {
    assert!(check_child("exit", false).1.is_some());
}

#[test]
fn a_worker_that_shuts_down_is_no_obituary() {
    assert_eq!(check_child("shut down", false).1, None);
}

#[test]
fn a_forked_child_logs_through_rings_of_its_own() {
    let (lines, _) = check_child("fork", false);
    for expected in ["from the forked child", "from the parent after it"] {
        assert!(lines.iter().any(|line| line == expected), "no {expected:?}");
    }
}

/// The master hears of a new ring a moment later; a flush does not wait for that.
#[test]
fn flush_finds_rings_that_were_just_made() {
    let (_directory, config) = directory();
    let hour = Duration::from_secs(3600);
    let (master, lines) = master(&LoggerConfig { flush_interval: hour, ..config.clone() });
    let worker = WorkerLogger::new(config, "w").unwrap();
    for number in 1..=50 {
        let mut producer = worker.producer().unwrap();
        producer.info("in a new ring");
        master.flush(PATIENCE).unwrap();
        assert_eq!(lines.of("w").len(), number);
        std::mem::forget(producer); // or its ring would be handed on
    }
}
