//! From drained frames to records: where each lies, what belongs together, and what else a ring
//! says.

use std::sync::Arc;

use millpond_core::Level;
use millpond_core::callsite::{CallSite, TableFault};
use millpond_core::frame::{Body, Flags, Frame, HEADER, Header, Kind, aligned};
use millpond_core::ring::{Drained, RingFault};
use millpond_core::storage::Storage;

use super::intake::RingIntake;
use super::keys::Keys;
use super::pending::Pending;
use super::ring::{PartsOfMessage, Ring};
use crate::origin::Origin;
use crate::records::Place;
use crate::render::Definition;
use crate::report::by_level;
use crate::source::Source;
use crate::timeline::Timeline;

/// The longest message that is put together from parts; a longer one is cut.
const LONGEST_MESSAGE: usize = 64 << 20;

/// Bytes of the memory for definitions, as long as none is larger.
const DEFINITIONS: usize = 16 * 1024;

/// What the collector lends to a ring that is being drained.
pub(super) struct Drain<'a, I: RingIntake> {
    pub(super) pending: &'a mut Pending,
    pub(super) intake: &'a mut I,
    pub(super) timeline: &'a Timeline,
    /// Whose name the collector's own records bear.
    pub(super) own: &'a Arc<Origin>,
    /// Memory for definitions of call sites.
    pub(super) buffer: &'a mut Vec<u8>,
    pub(super) base_level: Level,
    pub(super) wake_level: Level,
    /// The key of the newest record that was handed out.
    pub(super) handed_key: u64,
    /// The key of the newest record at `wake_level` that was drained and not handed out.
    pub(super) urgent: &'a mut Option<u64>,
}

/// The frames of one drain, while they are indexed.
struct Run<'a> {
    slot: u32,
    chunk: u32,
    drained: &'a Drained,
    now: u64,
    /// Where in the chunk the next frame is.
    next: usize,
}

/// Flags of records that need a second look.
const UNUSUAL: Flags = Flags::PREFIXED.with(Flags::CONTINUES).with(Flags::CONTINUED);

impl<S: Storage> Ring<S> {
    /// Drains at most about `quota` bytes. Returns how many were drained.
    pub(super) fn drain<I: RingIntake<Storage = S>>(
        &mut self,
        slot: u32,
        quota: u32,
        lent: &mut Drain<'_, I>,
    ) -> Result<u64, RingFault> {
        let from = self.consumer.position();
        loop {
            let (chunk, batch) = lent.pending.intake();
            let drained = self.consumer.consume_all(batch)?;
            let now = lent.timeline.clock().now();
            self.index(slot, chunk, &drained, now, lent);
            if drained.more {
                lent.pending.seal();
            }
            let read = self.consumer.position() - from;
            if !drained.more || read >= u64::from(quota) {
                return Ok(read);
            }
        }
    }

    /// Notes where each drained record lies and deals with the other frames.
    fn index<I: RingIntake<Storage = S>>(
        &mut self,
        slot: u32,
        chunk: u32,
        drained: &Drained,
        now: u64,
        lent: &mut Drain<'_, I>,
    ) {
        let mut run = Run { slot, chunk, drained, now, next: drained.range.start };
        while run.next < drained.range.end {
            self.index_plain(&mut run, lent);
            if run.next < drained.range.end {
                self.index_other(&mut run, lent);
            }
        }
    }

    /// Notes plain records, as nearly all are, up to the first frame that is something else.
    fn index_plain<I: RingIntake<Storage = S>>(
        &mut self,
        run: &mut Run<'_>,
        lent: &mut Drain<'_, I>,
    ) {
        if self.parts.is_some() {
            return;
        }
        let origin = lent.pending.origin(&self.origin);
        let known_sites = self.table.known();
        let mut keys = Keys::new(lent.timeline, run.now, self.last_ticks, self.last_key);
        let (base_level, wake_level, handed_key) =
            (lent.base_level, lent.wake_level, lent.handed_key);
        let (bytes, places) = lent.pending.chunk_and_places(run.chunk);
        // Behind the end, frames lie elsewhere in the ring: they are dealt with in another turn.
        let (end, ring_start) = run.drained.straight_from(run.next);
        let bytes = &bytes[..end];
        let before = places.len();
        let mut next = run.next;
        let mut length = 0;
        let mut filtered = 0;
        while let Some((header, taken)) = record_at(&bytes[next..]) {
            let is_plain = header.kind == Kind::Text as u8 || header.site <= known_sites;
            if !is_plain || header.flags.intersects(UNUSUAL) {
                break;
            }
            let start = next;
            next += taken;
            let (key_ns, odd) = keys.key(header.ticks);
            let level = header.level();
            if level < base_level {
                filtered += 1;
                continue;
            }
            if level >= wake_level {
                *lent.urgent = (*lent.urgent).max(Some(key_ns));
            }
            length += header.length as usize - HEADER;
            places.push(Place {
                key_ns,
                ring_end: ring_start.wrapping_add(next as u64),
                chunk: run.chunk,
                offset: start as u32,
                origin,
                ring: run.slot,
                joined: None,
                late: odd || key_ns < handed_key,
            });
        }
        run.next = next;
        (self.last_ticks, self.last_key) = (keys.last_ticks, keys.last_key);
        let count = places.len() - before;
        lent.pending.added(length);
        self.waiting += count as u32;
        self.account.in_ring += count as u64;
        self.account.filtered += filtered;
    }

