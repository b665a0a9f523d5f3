//! `spdlog-rs` with a thread pool.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ::spdlog::sink::{AsyncPoolSink, FileSink, OverflowPolicy};
use ::spdlog::{Logger, ThreadPool};

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct Spdlog {
    logger: Arc<Logger>,
    pool: Arc<ThreadPool>,
}

impl Subject for Spdlog {
    const ABOUT: About = About::new(
        "spdlog-rs",
        "spdlog-rs 0.5, AsyncPoolSink that blocks, queue of 131072 records, FileSink with a buffer \
         of 64 KiB",
    );

    type Handle<'a> = &'a Logger;

    fn open(place: &Place) -> anyhow::Result<Self> {
        let capacity = NonZeroUsize::MIN.saturating_add((1 << 17) - 1);
        let pool = ThreadPool::builder().capacity(capacity).build_arc()?;
        let file = FileSink::builder().path(&place.file).truncate(true).capacity(64 << 10);
        let sink = AsyncPoolSink::builder()
            .sink(file.build_arc()?)
            .thread_pool(Arc::clone(&pool))
            .overflow_policy(OverflowPolicy::Block)
            .build_arc()?;
        Ok(Self { logger: Logger::builder().sink(sink).build_arc()?, pool })
    }

    fn handle(&self) -> anyhow::Result<&Logger> {
        Ok(&self.logger)
    }

    #[inline(always)]
    fn log(logger: &mut &Logger, record: Record, _: u64) {
        let Record { producer, number, price } = record;
        ::spdlog::info!(logger: logger, "order {} qty {} px {}", producer, number, price);
    }

    fn close(self) -> anyhow::Result<u64> {
        self.logger.flush();
        drop(self.logger);
        // The last handle: waits for the thread, which works off its queue first.
        drop(self.pool);
        Ok(0)
    }
}
