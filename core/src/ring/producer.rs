//! The writing side of a ring.
//!
//! # Safety
//!
//! The blocks below write only bytes that rule 2 of [`crate::ring`] gives to the producer; what
//! makes them so is checked in `claim`, the one place that hands out offsets.
#![allow(unsafe_code)]

use super::{
    Claim, ConsumerState, Entry, MAX_CAPACITY, MIN_CAPACITY, ProducerBatch, PushError, Quick,
    max_frame,
};
use crate::Level;
use crate::callsite::{CallSite, TableError, TableWriter};
use crate::frame::{Flags, Gap, HEADER, Header, Kind, aligned};
use crate::storage::{Area, PREFETCH_AHEAD, Storage};
use crate::sync::Ordering;

/// Bytes that the processor fetches at a time.
const LINE: usize = 64;

/// The writing side of a ring. There is one for each ring, used by one thread at a time.
///
/// TRACE and DEBUG may fill three quarters of the ring, INFO seven eighths, WARNING and ERROR all
/// of it: when a storm of low levels has filled the ring, an error still finds room.
///
/// No method waits, allocates or calls the operating system.
#[derive(Debug)]
#[repr(C)] // what every call touches comes first, where instructions reach it with a short offset
pub struct Producer<S: Storage> {
    /// Up to here frames are written. The low 32 bits are what both sides call a position; the
    /// others are there so that this can be compared.
    tail: u64,
    /// The position of the front of the data.
    lap: u64,
    /// Up to here frames of each level may be written before anything has to be looked at: they
    /// cross neither the end of the data nor the limit of their level nor `look_at`, and no loss
    /// waits to be reported. May be too low, see [`Producer::resume`].
    stops: [u64; Level::COUNT],
    table: TableWriter,
    storage: S,
    /// Bytes and records that are written and not published: none outside a [`ProducerBatch`].
    pending: u32,
    pending_records: u32,
    /// The consumer's released position when last looked at.
    head: u32,
    capacity: u32,
    /// Bytes of the largest payload.
    max_payload: u32,
    /// How many bytes may be in use after a frame of each level.
    limits: [u32; Level::COUNT],
    dropped: [u64; Level::COUNT],
    dropped_bytes: u64,
    /// Lost since the last gap frame.
    lost: Gap,
    has_lost: bool,
    high_water: u32,
}

impl<S: Storage> Producer<S> {
    /// The producer of a ring whose positions stand at `position` (zero if it is fresh).
    ///
    /// # Panics
    ///
    /// If the capacity is not a power of two from [`MIN_CAPACITY`] to [`MAX_CAPACITY`].
    ///
    /// # Safety
    ///
    /// No other producer of this ring exists or will, both positions of the ring are `position`,
    /// and its call-site table is empty.
    pub unsafe fn new(storage: S, position: u32) -> Self {
        let capacity = storage.data().length();
        assert!(
            capacity.is_power_of_two() && (MIN_CAPACITY..=MAX_CAPACITY).contains(&capacity),
            "ring capacity {capacity} is not a power of two from {MIN_CAPACITY} to {MAX_CAPACITY}"
        );
        let low = capacity - capacity / 4;
        let middle = capacity - capacity / 8;
        let at = position & (capacity - 1);
        Self {
            tail: position.into(),
            lap: (position - at).into(),
            stops: [0; Level::COUNT],
            table: TableWriter::new(),
            storage,
            pending: 0,
            pending_records: 0,
            head: position,
            capacity,
            max_payload: max_frame(capacity) - HEADER as u32,
            limits: [low, low, middle, capacity, capacity],
            dropped: [0; Level::COUNT],
            dropped_bytes: 0,
            lost: Gap::default(),
            has_lost: false,
            high_water: 0,
        }
    }

