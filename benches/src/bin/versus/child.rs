//! A child process: one side of one subject.

use std::io::{BufRead as _, Write as _};
use std::sync::Barrier;

use anyhow::{Context as _, anyhow, ensure};
use millpond_benches::usage::process_time;
use millpond_std::{SystemClock, monotonic_ns};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::latency::{self, Times};
use crate::machine::pin;
use crate::subject::{Record, Subject, named};
use crate::task::{MARK, Outcome, Role, Said, Task, Work};

/// Does the task and says how it went, for the parent to read.
pub(crate) fn main(task: &str) -> anyhow::Result<()> {
    let task: Task = serde_json::from_str(task).context("the task is not one")?;
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot tie myself to versus")?;
    ensure!(getppid().map(Pid::as_raw_pid) == Some(task.parent), "versus has ended");
    say(&match (named(&task.subject)?.run)(&task) {
        Ok(outcome) => Said::Done(outcome),
        Err(error) => Said::Failed(format!("{error:#}")),
    })
}

fn say(said: &Said) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    // A subject may have left a line without its end.
    write!(output, "\n{MARK}{}\n", serde_json::to_string(said)?)?;
    Ok(output.flush()?)
}

/// Waits for a line from the parent.
fn hear() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot hear versus")?;
    ensure!(!line.is_empty(), "versus has ended");
    Ok(())
}

/// Ties a collector to the parent.
#[derive(Debug)]
pub(crate) struct Control(());

impl Control {
    /// Tells the parent that producers may come.
    pub(crate) fn ready(&self) -> anyhow::Result<()> {
        say(&Said::Ready)
    }

    /// Waits until all producers have sent what they have, and ended.
    pub(crate) fn wait_for_end(self) -> anyhow::Result<()> {
        hear()
    }
}

pub(crate) fn run<S: Subject>(task: &Task) -> anyhow::Result<Outcome> {
    match task.role {
        Role::Collect => {
            let dropped = S::collect(&task.place, Control(()))?;
            let end = monotonic_ns();
            let cpu_seconds = process_time().as_secs_f64();
            Ok(Outcome { start: u64::MAX, end, cpu_seconds, dropped, latency: None })
        }
        Role::Produce { process, threads, work } => {
            let subject = S::open(&task.place)?;
            let first = process * threads;
            match work {
                Work::Calls { .. } => call_here(subject, first, work),
                _ => produce(subject, first, threads, work),
            }
        }
    }
}

/// Logs from several threads.
fn produce<S: Subject>(
    subject: S,
    first: u32,
    threads: u32,
    work: Work,
) -> anyhow::Result<Outcome> {
    let (prepared, go) = (Barrier::new(threads as usize + 1), Barrier::new(threads as usize + 1));
    let mut outcome = Outcome::default();
    let mut cpu = None;
    let mut all = Times::new();
    std::thread::scope(|scope| {
        let one = |producer: u32| {
            let (subject, prepared, go) = (&subject, &prepared, &go);
            scope.spawn(move || {
                let ready = prepare(subject, producer as usize, work);
                prepared.wait();
                go.wait();
                ready.map(|mut handle| log_all::<S>(&mut handle, producer as i32, work))
            })
        };
        let threads: Vec<_> = (first..first + threads).map(one).collect();
        prepared.wait();
        let told = say(&Said::Ready).and_then(|()| hear());
        cpu = Some(process_time());
        outcome.start = monotonic_ns();
        go.wait();
        for thread in threads {
            let times = thread.join().map_err(|_| anyhow!("a thread that logs panicked"))??;
            all.add(&times);
        }
        told
    })?;
    outcome.dropped = subject.close()?;
    outcome.end = monotonic_ns();
    outcome.cpu_seconds = (process_time() - cpu.unwrap_or_default()).as_secs_f64();
    if let Work::Bursts { ns_per_tick, .. } = work {
        outcome.latency = Some(all.quantiles(ns_per_tick));
    }
    Ok(outcome)
}

/// A handle of a thread that is pinned and has logged before.
fn prepare<S: Subject>(subject: &S, producer: usize, work: Work) -> anyhow::Result<S::Handle<'_>> {
    pin(producer)?;
    let mut handle = subject.handle()?;
    call_many::<S>(&mut handle, producer as i32, 0..work.warm_up());
    Ok(handle)
}

fn log_all<S: Subject>(handle: &mut S::Handle<'_>, producer: i32, work: Work) -> Times {
    let mut times = Times::new();
    match work {
        Work::Bursts { bursts, pause, ns_per_tick } => {
            let first = work.warm_up();
            let pause = latency::Pauses::new(pause, ns_per_tick, producer);
            latency::bursts::<S>(handle, &mut times, producer, first, bursts, pause);
        }
        _ => call_many::<S>(handle, producer, work.warm_up()..work.all()),
    }
    times
}

#[inline(never)]
fn call_many<S: Subject>(handle: &mut S::Handle<'_>, producer: i32, numbers: std::ops::Range<u64>) {
    let clock = SystemClock::detect();
    for number in numbers {
        let stamp = if S::ABOUT.stamped { clock.now() } else { 0 };
        S::log(handle, Record::new(producer, number), stamp);
    }
}

/// Logs from the main thread, which is the one that is looked at by the tool that counts.
fn call_here<S: Subject>(subject: S, producer: u32, work: Work) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    {
        let mut handle = prepare(&subject, producer as usize, work)?;
        say(&Said::Ready)?;
        hear()?;
        outcome.start = monotonic_ns();
        measured_calls::<S>(&mut handle, producer as i32, work.warm_up(), work.all());
    }
    outcome.dropped = subject.close()?;
    outcome.end = monotonic_ns();
    Ok(outcome)
}

/// Found by its name: the tool counts while this runs.
#[inline(never)]
fn measured_calls<S: Subject>(handle: &mut S::Handle<'_>, producer: i32, from: u64, until: u64) {
    for number in from..until {
        S::log(handle, Record::new(producer, number), number);
    }
}
