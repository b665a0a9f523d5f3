//! Watching workers: who is late, who is back.
//!
//! A worker checks in and says when it will check in next. [`GRACE`] after it should have, the
//! monitor reports it once: as [`Change::Stalled`] if the kernel says that it lives, as
//! [`Change::AppearsDead`] if the kernel can say nothing. Silence is never taken for death: only
//! kernel evidence, which comes from outside, ends a watch that way.
//!
//! ```text
//!                 check_in                        check: late, Evidence::Alive
//!  not watched ─────────────► Punctual ──────────────────────────────────────► Stalled
//!       ▲                      ▲  │                                              │  │
//!       │                      │  └── check: late, Evidence::Unknown ─► AppearsDead │
//!       │                      │                                              │  │
//!       │                      └──────────────── check_in: Recovered ─────────┴──┤
//!       └──────────────────── shut_down, died (from any state) ──────────────────┘
//! ```
//!
//! The monitor reads no clock: whoever asks passes `now` in.

use core::fmt;

use embassy_time::{Duration, Instant, TICK_HZ};
use heapless::LinearMap;

/// How long after a missed check-in a worker is reported.
pub const GRACE: Duration = Duration::from_secs(1);

/// Names one life of one worker. A worker that is started again gets another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u64);

/// What the kernel says of a worker that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It lives.
    Alive,
    /// Nothing can be known: it is at the other end of a serial line, say.
    Unknown,
}

/// What is to be reported of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is late and lives.
    Stalled,
    /// It is late and nothing is known.
    AppearsDead,
    /// It had been reported and has checked in again.
    Recovered,
}

impl fmt::Display for Change {
    /// What a log line says after the worker's name: `appears stalled`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Change::Stalled => "appears stalled",
            Change::AppearsDead => "appears dead",
            Change::Recovered => "has recovered",
        })
    }
}

/// How a watched worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not been reported since its last check-in.
    Punctual,
    /// It was reported as [`Change::Stalled`].
    Stalled,
    /// It was reported as [`Change::AppearsDead`].
    AppearsDead,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    /// When it is reported; `None` beyond the end of time.
    report_at: Option<Instant>,
    state: State,
}

/// Watches up to `N` workers. Every call looks at each of them in turn.
///
/// ```
/// use embassy_time::{Duration, Instant};
/// use millpond_core::health::{Change, Evidence, Monitor, WorkerId};
///
/// let mut monitor = Monitor::<8>::new();
/// let worker = WorkerId(1);
/// monitor.check_in(worker, Instant::from_secs(0), Duration::from_secs(60))?;
///
/// let mut reports = Vec::new();
/// monitor.check(Instant::from_secs(60), |_| Evidence::Alive, |_, change| reports.push(change));
/// assert!(reports.is_empty());
/// monitor.check(Instant::from_secs(61), |_| Evidence::Alive, |_, change| reports.push(change));
/// assert_eq!(reports, [Change::Stalled]);
///
/// let change = monitor.check_in(worker, Instant::from_secs(70), Duration::from_secs(60))?;
/// assert_eq!(change, Some(Change::Recovered));
/// # Ok::<(), millpond_core::health::MonitorFull>(())
/// ```
#[derive(Debug)]
pub struct Monitor<const N: usize> {
    watches: LinearMap<WorkerId, Watch, N>,
}

impl<const N: usize> Monitor<N> {
    /// A monitor that watches nobody.
    pub const fn new() -> Self {
        Self { watches: LinearMap::new() }
    }

