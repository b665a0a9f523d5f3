//! `flexi_logger`, which can buffer or hand over to a thread.

use std::time::Duration;

use flexi_logger::{FileSpec, Logger, LoggerHandle, WriteMode};

use crate::place::Place;
use crate::subject::{About, Record, Subject};

/// The calling thread formats and writes into a buffer.
pub(crate) struct Buffered(LoggerHandle);

/// The calling thread formats, another one writes.
pub(crate) struct Async(LoggerHandle);

fn start(place: &Place, mode: WriteMode) -> anyhow::Result<LoggerHandle> {
    let file = FileSpec::try_from(&place.file)?;
    let logger = Logger::try_with_str("info")?.log_to_file(file).use_utc();
    Ok(logger.format(flexi_logger::opt_format).write_mode(mode).start()?)
}

macro_rules! subject {
    ($type:ident, $name:literal, $settings:literal, $mode:expr) => {
        impl Subject for $type {
            const ABOUT: About = About::new($name, $settings);

            type Handle<'a> = ();

            fn open(place: &Place) -> anyhow::Result<Self> {
                Ok(Self(start(place, $mode)?))
            }

            fn handle(&self) -> anyhow::Result<()> {
                Ok(())
            }

            #[inline(always)]
            fn log((): &mut (), record: Record, _: u64) {
                let Record { producer, number, price } = record;
                log::info!("order {} qty {} px {}", producer, number, price);
            }

            fn close(self) -> anyhow::Result<u64> {
                self.0.shutdown();
                Ok(0)
            }
        }
    };
}

subject!(
    Buffered,
    "flexi_logger",
    "flexi_logger 0.31, opt_format, UTC, BufferAndFlushWith(64 KiB, 1 s)",
    WriteMode::BufferAndFlushWith(64 << 10, Duration::from_secs(1))
);

subject!(
    Async,
    "flexi_logger-async",
    "flexi_logger 0.31, opt_format, UTC, AsyncWith: 4096 pooled messages of 200 bytes, unbounded \
     queue, flushed every 1 s",
    WriteMode::AsyncWith {
        pool_capa: 4096,
        message_capa: 200,
        flush_interval: Duration::from_secs(1),
    }
);
