//! Records without a logger, for tests of handlers and formats. Behind the feature `testing`.

use std::num::NonZeroU32;
use std::sync::Arc;

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::frame::{Flags, Header, Kind, TextPrefix};

use crate::chunk::{Chunk, ChunkPool};
use crate::format::LineFormat;
use crate::origin::Origin;
use crate::records::{Parts, Place, Records};
use crate::render::Definition;
use crate::source::Source;

/// One record to be made.
///
/// ```
/// use millpond_core::Level;
/// use millpond_std::testing::{Item, records};
///
/// let records = records(&[
///     Item::new(Level::Info, "app", "booted", 0),
///     Item { bytes: Some(b"payload"), ..Item::new(Level::Error, "app", "failed", 1_000) },
/// ]);
/// assert_eq!(records.len(), 2);
/// assert_eq!(records.get(1).unwrap().bytes(), Some(&b"payload"[..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// How severe it is.
    pub level: Level,
    /// The name of the logger.
    pub name: &'a str,
    /// The message, which need not be UTF-8. May be longer than a frame.
    pub message: &'a [u8],
    /// Nanoseconds since the start of 1970.
    pub timestamp_ns: i64,
    /// The bytes beside the message.
    pub bytes: Option<&'a [u8]>,
    /// The length of the message in bytes before it was cut.
    pub original_length: Option<u32>,
    /// The number of the process; 1 unless changed.
    pub process: u32,
    /// The number of the thread; 1 unless changed.
    pub thread: u64,
    /// The name of the thread; empty unless changed.
    pub thread_name: &'a str,
}

impl<'a> Item<'a> {
    /// A record with a message and nothing beside it.
    pub fn new(
        level: Level,
        name: &'a str,
        message: &'a (impl AsRef<[u8]> + ?Sized),
        timestamp_ns: i64,
    ) -> Self {
        Self {
            level,
            name,
            message: message.as_ref(),
            timestamp_ns,
            bytes: None,
            original_length: None,
            process: 1,
            thread: 1,
            thread_name: "",
        }
    }

    fn source(&self) -> Source {
        Source {
            name: self.name.to_owned(),
            process: self.process,
            thread: self.thread,
            thread_name: self.thread_name.to_owned(),
        }
    }
}

