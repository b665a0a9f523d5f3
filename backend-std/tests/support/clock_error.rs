//! How far stamps are from CLOCK_REALTIME, taken and converted as a collector does it. Used by the
//! test `clock` and by the example `clock`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millpond_std::{SystemClock, Timeline};

/// Numbers without a pattern; the same in each run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A stamp with the wall clock read at the same time.
struct Stamp {
    ticks: u64,
    /// How long reading took. If it took long, the thread was interrupted, and the two may be of
    /// different times.
    width: u64,
    wall_ns: i64,
}

impl Stamp {
    fn now(clock: SystemClock) -> Self {
        let before = clock.now();
        let wall = SystemTime::now();
        let width = clock.now() - before;
        let wall_ns = wall.duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
        Self { ticks: before + width / 2, width, wall_ns }
    }

    /// The best of some, so that the first is not measured that has to be fetched from far away.
    fn best(clock: SystemClock) -> Self {
        let stamps = [(); 4].map(|()| Self::now(clock));
        stamps.into_iter().min_by_key(|stamp| stamp.width).unwrap()
    }
}

/// Converted stamps, in nanoseconds after what CLOCK_REALTIME said, each with the width of its
/// reading.
#[derive(Default)]
pub(crate) struct Errors(Vec<(u64, i64)>);

impl Errors {
    /// Lets a collector's timeline run for a while: it reads the clocks every 1 to 120 ms, which
    /// is how long a collector sleeps, and then converts what was stamped meanwhile.
    pub(crate) fn collect(timeline: &mut Timeline, random: &mut Random, time: Duration) -> Self {
        let mut errors = Vec::new();
        let start = Instant::now();
        while start.elapsed() < time {
            let wake = Instant::now() + Duration::from_micros(1000 + random.below(119_000));
            let mut stamps = Vec::new();
            while Instant::now() < wake {
                stamps.push(Stamp::best(timeline.clock()));
                std::thread::sleep(Duration::from_micros(200 + random.below(1600)));
            }
            timeline.refresh();
            // Stamped after the reading and drained with the others.
            stamps.push(Stamp::best(timeline.clock()));
            errors.extend(stamps.iter().map(|stamp| {
                let said = timeline.monotonic_ns(stamp.ticks) as i64 + timeline.wall_offset_ns();
                (stamp.width, said - stamp.wall_ns)
            }));
        }
        Self(errors)
    }

    /// Their sizes, least first, without those of readings that were interrupted: that took more
    /// than twice as long as most.
    pub(crate) fn sorted(&self) -> Vec<u64> {
        let mut widths: Vec<_> = self.0.iter().map(|(width, _)| *width).collect();
        widths.sort_unstable();
        let most = 2 * widths[widths.len() / 2];
        let kept = self.0.iter().filter(|(width, _)| *width <= most);
        let mut sizes: Vec<_> = kept.map(|(_, error)| error.unsigned_abs()).collect();
        sizes.sort_unstable();
        sizes
    }

    /// How many there are, with those that were interrupted.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
