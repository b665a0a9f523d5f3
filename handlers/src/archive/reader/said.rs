//! What the envelopes so far have said of threads and call sites.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use millpond_core::envelope::Envelope;
use millpond_core::frame::{Body, Frame, Kind};
use millpond_std::decode::RecordsBuilder;
use millpond_std::render::Definition;
use millpond_std::{LineFormat, Source};

use super::{ArchivePiece, SkipReason};

/// So many handlers may append to one file at a time, or their files be joined in pieces.
const MOST_WRITERS: usize = 64;

/// Makes records of envelopes.
#[derive(Debug)]
pub(super) struct Said {
    builder: RecordsBuilder,
    /// The newest section of each writer; the one that wrote last is the first.
    sections: VecDeque<Section>,
}

#[derive(Debug, Default)]
struct Section {
    writer: u64,
    number: u32,
    streams: HashMap<u32, Described>,
    sites: HashMap<(u32, u32), Arc<Definition>>,
}

#[derive(Debug)]
struct Described {
    source: Source,
    table: u32,
}

/// Whose records come next.
#[derive(Clone, Copy)]
struct Current {
    origin: usize,
    table: Option<u32>,
    /// The call site of the record before.
    site: u32,
}

impl Said {
    pub(super) fn new(format: LineFormat) -> Self {
        Self { builder: RecordsBuilder::new(format), sections: VecDeque::new() }
    }

    /// Appends the records of an envelope to `ready`.
    pub(super) fn take(
        &mut self,
        envelope: &Envelope<'_>,
        ready: &mut VecDeque<ArchivePiece>,
    ) -> Result<(), SkipReason> {
        let mut frames = envelope.frames().map_while(Result::ok);
        let section = match frames.next() {
            Some(Frame { header, .. }) if header.kind == Kind::Section as u8 => {
                section(&mut self.sections, header.ticks, header.sequence)
            }
            _ => return Err(SkipReason::NoArchive),
        };
        let mut taking = Taking {
            section,
            builder: &mut self.builder,
            origins: HashMap::new(),
            current: None,
            result: Ok(()),
        };
        frames.for_each(|frame| taking.frame(&frame));
        let result = taking.result;
        ready.extend(self.builder.finish().map(ArchivePiece::Records));
        result
    }
}

/// The section with this number of this writer, as far as it was read.
fn section(sections: &mut VecDeque<Section>, writer: u64, number: u32) -> &mut Section {
    let at = sections.iter().position(|section| section.writer == writer);
    let mut found = at.and_then(|at| sections.remove(at)).unwrap_or_default();
    if found.number != number || at.is_none() {
        found = Section { writer, number, ..Section::default() };
    }
    sections.push_front(found);
    sections.truncate(MOST_WRITERS);
    &mut sections[0]
}

/// An envelope that is being read.
struct Taking<'a> {
    section: &'a mut Section,
    builder: &'a mut RecordsBuilder,
    /// The streams of this envelope, as the builder knows them.
    origins: HashMap<u32, usize>,
    current: Option<Current>,
    result: Result<(), SkipReason>,
}

impl Taking<'_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        match frame.header.kind() {
            Some(Kind::Event | Kind::Text) => self.record(frame),
            Some(Kind::Stream | Kind::CallSite) => match frame.body() {
                Ok(Some(Body::Stream(stream))) => {
                    let number = frame.header.site;
                    if let Some(stream) = stream {
                        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                        let source = Source {
                            name: text(stream.name),
                            process: stream.process,
                            thread: stream.thread,
                            thread_name: text(stream.thread_name),
                        };
                        let described = Described { source, table: stream.sites };
                        self.section.streams.insert(number, described);
                        self.origins.remove(&number);
                    }
                    self.go_to(number);
                }
                Ok(Some(Body::CallSite(site))) => {
                    // A definition behind a stream that is not known helps nobody.
                    if let Some(table) = self.current.and_then(|current| current.table) {
                        let sites = &mut self.section.sites;
                        let define = || Arc::new(Definition::new(&site));
                        sites.entry((table, site.number)).or_insert_with(define);
                    }
                }
                Ok(_) => {}
                Err(error) => self.result = self.result.and(Err(SkipReason::Record(error))),
            },
            // A newer writer may say more.
            _ => {}
        }
    }

    fn go_to(&mut self, stream: u32) {
        let described = self.section.streams.get(&stream);
        let source = || match described {
            Some(Described { source, .. }) => source.clone(),
            None => unknown(),
        };
        let origin = *self.origins.entry(stream).or_insert_with(|| self.builder.origin(source()));
        self.current = Some(Current { origin, table: described.map(|d| d.table), site: 0 });
    }

    #[inline]
    fn record(&mut self, frame: &Frame<'_>) {
        let header = frame.header;
        let builder = &mut *self.builder;
        let current = self.current.get_or_insert_with(|| Current {
            origin: builder.origin(unknown()),
            table: None,
            site: 0,
        });
        if header.kind == Kind::Event as u8 && header.site != current.site {
            let site = current.table.and_then(|t| self.section.sites.get(&(t, header.site)));
            if let Some(site) = site {
                builder.define(current.origin, site);
                current.site = header.site;
            }
        }
        if let Err(error) = builder.push(current.origin, header.ticks as i64, frame) {
            self.result = self.result.and(Err(SkipReason::Record(error)));
        }
    }
}

/// Who logged what nobody says who logged.
fn unknown() -> Source {
    Source { name: "?".to_owned(), process: 0, thread: 0, thread_name: String::new() }
}
