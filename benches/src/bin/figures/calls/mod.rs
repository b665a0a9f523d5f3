//! What a log call costs the caller.

#[cfg(target_os = "linux")]
pub(crate) mod advanced;
mod entry;
mod full;

use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::ensure;
use millpond_benches::allocator::allocations;
use millpond_benches::messages::{BESIDE, Message};
use millpond_benches::usage::ns_per_tick;
use millpond_handlers::FileHandler;
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Level, SystemClock, info, info_at};
use serde::Serialize;

use crate::Effort;
use crate::events::{Event, verify};
use crate::places::Places;
use crate::spread::Spread;

use entry::{Call, Entry};

pub(crate) use full::{fill, full_logger};

/// All entry points.
#[derive(Serialize)]
pub(crate) struct Calls {
    pub(crate) entries: Vec<Call>,
    /// Nanoseconds of a call at a disabled level, mean of a thousand.
    pub(crate) disabled: Spread,
    /// The same through a producer.
    pub(crate) disabled_producer: Spread,
    /// Allocations of all these calls.
    pub(crate) disabled_allocations: u64,
    /// Lines that were read back and verified.
    pub(crate) lines: u64,
}

pub(crate) fn measure(effort: &Effort, places: &Places) -> anyhow::Result<Calls> {
    let clock = SystemClock::detect();
    let ns = ns_per_tick(clock);
    let path = places.memory().join("calls.log");
    let logger = file_logger(&path)?;
    let mut producer = logger.producer()?;
    let (full, let_go) = full_logger()?;
    let mut full_producer = full.producer()?;
    fill(&full, &mut full_producer);

    #[cfg(target_os = "linux")]
    let (master, worker, worker_path) = advanced::start(places.memory())?;
    #[cfg(target_os = "linux")]
    let (mut by_worker, mut event_by_worker) =
        (Entry::new("&WorkerLogger", 7), Entry::new("info! &WorkerLogger", 8));

    let mut bare = Entry::new("clock alone", 0);
    let mut by_producer = Entry::new("Producer", 1);
    let mut by_logger = Entry::new("&Logger", 2);
    let mut with_bytes = Entry::new("&Logger, 64 + 16 bytes", 3);
    let mut stamped = Entry::new("Producer, own stamp", 4);
    let mut dropping = Entry::new("Producer, ring full", 5);
    let mut event_by_producer = Entry::new("info! Producer", 10);
    let mut event_by_logger = Entry::new("info! &Logger", 11);
    let mut event_stamped = Entry::new("info_at! Producer", 12);
    // The first call of a thread makes its ring.
    logger.text(Level::Trace, "not logged");
    let mut first = Message::of(6);
    logger.info(first.number(0));
    #[cfg(target_os = "linux")]
    worker.info(first.number(0));

    let mut disabled = Vec::new();
    let mut disabled_producer = Vec::new();
    let mut disabled_allocations = 0;
    let calls = effort.calls / effort.rounds as u64 / 2;
    for _ in 0..effort.rounds {
        bare.round(clock, calls, |text| {
            black_box(text);
            black_box(clock.now());
        });
        by_producer.round(clock, calls, |text| producer.info(text));
        event_by_producer.round_of_events(clock, calls, |Event { sender, number, price }| {
            info!(producer, "order {} qty {} px {}", sender, number, price);
        });
        by_logger.round(clock, calls, |text| logger.info(text));
        event_by_logger.round_of_events(clock, calls, |Event { sender, number, price }| {
            info!(logger, "order {} qty {} px {}", sender, number, price);
        });
        #[cfg(target_os = "linux")]
        {
            by_worker.round(clock, calls, |text| worker.info(text));
            event_by_worker.round_of_events(clock, calls, |Event { sender, number, price }| {
                info!(worker, "order {} qty {} px {}", sender, number, price);
            });
        }
        with_bytes.round(clock, calls, |text| logger.info_with(text, BESIDE));
        let stamp = clock.now();
        stamped.round(clock, calls, |text| producer.text_at(Level::Info, stamp, text));
        event_stamped.round_of_events(clock, calls, |Event { sender, number, price }| {
            info_at!(producer, stamp, "order {} qty {} px {}", sender, number, price);
        });
        dropping.round(clock, calls, |text| full_producer.info(text));
        let (time, by_logger) = {
            let logger = black_box(&logger);
            per_call(clock, ns, calls, |text| logger.debug(text))
        };
        disabled.push(time);
        let (time, by_handle) = per_call(clock, ns, calls, |text| producer.debug(text));
        disabled_producer.push(time);
        disabled_allocations += by_logger + by_handle;
    }
    drop(producer);
    let texts = [&by_producer, &by_logger, &with_bytes, &stamped];
    let events = [&event_by_producer, &event_by_logger, &event_stamped];
    let mut lines = check(&logger, &path, &[&texts[..], &events].concat())?;
    let_go.store(true, Ordering::Relaxed);
    drop(full_producer);
    let report = full.shutdown()?;
    ensure!(report.total.is_balanced(0), "{report:?}");
    ensure!(report.total.total_dropped() >= dropping.sent(), "the ring was not full: {report:?}");
    #[cfg(target_os = "linux")]
    {
        worker.shutdown();
        let report = master.shutdown()?;
        let sent = by_worker.sent() + event_by_worker.sent() + 1;
        lines += advanced::check(&worker_path, sent, &report)?;
    }

    let mut entries = vec![&bare, &event_by_producer, &event_by_logger];
    #[cfg(target_os = "linux")]
    entries.push(&event_by_worker);
    entries.extend([&event_stamped, &by_producer, &by_logger]);
    #[cfg(target_os = "linux")]
    entries.push(&by_worker);
    entries.extend([&with_bytes, &stamped, &dropping]);
    Ok(Calls {
        entries: entries.into_iter().map(|entry| entry.finish(&bare, ns)).collect(),
        disabled: Spread::of(disabled),
        disabled_producer: Spread::of(disabled_producer),
        disabled_allocations,
        lines,
    })
}

