//! Text that stands in every message of a call site.

use super::digits;

/// Bytes that are copied as a block of known length, which takes two instructions.
const SHORT: usize = 32;

/// What stands before an argument, or between the parts of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    length: usize,
    head: [u8; SHORT],
    text: Box<str>,
}

impl Literal {
    /// Bytes beside the text for which there should be room.
    pub(crate) const SLACK: usize = SHORT;

    pub(crate) fn new(text: &str) -> Literal {
        let mut head = [0; SHORT];
        let short = text.len().min(SHORT);
        head[..short].copy_from_slice(&text.as_bytes()[..short]);
        Literal { length: text.len(), head, text: text.into() }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        if self.length <= SHORT {
            digits::append(self.head, self.length, out);
        } else {
            out.extend_from_slice(self.text.as_bytes());
        }
    }
}
