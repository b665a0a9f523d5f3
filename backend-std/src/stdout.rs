//! The handler that writes to the standard output.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::format::{LineFormat, TimeText};
use crate::handler::{Handler, HandlerError};
use crate::records::Records;

/// Bytes of the buffer that are kept from batch to batch.
const KEPT: usize = 1024 * 1024;

/// How long to wait for an output that does not block and is full.
const FULL_OUTPUT_WAIT: Duration = Duration::from_millis(1);

/// Writes records to the standard output, a batch at a time, and flushes it after each. Not
/// durable: what nobody reads is lost.
///
/// It holds the lock of the standard output while it writes a batch, so lines of `println!` stand
/// between batches. It waits for as long as the reader of a pipe takes.
///
/// When the reader has gone, the batch that found out fails with an error. All batches after it
/// fail without a further attempt, so that they count as failed.
///
/// ```
/// use millpond_std::{LineFormat, StdoutHandler};
///
/// let with_format = StdoutHandler::new().format(LineFormat::new("%(levelname)s %(message)s")?);
/// # Ok::<(), millpond_std::FormatError>(())
/// ```
#[derive(Debug, Default)]
pub struct StdoutHandler {
    format: Option<LineFormat>,
    clock: TimeText,
    lines: Vec<u8>,
    /// Whether the line that was written last lacks its end.
    torn: bool,
    closed: bool,
}

/// Why a batch was not written.
#[derive(Debug, Error)]
enum StdoutError {
    #[error(
        "cannot write to the standard output, its reader has gone; \
         log to a file as well, or keep the reader running"
    )]
    Closed,
    #[error("cannot write to the standard output: {0}; see where it leads to")]
    Write(io::Error),
}

impl StdoutHandler {
    /// A handler that uses the line format of its logger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `format` instead of the logger's.
    #[must_use]
    pub fn format(self, format: LineFormat) -> Self {
        Self { format: Some(format), ..self }
    }

    fn deliver(&mut self, records: &Records, output: &mut dyn Write) -> Result<(), StdoutError> {
        if self.closed {
            return Err(StdoutError::Closed);
        }
        self.lines.clear();
        if self.torn {
            self.lines.push(b'\n');
        }
        let format = self.format.as_ref().unwrap_or_else(|| records.format());
        format.write_lines(records, &mut self.clock, &mut self.lines);
        let written = write_all(output, &self.lines, &mut self.torn);
        self.lines.clear();
        self.lines.shrink_to(KEPT);
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => {
                self.closed = true;
                StdoutError::Closed
            }
            _ => StdoutError::Write(error),
        })
    }
}

/// Writes and flushes. Waits where a terminal or pipe that was set not to block is full.
fn write_all(output: &mut dyn Write, mut bytes: &[u8], torn: &mut bool) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => {
                let (written, rest) = bytes.split_at(count);
                *torn = !written.ends_with(b"\n");
                bytes = rest;
            }
            Err(error) => wait_or_fail(error)?,
        }
    }
    while let Err(error) = output.flush() {
        wait_or_fail(error)?;
    }
    Ok(())
}

fn wait_or_fail(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock => {
            thread::sleep(FULL_OUTPUT_WAIT);
            Ok(())
        }
        _ => Err(error),
    }
}

impl Handler for StdoutHandler {
    fn name(&self) -> &str {
        "stdout"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        Ok(self.deliver(records, &mut io::stdout().lock())?)
    }
}

#[cfg(test)]
mod tests;
