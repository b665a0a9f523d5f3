//! The batch that is being filled.

use std::num::NonZeroU32;
use std::sync::Arc;

use millpond_core::Batch;
use millpond_core::Level;
use millpond_core::frame::{Flags, Frame, Header, Kind};

use crate::chunk::{CHUNK, Chunk, ChunkPool};
use crate::format::LineFormat;
use crate::origin::Origin;
use crate::records::{Parts, Place, Records};

/// The ring of a record that came from none: the collector's own.
pub(super) const NO_RING: u32 = u32::MAX;

/// Records that were drained and not handed out.
pub(super) struct Pending {
    pool: Arc<ChunkPool>,
    chunks: Vec<Memory>,
    /// The chunk that frames are drained into.
    open: Option<usize>,
    /// The chunk that the collector's own records go to.
    notes: Option<usize>,
    joined: Vec<Box<[u8]>>,
    places: Vec<Place>,
    origins: Vec<Arc<Origin>>,
    /// Bytes of the records.
    bytes: usize,
    /// How many notes were ever added, and how many of them wait.
    notes_added: u64,
    notes_waiting: usize,
}

enum Memory {
    /// Only this batch uses it, so more may be added.
    Own(Chunk),
    /// An earlier batch uses it too.
    Shared(Arc<Chunk>),
}

impl Memory {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Memory::Own(chunk) => chunk.bytes(),
            Memory::Shared(chunk) => chunk.bytes(),
        }
    }

    fn share(self) -> Arc<Chunk> {
        match self {
            Memory::Own(chunk) => Arc::new(chunk),
            Memory::Shared(chunk) => chunk,
        }
    }
}

