//! `info!` and its siblings: each adds its crate and its level, and forwards to `millpond-macros`.

/// Logs an event at TRACE. [`info!`](crate::info) says what may stand between the
/// parentheses.
///
/// ```
/// use millpond_std::Level;
/// use millpond_std::trace;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig { base_level: Level::Trace, ..Default::default() };
/// let log = Logger::new("app", config, vec![])?;
/// trace!(log, "order {} has {left} left", 7, left = 3);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! trace {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Trace, $($call)*)
    };
}

/// Logs an event at DEBUG. [`info!`](crate::info) says what may stand between the
/// parentheses.
///
/// ```
/// use millpond_std::Level;
/// use millpond_std::debug;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig { base_level: Level::Trace, ..Default::default() };
/// let log = Logger::new("app", config, vec![])?;
/// debug!(log, "order {} has {left} left", 7, left = 3);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! debug {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Debug, $($call)*)
    };
}

/// Logs an event at INFO: a template and its arguments, which are copied into the record as they
/// stand and formatted only when somebody reads it.
///
/// ```
/// use millpond_std::info;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let log = Logger::new("app", LoggerConfig::default(), vec![])?;
/// let (id, px) = (7, 101.25);
/// info!(log, "order {id} px {px:>10.3} of {}", "alice");
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The first argument is what logs: a logger, a `Producer` that may be changed, or what leads to
/// one of these, as a reference or an `Arc`. The arguments are evaluated once, and only if the
/// level is enabled. A level that the features `max_level_...` exclude compiles to nothing.
///
/// # Templates and arguments
///
/// The template is a string literal that says what one for `format!` says. An argument is one of
///
/// - `value`: captured as it stands, so its type is [`Capture`](crate::Capture);
/// - `?value`, `%value`: anything else, formatted by `Debug` or `Display` when it is logged;
/// - `name = value`, `name = ?value`, `name = %value`: behind the others. A field of the record, and
///   what `{name}` in the template shows.
///
/// ```
/// use millpond_std::info;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let log = Logger::new("app", LoggerConfig::default(), vec![])?;
/// let route = vec!["lon", "fra"];
/// info!(log, "routed {} by {route}", 7_u64, route = ?route, venue = "xetra", hops = route.len());
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Keys
///
/// Before the template, in any order:
///
/// - `target: "net::gate"` stands for the path of the module;
/// - `every: 100` logs the first of every hundred calls;
/// - `once_per: Duration::from_secs(1)` logs at most one call in that time.
///
/// Rate control is per place in the source, for all threads together. A record says how many
/// before it were suppressed.
///
/// ```
/// use std::time::Duration;
///
/// use millpond_std::info;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let log = Logger::new("app", LoggerConfig::default(), vec![])?;
/// for packet in 0..1000 {
///     info!(log, target: "net::gate", every: 100, "packet {packet}");
///     info!(log, once_per: Duration::from_secs(3600), "still there");
/// }
/// # assert_eq!(log.shutdown()?.total.attempted, 11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! info {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Info, $($call)*)
    };
}

/// Logs an event at WARNING. [`info!`](crate::info) says what may stand between the
/// parentheses.
///
/// ```
/// use millpond_std::warning;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// warning!(log, "order {} has {left} left", 7, left = 3);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! warning {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Warning, $($call)*)
    };
}

/// Logs an event at WARNING. The same as [`warning!`](crate::warning). [`info!`](crate::info) says what may stand between the
/// parentheses.
///
/// ```
/// use millpond_std::warn;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// warn!(log, "order {} has {left} left", 7, left = 3);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! warn {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Warning, $($call)*)
    };
}

/// Logs an event at ERROR. [`info!`](crate::info) says what may stand between the
/// parentheses.
///
/// ```
/// use millpond_std::error;
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// error!(log, "order {} has {left} left", 7, left = 3);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! error {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Error, $($call)*)
    };
}

/// Logs an event at TRACE with the caller's own stamp, in ticks of the logger's clock.
/// Otherwise it is [`trace!`](crate::trace) without rate control.
///
/// ```
/// use millpond_std::{Level, trace_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig { base_level: Level::Trace, ..Default::default() };
/// let log = Logger::new("app", config, vec![])?;
/// trace_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! trace_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Trace at, $($call)*)
    };
}

/// Logs an event at DEBUG with the caller's own stamp, in ticks of the logger's clock.
/// Otherwise it is [`debug!`](crate::debug) without rate control.
///
/// ```
/// use millpond_std::{Level, debug_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig { base_level: Level::Trace, ..Default::default() };
/// let log = Logger::new("app", config, vec![])?;
/// debug_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! debug_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Debug at, $($call)*)
    };
}

/// Logs an event at INFO with the caller's own stamp, in ticks of the logger's clock.
/// Otherwise it is [`info!`](crate::info) without rate control.
///
/// ```
/// use millpond_std::{info_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// info_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! info_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Info at, $($call)*)
    };
}

/// Logs an event at WARNING with the caller's own stamp, in ticks of the logger's clock.
/// Otherwise it is [`warning!`](crate::warning) without rate control.
///
/// ```
/// use millpond_std::{warning_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// warning_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! warning_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Warning at, $($call)*)
    };
}

/// Logs an event at WARNING with the caller's own stamp, in ticks of the logger's clock. The same as
/// [`warning_at!`](crate::warning_at).
/// Otherwise it is [`warn!`](crate::warn) without rate control.
///
/// ```
/// use millpond_std::{warn_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// warn_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! warn_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Warning at, $($call)*)
    };
}

/// Logs an event at ERROR with the caller's own stamp, in ticks of the logger's clock.
/// Otherwise it is [`error!`](crate::error) without rate control.
///
/// ```
/// use millpond_std::{error_at, SystemClock};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// let config = LoggerConfig::default();
/// let log = Logger::new("app", config, vec![])?;
/// error_at!(log, SystemClock::detect().now(), "order {}", 7);
/// # assert_eq!(log.shutdown()?.total.attempted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! error_at {
    ($($call:tt)*) => {
        $crate::__private::event!($crate, Error at, $($call)*)
    };
}
