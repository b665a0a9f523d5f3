//! One thread's ring and what a call does with it.

use std::time::{Duration, Instant};

use millpond_core::Level;
use millpond_core::frame::{Kind, TextPrefix};
use millpond_core::ring::{ConsumerState, Entry, Producer as Ring, PushError, Quick};
use millpond_core::storage::Storage;
use std::sync::Arc;

use super::gate::GateKey;
use super::site::Entry as SiteEntry;
use super::{RingSupply, Shared};
use crate::clock::native_ticks;
use crate::fan_out::is_handler_thread;
use crate::overflow::Overflow;

/// How long a call that waits for room yields before it sleeps.
const YIELD_FOR: Duration = Duration::from_micros(50);
/// How long it sleeps at a time, at least and at most.
const SLEEP_LEAST: Duration = Duration::from_micros(10);
const SLEEP_MOST: Duration = Duration::from_millis(1);
/// From when on it makes sure again and again that the collector is awake.
const HURRY_AGAIN: Duration = Duration::from_millis(5);

/// After how many dropped records a call does so.
const HURRY_EVERY: u32 = 1024;

/// A ring and what is needed to write it.
#[repr(C)] // what every call touches comes first, where instructions reach it with a short offset
pub(crate) struct Writer<P: RingSupply> {
    pub(super) gate: GateKey,
    /// Call sites with numbers up to this may be logged by the quick path: they are in the ring's
    /// table, and the clock is the processor's counter.
    pub(super) quick_sites: u64,
    pub(super) ring: Ring<P::Storage>,
    wake_level: Level,
    /// Stamps are [`native_ticks`].
    is_native: bool,
    pub(super) shared: Arc<Shared<P>>,
    /// The fork generation in which the ring was made.
    pub(super) generation: u32,
    /// The newest call site in the ring's table.
    pub(super) last_site: Option<&'static SiteEntry>,
    wakes: bool,
    /// The position from which on the fill of the ring is looked at again. A position and not a
    /// number of bytes in use: that is known only when somebody looks.
    look_at: u32,
    /// A call has waited in vain and there was no room since.
    stuck: bool,
    /// Records dropped since the last look.
    given_up: u32,
}

impl<P: RingSupply> Writer<P> {
    pub(super) fn new(ring: Ring<P::Storage>, shared: Arc<Shared<P>>) -> Self {
        Self {
            gate: shared.gate().key(),
            quick_sites: 0,
            wake_level: shared.config.wake_level,
            is_native: shared.config.clock.is_native_counter(),
            look_at: ring.position(),
            ring,
            shared,
            generation: crate::fork::generation(),
            last_site: None,
            wakes: true,
            stuck: false,
            given_up: 0,
        }
    }

    /// The time now, in ticks of the logger's clock.
    #[inline(always)]
    pub(super) fn now(&self) -> u64 {
        if self.is_native { native_ticks() } else { self.shared.config.clock.now() }
    }

    /// The call sites that the ring's table holds now are those up to `known`.
    pub(super) fn set_known_sites(&mut self, known: u32) {
        self.quick_sites = if self.is_native { known.into() } else { 0 };
    }

    /// Says in the ring which thread writes it from here on.
    pub(super) fn introduce_thread(&mut self) {
        let ticks = self.now();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("").as_bytes();
        let most = 8 + name.len().min(256) as u32;
        // Best effort: without room the records carry the name of the thread before.
        let level = Level::Error; // finds room to the last byte
        let entry = Entry { level, ..Entry::control(Kind::ThreadChange, ticks) };
        let _ = self.ring.try_insert(entry, most, |claim| {
            claim.put(&super::thread::os_id().to_le_bytes());
            claim.put(&name[..name.len().min(256)]);
        });
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.level.get().is_none()
    }

    pub(super) fn never_wake(&mut self) {
        self.wakes = false;
    }

    /// Wakes the collector if `other` does.
    pub(super) fn wake_as(&mut self, other: &Self) {
        self.wakes = other.wakes;
    }

    /// Logs a text record stamped now.
    #[inline(always)]
    pub(super) fn text(&mut self, level: Level, text: &[u8]) {
        let is_native = self.is_native;
        if !is_native || !self.text_quickly(level, native_ticks, text) {
            self.text_slowly(level, None, text);
        }
    }

    /// Logs a text record with the caller's stamp.
    #[inline(always)]
    pub(super) fn text_at(&mut self, level: Level, ticks: u64, text: &[u8]) {
        if !self.text_quickly(level, || ticks, text) {
            self.text_slowly(level, Some(ticks), text);
        }
    }

    #[inline(always)]
    fn text_quickly(&mut self, level: Level, ticks: impl FnOnce() -> u64, text: &[u8]) -> bool {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let quick = Quick { kind: Kind::Text, level, site: 0, length };
        self.ring.try_insert_quick(quick, ticks, |claim| {
            claim.put(text);
        })
    }

    /// Logs a text record with bytes, stamped now.
    pub(super) fn text_with(&mut self, level: Level, text: &[u8], bytes: &[u8]) {
        let ticks = self.now();
        let prefix = TextPrefix { text_length: Some(text.len() as u32), ..TextPrefix::default() };
        let payload = [text, bytes];
        match self.insert(level, ticks, prefix, &payload) {
            Ok(()) => self.after_insert(level),
            Err(PushError::TooLarge { max }) => {
                self.cut_with_bytes(level, ticks, text, bytes, max);
            }
            Err(_) => self.wait_or_drop(level, (text.len() + bytes.len()) as u64, |writer| {
                writer.insert(level, ticks, prefix, &payload)
            }),
        }
    }

