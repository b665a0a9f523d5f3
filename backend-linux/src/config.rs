//! The configuration of the advanced logger, the same for masters and workers.

use std::path::PathBuf;
use std::time::Duration;

use millpond_std::standard::{ConfigError, LoggerConfig as StandardConfig};
use millpond_std::{Level, LineFormat, Overflow};

use crate::directory::{default_path, parse_path};
use crate::error::Error;

/// How the masters and workers of one directory behave. Give all of them the same.
///
/// | field | default | used by | meaning |
/// |---|---|---|---|
/// | `path` | `$XDG_RUNTIME_DIR/millpond`, else `/dev/shm/millpond-UID` | both | the rendezvous directory; `ipc://` in front is allowed |
/// | `base_level` | INFO | both | a worker does not log records below, a master filters them out |
/// | `do_stdout` | false | master | mirror to standard output |
/// | `str_format` | `%(asctime)s [%(levelname)s] %(name)s - %(message)s` | master | the line format |
/// | `flush_interval` | 1 s | master | a record is handed out this long after it was drained at the latest |
/// | `buffer_size` | 1 MiB | worker | bytes of each thread's ring, rounded up to a power of two; smaller by itself where shared memory is scarce |
/// | `overflow` | drop and count | worker | what a call does when its ring is full |
/// | `wake_level` | ERROR | both | records from this level up are handed out at once |
/// | `max_rings` | 64 | worker | further threads share one ring |
/// | `heartbeat_interval` | 60 s | worker | how often the keeper checks in |
/// | `emit_internal` | false | both | own start and stop records, at DEBUG |
/// | `shutdown_timeout` | 10 s | both | how long dropping the last handle waits |
#[derive(Clone, Debug, PartialEq)]
pub struct LoggerConfig {
    /// The rendezvous directory, with or without `ipc://`; empty for the default.
    pub path: String,
    /// A worker does not log records below, a master filters them out.
    pub base_level: Level,
    /// The master mirrors to standard output.
    pub do_stdout: bool,
    /// The line format of handlers that have none of their own.
    pub str_format: String,
    /// A record is handed out this long after it was drained at the latest.
    pub flush_interval: Duration,
    /// Bytes of each thread's ring.
    pub buffer_size: usize,
    /// What a worker's call does when its ring is full.
    pub overflow: Overflow,
    /// Records from this level up are handed out at once.
    pub wake_level: Level,
    /// At most so many rings for each worker; further threads share one.
    pub max_rings: usize,
    /// How often a worker's keeper checks in.
    pub heartbeat_interval: Duration,
    /// Log own start and stop records at DEBUG.
    pub emit_internal: bool,
    /// How long dropping the last handle waits.
    pub shutdown_timeout: Duration,
}

impl Default for LoggerConfig {
    fn default() -> Self {
        let standard = StandardConfig::default();
        Self {
            path: String::new(),
            base_level: standard.base_level,
            do_stdout: standard.do_stdout,
            str_format: standard.str_format,
            flush_interval: standard.flush_interval,
            buffer_size: standard.buffer_size,
            overflow: Overflow::Drop,
            wake_level: standard.wake_level,
            max_rings: 64,
            heartbeat_interval: Duration::from_secs(60),
            emit_internal: standard.emit_internal,
            shutdown_timeout: standard.shutdown_timeout,
        }
    }
}

impl LoggerConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the field, the value and the rule.
    pub fn validate(&self) -> Result<LineFormat, ConfigError> {
        if self.heartbeat_interval.is_zero() {
            return Err(ConfigError::HeartbeatInterval);
        }
        let standard = StandardConfig {
            str_format: self.str_format.clone(),
            flush_interval: self.flush_interval,
            buffer_size: self.buffer_size,
            max_rings: self.max_rings,
            ..StandardConfig::default()
        };
        standard.validate()
    }

    /// The rendezvous directory.
    ///
    /// # Errors
    ///
    /// If `path` has another scheme than `ipc://`.
    pub fn directory(&self) -> Result<PathBuf, Error> {
        if self.path.is_empty() { Ok(default_path()) } else { parse_path(&self.path) }
    }
}
