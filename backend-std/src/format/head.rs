//! What stands before the message in a line.

use super::pattern::Piece;
use super::time::{TimeText, digits_of};
use crate::render::out::{Out as _, Window};
use crate::source::Source;

/// Most heads are not longer.
const SHORT: usize = 64;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// The pieces that are the same for records of one source, level and second, but for the digits
/// below the second: the first of a pattern, up to the message or a place in the source.
pub(super) fn count(pieces: &[Piece]) -> usize {
    let mut has_time = false;
    let is_of_head = |piece: &Piece| match piece {
        Piece::Fixed(_) | Piece::Name | Piece::Process | Piece::Thread => true,
        Piece::Time => !std::mem::replace(&mut has_time, true),
        _ => false,
    };
    pieces.iter().map(is_of_head).take_while(|is_of_head| *is_of_head).count()
}

/// The head of a line that was made before. Records of one source often follow one another, and within
/// one second only six digits of their heads differ.
pub(super) struct Head<'a> {
    of: Option<(&'a Source, usize)>,
    text: [u8; SHORT],
    length: usize,
    time: Option<Time>,
}

/// The time in a head.
struct Time {
    second_ns: i64,
    digits_at: usize,
}

impl<'a> Head<'a> {
    pub(super) const fn new() -> Self {
        Head { of: None, text: [0; SHORT], length: 0, time: None }
    }

    /// Appends the head if it is as the last one; false if it has to be made.
    #[inline]
    pub(super) fn write_again(
        &mut self,
        source: &'a Source,
        level: usize,
        timestamp_ns: i64,
        out: &mut Window,
    ) -> bool {
        let is_same = |(last, its): (&Source, usize)| std::ptr::eq(last, source) && its == level;
        if !self.of.is_some_and(is_same) {
            return false;
        }
        if let Some(Time { second_ns, digits_at }) = self.time {
            let Some(below) = timestamp_ns.checked_sub(second_ns) else { return false };
            if !(0..NS_PER_SECOND).contains(&below) {
                return false;
            }
            if let Some(place) = self.text[digits_at.min(SHORT)..].first_chunk_mut() {
                *place = digits_of(below as u32);
            }
        }
        out.block(self.text, self.length);
        true
    }

    /// Keeps what was made for the next record: the head, and where in it the time that `clock`
    /// rendered last ends, if it has one.
    pub(super) fn keep(
        &mut self,
        source: &'a Source,
        level: usize,
        made: &[u8],
        time: Option<(&TimeText, usize)>,
    ) {
        self.of = None;
        let Some(place) = self.text.get_mut(..made.len()) else { return };
        self.time = match time {
            None => None,
            Some((clock, end)) => match clock.second_ns() {
                None => return,
                Some(second_ns) => {
                    Some(Time { second_ns, digits_at: end - TimeText::DIGITS_FROM_END })
                }
            },
        };
        place.copy_from_slice(made);
        (self.of, self.length) = (Some((source, level)), made.len());
    }
}
