//! Where time comes from: whoever uses this crate brings it.

use core::cell::Cell;

/// A source of ticks for the stamps of records.
///
/// A stamp is a sort key, not a date: the collector learns from clock anchors which wall-clock
/// time a tick was. All producers of one collector should use clocks that tick together, or have
/// their frames anchored separately.
///
/// # What an implementation promises
///
/// 1. On one thread, `ticks` never goes backwards. Between threads it may differ by what the
///    hardware allows; the collector bounds that.
/// 2. `ticks` may be called from any context that logs: any thread at any time, and on a
///    microcontroller from an interrupt handler.
/// 3. `ticks` does not block, allocate, log or panic. It is called once for each record, so it
///    should cost some nanoseconds.
/// 4. `ticks_per_second` is at least 1 and never changes.
///
/// A clock that breaks the first promise costs order, nothing else: the collector clamps stamps.
///
/// ```
/// use millpond_core::{Clock, ManualClock};
///
/// fn elapsed_ms(clock: &impl Clock, since: u64) -> u64 {
///     (clock.ticks() - since) * 1_000 / clock.ticks_per_second()
/// }
///
/// let clock = ManualClock::new(32_768);
/// clock.advance(16_384);
/// assert_eq!(elapsed_ms(&clock, 0), 500);
/// ```
pub trait Clock {
    /// The time now, in ticks since a moment that is the same for every call.
    fn ticks(&self) -> u64;

    /// How many ticks make a second.
    fn ticks_per_second(&self) -> u64;
}

impl<C: Clock + ?Sized> Clock for &C {
    #[inline]
    fn ticks(&self) -> u64 {
        (**self).ticks()
    }

    #[inline]
    fn ticks_per_second(&self) -> u64 {
        (**self).ticks_per_second()
    }
}

/// A clock that stands still until it is moved: for tests and simulations on one thread.
#[derive(Clone, Debug)]
pub struct ManualClock {
    ticks: Cell<u64>,
    ticks_per_second: u64,
}

impl ManualClock {
    /// A clock at tick zero. A rate of zero is taken as 1.
    pub const fn new(ticks_per_second: u64) -> Self {
        let ticks_per_second = if ticks_per_second == 0 { 1 } else { ticks_per_second };
        Self { ticks: Cell::new(0), ticks_per_second }
    }

    /// Moves the clock on by `ticks`; it stops at `u64::MAX`.
    pub fn advance(&self, ticks: u64) {
        self.ticks.set(self.ticks.get().saturating_add(ticks));
    }

    /// Moves the clock to `ticks`, which may be in its past: for tests of what a lying clock does.
    pub fn set(&self, ticks: u64) {
        self.ticks.set(ticks);
    }
}

impl Clock for ManualClock {
    fn ticks(&self) -> u64 {
        self.ticks.get()
    }

    fn ticks_per_second(&self) -> u64 {
        self.ticks_per_second
    }
}

/// The clock of an embassy program.
///
/// This crate links no time driver. The program brings one, mostly by the `time-driver-...`
/// feature of its embassy HAL; without one the program does not link. The rate is the `tick-hz-...`
/// feature of `embassy-time`, 1 MHz if none is chosen.
///
/// The driver promises that its time never goes backwards and that reading it never fails
/// (`embassy_time_driver::Driver::now`); whether interrupt handlers may read it, the HAL's
/// documentation says.
///
/// ```no_run
/// use millpond_core::{Clock, EmbassyClock};
///
/// let stamp = EmbassyClock.ticks();
/// ```
#[cfg(feature = "embassy")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyClock;

#[cfg(feature = "embassy")]
impl Clock for EmbassyClock {
    #[inline]
    fn ticks(&self) -> u64 {
        embassy_time::Instant::now().as_ticks()
    }

    #[inline]
    fn ticks_per_second(&self) -> u64 {
        embassy_time::TICK_HZ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_a_clock_is_that_clock() {
        let clock = ManualClock::new(1_000);
        let dynamic: &dyn Clock = &clock;
        clock.advance(3);
        assert_eq!((Clock::ticks(&dynamic), Clock::ticks_per_second(&dynamic)), (3, 1_000));
    }

    #[test]
    fn a_manual_clock_stops_at_the_end_of_time() {
        let clock = ManualClock::new(0);
        assert_eq!(clock.ticks_per_second(), 1);
        clock.set(u64::MAX - 1);
        clock.advance(5);
        assert_eq!(clock.ticks(), u64::MAX);
        clock.set(7);
        assert_eq!(clock.ticks(), 7);
    }
}
