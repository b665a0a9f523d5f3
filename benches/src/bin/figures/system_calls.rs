//! System calls of the calling thread, counted by `strace` around this program itself.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use millpond_benches::messages::{BESIDE, Message};
use millpond_benches::usage::spin_for;
use serde::Serialize;

use crate::Effort;
use crate::calls::{file_logger, full_logger};

/// What is counted.
const ENTRIES: [&str; 5] = ["producer", "logger", "logger_with", "disabled", "full"];

/// How many system calls each entry point made, or why nobody knows.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Counted { calls: u64, by_entry: Vec<(&'static str, i64)> },
    Skipped(String),
}

pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Answer> {
    let calls = effort.calls.min(1_000_000);
    let mut by_entry = Vec::new();
    for entry in ENTRIES {
        // What is made anyway is made with no call too.
        let counts = count(entry, 0).and_then(|none| Ok((none, count(entry, calls)?)));
        match counts {
            Ok((none, all)) => by_entry.push((entry, all as i64 - none as i64)),
            Err(why) => return Ok(Answer::Skipped(why.to_string())),
        }
    }
    Ok(Answer::Counted { calls, by_entry })
}

/// Runs this program under `strace`, which follows only its first thread: the one that calls.
fn count(entry: &str, calls: u64) -> anyhow::Result<u64> {
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
    let total = table.lines().rfind(|line| line.ends_with("total")).unwrap_or_default();
    let count = total.split_whitespace().nth(3).and_then(|count| count.parse().ok());
    count.context("strace printed something else than a table")
}

/// What runs under `strace`. Waiting and comparing would add calls of its own, so it only spins.
pub(crate) fn child(entry: &str, calls: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let logger = file_logger(&folder.path().join("app.log"))?;
    let mut message = Message::of(0);
    let mut producer = logger.producer().unwrap();
    producer.info(message.number(0));
    logger.info(message.number(1));
    let paced = |call: &mut dyn FnMut(&str)| {
        let mut message = Message::of(1);
        for number in 0..calls {
            call(message.number(number));
            // The collector is not to be woken: that is a system call that is allowed.
            if number % 20 == 0 {
                spin_for(Duration::from_micros(20));
            }
        }
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
        other => bail!("no entry point is called {other:?}"),
    }
    // Not shut down: how long that takes differs, and so does how often it waits.
    std::process::exit(0)
}
