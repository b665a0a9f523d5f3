//! A batch of records as handlers see it.

use std::fmt;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::str;
use std::sync::Arc;

use millpond_core::Level;
use millpond_core::capture::{Types, Value, Values};
use millpond_core::frame::{Flags, Frame, HEADER, Header, Kind, Text};

use crate::chunk::{Chunk, ChunkPool};
use crate::format::LineFormat;
use crate::origin::Origin;
use crate::render::Definition;
use crate::rendered::Rendered;
use crate::source::Source;

/// Records in the order of their stamps, ready to be handed to handlers.
///
/// Cheap to clone: all clones share the same memory. What several handlers need, such as a message
/// that has to be rendered, is made at most once.
#[derive(Clone)]
pub struct Records(Arc<Inner>);

struct Inner {
    chunks: Vec<Arc<Chunk>>,
    joined: Vec<Box<[u8]>>,
    entries: Vec<Place>,
    origins: Vec<Arc<Origin>>,
    wall_offset_ns: i64,
    format: Arc<LineFormat>,
    /// Several handlers have it, so what one renders is kept for the others.
    is_shared: bool,
    pool: Arc<ChunkPool>,
    rendered: Rendered,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pool.give_back_list(std::mem::take(&mut self.entries));
    }
}

/// Where one record of a batch is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Monotonic nanoseconds: what the batch is ordered by.
    pub(crate) key_ns: u64,
    /// The ring position behind the record.
    pub(crate) ring_end: u64,
    pub(crate) chunk: u32,
    pub(crate) offset: u32,
    pub(crate) origin: u32,
    pub(crate) ring: u32,
    /// The index of the whole message, if it came in parts.
    pub(crate) joined: Option<NonZeroU32>,
    pub(crate) late: bool,
}

/// What [`Records`] are made of.
pub(crate) struct Parts {
    pub(crate) chunks: Vec<Arc<Chunk>>,
    pub(crate) joined: Vec<Box<[u8]>>,
    pub(crate) entries: Vec<Place>,
    pub(crate) origins: Vec<Arc<Origin>>,
    pub(crate) wall_offset_ns: i64,
    pub(crate) format: Arc<LineFormat>,
    /// Whether several handlers get it.
    pub(crate) is_shared: bool,
    /// Where the list of entries goes when the last handler is done with it.
    pub(crate) pool: Arc<ChunkPool>,
}

impl Records {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { chunks, joined, entries, origins, wall_offset_ns, format, is_shared, pool } =
            parts;
        Self(Arc::new(Inner {
            chunks,
            joined,
            entries,
            origins,
            wall_offset_ns,
            format,
            is_shared,
            pool,
            rendered: Rendered::default(),
        }))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there is none. Handlers are never given an empty batch.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The records, oldest first.
    pub fn iter(&self) -> Iter<'_> {
        Iter { records: self, next: 0, chunk: None }
    }

    /// The record at `index`, counted from the oldest.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        let place = self.0.entries.get(index)?;
        let frame = frame_at(place, self.0.chunk(place.chunk));
        Some(Record { records: &self.0, index, place, frame })
    }

    /// The record at `index` as it was drained, for handlers that keep frames: less than a
    /// [`Record`], and found in fewer steps. `None` also if it is not a frame as it stands.
    #[doc(hidden)]
    #[inline(always)]
    pub fn kept(&self, index: usize) -> Option<Kept<'_>> {
        let place = self.0.entries.get(index)?;
        let bytes = self.0.chunks[place.chunk as usize].bytes();
        let (frame, _) = Frame::decode(bytes.get(place.offset as usize..)?).ok()?;
        let key_ns = place.key_ns as i64;
        (place.joined.is_none()).then_some(Kept {
            frame,
            timestamp_ns: key_ns.wrapping_add(self.0.wall_offset_ns),
            origin: place.origin as usize,
            is_late: place.late,
        })
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.0.entries
    }

    /// The line format that the logger was configured with; handlers that were given none of
    /// their own use it.
    pub fn format(&self) -> &LineFormat {
        &self.0.format
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = Record<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// A record as it was drained. Made by [`Records::kept`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The frame, as the flags stood in the ring.
    pub frame: Frame<'a>,
    /// As of [`Record::timestamp_ns`].
    pub timestamp_ns: i64,
    /// As of [`Record::origin_index`].
    pub origin: usize,
    /// Whether the collector found it late.
    pub is_late: bool,
}

