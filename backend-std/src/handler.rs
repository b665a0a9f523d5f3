//! What a handler is.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::records::Records;

/// Why a handler failed. Anything that is an error, or a text.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// Where records go: a file, a chat, whatever you bring.
///
/// A handler is a plain synchronous object. It is moved to a thread of its own and called from
/// there only, so it may block: nobody waits for it but itself, unless it is durable. An error is
/// counted and reported; a panic is caught, counted and reported, and the handler is called again
/// with the next batch, so it should leave itself in order.
///
/// ```
/// use millpond_std::{Handler, HandlerError, Records};
///
/// struct Bell;
///
/// impl Handler for Bell {
///     fn name(&self) -> &str {
///         "bell"
///     }
///
///     fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
///         for record in records.iter().filter(|r| r.level() == millpond_core::Level::Error) {
///             eprintln!("\x07{}", record.message().escape_debug());
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Send {
    /// What it is called in reports and errors. Must not contain secrets.
    fn name(&self) -> &str;

    /// Takes a batch, which is never empty. When this returns, the handler has had its chance: a
    /// durable handler's records are then released from their rings. A handler that wants to try
    /// again does so before it returns, and blocks meanwhile; a durable one holds everybody up
    /// for at most ten seconds, after which batches pass it by, counted.
    ///
    /// # Errors
    ///
    /// Whatever went wrong. The records of this batch count as failed for this handler.
    fn push(&mut self, records: &Records) -> Result<(), HandlerError>;

    /// How often [`Handler::tick`] wants to be called; `None`, the default, for never. Asked once.
    fn tick_interval(&self) -> Option<Duration> {
        None
    }

    /// Does periodic work, about every [`Handler::tick_interval`] and between batches.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is reported.
    fn tick(&mut self, now: Instant) -> Result<(), HandlerError> {
        let _ = now;
        Ok(())
    }

    /// Brings everything pushed so far to where it belongs, until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// Whatever went wrong, the deadline included.
    fn flush(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        let _ = deadline;
        Ok(())
    }

    /// As [`Handler::flush`]; nothing will be called afterwards.
    ///
    /// # Errors
    ///
    /// Whatever went wrong, the deadline included.
    fn close(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        self.flush(deadline)
    }

    /// Whether records are kept in their rings until this handler has taken them (file, archive),
    /// or not (chats, terminals). Asked once.
    fn is_durable(&self) -> bool {
        false
    }
}

impl<H: Handler + ?Sized> Handler for Box<H> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        (**self).push(records)
    }

    fn tick_interval(&self) -> Option<Duration> {
        (**self).tick_interval()
    }

    fn tick(&mut self, now: Instant) -> Result<(), HandlerError> {
        (**self).tick(now)
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        (**self).flush(deadline)
    }

    fn close(&mut self, deadline: Instant) -> Result<(), HandlerError> {
        (**self).close(deadline)
    }

    fn is_durable(&self) -> bool {
        (**self).is_durable()
    }
}
