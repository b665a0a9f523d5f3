//! Checking and opening an envelope.

use super::{EnvelopeError, FIXED, MAGIC, OVERHEAD, checksum};
use crate::frame::{ALIGN, Fields, FrameError, Frames, HEADER, Header, Kind};
use crate::version;

/// An envelope, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The major version of its layout, see [`crate::version`].
    pub major: u16,
    /// The minor version.
    pub minor: u16,
    /// The feature bits that a reader must know.
    pub incompatible: u32,
    /// The feature bits that a reader may not know.
    pub ignorable: u32,
    /// How many frames there are, padding frames not counted.
    pub count: u32,
    /// The checksum that came.
    pub crc: u32,
    /// The frames, one after the other.
    pub bytes: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The envelope at the head of `bytes`, wholly checked, and how many bytes it takes. What
    /// follows it is not looked at. Ticks and sequence number of the envelope itself are in the
    /// header of [`Frame::decode`](crate::frame::Frame::decode) of the same bytes.
    ///
    /// Bytes may come from anywhere. The frames inside are whole; their payloads are checked by
    /// [`Frame::body`](crate::frame::Frame::body).
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], the first of these that applies: cut before the fixed part ends, byte
    /// order, magic, kind, major version, feature bits, length, cut later, checksum, frames,
    /// count. A reader of a stream reads on after [`EnvelopeError::Short`], but not for ever: the
    /// length that asks for more may itself be damaged. After any other error it looks for the
    /// next envelope.
    pub fn open(bytes: &'a [u8]) -> Result<(Envelope<'a>, usize), EnvelopeError> {
        let have = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let short = |need| EnvelopeError::Short { have, need };
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(short(OVERHEAD as u32));
        };
        let Some((fixed, _)) = rest.split_first_chunk::<FIXED>() else {
            return Err(short(OVERHEAD as u32));
        };
        let magic = [fixed[0], fixed[1], fixed[2], fixed[3]];
        if magic != MAGIC {
            let mut reversed = magic;
            reversed.reverse();
            return Err(match reversed == MAGIC {
                true => EnvelopeError::ByteOrder,
                false => EnvelopeError::Magic { came: magic },
            });
        }
        let header = Header::from_bytes(header);
        if header.kind != Kind::Envelope as u8 {
            return Err(EnvelopeError::Kind { came: header.kind });
        }
        let peek = Self::decode(Fields::new(Kind::Envelope, fixed))?;
        version::check(peek.major, peek.incompatible)?;

        let length = header.length;
        if (length as usize) < OVERHEAD || !length.is_multiple_of(ALIGN as u32) {
            return Err(EnvelopeError::Length { came: length });
        }
        let Some(whole) = bytes.get(..length as usize) else { return Err(short(length)) };
        let computed = checksum(whole);
        if computed != peek.crc {
            return Err(EnvelopeError::Checksum { came: peek.crc, computed });
        }
        let envelope = Envelope { bytes: &whole[OVERHEAD..], ..peek };
        let mut found = 0;
        for frame in envelope.frames() {
            frame?;
            found += 1;
        }
        if found != envelope.count {
            return Err(EnvelopeError::Count { came: envelope.count, found });
        }
        Ok((envelope, whole.len()))
    }

    /// The frames inside.
    pub const fn frames(&self) -> Frames<'a> {
        Frames::new(self.bytes)
    }

    /// Splits a payload. Nothing is checked but that the fixed part is there.
    pub(crate) fn decode(mut fields: Fields<'a>) -> Result<Envelope<'a>, FrameError> {
        let _magic = fields.u32()?;
        Ok(Envelope {
            major: fields.u16()?,
            minor: fields.u16()?,
            incompatible: fields.u32()?,
            ignorable: fields.u32()?,
            count: fields.u32()?,
            crc: fields.u32()?,
            bytes: fields.rest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{CRC_AT, EnvelopeWriter};
    use crate::frame::Frame;
    use crate::version::VersionError;

    fn frame(kind: u8, payload: &[u8]) -> Frame<'_> {
        let mut header = Header::from_bytes(&[0; HEADER]);
        header.kind = kind;
        header.length = (HEADER + payload.len()) as u32;
        Frame { header, payload }
    }

    /// An envelope of two frames, 120 bytes, with its checksum right whatever `change` did.
    fn changed(change: impl FnOnce(&mut [u8; 120])) -> [u8; 120] {
        let mut bytes = [0xee; 120];
        let mut writer = EnvelopeWriter::new(&mut bytes).unwrap();
        writer.push(&frame(2, b"text")).unwrap();
        writer.push(&frame(99, b"unknown.")).unwrap();
        assert_eq!((writer.count(), writer.free()), (2, 8));
        assert_eq!(writer.finish(5, 6).len(), 112);
        change(&mut bytes);
        let crc = checksum(&bytes[..112]);
        bytes[HEADER + CRC_AT..OVERHEAD].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    #[test]
    fn every_field_stands_where_the_drawing_says() {
        let bytes = changed(|_| ());
        let header = Header::from_bytes(bytes.first_chunk().unwrap());
        assert_eq!((header.length, header.ticks, header.sequence), (112, 5, 6));
        let fixed = &bytes[HEADER..OVERHEAD];
        assert_eq!(fixed[..20], *b"MPND\x01\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0");
        let (envelope, taken) = Envelope::open(&bytes).unwrap();
        assert_eq!((envelope.count, envelope.bytes.len(), taken), (2, 64, 112));
        assert_eq!(envelope.bytes[28..32], [0; 4]);
        let mut frames = envelope.frames().map(Result::unwrap);
        assert_eq!(frames.next(), Some(frame(2, b"text")));
        assert_eq!(frames.next(), Some(frame(99, b"unknown.")));
        assert_eq!(frames.next(), None);
    }

    #[test]
    fn the_checksum_is_the_one_of_ethernet() {
        // The check value of the catalogue of CRC algorithms: CRC-32/ISO-HDLC of "123456789".
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        let mut zeroed = changed(|_| ());
        let (envelope, _) = Envelope::open(&zeroed).unwrap();
        let crc = envelope.crc;
        zeroed[HEADER + CRC_AT..OVERHEAD].fill(0);
        assert_eq!(crc32fast::hash(&zeroed[..112]), crc);
    }

    #[test]
    fn each_error_says_what_came() {
        let open = |change: fn(&mut [u8; 120])| Envelope::open(&changed(change)).unwrap_err();
        assert_eq!(open(|bytes| bytes[24..28].reverse()), EnvelopeError::ByteOrder);
        assert_eq!(open(|bytes| bytes[24] = b'm'), EnvelopeError::Magic { came: *b"mPND" });
        assert_eq!(open(|bytes| bytes[4] = 2), EnvelopeError::Kind { came: 2 });
        assert_eq!(
            open(|bytes| bytes[28] = 9),
            EnvelopeError::Version(VersionError::Major { came: 9 })
        );
        assert_eq!(
            open(|bytes| bytes[32] = 5),
            EnvelopeError::Version(VersionError::Incompatible { came: 5, unknown: 5 })
        );
        assert_eq!(open(|bytes| bytes[0] = 113), EnvelopeError::Length { came: 113 });
        assert_eq!(open(|bytes| bytes[0] = 40), EnvelopeError::Length { came: 40 });
        assert_eq!(open(|bytes| bytes[0] = 128), EnvelopeError::Short { have: 120, need: 128 });
        assert_eq!(open(|bytes| bytes[40] = 3), EnvelopeError::Count { came: 3, found: 2 });
        assert_eq!(
            open(|bytes| bytes[OVERHEAD] = 200),
            EnvelopeError::Frame(FrameError::Short { have: 64, need: 200 })
        );
        let computed = Envelope::open(&changed(|bytes| bytes[60] ^= 1)).unwrap().0.crc;
        let came = Envelope::open(&changed(|_| ())).unwrap().0.crc;
        let mut damaged = changed(|_| ());
        damaged[60] ^= 1;
        let error = EnvelopeError::Checksum { came, computed };
        assert_eq!(Envelope::open(&damaged), Err(error));
    }

    #[test]
    fn minor_version_and_ignorable_bits_never_forbid_reading() {
        let bytes = changed(|bytes| {
            bytes[30] = 77;
            bytes[36..40].fill(0xff);
        });
        let (envelope, _) = Envelope::open(&bytes).unwrap();
        assert_eq!((envelope.minor, envelope.ignorable), (77, u32::MAX));
    }

    #[test]
    fn every_shorter_piece_asks_for_more() {
        let bytes = changed(|_| ());
        for have in 0..112 {
            let need = if have < OVERHEAD { OVERHEAD } else { 112 } as u32;
            let error = EnvelopeError::Short { have: have as u32, need };
            assert_eq!(Envelope::open(&bytes[..have]), Err(error));
        }
    }
}