/// The records of a batch, oldest first. Made by [`Records::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    records: &'a Records,
    next: usize,
    /// The chunk of the record that was last: most records are in that of the one before.
    chunk: Option<(u32, &'a [u8])>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let (index, records) = (self.next, &*self.records.0);
        let place = records.entries.get(index)?;
        self.next += 1;
        let bytes = match self.chunk {
            Some((number, bytes)) if number == place.chunk => bytes,
            _ => records.chunk(place.chunk),
        };
        self.chunk = Some((place.chunk, bytes));
        Some(Record { records, index, place, frame: frame_at(place, bytes) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.records.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// One record of a batch.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    records: &'a Inner,
    index: usize,
    place: &'a Place,
    frame: Frame<'a>,
}

impl<'a> Record<'a> {
    /// How severe it is.
    #[inline]
    pub fn level(&self) -> Level {
        self.frame.header.level()
    }

    /// When it was logged: nanoseconds since the Unix epoch.
    #[inline]
    pub fn timestamp_ns(&self) -> i64 {
        (self.place.key_ns as i64).wrapping_add(self.records.wall_offset_ns)
    }

    /// The name of the logger or worker.
    #[inline]
    pub fn name(&self) -> &'a str {
        &self.source().name
    }

    /// Logger, process and thread.
    #[inline]
    pub fn source(&self) -> &'a Source {
        &self.origin().source
    }

    /// The message. Bytes that are not UTF-8 are shown as `\xNN`, control characters are as they
    /// were logged: escape them before you write them where they could do harm.
    pub fn message(&self) -> &'a str {
        let text = if self.is_event() { None } else { str::from_utf8(self.text()).ok() };
        text.unwrap_or_else(|| self.records.rendered(self.index))
    }

    /// The message as it was logged, which is UTF-8 unless the program that logged it broke its
    /// promise.
    #[inline]
    pub fn message_bytes(&self) -> &'a [u8] {
        if self.is_event() { self.message().as_bytes() } else { self.text() }
    }

    /// Where it was logged, if it is an event whose call site is known. Text that was not made by
    /// one of the macros has none.
    #[inline]
    pub fn call_site(&self) -> Option<&'a Definition> {
        match self.is_event() {
            true => self.origin().site(self.frame.header.site).map(|site| &**site),
            false => None,
        }
    }

    /// The structured fields: what was logged by name, in the order of the call.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let arguments = self.text();
        self.call_site().into_iter().flat_map(move |site| {
            // If a type is not understood, nobody knows which arguments are the named ones.
            let mut types = Types::new(site.signature());
            let count = types.try_fold(0, |count: usize, each| each.map(|_| count + 1));
            let others = count.ok().map(|count| count.saturating_sub(site.field_names().len()));
            let values = Values::new(site.signature(), arguments).map_while(Result::ok);
            others
                .into_iter()
                .flat_map(move |others| site.field_names().zip(values.clone().skip(others)))
        })
    }

    /// The call site and the arguments of an event that is to be rendered where it is needed: it
    /// is needed once.
    #[inline(always)]
    pub(crate) fn event(&self) -> Option<(&'a Definition, &'a [u8])> {
        if self.records.is_shared {
            return None;
        }
        Some((self.call_site()?, self.text()))
    }

    /// How many records of this call site were suppressed by its rate control before this one.
    #[inline]
    pub fn suppressed(&self) -> Option<u32> {
        self.payload().suppressed
    }

    /// Whether something was logged beside the message or is to be said about it.
    #[inline]
    pub(crate) fn has_notes(&self) -> bool {
        self.frame.header.flags.intersects(Flags::PREFIXED)
    }

    /// The payload, of a message that came in parts that of the last one.
    #[inline]
    fn payload(&self) -> Text<'a> {
        text_of(&self.frame)
    }

    /// The message as it was logged, or the arguments of an event.
    #[inline]
    fn text(&self) -> &'a [u8] {
        match self.place.joined {
            Some(joined) => self.records.joined_text(joined),
            None => self.payload().text,
        }
    }

    #[inline]
    fn is_event(&self) -> bool {
        self.frame.header.kind == Kind::Event as u8
    }

    fn origin(&self) -> &'a Origin {
        self.shared_origin()
    }

    /// Who logged it, by a small number that is the same for equal origins of one batch. For
    /// handlers that keep frames.
    #[doc(hidden)]
    #[inline]
    pub fn origin_index(&self) -> usize {
        self.place.origin as usize
    }

    /// Who logged it, with its call sites. For handlers that keep frames.
    #[doc(hidden)]
    pub fn shared_origin(&self) -> &'a Arc<Origin> {
        &self.records.origins[self.place.origin as usize]
    }

    /// The bytes that were logged beside the message.
    #[inline]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        self.payload().bytes
    }

    /// The message's length in bytes before it was cut, if it was.
    #[inline]
    pub fn original_length(&self) -> Option<u32> {
        self.payload().original_length
    }

    /// The flags of the frame, with what the collector found.
    pub fn flags(&self) -> Flags {
        let flags = self.frame.header.flags;
        if self.place.late { flags | Flags::LATE } else { flags }
    }

    /// The frame as it was drained. Of a message that came in parts, the frame of the last part.
    pub fn frame(&self) -> Frame<'a> {
        self.frame
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("level", &self.level())
            .field("name", &self.name())
            .field("timestamp_ns", &self.timestamp_ns())
            .field("message", &self.message())
            .field("bytes", &self.bytes())
            .finish()
    }
}

