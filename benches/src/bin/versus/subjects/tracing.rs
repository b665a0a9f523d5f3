//! `tracing` with `tracing-appender`'s non-blocking writer.

use std::fs::File;
use std::io::BufWriter;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct Tracing {
    guard: WorkerGuard,
    dropped: ErrorCounter,
}

impl Subject for Tracing {
    const ABOUT: About = About::new(
        "tracing",
        "tracing 0.1, tracing-subscriber 0.3 fmt without colours, tracing-appender 0.2 \
         non_blocking: not lossy, 131072 lines, into a BufWriter of 64 KiB",
    );

    type Handle<'a> = ();

    fn open(place: &Place) -> anyhow::Result<Self> {
        let file = BufWriter::with_capacity(64 << 10, File::create(&place.file)?);
        let builder = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(1 << 17);
        let (writer, guard) = builder.finish(file);
        let dropped = writer.error_counter();
        let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
        tracing::subscriber::set_global_default(subscriber.finish())?;
        Ok(Self { guard, dropped })
    }

    fn handle(&self) -> anyhow::Result<()> {
        Ok(())
    }

    #[inline(always)]
    fn log((): &mut (), record: Record, _: u64) {
        let Record { producer, number, price } = record;
        tracing::info!("order {} qty {} px {}", producer, number, price);
    }

    fn close(self) -> anyhow::Result<u64> {
        drop(self.guard);
        Ok(self.dropped.dropped_lines() as u64)
    }
}
