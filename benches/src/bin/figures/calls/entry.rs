//! One entry point: how it is called, and what comes out.

use std::hint::black_box;
use std::time::Duration;

use hdrhistogram::Histogram;
use millpond_benches::allocator::allocations;
use millpond_benches::messages::Message;
use millpond_benches::usage::spin_for;
use millpond_std::SystemClock;
use serde::Serialize;

use crate::events::Event;
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

/// What is sent, and how the call sees it: made ready before the call is timed.
trait Sent {
    type Seen<'a>: Copy
    where
        Self: 'a;

    fn seen(&self) -> Self::Seen<'_>;
}

impl Sent for Message {
    type Seen<'a> = &'a str;

    fn seen(&self) -> &str {
        self.text()
    }
}

impl Sent for Event {
    type Seen<'a> = Event;

    fn seen(&self) -> Event {
        *self
    }
}

/// Times of one entry point in one round.
struct Round {
    single: Histogram<u64>,
    burst: Histogram<u64>,
    allocations: u64,
}

/// What is measured of one entry point.
pub(super) struct Entry {
    pub(super) name: &'static str,
    rounds: Vec<Round>,
    pub(super) sender: u32,
    number: u64,
}

impl Entry {
    pub(super) fn new(name: &'static str, sender: u32) -> Self {
        Self { name, rounds: Vec::new(), sender, number: 0 }
    }

    /// Calls `call` with messages that are numbered through.
    pub(super) fn round(&mut self, clock: SystemClock, calls: u64, call: impl FnMut(&str)) {
        let mut message = Message::of(self.sender);
        let make = |number| {
            message.number(number);
            message.clone()
        };
        self.round_of::<Message>(clock, calls, make, call);
    }

    /// Calls `call` with events that are numbered through.
    pub(super) fn round_of_events(
        &mut self,
        clock: SystemClock,
        calls: u64,
        call: impl FnMut(Event),
    ) {
        let sender = self.sender as i32;
        self.round_of::<Event>(clock, calls, |number| Event::new(sender, number), call);
    }

    /// Calls `call` with what `make` makes of a number.
    #[inline(never)]
    fn round_of<T: Sent>(
        &mut self,
        clock: SystemClock,
        calls: u64,
        mut make: impl FnMut(u64) -> T,
        mut call: impl for<'a> FnMut(T::Seen<'a>),
    ) {
        let mut round = Round { single: histogram(), burst: histogram(), allocations: 0 };
        let mut stamps = [0; BURST + 1];
        let mut number = self.number;
        let mut next = || -> [T; BURST] {
            std::array::from_fn(|_| {
                number += 1;
                make(number - 1)
            })
        };
        for _ in 0..calls / BURST as u64 {
            let items = next();
            let seen = items.each_ref().map(T::seen);
            spin_for(PAUSE);
            let before = allocations();
            stamps[0] = clock.now();
            for (item, stamp) in black_box(&seen).iter().zip(&mut stamps[1..]) {
                call(*item);
                *stamp = clock.now();
            }
            round.allocations += allocations() - before;
            for pair in stamps.windows(2) {
                round.single.saturating_record(pair[1].saturating_sub(pair[0]));
            }
            let items = next();
            let seen = items.each_ref().map(T::seen);
            spin_for(PAUSE);
            let before = allocations();
            let start = clock.now();
            for item in black_box(&seen) {
                call(*item);
            }
            round.burst.saturating_record(clock.now().saturating_sub(start));
            round.allocations += allocations() - before;
        }
        self.number = number;
        self.rounds.push(round);
    }

    /// How many messages were sent.
    pub(super) fn sent(&self) -> u64 {
        self.number
    }

    pub(super) fn finish(&self, bare: &Entry, ns: f64) -> Call {
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
