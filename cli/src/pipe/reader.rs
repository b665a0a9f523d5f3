//! Takes the standard input and logs its lines.

use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millpond::Level;
use millpond::advanced::Producer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::lines::Lines;

/// Longer lines become several records.
pub(super) const LONGEST: usize = 32 << 20;
/// Bytes that are asked for at a time.
const PIECE: usize = 256 << 10;
/// What is waiting in the input when the end is asked for is logged too, up to this much: as much
/// as a pipe can hold.
const LAST_WORDS: usize = 1 << 20;

/// How far the reader has come, for whoever watches it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// Lines that were logged.
    pub(super) fn logged(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Whether a line is being logged at this moment.
    pub(super) fn is_logging(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > self.logged()
    }
}

/// Logs the lines of the standard input until it ends, or until the other end of `stop` is closed.
pub(super) struct Reader {
    pub(super) producer: Producer,
    pub(super) level: Level,
    pub(super) progress: Arc<Progress>,
    pub(super) stop: PipeReader,
}

impl Reader {
    /// Returns when there is nothing more to log.
    ///
    /// # Errors
    ///
    /// If the input cannot be read. What came before was logged.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut lines = Lines::new(LONGEST);
        let mut piece = vec![0; PIECE];
        let mut left = None;
        let result = loop {
            match self.wait(&mut left) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
            match io::stdin().lock().read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    left = left.map(|left: usize| left.saturating_sub(count));
                    lines.push(&piece[..count], |line| self.log(line));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => break Err(error),
            }
        };
        lines.finish(|line| self.log(line));
        result
    }

    fn log(&mut self, line: &[u8]) {
        self.progress.begun.fetch_add(1, Ordering::Relaxed);
        self.producer.text_bytes(self.level, line);
        self.progress.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for input. False if there will be none, or none that is still wanted: once the end was
    /// asked for, `left` says how many bytes are.
    fn wait(&self, left: &mut Option<usize>) -> io::Result<bool> {
        let stdin = io::stdin();
        let any = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        loop {
            let mut watched = [
                PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN),
            ];
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            match poll(&mut watched, left.map(|_| at_once).as_ref()) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let has_input = !watched[0].revents().is_empty();
            if watched[1].revents().intersects(any) && left.is_none() {
                *left = Some(LAST_WORDS);
                continue;
            }
            if has_input || left.is_some() {
                return Ok(has_input && left.is_none_or(|left| left > 0));
            }
        }
    }
}
