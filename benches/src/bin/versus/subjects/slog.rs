//! `slog` with `slog-async`.

use std::fs::File;
use std::io::{BufWriter, Write};

use ::slog::{Drain as _, Logger, o};
use slog_async::{AsyncGuard, OverflowStrategy};
use slog_term::{FullFormat, PlainDecorator};

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct Slog {
    logger: Logger,
    guard: AsyncGuard,
}

/// A buffer that is written when it is full: `slog-term` writes a line in many pieces and flushes
/// after each line.
struct Lazy(BufWriter<File>);

impl Write for Lazy {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Subject for Slog {
    const ABOUT: About = About::new(
        "slog-async",
        "slog 2.8, slog-async 2.8 that blocks, queue of 131072 records, slog-term 2.9 FullFormat \
         in UTC, into a BufWriter of 64 KiB that is not flushed after each line",
    );

    type Handle<'a> = &'a Logger;

    fn open(place: &Place) -> anyhow::Result<Self> {
        let file = Lazy(BufWriter::with_capacity(64 << 10, File::create(&place.file)?));
        let format = FullFormat::new(PlainDecorator::new(file)).use_utc_timestamp();
        let drain = slog_async::Async::new(format.build().fuse()).chan_size(1 << 17);
        let drain = drain.overflow_strategy(OverflowStrategy::Block);
        let (drain, guard) = drain.build_with_guard();
        Ok(Self { logger: Logger::root(drain.fuse(), o!()), guard })
    }

    fn handle(&self) -> anyhow::Result<&Logger> {
        Ok(&self.logger)
    }

    #[inline(always)]
    fn log(logger: &mut &Logger, record: Record, _: u64) {
        let Record { producer, number, price } = record;
        ::slog::info!(logger, "order {} qty {} px {}", producer, number, price);
    }

    fn close(self) -> anyhow::Result<u64> {
        drop(self.logger);
        drop(self.guard);
        Ok(0)
    }
}
