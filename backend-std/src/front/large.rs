//! Records that are larger than a frame: split into parts, or cut.

use millpond_core::Level;
use millpond_core::capture::char_boundary;
use millpond_core::frame::{Flags, HEADER, TextPrefix};
use millpond_core::ring::Entry;

use super::RingSupply;
use super::writer::Writer;
use crate::overflow::Overflow;

impl<P: RingSupply> Writer<P> {
    /// Logs a text that is longer than the `max` bytes a frame can hold: in parts, which the
    /// collector joins. The parts share a sequence number and count as one record.
    ///
    /// A call that waits for room sends any length. One that drops sends the parts if all of them
    /// fit now; a text that never would is cut, with its length noted.
    #[cold]
    pub(super) fn split(&mut self, level: Level, ticks: u64, text: &[u8], max: u32) {
        let part = max as usize;
        let frames = text.len().div_ceil(part);
        let total = text.len() + frames * (HEADER + 8) + part;
        if !matches!(self.shared.config.overflow, Overflow::Block { .. }) {
            if total > self.ring.capacity() as usize / 2 {
                return self.cut(level, ticks, TextPrefix::default(), text, max);
            }
            if total > self.ring.free_for(level) as usize {
                return self.give_up(level, text.len() as u64);
            }
        }
        let mut rest = text;
        let mut flags = Flags::NONE;
        while rest.len() > part {
            let (head, tail) = rest.split_at(char_boundary(rest, part));
            let entry = Entry { flags: flags | Flags::CONTINUES, ..Entry::text(level, ticks) };
            if !self.insert_or_wait(entry, head) {
                return self.give_up(level, text.len() as u64);
            }
            rest = tail;
            flags = Flags::CONTINUED;
        }
        if self.insert_or_wait(Entry { flags, ..Entry::text(level, ticks) }, rest) {
            self.after_insert(level);
        } else {
            self.give_up(level, text.len() as u64);
        }
    }

    fn insert_or_wait(&mut self, entry: Entry, text: &[u8]) -> bool {
        let none = TextPrefix::default();
        self.insert_entry(entry, none, &[text]).is_ok()
            || self.wait_for_room(|writer| writer.insert_entry(entry, none, &[text]))
    }

    /// Logs a text that is longer than the `max` bytes a frame can hold and may have a prefix, which
    /// only a whole frame can.
    #[cold]
    pub(super) fn split_or_cut(
        &mut self,
        level: Level,
        ticks: u64,
        prefix: TextPrefix,
        text: &[u8],
        max: u32,
    ) {
        match prefix == TextPrefix::default() {
            true => self.split(level, ticks, text, max),
            false => self.cut(level, ticks, prefix, text, max),
        }
    }

    /// Logs as much of a text as a frame holds, with its original length.
    fn cut(&mut self, level: Level, ticks: u64, prefix: TextPrefix, text: &[u8], max: u32) {
        let prefix = TextPrefix { original_length: Some(saturated(text.len())), ..prefix };
        let room = max as usize - prefix.flags().prefix_length();
        let head = &text[..char_boundary(text, room)];
        match self.insert(level, ticks, prefix, &[head]) {
            Ok(()) => self.after_insert(level),
            Err(_) => self.wait_or_drop(level, head.len() as u64, |writer| {
                writer.insert(level, ticks, prefix, &[head])
            }),
        }
    }

    /// Logs as much of text and bytes as a frame holds: the text first, up to half if the bytes
    /// need the other half. The noted length is that of both together.
    #[cold]
    pub(super) fn cut_with_bytes(
        &mut self,
        level: Level,
        ticks: u64,
        text: &[u8],
        bytes: &[u8],
        max: u32,
    ) {
        let room = max as usize - 8;
        let for_text = room.saturating_sub(bytes.len()).max(room / 2);
        let head = &text[..char_boundary(text, for_text)];
        let kept = &bytes[..bytes.len().min(room - head.len())];
        let prefix = TextPrefix {
            original_length: Some(saturated(text.len() + bytes.len())),
            text_length: Some(head.len() as u32),
            suppressed: None,
        };
        let payload = [head, kept];
        match self.insert(level, ticks, prefix, &payload) {
            Ok(()) => self.after_insert(level),
            Err(_) => self.wait_or_drop(level, (head.len() + kept.len()) as u64, |writer| {
                writer.insert(level, ticks, prefix, &payload)
            }),
        }
    }
}

fn saturated(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
