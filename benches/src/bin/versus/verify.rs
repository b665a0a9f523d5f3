//! Reads back what was logged.

use crate::subject::Record;

/// What was found in the files of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Lines with a record that was expected, in order.
    pub(crate) lines: u64,
    /// Records that are missing.
    pub(crate) missing: u64,
    /// Lines that say what nobody has logged, or that come again or too late.
    pub(crate) wrong: u64,
    /// Of the files.
    pub(crate) bytes: u64,
}

/// Looks for the records of all producers.
pub(crate) struct Search {
    /// The number that is expected next, by producer.
    next: Vec<u64>,
    each: u64,
    found: Found,
}

impl Search {
    /// `each` records are expected of each producer.
    pub(crate) fn new(producers: u32, each: u64) -> Self {
        Self { next: vec![0; producers as usize], each, found: Found::default() }
    }

    /// Looks at what was read back from a file.
    pub(crate) fn lines(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            // What has no order in it is a remark of the logger.
            if let Some(record) = order(line) {
                self.line(record.ok());
            }
        }
    }

    fn line(&mut self, record: Option<Record>) {
        let expected = record.and_then(|record| {
            let next = self.next.get_mut(usize::try_from(record.producer).ok()?)?;
            let fits = record == Record::new(record.producer, record.number)
                && (*next..self.each).contains(&record.number);
            fits.then(|| *next = record.number + 1)
        });
        match expected {
            Some(()) => self.found.lines += 1,
            None => self.found.wrong += 1,
        }
    }

    /// What was found in files of so many bytes.
    pub(crate) fn finish(mut self, bytes: u64) -> Found {
        self.found.bytes = bytes;
        let expected = self.each * self.next.len() as u64;
        self.found.missing = expected.saturating_sub(self.found.lines);
        self.found
    }
}

/// The record of a line, if there is one; an error if there is half of one.
fn order(line: &[u8]) -> Option<Result<Record, ()>> {
    const BEGIN: &[u8] = b"order ";
    let at = line.windows(BEGIN.len()).position(|window| window == BEGIN)?;
    let parse = || {
        let mut words = std::str::from_utf8(&line[at..]).ok()?.split(' ');
        let (_, producer) = (words.next()?, words.next()?.parse().ok()?);
        let (_, number) = (words.next()?, words.next()?.parse().ok()?);
        let (_, price) = (words.next()?, words.next()?.trim_end().parse().ok()?);
        Some(Record { producer, number, price })
    };
    Some(parse().ok_or(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, producers: u32, each: u64) -> Found {
        let mut search = Search::new(producers, each);
        search.lines(text.as_bytes());
        search.finish(0)
    }

    #[test]
    fn complete_and_in_order() {
        let text = "x order 0 qty 0 px 100\nx order 1 qty 0 px 100\nhello\nx order 0 qty 1 px 100.25\n\
                    order 1 qty 1 px 100.25\n";
        let found = find(text, 2, 2);
        assert_eq!((found.lines, found.missing, found.wrong), (4, 0, 0));
    }

    #[test]
    fn losses_and_lies_are_seen() {
        for (text, expected) in [
            ("order 0 qty 0 px 100\norder 0 qty 2 px 100.5\n", (2, 1, 0)),
            ("order 0 qty 1 px 100.25\norder 0 qty 0 px 100\n", (1, 2, 1)),
            ("order 0 qty 0 px 100\norder 0 qty 0 px 100\n", (1, 2, 1)),
            ("order 0 qty 0 px 7\norder 9 qty 0 px 100\norder 0 qt", (0, 3, 3)),
            ("order 0 qty 3 px 100.75\n", (0, 3, 1)),
        ] {
            let found = find(text, 1, 3);
            assert_eq!((found.lines, found.missing, found.wrong), expected, "{text:?}");
        }
    }
}