    /// Inserts one text frame whose payload is a prefix and some parts.
    pub(super) fn insert(
        &mut self,
        level: Level,
        ticks: u64,
        prefix: TextPrefix,
        parts: &[&[u8]],
    ) -> Result<(), PushError> {
        let entry = Entry { flags: prefix.flags(), ..Entry::text(level, ticks) };
        self.insert_entry(entry, prefix, parts)
    }

    pub(super) fn insert_entry(
        &mut self,
        entry: Entry,
        prefix: TextPrefix,
        parts: &[&[u8]],
    ) -> Result<(), PushError> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let most = length.saturating_add(entry.flags.prefix_length());
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.ring.try_insert(entry, most, |claim| {
            for word in prefix.words() {
                claim.put(&word);
            }
            for part in parts {
                claim.put(part);
            }
        })
    }

    #[cold]
    #[inline(never)]
    fn text_slowly(&mut self, level: Level, ticks: Option<u64>, text: &[u8]) {
        let ticks = ticks.unwrap_or_else(|| self.now());
        match self.ring.try_insert_text(level, ticks, text) {
            Ok(()) => self.after_insert(level),
            Err(PushError::TooLarge { max }) => self.split(level, ticks, text, max),
            Err(PushError::Full { .. } | PushError::Retired) => {
                self.wait_or_drop(level, text.len() as u64, |writer| {
                    writer.ring.try_insert_text(level, ticks, text)
                });
            }
        }
    }

    /// Applies the overflow policy to a record that did not fit.
    pub(super) fn wait_or_drop(
        &mut self,
        level: Level,
        bytes: u64,
        mut insert: impl FnMut(&mut Self) -> Result<(), PushError>,
    ) {
        let is_done = self.leave_retired_ring() && insert(self).is_ok();
        if is_done || self.wait_for_room(insert) {
            self.after_insert(level);
        } else {
            self.give_up(level, bytes);
        }
    }

    /// Takes a new ring if the collector has given this one up. Returns whether it did.
    pub(super) fn leave_retired_ring(&mut self) -> bool {
        if self.ring.storage().consumer_line().state() == ConsumerState::Serving {
            return false;
        }
        let make = || self.shared.supply.make_ring().ok();
        let Some(ring) = super::thread::unless_making(make) else { return false };
        self.shared.registry.replace(ring.storage());
        self.ring = ring;
        self.set_known_sites(0);
        self.last_site = None;
        self.look_at = self.ring.position();
        self.introduce_thread();
        true
    }

    /// Counts a record as dropped.
    pub(super) fn give_up(&mut self, level: Level, bytes: u64) {
        self.ring.drop_record(level, bytes);
        // Not every time: a collector that waits for a handler falls asleep again at once.
        if self.given_up.is_multiple_of(HURRY_EVERY) {
            self.hurry();
        }
        self.given_up = self.given_up.wrapping_add(1);
    }

    /// Repeats `insert` until it succeeds, as long as the overflow policy allows.
    pub(super) fn wait_for_room(
        &mut self,
        mut insert: impl FnMut(&mut Self) -> Result<(), PushError>,
    ) -> bool {
        let Overflow::Block { timeout } = self.shared.config.overflow else { return false };
        if self.stuck || is_handler_thread() {
            return false;
        }
        self.ring.set_in_call(Some(self.shared.config.clock.now()));
        let start = Instant::now();
        // Once: a collector that finds this ring full does not fall asleep, unless it waits for a
        // handler, and then waking it would only take the processor from the handler.
        self.hurry();
        let done = loop {
            let waited = start.elapsed();
            if waited < YIELD_FOR {
                std::thread::yield_now();
            } else {
                // An eighth of what it has taken so far, so that little is lost when there is room.
                std::thread::sleep((waited / 8).clamp(SLEEP_LEAST, SLEEP_MOST));
                if waited > HURRY_AGAIN {
                    self.hurry();
                }
            }
            match insert(self) {
                Ok(()) => break true,
                Err(PushError::Full { .. }) if waited < timeout => {}
                Err(_) => break false,
            }
        };
        self.ring.set_in_call(None);
        self.ring.count_blocked(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.stuck = !done;
        // The next record that finds room also finds out that waiting makes sense again.
        self.look_at = self.ring.position();
        done
    }

    /// What every call does whose record did not take the quick path, after it is published.
    pub(super) fn after_insert(&mut self, level: Level) {
        let is_behind = self.ring.position().wrapping_sub(self.look_at) as i32 >= 0;
        if is_behind || level >= self.wake_level {
            self.look_whether_to_wake(level);
        }
        self.ring.resume(self.look_at, self.wake_level);
    }

    #[cold]
    #[inline(never)]
    fn look_whether_to_wake(&mut self, level: Level) {
        let capacity = self.ring.capacity();
        let used = self.ring.refresh();
        self.stuck = false;
        self.given_up = 0;
        // When the ring may be half full; once it is, after a good deal more has come.
        let ahead = (capacity / 2).saturating_sub(used).max(capacity / 16);
        self.look_at = self.ring.position().wrapping_add(ahead);
        if used > capacity / 2 || level >= self.wake_level {
            self.hurry();
        }
    }

    /// Wakes the collector if it sleeps.
    fn hurry(&self) {
        if self.wakes && self.shared.supply.doorbell().must_wake() {
            self.shared.supply.wake();
        }
    }
}
