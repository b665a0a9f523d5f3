//! The master: drains all rings of a directory and hands their records to handlers.

mod intake;
mod workers;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millpond_std::collector::{self, CollectorConfig, CollectorHandle, FlushError};
use millpond_std::front::Front;
use millpond_std::standard::{ShutdownError, complain, judge};
use millpond_std::{Handler, Level, OnError, Report, Source, StdoutHandler, SystemClock, fork};

use crate::config::LoggerConfig;
use crate::control::{Control, Side};
use crate::directory::Directory;
use crate::doorbell::SharedDoorbell;
use crate::error::Error;
use crate::lease::Lease;
use crate::worker::{Producer, SharedRings, StartError, WorkerLogger};
use intake::DirectoryIntake;

/// Under this name the master logs.
pub const MASTER: &str = "MASTER";

/// Bytes of the master's own rings.
const OWN_RING: usize = 64 * 1024;

/// The one process that drains the rings of a directory. Clones share everything.
///
/// A second master for the same directory is refused. When a master ends, workers log on, and the
/// next one goes on where this one released.
///
/// Dropping the last clone shuts down.
///
/// ```
/// use std::time::Duration;
/// use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
///
/// # let directory = tempfile::tempdir_in("/dev/shm")?;
/// # let path = format!("ipc://{}/app", directory.path().display());
/// let config = LoggerConfig { path, ..LoggerConfig::default() };
/// let master = MasterLogger::new(config.clone(), vec![])?;
///
/// // Usually in another process:
/// let worker = WorkerLogger::new(config, "DataProcessor")?;
/// worker.info("processing batch 123");
/// worker.flush(Duration::from_secs(5))?;
/// worker.shutdown();
///
/// let report = master.shutdown()?;
/// assert_eq!(report.total.delivered, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MasterLogger(Arc<Inner>);

struct Inner {
    config: LoggerConfig,
    warnings: Vec<String>,
    own: WorkerLogger,
    collector: CollectorHandle,
    control: Control,
    report: Mutex<Option<Report>>,
    /// The process that made it; in a forked child nothing of it runs.
    generation: u32,
}

impl std::fmt::Debug for MasterLogger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterLogger").field("path", &self.0.config.path).finish_non_exhaustive()
    }
}

impl MasterLogger {
    /// Takes the lease of the directory, which is made if it is missing, and starts to drain.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a setting cannot be, the directory cannot be used, or another master
    /// serves it.
    pub fn new(
        config: LoggerConfig,
        mut handlers: Vec<Box<dyn Handler>>,
    ) -> Result<Self, StartError> {
        let format = config.validate()?;
        if config.do_stdout {
            handlers.push(Box::new(StdoutHandler::new()));
        }
        let directory = Directory::open(&config.directory()?)?;
        let lease = Lease::acquire(&directory)?;
        let control = Control::open(&directory, Side::Master)?;
        control.announce_master(std::process::id())?;
        let doorbell = SharedDoorbell::open(&directory)?;
        let clock = SystemClock::detect();
        let bell = doorbell.clone();
        let wake = Arc::new(move || {
            if bell.doorbell().must_wake() {
                bell.wake();
            }
        });
        let intake = DirectoryIntake::new(directory.clone(), lease, doorbell, wake.clone(), clock)?;
        let warnings = [directory.warnings(), &intake.warnings()].concat();
        let own = LoggerConfig {
            base_level: Level::Trace,
            buffer_size: OWN_RING,
            max_rings: 8,
            emit_internal: false,
            ..config.clone()
        };
        let own = WorkerLogger::new(own, MASTER)?;
        let collector = CollectorConfig {
            base_level: config.base_level,
            wake_level: config.wake_level,
            flush_interval: config.flush_interval,
            format,
            own: Source {
                name: MASTER.to_owned(),
                process: std::process::id(),
                thread: 0,
                thread_name: String::new(),
            },
            clock,
            on_error: OnError::default(),
        };
        let collector = collector::start(collector, intake, handlers, wake)?;
        let master = Self(Arc::new(Inner {
            config,
            warnings,
            own,
            collector,
            control,
            report: Mutex::new(None),
            generation: fork::generation(),
        }));
        for warning in &master.0.warnings {
            master.warning(warning);
        }
        if master.0.config.emit_internal {
            master.debug("master started");
        }
        Ok(master)
    }

