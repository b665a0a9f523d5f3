//! What those have in common that send from process to process and have no logger.

use std::fs::File;
use std::io::{BufWriter, Cursor, Write};

use crate::place::Place;
use crate::subject::Record;

/// A line on the stack, which is what such a program would send.
pub(crate) struct Line {
    bytes: [u8; 128],
    length: usize,
}

impl Line {
    #[inline(always)]
    pub(crate) fn new(stamp: u64, record: Record) -> Self {
        let mut bytes = [0; 128];
        let mut cursor = Cursor::new(&mut bytes[..]);
        // 128 bytes hold the longest numbers.
        let _ = write_line(&mut cursor, stamp, record);
        let length = cursor.position() as usize;
        Self { bytes, length }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Writes a record as text.
#[inline(always)]
pub(crate) fn write_line(to: &mut impl Write, stamp: u64, record: Record) -> std::io::Result<()> {
    let Record { producer, number, price } = record;
    writeln!(to, "{stamp} order {producer} qty {number} px {price}")
}

/// What ends the stream, sent by the collector itself once all producers have ended.
pub(crate) const END: &[u8] = b"end\n";

/// The file that a collector writes.
pub(crate) fn file(place: &Place) -> std::io::Result<BufWriter<File>> {
    let file = File::options().create(true).append(true).open(&place.file)?;
    Ok(BufWriter::with_capacity(64 << 10, file))
}