    /// A worker is alive at `now` and will check in again after `next`, which is the worker's word:
    /// if it reaches beyond the end of time, the worker is never late. A worker that was not
    /// watched is from here on.
    ///
    /// Returns [`Change::Recovered`] if it had been reported.
    ///
    /// # Errors
    ///
    /// [`MonitorFull`] if the worker is new and `N` are watched. It is not watched then.
    pub fn check_in(
        &mut self,
        id: WorkerId,
        now: Instant,
        next: Duration,
    ) -> Result<Option<Change>, MonitorFull> {
        let report_at = now.checked_add(next).and_then(|due| due.checked_add(GRACE));
        let watch = Watch { report_at, state: State::Punctual };
        let before = self.watches.insert(id, watch).map_err(|_| MonitorFull { id, capacity: N })?;
        Ok(match before {
            None | Some(Watch { state: State::Punctual, .. }) => None,
            Some(_) => Some(Change::Recovered),
        })
    }

    /// A worker ended in good order: it is not watched any more. Returns whether it was.
    pub fn shut_down(&mut self, id: WorkerId) -> bool {
        self.watches.remove(&id).is_some()
    }

    /// The kernel said that a worker is dead: it is not watched any more. Returns whether it was.
    ///
    /// Call it when what the worker left behind has been read: a heartbeat among that would start
    /// the watch anew.
    pub fn died(&mut self, id: WorkerId) -> bool {
        self.watches.remove(&id).is_some()
    }

    /// Reports every worker that is late at `now` and was not reported since its last check-in.
    /// `evidence` is asked for those only.
    pub fn check(
        &mut self,
        now: Instant,
        mut evidence: impl FnMut(WorkerId) -> Evidence,
        mut report: impl FnMut(WorkerId, Change),
    ) {
        for (id, watch) in self.watches.iter_mut() {
            let is_late = watch.report_at.is_some_and(|at| now >= at);
            if !is_late || watch.state != State::Punctual {
                continue;
            }
            let (state, change) = match evidence(*id) {
                Evidence::Alive => (State::Stalled, Change::Stalled),
                Evidence::Unknown => (State::AppearsDead, Change::AppearsDead),
            };
            watch.state = state;
            report(*id, change);
        }
    }

    /// The first moment at which [`Monitor::check`] will report somebody unless a check-in comes
    /// before: whoever sleeps need not wake up earlier. `None` if it never will.
    pub fn next_due(&self) -> Option<Instant> {
        self.watches
            .values()
            .filter(|watch| watch.state == State::Punctual)
            .filter_map(|watch| watch.report_at)
            .min()
    }

    /// How a worker stands, if it is watched.
    pub fn state(&self, id: WorkerId) -> Option<State> {
        self.watches.get(&id).map(|watch| watch.state)
    }

    /// All watched workers and how they stand, in no order.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerId, State)> + '_ {
        self.watches.iter().map(|(id, watch)| (*id, watch.state))
    }

    /// How many workers are watched.
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether nobody is watched.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }
}

impl<const N: usize> Default for Monitor<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// `nanoseconds`, as frames count time, as a `Duration`, rounded up to its ticks. No value is too
/// large: [`Duration::from_nanos`] would overflow on a lying heartbeat.
pub const fn interval(nanoseconds: u64) -> Duration {
    const NANOSECONDS: u128 = 1_000_000_000;
    let ticks = (nanoseconds as u128 * TICK_HZ as u128).div_ceil(NANOSECONDS);
    Duration::from_ticks(if ticks > u64::MAX as u128 { u64::MAX } else { ticks as u64 })
}

/// A worker cannot be watched: as many as the monitor has room for are watched already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitorFull {
    /// The worker that is not watched.
    pub id: WorkerId,
    /// How many workers the monitor has room for.
    pub capacity: usize,
}

impl fmt::Display for MonitorFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MonitorFull { id: WorkerId(id), capacity } = self;
        write!(f, "worker {id} is not watched: the monitor has room for {capacity}, all taken")
    }
}