    /// Deals with one frame, whatever it is.
    fn index_other<I: RingIntake<Storage = S>>(
        &mut self,
        run: &mut Run<'_>,
        lent: &mut Drain<'_, I>,
    ) {
        let bytes = &lent.pending.chunk_bytes(run.chunk)[run.next..run.drained.range.end];
        let Ok((frame, taken)) = Frame::decode(bytes) else {
            debug_assert!(false, "the consumer yields whole frames only");
            self.account.quarantined += 1;
            run.next = run.drained.range.end;
            return;
        };
        let start = run.next;
        run.next += taken;
        let header = frame.header;
        let is_event = match header.kind() {
            Some(Kind::Text) => false,
            Some(Kind::Event) => true,
            _ => return self.other(frame, run.now, lent.timeline).act(self, lent),
        };
        if header.flags.contains(Flags::CONTINUES) && !is_event {
            let start = run.drained.position_behind(start);
            return Self::add_part(&mut self.parts, &header, start, frame.payload);
        }
        if let Err(fault) = frame.body() {
            self.account.quarantined += 1;
            return self.leave_out(&fault.to_string(), lent);
        }
        let length = frame.payload.len();
        let (key_ns, odd) = self.key(header.ticks, run.now, lent.timeline);
        let has_beginning = is_event || self.has_beginning(&header);
        let whole = if is_event { None } else { self.take_parts(&header, frame.payload) };
        if is_event {
            // Parts that nothing completed were given up.
            self.parts = None;
            if header.site > self.table.known() {
                self.learn_sites(lent);
            }
        }
        let level = header.level();
        if level < lent.base_level {
            self.account.filtered += 1;
            return;
        }
        if level >= lent.wake_level {
            *lent.urgent = (*lent.urgent).max(Some(key_ns));
        }
        if !has_beginning {
            // The parts before were released to a collector that ended before it had the last.
            let text = "the beginning of the next message was lost with an earlier master";
            lent.pending.note(key_ns, Level::Warning, &self.origin, text);
        }
        let place = Place {
            key_ns,
            ring_end: run.drained.position_behind(run.next),
            chunk: run.chunk,
            offset: start as u32,
            origin: lent.pending.origin(&self.origin),
            ring: run.slot,
            joined: whole.and_then(|message| lent.pending.join(message)),
            late: odd || key_ns < lent.handed_key,
        };
        lent.pending.add(place, length);
        self.waiting += 1;
        self.account.in_ring += 1;
    }

    /// Reads the call sites that are new in the ring's table.
    #[cold]
    fn learn_sites<I: RingIntake<Storage = S>>(&mut self, lent: &mut Drain<'_, I>) {
        let mut new = Vec::new();
        let mut poll = |buffer: &mut Vec<u8>| {
            let keep = |site: CallSite<'_>| new.push(Arc::new(Definition::new(&site)));
            self.table.poll(self.consumer.storage(), buffer, keep)
        };
        lent.buffer.resize(lent.buffer.len().max(DEFINITIONS), 0);
        let mut read = poll(lent.buffer);
        if let Err(TableFault::TooLarge { .. }) = read {
            lent.buffer.resize(CallSite::MAX_LENGTH as usize, 0);
            read = poll(lent.buffer);
        }
        if !new.is_empty() {
            let mut sites = Vec::clone(&self.origin.sites);
            sites.append(&mut new);
            let source = self.origin.source.clone();
            self.origin = Arc::new(Origin { source, sites: Arc::new(sites) });
        }
        if let Err(fault) = read
            && !std::mem::replace(&mut self.has_bad_table, true)
        {
            let now = lent.timeline.monotonic_ns(lent.timeline.clock().now());
            let name = &self.origin.source.name;
            let text = format!("shows some records of {name} undecoded: {fault}");
            lent.pending.note(now, Level::Warning, lent.own, &text);
        }
    }

    /// Says once for each ring that something of it cannot be shown.
    #[cold]
    fn leave_out<I: RingIntake<Storage = S>>(&mut self, why: &str, lent: &mut Drain<'_, I>) {
        if std::mem::replace(&mut self.has_left_out, true) {
            return;
        }
        let now = lent.timeline.monotonic_ns(lent.timeline.clock().now());
        let name = &self.origin.source.name;
        let text = format!("left out a record of {name}, and will the next without a word: {why}");
        lent.pending.note(now, Level::Warning, lent.own, &text);
    }

