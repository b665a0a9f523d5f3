//! The input of a reader, in memory as far as it is being looked at.

use std::fmt;
use std::io::{self, ErrorKind, Read};

/// Bytes that are asked for at a time.
const PIECE: usize = 256 << 10;

/// Bytes of the input, from some offset on.
pub(super) struct Input<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where in the buffer the part begins that is not done with, and where it ends.
    start: usize,
    end: usize,
    /// What of the input is done with.
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, end: 0, offset: 0 }
    }

    /// What was read and is not done with.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.bytes().len());
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Reads on until there are `need` bytes. False if there was nothing more at all. Memory grows
    /// with what comes rather than with what is wanted.
    pub(super) fn fill(&mut self, need: usize) -> io::Result<bool> {
        let mut came = false;
        while self.bytes().len() < need {
            if self.buffer.len() - self.end < PIECE {
                if self.start > 0 {
                    self.buffer.copy_within(self.start..self.end, 0);
                    self.end -= self.start;
                    self.start = 0;
                }
                let length = self.buffer.len().max(self.end + PIECE);
                self.buffer.resize(length, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => {
                    self.end += count;
                    came = true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(came)
    }
}

impl<R> fmt::Debug for Input<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("offset", &self.offset).finish_non_exhaustive()
    }
}
