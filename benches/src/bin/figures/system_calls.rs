//! System calls of the calling thread, counted by `strace` around this program itself.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use millpond_benches::messages::{BESIDE, Message};
use millpond_benches::usage::spin_for;
use millpond_std::{info, info_at};
use serde::Serialize;

use crate::Effort;
#[cfg(target_os = "linux")]
use crate::calls::advanced;
use crate::calls::{file_logger, full_logger};
use crate::events::Event;
use crate::places::Places;

/// What is counted.
const ENTRIES: &[&str] = &[
    "producer",
    "logger",
    "logger_with",
    "disabled",
    "full",
    "producer_event",
    "logger_event",
    #[cfg(target_os = "linux")]
    "worker_event",
    "stamped_event",
];

/// System calls that one entry point made.
#[derive(Serialize)]
pub(crate) struct Made {
    pub(crate) entry: &'static str,
    /// Wakes of a sleeping collector (`futex`), which are allowed: one for each of its sleeps, if
    /// the ring passes a fill mark meanwhile.
    pub(crate) wakes: i64,
    /// All others.
    pub(crate) others: i64,
}

/// How many system calls each entry point made, or why nobody knows.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Counted { calls: u64, by_entry: Vec<Made> },
    Skipped(String),
}

pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Answer> {
    let calls = effort.calls.min(1_000_000);
    let mut by_entry = Vec::new();
    for &entry in ENTRIES {
        // What is made anyway is made with no call too.
        let counts = count(entry, 0).and_then(|none| Ok((none, count(entry, calls)?)));
        match counts {
            Ok((none, all)) => {
                let [wakes, others] = [all[0] - none[0], all[1] - none[1]];
                by_entry.push(Made { entry, wakes, others });
            }
            Err(why) => return Ok(Answer::Skipped(why.to_string())),
        }
    }
    Ok(Answer::Counted { calls, by_entry })
}

/// Runs this program under `strace`, which follows only its first thread: the one that calls.
/// Returns how often that called `futex`, and anything else.
fn count(entry: &str, calls: u64) -> anyhow::Result<[i64; 2]> {
    let output = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.arg("-c").arg("-o").arg(output.path()).arg(std::env::current_exe()?);
    strace.args(["--system-calls-of", entry, "--repeat", &calls.to_string()]);
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    let status = strace.status().context("strace is needed to count system calls")?;
    if !status.success() {
        bail!("strace does not work here: {status}");
    }
    let table = std::fs::read_to_string(output.path())?;
    // % time, seconds, µs a call, calls, errors if there were any, name
    let rows = table.lines().filter_map(|line| {
        let count = line.split_whitespace().nth(3)?.parse::<i64>().ok()?;
        Some((line.split_whitespace().last()?, count))
    });
    let mut counts = [0; 2];
    let mut total = None;
    for (name, count) in rows {
        match name {
            "total" => total = Some(count),
            "futex" => counts[0] += count,
            _ => counts[1] += count,
        }
    }
    if total != Some(counts[0] + counts[1]) {
        bail!("strace printed something else than a table");
    }
    Ok(counts)
}

/// What runs under `strace`. Waiting and comparing would add calls of its own, so it only spins.
pub(crate) fn child(entry: &str, calls: u64) -> anyhow::Result<()> {
    let places = Places::new()?;
    let logger = file_logger(&places.memory().join("app.log"))?;
    let mut message = Message::of(0);
    let mut producer = logger.producer().unwrap();
    producer.info(message.number(0));
    logger.info(message.number(1));
    let paced = |call: &mut dyn FnMut(&str)| {
        let mut message = Message::of(1);
        pace(calls, |number| call(message.number(number)));
    };
    let paced_events = |call: &mut dyn FnMut(Event)| {
        pace(calls, |number| call(Event::new(2, number)));
    };
    match entry {
        "producer" => paced(&mut |text| producer.info(text)),
        "logger" => paced(&mut |text| logger.info(text)),
        "logger_with" => paced(&mut |text| logger.info_with(text, BESIDE)),
        "disabled" => paced(&mut |text| black_box(&logger).debug(text)),
        "full" => {
            let (full, let_go) = full_logger()?;
            let mut producer = full.producer().unwrap();
            producer.never_wake();
            // The same number of calls each time, and long enough that nothing moves any more.
            for number in 0..200_000 {
                producer.info(message.number(number));
            }
            spin_for(Duration::from_millis(500));
            paced(&mut |text| producer.info(text));
            let_go.store(true, Ordering::Relaxed);
        }
        "producer_event" => paced_events(&mut |Event { sender, number, price }| {
            info!(producer, "order {} qty {} px {}", sender, number, price);
        }),
        "logger_event" => paced_events(&mut |Event { sender, number, price }| {
            info!(logger, "order {} qty {} px {}", sender, number, price);
        }),
        "stamped_event" => paced_events(&mut |Event { sender, number, price }| {
            info_at!(producer, number, "order {} qty {} px {}", sender, number, price);
        }),
        #[cfg(target_os = "linux")]
        "worker_event" => {
            let (_master, worker, _) = advanced::start(places.memory())?;
            // The first call of a thread makes its ring.
            worker.info(message.number(2));
            paced_events(&mut |Event { sender, number, price }| {
                info!(worker, "order {} qty {} px {}", sender, number, price);
            });
            // As below.
            drop(places);
            std::process::exit(0)
        }
        other => bail!("no entry point is called {other:?}"),
    }
    // Not shut down: how long that takes differs, and so does how often it waits.
    drop(places);
    std::process::exit(0)
}

/// Makes calls with a pause now and then, so that the collector is not to be woken: that is a
/// system call that is allowed.
fn pace(calls: u64, mut call: impl FnMut(u64)) {
    for number in 0..calls {
        call(number);
        if number % 20 == 0 {
            spin_for(Duration::from_micros(20));
        }
    }
}
