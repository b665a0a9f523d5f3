//! Many threads, small rings, a million records: nothing is lost, or what is lost is counted.
//!
//! By hand, with more records (they are divided among the threads):
//!
//! ```text
//! MILLPOND_STRESS=10000000 cargo test --release -p millpond-std --test stress
//! ```

use std::sync::{Arc, Mutex};

use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Handler, HandlerError, Level, Overflow, Records, Report};

const THREADS: usize = 16;

/// The records that every test logs in total.
fn total() -> usize {
    let unoptimised = if cfg!(debug_assertions) { 160_000 } else { 1_000_000 };
    let asked = std::env::var("MILLPOND_STRESS").ok().and_then(|count| count.parse().ok());
    asked.unwrap_or(unoptimised)
}

/// What arrived, checked as it does.
#[derive(Default)]
struct Arrived {
    /// The number that is expected next from each thread.
    next: [usize; THREADS],
    by_level: [u64; Level::COUNT],
    /// Records lost according to gap lines, by level.
    lost: [u64; Level::COUNT],
    gap_lines: u64,
    faults: Vec<String>,
}

struct Check {
    arrived: Arc<Mutex<Arrived>>,
    may_miss: bool,
}

impl Check {
    fn record(&self, arrived: &mut Arrived, level: Level, message: &str) -> Option<()> {
        if let Some((_, lost)) = message.split_once(" records lost ") {
            arrived.gap_lines += 1;
            for part in lost.split_once(": ")?.1.split(", ") {
                let (count, level) = part.split_once(' ')?;
                arrived.lost[level.parse::<Level>().ok()?.index()] += count.parse::<u64>().ok()?;
            }
            return Some(());
        }
        let mut words = message.split(' ');
        let thread: usize = words.next()?.parse().ok()?;
        let number: usize = words.next()?.parse().ok()?;
        let next = &mut arrived.next[thread];
        let in_order = if self.may_miss { number >= *next } else { number == *next };
        *next = number + 1;
        arrived.by_level[level.index()] += 1;
        (in_order && level == level_of(number) && words.next()? == FILLING).then_some(())
    }
}

impl Handler for Check {
    fn name(&self) -> &str {
        "check"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let mut arrived = self.arrived.lock().unwrap();
        for record in records {
            if self.record(&mut arrived, record.level(), record.message()).is_none() {
                let fault = format!("{} {}", record.level(), record.message());
                arrived.faults.push(fault);
            }
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

const FILLING: &str = "the-quick-brown-fox-jumps-over-the-lazy-dog";

fn level_of(number: usize) -> Level {
    [Level::Info, Level::Info, Level::Debug, Level::Warning, Level::Trace][number % 5]
}

/// Logs from all threads at once as fast as they can.
fn run(overflow: Overflow) -> (Report, Arrived) {
    let arrived = Arc::<Mutex<Arrived>>::default();
    let check = Check { arrived: Arc::clone(&arrived), may_miss: overflow == Overflow::Drop };
    let config = LoggerConfig {
        base_level: Level::Trace,
        buffer_size: 64 * 1024,
        overflow,
        shutdown_timeout: std::time::Duration::from_secs(600),
        ..LoggerConfig::default()
    };
    let logger = Logger::new("stress", config, vec![Box::new(check)]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let logger = &logger;
            scope.spawn(move || {
                use std::fmt::Write as _;
                let mut text = String::with_capacity(128);
                for number in 0..total() / THREADS {
                    text.clear();
                    let _ = write!(text, "{thread} {number} {FILLING}");
                    logger.text(level_of(number), &text);
                }
            });
        }
    });
    let report = logger.shutdown().unwrap();
    let arrived = std::mem::take(&mut *arrived.lock().unwrap());
    assert_eq!(arrived.faults, [""; 0], "records that are wrong or out of order");
    assert_eq!(report.total.attempted, (total() / THREADS * THREADS) as u64);
    assert!(report.total.is_balanced(0), "{report:?}");
    assert_eq!((report.total.in_ring, report.total.quarantined, report.refused), (0, 0, 0));
    assert_eq!(arrived.by_level.iter().sum::<u64>(), report.total.delivered);
    (report, arrived)
}

#[test]
fn threads_that_wait_lose_nothing() {
    let (report, arrived) = run(Overflow::WAIT);
    assert_eq!(report.total.total_dropped(), 0);
    assert_eq!((arrived.gap_lines, arrived.next), (0, [total() / THREADS; THREADS]));
}

#[test]
fn what_is_dropped_is_counted_by_level_and_shown() {
    let (report, arrived) = run(Overflow::Drop);
    assert!(report.total.total_dropped() > 0 && arrived.gap_lines > 0, "{report}");
    assert_eq!(arrived.lost, report.total.dropped);
    let each = total() / THREADS;
    for level in Level::ALL {
        let logged = (0..each).filter(|number| level_of(*number) == level).count() * THREADS;
        let accounted = arrived.by_level[level.index()] + report.total.dropped[level.index()];
        assert_eq!(accounted, logged as u64, "{level}");
    }
}
