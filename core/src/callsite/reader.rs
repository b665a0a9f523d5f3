//! The reading end of a ring's call-site table. The drawing and the rules are in `writer.rs`.
//!
//! # Safety
//!
//! The table may lie in memory that a faulty process writes. So the published length is loaded
//! once and checked, bytes are copied out before they are looked at, and the one unsafe block
//! copies a range that lies below the length that was checked.
#![allow(unsafe_code)]

use core::mem::MaybeUninit;

use super::{CallSite, TableFault};
use crate::frame::{Fields, Frame, FrameError, HEADER, Kind, LENGTH_KIND, aligned};
use crate::storage::{Area, Storage};
use crate::sync::Ordering;

/// Reads the definitions that were appended to the table of one ring since the last look.
///
/// Any number of readers may read a table, each from its head. Two 32-bit numbers are all that a
/// reader keeps: the definitions are the caller's to store.
#[derive(Clone, Debug, Default)]
pub struct TableReader {
    read: u32,
    known: u32,
}

impl TableReader {
    /// A reader that has read nothing yet.
    pub const fn new() -> Self {
        Self { read: 0, known: 0 }
    }

    /// How many definitions were read: those with the numbers 1 to this.
    pub const fn known(&self) -> u32 {
        self.known
    }

    /// Hands every definition that is new to `each`, in the order of their numbers. If nothing is
    /// new, this is one load and one compare.
    ///
    /// `buffer` is private memory for the copies, used up to a multiple of 8 bytes. It must hold
    /// the longest definition; one of [`CallSite::MAX_LENGTH`] bytes always does, and some
    /// hundred bytes nearly always. A larger one means fewer copies.
    ///
    /// The writer may append meanwhile; what it publishes after the load is found next time. Frames
    /// that are no definitions are skipped by their length.
    ///
    /// # Errors
    ///
    /// [`TableFault`] if the table is not what a writer can have written, or if a definition is
    /// larger than the buffer. What stands before the fault was handed out and is not handed out
    /// again; later calls meet the same fault, unless it was the buffer and that has grown.
    pub fn poll<S: Storage>(
        &mut self,
        storage: &S,
        buffer: &mut [u8],
        mut each: impl FnMut(CallSite<'_>),
    ) -> Result<(), TableFault> {
        // Acquire [sites]: pairs with the Release [sites] in `TableWriter::append`. Seeing the
        // length means that the definitions below it are complete; with Relaxed we could copy
        // bytes that are still being written. Loaded once: another process may change it.
        let published = storage.producer_line().table_length.load(Ordering::Acquire);
        let area = storage.table().length();
        if published > area || !published.is_multiple_of(8) || published < self.read {
            return Err(TableFault::Length { came: published, read: self.read, area });
        }
        while self.read < published {
            let left = published - self.read;
            let take = left.min(buffer.len().min(u32::MAX as usize) as u32) & !7;
            if (take as usize) < LENGTH_KIND {
                return Err(TableFault::TooLarge {
                    number: self.known.saturating_add(1),
                    needed: LENGTH_KIND as u32,
                    buffer: buffer.len() as u32,
                });
            }
            let chunk = &mut buffer[..take as usize];
            // SAFETY: `self.read` and `take` are multiples of 8 (`take` is rounded down, `read` is
            // zero or a sum of aligned lengths), and `read + take <= published <= area`. Bytes
            // below the published length are not written by this process (rule 1 of `writer.rs`).
            // `MaybeUninit<u8>` has the layout of `u8`, and `read` stores to all of it, so no byte
            // is uninitialised when the borrow ends.
            unsafe {
                let into = &mut *(core::ptr::from_mut(chunk) as *mut [MaybeUninit<u8>]);
                storage.table().read(self.read as usize, into);
            }
            self.parse(chunk, published, &mut each)?;
        }
        Ok(())
    }

    /// Hands out what `chunk`, the copy of the bytes from `self.read` on, holds of whole
    /// definitions. Gets ahead by one frame at least.
    fn parse(
        &mut self,
        chunk: &[u8],
        published: u32,
        each: &mut impl FnMut(CallSite<'_>),
    ) -> Result<(), TableFault> {
        let start = self.read;
        while let Some(rest) = chunk.get((self.read - start) as usize..)
            && let Some(first) = rest.first_chunk::<LENGTH_KIND>()
        {
            match self.step(first, rest, published - self.read, each) {
                // The next chunk starts with this frame.
                Err(TableFault::TooLarge { .. }) if self.read > start => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }

    /// Goes over the frame at the head of `rest`, which may be longer than `rest` but not than
    /// `left`.
    fn step(
        &mut self,
        first: &[u8; LENGTH_KIND],
        rest: &[u8],
        left: u32,
        each: &mut impl FnMut(CallSite<'_>),
    ) -> Result<(), TableFault> {
        let number = self.known.saturating_add(1);
        let broken = |error| TableFault::Frame { number, error };
        let length = u32::from_le_bytes([first[0], first[1], first[2], first[3]]);
        let kind = Kind::from_byte(first[4]);
        let least = if kind == Some(Kind::Padding) { LENGTH_KIND } else { HEADER } as u32;
        if length < least {
            return Err(broken(FrameError::Length { length, least }));
        }
        if length > left {
            return Err(broken(FrameError::Short { have: left, need: length }));
        }
        // At most `left`, which is a multiple of 8 too.
        let taken = aligned(length);
        if kind != Some(Kind::CallSite) {
            self.read += taken;
            return Ok(());
        }
        let Some(bytes) = rest.get(..taken as usize) else {
            return Err(TableFault::TooLarge { number, needed: taken, buffer: rest.len() as u32 });
        };
        let (frame, _) = Frame::decode(bytes).map_err(broken)?;
        let fields = Fields::new(Kind::CallSite, frame.payload);
        let site = CallSite::decode(&frame.header, fields).map_err(broken)?;
        if site.number != self.known.wrapping_add(1) || site.number == 0 {
            return Err(TableFault::Number { came: site.number, expected: number });
        }
        self.known = site.number;
        self.read += taken;
        each(site);
        Ok(())
    }
}

#[cfg(all(test, not(millpond_loom)))]
mod tests {
    extern crate std;
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::super::TableWriter;
    use super::super::testing::{Ring, site};
    use super::*;
    use crate::frame::Header;

    fn templates(
        reader: &mut TableReader,
        ring: &Ring,
        buffer: &mut [u8],
    ) -> (Vec<String>, Result<(), TableFault>) {
        let mut seen = Vec::new();
        let result = reader.poll(ring, buffer, |site| {
            seen.push(String::from_utf8(site.template.to_vec()).unwrap());
        });
        (seen, result)
    }

    #[test]
    fn each_definition_is_handed_out_once_and_in_order() {
        let ring = Ring::new(4096);
        let (mut table, mut reader, mut buffer) =
            (TableWriter::new(), TableReader::new(), [0; 128]);
        assert_eq!(templates(&mut reader, &ring, &mut buffer), (Vec::new(), Ok(())));
        table.append(&ring, &site(1, b"one")).unwrap();
        table.append(&ring, &site(2, b"two")).unwrap();
        let (seen, result) = templates(&mut reader, &ring, &mut buffer);
        assert_eq!((seen, result), (["one".into(), "two".into()].into(), Ok(())));
        table.append(&ring, &site(3, b"three")).unwrap();
        let (seen, result) = templates(&mut reader, &ring, &mut buffer);
        assert_eq!((seen, result), (["three".into()].into(), Ok(())));
        assert_eq!(reader.known(), 3);
    }

    #[test]
    fn chunks_end_anywhere() {
        let ring = Ring::new(4096);
        let mut table = TableWriter::new();
        for number in 1..=20 {
            table.append(&ring, &site(number, &b"0123456789"[..number as usize % 10])).unwrap();
        }
        for length in 56..200 {
            let mut buffer = std::vec![0; length];
            let mut reader = TableReader::new();
            let (seen, result) = templates(&mut reader, &ring, &mut buffer);
            assert_eq!((seen.len(), result), (20, Ok(())), "buffer of {length}");
        }
    }

    #[test]
    fn a_small_buffer_is_a_fault_that_a_larger_one_cures() {
        let ring = Ring::new(4096);
        let (mut table, mut reader) = (TableWriter::new(), TableReader::new());
        table.append(&ring, &site(1, b"")).unwrap();
        table.append(&ring, &site(2, b"does not fit")).unwrap();
        let fault = Err(TableFault::TooLarge { number: 2, needed: 56, buffer: 48 });
        assert_eq!(templates(&mut reader, &ring, &mut [0; 55]), (["".into()].into(), fault));
        assert_eq!(templates(&mut reader, &ring, &mut [0; 55]), (Vec::new(), fault));
        let (seen, result) = templates(&mut reader, &ring, &mut [0; 56]);
        assert_eq!((seen, result), (["does not fit".into()].into(), Ok(())));
        let nothing = Err(TableFault::TooLarge { number: 1, needed: 8, buffer: 7 });
        assert_eq!(templates(&mut TableReader::new(), &ring, &mut [0; 7]).1, nothing);
    }

    #[test]
    fn an_impossible_length_is_a_fault() {
        let ring = Ring::new(64);
        let mut reader = TableReader::new();
        for came in [1, 7, 60, 72, u32::MAX, u32::MAX - 7] {
            ring.publish(came);
            let fault = TableFault::Length { came, read: 0, area: 64 };
            assert_eq!(templates(&mut reader, &ring, &mut [0; 64]).1, Err(fault));
        }
        ring.publish(0);
        TableWriter::new().append(&ring, &site(1, b"")).unwrap();
        assert_eq!(templates(&mut reader, &ring, &mut [0; 64]).1, Ok(()));
        ring.publish(32);
        let fault = TableFault::Length { came: 32, read: 40, area: 64 };
        assert_eq!(templates(&mut reader, &ring, &mut [0; 64]).1, Err(fault));
    }

    #[test]
    fn other_kinds_are_skipped_even_if_larger_than_the_buffer() {
        let ring = Ring::new(4096);
        let unknown = Header { length: 1001, kind: 77, ..Header::from_bytes(&[0; HEADER]) };
        ring.put(0, &unknown.to_bytes());
        ring.put(1008, &Header::padding(16));
        site(1, b"after").encode({
            let mut at = 1024;
            let ring = &ring;
            move |part| {
                ring.put(at, part);
                at += part.len() as u32;
            }
        });
        ring.publish(1024 + 48);
        let (seen, result) = templates(&mut TableReader::new(), &ring, &mut [0; 64]);
        assert_eq!((seen, result), (["after".into()].into(), Ok(())));
    }

    #[test]
    fn definitions_out_of_order_are_a_fault() {
        for came in [0, 2, u32::MAX] {
            let ring = Ring::new(64);
            let mut at = 0;
            site(came, b"").encode(|part| {
                ring.put(at, part);
                at += part.len() as u32;
            });
            ring.publish(at);
            let (seen, result) = templates(&mut TableReader::new(), &ring, &mut [0; 64]);
            assert_eq!((seen.len(), result), (0, Err(TableFault::Number { came, expected: 1 })));
        }
    }

    #[test]
    fn a_frame_that_reaches_beyond_the_published_length_is_a_fault() {
        let ring = Ring::new(64);
        TableWriter::new().append(&ring, &site(1, b"twelve bytes")).unwrap();
        ring.publish(40);
        let error = FrameError::Short { have: 40, need: 52 };
        let fault = TableFault::Frame { number: 1, error };
        assert_eq!(templates(&mut TableReader::new(), &ring, &mut [0; 64]).1, Err(fault));
        assert_eq!(
            fault.to_string(),
            "definition of call site 1 is broken: frame is cut: it needs 52 bytes and 40 are there"
        );
        ring.put(0, &[0; 8]);
        let error = FrameError::Length { length: 0, least: 24 };
        let fault = Err(TableFault::Frame { number: 1, error });
        assert_eq!(templates(&mut TableReader::new(), &ring, &mut [0; 64]).1, fault);
    }
}
