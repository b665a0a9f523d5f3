//! How far off stamps are while the kernel slews, on simulated clocks.

use super::*;
use crate::clock::ClockKind;

const MS: u64 = 1_000_000;
const S: u64 = 1000 * MS;
const TICKS_PER_NS: u64 = 3;
/// The time-stamp counter of some machines ticks in steps.
const STEP: u64 = 30;
/// How far a reading may be off, and how long it takes.
const READING_ERROR_NS: u64 = 30;
const READING_TICKS: u64 = 300;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn around_zero(&mut self, most: u64) -> i64 {
        self.below(2 * most + 1) as i64 - most as i64
    }
}

/// A monotonic clock that is slewed: from when on, what it says then, and parts per billion.
struct Kernel(Vec<(u64, u64, i64)>);

impl Kernel {
    /// From time zero on, each rate for so long.
    fn slewing(length: u64, every: u64, mut ppb: impl FnMut(u64) -> i64) -> Self {
        let mut pieces = vec![(0, 1000 * S, ppb(0))];
        for piece in 1..=length / every {
            let (start, ns, rate) = *pieces.last().unwrap();
            let elapsed = every as i64;
            let ns = ns + (elapsed + elapsed * rate / 1_000_000_000) as u64;
            pieces.push((start + every, ns, ppb(piece)));
        }
        Self(pieces)
    }

    fn monotonic_ns(&self, time: u64) -> u64 {
        let piece = self.0.partition_point(|(start, ..)| *start <= time) - 1;
        let (start, ns, ppb) = self.0[piece];
        let elapsed = (time - start) as i64;
        ns + (elapsed + elapsed * ppb / 1_000_000_000) as u64
    }

    fn read(&self, time: u64, error_ns: i64, ticks: u64) -> Reading {
        let monotonic_ns = self.monotonic_ns(time).wrapping_add_signed(error_ns);
        let anchor = Anchor { ticks: ticks_at(time), monotonic_ns, wall_ns: monotonic_ns as i64 };
        Reading { anchor, ticks }
    }

    fn read_well(&self, time: u64, random: &mut Random) -> Reading {
        self.read(time, random.around_zero(READING_ERROR_NS), READING_TICKS)
    }
}

fn ticks_at(time: u64) -> u64 {
    (S + time * TICKS_PER_NS) / STEP * STEP
}

fn counter() -> SystemClock {
    SystemClock::of_kind(ClockKind::Tsc)
}

/// How far off stamps are, in nanoseconds.
#[derive(Debug)]
struct Errors(Vec<u64>);

impl Errors {
    fn of(mut errors: Vec<u64>) -> Self {
        errors.sort_unstable();
        Self(errors)
    }

    fn p99(&self) -> u64 {
        self.0[self.0.len() * 99 / 100]
    }

    fn max(&self) -> u64 {
        self.0[self.0.len() - 1]
    }
}

/// Runs a collector that reads the clocks every so often, and at each reading converts stamps that
/// are up to `age` old, or up to a millisecond younger than the reading.
fn run(
    kernel: &Kernel,
    length: u64,
    age: u64,
    mut interval: impl FnMut(&mut Random) -> u64,
) -> Errors {
    let mut random = Random(1);
    let mut timeline = Timeline::start(counter(), kernel.read_well(0, &mut random));
    let (mut errors, mut time) = (Vec::new(), 2 * MS);
    while time < length {
        timeline.take(kernel.read_well(time, &mut random));
        let step = interval(&mut random);
        for _ in 0..8 {
            let oldest = time.saturating_sub(if age == 0 { step } else { age });
            let stamp = oldest + random.below(time + MS - oldest);
            let said = timeline.monotonic_ns(ticks_at(stamp));
            errors.push(said.abs_diff(kernel.monotonic_ns(stamp)));
        }
        time += step;
    }
    Errors::of(errors)
}

#[test]
fn a_steady_slew_is_followed() {
    for ppb in [-50_000, 0, 50_000] {
        let kernel = Kernel::slewing(100 * S, 100 * S, |_| ppb);
        let errors = run(&kernel, 100 * S, 0, |random| MS + random.below(120 * MS));
        assert!(errors.p99() < 100, "p99 {} ns", errors.p99());
        // A rate that was measured over two milliseconds, at the start.
        assert!(errors.max() < 200, "{} ns", errors.max());
    }
}

