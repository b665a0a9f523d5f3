//! What other threads ask of the collector.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use millpond_core::Level;

use crate::fan_out::Wake;
use crate::report::Report;

/// Why a flush is not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The deadline passed while these durable handlers had not acknowledged everything.
    #[error("flush did not finish in time; still writing: {}", still_writing(handlers))]
    Deadline {
        /// The handlers' names; empty if not even all rings were drained, or if the caller is a
        /// worker, which does not know the handlers.
        handlers: Vec<String>,
    },
    /// Nobody drains the rings: there is no master, or it has ended.
    #[error("nobody drains the rings: start a master for this directory; the records wait there")]
    NoMaster,
}

fn still_writing(handlers: &[String]) -> String {
    if handlers.is_empty() { "the collector".to_owned() } else { handlers.join(", ") }
}

pub(super) enum Command {
    Flush(Instant, SyncSender<Result<(), FlushError>>),
    Report(SyncSender<Report>),
    Shutdown(Instant, SyncSender<Report>),
}

/// Commands that wait, shared by the collector and its handles.
pub(super) struct Mailbox {
    commands: Mutex<Vec<Command>>,
    has_some: AtomicBool,
    base_level: AtomicU8,
}

impl Mailbox {
    pub(super) fn new(base_level: Level) -> Self {
        Self {
            commands: Mutex::default(),
            has_some: AtomicBool::new(false),
            base_level: AtomicU8::new(base_level as u8),
        }
    }

    /// Release and Acquire, since the fence of the doorbell orders the look before sleep.
    pub(super) fn has_some(&self) -> bool {
        self.has_some.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Vec<Command> {
        if !self.has_some() {
            return Vec::new();
        }
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_some.store(false, Ordering::Release);
        std::mem::take(&mut *commands)
    }

    pub(super) fn base_level(&self) -> Level {
        Level::from_byte(self.base_level.load(Ordering::Relaxed)).unwrap_or_default()
    }

    fn put(&self, command: Command) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push(command);
        self.has_some.store(true, Ordering::Release);
    }
}

/// A handle of a running collector. Clones share it.
#[derive(Clone)]
pub struct CollectorHandle {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) wake: Wake,
}

impl std::fmt::Debug for CollectorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorHandle").field("base_level", &self.base_level()).finish()
    }
}

/// How much longer than its deadline an answer may take, for the collector to notice it.
const ANSWER: Duration = Duration::from_millis(500);

impl CollectorHandle {
    /// Drains everything that was published before the call and waits until every durable handler
    /// has acknowledged it, and the others were handed it or it was counted as dropped for them.
    ///
    /// # Errors
    ///
    /// [`FlushError`] says what is missing.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let deadline = deadline(timeout);
        let answer = self.ask(|reply| Command::Flush(deadline, reply));
        answer.recv_timeout(timeout.saturating_add(ANSWER)).unwrap_or(Err(FlushError::NoMaster))
    }

    /// What was done so far. `None` if the collector has ended.
    pub fn report(&self) -> Option<Report> {
        self.ask(Command::Report).recv_timeout(Duration::from_secs(10)).ok()
    }

    /// As [`CollectorHandle::flush`]; then closes the handlers and ends the collector. `None` if
    /// it has ended already, or is stuck.
    pub fn shutdown(&self, timeout: Duration) -> Option<Report> {
        let deadline = deadline(timeout);
        let answer = self.ask(|reply| Command::Shutdown(deadline, reply));
        answer.recv_timeout(timeout.saturating_add(ANSWER)).ok()
    }

    /// Changes the level below which the collector filters records out.
    pub fn set_base_level(&self, level: Level) {
        self.mailbox.base_level.store(level as u8, Ordering::Relaxed);
    }

    /// The level below which the collector filters records out.
    pub fn base_level(&self) -> Level {
        self.mailbox.base_level()
    }

    fn ask<T>(&self, command: impl FnOnce(SyncSender<T>) -> Command) -> Receiver<T> {
        let (reply, answer) = sync_channel(1);
        self.mailbox.put(command(reply));
        (self.wake)();
        answer
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    // Some systems cannot represent an instant that far away.
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 86_400))
}
