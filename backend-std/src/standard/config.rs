//! The configuration of a standard logger.

use std::time::Duration;

use millpond_core::Level;
use millpond_core::ring::{MAX_CAPACITY, MIN_CAPACITY};

use crate::format::{FormatError, LineFormat};
use crate::overflow::Overflow;

/// How a standard logger behaves.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `base_level` | INFO | records below are not logged |
/// | `do_stdout` | false | mirror to standard output |
/// | `str_format` | `%(asctime)s [%(levelname)s] %(name)s - %(message)s` | the line format |
/// | `flush_interval` | 1 s | a record is handed out this long after it was logged at the latest |
/// | `buffer_size` | 1 MiB | bytes of each thread's ring, rounded up to a power of two |
/// | `overflow` | wait up to 10 s | what a call does when its ring is full |
/// | `wake_level` | ERROR | records from this level up are handed out at once |
/// | `max_rings` | 256 | further threads share one ring |
/// | `emit_internal` | false | the logger's own start and stop records, at DEBUG |
/// | `shutdown_timeout` | 10 s | how long dropping the last handle waits for handlers |
#[derive(Clone, Debug, PartialEq)]
pub struct LoggerConfig {
    /// Records below are not logged.
    pub base_level: Level,
    /// Mirror to standard output.
    pub do_stdout: bool,
    /// The line format of handlers that have none of their own.
    pub str_format: String,
    /// A record is handed out this long after it was logged at the latest.
    pub flush_interval: Duration,
    /// Bytes of each thread's ring.
    pub buffer_size: usize,
    /// What a call does when its ring is full.
    pub overflow: Overflow,
    /// Records from this level up are handed out at once.
    pub wake_level: Level,
    /// At most so many rings; further threads share one.
    pub max_rings: usize,
    /// Log own start and stop records at DEBUG.
    pub emit_internal: bool,
    /// How long dropping the last handle waits for the handlers.
    pub shutdown_timeout: Duration,
}

impl Default for LoggerConfig {
    fn default() -> Self {
        Self {
            base_level: Level::Info,
            do_stdout: false,
            str_format: LineFormat::default().as_str().to_owned(),
            flush_interval: Duration::from_secs(1),
            buffer_size: 1 << 20,
            overflow: Overflow::Block { timeout: Duration::from_secs(10) },
            wake_level: Level::Error,
            max_rings: 256,
            emit_internal: false,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `str_format` is not a line format.
    #[error("str_format: {0}")]
    Format(#[from] FormatError),
    /// `flush_interval` is zero.
    #[error("flush_interval is zero: expected more, 1 s for example")]
    FlushInterval,
    /// `buffer_size` is out of range.
    #[error("buffer_size is {came}: expected {MIN_CAPACITY} to {MAX_CAPACITY} bytes")]
    BufferSize {
        /// The value that came.
        came: usize,
    },
    /// `max_rings` is zero.
    #[error("max_rings is 0: expected at least 1")]
    MaxRings,
    /// `heartbeat_interval` is zero.
    #[error("heartbeat_interval is zero: expected more, 60 s for example")]
    HeartbeatInterval,
    /// The logger's name cannot be.
    #[error("the name {came:?} cannot be: expected 1 to 128 bytes without control characters")]
    Name {
        /// The value that came.
        came: String,
    },
}

impl LoggerConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the field, the value and the rule.
    pub fn validate(&self) -> Result<LineFormat, ConfigError> {
        let format = LineFormat::new(&self.str_format)?;
        if self.flush_interval.is_zero() {
            return Err(ConfigError::FlushInterval);
        }
        if !(MIN_CAPACITY as usize..=MAX_CAPACITY as usize).contains(&self.buffer_size) {
            return Err(ConfigError::BufferSize { came: self.buffer_size });
        }
        if self.max_rings == 0 {
            return Err(ConfigError::MaxRings);
        }
        Ok(format)
    }
}

/// Checks a logger's or worker's name.
///
/// # Errors
///
/// [`ConfigError::Name`] if it is empty, longer than 128 bytes, or has control characters.
pub fn check_name(name: &str) -> Result<(), ConfigError> {
    let usable = !name.trim().is_empty() && name.len() <= 128 && !name.contains(char::is_control);
    if usable { Ok(()) } else { Err(ConfigError::Name { came: name.to_owned() }) }
}
