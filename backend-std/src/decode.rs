//! Records from frames that were kept: what the reader of an archive hands out.

use std::num::NonZeroU32;
use std::sync::Arc;

use millpond_core::frame::{Flags, Frame, FrameError, Header, Kind, Text, TextPrefix};

use crate::chunk::{Chunk, ChunkPool};
use crate::format::LineFormat;
pub use crate::origin::Origin;
use crate::records::{Parts, Place, Records};
use crate::render::Definition;
use crate::source::Source;

/// Makes [`Records`] of frames, so that line formats and handlers see them as they see what was
/// just logged.
///
/// ```
/// use millpond_core::frame::{Flags, Frame, HEADER, Header, Kind};
/// use millpond_std::decode::RecordsBuilder;
/// use millpond_std::{LineFormat, Source, TimeText};
///
/// let mut builder = RecordsBuilder::new(LineFormat::default());
/// let app = builder.origin(Source {
///     name: "app".to_owned(),
///     process: 7,
///     thread: 7,
///     thread_name: String::new(),
/// });
/// let header = Header {
///     length: HEADER as u32 + 6,
///     kind: Kind::Text as u8,
///     level: 2,
///     flags: Flags::NONE,
///     ticks: 0,
///     sequence: 0,
///     site: 0,
/// };
/// builder.push(app, 1_000, &Frame { header, payload: b"booted" })?;
/// let records = builder.finish().expect("a record");
///
/// let mut lines = Vec::new();
/// records.format().write_lines(&records, &mut TimeText::new(), &mut lines);
/// assert_eq!(lines, b"1970-01-01T00:00:00.000001Z [INFO] app - booted\n");
/// assert!(builder.finish().is_none());
/// # Ok::<(), millpond_core::frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct RecordsBuilder {
    format: Arc<LineFormat>,
    pool: Arc<ChunkPool>,
    full: Vec<Chunk>,
    open: Option<Chunk>,
    joined: Vec<Box<[u8]>>,
    places: Vec<Place>,
    origins: Vec<Origin>,
}

impl RecordsBuilder {
    /// No records yet. The batches that it makes have this format.
    pub fn new(format: LineFormat) -> Self {
        Self {
            format: Arc::new(format),
            pool: Arc::default(),
            full: Vec::new(),
            open: None,
            joined: Vec::new(),
            places: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// Adds somebody who logged records of this batch, and returns the number for
    /// [`RecordsBuilder::push`].
    pub fn origin(&mut self, source: Source) -> usize {
        self.origins.push(Origin { source, sites: Arc::default() });
        self.origins.len() - 1
    }

    /// Tells what the call site with the definition's number is in the records of `origin`. The
    /// first one with a number counts.
    pub fn define(&mut self, origin: usize, definition: &Arc<Definition>) {
        let Some(Origin { sites, .. }) = self.origins.get_mut(origin) else { return };
        let number = definition.number();
        if let Err(at) = sites.binary_search_by_key(&number, |site| site.number()) {
            Arc::make_mut(sites).insert(at, Arc::clone(definition));
        }
    }

    /// Adds a record, behind those that were added before. Its frame may be longer than one in a
    /// ring, if it is text.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the frame is no record or contradicts itself. Nothing was added then.
    pub fn push(
        &mut self,
        origin: usize,
        timestamp_ns: i64,
        frame: &Frame<'_>,
    ) -> Result<(), FrameError> {
        let wrong = FrameError::Payload {
            kind: frame.header.kind,
            have: frame.payload.len() as u32,
            need: 0,
        };
        if !frame.header.kind().is_some_and(Kind::is_record) || origin >= self.origins.len() {
            return Err(wrong);
        }
        let text = Text::decode(frame.header.flags, frame.payload)?;
        let (offset, joined) = match self.keep(frame.header, &[frame.payload]) {
            Some(offset) => (offset, None),
            None if frame.header.kind == Kind::Text as u8 => {
                self.join(frame.header, &text).ok_or(wrong)?
            }
            None => return Err(wrong),
        };
        self.places.push(Place {
            key_ns: timestamp_ns as u64,
            ring_end: 0,
            chunk: self.full.len() as u32,
            offset,
            origin: origin as u32,
            ring: 0,
            joined,
            late: false,
        });
        Ok(())
    }

    /// Keeps a text that no chunk can hold beside the frame.
    fn join(&mut self, header: Header, text: &Text<'_>) -> Option<(u32, Option<NonZeroU32>)> {
        let prefix = TextPrefix {
            original_length: text.original_length,
            text_length: text.bytes.map(|_| 0),
            suppressed: text.suppressed,
        };
        let flags = header.flags.without(Flags::PREFIXED).with(prefix.flags());
        let words: Vec<u8> = prefix.words().flatten().collect();
        let payload = [&words, text.bytes.unwrap_or_default()];
        let offset = self.keep(Header { flags, ..header }, &payload)?;
        self.joined.push(text.text.into());
        Some((offset, NonZeroU32::new(self.joined.len() as u32)))
    }

    /// Where the frame is in the open chunk, if it fits into a chunk at all.
    fn keep(&mut self, header: Header, payload: &[&[u8]]) -> Option<u32> {
        for _ in 0..2 {
            let chunk = self.open.get_or_insert_with(|| self.pool.take());
            let offset = chunk.bytes().len() as u32;
            if chunk.batch_mut().push(header, payload).is_ok() {
                return Some(offset);
            }
            if offset == 0 {
                break;
            }
            self.full.extend(self.open.take());
        }
        None
    }

    /// The batch of all records that were added, in their order, if there are any. Origins are
    /// forgotten.
    pub fn finish(&mut self) -> Option<Records> {
        let mut chunks = std::mem::take(&mut self.full);
        chunks.extend(self.open.take());
        let joined = std::mem::take(&mut self.joined);
        let origins = std::mem::take(&mut self.origins);
        let entries = std::mem::replace(&mut self.places, self.pool.take_list());
        if entries.is_empty() {
            return None;
        }
        Some(Records::new(Parts {
            chunks: chunks.into_iter().map(Arc::new).collect(),
            joined,
            entries,
            origins: origins.into_iter().map(Arc::new).collect(),
            wall_offset_ns: 0,
            format: Arc::clone(&self.format),
            is_shared: false,
            pool: Arc::clone(&self.pool),
        }))
    }
}
