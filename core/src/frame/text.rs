//! The payload of a text record.

use super::{Flags, FrameError, Kind};

/// A text record's payload: the message as bytes (whoever wrote the ring promised UTF-8, the
/// reader checks), and a byte string if one travels along.
///
/// ```text
///  ┌─────────────────┬────────────────┬────────────────┬──────┬───────┐
///  │ original length │  text length   │   suppressed   │ text │ bytes │
///  │ u32, TRUNCATED  │   u32, BYTES   │ u32 SUPPRESSED │      │ BYTES │
///  └─────────────────┴────────────────┴────────────────┴──────┴───────┘
/// ```
///
/// Each part of the prefix is there only if its flag is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The message.
    pub text: &'a [u8],
    /// The bytes beside it.
    pub bytes: Option<&'a [u8]>,
    /// How long the message was before it was cut, in bytes.
    pub original_length: Option<u32>,
    /// How many records of this call site were suppressed before this one.
    pub suppressed: Option<u32>,
}

impl<'a> Text<'a> {
    /// Reads a payload under the flags of its header.
    ///
    /// # Errors
    ///
    /// [`FrameError::Payload`] if the payload is shorter than its prefix says.
    #[inline]
    pub fn decode(flags: Flags, payload: &'a [u8]) -> Result<Text<'a>, FrameError> {
        if !flags.intersects(Flags::PREFIXED) {
            return Ok(Text {
                text: payload,
                bytes: None,
                original_length: None,
                suppressed: None,
            });
        }
        Self::decode_with_prefix(flags, payload)
    }

    fn decode_with_prefix(flags: Flags, payload: &'a [u8]) -> Result<Text<'a>, FrameError> {
        let wrong = |need: usize| FrameError::Payload {
            kind: Kind::Text as u8,
            have: payload.len() as u32,
            need: need as u32,
        };
        let mut rest = payload;
        let mut word = |flag: Flags| -> Result<Option<u32>, FrameError> {
            if !flags.contains(flag) {
                return Ok(None);
            }
            let (word, tail) =
                rest.split_first_chunk::<4>().ok_or_else(|| wrong(flags.prefix_length()))?;
            rest = tail;
            Ok(Some(u32::from_le_bytes(*word)))
        };
        let original_length = word(Flags::TRUNCATED)?;
        let text_length = word(Flags::BYTES)?;
        let suppressed = word(Flags::SUPPRESSED)?;
        let (text, bytes) = match text_length {
            None => (rest, None),
            Some(length) => match rest.split_at_checked(length as usize) {
                Some((text, bytes)) => (text, Some(bytes)),
                None => return Err(wrong(flags.prefix_length().saturating_add(length as usize))),
            },
        };
        Ok(Text { text, bytes, original_length, suppressed })
    }
}

/// The prefix of a text record's payload, for the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextPrefix {
    /// How long the message was before it was cut.
    pub original_length: Option<u32>,
    /// How long the text is, if bytes follow it.
    pub text_length: Option<u32>,
    /// How many records were suppressed.
    pub suppressed: Option<u32>,
}

impl TextPrefix {
    /// The flags that announce this prefix.
    pub const fn flags(&self) -> Flags {
        let mut flags = Flags::NONE;
        if self.original_length.is_some() {
            flags = flags.with(Flags::TRUNCATED);
        }
        if self.text_length.is_some() {
            flags = flags.with(Flags::BYTES);
        }
        if self.suppressed.is_some() {
            flags = flags.with(Flags::SUPPRESSED);
        }
        flags
    }

    /// The words of the prefix in their order on the wire.
    pub fn words(&self) -> impl Iterator<Item = [u8; 4]> {
        [self.original_length, self.text_length, self.suppressed]
            .into_iter()
            .flatten()
            .map(u32::to_le_bytes)
    }
}
