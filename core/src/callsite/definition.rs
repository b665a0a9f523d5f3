//! The definition of one call site, as a value and as a frame.

use crate::Level;
use crate::capture::char_boundary;
use crate::frame::{ALIGN, Fields, Flags, FrameError, HEADER, Header, Kind, aligned};

// The payload, after the header whose `site` is the number and whose `level` is the level:
//
//   0        4           6         8             10              12           14     16
//   ┌────────┬───────────┬─────────┬─────────────┬───────────────┬────────────┬──────┬─────────
//   │  line  │  target   │  file   │  template   │   signature   │   fields   │ zero │ the five
//   │  u32   │ length u16│ len. u16│ length u16  │  length u16   │ length u16 │ u16  │ strings
//   └────────┴───────────┴─────────┴─────────────┴───────────────┴────────────┴──────┴─────────
const LINE_AT: usize = 0;
const LENGTHS_AT: usize = 4;
const STRINGS: usize = 5;
const ZERO_AT: usize = 14;
const FIXED: usize = 16;
const LONGEST: usize = u16::MAX as usize;

static_assertions::const_assert_eq!(LENGTHS_AT, LINE_AT + size_of::<u32>());
static_assertions::const_assert_eq!(ZERO_AT, LENGTHS_AT + STRINGS * size_of::<u16>());
static_assertions::const_assert_eq!(FIXED, ZERO_AT + size_of::<u16>());
static_assertions::const_assert!(HEADER + FIXED + STRINGS * LONGEST < u32::MAX as usize - ALIGN);

/// The definition of a call site.
///
/// The strings are bytes: whoever wrote the frame promised UTF-8, the reader checks. Of a string
/// longer than `u16::MAX` bytes only the head is encoded, cut between characters (field names:
/// between names).
///
/// ```
/// use millpond_core::callsite::CallSite;
/// use millpond_core::frame::{Body, Frame};
/// use millpond_core::Level;
///
/// let site = CallSite {
///     number: 1,
///     level: Level::Info,
///     line: 7,
///     target: b"shop::orders",
///     file: b"src/orders.rs",
///     template: b"order {} filled",
///     signature: b"u",
///     fields: b"price\0",
/// };
/// let mut bytes = Vec::new();
/// site.encode(|part| bytes.extend_from_slice(part));
/// assert_eq!(bytes.len(), site.encoded_length() as usize);
///
/// let (frame, _) = Frame::decode(&bytes)?;
/// assert_eq!(frame.body()?, Some(Body::CallSite(site)));
/// # Ok::<(), millpond_core::frame::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite<'a> {
    /// Its number in the process that wrote it, counted from 1.
    pub number: u32,
    /// The level of its records.
    pub level: Level,
    /// The line in the source file.
    pub line: u32,
    /// The module path, or what the caller said instead.
    pub target: &'a [u8],
    /// The source file.
    pub file: &'a [u8],
    /// The message with its placeholders.
    pub template: &'a [u8],
    /// One type code for each argument.
    pub signature: &'a [u8],
    /// The names of the structured fields, each ended by a zero byte.
    pub fields: &'a [u8],
}

impl<'a> CallSite<'a> {
    /// The most bytes that an encoded definition can take: a buffer of this size holds any.
    pub const MAX_LENGTH: u32 = aligned((HEADER + FIXED + STRINGS * LONGEST) as u32);

    /// The names of the structured fields, in order. A last name without its zero byte counts.
    pub fn field_names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let names = self.fields.strip_suffix(&[0]).unwrap_or(self.fields);
        let none = self.fields.is_empty();
        names.split(|byte| *byte == 0).filter(move |_| !none)
    }

    /// Bytes of the whole frame: header, payload, and zeros up to where the next frame starts.
    pub fn encoded_length(&self) -> u32 {
        aligned(self.strings().frame_length())
    }

    /// Emits the whole frame, of [`CallSite::encoded_length`] bytes, part after part. Nothing is
    /// copied on the way, so the parts may go straight to their place.
    pub fn encode(&self, mut write: impl FnMut(&[u8])) {
        let strings = self.strings();
        let length = strings.frame_length();
        let header = Header {
            length,
            kind: Kind::CallSite as u8,
            level: self.level as u8,
            flags: Flags::NONE,
            ticks: 0,
            sequence: 0,
            site: self.number,
        };
        write(&header.to_bytes());

        let mut fixed = [0; FIXED];
        fixed[LINE_AT..LENGTHS_AT].copy_from_slice(&self.line.to_le_bytes());
        for (place, string) in fixed[LENGTHS_AT..ZERO_AT].chunks_exact_mut(2).zip(strings.0) {
            place.copy_from_slice(&(string.len() as u16).to_le_bytes());
        }
        write(&fixed);

        for string in strings.0 {
            write(string);
        }
        write(&[0; ALIGN][..(aligned(length) - length) as usize]);
    }

    pub(crate) fn decode(
        header: &Header,
        mut fields: Fields<'a>,
    ) -> Result<CallSite<'a>, FrameError> {
        let line = fields.u32()?;
        let mut lengths = [0; STRINGS];
        for length in &mut lengths {
            *length = fields.u16()? as usize;
        }
        let _zero = fields.u16()?;
        let [target, file, template, signature, names] = lengths;
        Ok(CallSite {
            number: header.site,
            level: header.level(),
            line,
            target: fields.take(target)?,
            file: fields.take(file)?,
            template: fields.take(template)?,
            signature: fields.take(signature)?,
            fields: fields.take(names)?,
        })
    }

    fn strings(&self) -> Strings<'a> {
        Strings([
            cut_text(self.target),
            cut_text(self.file),
            cut_text(self.template),
            &self.signature[..self.signature.len().min(LONGEST)],
            cut_names(self.fields),
        ])
    }
}