/// A batch of these records, in this order, with the default line format.
///
/// # Panics
///
/// If the bytes beside a message do not fit into a frame.
pub fn records(items: &[Item<'_>]) -> Records {
    records_with_format(LineFormat::default(), items)
}

/// As [`records`], with the line format of the logger.
///
/// # Panics
///
/// If the bytes beside a message do not fit into a frame.
pub fn records_with_format(format: LineFormat, items: &[Item<'_>]) -> Records {
    let mut builder = Builder::default();
    for item in items {
        builder.add(item);
    }
    builder.finish(format)
}

/// A batch of events of one call site, a microsecond apart: each with its arguments as the call
/// site's signature says.
///
/// # Panics
///
/// If the arguments do not fit into a frame.
pub fn events(format: LineFormat, site: &CallSite<'_>, arguments: &[Vec<u8>]) -> Records {
    let source = Item::new(site.level, "app", "", 0).source();
    let sites = (0..site.number).map(|_| Arc::new(Definition::new(site)));
    let sites = Arc::new(sites.collect::<Vec<_>>());
    let mut builder =
        Builder { origins: vec![Arc::new(Origin { source, sites })], ..Builder::default() };
    for (number, arguments) in (0..).zip(arguments) {
        let header = Header {
            length: 0,
            kind: Kind::Event as u8,
            level: site.level as u8,
            flags: Flags::NONE,
            ticks: number,
            sequence: number as u32,
            site: site.number,
        };
        let offset = builder.push_frame(header, &[arguments]).expect("arguments that fit");
        builder.place(number * 1_000, offset, 0, None);
    }
    builder.finish(format)
}

#[derive(Default)]
struct Builder {
    pool: Arc<ChunkPool>,
    chunks: Vec<Chunk>,
    last: Option<Chunk>,
    joined: Vec<Box<[u8]>>,
    entries: Vec<Place>,
    origins: Vec<Arc<Origin>>,
}

impl Builder {
    fn add(&mut self, item: &Item<'_>) {
        let (offset, joined) = match self.push(item, item.message) {
            Some(offset) => (offset, None),
            None => {
                self.joined.push(item.message.into());
                let offset = self.push(item, &[]).expect("bytes that fit into a frame");
                (offset, NonZeroU32::new(self.joined.len() as u32))
            }
        };
        let origin = self.origin(item);
        self.place(item.timestamp_ns as u64, offset, origin, joined);
    }

    /// Adds the record whose frame was pushed last.
    fn place(&mut self, key_ns: u64, offset: u32, origin: u32, joined: Option<NonZeroU32>) {
        self.entries.push(Place {
            key_ns,
            ring_end: 0,
            chunk: self.chunks.len() as u32,
            offset,
            origin,
            ring: 0,
            joined,
            late: false,
        });
    }

    /// Where the frame is in the last chunk, if it fits into a chunk at all.
    fn push(&mut self, item: &Item<'_>, message: &[u8]) -> Option<u32> {
        let prefix = TextPrefix {
            original_length: item.original_length,
            text_length: item.bytes.map(|_| message.len() as u32),
            suppressed: None,
        };
        let header = Header {
            length: 0,
            kind: Kind::Text as u8,
            level: item.level as u8,
            flags: prefix.flags(),
            ticks: item.timestamp_ns as u64,
            sequence: self.entries.len() as u32,
            site: 0,
        };
        let prefix: Vec<u8> = prefix.words().flatten().collect();
        self.push_frame(header, &[&prefix, message, item.bytes.unwrap_or_default()])
    }

    fn push_frame(&mut self, header: Header, payload: &[&[u8]]) -> Option<u32> {
        for _ in 0..2 {
            let chunk = self.last.get_or_insert_with(|| self.pool.take());
            let offset = chunk.bytes().len() as u32;
            if chunk.batch_mut().push(header, payload).is_ok() {
                return Some(offset);
            }
            if offset > 0 {
                self.chunks.extend(self.last.take());
            }
        }
        None
    }

    fn finish(self, format: LineFormat) -> Records {
        let Builder { pool, mut chunks, last, joined, entries, origins } = self;
        chunks.extend(last);
        Records::new(Parts {
            chunks: chunks.into_iter().map(Arc::new).collect(),
            joined,
            entries,
            origins,
            wall_offset_ns: 0,
            format: Arc::new(format),
            is_shared: false,
            pool,
        })
    }

    fn origin(&mut self, item: &Item<'_>) -> u32 {
        let source = item.source();
        let known = self.origins.iter().position(|known| known.source == source);
        let index = known.unwrap_or_else(|| {
            self.origins.push(Origin::new(source));
            self.origins.len() - 1
        });
        index as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_they_were_asked_for() {
        let long = vec![b'x'; 200_000];
        let half = vec![b'y'; 40_000];
        let items = [
            Item::new(Level::Trace, "a", "", i64::MIN),
            Item { bytes: Some(b""), ..Item::new(Level::Debug, "b", &long, -1) },
            Item { original_length: Some(9), ..Item::new(Level::Info, "a", &half, 0) },
            Item { bytes: Some(&half[..9]), ..Item::new(Level::Warning, "a", &half, 5) },
            Item {
                thread_name: "t",
                process: 7,
                ..Item::new(Level::Error, "a", b"\xff", i64::MAX)
            },
        ];
        let records = records(&items);
        assert_eq!(records.len(), items.len());
        for (record, item) in records.iter().zip(&items) {
            assert_eq!(record.level(), item.level);
            assert_eq!(*record.source(), item.source());
            assert_eq!(record.message_bytes(), item.message);
            assert_eq!(record.timestamp_ns(), item.timestamp_ns);
            assert_eq!(record.bytes(), item.bytes);
            assert_eq!(record.original_length(), item.original_length);
        }
    }

    /// A newer writer's type, or a payload that ends early: no field gets another's value.
    #[test]
    fn fields_that_cannot_be_told_are_not_shown() {
        let site = |signature| CallSite {
            number: 1,
            level: Level::Info,
            line: 1,
            target: b"",
            file: b"",
            template: b"{0}",
            signature,
            fields: b"a\0b\0",
        };
        let fields = |signature, payload: &[u8]| -> Vec<String> {
            let format = LineFormat::default();
            let records = events(format, &site(signature), &[payload.to_vec()]);
            let fields = records.get(0).unwrap().fields();
            fields.map(|(name, value)| format!("{name}={value:?}")).collect()
        };
        assert_eq!(fields(b"AAA", &[1, 2, 3]), ["a=Unsigned(2, 8)", "b=Unsigned(3, 8)"]);
        assert_eq!(fields(b"AAA", &[1, 2]), ["a=Unsigned(2, 8)"]);
        assert!(fields(b"AA\xf0", &[1, 2, 3]).is_empty());
    }
}
