//! The flag bits of a frame header.

use core::ops::{BitOr, BitOrAssign};

/// A set of frame flags. Bits that this version does not know are kept and ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// The message was cut; its original length in bytes stands in the payload's prefix.
    pub const TRUNCATED: Flags = Flags(1 << 0);
    /// Another part follows, in a frame of the same ring with the same sequence number.
    pub const CONTINUES: Flags = Flags(1 << 1);
    /// The stamp lay outside its bounds or the record came after later ones were handed out. Set
    /// by the collector, the stamp in the frame stays as it was.
    pub const LATE: Flags = Flags(1 << 2);
    /// The record may have been handed out before, by a master that died. Set by the collector.
    pub const REPEATED: Flags = Flags(1 << 3);
    /// A byte string travels beside the text; the text's length stands in the payload's prefix.
    pub const BYTES: Flags = Flags(1 << 4);
    /// Records of this call site were suppressed before this one; how many stands in the
    /// payload's prefix.
    pub const SUPPRESSED: Flags = Flags(1 << 5);

    /// The flags that announce something in the prefix of a payload.
    pub const PREFIXED: Flags = Flags::TRUNCATED.with(Flags::BYTES).with(Flags::SUPPRESSED);

    /// This part continues an earlier one, see [`Flags::CONTINUES`]. If that was never seen, the
    /// beginning of the message is missing.
    pub const CONTINUED: Flags = Flags(1 << 6);

    /// The flags with these bits, known or not.
    pub const fn from_bits(bits: u16) -> Flags {
        Flags(bits)
    }

    /// The bits as they stand in the header.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether at least one flag of `other` is set.
    pub const fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// The flags of both.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// These flags less those of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Bytes of payload prefix that these flags announce, see [`super::TextPrefix`].
    pub const fn prefix_length(self) -> usize {
        4 * (self.contains(Flags::TRUNCATED) as usize
            + self.contains(Flags::BYTES) as usize
            + self.contains(Flags::SUPPRESSED) as usize)
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        self.with(other)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        *self = self.with(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bits_survive() {
        let flags = Flags::from_bits(0x8001);
        assert!(flags.contains(Flags::TRUNCATED));
        assert_eq!((flags | Flags::BYTES).bits(), 0x8011);
        assert_eq!(flags.without(Flags::TRUNCATED).bits(), 0x8000);
    }

    #[test]
    fn each_prefixed_flag_takes_four_bytes() {
        for bit in 0..16 {
            let flag = Flags::from_bits(1 << bit);
            assert_eq!(flag.intersects(Flags::PREFIXED), flag.prefix_length() == 4);
        }
        assert_eq!(Flags::NONE.prefix_length(), 0);
        assert_eq!(Flags::CONTINUES.prefix_length(), 0);
        let all = Flags::TRUNCATED | Flags::BYTES | Flags::SUPPRESSED;
        assert_eq!(all.prefix_length(), 12);
    }
}
