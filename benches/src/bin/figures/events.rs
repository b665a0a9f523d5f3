//! Events that say who sent them and which one they are, and a file of events and messages,
//! verified. What a line has to be is formatted here, not by Millpond.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use millpond_benches::messages::{BESIDE, Found, LENGTH, Message, lost_records};

/// The arguments of a call, logged as `order {} qty {} px {}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Who sent it.
    pub(crate) sender: i32,
    /// Which one it is.
    pub(crate) number: u64,
    /// Follows from the number.
    pub(crate) price: f64,
}

impl Event {
    pub(crate) fn new(sender: i32, number: u64) -> Self {
        Self { sender, number, price: 100.0 + (number % 100_000) as f64 / 100.0 }
    }

    fn write(self, out: &mut String) {
        let _ = write!(out, "order {} qty {} px {}", self.sender, self.number, self.price);
    }
}

/// Reads a log file in the default format and checks every byte of every event and every message,
/// and that each sender's numbers rise: by one each, unless `gaps` are allowed.
pub(crate) fn verify(path: &Path, gaps: bool) -> io::Result<Found> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut found = Found::default();
    let mut next: HashMap<u32, u64> = HashMap::new();
    let (mut line, mut expected) = (String::new(), String::new());
    let mut at = 0_u64;
    while file.read_line(&mut line)? > 0 {
        at += 1;
        let wrong = |what: &str| io::Error::other(format!("line {at}: {what}: {line:?}"));
        let whole = line.strip_suffix('\n').ok_or_else(|| wrong("has no end"))?;
        let dash = whole.split_once(" - ");
        let (_, came) = dash.ok_or_else(|| wrong("is not of the default format"))?;
        if let Some(lost) = lost_records(came.as_bytes()) {
            found.lost += lost;
        } else {
            expected.clear();
            let sent = expect(came, &mut expected).filter(|_| came == expected);
            let (sender, number) = sent.ok_or_else(|| wrong("is not as it was sent"))?;
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

/// Whose record a line seems to be and which one, and how it has to look then.
fn expect(came: &str, expected: &mut String) -> Option<(u32, u64)> {
    if let Some(numbers) = came.strip_prefix("order ") {
        let (sender, rest) = numbers.split_once(" qty ")?;
        let (number, _) = rest.split_once(" px ")?;
        let (sender, number) = (sender.parse::<i32>().ok()?, number.parse().ok()?);
        Event::new(sender, number).write(expected);
        return Some((sender.try_into().ok()?, number));
    }
    let (sender, number) = (came.get(..4)?.parse().ok()?, came.get(5..24)?.parse().ok()?);
    expected.push_str(Message::of(sender).number(number));
    if came.len() > LENGTH {
        let _ = write!(expected, " b\"{}\"", BESIDE.escape_ascii());
    }
    Some((sender, number))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn verified(lines: &[String], gaps: bool) -> io::Result<Found> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for line in lines {
            writeln!(file, "2026-11-22T07:45:53.123456Z [INFO] app - {line}").unwrap();
        }
        verify(file.path(), gaps)
    }

    fn line(sender: i32, number: u64) -> String {
        let mut line = String::new();
        Event::new(sender, number).write(&mut line);
        line
    }

    #[test]
    fn what_was_sent_is_found_and_what_was_not_is_an_error() {
        assert_eq!(line(7, 203), "order 7 qty 203 px 102.03");
        let text = Message::of(8).number(0).to_owned();
        let beside = format!("{} b\"0123456789abcdef\"", Message::of(8).number(1));
        let lost = "12 records lost here: 12 INFO".to_owned();
        let found = verified(&[line(7, 0), text.clone(), line(7, 1), beside, lost], false).unwrap();
        assert_eq!((found.messages[&7], found.messages[&8], found.lost), (2, 2, 12));

        assert!(verified(&[line(7, 1), line(7, 0)], true).is_err());
        assert!(verified(&[line(7, 0), line(7, 2)], false).is_err());
        assert_eq!(verified(&[line(7, 0), line(7, 2)], true).unwrap().total(), 2);
        for changed in [line(7, 0).replace("100", "100.5"), line(7, 0) + " ", text + "x"] {
            assert!(verified(&[changed], true).is_err());
        }
    }
}
