//! The numbered messages of the demo: written, and understood again.

use std::str::from_utf8;

/// Bytes of a message.
const LENGTH: usize = 64;
const DIGITS: usize = 10;
const BEFORE: &str = "thread ";
const MIDDLE: &str = " record ";
const BEHIND: &str = " of the millpond demo, whole if it ends in.";

/// A message of 64 bytes that is counted up in place, so that making it costs next to nothing.
pub(super) struct Message {
    text: Vec<u8>,
    first_digit: usize,
}

impl Message {
    /// The message of `thread` before its first.
    pub(super) fn new(thread: usize) -> Self {
        let mut text = format!("{BEFORE}{thread}{MIDDLE}{:0DIGITS$}{BEHIND}", 0).into_bytes();
        text.truncate(LENGTH - 1);
        text.push(b'.');
        let first_digit = BEFORE.len() + thread.to_string().len() + MIDDLE.len();
        Self { text, first_digit }
    }

    /// The next message.
    pub(super) fn next(&mut self) -> &str {
        for digit in self.text[self.first_digit..][..DIGITS].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                break;
            }
            *digit = b'0';
        }
        from_utf8(&self.text).unwrap_or_default()
    }
}

/// What a line of the log says, as far as the demo is concerned.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A numbered record of a thread.
    Number { thread: usize, number: u64 },
    /// So many records were dropped here.
    Gap(u64),
    /// Neither.
    Other,
}

/// Whether a message looks like a numbered one, at a glance.
pub(super) fn is_numbered(message: &[u8]) -> bool {
    message.len() == LENGTH && message.starts_with(BEFORE.as_bytes())
}

/// Reads a message.
pub(super) fn understand(message: &[u8]) -> Said {
    number(message).or_else(|| gap(message)).unwrap_or(Said::Other)
}

fn number(message: &[u8]) -> Option<Said> {
    let text = from_utf8(message).ok().filter(|text| text.len() == LENGTH)?;
    let (thread, rest) = text.strip_prefix(BEFORE)?.split_once(MIDDLE)?;
    let (number, tail) = rest.split_at_checked(DIGITS)?;
    let is_whole = tail.strip_suffix('.').is_some_and(|tail| BEHIND.starts_with(tail));
    let said = Said::Number { thread: thread.parse().ok()?, number: number.parse().ok()? };
    is_whole.then_some(said)
}

/// `3 records lost here: 3 INFO`, as the collector reports it.
fn gap(message: &[u8]) -> Option<Said> {
    let (count, rest) = from_utf8(message).ok()?.split_once(' ')?;
    let is_gap = rest.starts_with("records lost ") || rest.starts_with("record lost ");
    is_gap.then(|| count.parse().ok().map(Said::Gap))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_understood_and_has_64_bytes() {
        for thread in [1, 64] {
            let mut message = Message::new(thread);
            for number in 1..=1200 {
                let text = message.next();
                assert_eq!(text.len(), LENGTH);
                assert_eq!(understand(text.as_bytes()), Said::Number { thread, number });
            }
        }
    }

    #[test]
    fn a_damaged_message_is_another() {
        let mut message = Message::new(1);
        let text = message.next();
        for cut in 0..text.len() {
            assert_eq!(understand(&text.as_bytes()[..cut]), Said::Other);
        }
        assert_eq!(understand(text.replace("demo", "dem0").as_bytes()), Said::Other);
        assert_eq!(understand(b"Worker demo-1 is dead: pid 1"), Said::Other);
        assert_eq!(understand(b"\xff"), Said::Other);
    }

    #[test]
    fn gaps_are_understood() {
        assert_eq!(understand(b"37 records lost here: 37 INFO"), Said::Gap(37));
        assert_eq!(understand(b"2 records lost at the end: 2 INFO"), Said::Gap(2));
    }
}
