//! Messages that say who sent them and which one they are, so that a file can be verified.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Bytes of a message.
pub const LENGTH: usize = 64;

/// What stands behind the numbers.
const TAIL: &[u8; LENGTH - NUMBERS] = b"the quick brown fox jumps over the lazy";
/// Bytes of the sender's number, the message's number and the spaces behind them.
const NUMBERS: usize = 4 + 1 + 19 + 1;

/// Bytes to be logged beside a message.
pub const BESIDE: &[u8; 16] = b"0123456789abcdef";
/// How they look at the end of a line.
const BESIDE_SHOWN: &[u8] = b" b\"0123456789abcdef\"";

/// A message of [`LENGTH`] bytes that is numbered anew for each record, without allocating.
#[derive(Clone, Debug)]
pub struct Message {
    text: [u8; LENGTH],
}

impl Message {
    /// The messages of one sender, of whom there are at most ten thousand.
    pub fn of(sender: u32) -> Self {
        let mut text = [b' '; LENGTH];
        write_number(&mut text[..4], u64::from(sender));
        text[NUMBERS..].copy_from_slice(TAIL);
        Self { text }
    }

    /// The message with this number.
    pub fn number(&mut self, number: u64) -> &str {
        write_number(&mut self.text[5..24], number);
        self.text()
    }

    /// The message as it was numbered last.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
}

fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Messages of each sender, all of them intact and in order.
    pub messages: HashMap<u32, u64>,
    /// Records that gap lines say are lost.
    pub lost: u64,
}

impl Found {
    /// Messages of all senders.
    pub fn total(&self) -> u64 {
        self.messages.values().sum()
    }
}

/// Reads a log file in the default format and checks every byte of every message, and that each
/// sender's numbers rise: by one each, unless `gaps` are allowed.
///
/// # Errors
///
/// What is wrong in which line, or why the file cannot be read.
pub fn verify(path: &Path, gaps: bool) -> io::Result<Found> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut found = Found::default();
    let mut next: HashMap<u32, u64> = HashMap::new();
    let mut line = Vec::new();
    let mut at = 0_u64;
    while file.read_until(b'\n', &mut line)? > 0 {
        at += 1;
        let wrong = |what: &str| {
            io::Error::other(format!("line {at}: {what}: {:?}", String::from_utf8_lossy(&line)))
        };
        let whole = line.strip_suffix(b"\n").ok_or_else(|| wrong("has no end"))?;
        let message = match whole.windows(3).position(|three| three == b" - ") {
            Some(dash) => &whole[dash + 3..],
            None => return Err(wrong("is not of the default format")),
        };
        if let Some(lost) = lost_records(message) {
            found.lost += lost;
        } else {
            let (sender, number) = parse(message).ok_or_else(|| wrong("is not as it was sent"))?;
            let next = next.entry(sender).or_default();
            if number < *next || (number > *next && !gaps) {
                return Err(wrong(&format!("expected number {next}")));
            }
            *next = number + 1;
            *found.messages.entry(sender).or_default() += 1;
        }
        line.clear();
    }
    Ok(found)
}

fn parse(message: &[u8]) -> Option<(u32, u64)> {
    let message = message.strip_suffix(BESIDE_SHOWN).unwrap_or(message);
    let tail = message.get(NUMBERS..)?;
    let sender = std::str::from_utf8(&message[..4]).ok()?.parse().ok()?;
    let number = std::str::from_utf8(&message[5..24]).ok()?.parse().ok()?;
    (tail == TAIL && message[4] == b' ' && message[24] == b' ').then_some((sender, number))
}

/// How many records a gap line says are lost.
pub fn lost_records(message: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(message).ok()?;
    let (count, rest) = text.split_once(' ')?;
    if rest.starts_with("records lost ") { count.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(lines: &[String]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for line in lines {
            writeln!(file, "2026-11-22T07:45:53.123456Z [INFO] app - {line}").unwrap();
        }
        file
    }

    #[test]
    fn what_was_sent_is_found_and_what_was_not_is_an_error() {
        let mut message = Message::of(7);
        assert_eq!(message.number(3).len(), LENGTH);
        let lines: Vec<String> = (0..3).map(|n| message.number(n).to_owned()).collect();
        let found = verify(file(&lines).path(), false).unwrap();
        assert_eq!((found.total(), found.messages[&7], found.lost), (3, 3, 0));

        let swapped = [lines[1].clone(), lines[0].clone()];
        assert!(verify(file(&swapped).path(), true).is_err());
        let missing = [lines[0].clone(), lines[2].clone()];
        assert!(verify(file(&missing).path(), false).is_err());
        assert_eq!(verify(file(&missing).path(), true).unwrap().total(), 2);
        let changed = [lines[0].replace("fox", "cat")];
        assert!(verify(file(&changed).path(), true).is_err());
        let lost = ["12 records lost here: 12 INFO".to_owned()];
        assert_eq!(verify(file(&lost).path(), false).unwrap().lost, 12);
    }
}
