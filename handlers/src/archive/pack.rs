//! Puts records into envelopes.

use std::hash::{BuildHasher as _, RandomState};

use millpond_core::envelope::{EnvelopeWriter, Full, OVERHEAD};
use millpond_core::frame::{Flags, Frame, HEADER, Header, Kind, TextPrefix};
use millpond_std::{Record, Records};

use super::section::Section;

/// Bytes of an envelope, unless one record needs more. What is damaged or torn is lost by whole
/// envelopes; what each costs beside its records is 96 bytes.
const ENVELOPE: usize = 64 << 10;
/// After so many bytes everything that a reader needs is said again, for those who have no more
/// than the end of the file.
const SECTION: usize = 4 << 20;
/// So many threads and tables of call sites are remembered.
const MOST_ORIGINS: usize = 4096;
/// Bytes of the buffer that are kept from batch to batch.
const KEPT: usize = 4 << 20;

/// No origin yet.
const NONE: u32 = u32::MAX;

/// Makes envelopes of batches.
pub(super) struct Packer {
    /// What tells the envelopes of this packer from those of others in the same file.
    writer: u64,
    /// How many envelopes there were.
    envelopes: u32,
    section: Section,
    section_number: u32,
    section_bytes: usize,
    /// The number in the section for each origin of the batch, by its number in the batch.
    slots: Vec<u32>,
    /// Its length only grows, so that it need not be filled with zeros each time.
    buffer: Vec<u8>,
    ends: Vec<usize>,
}

/// A batch in envelopes.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    /// The envelopes, one behind the other.
    pub(super) bytes: &'a [u8],
    /// Where each ends.
    #[cfg_attr(not(feature = "zstd"), allow(dead_code))]
    pub(super) ends: &'a [usize],
}

impl Packer {
    pub(super) fn new() -> Self {
        Self {
            // The keys of a `RandomState` are random.
            writer: RandomState::new().hash_one(std::process::id()),
            envelopes: 0,
            section: Section::default(),
            section_number: 0,
            section_bytes: 0,
            slots: Vec::new(),
            buffer: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Says again what a reader needs from the next record on.
    pub(super) fn begin_section(&mut self) {
        self.section = Section::default();
        self.section_number = self.section_number.wrapping_add(1);
        self.section_bytes = 0;
    }

    /// Gives back the memory of a giant batch.
    pub(super) fn shrink(&mut self) {
        if self.buffer.len() > KEPT {
            self.buffer.truncate(KEPT);
            self.buffer.shrink_to_fit();
        }
    }

    /// The envelopes with these records, in their order.
    pub(super) fn pack(&mut self, records: &Records) -> Packed<'_> {
        if self.section_bytes >= SECTION || self.section.origins() >= MOST_ORIGINS {
            self.begin_section();
        }
        self.slots.clear();
        self.ends.clear();
        let (mut used, mut next, mut room) = (0, 0, ENVELOPE);
        while next < records.len() {
            if self.buffer.len() - used < room {
                self.buffer.resize(used + room, 0);
            }
            let Ok(mut envelope) = EnvelopeWriter::new(&mut self.buffer[used..used + room]) else {
                unreachable!("the room holds an empty envelope");
            };
            let mut filling =
                Filling { section: &mut self.section, slots: &mut self.slots, stream: NONE };
            let begun = envelope.push(&section_frame(self.writer, self.section_number));
            let filled = begun.and_then(|()| filling.fill(records, &mut next, &mut envelope));
            // What found no room does so in the next, behind at most a section and a stream.
            room = match filled {
                Ok(()) => ENVELOPE,
                Err(full) => ENVELOPE.max(OVERHEAD + 2 * HEADER + full.needed as usize),
            };
            let newest = records.get(next.saturating_sub(1)).map_or(0, |r| r.timestamp_ns());
            used += envelope.finish(newest as u64, self.envelopes).len();
            self.envelopes = self.envelopes.wrapping_add(1);
            self.ends.push(used);
        }
        self.section_bytes += used;
        Packed { bytes: &self.buffer[..used], ends: &self.ends }
    }
}

fn section_frame(writer: u64, number: u32) -> Frame<'static> {
    let header = Header {
        length: HEADER as u32,
        kind: Kind::Section as u8,
        level: 0,
        flags: Flags::NONE,
        ticks: writer,
        sequence: number,
        site: 0,
    };
    Frame { header, payload: &[] }
}

/// An envelope that is being filled.
struct Filling<'a> {
    section: &'a mut Section,
    slots: &'a mut Vec<u32>,
    /// Who logged what comes next, as this envelope has said it.
    stream: u32,
}

impl Filling<'_> {
    /// Appends records from `next` on until there is no more, or no room.
    fn fill(
        &mut self,
        records: &Records,
        next: &mut usize,
        envelope: &mut EnvelopeWriter<'_>,
    ) -> Result<(), Full> {
        while *next < records.len() {
            let Some(kept) = records.kept(*next) else {
                self.push_joined(records, *next, envelope)?;
                *next += 1;
                continue;
            };
            let Frame { header, payload } = kept.frame;
            let is_event = header.kind == Kind::Event as u8;
            let slot = self.slots.get(kept.origin).copied().unwrap_or(NONE);
            if slot == NONE || !self.section.is_ready(slot, self.stream, is_event, header.site) {
                self.prepare(records, *next, envelope)?;
            }
            let late = if kept.is_late { Flags::LATE } else { Flags::NONE };
            let (ticks, flags) = (kept.timestamp_ns as u64, header.flags.with(late));
            envelope.push(&Frame { header: Header { ticks, flags, ..header }, payload })?;
            *next += 1;
        }
        Ok(())
    }

    /// Appends what the record at `index` needs in front of it.
    #[cold]
    #[inline(never)]
    fn prepare(
        &mut self,
        records: &Records,
        index: usize,
        envelope: &mut EnvelopeWriter<'_>,
    ) -> Result<(), Full> {
        let Some(record) = records.get(index) else { return Ok(()) };
        let slot = self.slot(&record);
        let header = record.frame().header;
        let site = if header.kind == Kind::Event as u8 { header.site } else { 0 };
        self.stream = self.section.prepare(slot, self.stream, site, envelope)?;
        Ok(())
    }

    fn slot(&mut self, record: &Record<'_>) -> u32 {
        let index = record.origin_index();
        if self.slots.len() <= index {
            self.slots.resize(index + 1, NONE);
        }
        if self.slots[index] == NONE {
            self.slots[index] = self.section.slot(record.shared_origin());
        }
        self.slots[index]
    }

    /// Appends a message that came in parts as one frame.
    #[cold]
    #[inline(never)]
    fn push_joined(
        &mut self,
        records: &Records,
        index: usize,
        envelope: &mut EnvelopeWriter<'_>,
    ) -> Result<(), Full> {
        let Some(record) = records.get(index) else { return Ok(()) };
        self.prepare(records, index, envelope)?;
        let (text, bytes) = (record.message_bytes(), record.bytes());
        let prefix = TextPrefix {
            original_length: record.original_length(),
            text_length: bytes.map(|_| text.len() as u32),
            suppressed: record.suppressed(),
        };
        let parts = Flags::CONTINUES | Flags::CONTINUED | Flags::PREFIXED;
        let flags = record.flags().without(parts).with(prefix.flags());
        let words: Vec<u8> = prefix.words().flatten().collect();
        let payload = [&words, text, bytes.unwrap_or_default()].concat();
        let header = Header { ticks: record.timestamp_ns() as u64, flags, ..record.frame().header };
        envelope.push(&Frame { header, payload: &payload })
    }
}
