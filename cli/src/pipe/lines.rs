//! Cuts a stream of bytes into lines.

/// Finds lines in bytes that come in pieces of any size.
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    longest: usize,
}

impl Lines {
    /// Lines longer than `longest` bytes are cut into several.
    pub(super) fn new(longest: usize) -> Self {
        Self { rest: Vec::new(), longest: longest.max(4) }
    }

    /// Takes the next bytes and calls `emit` with each line that is complete, without its `\n`.
    pub(super) fn push(&mut self, bytes: &[u8], mut emit: impl FnMut(&[u8])) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = &bytes[from..end];
            from = end + 1;
            if self.rest.is_empty() {
                cut(line, self.longest, &mut emit);
            } else {
                self.rest.extend_from_slice(line);
                cut(&self.rest, self.longest, &mut emit);
                self.rest.clear();
                self.rest.shrink_to(KEPT);
            }
        }
        self.rest.extend_from_slice(&bytes[from..]);
        // One byte more than fits, so that a line that just fits stays whole.
        while self.rest.len() > self.longest {
            let at = boundary(&self.rest, self.longest);
            emit(&self.rest[..at]);
            self.rest.drain(..at);
        }
    }

    /// Calls `emit` with what came after the last `\n`, if anything did.
    pub(super) fn finish(&mut self, emit: impl FnMut(&[u8])) {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            cut(&rest, self.longest, emit);
        }
    }
}

/// Bytes that are kept for the next long line.
const KEPT: usize = 1 << 20;

fn cut(mut line: &[u8], longest: usize, mut emit: impl FnMut(&[u8])) {
    while line.len() > longest {
        let (head, tail) = line.split_at(boundary(line, longest));
        emit(head);
        line = tail;
    }
    emit(line);
}

/// The last place at or before `at` where no character is cut, if the text is UTF-8 there.
fn boundary(text: &[u8], at: usize) -> usize {
    let is_start = |at: &usize| text[*at] & 0b1100_0000 != 0b1000_0000;
    (at - 3..=at).rev().find(is_start).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], piece: usize, longest: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(longest);
        let mut found = Vec::new();
        input.chunks(piece).for_each(|p| lines.push(p, |line| found.push(line.to_vec())));
        lines.finish(|line| found.push(line.to_vec()));
        found
    }

    #[test]
    fn every_cut_of_the_input_finds_the_same_lines() {
        let input = b"one\n\ntwo\r\n\xff\n\n\nlast";
        let expected: [&[u8]; 7] = [b"one", b"", b"two\r", b"\xff", b"", b"", b"last"];
        for piece in 1..=input.len() {
            assert_eq!(lines(input, piece, 100), expected, "pieces of {piece}");
        }
        assert_eq!(lines(b"ended\n", 3, 100), [b"ended"]);
        assert!(lines(b"", 1, 100).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_becomes_several_and_loses_nothing() {
        for piece in 1..20 {
            assert_eq!(lines(b"12345678\n9\n", piece, 8), [&b"12345678"[..], b"9"]);
            assert_eq!(lines(b"123456789\n", piece, 8), [&b"12345678"[..], b"9"]);
            assert_eq!(lines(b"1234567812345678", piece, 8), [b"12345678"; 2]);
            let euros = lines("€€€".as_bytes(), piece, 8);
            assert_eq!(euros, ["€€".as_bytes(), "€".as_bytes()], "pieces of {piece}");
            assert_eq!(lines(&[0x80; 9], piece, 8), [vec![0x80; 8], vec![0x80]]);
        }
    }
}
