//! What these tests share: archives of batches, and what a reader makes of them.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::frame::{Flags, Frame, HEADER, Header, Kind};
use millpond_handlers::{
    ArchiveHandler, ArchiveOptions, ArchivePiece, ArchiveReader, FileHandler, Skipped,
};
use millpond_std::testing::{Item, records};
use millpond_std::{Handler, LineFormat, Records, Source, TimeText};

/// What a line shows of a record.
pub(crate) const ALL: &str = "%(asctime)s [%(levelname)s] %(name)s %(process)d %(thread)s %(target)s \
                   %(pathname)s:%(lineno)d %(message)s";

/// Each way to write an archive, by its name.
pub(crate) fn ways() -> Vec<(&'static str, ArchiveOptions)> {
    vec![
        ("plain", ArchiveHandler::options()),
        #[cfg(feature = "zstd")]
        ("zstd", ArchiveHandler::options().compression(1)),
    ]
}

/// What a reader makes of an archive.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) lines: String,
    pub(crate) records: usize,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) torn: Option<Skipped>,
    pub(crate) flags: Vec<Flags>,
}

/// Reads to the end.
pub(crate) fn read_on<R: Read>(reader: &mut ArchiveReader<R>) -> Decoded {
    let format = LineFormat::new(ALL).unwrap();
    let (mut decoded, mut lines, mut clock) = (Decoded::default(), Vec::new(), TimeText::new());
    while let Some(piece) = reader.read().unwrap() {
        assert!(decoded.torn.is_none(), "something behind the end");
        match piece {
            ArchivePiece::Records(records) => {
                assert!(!records.is_empty());
                decoded.records += records.len();
                decoded.flags.extend(records.iter().map(|record| record.flags()));
                format.write_lines(&records, &mut clock, &mut lines);
            }
            ArchivePiece::Skipped(skipped) => decoded.skipped.push(skipped),
            ArchivePiece::Torn(torn) => decoded.torn = Some(torn),
            other => panic!("{other:?}"),
        }
    }
    decoded.lines = String::from_utf8(lines).unwrap();
    decoded
}

pub(crate) fn decode(archive: &[u8]) -> Decoded {
    read_on(&mut ArchiveReader::new(archive))
}

/// The file that `options` make of these batches.
pub(crate) fn archive_of(options: ArchiveOptions, batches: &[Records]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.mpa");
    let mut handler = options.open(&path).unwrap();
    batches.iter().for_each(|batch| handler.push(batch).unwrap());
    fs::read(path).unwrap()
}

/// The lines that a file handler makes of them.
pub(crate) fn lines_of(batches: &[Records]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let format = LineFormat::new(ALL).unwrap();
    let mut handler = FileHandler::options().format(format).open(&path).unwrap();
    batches.iter().for_each(|batch| handler.push(batch).unwrap());
    fs::read_to_string(path).unwrap()
}

/// An archive of these batches is read as they are.
pub(crate) fn check(batches: &[Records]) {
    let expected = lines_of(batches);
    for (way, options) in ways() {
        let decoded = decode(&archive_of(options, batches));
        assert_eq!(decoded.lines, expected, "{way}");
        assert_eq!((decoded.skipped, decoded.torn), (vec![], None), "{way}");
    }
}

/// A batch with a message from each of these.
pub(crate) fn texts(messages: &[&str]) -> Records {
    let items: Vec<_> =
        (0..).zip(messages).map(|(at, text)| Item::new(Level::Info, "app", *text, at)).collect();
    records(&items)
}

pub(crate) fn site(number: u32) -> CallSite<'static> {
    CallSite {
        number,
        level: Level::Warning,
        line: 7,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: b"order {0} filled",
        signature: b"Id",
        fields: b"price\0",
    }
}

pub(crate) fn arguments(order: u32) -> Vec<u8> {
    [&order.to_le_bytes()[..], &1.5f64.to_le_bytes()].concat()
}

pub(crate) fn source(name: &str, process: u32, thread: u64) -> Source {
    Source { name: name.to_owned(), process, thread, thread_name: String::new() }
}

pub(crate) fn event(site: u32, flags: Flags, payload: &[u8]) -> Frame<'_> {
    let length = (HEADER + payload.len()) as u32;
    let (kind, level) = (Kind::Event as u8, Level::Warning as u8);
    Frame { header: Header { length, kind, level, flags, ticks: 0, sequence: 9, site }, payload }
}

/// A path for one test.
pub(crate) fn path_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("app.mpa")
}
