//! Reading archives, whole or not.

mod find;
mod input;
mod said;
mod skipped;
#[cfg(feature = "zstd")]
mod unzip;

use std::collections::VecDeque;
use std::io::{self, Read};

#[cfg(feature = "zstd")]
use millpond_core::envelope::Envelope;
use millpond_std::{LineFormat, Records};

use find::{Found, look};
use input::Input;
use said::Said;

pub use skipped::{SkipReason, Skipped};

/// Something that stands in an archive.
#[derive(Debug)]
#[non_exhaustive]
pub enum ArchivePiece {
    /// Records, in the order in which they were written.
    Records(Records),
    /// A place that cannot be read. What follows it is looked for and read.
    Skipped(Skipped),
    /// The end is cut off: what stands there begins like an envelope. It is being written, or
    /// whoever wrote it was killed, or the disk was full.
    Torn(Skipped),
}

/// Reads an archive: records that line formats and handlers take as if they had just been logged.
///
/// Nothing is believed that has no matching checksum. What is damaged is passed over and told of:
/// [`ArchivePiece::Skipped`]. A file of which the front is missing, several that were joined, and
/// one that is still being written are read too. See [`ArchiveHandler`](super::ArchiveHandler) for
/// an example.
///
/// A record whose thread or call site was described in a place that is missing is not left out: its
/// logger is called `?`, and instead of the message it has the number of the call site and the raw
/// arguments.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: Input<R>,
    growing: bool,
    /// The place that is being passed over.
    skipping: Option<Skipped>,
    said: Said,
    ready: VecDeque<ArchivePiece>,
    /// Of the incomplete envelope behind which another was searched: its offset, and where the input
    /// ended then.
    searched: (u64, u64),
    envelopes: u64,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads from here on. No buffer is needed between.
    pub fn new(input: R) -> Self {
        Self {
            input: Input::new(input),
            growing: false,
            skipping: None,
            said: Said::new(LineFormat::default()),
            ready: VecDeque::new(),
            searched: (0, 0),
            envelopes: 0,
        }
    }

    /// Gives the batches this format instead of the default one.
    #[must_use]
    pub fn format(mut self, format: LineFormat) -> Self {
        self.said = Said::new(format);
        self
    }

    /// Whether the input is still being written. Then an incomplete end is left for the next call
    /// of [`ArchiveReader::read`], which goes on with what was appended; otherwise it is
    /// [`ArchivePiece::Torn`].
    #[must_use]
    pub fn growing(mut self, growing: bool) -> Self {
        self.growing = growing;
        self
    }

    /// How many envelopes there were. If there was none until the end, and not an
    /// [`ArchivePiece::Torn`] one either, the input is no archive or an empty one.
    pub fn envelopes(&self) -> u64 {
        self.envelopes
    }

    /// How many bytes of the input are done with.
    pub fn position(&self) -> u64 {
        self.input.offset()
    }

    /// The next piece. `None` at the end, for now if the input is growing.
    ///
    /// # Errors
    ///
    /// What the input says. May be called again.
    pub fn read(&mut self) -> io::Result<Option<ArchivePiece>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if !self.step()? {
                return Ok(None);
            }
        }
    }

    /// Goes over something. False at the end.
    fn step(&mut self) -> io::Result<bool> {
        match look(self.input.bytes()) {
            Found::Envelope(envelope, taken) => {
                end_skip(&mut self.skipping, &mut self.ready);
                self.envelopes += 1;
                if let Err(reason) = self.said.take(&envelope, &mut self.ready) {
                    let (offset, bytes) = (self.input.offset(), taken as u64);
                    self.ready.push_back(ArchivePiece::Skipped(Skipped { offset, bytes, reason }));
                }
                self.input.consume(taken);
            }
            #[cfg(feature = "zstd")]
            Found::Compressed(plain, taken) => {
                end_skip(&mut self.skipping, &mut self.ready);
                if let Err(reason) = self.take_plain(&plain) {
                    self.skip(taken, reason);
                    end_skip(&mut self.skipping, &mut self.ready);
                } else {
                    self.input.consume(taken);
                }
            }
            Found::Wrong(reason) => {
                self.salvage();
                let next = find::candidate(self.input.bytes(), 1);
                match next {
                    Some(at) => self.skip(at, reason),
                    None => return self.skip_to_end(reason),
                }
            }
            Found::Incomplete { need } => {
                if self.input.fill(need)? {
                    return Ok(true);
                }
                return Ok(self.at_end());
            }
        }
        Ok(true)
    }

    /// Nothing begins in what was read, but for what begins in its last bytes.
    fn skip_to_end(&mut self, reason: SkipReason) -> io::Result<bool> {
        let length = self.input.bytes().len();
        let searched = length.saturating_sub(find::LONGEST_BEGINNING);
        let has_more = self.input.fill(length + 1)?;
        if has_more || self.growing {
            self.skip(searched, reason);
            return Ok(has_more || searched > 0);
        }
        self.skip(length, reason);
        end_skip(&mut self.skipping, &mut self.ready);
        Ok(true)
    }

    /// An envelope is not complete, and there is no more. False if that is the end for now.
    fn at_end(&mut self) -> bool {
        let rest = self.input.bytes();
        if rest.is_empty() {
            end_skip(&mut self.skipping, &mut self.ready);
            return !self.ready.is_empty();
        }
        // Whoever wrote it may have died and another gone on: then it is followed by a whole one,
        // and will never be complete.
        let offset = self.input.offset();
        let range = (offset, offset + rest.len() as u64);
        if std::mem::replace(&mut self.searched, range) != range
            && let Some(at) = find::whole(rest, 1)
        {
            self.salvage();
            self.skip(at, SkipReason::Cut);
            return true;
        }
        if self.growing {
            return false;
        }
        self.salvage();
        let (offset, bytes) = (self.input.offset(), self.input.bytes().len());
        self.skip(bytes, SkipReason::Cut);
        // What was passed over reaches up to here, unless it is only this.
        match self.skipping.take() {
            Some(skipped) if skipped.offset == offset => {
                self.ready.push_back(ArchivePiece::Torn(skipped));
            }
            skipped => self.ready.extend(skipped.map(ArchivePiece::Skipped)),
        }
        true
    }

    /// Passes over so many bytes. The first reason for a place that cannot be read is the one that
    /// is told.
    fn skip(&mut self, bytes: usize, reason: SkipReason) {
        let offset = self.input.offset();
        let place = self.skipping.get_or_insert(Skipped { offset, bytes: 0, reason });
        place.bytes += bytes as u64;
        self.input.consume(bytes);
    }

    /// Takes the whole envelopes at the front of a zstd frame that is cut or damaged.
    fn salvage(&mut self) {
        #[cfg(feature = "zstd")]
        if let Some(plain) = unzip::front(self.input.bytes()) {
            end_skip(&mut self.skipping, &mut self.ready);
            // What the front lacks is the reason why it is taken here.
            let _ = self.take_plain(&plain);
        }
    }

    /// Takes the envelopes of a zstd frame.
    #[cfg(feature = "zstd")]
    fn take_plain(&mut self, mut plain: &[u8]) -> Result<(), SkipReason> {
        let mut result = Ok(());
        while !plain.is_empty() {
            match Envelope::open(plain) {
                Ok((envelope, taken)) => {
                    self.envelopes += 1;
                    result = result.and(self.said.take(&envelope, &mut self.ready));
                    plain = &plain[taken..];
                }
                Err(error) => {
                    result = result.and(Err(SkipReason::Envelope(error)));
                    let next = find::candidate(plain, 1);
                    plain = next.map_or(&[], |at| &plain[at..]);
                }
            }
        }
        result
    }
}

/// Tells of what was passed over.
fn end_skip(skipping: &mut Option<Skipped>, ready: &mut VecDeque<ArchivePiece>) {
    ready.extend(skipping.take().map(ArchivePiece::Skipped));
}
