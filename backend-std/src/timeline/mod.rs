//! From ticks to nanoseconds.
//!
//! The kernel slews its clocks by changing how long a tick lasts, so no rate that was measured over
//! some seconds holds for the next second. What holds is what was read: a stamp between two
//! readings lies between them on all clocks. So the collector reads the clocks before it converts,
//! and stamps are interpolated between readings; the rate is needed only for those that are newer
//! than the newest reading, by the time of one pass.

mod anchor;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::clock::SystemClock;

pub use anchor::Anchor;
use anchor::Reading;

/// Readings closer together than this are not kept. A rate that is measured over it is off by some
/// 2 parts per million, and a kernel that changes its rate by 50 in between puts stamps between
/// the two off by at most a quarter of what that makes: 0.5 µs.
const SPACING_NS: u64 = 40_000_000;
/// So many readings are kept: 10 s, which is how long a handler may hold records back in rings.
const KNOTS: usize = 256;
/// A rate measured over less than this says little: the collector waits so long before it starts.
pub(crate) const LEAST_SPAN_NS: u64 = 2_000_000;

/// Another process's rate may differ from ours by one part in so many: both are measured over at
/// least [`LEAST_SPAN_NS`] with an error of some 50 ns.
const RATE_TOLERANCE: u64 = 2_000;
/// The kernel's clock strays from the last reading by at most one part in so many.
const DRIFT: u64 = 10_000;

/// Rates are nanoseconds per tick, times 2^40: 10 h of ticks of a third of a nanosecond are exact
/// to 0.1 µs.
const SCALE: u32 = 40;

/// A reading, and how long the ticks after it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Knot {
    ticks: u64,
    monotonic_ns: u64,
    /// Nanoseconds per tick, times 2^[`SCALE`].
    rate: u64,
}

impl Knot {
    fn new(anchor: Anchor, rate: u64) -> Self {
        Self { ticks: anchor.ticks, monotonic_ns: anchor.monotonic_ns, rate }
    }

    /// The rate between this and a later one.
    fn rate_to(self, later: Knot) -> u64 {
        let ns = later.monotonic_ns.saturating_sub(self.monotonic_ns).max(1);
        let ticks = later.ticks.saturating_sub(self.ticks).max(1);
        u64::try_from((u128::from(ns) << SCALE) / u128::from(ticks)).unwrap_or(u64::MAX)
    }

    #[inline(always)]
    fn at(&self, ticks: u64) -> u64 {
        let ns = (u128::from(ticks - self.ticks) * u128::from(self.rate)) >> SCALE;
        u64::try_from(ns).unwrap_or(u64::MAX).saturating_add(self.monotonic_ns)
    }

