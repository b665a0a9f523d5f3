//! Nanoseconds of a call: bursts with pauses between them, as programs log.

use hdrhistogram::Histogram;
use millpond_std::SystemClock;

use crate::subject::{Record, Subject};
use crate::task::{BURST, Pause, Quantiles};

/// Ticks of calls and of whole bursts.
pub(crate) struct Times {
    calls: Histogram<u64>,
    bursts: Histogram<u64>,
}

impl Times {
    pub(crate) fn new() -> Self {
        let empty = || Histogram::new_with_bounds(1, 1 << 40, 3).expect("bounds in order");
        Self { calls: empty(), bursts: empty() }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += &other.calls;
        self.bursts += &other.bursts;
    }

    pub(crate) fn quantiles(&self, ns_per_tick: f64) -> Quantiles {
        let call = |q| self.calls.value_at_quantile(q) as f64 * ns_per_tick;
        let burst = self.bursts.value_at_quantile(0.5) as f64 * ns_per_tick;
        Quantiles {
            p50: call(0.5),
            p90: call(0.9),
            p99: call(0.99),
            p999: call(0.999),
            in_burst: burst / BURST as f64,
        }
    }
}

/// Pauses in which the thread stays busy, as a program between its log calls is.
pub(crate) struct Pauses {
    clock: SystemClock,
    least: u64,
    /// Pauses are up to this much longer, so that no subject is in step with them.
    more: u64,
    random: u64,
}

impl Pauses {
    pub(crate) fn new(pause: Pause, ns_per_tick: f64, seed: i32) -> Self {
        let ticks = |ns: f64| (ns / ns_per_tick) as u64;
        let (least, more) = match pause {
            Pause::Long => (ticks(100_000.0), ticks(100_000.0)),
            Pause::Short => (ticks(8_000.0), 0),
        };
        let random = 0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1);
        Self { clock: SystemClock::detect(), least, more, random }
    }

    fn wait(&mut self) {
        // xorshift
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let until = self.clock.now() + self.least + self.random % (self.more + 1);
        while self.clock.now() < until {
            std::hint::spin_loop();
        }
    }
}

/// Logs `bursts` bursts whose calls are timed one by one, and as many that are timed as a whole.
/// A time begins and ends with a reading of the clock and is left as it is: the subject `clock`,
/// whose calls do nothing, shows what that costs.
#[inline(never)]
pub(crate) fn bursts<S: Subject>(
    handle: &mut S::Handle<'_>,
    times: &mut Times,
    producer: i32,
    first: u64,
    bursts: u64,
    mut pauses: Pauses,
) {
    let clock = SystemClock::detect();
    let mut number = first;
    let mut stamps = [0; BURST + 1];
    let mut next = || -> [Record; BURST] {
        std::array::from_fn(|_| {
            number += 1;
            Record::new(producer, number - 1)
        })
    };
    for _ in 0..bursts {
        let records = std::hint::black_box(next());
        pauses.wait();
        stamps[0] = clock.now();
        for (index, record) in records.into_iter().enumerate() {
            S::log(handle, record, stamps[index]);
            stamps[index + 1] = clock.now();
        }
        for pair in stamps.windows(2) {
            times.calls.saturating_record(pair[1].saturating_sub(pair[0]));
        }

        let records = std::hint::black_box(next());
        pauses.wait();
        // A caller that brings the stamp has read the clock for something else.
        let start = clock.now();
        for record in records {
            S::log(handle, record, start);
        }
        times.bursts.saturating_record(clock.now().saturating_sub(start));
    }
}
