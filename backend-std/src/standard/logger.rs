//! The standard logger itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millpond_core::Level;

use super::Producer;
use super::config::{ConfigError, LoggerConfig, check_name};
use super::rings::{Forked, HeapIntake, HeapRings};
use crate::clock::SystemClock;
use crate::collector::{self, CollectorConfig, CollectorHandle, FlushError};
use crate::failure::OnError;
use crate::fork;
use crate::front::{Front, FrontConfig};
use crate::handler::Handler;
use crate::report::Report;
use crate::source::Source;
use crate::stdout::StdoutHandler;

/// The logger of one process. Clones share everything; any thread may log through any of them.
///
/// Records lie in this process's memory until a handler has them: they survive a panic, and
/// `exit` only after [`Logger::flush`] or [`Logger::shutdown`]; they do not survive `abort` or
/// SIGKILL. Use the advanced logger where that matters.
///
/// In a forked child nothing is logged: the collector's thread did not come along. Records are
/// counted as refused. The advanced logger goes on in a child.
///
/// Dropping the last clone shuts down, for at most [`LoggerConfig::shutdown_timeout`].
///
/// ```
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let logger = Logger::new("app", LoggerConfig::default(), vec![])?;
/// logger.info("booted");
/// logger.error_with("unexpected answer", b"\x00\xff");
/// let report = logger.shutdown()?;
/// assert_eq!(report.total.attempted, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Logger(Arc<Inner>);

struct Inner {
    name: String,
    config: LoggerConfig,
    front: Front<HeapRings>,
    collector: CollectorHandle,
    is_running: AtomicBool,
    report: Mutex<Option<Report>>,
    /// The process whose logger this is; a forked child has no collector.
    generation: u32,
}

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logger").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// Why a logger did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Why a shutdown is not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// These handlers were still stuck in a call when the time was up; they are left to
    /// themselves.
    #[error("handlers still stuck when the time was up: {}; account: {report}", handlers.join(", "))]
    Stuck {
        /// The handlers' names.
        handlers: Vec<String>,
        /// What was done.
        report: Box<Report>,
    },
    /// The collector did not answer.
    #[error("the collector did not answer in time")]
    NoAnswer,
}

impl Logger {
    /// Starts a logger: a collector thread, and a thread for each handler.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a setting cannot be or a thread cannot be started.
    pub fn new(
        name: &str,
        config: LoggerConfig,
        mut handlers: Vec<Box<dyn Handler>>,
    ) -> Result<Self, StartError> {
        check_name(name)?;
        let format = config.validate()?;
        if config.do_stdout {
            handlers.push(Box::new(StdoutHandler::new()));
        }
        let source = Source {
            name: name.to_owned(),
            process: std::process::id(),
            thread: 0,
            thread_name: String::new(),
        };
        let clock = SystemClock::detect();
        let rings = HeapRings::new(source.clone(), config.buffer_size);
        let waker = rings.clone();
        let collector = collector::start(
            CollectorConfig {
                base_level: Level::Trace,
                wake_level: config.wake_level,
                flush_interval: config.flush_interval,
                format,
                own: source,
                clock,
                on_error: OnError::default(),
            },
            HeapIntake::new(rings.clone()),
            handlers,
            Arc::new(move || waker.ring_doorbell()),
        )?;
        let front = FrontConfig {
            base_level: config.base_level,
            wake_level: config.wake_level,
            overflow: config.overflow,
            max_rings: config.max_rings,
            clock,
        };
        let logger = Self(Arc::new(Inner {
            name: name.to_owned(),
            front: Front::new(front, rings),
            config,
            collector,
            is_running: AtomicBool::new(true),
            report: Mutex::new(None),
            generation: fork::generation(),
        }));
        if logger.0.config.emit_internal {
            logger.debug("logger started");
        }
        Ok(logger)
    }

    /// Logs a message.
    #[inline]
    pub fn text(&self, level: Level, message: &str) {
        self.0.front.text(level, message);
    }

    /// Logs a message with bytes beside it.
    pub fn text_with(&self, level: Level, message: &str, bytes: &[u8]) {
        self.0.front.text_with(level, message, bytes);
    }

    crate::level_methods!(shared);