    /// The key to order a record by, and whether its stamp was out of order.
    fn key(&mut self, ticks: u64, now: u64, timeline: &Timeline) -> (u64, bool) {
        let mut keys = Keys::new(timeline, now, self.last_ticks, self.last_key);
        let key = keys.key(ticks);
        (self.last_ticks, self.last_key) = (keys.last_ticks, keys.last_key);
        key
    }

    fn add_part(parts: &mut Option<PartsOfMessage>, header: &Header, start: u64, text: &[u8]) {
        let sequence = header.sequence;
        if parts.as_ref().is_none_or(|parts| parts.sequence != sequence) {
            // Parts of another message that never ended were counted as dropped by the producer.
            let has_beginning = !header.flags.contains(Flags::CONTINUED);
            *parts = Some(PartsOfMessage { sequence, start, has_beginning, text: Vec::new() });
        }
        if let Some(parts) = parts {
            let room = LONGEST_MESSAGE.saturating_sub(parts.text.len());
            parts.text.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    /// Whether all of the message is there whose last part has this header.
    fn has_beginning(&self, header: &Header) -> bool {
        match &self.parts {
            Some(parts) if parts.sequence == header.sequence => parts.has_beginning,
            _ => !header.flags.contains(Flags::CONTINUED),
        }
    }

    /// The whole message, if `header` is that of its last part.
    fn take_parts(&mut self, header: &Header, last: &[u8]) -> Option<Vec<u8>> {
        let parts = self.parts.take()?;
        if parts.sequence != header.sequence {
            return None;
        }
        let mut text = parts.text;
        let room = LONGEST_MESSAGE.saturating_sub(text.len());
        text.extend_from_slice(&last[..last.len().min(room)]);
        Some(text)
    }

    /// What to do about a frame that is no record. Apart from doing it, since the frame
    /// borrows the memory that doing it writes to.
    fn other(&mut self, frame: Frame<'_>, now: u64, timeline: &Timeline) -> Action {
        let header = frame.header;
        match frame.body() {
            Ok(Some(Body::Gap(gap))) => {
                // A message whose beginning is here was given up, and this counts it.
                self.parts = None;
                for (sum, lost) in self.account.gaps.iter_mut().zip(gap.lost) {
                    *sum = sum.saturating_add(lost);
                }
                let (key_ns, _) = self.key(header.ticks, now, timeline);
                let lost = by_level(&gap.lost);
                Action::Say(key_ns, format!("{} records lost here: {lost}", gap.total()))
            }
            Ok(Some(Body::ThreadChange(change))) => {
                let source = Source {
                    thread: change.thread,
                    thread_name: String::from_utf8_lossy(change.name).into_owned(),
                    ..self.origin.source.clone()
                };
                let sites = Arc::clone(&self.origin.sites);
                self.origin = Arc::new(Origin { source, sites });
                Action::None
            }
            Ok(Some(Body::Heartbeat(_) | Body::Shutdown)) => {
                Action::Hear(header, frame.payload.to_vec())
            }
            Ok(_) => Action::None,
            Err(fault) => {
                self.account.quarantined += u64::from(header.kind().is_some_and(Kind::is_record));
                Action::LeaveOut(fault.to_string())
            }
        }
    }
}

/// The header of the record at the head of `bytes`, and how many bytes it takes; `None` if there is
/// something else.
#[inline(always)]
fn record_at(bytes: &[u8]) -> Option<(Header, usize)> {
    let header = Header::from_bytes(bytes.first_chunk()?);
    if header.kind != Kind::Event as u8 && header.kind != Kind::Text as u8 {
        return None;
    }
    let taken = aligned(header.length) as usize;
    if (header.length as usize) < HEADER || taken > bytes.len() {
        return None;
    }
    Some((header, taken))
}

/// What a frame that is no record asks for.
enum Action {
    None,
    /// It cannot be understood, for this reason.
    LeaveOut(String),
    /// A line under the name of the ring's owner.
    Say(u64, String),
    /// A sign of life, or that there will be none: its payload.
    Hear(Header, Vec<u8>),
}

impl Action {
    fn act<S: Storage, I: RingIntake<Storage = S>>(
        self,
        ring: &mut Ring<S>,
        lent: &mut Drain<'_, I>,
    ) {
        match self {
            Action::None => {}
            Action::LeaveOut(why) => ring.leave_out(&why, lent),
            Action::Say(key_ns, text) => {
                lent.pending.note(key_ns, Level::Warning, &ring.origin, &text);
            }
            Action::Hear(header, payload) => {
                let frame = Frame { header, payload: &payload };
                if let Ok(Some(body)) = frame.body() {
                    lent.intake.heard(ring.id, &header, &body);
                }
            }
        }
    }
}
