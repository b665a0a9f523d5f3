//! How long calls take, and what a look at the clock costs.

use std::time::Instant;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use millpond::SystemClock;
use serde::{Deserialize, Serialize};

/// Longest time that is told apart: 2^44 ticks are more than an hour.
const MOST: u64 = 1 << 44;
/// Two digits keep the histogram small, so that it does not push the ring out of the cache.
const DIGITS: u8 = 2;

/// Times of calls in ticks of a clock.
pub(super) struct Stopwatch {
    clock: SystemClock,
    ticks: Histogram<u64>,
    started: (u64, Instant),
}

impl Stopwatch {
    pub(super) fn new(clock: SystemClock) -> anyhow::Result<Self> {
        let ticks = Histogram::new_with_bounds(1, MOST, DIGITS).context("no histogram")?;
        Ok(Self { clock, ticks, started: (clock.now(), Instant::now()) })
    }

    /// Notes how long `call` took.
    #[inline(always)]
    pub(super) fn time(&mut self, call: impl FnOnce()) {
        let before = self.clock.now();
        call();
        let after = self.clock.now();
        self.ticks.saturating_record(after.saturating_sub(before));
    }

    /// The times in nanoseconds.
    pub(super) fn finish(self) -> Latencies {
        let ticks = self.clock.now().saturating_sub(self.started.0).max(1);
        let per_tick = self.started.1.elapsed().as_nanos() as f64 / ticks as f64;
        let times = self.ticks.iter_recorded().map(|times| {
            let nanoseconds = times.value_iterated_to() as f64 * per_tick;
            (nanoseconds as u64, times.count_at_value())
        });
        Latencies(times.collect())
    }
}

/// Times in nanoseconds and how often each was taken, as workers hand them over.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Latencies(Vec<(u64, u64)>);

/// The times that are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) max: u64,
}

impl Percentiles {
    /// Of all times together; `None` if there is none.
    pub(super) fn of<'a>(all: impl Iterator<Item = &'a Latencies>) -> Option<Self> {
        let mut times = Histogram::<u64>::new_with_bounds(1, MOST, 3).ok()?;
        for (nanoseconds, count) in all.flat_map(|latencies| &latencies.0) {
            times.saturating_record_n(*nanoseconds, *count);
        }
        let at = |quantile| times.value_at_quantile(quantile);
        let found = Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: times.max() };
        (!times.is_empty()).then_some(found)
    }
}

/// Nanoseconds that a look at the clock costs, where nothing disturbs it.
pub(super) fn clock_read_ns(clock: SystemClock) -> f64 {
    const READS: u32 = 2_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..READS {
            std::hint::black_box(clock.now());
        }
        start.elapsed().as_nanos() as f64 / f64::from(READS)
    };
    let mut rounds: [f64; 21] = std::array::from_fn(|_| round());
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_times_together() {
        let (fast, slow) = (Latencies(vec![(10, 98)]), Latencies(vec![(500, 1), (90_000, 1)]));
        let found = Percentiles::of([fast, slow].iter()).unwrap();
        assert_eq!((found.p50, found.p99), (10, 500));
        assert!(found.p999.abs_diff(90_000) <= 90 && found.max.abs_diff(90_000) <= 90);
        assert_eq!(Percentiles::of([].iter()), None);
    }

    #[test]
    fn a_stopwatch_counts_every_call() {
        let mut watch = Stopwatch::new(SystemClock::detect()).unwrap();
        for _ in 0..100 {
            watch.time(|| std::thread::sleep(std::time::Duration::from_micros(50)));
        }
        let latencies = watch.finish();
        assert_eq!(latencies.0.iter().map(|(_, count)| count).sum::<u64>(), 100);
        assert!(Percentiles::of([latencies].iter()).unwrap().p50 > 40_000);
        assert!(clock_read_ns(SystemClock::detect()) > 0.0);
    }
}
