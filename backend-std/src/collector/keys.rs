//! What records are ordered by.

use crate::timeline::{Span, Timeline};

/// Makes keys of the stamps of one drain: monotonic nanoseconds, but not before the key of the
/// record before it in the same ring, and not after now.
pub(super) struct Keys<'a> {
    timeline: &'a Timeline,
    now: u64,
    pub(super) last_ticks: u64,
    pub(super) last_key: u64,
    /// How stamps from `last_ticks` on are converted, for as far as it goes.
    span: Option<Span>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(timeline: &'a Timeline, now: u64, last_ticks: u64, last_key: u64) -> Self {
        Self { timeline, now, last_ticks, last_key, span: None }
    }

    /// The key, and whether the stamp was out of order.
    #[inline(always)]
    pub(super) fn key(&mut self, ticks: u64) -> (u64, bool) {
        match &self.span {
            Some(span) if (self.last_ticks..=span.last()).contains(&ticks) => {
                self.last_ticks = ticks;
                self.last_key = self.last_key.max(span.monotonic_ns(ticks));
                (self.last_key, false)
            }
            _ => self.key_of_any(ticks),
        }
    }

    /// As [`Keys::key`], of any stamp.
    #[inline(never)]
    fn key_of_any(&mut self, ticks: u64) -> (u64, bool) {
        let bounded = ticks.clamp(self.last_ticks.min(self.now), self.now);
        self.last_ticks = bounded;
        self.last_key = self.last_key.max(self.timeline.monotonic_ns(bounded));
        self.span = self.timeline.span(bounded, self.now);
        (self.last_key, bounded != ticks)
    }
}
