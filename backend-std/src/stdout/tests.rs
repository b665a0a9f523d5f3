use millpond_core::Level;

use super::*;
use crate::testing::{Item, records, records_with_format};

/// Answers each call with the next of its answers and takes what it can.
#[derive(Default)]
struct Output {
    answers: Vec<io::Result<usize>>,
    taken: Vec<u8>,
    writes: usize,
    flushes: usize,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        let most = self.answers.pop().unwrap_or(Ok(bytes.len()))?;
        let taken = most.min(bytes.len());
        self.taken.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }
}

fn two_lines() -> Records {
    let items = [Item::new(Level::Info, "app", "one", 0), Item::new(Level::Info, "app", "two", 0)];
    records_with_format(LineFormat::new("%(name)s %(message)s").unwrap(), &items)
}

#[test]
fn a_batch_is_one_write_and_one_flush() {
    let mut output = Output::default();
    StdoutHandler::new().deliver(&two_lines(), &mut output).unwrap();
    assert_eq!(output.taken, b"app one\napp two\n");
    assert_eq!((output.writes, output.flushes), (1, 1));
}

#[test]
fn its_own_format_goes_before_the_loggers() {
    let mut output = Output::default();
    let mut handler = StdoutHandler::new().format(LineFormat::new("%(message)s").unwrap());
    handler.deliver(&two_lines(), &mut output).unwrap();
    assert_eq!(output.taken, b"one\ntwo\n");
}

#[test]
fn short_writes_interruptions_and_full_pipes_are_waited_out() {
    let answers =
        vec![Err(ErrorKind::WouldBlock.into()), Ok(3), Err(ErrorKind::Interrupted.into()), Ok(1)];
    let mut output = Output { answers, ..Output::default() };
    StdoutHandler::new().deliver(&two_lines(), &mut output).unwrap();
    assert_eq!(output.taken, b"app one\napp two\n");
}

#[test]
fn a_closed_pipe_is_found_once_and_fails_ever_after() {
    let (reader, mut pipe) = io::pipe().unwrap();
    let mut handler = StdoutHandler::new();
    handler.deliver(&two_lines(), &mut pipe).unwrap();
    drop(reader);
    assert!(matches!(handler.deliver(&two_lines(), &mut pipe), Err(StdoutError::Closed)));

    let mut untouched = Output::default();
    let again = handler.deliver(&two_lines(), &mut untouched).unwrap_err();
    assert!(again.to_string().contains("its reader has gone"), "{again}");
    assert_eq!(untouched.writes, 0);
}

#[test]
fn other_errors_do_not_close_it_and_a_torn_line_is_ended() {
    let answers = vec![Ok(usize::MAX), Err(io::Error::other("on fire")), Ok(2)];
    let mut output = Output { answers, ..Output::default() };
    let mut handler = StdoutHandler::new();
    let error = handler.deliver(&two_lines(), &mut output).unwrap_err();
    assert!(error.to_string().contains("on fire"), "{error}");
    handler.deliver(&two_lines(), &mut output).unwrap();
    assert_eq!(output.taken, b"ap\napp one\napp two\n");
}

#[test]
fn an_output_that_takes_nothing_is_an_error() {
    let mut output = Output { answers: vec![Ok(0)], ..Output::default() };
    assert!(StdoutHandler::new().deliver(&two_lines(), &mut output).is_err());
}

#[test]
fn a_giant_batch_leaves_no_giant_buffer() {
    let giant = vec![b'x'; 3 * KEPT];
    let mut handler = StdoutHandler::new();
    let batch = records(&[Item::new(Level::Info, "app", &giant, 0)]);
    handler.deliver(&batch, &mut Output::default()).unwrap();
    assert!(handler.lines.capacity() <= 2 * KEPT, "{}", handler.lines.capacity());
}

#[test]
fn it_is_a_handler_that_is_not_durable() {
    let handler: Box<dyn Handler> = Box::new(StdoutHandler::new());
    assert_eq!(handler.name(), "stdout");
    assert!(!handler.is_durable());
}