/// What the kernel does under an NTP daemon: another rate within the bounds from time to time.
#[test]
fn a_slew_that_changes_is_followed() {
    let mut random = Random(2);
    for every in [S, 16 * S] {
        let kernel = Kernel::slewing(200 * S, every, |_| random.around_zero(50_000));
        for age in [0, 5 * S] {
            let errors = run(&kernel, 200 * S, age, |random| MS + random.below(119 * MS));
            assert!(errors.p99() < 1000, "p99 {} ns", errors.p99());
        }
    }
}

/// The worst there is: from one bound to the other, while the collector sleeps as long as it can.
#[test]
fn what_a_change_between_two_readings_does_is_bounded() {
    const SLEEP: u64 = 120 * MS;
    let kernel = Kernel::slewing(400 * S, 16 * S, |piece| [-50_000, 50_000][piece as usize % 2]);
    let errors = run(&kernel, 400 * S, 0, |_| SLEEP);
    assert!(errors.p99() < 1000, "p99 {} ns", errors.p99());
    let most = 100 * SLEEP / 4 / 1_000_000;
    assert!(errors.max() < most + 200, "{} ns, expected {most}", errors.max());
    // And while it is busy: at once.
    let errors = run(&kernel, 400 * S, 0, |_| MS);
    assert!(errors.max() < 300, "{} ns", errors.max());
}

/// So that it is seen that the simulation can fail: what a rate over 16 seconds would make of it.
#[test]
fn a_rate_over_a_long_time_would_not_do() {
    let mut random = Random(2);
    let kernel = Kernel::slewing(200 * S, 16 * S, |_| random.around_zero(50_000));
    let errors = (160..2000u64).map(|tick| {
        let (time, age) = (tick * 100 * MS, random.below(100 * MS));
        let [from, to] = [time - 16 * S, time]
            .map(|time| Knot::new(kernel.read_well(time, &mut random).anchor, 0));
        let said = to.before(ticks_at(time - age), from.rate_to(to));
        said.abs_diff(kernel.monotonic_ns(time - age))
    });
    let errors = Errors::of(errors.collect());
    assert!(errors.p99() > 1000, "p99 {} ns", errors.p99());
}

/// The thread may be interrupted between reading one clock and the other, each time.
#[test]
fn interrupted_readings_do_little_harm() {
    let kernel = Kernel::slewing(60 * S, 60 * S, |_| 20_000);
    let mut random = Random(3);
    let mut timeline = Timeline::start(counter(), kernel.read_well(0, &mut random));
    let mut errors = Vec::new();
    for ms in (2..60_000).step_by(3) {
        let is_interrupted = ms % 5 == 0;
        let reading = if is_interrupted {
            let took_ns = 1000 + random.below(100_000);
            let error_ns = random.around_zero(took_ns / 2);
            kernel.read(ms * MS, error_ns, took_ns * TICKS_PER_NS)
        } else {
            kernel.read_well(ms * MS, &mut random)
        };
        timeline.take(reading);
        for _ in 0..4 {
            let stamp = ms * MS - random.below(2 * MS);
            let said = timeline.monotonic_ns(ticks_at(stamp));
            errors.push(said.abs_diff(kernel.monotonic_ns(stamp)));
        }
    }
    let errors = Errors::of(errors);
    assert!(errors.p99() < 500, "p99 {} ns", errors.p99());
    assert!(errors.max() < 1000, "{} ns", errors.max());
}

/// A step of the wall clock is shown from the next reading on and moves no key.
#[test]
fn a_stepped_wall_clock_changes_no_order() {
    let kernel = Kernel::slewing(S, S, |_| 0);
    for step_ns in [-3600 * S as i64, -1000, 1000, 3600 * S as i64] {
        let mut steady = Timeline::start(counter(), kernel.read(0, 0, READING_TICKS));
        let mut stepped = steady.clone();
        let mut last_key = 0;
        for ms in 1..500 {
            let reading = kernel.read(ms * MS, 0, READING_TICKS);
            steady.take(reading);
            let mut other = reading;
            other.anchor.wall_ns += if ms < 250 { 0 } else { step_ns };
            stepped.take(other);
            for time in [ms * MS - 500_000, ms * MS, ms * MS + 1000] {
                let key = stepped.monotonic_ns(ticks_at(time));
                assert_eq!(key, steady.monotonic_ns(ticks_at(time)));
                assert!(key > last_key);
                last_key = key;
            }
            last_key -= 2000;
            let expected = if ms < 250 { 0 } else { step_ns };
            assert_eq!(stepped.wall_offset_ns() - steady.wall_offset_ns(), expected);
        }
    }
}
