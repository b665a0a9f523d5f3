//! The worker: logs into rings in shared memory, whether or not a master is there.

mod keeper;
mod rings;
mod session;

use std::sync::Arc;
use std::time::Duration;

use millpond_std::collector::FlushError;
use millpond_std::front::{Front, FrontConfig};
use millpond_std::standard::{ConfigError, check_name};
use millpond_std::{Level, SystemClock};

use crate::config::LoggerConfig;
use crate::error::Error;

pub use rings::SharedRings;

/// A handle with a ring of its own, for a hot loop.
pub type Producer = millpond_std::front::Producer<SharedRings>;

/// The logger of a worker process. Clones share everything; any thread may log through any of
/// them.
///
/// A record is safe the moment the call returns: it lies in a file in shared memory, and
/// SIGKILL, abort or running out of memory lose nothing that was logged. It does not survive
/// the machine, for that wait for [`WorkerLogger::flush`] and a handler that syncs.
///
/// There may be no master yet, or none any more: the worker logs until its rings are full, and
/// whoever becomes master finds the records. In a forked child the logger goes on with rings of
/// the child's own.
///
/// Dropping the last clone shuts down.
///
/// ```
/// use millpond_linux::{LoggerConfig, WorkerLogger};
///
/// # let directory = tempfile::tempdir_in("/dev/shm")?;
/// # let path = format!("ipc://{}/app", directory.path().display());
/// let config = LoggerConfig { path, ..LoggerConfig::default() };
/// let worker = WorkerLogger::new(config, "DataProcessor")?;
/// worker.info("processing batch 123");
/// worker.error_with("failed to process item", b"\x00\xff");
/// worker.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WorkerLogger(Arc<Inner>);

struct Inner {
    name: String,
    config: LoggerConfig,
    front: Front<SharedRings>,
}

impl std::fmt::Debug for WorkerLogger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerLogger").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// Why a worker or a master did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The rendezvous directory cannot be used.
    #[error(transparent)]
    System(#[from] Error),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl WorkerLogger {
    /// Opens the rendezvous directory, which is made if it is missing, and starts the keeper
    /// thread. The name need not be unique.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a setting cannot be or the directory cannot be used.
    pub fn new(config: LoggerConfig, name: &str) -> Result<Self, StartError> {
        check_name(name)?;
        config.validate()?;
        let clock = SystemClock::detect();
        let rings = SharedRings::new(&config, name, clock)?;
        let front = FrontConfig {
            base_level: config.base_level,
            wake_level: config.wake_level,
            overflow: config.overflow,
            max_rings: config.max_rings,
            clock,
        };
        let front = Front::new(front, rings);
        let worker = Self(Arc::new(Inner { name: name.to_owned(), config, front }));
        if worker.0.config.emit_internal {
            worker.debug("worker started");
        }
        Ok(worker)
    }

    /// Logs a message.
    #[inline]
    pub fn text(&self, level: Level, message: &str) {
        self.0.front.text(level, message);
    }

    /// Logs a message that is meant to be UTF-8, such as a line of another program's output: what
    /// is not is shown escaped.
    #[inline]
    pub fn text_bytes(&self, level: Level, message: &[u8]) {
        self.0.front.text_bytes(level, message);
    }

    /// Logs a message with bytes beside it.
    pub fn text_with(&self, level: Level, message: &str, bytes: &[u8]) {
        self.0.front.text_with(level, message, bytes);
    }

    millpond_std::level_methods!(shared);

    #[doc(hidden)]
    #[inline(always)]
    pub fn __begin(&self, level: Level) -> bool {
        self.0.front.__begin(level)
    }

    #[doc(hidden)]
    #[inline(always)]
    pub fn __events(&self) -> &Front<SharedRings> {
        &self.0.front
    }

    /// A handle with a ring of its own, for one thread's hot loop.
    ///
    /// # Errors
    ///
    /// If there is no shared memory left for a ring.
    pub fn producer(&self) -> Result<Producer, Error> {
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

    /// Changes the level from which this process logs.
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
        self.level().is_some()
    }

    /// What works but not well, for example a directory that is not in memory: sentences.
    pub fn warnings(&self) -> Vec<String> {
        self.0.front.supply().warnings()
    }

    /// Records of this process that were lost and are in no ring's account: logged after shutdown,
    /// or when no ring could be made.
    pub fn refused(&self) -> u64 {
        self.0.front.refused() + self.0.front.unrecorded().iter().sum::<u64>()
    }

    /// Waits until the master's durable handlers have acknowledged everything that this process
    /// logged before the call.
    ///
    /// # Errors
    ///
    /// [`FlushError::NoMaster`] at once if there is no master, [`FlushError::Deadline`] if
    /// `timeout` passed before.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if !self.0.front.supply().has_master() {
            return Err(FlushError::NoMaster);
        }
        if self.0.front.wait_until_released(timeout) {
            return Ok(());
        }
        if self.0.front.supply().has_master() {
            Err(FlushError::Deadline { handlers: Vec::new() })
        } else {
            Err(FlushError::NoMaster)
        }
    }

    /// Ends in good order: the keeper says so, and the master will remove the rings once it has
    /// drained them. Does not wait for that; call [`WorkerLogger::flush`] before if it matters.
    /// Records that are logged afterwards are counted as refused. May be called again.
    pub fn shutdown(&self) {
        self.0.shutdown();
    }
}

impl Inner {
    fn shutdown(&self) {
        if self.front.level().is_none() {
            return;
        }
        if self.config.emit_internal {
            self.front.text(Level::Debug, "worker stops");
        }
        self.front.close();
        self.front.supply().end();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown();
    }
}