/// Verifies the file of a logger that these and one message were sent to, and returns how many
/// lines it has.
fn check(logger: &Logger, path: &Path, entries: &[&Entry]) -> anyhow::Result<u64> {
    let report = logger.shutdown()?;
    let sent = entries.iter().map(|entry| entry.sent()).sum::<u64>() + 1;
    ensure!(report.total.delivered == sent, "{sent} sent: {report}");
    let found = verify(path, false)?;
    ensure!(found.total() == sent && found.lost == 0, "{sent} sent, {found:?} in the file");
    for entry in entries {
        let is_whole = found.messages.get(&entry.sender) == Some(&entry.sent());
        ensure!(is_whole, "{}: {found:?}", entry.name);
    }
    Ok(sent)
}

/// A logger with the default configuration and format, into a file.
pub(crate) fn file_logger(path: &Path) -> anyhow::Result<Logger> {
    let handler = FileHandler::new(path)?;
    Ok(Logger::new("app", LoggerConfig::default(), vec![Box::new(handler)])?)
}

/// Nanoseconds of one call, without those of the loop around it.
#[inline(never)]
fn per_call(clock: SystemClock, ns: f64, calls: u64, mut call: impl FnMut(&str)) -> (f64, u64) {
    const ROW: u64 = 1000;
    let message = Message::of(9);
    let time = |call: &mut dyn FnMut()| {
        let start = clock.now();
        call();
        (clock.now() - start) as f64 * ns / ROW as f64
    };
    let rows = (calls / ROW).max(20);
    let mut beyond = Vec::with_capacity(rows as usize);
    let before = allocations();
    beyond.extend((0..rows).map(|_| {
        let with = time(&mut || (0..ROW).for_each(|_| call(black_box(message.text()))));
        let without = time(&mut || {
            (0..ROW).for_each(|_| {
                black_box(message.text());
            });
        });
        with - without
    }));
    let allocated = allocations() - before;
    (Spread::of(beyond).median, allocated)
}