    /// Inserts and publishes one frame whose payload is what `fill` puts into the claimed bytes,
    /// at most `most` of them. When this returns `Ok`, the frame survives this process.
    ///
    /// If `fill` panics, the ring is as if this had not been called.
    ///
    /// # Errors
    ///
    /// [`PushError`]; nothing is written and `fill` is not called. The caller may try again, or
    /// give up by [`Producer::drop_record`].
    #[inline]
    pub fn try_insert(
        &mut self,
        entry: Entry,
        most: u32,
        fill: impl FnOnce(&mut Claim<'_, S::Area>),
    ) -> Result<(), PushError> {
        self.write(entry, most, fill)?;
        self.publish();
        Ok(())
    }

    /// As [`Producer::try_insert`], if that needs no second look: the frame fits before the end of
    /// the data, into the part of the ring that its level may fill, and before the position given to
    /// [`Producer::resume`], and it is no longer than 1000 bytes. Else it returns false and has
    /// done nothing; [`Producer::try_insert`] may well succeed.
    ///
    /// This is the path of nearly all records: one compare, and the stores. `fill` appends as many
    /// bytes as were announced: what it leaves out is whatever stood there. `ticks` is called after
    /// it.
    #[inline(always)]
    pub fn try_insert_quick(
        &mut self,
        quick: Quick,
        ticks: impl FnOnce() -> u64,
        fill: impl FnOnce(&mut Claim<'_, S::Area>),
    ) -> bool {
        let Quick { kind, level, site, length } = quick;
        // The largest frame of the smallest ring, so it is none too large for any.
        if length > max_frame(MIN_CAPACITY) - HEADER as u32 {
            return false;
        }
        let need = aligned(HEADER as u32 + length);
        let behind = self.tail + u64::from(need);
        if behind > self.stops[level.index()] {
            return false;
        }
        let at = self.at();
        let start = at + HEADER;
        let end = start + length as usize;
        let mut claim = Claim { area: self.storage.data(), start, next: start, end };
        fill(&mut claim);
        let line = self.storage.producer_line();
        let attempted = line.attempted.get();
        let entry = Entry { kind, level, flags: Flags::NONE, ticks: ticks(), site };
        self.write_header(at, &entry, HEADER as u32 + length, attempted as u32);
        self.tail = behind;
        line.attempted.set(attempted + entry.completes_a_record() as u64);
        // Release [published]: as in `publish`, for the same partner.
        line.tail.store(behind as u32, Ordering::Release);
        self.prefetch(at, need as usize);
        true
    }

    /// Finds out how much may be written by [`Producer::try_insert_quick`] from here on: at most up
    /// to the position `look_at`, if that is ahead, and only frames below the level `quiet_below`.
    pub fn resume(&mut self, look_at: u32, quiet_below: Level) {
        let until_look = look_at.wrapping_sub(self.tail as u32) as i32;
        let most = (self.capacity - self.at() as u32).min(until_look.max(0) as u32);
        let used = self.used();
        let waits = self.has_lost || self.pending > 0;
        for level in Level::ALL {
            let free = self.limits[level.index()].saturating_sub(used);
            self.stops[level.index()] = match waits || level >= quiet_below {
                true => 0,
                false => self.tail + u64::from(free.min(most)),
            };
        }
    }

    /// Inserts and publishes a text record without a prefix.
    ///
    /// ```
    /// use millpond_core::ring::StaticRing;
    /// use millpond_core::{Batch, Level};
    ///
    /// let mut ring = StaticRing::<4096, 0>::new();
    /// let (mut producer, mut consumer) = ring.split();
    /// producer.try_insert_text(Level::Info, 1, b"hello")?;
    ///
    /// let mut batch = Batch::<4096>::new();
    /// consumer.consume_all(&mut batch).unwrap();
    /// assert_eq!(batch.frames().next().unwrap().unwrap().payload, b"hello");
    /// # Ok::<(), millpond_core::ring::PushError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Producer::try_insert`].
    #[inline]
    pub fn try_insert_text(
        &mut self,
        level: Level,
        ticks: u64,
        text: &[u8],
    ) -> Result<(), PushError> {
        let most = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.try_insert(Entry::text(level, ticks), most, |claim| {
            claim.put(text);
        })
    }

    /// Collects frames that are published together, see [`ProducerBatch`]: at the latest when
    /// `most` bytes have been written or a frame is stamped `until` or later.
    pub fn batch(&mut self, most: u32, until: u64) -> ProducerBatch<'_, S> {
        self.stops = [0; Level::COUNT];
        ProducerBatch::new(self, most, until)
    }

    /// Counts a record that could not be inserted. The next frame that fits is preceded by a gap
    /// frame, so the hole is shown where it is.
    #[cold]
    pub fn drop_record(&mut self, level: Level, bytes: u64) {
        let line = self.storage.producer_line();
        self.stops = [0; Level::COUNT];
        self.dropped[level.index()] += 1;
        self.dropped_bytes += bytes;
        self.lost.lost[level.index()] += 1;
        self.has_lost = true;
        line.cold.dropped[level.index()].set(self.dropped[level.index()]);
        line.cold.dropped_bytes.set(self.dropped_bytes);
        line.attempted.set(line.attempted.get() + 1);
    }

    /// Makes the definition of a call site readable for whoever reads this ring.
    ///
    /// # Errors
    ///
    /// [`TableError`] if the table is full or numbers are missing in between.
    pub fn publish_call_site(&mut self, site: &CallSite<'_>) -> Result<(), TableError> {
        self.table.append(&self.storage, site)
    }

    /// How many call sites of the process-wide list are in this ring's table.
    #[inline(always)]
    pub fn known_call_sites(&self) -> u32 {
        self.table.known()
    }

    /// As [`Producer::drop_record`], for `count` records at once whose lengths nobody knows.
    #[cold]
    pub fn drop_records(&mut self, level: Level, count: u64) {
        if count > 0 {
            let line = self.storage.producer_line();
            line.attempted.set(line.attempted.get() + (count - 1));
            self.dropped[level.index()] += count - 1;
            self.lost.lost[level.index()] += count - 1;
            self.drop_record(level, 0);
        }
    }

    /// Says in the ring that the caller waits for room since `ticks`, or no longer does.
    pub fn set_in_call(&mut self, since: Option<u64>) {
        self.storage.producer_line().in_call_since.set(since.unwrap_or(0));
    }

    /// Adds a wait to the statistics.
    pub fn count_blocked(&mut self, nanoseconds: u64) {
        let cold = &self.storage.producer_line().cold;
        cold.blocked_ns.set(cold.blocked_ns.get().saturating_add(nanoseconds));
        if nanoseconds > cold.worst_call_ns.get() {
            cold.worst_call_ns.set(nanoseconds);
        }
    }

    /// Bytes of the largest payload that this ring takes.
    pub fn max_payload(&self) -> u32 {
        self.max_payload
    }

    /// Bytes of the data.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes in use when last looked: what was written less what the consumer was seen to have
    /// released. The consumer may have released more since.
    #[inline(always)]
    pub fn used(&self) -> u32 {
        (self.tail as u32).wrapping_sub(self.head)
    }

    /// Looks at the consumer's position again and says how many bytes are in use now.
    #[cold]
    pub fn refresh(&mut self) -> u32 {
        self.free(0);
        self.used()
    }

    /// Bytes that frames of `level` may still take now, headers, alignment and padding included.
    pub fn free_for(&mut self, level: Level) -> u32 {
        self.free(self.limits[level.index()])
    }

    /// The position up to which frames are published.
    #[inline(always)]
    pub fn position(&self) -> u32 {
        (self.tail as u32).wrapping_sub(self.pending)
    }

    /// Bytes that are written and not published.
    pub(super) fn pending(&self) -> u32 {
        self.pending
    }

    /// Where in the data the next frame goes; the capacity, if it goes to the front.
    #[inline(always)]
    fn at(&self) -> usize {
        (self.tail - self.lap) as usize
    }

    /// The lines and memory of this ring.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Says that nothing will follow. A producer that is dropped without it looks like one whose
    /// thread still lives.
    pub fn close(&mut self) {
        self.publish();
        self.storage.producer_line().close();
    }

    /// Writes one frame behind the tail and moves the tail, without publishing it.
    #[inline]
    pub(super) fn write(
        &mut self,
        entry: Entry,
        most: u32,
        fill: impl FnOnce(&mut Claim<'_, S::Area>),
    ) -> Result<(), PushError> {
        if self.has_lost {
            self.write_gap(&entry, most)?;
        }
        self.claim(entry.level, most)?;
        let at = self.at();
        let start = at + HEADER;
        let end = start + most as usize;
        let mut claim = Claim { area: self.storage.data(), start, next: start, end };
        fill(&mut claim);
        let length = (claim.next - at) as u32;
        let attempted = self.storage.producer_line().attempted.get();
        let sequence = (attempted as u32).wrapping_add(self.pending_records);
        self.write_header(at, &entry, length, sequence);
        let taken = aligned(length);
        self.tail += u64::from(taken);
        self.pending += taken;
        self.pending_records += entry.completes_a_record() as u32;
        Ok(())
    }

    /// Writes the header of the frame at `at`, which is [`Producer::at`]. The caller has found the
    /// room for it.
    #[inline(always)]
    fn write_header(&self, at: usize, entry: &Entry, length: u32, sequence: u32) {
        let header = Header {
            length,
            kind: entry.kind as u8,
            level: if entry.kind.is_record() { entry.level as u8 } else { 0 },
            flags: entry.flags,
            ticks: entry.ticks,
            sequence,
            site: entry.site,
        };
        let data = self.storage.data();
        // Word by word, as a processor stores them; putting them together first takes longer.
        // SAFETY: both callers have checked that a header and the payload fit at `at`, before the
        // end and into bytes that are the producer's (rule 2): `write` by `claim`, the quick path
        // by `self.stops`, which promise that. `&mut self` there rules out a second writer
        // (rule 1).
        unsafe {
            data.write(at, &header.first_word().to_le_bytes());
            data.write(at + 8, &header.ticks.to_le_bytes());
            data.write(at + 16, &header.sequence.to_le_bytes());
            data.write(at + 20, &header.site.to_le_bytes());
        }
    }

    /// Gives everything that is written to the consumer.
    #[inline]
    pub(super) fn publish(&mut self) {
        let line = self.storage.producer_line();
        line.attempted.set(line.attempted.get() + u64::from(self.pending_records));
        // Release [published]: pairs with Acquire [published] in `Consumer::consume_all`. With
        // Relaxed, the consumer could see the new tail before the bytes of the frame.
        line.tail.store(self.tail as u32, Ordering::Release);
        self.pending = 0;
        self.pending_records = 0;
        self.prefetch(self.at(), 2 * LINE);
    }

    /// Fetches what frames will be written to after some more like this one, of `length` bytes `at`.
    #[inline(always)]
    fn prefetch(&self, at: usize, length: usize) {
        let data = self.storage.data();
        data.prefetch_ahead(at);
        if length > LINE {
            data.prefetch_ahead(at + LINE);
        }
    }

    /// Finds room for a header and `most` bytes of payload that do not cross the end of the data:
    /// afterwards it is at [`Producer::at`].
    fn claim(&mut self, level: Level, most: u32) -> Result<(), PushError> {
        let need = self.check_size(most)?;
        let limit = self.limits[level.index()];
        let to_end = self.capacity - self.at() as u32;
        if need > to_end {
            return self.claim_at_the_front(limit, need, to_end);
        }
        // No overflow: `used <= capacity <= 2^31` and `need <= MAX_FRAME`.
        if self.used() + need > limit && self.free(limit) < need {
            return Err(self.full(limit));
        }
        Ok(())
    }

    /// Fills the data up to its end with padding and goes on at the front.
    #[cold]
    fn claim_at_the_front(&mut self, limit: u32, need: u32, to_end: u32) -> Result<(), PushError> {
        if self.used() + to_end + need > limit && self.free(limit) < to_end + need {
            return Err(self.full(limit));
        }
        if to_end > 0 {
            // SAFETY: at least 8 bytes are left before the end, since positions are multiples of
            // 8, and `to_end + need` bytes from the tail are free, just checked (rules 1 and 2).
            unsafe { self.storage.data().write(self.at(), &Header::padding(to_end)) };
        }
        self.pending += to_end;
        self.tail += u64::from(to_end);
        self.lap = self.tail;
        self.stops = [0; Level::COUNT];
        // Nothing has fetched these, since what was written before stood at the end.
        for line in 1..PREFETCH_AHEAD / LINE {
            self.storage.data().prefetch_ahead((line * LINE).wrapping_sub(PREFETCH_AHEAD));
        }
        Ok(())
    }

    #[inline(always)]
    fn check_size(&self, most: u32) -> Result<u32, PushError> {
        if most > self.max_payload {
            return Err(PushError::TooLarge { max: self.max_payload });
        }
        Ok(aligned(HEADER as u32 + most))
    }

    /// Looks at the consumer's position and returns how many bytes are free under `limit`.
    #[cold]
    fn free(&mut self, limit: u32) -> u32 {
        // Acquire [drained]: pairs with Release [drained] in `Consumer::release`. Seeing the new
        // head means that the consumer has copied those bytes; with Relaxed we could overwrite a
        // frame while it is being read.
        let head = self.storage.consumer_line().head.load(Ordering::Acquire);
        // A head that is not between the old one and the tail is nonsense; the old one is safe.
        let published = self.position();
        if published.wrapping_sub(head) <= published.wrapping_sub(self.head) {
            self.head = head;
        }
        let used = self.used();
        if used > self.high_water {
            self.high_water = used;
            self.storage.producer_line().cold.high_water.store(used, Ordering::Relaxed);
        }
        limit.saturating_sub(used)
    }

    #[cold]
    fn full(&self, limit: u32) -> PushError {
        match self.storage.consumer_line().state() {
            ConsumerState::Retired => PushError::Retired,
            ConsumerState::Serving => PushError::Full { free: limit.saturating_sub(self.used()) },
        }
    }

    /// Writes the gap frame that precedes the first frame after a loss, if both fit.
    #[cold]
    fn write_gap(&mut self, next: &Entry, most: u32) -> Result<(), PushError> {
        let need = self.check_size(most)?;
        let limit = self.limits[next.level.index()];
        if self.free(limit) < need + Gap::FRAME as u32 {
            return Err(self.full(limit));
        }
        let bytes = self.lost.to_bytes();
        self.has_lost = false;
        // With the level of the record that follows, so that both are measured by one limit.
        let gap = Entry { level: next.level, ..Entry::control(Kind::Gap, next.ticks) };
        let written = self.write(gap, bytes.len() as u32, |claim| {
            claim.put(&bytes);
        });
        match written {
            Ok(()) => self.lost = Gap::default(),
            Err(_) => self.has_lost = true,
        }
        written
    }
}
