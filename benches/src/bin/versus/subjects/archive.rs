//! Millpond into an archive: records go to the file as they were drained, and lines are made of
//! them when somebody reads it.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use millpond_handlers::{ArchiveHandler, ArchivePiece, ArchiveReader};
use millpond_std::standard::{Logger, Producer};

use super::ours::{start, stop};
use crate::place::Place;
use crate::subject::{About, Files, Record, Subject};

/// A `Producer` for each thread.
pub(crate) struct ToArchive(Logger);

impl Subject for ToArchive {
    const ABOUT: About = About {
        files: Files::Shared,
        // What the caller does is that of `millpond-producer`.
        no_latency: true,
        ..About::new(
            "millpond-archive",
            "info!(producer, ..), rings of 1 MiB, Overflow::WAIT, ArchiveHandler without compression",
        )
    };

    type Handle<'a> = Producer;

    fn open(place: &Place) -> anyhow::Result<Self> {
        start(Box::new(ArchiveHandler::new(&place.file)?)).map(Self)
    }

    fn handle(&self) -> anyhow::Result<Producer> {
        Ok(self.0.producer()?)
    }

    #[inline(always)]
    fn log(producer: &mut Producer, record: Record, _: u64) {
        super::ours::order!(producer, record);
    }

    fn close(self) -> anyhow::Result<u64> {
        stop(&self.0)
    }

    fn read_back(file: &Path) -> anyhow::Result<Vec<u8>> {
        let mut lines = Vec::new();
        let mut reader = ArchiveReader::new(File::open(file).context("cannot read the archive")?);
        while let Some(piece) = reader.read()? {
            if let ArchivePiece::Records(records) = piece {
                for record in records.iter() {
                    lines.extend_from_slice(record.message().as_bytes());
                    lines.push(b'\n');
                }
            }
        }
        Ok(lines)
    }
}
