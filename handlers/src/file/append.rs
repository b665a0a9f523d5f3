//! Writes lines whole, or knows that it did not.

use std::io::{self, ErrorKind, Write};

/// A file to append to, and whether its last line lacks its end.
pub(crate) struct Appender<W> {
    out: W,
    torn: bool,
}

/// Part of what was to be appended was not.
#[derive(Debug)]
pub(crate) struct AppendFailed {
    /// How many bytes were.
    pub(crate) written: usize,
    pub(crate) error: io::Error,
}

impl<W: Write> Appender<W> {
    pub(crate) fn new(out: W, torn: bool) -> Self {
        Self { out, torn }
    }

    /// Whether the last line lacks its end, so that what is appended next has to begin with one.
    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Appends `lines` with one call if the system takes them all at once, as disks do.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<(), AppendFailed> {
        let mut rest = lines;
        while !rest.is_empty() {
            let failed = match self.out.write(rest) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    let (written, unwritten) = rest.split_at(count);
                    self.torn = !written.ends_with(b"\n");
                    rest = unwritten;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(AppendFailed { written: lines.len() - rest.len(), error: failed });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A disk that answers each call with the next of its answers; then it takes everything.
    #[derive(Default)]
    struct Disk {
        answers: Vec<Answer>,
        content: Vec<u8>,
        calls: usize,
    }

    #[derive(Clone, Copy, Debug)]
    enum Answer {
        Take(usize),
        Nothing,
        Fail(ErrorKind),
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            let taken = match self.answers.pop() {
                None => bytes.len(),
                Some(Answer::Take(most)) => most.min(bytes.len()),
                Some(Answer::Nothing) => 0,
                Some(Answer::Fail(kind)) => return Err(kind.into()),
            };
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn disk(answers: &[Answer]) -> Appender<Disk> {
        let answers = answers.iter().rev().copied().collect();
        Appender::new(Disk { answers, ..Disk::default() }, false)
    }

    #[test]
    fn a_batch_is_one_call() {
        let mut file = disk(&[]);
        file.append(b"one\ntwo\nthree\n").unwrap();
        assert_eq!(file.out.calls, 1);
        assert_eq!(file.out.content, b"one\ntwo\nthree\n");
        assert!(!file.is_torn());
    }

    #[test]
    fn short_writes_and_interruptions_are_gone_on_with() {
        let interrupted = Answer::Fail(ErrorKind::Interrupted);
        let mut file = disk(&[Answer::Take(2), interrupted, Answer::Take(4)]);
        file.append(b"one\ntwo\n").unwrap();
        assert_eq!(file.out.calls, 4);
        assert_eq!(file.out.content, b"one\ntwo\n");
    }

    #[test]
    fn a_failure_says_how_far_it_came_and_whether_a_line_is_torn() {
        let full = Answer::Fail(ErrorKind::StorageFull);
        for (taken, torn) in [(1, true), (4, false), (6, true)] {
            let mut file = disk(&[Answer::Take(taken), full]);
            let failed = file.append(b"one\ntwo\n").unwrap_err();
            assert_eq!((failed.written, failed.error.kind()), (taken, ErrorKind::StorageFull));
            assert_eq!(file.is_torn(), torn);
        }
    }

    #[test]
    fn a_failure_before_the_first_byte_changes_nothing() {
        for torn in [false, true] {
            let mut file = disk(&[Answer::Fail(ErrorKind::StorageFull), Answer::Nothing]);
            file.torn = torn;
            assert_eq!(file.append(b"\n").unwrap_err().written, 0);
            assert_eq!(file.append(b"\n").unwrap_err().error.kind(), ErrorKind::WriteZero);
            assert_eq!(file.is_torn(), torn);
            file.append(b"\n").unwrap();
            assert!(!file.is_torn());
        }
    }

    fn any_answer() -> impl Strategy<Value = Answer> {
        prop_oneof![
            (1..12usize).prop_map(Answer::Take),
            Just(Answer::Nothing),
            Just(Answer::Fail(ErrorKind::Interrupted)),
            Just(Answer::Fail(ErrorKind::StorageFull)),
        ]
    }

    proptest! {
        /// Each batch is two lines that begin with its number and a letter.
        #[test]
        fn lines_are_never_joined(answers in prop::collection::vec(any_answer(), 0..40)) {
            let mut file = disk(&answers);
            let mut acknowledged = Vec::new();
            for batch in 0..20 {
                let lines = [format!("{batch}a...."), format!("{batch}b....")];
                let end = if file.is_torn() { "\n" } else { "" };
                let text = format!("{end}{}\n{}\n", lines[0], lines[1]);
                if file.append(text.as_bytes()).is_ok() {
                    acknowledged.extend(lines);
                }
            }
            let content = String::from_utf8(file.out.content).unwrap();
            let whole: Vec<&str> = content.lines().filter(|line| line.ends_with("....")).collect();
            for line in content.lines() {
                prop_assert!(line.matches(['a', 'b']).count() <= 1, "joined: {:?}", line);
            }
            for line in acknowledged {
                prop_assert_eq!(whole.iter().filter(|found| **found == line).count(), 1);
            }
        }
    }
}