impl Pending {
    pub(super) fn new() -> Self {
        Self {
            pool: Arc::default(),
            chunks: Vec::new(),
            open: None,
            notes: None,
            joined: Vec::new(),
            places: Vec::new(),
            origins: Vec::new(),
            bytes: 0,
            notes_added: 0,
            notes_waiting: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many notes were ever added: a number for [`Pending::has_note_before`].
    pub(super) fn notes_added(&self) -> u64 {
        self.notes_added
    }

    /// Whether one of the first `number` notes still waits.
    pub(super) fn has_note_before(&self, number: u64) -> bool {
        let is_old = |place: &Place| place.ring == NO_RING && place.ring_end < number;
        self.notes_waiting > 0 && self.places.iter().any(is_old)
    }

    /// The chunk to drain into, and its number.
    pub(super) fn intake(&mut self) -> (u32, &mut Batch<CHUNK>) {
        let at = match self.open {
            Some(at) => at,
            None => self.add_chunk(),
        };
        self.open = Some(at);
        match &mut self.chunks[at] {
            Memory::Own(chunk) => (at as u32, chunk.batch_mut()),
            Memory::Shared(_) => unreachable!("the open chunk is never shared"),
        }
    }

    /// Leaves the open chunk as it is; the next drain starts another.
    pub(super) fn seal(&mut self) {
        self.open = None;
    }

    fn add_chunk(&mut self) -> usize {
        self.chunks.push(Memory::Own(self.pool.take()));
        self.chunks.len() - 1
    }

    pub(super) fn chunk_bytes(&self, chunk: u32) -> &[u8] {
        self.chunks[chunk as usize].bytes()
    }

    /// The bytes of a chunk and the list of places, to add many. Whoever adds some says so with
    /// [`Pending::added`].
    #[inline]
    pub(super) fn chunk_and_places(&mut self, chunk: u32) -> (&[u8], &mut Vec<Place>) {
        (self.chunks[chunk as usize].bytes(), &mut self.places)
    }

    /// So many bytes of records were added to the list of places.
    pub(super) fn added(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// The number of an origin in this batch. Rings come in runs, so the last one is tried first.
    pub(super) fn origin(&mut self, origin: &Arc<Origin>) -> u32 {
        let same = |known: &Arc<Origin>| Arc::ptr_eq(known, origin);
        let at = self.origins.iter().rposition(same).unwrap_or_else(|| {
            self.origins.push(Arc::clone(origin));
            self.origins.len() - 1
        });
        at as u32
    }

    pub(super) fn add(&mut self, place: Place, bytes: usize) {
        self.places.push(place);
        self.bytes += bytes;
    }

    /// Keeps a message that came in parts; the number is for [`Place::joined`].
    pub(super) fn join(&mut self, message: Vec<u8>) -> Option<NonZeroU32> {
        self.bytes += message.len();
        self.joined.push(message.into_boxed_slice());
        NonZeroU32::new(self.joined.len() as u32)
    }

    /// Adds a record of the collector's own, cut to 4 KiB.
    pub(super) fn note(&mut self, key_ns: u64, level: Level, origin: &Arc<Origin>, text: &str) {
        let text = &text.as_bytes()[..text.floor_char_boundary(4096)];
        let header = Header {
            length: 0,
            kind: Kind::Text as u8,
            level: level as u8,
            flags: Flags::NONE,
            ticks: 0,
            sequence: 0,
            site: 0,
        };
        loop {
            let at = match self.notes {
                Some(at) => at,
                None => self.add_chunk(),
            };
            self.notes = Some(at);
            if let Memory::Own(chunk) = &mut self.chunks[at] {
                let offset = chunk.bytes().len() as u32;
                if chunk.batch_mut().push(header, &[text]).is_ok() {
                    let origin = self.origin(origin);
                    let number = self.notes_added;
                    self.notes_added += 1;
                    self.notes_waiting += 1;
                    let place = Place {
                        key_ns,
                        ring_end: number,
                        chunk: at as u32,
                        offset,
                        origin,
                        ring: NO_RING,
                        joined: None,
                        late: false,
                    };
                    return self.add(place, text.len());
                }
            }
            self.notes = None;
        }
    }

    /// Takes out the records up to `cut`, oldest first. The others stay.
    pub(super) fn take_until(
        &mut self,
        cut: u64,
        wall_offset_ns: i64,
        format: &Arc<LineFormat>,
        is_shared: bool,
    ) -> Option<Records> {
        // Each ring's records are in order already, which this sort makes use of; if all come
        // from one ring there is nothing to do.
        if !self.places.is_sorted_by_key(|place| place.key_ns) {
            self.places.sort_by_key(|place| place.key_ns);
        }
        let taken = self.places.partition_point(|place| place.key_ns <= cut);
        if taken == 0 {
            return None;
        }
        let fresh = Pending {
            pool: Arc::clone(&self.pool),
            places: self.pool.take_list(),
            notes_added: self.notes_added,
            ..Pending::new()
        };
        let mut all = std::mem::replace(self, fresh);
        self.places.extend_from_slice(&all.places[taken..]);
        all.places.truncate(taken);
        let parts = Parts {
            chunks: all.chunks.into_iter().map(Memory::share).collect(),
            joined: all.joined,
            entries: all.places,
            origins: all.origins,
            wall_offset_ns,
            format: Arc::clone(format),
            is_shared,
            pool: Arc::clone(&self.pool),
        };
        self.keep(&parts);
        Some(Records::new(parts))
    }

    /// Makes the records that were carried over from a batch this one's own.
    fn keep(&mut self, from: &Parts) {
        let mut moved: Vec<Option<u32>> = vec![None; from.chunks.len()];
        let mut places = std::mem::take(&mut self.places);
        for place in &mut places {
            let chunk = &mut moved[place.chunk as usize];
            let shared = &from.chunks[place.chunk as usize];
            place.chunk = *chunk.get_or_insert_with(|| {
                self.chunks.push(Memory::Shared(Arc::clone(shared)));
                self.chunks.len() as u32 - 1
            });
            place.origin = self.origin(&from.origins[place.origin as usize]);
            if let Some(joined) = place.joined {
                let message = from.joined[joined.get() as usize - 1].to_vec();
                place.joined = self.join(message);
            }
            self.bytes += payload_length(shared.bytes(), place.offset);
            self.notes_waiting += usize::from(place.ring == NO_RING);
        }
        self.places = places;
    }
}

/// The length of the payload of the frame at `offset`.
fn payload_length(bytes: &[u8], offset: u32) -> usize {
    let frame = bytes.get(offset as usize..).and_then(|rest| Frame::decode(rest).ok());
    frame.map_or(0, |(frame, _)| frame.payload.len())
}
