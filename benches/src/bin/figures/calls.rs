//! What a log call costs the caller.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use hdrhistogram::Histogram;
use millpond_benches::allocator::allocations;
use millpond_benches::messages::{BESIDE, Message, verify};
use millpond_benches::usage::{ns_per_tick, spin_for};
use millpond_handlers::FileHandler;
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Handler, HandlerError, Overflow, Records, SystemClock};
use serde::Serialize;

use crate::Effort;
use crate::places::Places;
use crate::spread::Spread;

/// Calls in a row, as programs make them; then a pause.
const BURST: usize = 20;
const PAUSE: Duration = Duration::from_micros(10);

/// Quantiles of one entry point.
#[derive(Serialize)]
pub(crate) struct Call {
    pub(crate) entry: &'static str,
    pub(crate) calls: u64,
    pub(crate) allocations: u64,
    /// Nanoseconds, the reading of the clock for the measurement included. The counter may tick in
    /// steps (of 10 ns on some virtual machines), and so do these.
    pub(crate) p50: Spread,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
    /// Mean of the middle half of all calls beyond that of reading the clock, of the same round:
    /// what Millpond adds to the stamp. As the median, but finer than the steps of the counter.
    pub(crate) beyond_clock: Spread,
    /// Mean of whole bursts of 20, in which one call may overlap with the next: the median burst,
    /// without the reading of the clock for the measurement.
    pub(crate) in_burst: Spread,
}

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

/// Times of one entry point in one round.
struct Round {
    single: Histogram<u64>,
    burst: Histogram<u64>,
    allocations: u64,
}

/// What is measured of one entry point.
struct Entry {
    name: &'static str,
    rounds: Vec<Round>,
    number: u64,
    message: Message,
}

impl Entry {
    fn new(name: &'static str, sender: u32) -> Self {
        Self { name, rounds: Vec::new(), number: 0, message: Message::of(sender) }
    }

    /// Calls `call` with messages that are numbered through.
    #[inline(never)]
    fn round(&mut self, clock: SystemClock, calls: u64, mut call: impl FnMut(&str)) {
        let mut round = Round { single: histogram(), burst: histogram(), allocations: 0 };
        let mut stamps = [0; BURST + 1];
        for _ in 0..calls / BURST as u64 {
            let texts: [Message; BURST] = std::array::from_fn(|_| {
                self.message.number(self.number);
                self.number += 1;
                self.message.clone()
            });
            let texts = texts.each_ref().map(Message::text);
            spin_for(PAUSE);
            let before = allocations();
            stamps[0] = clock.now();
            for (text, stamp) in texts.iter().zip(&mut stamps[1..]) {
                call(text);
                *stamp = clock.now();
            }
            round.allocations += allocations() - before;
            for pair in stamps.windows(2) {
                round.single.saturating_record(pair[1].saturating_sub(pair[0]));
            }
            spin_for(PAUSE);
            let more: [Message; BURST] = std::array::from_fn(|_| {
                self.message.number(self.number);
                self.number += 1;
                self.message.clone()
            });
            let more = more.each_ref().map(Message::text);
            let start = clock.now();
            for text in more {
                call(text);
            }
            round.burst.saturating_record(clock.now().saturating_sub(start));
        }
        self.rounds.push(round);
    }

    /// How many messages were sent.
    fn sent(&self) -> u64 {
        self.number
    }