impl core::error::Error for MonitorFull {}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    const WORKER: WorkerId = WorkerId(7);

    fn reports<const N: usize>(
        monitor: &mut Monitor<N>,
        now: Instant,
        evidence: Evidence,
    ) -> Vec<(WorkerId, Change)> {
        let mut reports = Vec::new();
        monitor.check(now, |_| evidence, |id, change| reports.push((id, change)));
        reports
    }

    #[test]
    fn a_late_worker_is_reported_once_one_second_after_its_check_in_was_due() {
        for (evidence, change, state) in [
            (Evidence::Alive, Change::Stalled, State::Stalled),
            (Evidence::Unknown, Change::AppearsDead, State::AppearsDead),
        ] {
            let mut monitor = Monitor::<1>::new();
            let start = Instant::from_secs(5);
            assert_eq!(monitor.check_in(WORKER, start, Duration::from_secs(60)), Ok(None));
            let due = Instant::from_secs(66);
            assert_eq!(monitor.next_due(), Some(due));
            let before = Instant::from_ticks(due.as_ticks() - 1);
            assert!(reports(&mut monitor, before, evidence).is_empty());
            assert_eq!(monitor.state(WORKER), Some(State::Punctual));
            assert_eq!(reports(&mut monitor, due, evidence), [(WORKER, change)]);
            assert_eq!(monitor.state(WORKER), Some(state));
            assert_eq!(monitor.next_due(), None);
            assert!(reports(&mut monitor, Instant::MAX, evidence).is_empty());

            let again = monitor.check_in(WORKER, due, Duration::from_secs(1));
            assert_eq!(again, Ok(Some(Change::Recovered)));
            assert_eq!(monitor.next_due(), Some(Instant::from_secs(68)));
        }
    }

    #[test]
    fn whoever_shut_down_or_died_is_never_reported() {
        let mut monitor = Monitor::<2>::new();
        monitor.check_in(WORKER, Instant::MIN, Duration::from_secs(1)).unwrap();
        monitor.check_in(WorkerId(8), Instant::MIN, Duration::from_secs(1)).unwrap();
        assert!(monitor.shut_down(WORKER));
        assert!(!monitor.shut_down(WORKER));
        assert!(monitor.died(WorkerId(8)));
        assert!(!monitor.died(WorkerId(8)));
        assert!(monitor.is_empty());
        assert!(reports(&mut monitor, Instant::MAX, Evidence::Alive).is_empty());
    }

    #[test]
    fn a_lying_check_in_overflows_nothing() {
        let mut monitor = Monitor::<1>::new();
        for next in [Duration::MAX, Duration::from_ticks(u64::MAX - 1)] {
            monitor.check_in(WORKER, Instant::from_secs(1), next).unwrap();
            assert_eq!(monitor.next_due(), None);
            assert!(reports(&mut monitor, Instant::MAX, Evidence::Alive).is_empty());
        }
        monitor.check_in(WORKER, Instant::MAX, Duration::MIN).unwrap();
        assert!(reports(&mut monitor, Instant::MAX, Evidence::Alive).is_empty());
    }

    #[test]
    fn a_full_monitor_refuses_new_workers_and_keeps_the_old_ones() {
        let mut monitor = Monitor::<1>::new();
        monitor.check_in(WORKER, Instant::MIN, Duration::MIN).unwrap();
        let refused = monitor.check_in(WorkerId(8), Instant::MIN, Duration::MIN);
        assert_eq!(refused, Err(MonitorFull { id: WorkerId(8), capacity: 1 }));
        assert_eq!(monitor.check_in(WORKER, Instant::MIN, Duration::MIN), Ok(None));
        assert_eq!(monitor.workers().collect::<Vec<_>>(), [(WORKER, State::Punctual)]);
    }

    #[test]
    fn intervals_round_up_and_saturate() {
        assert_eq!(interval(0), Duration::MIN);
        assert_eq!(interval(1), Duration::from_ticks(1));
        assert_eq!(interval(60_000_000_000), Duration::from_secs(60));
        let longest = (u64::MAX as u128 * TICK_HZ as u128).div_ceil(1_000_000_000);
        let longest = u64::try_from(longest).unwrap_or(u64::MAX);
        assert_eq!(interval(u64::MAX), Duration::from_ticks(longest));
    }
}
