//! What an archive has said of the origins of its records, so that it is said once in a section.

use std::collections::HashMap;
use std::sync::Arc;

use millpond_core::callsite::CallSite;
use millpond_core::envelope::{EnvelopeWriter, Full};
use millpond_core::frame::{Body, Flags, Frame, HEADER, Header, Kind, Stream};
use millpond_std::Source;
use millpond_std::decode::Origin;
use millpond_std::render::Definition;

/// Of call sites with higher numbers it is looked up each time whether they were defined.
const QUICK_SITES: usize = 1 << 16;

/// Part of an archive that can be read without what stands before it.
#[derive(Default)]
pub(super) struct Section {
    origins: Vec<Known>,
    /// The place in `origins`, by the address of the origin, which lives as long as it is there.
    by_address: HashMap<usize, u32>,
    /// Whether each stream was described.
    described: Vec<bool>,
    /// What was defined, by table and number.
    tables: Vec<HashMap<u32, Arc<Definition>>>,
}

/// An origin, and what it is called in the file.
struct Known {
    origin: Arc<Origin>,
    stream: u32,
    table: u32,
    /// By number, whether the file has the definition.
    defined: Vec<bool>,
}

impl Section {
    /// How many origins there were.
    pub(super) fn origins(&self) -> usize {
        self.origins.len()
    }

    /// The place of an origin. Those with the same source are one stream, and those of one process
    /// share a table of call sites.
    pub(super) fn slot(&mut self, origin: &Arc<Origin>) -> u32 {
        if let Some(slot) = self.by_address.get(&(Arc::as_ptr(origin) as usize)) {
            return *slot;
        }
        let source = origin.source();
        let newest = |is_it: &dyn Fn(&Source) -> bool| {
            self.origins.iter().rev().find(|known| is_it(known.origin.source()))
        };
        let same = newest(&|known| known == source);
        let table = same.or_else(|| newest(&|known| known.process == source.process));
        let (stream, table) = (same.map(|known| known.stream), table.map(|known| known.table));
        let table = table.unwrap_or_else(|| self.add_table());
        let stream = stream.unwrap_or_else(|| self.add_stream());
        let slot = self.origins.len() as u32;
        self.by_address.insert(Arc::as_ptr(origin) as usize, slot);
        self.origins.push(Known { origin: Arc::clone(origin), stream, table, defined: Vec::new() });
        slot
    }

    fn add_stream(&mut self) -> u32 {
        self.described.push(false);
        self.described.len() as u32 - 1
    }

    fn add_table(&mut self) -> u32 {
        self.tables.push(HashMap::new());
        self.tables.len() as u32 - 1
    }

    /// Whether a record can be appended behind one of `stream` as it is.
    #[inline]
    pub(super) fn is_ready(&self, slot: u32, stream: u32, is_event: bool, site: u32) -> bool {
        let known = &self.origins[slot as usize];
        let is_defined = !is_event || known.defined.get(site as usize).is_some_and(|is| *is);
        is_defined && known.stream == stream
    }

    /// Appends what a record needs in front of it behind one of `stream`, and returns its stream.
    /// `site` is 0 if it is no event.
    #[cold]
    pub(super) fn prepare(
        &mut self,
        slot: u32,
        mut stream: u32,
        site: u32,
        envelope: &mut EnvelopeWriter<'_>,
    ) -> Result<u32, Full> {
        loop {
            let known = &self.origins[slot as usize];
            if known.stream != stream {
                stream = known.stream;
                self.name_stream(slot, envelope)?;
            }
            if self.define(slot, site, envelope)? {
                return Ok(stream);
            }
            // Another process with the same number has other call sites.
            let (stream, table) = (self.add_stream(), self.add_table());
            let known = &mut self.origins[slot as usize];
            (known.stream, known.table) = (stream, table);
            known.defined.clear();
        }
    }

    fn name_stream(&mut self, slot: u32, envelope: &mut EnvelopeWriter<'_>) -> Result<(), Full> {
        let Known { origin, stream, table, .. } = &self.origins[slot as usize];
        let source = origin.source();
        let described = &mut self.described[*stream as usize];
        let payload = if *described { Vec::new() } else { description(source, *table) };
        let header = Header {
            length: HEADER as u32,
            kind: Kind::Stream as u8,
            level: 0,
            flags: Flags::NONE,
            ticks: 0,
            sequence: 0,
            site: *stream,
        };
        envelope.push(&Frame { header, payload: &payload })?;
        *described = true;
        Ok(())
    }

    /// Sees to it that the file has the definition of the call site, if there is one. False if it
    /// has another one with the same number.
    fn define(
        &mut self,
        slot: u32,
        site: u32,
        envelope: &mut EnvelopeWriter<'_>,
    ) -> Result<bool, Full> {
        let known = &mut self.origins[slot as usize];
        let table = &mut self.tables[known.table as usize];
        // What its own collector did not know, the reader need not know either. But it must not
        // take it for the call site of another ring.
        let ours = known.origin.site(site);
        match (table.get(&site), ours) {
            (_, None) if site == 0 => return Ok(true),
            (None, None) => return Ok(true),
            (Some(_), None) => return Ok(false),
            (Some(theirs), Some(ours)) if Arc::ptr_eq(theirs, ours) || is_same(theirs, ours) => {}
            (Some(_), Some(_)) => return Ok(false),
            (None, Some(ours)) => {
                push_definition(ours, envelope)?;
                table.insert(site, Arc::clone(ours));
            }
        }
        if (site as usize) < QUICK_SITES {
            let length = known.defined.len().max(site as usize + 1);
            known.defined.resize(length, false);
            known.defined[site as usize] = true;
        }
        Ok(true)
    }
}

fn description(source: &Source, sites: u32) -> Vec<u8> {
    let (name, thread_name) = (cut(&source.name), cut(&source.thread_name));
    let (thread, process) = (source.thread, source.process);
    let stream = Stream { thread, process, sites, name, thread_name };
    [&stream.fixed(), name, thread_name].concat()
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(u16::MAX.into())]
}

fn is_same(a: &Definition, b: &Definition) -> bool {
    (a.level(), a.line(), a.target(), a.file()) == (b.level(), b.line(), b.target(), b.file())
        && (a.template(), a.signature()) == (b.template(), b.signature())
        && a.field_names().eq(b.field_names())
}

fn push_definition(site: &Definition, envelope: &mut EnvelopeWriter<'_>) -> Result<(), Full> {
    let fields: Vec<u8> =
        site.field_names().flat_map(|name| name.bytes().chain(std::iter::once(0))).collect();
    let site = CallSite {
        number: site.number(),
        level: site.level(),
        line: site.line(),
        target: site.target().as_bytes(),
        file: site.file().as_bytes(),
        template: site.template().as_bytes(),
        signature: site.signature(),
        fields: &fields,
    };
    let mut bytes = Vec::with_capacity(site.encoded_length() as usize);
    site.encode(|part| bytes.extend_from_slice(part));
    let Ok((frame, _)) = Frame::decode(&bytes) else {
        unreachable!("what was encoded can be decoded");
    };
    debug_assert!(matches!(frame.body(), Ok(Some(Body::CallSite(_)))));
    envelope.push(&frame)
}