    fn finish(&self, bare: &Entry, ns: f64) -> Call {
        let mut all = histogram();
        for round in &self.rounds {
            let _ = all.add(&round.single);
        }
        let quantile = |q| all.value_at_quantile(q) as f64 * ns;
        let medians = |entry: &Entry| -> Vec<f64> {
            entry.rounds.iter().map(|r| r.single.value_at_quantile(0.5) as f64 * ns).collect()
        };
        let own = medians(self);
        let middles = |entry: &Entry| -> Vec<f64> {
            entry.rounds.iter().map(|round| middle(&round.single) * ns).collect()
        };
        let beyond = middles(self).into_iter().zip(middles(bare)).map(|(own, bare)| own - bare);
        let bursts =
            self.rounds.iter().map(|r| r.burst.value_at_quantile(0.5) as f64 * ns / BURST as f64);
        Call {
            entry: self.name,
            calls: self.sent(),
            allocations: self.rounds.iter().map(|round| round.allocations).sum(),
            p50: Spread::of(own.iter().copied()),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: all.max() as f64 * ns,
            beyond_clock: Spread::of(beyond),
            in_burst: Spread::of(bursts),
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1 << 40, 3).expect("bounds that are in order")
}

/// The mean of the values between the quartiles.
fn middle(values: &Histogram<u64>) -> f64 {
    let (from, until) = (values.len() / 4, values.len() * 3 / 4);
    let (mut seen, mut sum) = (0, 0.0);
    for value in values.iter_recorded() {
        let count = value.count_at_value();
        let inside = (seen + count).min(until).saturating_sub(seen.max(from));
        sum += value.value_iterated_to() as f64 * inside as f64;
        seen += count;
    }
    sum / (until - from).max(1) as f64
}

/// A handler that takes nothing until it is let go.
struct Stuck(Arc<AtomicBool>);

impl Handler for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
        while !self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

pub(crate) fn measure(effort: &Effort, places: &Places) -> anyhow::Result<Calls> {
    let clock = SystemClock::detect();
    let ns = ns_per_tick(clock);
    let path = places.memory().join("calls.log");
    let logger = file_logger(&path)?;
    let mut producer = logger.producer().unwrap();
    let (full, let_go) = full_logger()?;
    let mut full_producer = full.producer().unwrap();
    fill(&full, &mut full_producer);

    #[cfg(target_os = "linux")]
    let (master, worker, worker_path) = advanced::start(places)?;
    #[cfg(target_os = "linux")]
    let mut by_worker = Entry::new("&WorkerLogger", 7);

    let mut bare = Entry::new("clock alone", 0);
    let mut by_producer = Entry::new("Producer", 1);
    let mut by_logger = Entry::new("&Logger", 2);
    let mut with_bytes = Entry::new("&Logger, 64 + 16 bytes", 3);
    let mut stamped = Entry::new("Producer, own stamp", 4);
    let mut dropping = Entry::new("Producer, ring full", 5);
    // The first call of a thread makes its ring.
    logger.text(millpond_std::Level::Trace, "not logged");
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
        by_logger.round(clock, calls, |text| logger.info(text));
        #[cfg(target_os = "linux")]
        by_worker.round(clock, calls, |text| worker.info(text));
        with_bytes.round(clock, calls, |text| logger.info_with(text, BESIDE));
        let stamp = clock.now();
        stamped.round(clock, calls, |text| {
            producer.text_at(millpond_std::Level::Info, stamp, text);
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
    let report = logger.shutdown()?;
    let sent = [&by_producer, &by_logger, &with_bytes, &stamped];
    let sent = sent.iter().map(|entry| entry.sent()).sum::<u64>() + 1;
    ensure!(report.total.delivered == sent, "{sent} sent: {report}");
    let found = verify(&path, false)?;
    ensure!(found.total() == sent && found.lost == 0, "{sent} sent, {found:?} in the file");
    for (sender, entry) in [(1, &by_producer), (2, &by_logger), (3, &with_bytes), (4, &stamped)] {
        ensure!(found.messages.get(&sender) == Some(&entry.sent()), "{}: {found:?}", entry.name);
    }
    let_go.store(true, Ordering::Relaxed);
    drop(full_producer);
    let report = full.shutdown()?;
    ensure!(report.total.is_balanced(0), "{report:?}");
    ensure!(report.total.total_dropped() >= dropping.sent(), "the ring was not full: {report:?}");

    let mut lines = sent;
    #[cfg(target_os = "linux")]
    {
        worker.shutdown();
        let report = master.shutdown()?;
        lines += advanced::check(&worker_path, by_worker.sent() + 1, &report)?;
    }

    let mut entries = vec![&bare, &by_producer, &by_logger];
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

/// The advanced logger: a worker and its master, in one process here.
#[cfg(target_os = "linux")]
mod advanced {
    use std::path::{Path, PathBuf};

    use anyhow::ensure;
    use millpond_benches::messages::verify;
    use millpond_handlers::FileHandler;
    use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
    use millpond_std::Report;

    use crate::places::Places;

    pub(crate) fn start(places: &Places) -> anyhow::Result<(MasterLogger, WorkerLogger, PathBuf)> {
        let folder = places.memory().join("rendezvous");
        let path = places.memory().join("worker.log");
        let config = LoggerConfig { path: folder.display().to_string(), ..Default::default() };
        let handler = FileHandler::new(&path)?;
        let master = MasterLogger::new(config.clone(), vec![Box::new(handler)])?;
        let worker = WorkerLogger::new(config, "worker")?;
        Ok((master, worker, path))
    }

    /// Verifies the file and returns how many lines it has.
    pub(crate) fn check(path: &Path, sent: u64, report: &Report) -> anyhow::Result<u64> {
        ensure!(report.total.is_balanced(0), "the books do not balance: {report:?}");
        let found = verify(path, true)?;
        let dropped = report.total.total_dropped();
        ensure!(found.total() + dropped == sent, "{sent} sent, {} found: {report}", found.total());
        ensure!(found.lost == dropped, "{} lost according to the file: {report}", found.lost);
        Ok(found.total())
    }
}

/// A logger with the default configuration and format, into a file.
pub(crate) fn file_logger(path: &Path) -> anyhow::Result<Logger> {
    let handler = FileHandler::new(path)?;
    Ok(Logger::new("app", LoggerConfig::default(), vec![Box::new(handler)])?)
}

/// A logger that drops and whose handler is stuck until it is let go.
pub(crate) fn full_logger() -> anyhow::Result<(Logger, Arc<AtomicBool>)> {
    let let_go = Arc::new(AtomicBool::new(false));
    let config = LoggerConfig {
        overflow: Overflow::Drop,
        buffer_size: 64 * 1024,
        ..LoggerConfig::default()
    };
    let stuck = Box::new(Stuck(Arc::clone(&let_go)));
    Ok((Logger::new("app", config, vec![stuck])?, let_go))
}

/// Logs until nothing moves any more.
pub(crate) fn fill(logger: &Logger, producer: &mut millpond_std::standard::Producer) {
    let mut message = Message::of(5);
    let mut before = 0;
    loop {
        (0..100_000).for_each(|_| producer.info(message.number(0)));
        std::thread::sleep(Duration::from_millis(50));
        let delivered =
            logger.report().map_or(0, |r| r.total.accounted() - r.total.total_dropped());
        if delivered == before {
            return;
        }
        before = delivered;
    }
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