impl Inner {
    #[inline]
    fn chunk(&self, number: u32) -> &[u8] {
        self.chunks[number as usize].bytes()
    }

    fn joined_text(&self, number: NonZeroU32) -> &[u8] {
        &self.joined[number.get() as usize - 1]
    }

    /// The message of a record that is not text as it stands.
    fn rendered(&self, index: usize) -> &str {
        self.rendered.message(index, self.entries.len(), |index, out| {
            let Some(place) = self.entries.get(index) else { return };
            let frame = frame_at(place, self.chunk(place.chunk));
            let text = text_of(&frame);
            if frame.header.kind == Kind::Event as u8 {
                let number = frame.header.site;
                match self.origins[place.origin as usize].site(number) {
                    Some(site) => site.write_message(text.text, out),
                    None => write_unknown(number, text.text, out),
                }
                return;
            }
            let message = place.joined.map_or(text.text, |joined| self.joined_text(joined));
            if str::from_utf8(message).is_err() {
                out.extend_from_slice(message);
            }
        })
    }
}

/// The frame at `place`, without what was joined; `chunk` is that of the place. A record is never
/// padding, so this takes fewer steps than [`Frame::decode`].
#[inline]
fn frame_at<'a>(place: &Place, chunk: &'a [u8]) -> Frame<'a> {
    let decode = || {
        let (header, rest) = chunk.get(place.offset as usize..)?.split_first_chunk()?;
        let header = Header::from_bytes(header);
        let payload = rest.get(..(header.length as usize).checked_sub(HEADER)?)?;
        Some(Frame { header, payload })
    };
    decode().unwrap_or_else(|| unreadable().0)
}

/// The payload of a frame.
#[inline]
fn text_of<'a>(frame: &Frame<'a>) -> Text<'a> {
    Text::decode(frame.header.flags, frame.payload).unwrap_or_else(|_| unreadable().1)
}

/// What is shown of an event whose call site is not known.
#[cold]
fn write_unknown(number: u32, arguments: &[u8], out: &mut Vec<u8>) {
    /// More is not shown.
    const SHOWN: usize = 256;
    // Writing to a vector cannot fail.
    let _ = write!(out, "[call site {number} is not known; raw arguments:");
    for byte in arguments.iter().take(SHOWN) {
        let _ = write!(out, " {byte:02x}");
    }
    let more = if arguments.len() > SHOWN { " ..." } else { "" };
    let _ = write!(out, "{more}]");
}

/// What stands for a frame that cannot be decoded. There is none: whoever makes a place has decoded
/// the frame from the same memory. If that were ever wrong, the record would be seen and counted as
/// this rather than missing.
#[cold]
fn unreadable() -> (Frame<'static>, Text<'static>) {
    debug_assert!(false, "a place leads to no text frame");
    let payload = b"[a record that cannot be read]";
    let header = Header {
        length: (HEADER + payload.len()) as u32,
        kind: Kind::Text as u8,
        level: Level::Error as u8,
        flags: Flags::NONE,
        ticks: 0,
        sequence: 0,
        site: 0,
    };
    let text = Text { text: payload, bytes: None, original_length: None, suppressed: None };
    (Frame { header, payload }, text)
}
