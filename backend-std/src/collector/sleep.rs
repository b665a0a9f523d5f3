//! When the collector sleeps, and what wakes it.

use std::time::Duration;

use super::intake::RingIntake;
use super::{Collector, DEEP_SLEEP, NAP, Pass, QUIET, QUOTA, SLEEP};

impl<I: RingIntake> Collector<I> {
    /// Sleeps as long as nothing is urgent.
    pub(super) fn rest(&mut self, pass: &Pass) {
        let busy = pass.more || pass.bytes >= u64::from(QUOTA);
        if busy && self.fan_out.has_room() {
            self.sleep = NAP;
            return;
        }
        self.quiet_passes = if pass.bytes > 0 { 0 } else { self.quiet_passes.saturating_add(1) };
        let most = if self.quiet_passes > QUIET { DEEP_SLEEP } else { SLEEP };
        self.sleep = if pass.bytes > 0 { NAP } else { (self.sleep * 2).min(most) };
        let mut sleep = self.sleep.min(self.config.flush_interval);
        if let Some(since) = self.pending_since {
            let left = self.config.flush_interval.saturating_sub(since.elapsed());
            sleep = sleep.min(left.max(NAP));
        }
        if self.urgent.is_some() || pass.flush_wanted || !self.flushes.is_empty() {
            sleep = NAP;
        }
        self.sleep_for(sleep, true);
    }

    /// The sleep handshake: announce, look once more, wait.
    pub(super) fn sleep_for(&mut self, mut sleep: Duration, look_at_rings: bool) {
        let acknowledged = self.under_way.front().map_or(u64::MAX, |batch| batch.number);
        self.intake.doorbell().announce_sleep();
        if look_at_rings {
            for ring in self.rings.iter().flatten().filter(|ring| !ring.is_quarantined) {
                if ring.consumer.unread() > ring.consumer.capacity() / 2 && self.fan_out.has_room()
                {
                    sleep = Duration::ZERO;
                } else if ring.consumer.unread() > 0 {
                    sleep = sleep.min(NAP);
                }
            }
        }
        let has_news = self.mailbox.has_some() || self.fan_out.acknowledged() >= acknowledged;
        if !sleep.is_zero() && !has_news && self.intake.doorbell().is_asleep() {
            self.intake.wait(sleep);
        }
        self.intake.doorbell().wake_up();
    }
}
