//! From ticks to nanoseconds.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::{ClockKind, SystemClock, monotonic_ns};

/// The same moment on three clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anchor {
    /// Ticks of the clock that stamps records.
    pub ticks: u64,
    /// Nanoseconds of the monotonic clock.
    pub monotonic_ns: u64,
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: i64,
}

impl Anchor {
    /// Reads the clocks. Of three tries the one that took the fewest ticks counts, so that being
    /// interrupted between two reads does no harm.
    pub fn now(clock: SystemClock) -> Anchor {
        let tries = std::array::from_fn::<_, 3, _>(|_| {
            let before = clock.now();
            let monotonic_ns = monotonic_ns();
            let wall_ns = wall_ns();
            let took = clock.now().wrapping_sub(before);
            (took, Anchor { ticks: before.wrapping_add(took / 2), monotonic_ns, wall_ns })
        });
        tries.into_iter().min_by_key(|(took, _)| *took).map_or_else(Anchor::default, |(_, a)| a)
    }
}

/// Nanoseconds since the Unix epoch; negative before it.
fn wall_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

/// A base is kept this long before a later anchor replaces it, so the rate follows the kernel's.
const BASE_AGE_NS: u64 = 16_000_000_000;
/// A rate measured over less than this says little: the collector waits so long before it starts.
pub(crate) const LEAST_SPAN_NS: u64 = 2_000_000;

/// Another process's rate may differ from ours by one part in so many: both are measured over at
/// least [`LEAST_SPAN_NS`] with an error of some 50 ns.
const RATE_TOLERANCE: u64 = 2_000;

/// Nanoseconds per tick, times 2^32, between two readings.
fn rate(from: Anchor, to: Anchor) -> u64 {
    let ns = to.monotonic_ns.saturating_sub(from.monotonic_ns).max(1);
    let ticks = to.ticks.saturating_sub(from.ticks).max(1);
    u64::try_from((u128::from(ns) << 32) / u128::from(ticks)).unwrap_or(u64::MAX)
}

/// Converts the ticks of one clock, by pairs of readings that the collector refreshes.
///
/// The rate is that between a base some seconds ago and the newest anchor, so a reading error of
/// 50 ns amounts to some parts per billion after a while. Records are ordered by monotonic
/// nanoseconds; the offset to wall-clock time is added when they are handed out, so a wall clock
/// that is stepped changes no order.
#[derive(Clone, Debug)]
pub struct Timeline {
    clock: SystemClock,
    base: Anchor,
    next_base: Anchor,
    newest: Anchor,
    /// Nanoseconds per tick, times 2^32.
    rate: u64,
}

impl Timeline {
    /// A timeline that starts now.
    pub fn new(clock: SystemClock) -> Self {
        let now = Anchor::now(clock);
        Self { clock, base: now, next_base: now, newest: now, rate: 1 << 32 }
    }

    /// Reads the clocks again.
    pub fn refresh(&mut self) {
        self.newest = Anchor::now(self.clock);
        if self.newest.monotonic_ns.saturating_sub(self.next_base.monotonic_ns) > BASE_AGE_NS {
            self.base = self.next_base;
            self.next_base = self.newest;
        }
        self.measure();
    }

    /// Takes in a reading that another process made earlier, which makes records of long ago exact.
    /// It is believed only if it implies the rate that was measured here.
    pub fn learn(&mut self, earlier: Anchor) {
        let own = self.newest.monotonic_ns.saturating_sub(self.base.monotonic_ns);
        let is_earlier = earlier.ticks < self.base.ticks
            && earlier.monotonic_ns < self.base.monotonic_ns
            && earlier.monotonic_ns != 0;
        if is_earlier && (LEAST_SPAN_NS..BASE_AGE_NS).contains(&own) {
            let implied = rate(earlier, self.newest);
            if implied.abs_diff(self.rate) < self.rate / RATE_TOLERANCE {
                self.base = earlier;
                self.measure();
            }
        }
    }

    fn measure(&mut self) {
        if self.clock.kind() == ClockKind::Monotonic {
            return;
        }
        self.rate = rate(self.base, self.newest);
    }

    /// Monotonic nanoseconds at `ticks`. Any ticks give some answer; a far-away stamp saturates.
    #[inline]
    pub fn monotonic_ns(&self, ticks: u64) -> u64 {
        if self.clock.kind() == ClockKind::Monotonic {
            return ticks;
        }
        let since = ticks.wrapping_sub(self.newest.ticks) as i64;
        let ns = (i128::from(since) * i128::from(self.rate)) >> 32;
        let ns = i128::from(self.newest.monotonic_ns) + ns;
        ns.clamp(0, i128::from(u64::MAX)) as u64
    }

    /// What to add to monotonic nanoseconds to get nanoseconds since the Unix epoch, as of the
    /// last refresh.
    pub fn wall_offset_ns(&self) -> i64 {
        self.newest.wall_ns.wrapping_sub(self.newest.monotonic_ns as i64)
    }

    /// The clock whose ticks are converted.
    pub fn clock(&self) -> SystemClock {
        self.clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_converts_to_itself() {
        let mut timeline = Timeline::new(SystemClock::detect());
        let start = monotonic_ns();
        while monotonic_ns() - start < 3 * LEAST_SPAN_NS {
            std::hint::spin_loop();
        }
        timeline.refresh();
        for anchor in [timeline.base, timeline.newest] {
            let error = timeline.monotonic_ns(anchor.ticks).abs_diff(anchor.monotonic_ns);
            assert!(error < 1_000, "off by {error} ns");
        }
    }

    #[test]
    fn stamps_from_anywhere_do_no_harm() {
        let timeline = Timeline::new(SystemClock::detect());
        for ticks in [0, 1, u64::MAX / 2, u64::MAX] {
            let _ = timeline.monotonic_ns(ticks);
        }
    }

    #[test]
    fn an_earlier_reading_is_believed_if_it_fits() {
        let clock = SystemClock::monotonic();
        let mut timeline = Timeline::new(clock);
        let own = timeline.base;
        let before =
            |ns| Anchor { ticks: own.ticks - ns, monotonic_ns: own.monotonic_ns - ns, wall_ns: 0 };
        timeline.learn(before(1000));
        assert_eq!(timeline.base, own, "nothing was measured yet");
        timeline.newest = Anchor {
            ticks: own.ticks + LEAST_SPAN_NS,
            monotonic_ns: own.monotonic_ns + LEAST_SPAN_NS,
            wall_ns: 0,
        };
        let lie = Anchor { ticks: own.ticks / 2, ..before(1000) };
        timeline.learn(lie);
        assert_eq!(timeline.base, own, "another rate");
        timeline.learn(before(1000));
        assert_eq!(timeline.base, before(1000));
        timeline.learn(own);
        assert_eq!(timeline.base, before(1000), "a later one says nothing new");
    }
}