/// The strings as they are encoded: none longer than `LONGEST`.
struct Strings<'a>([&'a [u8]; STRINGS]);

impl Strings<'_> {
    fn frame_length(&self) -> u32 {
        let strings: usize = self.0.iter().map(|string| string.len()).sum();
        (HEADER + FIXED + strings) as u32
    }
}

/// The head of `text` that fits, cut before a character rather than inside it.
fn cut_text(text: &[u8]) -> &[u8] {
    &text[..char_boundary(text, LONGEST)]
}

/// The head of `names` that fits, cut after the zero byte of a whole name.
fn cut_names(names: &[u8]) -> &[u8] {
    if names.len() <= LONGEST {
        return names;
    }
    let end = names[..LONGEST].iter().rposition(|byte| *byte == 0).map_or(0, |zero| zero + 1);
    &names[..end]
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;
    use std::{format, vec};

    use super::*;
    use crate::frame::{Body, Frame};

    const EMPTY: CallSite<'static> = CallSite {
        number: 3,
        level: Level::Warning,
        line: 0x0403_0201,
        target: b"",
        file: b"",
        template: b"",
        signature: b"",
        fields: b"",
    };

    fn encoded(site: &CallSite<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        site.encode(|part| bytes.extend_from_slice(part));
        bytes
    }

    #[test]
    fn every_field_stands_where_the_drawing_says() {
        let site = CallSite {
            target: b"T",
            file: b"FF",
            template: b"EEE",
            signature: b"uiss",
            fields: b"a\0bc\0",
            ..EMPTY
        };
        let bytes = encoded(&site);
        let payload = &bytes[HEADER..];
        assert_eq!(payload[..4], [1, 2, 3, 4]);
        assert_eq!(payload[4..16], [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0, 0]);
        assert_eq!(payload[16..31], *b"TFFEEEuissa\0bc\0");
        assert_eq!(bytes.len(), 56);
        assert_eq!(bytes[55..], [0]);
        let header = Header::from_bytes(bytes.first_chunk().unwrap());
        assert_eq!((header.length, header.site, header.level()), (55, 3, Level::Warning));
    }

    #[test]
    fn field_names_are_split_at_their_zero_bytes() {
        for (fields, expected) in [
            (&b""[..], &[][..]),
            (b"a\0", &[&b"a"[..]][..]),
            (b"a\0bc\0", &[b"a", b"bc"]),
            (b"a\0bc", &[b"a", b"bc"]),
            (b"\0", &[b""]),
            (b"\0a\0", &[b"", b"a"]),
        ] {
            let names: Vec<_> = CallSite { fields, ..EMPTY }.field_names().collect();
            assert_eq!(names, expected, "{fields:?}");
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        for filler in ["x", "é", "€", "𝄞"] {
            for shift in 0..4 {
                let text = format!("{}{}", &"abc"[..shift], filler.repeat(70_000));
                let cut = cut_text(text.as_bytes());
                assert!(cut.len() <= LONGEST && cut.len() + filler.len() > LONGEST);
                assert!(text.is_char_boundary(cut.len()));
            }
        }
        let not_text = vec![0x80; LONGEST + 9];
        assert_eq!(cut_text(&not_text).len(), LONGEST);
    }

    #[test]
    fn a_text_of_exactly_the_limit_is_whole() {
        let text = vec![0x80; LONGEST];
        assert_eq!(cut_text(&text).len(), LONGEST);
        assert_eq!(cut_names(&text).len(), LONGEST);
    }

    #[test]
    fn long_field_names_are_cut_between_names() {
        let names = b"four\0".repeat(20_000);
        let cut = cut_names(&names);
        assert_eq!(cut.len(), LONGEST / 5 * 5);
        assert!(cut.ends_with(b"four\0"));
        assert!(cut_names(&vec![b'x'; LONGEST + 1]).is_empty());
    }

    #[test]
    fn the_longest_definition_has_the_documented_length() {
        let long = vec![b'x'; LONGEST + 50];
        let names = vec![0; LONGEST + 50];
        let site = CallSite {
            target: &long,
            file: &long,
            template: &long,
            signature: &long,
            fields: &names,
            ..EMPTY
        };
        let bytes = encoded(&site);
        assert_eq!(bytes.len() as u32, CallSite::MAX_LENGTH);
        assert_eq!(site.encoded_length(), CallSite::MAX_LENGTH);
        let (frame, taken) = Frame::decode(&bytes).unwrap();
        assert_eq!(taken, bytes.len());
        let Some(Body::CallSite(back)) = frame.body().unwrap() else { panic!("{frame:?}") };
        assert_eq!(back.template, &long[..LONGEST]);
        assert_eq!(back.field_names().count(), LONGEST);
    }

    #[test]
    fn a_string_that_is_not_there_is_an_error() {
        let bytes = encoded(&CallSite { target: b"abc", ..EMPTY });
        for length in HEADER..HEADER + FIXED + 3 {
            let mut cut = bytes[..length].to_vec();
            cut[..4].copy_from_slice(&(length as u32).to_le_bytes());
            let (frame, _) = Frame::decode(&cut).unwrap();
            assert!(matches!(frame.body(), Err(FrameError::Payload { kind: 4, .. })));
        }
    }
}