    /// Logs a message under the name [`MASTER`].
    pub fn text(&self, level: Level, message: &str) {
        self.0.own.text(level, message);
    }

    /// Logs a message with bytes beside it under the name [`MASTER`].
    pub fn text_with(&self, level: Level, message: &str, bytes: &[u8]) {
        self.0.own.text_with(level, message, bytes);
    }

    millpond_std::level_methods!(shared);

    #[doc(hidden)]
    #[inline(always)]
    pub fn __begin(&self, level: Level) -> bool {
        level >= self.level() && self.0.own.__begin(level)
    }

    #[doc(hidden)]
    #[inline(always)]
    pub fn __events(&self) -> &Front<SharedRings> {
        self.0.own.__events()
    }

    /// A handle with a ring of its own, for one thread's hot loop.
    ///
    /// # Errors
    ///
    /// If there is no shared memory left for a ring.
    pub fn producer(&self) -> Result<Producer, Error> {
        self.0.own.producer()
    }

    /// Whether a record of this level would be logged and not filtered out now.
    pub fn is_enabled(&self, level: Level) -> bool {
        level >= self.level() && self.0.own.is_enabled(level)
    }

    /// The level below which records of all workers are filtered out.
    pub fn level(&self) -> Level {
        self.0.collector.base_level()
    }

    /// Changes the level below which records of all workers are filtered out.
    pub fn set_level(&self, level: Level) {
        self.0.collector.set_base_level(level);
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &LoggerConfig {
        &self.0.config
    }

    /// What works but not well: sentences. They are logged too.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Whether it has not been shut down.
    pub fn is_running(&self) -> bool {
        self.0.own.is_running()
    }

    /// What was done so far.
    pub fn report(&self) -> Option<Report> {
        let ended = self.0.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ended.or_else(|| self.0.collector.report()).map(|report| self.0.complete(report))
    }

    /// Waits until everything that was published in any ring before the call was acknowledged by
    /// every durable handler, and handed to the others or counted as dropped for them.
    ///
    /// # Errors
    ///
    /// [`FlushError`] says what is missing; [`FlushError::NoMaster`] after shutdown.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if !self.is_running() {
            return Err(FlushError::NoMaster);
        }
        self.0.collector.flush(timeout)
    }

    /// Drains and delivers what is there, closes the handlers, gives up the lease, and reports
    /// what was delivered. Workers are not disturbed: what they log from now on waits for the next
    /// master. Calling it again reports the same.
    ///
    /// If anything was dropped or failed, one line on standard error says so.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] if a handler did not close in time.
    pub fn shutdown(&self) -> Result<Report, ShutdownError> {
        self.0.shutdown()
    }
}

impl Inner {
    fn shutdown(&self) -> Result<Report, ShutdownError> {
        if self.generation != fork::generation() {
            return Err(ShutdownError::NoAnswer);
        }
        // Held to the end, so that a second caller waits for the first.
        let mut kept = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = &*kept {
            return judge(self.complete(report.clone()));
        }
        if self.config.emit_internal {
            self.own.debug("master stops");
        }
        self.own.shutdown();
        let report = self.collector.shutdown(self.config.shutdown_timeout);
        // A failure leaves a stale pid that nobody believes without the lease.
        let _ = self.control.withdraw_master();
        let report = report.ok_or(ShutdownError::NoAnswer)?;
        *kept = Some(report.clone());
        let report = self.complete(report);
        complain(MASTER, &report);
        judge(report)
    }

    fn complete(&self, mut report: Report) -> Report {
        report.refused = self.own.refused();
        report
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.generation == fork::generation() {
            let _ = self.shutdown();
        }
    }
}
