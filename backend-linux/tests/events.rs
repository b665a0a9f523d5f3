//! Records with raw arguments that cross processes: the text is made by the master, from what the
//! worker left in its ring.
#![cfg(target_os = "linux")]

mod support;

use std::time::Duration;

use millpond_linux::{LoggerConfig, WorkerLogger};
use millpond_std::{Level, Overflow, error, fork, info, info_at, warning};

use support::{PATIENCE, Place, Process, eventually, master, role, say, wait_for_parent};

/// The part that a child process of these tests plays.
#[test]
fn worker_process() {
    let Some((role, config)) = role() else { return };
    assert_eq!(role, "speaks and waits to be killed");
    let worker = WorkerLogger::new(config, "killed").unwrap();
    let mut fast = worker.producer().unwrap();
    for number in 0..1000_u32 {
        info!(fast, "order {number} of {}", "somebody", price = f64::from(number) * 0.25);
    }
    error!(worker, target: "risk", "limit {:>6.2} of {:?} is near", 99.5, Some("book"));
    say("done");
    wait_for_parent();
}

#[test]
fn what_a_killed_worker_logged_is_rendered_from_its_rings() {
    let place = Place::new();
    let mut process = Process::start("speaks and waits to be killed", &place.config());
    assert_eq!(process.hears(), "done");
    process.kill();
    let (master, lines) = master(&place.config());
    lines.wait_for("Worker killed is dead");
    let mut expected: Vec<String> =
        (0..1000).map(|n| format!("order {n} of somebody price={}", f64::from(n) * 0.25)).collect();
    expected.push("limit  99.50 of Some(\"book\") is near".to_owned());
    let said = lines.of("killed");
    assert_eq!(said[..expected.len()], expected);
    assert!(master.shutdown().unwrap().total.is_balanced(0));
}

/// A ring of a small worker has no table at all, and one of another has room for some hundred call
/// sites: the others travel as text, and nobody sees a difference.
#[test]
fn a_call_site_that_finds_no_room_in_the_table_is_logged_as_text() {
    let place = Place::new();
    let config = LoggerConfig { buffer_size: 4096, overflow: Overflow::WAIT, ..place.config() };
    let (master, lines) = master(&config);
    let worker = WorkerLogger::new(config, "small").unwrap();
    let mut fast = worker.producer().unwrap();
    for n in 0..50_u64 {
        info!(fast, "{n:>4} {:#06x} {} {name:?}", n, ?vec![n], name = "x\ty");
    }
    worker.flush(PATIENCE).unwrap();
    let expected: Vec<String> =
        (0..50_u64).map(|n| format!("{n:>4} {n:#06x} {:?} {:?}", vec![n], "x\ty")).collect();
    assert_eq!(lines.of("small"), expected);
    drop(fast);
    worker.shutdown();
    assert!(master.shutdown().unwrap().total.is_balanced(0));
}

/// In a child, a producer of the parent takes a ring of its own, at a call of a macro too.
#[test]
#[allow(unsafe_code)]
fn a_producer_goes_on_in_a_forked_child() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "forks").unwrap();
    let mut fast = worker.producer().unwrap();
    info!(fast, "parent {}", 1);
    let generation = fork::generation();
    // SAFETY: the child has this one thread, logs (which is what is tested) and leaves by `_exit`.
    let child = match unsafe { libc::fork() } {
        0 => {
            for number in 1..=100 {
                info!(fast, "child {}", number);
                worker.info("child by the worker");
            }
            let flushed = worker.flush(PATIENCE).is_ok() && fork::generation() != generation;
            // SAFETY: ends the child without the parent's destructors.
            unsafe { libc::_exit(i32::from(!flushed)) }
        }
        child => child,
    };
    info!(fast, "parent {}", 2);
    let mut status = 0;
    // SAFETY: our own child.
    eventually("the child ends", || unsafe {
        libc::waitpid(child, &raw mut status, libc::WNOHANG) == child
    });
    assert_eq!(status, 0, "the child could not flush");
    lines.wait_for("child 100");
    worker.flush(PATIENCE).unwrap();
    let of = |what: &str| lines.of("forks").into_iter().filter(|l| l.contains(what)).count();
    assert_eq!((of("parent"), of("child by"), of("child")), (2, 100, 200));
    drop(fast);
    worker.shutdown();
    assert!(master.shutdown().unwrap().total.is_balanced(0));
}

/// The argument is evaluated after the call has looked whether it is still in its process.
#[test]
#[allow(unsafe_code)]
fn an_argument_may_fork() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "forks").unwrap();
    let mut fast = worker.producer().unwrap();
    let mut child = -1;
    // SAFETY: the child has this one thread, logs (which is what is tested) and leaves by `_exit`.
    let mut fork = || unsafe {
        child = libc::fork();
        child
    };
    info!(fast, "fork said {}", fork());
    if child == 0 {
        let flushed = worker.flush(PATIENCE).is_ok();
        // SAFETY: ends the child without the parent's destructors.
        unsafe { libc::_exit(i32::from(!flushed)) }
    }
    lines.wait_for("fork said 0");
    let mut status = -1;
    // SAFETY: our own child.
    eventually("the child ends", || unsafe {
        libc::waitpid(child, &raw mut status, libc::WNOHANG) == child
    });
    assert_eq!(status, 0);
    worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.count("fork said"), 2);
    drop(fast);
    worker.shutdown();
    assert!(master.shutdown().unwrap().total.is_balanced(0));
}

#[test]
fn a_level_that_wakes_hands_out_at_once_by_every_path() {
    let place = Place::new();
    let never = LoggerConfig { flush_interval: Duration::from_secs(3600), ..place.config() };
    for (wake_level, base) in [(Level::Error, 0), (Level::Info, 10)] {
        let config = LoggerConfig { wake_level, ..never.clone() };
        let (master, lines) = master(&config);
        let worker = WorkerLogger::new(config, "urgent").unwrap();
        let mut fast = worker.producer().unwrap();
        for number in base..base + 3 {
            match wake_level {
                Level::Error => error!(fast, "urgent {}", number),
                _ => info!(fast, "urgent {}", number),
            }
            lines.wait_for(&format!("urgent {number}"));
        }
        warning!(worker, "not urgent {}", wake_level as u8);
        drop(fast);
        worker.shutdown();
        assert!(master.shutdown().unwrap().total.is_balanced(0));
    }
}

#[test]
fn lying_stamps_of_events_wedge_nothing() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "liar").unwrap();
    let mut fast = worker.producer().unwrap();
    for (number, ticks) in [u64::MAX, 0, 1, u64::MAX / 2].into_iter().enumerate() {
        info_at!(fast, ticks, "stamp {}", number);
        info!(fast, "honest {}", number);
    }
    worker.flush(PATIENCE).unwrap();
    let expected: Vec<String> =
        (0..4).flat_map(|n| [format!("stamp {n}"), format!("honest {n}")]).collect();
    assert_eq!(lines.of("liar"), expected);
    drop(fast);
    worker.shutdown();
    assert!(master.shutdown().unwrap().total.is_balanced(0));
}