    #[doc(hidden)]
    #[inline(always)]
    pub fn __begin(&self, level: Level) -> bool {
        self.0.front.__begin(level)
    }

    #[doc(hidden)]
    #[inline(always)]
    pub fn __events(&self) -> &Front<HeapRings> {
        &self.0.front
    }

    /// A handle with a ring of its own, for one thread's hot loop.
    ///
    /// # Errors
    ///
    /// [`Forked`] in a child of the process that made this logger.
    pub fn producer(&self) -> Result<Producer, Forked> {
        self.0.front.producer()
    }

    /// Whether a record of this level would be logged now.
    #[inline]
    pub fn is_enabled(&self, level: Level) -> bool {
        self.0.front.is_enabled(level)
    }

    /// The level from which records are logged; `None` after shutdown.
    pub fn level(&self) -> Option<Level> {
        self.0.front.level()
    }

    /// Changes the level from which records are logged.
    pub fn set_level(&self, level: Level) {
        self.0.front.set_level(level);
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &LoggerConfig {
        &self.0.config
    }

    /// Whether it has not been shut down.
    pub fn is_running(&self) -> bool {
        self.0.is_running.load(Ordering::Relaxed)
    }

    /// Waits until everything logged before the call was acknowledged by every durable handler,
    /// and handed to the others or counted as dropped for them.
    ///
    /// # Errors
    ///
    /// [`FlushError`] says what is missing; [`FlushError::NoMaster`] after shutdown.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if !self.is_running() || self.0.generation != fork::generation() {
            return Err(FlushError::NoMaster);
        }
        self.0.collector.flush(timeout)
    }

    /// What was done so far.
    pub fn report(&self) -> Option<Report> {
        if self.0.generation != fork::generation() {
            // Nothing but what this child was refused; the parent's books are the parent's.
            return Some(self.0.complete(Report::default()));
        }
        let ended = self.0.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ended.or_else(|| self.0.collector.report()).map(|report| self.0.complete(report))
    }

    /// Delivers everything, closes the handlers, and reports what was done. Records that are
    /// logged afterwards are counted as refused. Calling it again reports the same.
    ///
    /// If anything was dropped or failed, one line on standard error says so.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] if a handler did not close in time.
    pub fn shutdown(&self) -> Result<Report, ShutdownError> {
        self.0.shutdown(self.0.config.shutdown_timeout)
    }
}

impl Inner {
    fn shutdown(&self, timeout: Duration) -> Result<Report, ShutdownError> {
        if self.generation != fork::generation() {
            return Err(ShutdownError::NoAnswer);
        }
        // Held to the end, so that a second caller waits for the first.
        let mut kept = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = &*kept {
            return judge(self.complete(report.clone()));
        }
        if self.config.emit_internal {
            self.front.text(Level::Debug, "logger stops");
        }
        self.front.close();
        self.is_running.store(false, Ordering::Relaxed);
        let report = self.collector.shutdown(timeout).ok_or(ShutdownError::NoAnswer)?;
        *kept = Some(report.clone());
        let report = self.complete(report);
        complain(&self.name, &report);
        judge(report)
    }

    fn complete(&self, report: Report) -> Report {
        let refused = self.front.refused() + self.front.unrecorded().iter().sum::<u64>();
        Report { refused, ..report }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.generation == fork::generation() {
            let _ = self.shutdown(self.config.shutdown_timeout);
        }
    }
}

/// One line on standard error if anything was lost.
pub fn complain(name: &str, report: &Report) {
    let lost = report.total.total_dropped()
        + report.total.quarantined
        + report.refused
        + report.handlers.iter().map(|h| h.failed + h.dropped).sum::<u64>();
    if lost > 0 {
        eprintln!("millpond: {name}: {report}");
    }
}

/// An error if a handler is stuck.
///
/// # Errors
///
/// [`ShutdownError::Stuck`] names them.
pub fn judge(report: Report) -> Result<Report, ShutdownError> {
    let stuck = report.handlers.iter().filter(|handler| handler.stuck);
    let handlers: Vec<String> = stuck.map(|handler| handler.name.clone()).collect();
    if handlers.is_empty() {
        Ok(report)
    } else {
        Err(ShutdownError::Stuck { handlers, report: Box::new(report) })
    }
}
