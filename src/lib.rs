//! Logging for programs that cannot afford to wait for their log.
//!
//! Two loggers share one data path: producer threads write binary frames into lock-free rings, one
//! collector drains and orders them, handlers take them to files and wherever else you bring.
//!
//! - [`standard::Logger`]: one process. Rings on the heap, the collector in a thread.
//! - [`advanced`]: many processes (Linux). Rings in shared memory: what a worker logged survives
//!   its SIGKILL, and one master delivers it.
//!
//! ```
//! use millpond::standard::{Logger, LoggerConfig};
//! use millpond::{Level, info};
//!
//! let config = LoggerConfig { base_level: Level::Info, ..Default::default() };
//! let logger = Logger::new("app", config, vec![])?;
//! logger.info("booted");
//! info!(logger, "order {} filled at {}", 42u64, 101.25);
//! logger.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use millpond_core::capture::Value;
pub use millpond_std::STATIC_MAX_LEVEL;
pub use millpond_std::render::Definition as CallSite;
pub use millpond_std::{
    Account, Handler, HandlerAccount, HandlerError, HandlerFailure, Iter, Level, LineFormat,
    OnError, Overflow, Record, Records, Report, Source, SystemClock, TimeText, WorkerAccount,
};
pub use millpond_std::{Capture, CaptureDisplay};
pub use millpond_std::{FormatError, collector::FlushError, standard::ShutdownError};
pub use millpond_std::{
    debug, debug_at, error, error_at, info, info_at, trace, trace_at, warn, warn_at, warning,
    warning_at,
};

/// The standard logger: one process.
pub mod standard {
    pub use millpond_std::standard::{
        ConfigError, Forked, Logger, LoggerConfig, Producer, StartError,
    };
}

/// The advanced logger: many processes, one master. Linux only.
#[cfg(all(feature = "advanced", target_os = "linux"))]
pub mod advanced {
    pub use millpond_linux::{
        Error, ErrorKind, LoggerConfig, MASTER, MasterLogger, Producer, StartError, WorkerLogger,
    };
    pub use millpond_std::standard::ConfigError;
}

/// Ready-made handlers.
pub mod handlers {
    #[cfg(feature = "handlers")]
    pub use millpond_handlers::{
        ArchiveHandler, ArchiveOptions, ArchivePiece, ArchiveReader, FileError, FileHandler,
        FileOptions, SkipReason, Skipped,
    };
    pub use millpond_std::StdoutHandler;
}

/// The `no_std` core: frames, batches, rings, worker health.
pub use millpond_core as core;

#[doc(hidden)]
pub use millpond_std::__private;

/// The README's examples compile.
#[cfg(all(doctest, target_os = "linux"))]
#[doc = include_str!("../README.md")]
struct Readme;
