//! A handle for the hot loop.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use millpond_core::Level;

use super::writer::Writer;
use super::{RingSupply, Shared};
use crate::fork;

/// A handle with a ring of its own: no thread-local variable to look up, so the cheapest way to
/// log. It may be sent to another thread; it is used by one at a time.
///
/// In a forked child a producer that was made by the parent takes a ring of the child's own at
/// its first call.
///
/// When it is dropped, its ring is handed on to the next thread that needs one; everything logged
/// is delivered.
pub struct Producer<P: RingSupply> {
    writer: ManuallyDrop<Writer<P>>,
}

impl<P: RingSupply> std::fmt::Debug for Producer<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("used", &self.writer.ring.used()).finish()
    }
}

impl<P: RingSupply> Producer<P> {
    pub(super) fn new(shared: &Arc<Shared<P>>) -> Result<Self, P::Error> {
        Ok(Self { writer: ManuallyDrop::new(Writer::for_handle(shared)?) })
    }

    /// Whether a record of this level would be logged now.
    #[inline(always)]
    pub fn is_enabled(&self, level: Level) -> bool {
        self.writer.gate.is_open(level) || self.is_enabled_in_child(level)
    }

    #[inline(always)]
    fn is_enabled_in_child(&self, level: Level) -> bool {
        self.writer.gate.is_forked() && self.writer.shared.level.allows(level)
    }

    /// The time now in ticks of the logger's clock: a stamp for [`info_at!`](crate::info_at) and
    /// [`Producer::text_at`], to be read once for several records.
    #[inline(always)]
    pub fn now(&self) -> u64 {
        self.writer.now()
    }

    /// Never wakes the collector: a full ring or an error waits until the collector looks by
    /// itself (within 120 ms). Waking costs the waker 13 to 93 µs on a virtual machine.
    pub fn never_wake(&mut self) {
        self.writer.never_wake();
    }

    /// Logs a text record.
    #[inline(always)]
    pub fn text(&mut self, level: Level, message: &str) {
        if let Some(writer) = self.writer(level) {
            writer.text(level, message.as_bytes());
        }
    }

    /// Logs a text record whose message is meant to be UTF-8: what is not is shown escaped.
    pub fn text_bytes(&mut self, level: Level, message: &[u8]) {
        if let Some(writer) = self.writer(level) {
            writer.text(level, message);
        }
    }

    /// Logs a text record with the caller's stamp, in ticks of the logger's clock, and so without
    /// reading the clock. A stamp is a sort key within bounds: the collector clamps it between
    /// that of the record before and its own time.
    #[inline(always)]
    pub fn text_at(&mut self, level: Level, ticks: u64, message: &str) {
        if let Some(writer) = self.writer(level) {
            writer.text_at(level, ticks, message.as_bytes());
        }
    }

    /// Logs a text record with bytes beside it.
    pub fn text_with(&mut self, level: Level, message: &str, bytes: &[u8]) {
        if let Some(writer) = self.writer(level) {
            writer.text_with(level, message.as_bytes(), bytes);
        }
    }

    /// Whether a record of this level is to be logged. Afterwards the writer is this process's.
    #[inline(always)]
    pub(super) fn begin(&mut self, level: Level) -> bool {
        self.writer.gate.is_open(level) || (self.writer.gate.is_odd() && self.begin_oddly(level))
    }

    /// After the logger was closed, or in a forked child.
    #[cold]
    #[inline(never)]
    fn begin_oddly(&mut self, level: Level) -> bool {
        if self.is_enabled_in_child(level) {
            return self.renew(level).is_some();
        }
        self.writer.shared.level.count_if_closed();
        false
    }

    /// The writer, if a record of this level is to be logged.
    #[inline(always)]
    fn writer(&mut self, level: Level) -> Option<&mut Writer<P>> {
        if self.begin(level) { Some(&mut self.writer) } else { None }
    }

    /// The writer, after [`Producer::begin`] has found that there is something to log.
    #[inline(always)]
    pub(super) fn open_writer(&mut self) -> &mut Writer<P> {
        &mut self.writer
    }

    /// Takes a ring of the child's own and leaves the parent's alone.
    #[cold]
    fn renew(&mut self, level: Level) -> Option<&mut Writer<P>> {
        let shared = Arc::clone(&self.writer.shared);
        match Writer::for_handle(&shared) {
            Ok(mut writer) => {
                writer.wake_as(&self.writer);
                // The old one is the parent's: it is overwritten and not dropped.
                self.writer = ManuallyDrop::new(writer);
                Some(&mut self.writer)
            }
            Err(_) => {
                shared.registry.current().fallback.miss(level);
                None
            }
        }
    }
}

impl<P: RingSupply> Drop for Producer<P> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if self.writer.generation != fork::generation() {
            return;
        }
        // SAFETY: this is `drop`, after which nobody can use the field.
        let Writer { ring, shared, .. } = unsafe { ManuallyDrop::take(&mut self.writer) };
        shared.registry.hand_back(ring);
    }
}