    fn before(&self, ticks: u64, rate: u64) -> u64 {
        let ns = (u128::from(self.ticks - ticks) * u128::from(rate)) >> SCALE;
        self.monotonic_ns.saturating_sub(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// Converts the ticks of one clock, by readings that the collector refreshes.
///
/// Records are ordered by monotonic nanoseconds; the offset to wall-clock time is added when they
/// are handed out, so a wall clock that is stepped changes no order.
#[derive(Clone, Debug)]
pub struct Timeline {
    clock: SystemClock,
    /// Readings [`SPACING_NS`] apart or more, oldest first. Never empty.
    knots: VecDeque<Knot>,
    /// The last of them: nearly all stamps lie between it and the newest reading.
    last: Knot,
    /// The one before it: over so long the rate is measured.
    from: Knot,
    newest: Knot,
    wall_offset_ns: i64,
    /// How many ticks a reading takes if nothing comes in between.
    tightest: u64,
}

impl Timeline {
    /// A timeline that starts now.
    pub fn new(clock: SystemClock) -> Self {
        Self::start(clock, Reading::now(clock, 0))
    }

    fn start(clock: SystemClock, reading: Reading) -> Self {
        let Reading { anchor, ticks } = reading;
        let knot = Knot::new(anchor, 1 << SCALE);
        Self {
            clock,
            knots: VecDeque::from([knot]),
            last: knot,
            from: knot,
            newest: knot,
            wall_offset_ns: wall_offset_ns(anchor),
            tightest: ticks,
        }
    }

    /// Reads the clocks again.
    pub fn refresh(&mut self) {
        self.take(Reading::now(self.clock, self.enough()));
    }

    /// A reading that took longer was interrupted.
    fn enough(&self) -> u64 {
        self.tightest.saturating_mul(2)
    }

    fn take(&mut self, reading: Reading) {
        let Reading { anchor, ticks } = reading;
        let error_ns = self.ns(ticks / 2);
        self.take_wall_offset(wall_offset_ns(anchor), error_ns);

        let is_wide = ticks > self.enough();
        // Grows slowly, since one lucky reading would make all others bad.
        self.tightest = ticks.min(self.tightest + self.tightest / 64 + 1);
        let elapsed = anchor.monotonic_ns.saturating_sub(self.newest.monotonic_ns);
        if is_wide && error_ns > elapsed / DRIFT {
            return; // What is known is closer than what was read.
        }
        if anchor.ticks < self.newest.ticks {
            return self.start_over(anchor);
        }
        if anchor.ticks == self.newest.ticks || elapsed == 0 {
            return; // The counter or the clock is too coarse to tell the two apart.
        }
        if self.newest.monotonic_ns - self.last.monotonic_ns >= SPACING_NS {
            if self.knots.len() == KNOTS {
                self.knots.pop_front();
            }
            self.from = self.last;
            self.last = self.newest;
            self.knots.push_back(self.last);
        }
        self.newest = Knot::new(anchor, 0);
        self.last.rate = self.last.rate_to(self.newest);
        // The span since the last knot may be too short to measure a rate.
        self.newest.rate = self.from.rate_to(self.newest);
        if let Some(last) = self.knots.back_mut() {
            *last = self.last;
        }
    }

    /// The counter went back: the machine was suspended, or the kernel has given the counter up,
    /// and it differs between processors. Earlier readings say nothing about later ticks.
    #[cold]
    fn start_over(&mut self, anchor: Anchor) {
        let knot = Knot::new(anchor, self.newest.rate);
        self.knots.clear();
        self.knots.push_back(knot);
        (self.last, self.from, self.newest) = (knot, knot, knot);
    }

    /// The offset changes only when the wall clock is stepped. A reading that agrees with it, as
    /// far as it can tell, says nothing new.
    fn take_wall_offset(&mut self, offset_ns: i64, error_ns: u64) {
        if offset_ns.abs_diff(self.wall_offset_ns) > error_ns {
            self.wall_offset_ns = offset_ns;
        }
    }

    /// How long so many ticks last.
    fn ns(&self, ticks: u64) -> u64 {
        if self.clock.is_native_counter() {
            Knot { ticks: 0, monotonic_ns: 0, rate: self.newest.rate }.at(ticks)
        } else {
            ticks
        }
    }

    /// Takes in a reading that another process made earlier, which makes records of long ago exact.
    /// It is believed only if it implies the rate that was measured here.
    pub fn learn(&mut self, earlier: Anchor) {
        let front = self.knots[0];
        let is_earlier = earlier.ticks < front.ticks
            && earlier.monotonic_ns < front.monotonic_ns
            && earlier.monotonic_ns != 0;
        let measured_ns = self.newest.monotonic_ns - self.from.monotonic_ns;
        if !is_earlier || measured_ns < LEAST_SPAN_NS {
            return;
        }
        let mut knot = Knot::new(earlier, 0);
        let implied = knot.rate_to(self.newest);
        if implied.abs_diff(self.newest.rate) < self.newest.rate / RATE_TOLERANCE {
            knot.rate = knot.rate_to(front);
            if self.knots.len() == KNOTS {
                self.knots.pop_front();
            }
            self.knots.push_front(knot);
        }
    }

    /// Monotonic nanoseconds at `ticks`. Any ticks give some answer; a far-away stamp saturates.
    #[inline]
    pub fn monotonic_ns(&self, ticks: u64) -> u64 {
        if !self.clock.is_native_counter() {
            return ticks;
        }
        if ticks >= self.newest.ticks {
            self.newest.at(ticks)
        } else if ticks >= self.last.ticks {
            self.last.at(ticks)
        } else if ticks >= self.from.ticks {
            self.from.at(ticks)
        } else {
            self.long_ago(ticks)
        }
    }

    /// For a record that waited in its ring while others were drained, or since before this
    /// collector began.
    #[cold]
    fn long_ago(&self, ticks: u64) -> u64 {
        match self.knots.partition_point(|knot| knot.ticks <= ticks) {
            0 => {
                let first = self.knots[0];
                first.before(ticks, first.rate_to(self.newest))
            }
            later => self.knots[later - 1].at(ticks),
        }
    }

    /// What [`Timeline::monotonic_ns`] does between the two readings around `ticks`, up to `most`.
    /// `None` if it cannot be said in so simple a way.
    #[inline(never)]
    pub(crate) fn span(&self, ticks: u64, most: u64) -> Option<Span> {
        let (knot, next) = if !self.clock.is_native_counter() {
            (Knot { ticks: 0, monotonic_ns: 0, rate: 1 << SCALE }, None)
        } else if ticks >= self.newest.ticks {
            (self.newest, None)
        } else if ticks >= self.last.ticks {
            (self.last, Some(self.newest))
        } else {
            let later = self.knots.partition_point(|knot| knot.ticks <= ticks);
            (*self.knots.get(later.checked_sub(1)?)?, self.knots.get(later).copied())
        };
        let last = next.map_or(most, |next| most.min(next.ticks - 1));
        (last >= knot.ticks && knot.at(last) < u64::MAX).then_some(Span { knot, last })
    }

    /// What to add to monotonic nanoseconds to get nanoseconds since the Unix epoch, as of the
    /// last refresh.
    pub fn wall_offset_ns(&self) -> i64 {
        self.wall_offset_ns
    }

    /// The clock whose ticks are converted.
    pub fn clock(&self) -> SystemClock {
        self.clock
    }
}

/// Stamps that are converted alike: many in a row with one multiplication each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    knot: Knot,
    last: u64,
}

impl Span {
    /// The last stamp of the span.
    #[inline]
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// As [`Timeline::monotonic_ns`], if `ticks` is not before the stamp that the span was asked
    /// for and not behind the last one.
    #[inline(always)]
    pub(crate) fn monotonic_ns(&self, ticks: u64) -> u64 {
        // For the last one it fits into 64 bits, so it does for the others.
        let ticks = ticks.wrapping_sub(self.knot.ticks);
        let ns = (u128::from(ticks) * u128::from(self.knot.rate)) >> SCALE;
        self.knot.monotonic_ns.wrapping_add(ns as u64)
    }
}

fn wall_offset_ns(anchor: Anchor) -> i64 {
    anchor.wall_ns.wrapping_sub(anchor.monotonic_ns as i64)
}
