//! Reading three clocks at once.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::{SystemClock, monotonic_ns, native_ticks};

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
    /// Reads the clocks, so often that being interrupted between two reads does no harm.
    pub fn now(clock: SystemClock) -> Anchor {
        Reading::now(clock, 0).anchor
    }
}

/// An anchor and how exact it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) anchor: Anchor,
    /// How long reading took: the anchor is off by at most half of it.
    pub(super) ticks: u64,
}

/// So often the clocks are read at least: the first time they and their code come from far away.
const TRIES: u32 = 3;
/// And so often if each time something came in between.
const MOST_TRIES: u32 = 12;

impl Reading {
    /// Reads the clocks some times and returns the reading that took least; more often if none
    /// took at most `enough` ticks (0: whatever it takes is enough).
    pub(super) fn now(clock: SystemClock, enough: u64) -> Reading {
        let mut best = Self::once(clock);
        for tries in 1..MOST_TRIES {
            if tries >= TRIES && (best.ticks <= enough || enough == 0) {
                break;
            }
            let reading = Self::once(clock);
            if reading.ticks < best.ticks {
                best = reading;
            }
        }
        best
    }

    /// The wall clock in the middle, the others before and after it: all say the same moment.
    fn once(clock: SystemClock) -> Reading {
        let counter = clock.is_native_counter();
        let first_ticks = if counter { native_ticks() } else { 0 };
        let first_ns = monotonic_ns();
        let wall_ns = wall_ns();
        let last_ns = monotonic_ns();
        let (first, last) =
            if counter { (first_ticks, native_ticks()) } else { (first_ns, last_ns) };
        let middle = |a: u64, b: u64| a.wrapping_add(b.wrapping_sub(a) / 2);
        let anchor =
            Anchor { ticks: middle(first, last), monotonic_ns: middle(first_ns, last_ns), wall_ns };
        Reading { anchor, ticks: last.wrapping_sub(first) }
    }
}

/// Nanoseconds since the Unix epoch; negative before it.
fn wall_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
