//! Where decoded records go.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use millpond::{LineFormat, Records, TimeText};

use super::filter::Filter;
use super::json;

/// So many bytes of lines are written at a time.
const PIECE: usize = 64 << 10;

/// Standard output, for records.
pub(super) struct Output {
    format: LineFormat,
    json: bool,
    filter: Filter,
    clock: TimeText,
    lines: Vec<u8>,
}

/// Nobody reads standard output any more.
#[derive(Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the standard output is closed")
    }
}

impl std::error::Error for Closed {}

impl Output {
    pub(super) fn new(format: LineFormat, json: bool, filter: Filter) -> Self {
        Self { format, json, filter, clock: TimeText::new(), lines: Vec::new() }
    }

    /// Writes those of the records that are shown.
    pub(super) fn write(&mut self, records: &Records) -> anyhow::Result<()> {
        if self.filter.is_open() && !self.json {
            self.format.write_lines(records, &mut self.clock, &mut self.lines);
        } else {
            for record in records.iter().filter(|record| self.filter.shows(record)) {
                if self.json {
                    json::write(&record, &mut self.lines)?;
                } else {
                    self.format.write_line(&record, &mut self.clock, &mut self.lines);
                }
            }
        }
        if self.lines.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Hands over what was written.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.lines).and_then(|()| stdout.flush());
        self.lines.clear();
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
            Err(error) => Err(anyhow::anyhow!("cannot write to the standard output: {error}")),
        }
    }
}
