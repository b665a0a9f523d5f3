//! Text that stands in every message of a call site.

use super::out::Out;
use crate::format::is_harmful;

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

    /// Whether it may stand in a line as it is.
    pub(crate) fn is_harmless(&self) -> bool {
        !self.text.chars().any(is_harmful)
    }

    #[inline]
    pub(crate) fn append(&self, out: &mut impl Out) {
        if self.length <= SHORT {
            out.block(self.head, self.length);
        } else {
            out.text(self.text.as_bytes());
        }
    }
}
