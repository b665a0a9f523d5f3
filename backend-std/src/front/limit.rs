//! Rate control at a call site.
//!
//! The counters are relaxed: nothing hangs on them but how many records there are.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::monotonic_ns;

/// Lets every n-th call of a call site through, the first one included. All threads count together.
#[derive(Debug, Default)]
pub struct Every {
    calls: AtomicU64,
}

impl Every {
    /// No call was made yet.
    pub const fn new() -> Self {
        Self { calls: AtomicU64::new(0) }
    }

    /// Counts a call. If it is to be logged: how many were not since the last one that was. `n` of
    /// 0 is taken as 1.
    pub fn admit(&self, n: u64) -> Option<u32> {
        let n = n.max(1);
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        let suppressed = if before == 0 { 0 } else { n - 1 };
        before.is_multiple_of(n).then(|| u32::try_from(suppressed).unwrap_or(u32::MAX))
    }
}

/// Lets a call of a call site through if the last one that was let through is long enough ago. All
/// threads share the time.
#[derive(Debug, Default)]
pub struct OncePer {
    /// From when on the next one is let through, in nanoseconds of the monotonic clock.
    next_ns: AtomicU64,
    suppressed: AtomicU32,
}

impl OncePer {
    /// No call was made yet.
    pub const fn new() -> Self {
        Self { next_ns: AtomicU64::new(0), suppressed: AtomicU32::new(0) }
    }

    /// Reads the monotonic clock. If the call is to be logged: how many were not since the last
    /// one that was. Of calls at the same time one is let through.
    pub fn admit(&self, least: Duration) -> Option<u32> {
        let now = monotonic_ns();
        let next = self.next_ns.load(Ordering::Relaxed);
        let then = now.saturating_add(u64::try_from(least.as_nanos()).unwrap_or(u64::MAX));
        let is_due = now >= next
            && self
                .next_ns
                .compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_due {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        let count = |count: u32| count.checked_add(1);
        let _ = self.suppressed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_call_says_how_many_were_suppressed() {
        let every = Every::new();
        let admitted: Vec<_> = (0..7).map(|_| every.admit(3)).collect();
        assert_eq!(admitted, [Some(0), None, None, Some(2), None, None, Some(2)]);
        let all = Every::new();
        assert_eq!([all.admit(0), all.admit(0), all.admit(1)], [Some(0); 3]);
    }

    #[test]
    fn once_per_hour_is_once_and_once_per_nothing_is_always() {
        let once = OncePer::new();
        let hour = Duration::from_secs(3600);
        assert_eq!([once.admit(hour), once.admit(hour), once.admit(hour)], [Some(0), None, None]);
        once.next_ns.store(0, Ordering::Relaxed);
        assert_eq!([once.admit(hour), once.admit(hour)], [Some(2), None]);
        let always = OncePer::new();
        assert_eq!([always.admit(Duration::ZERO), always.admit(Duration::ZERO)], [Some(0); 2]);
        assert_eq!(OncePer::new().admit(Duration::MAX), Some(0));
    }
}
