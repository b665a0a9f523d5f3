//! `ftlog`.

use std::sync::Mutex;

use ::ftlog::appender::FileAppender;
use ::ftlog::{LevelFilter, LoggerGuard};

use crate::place::Place;
use crate::subject::{About, Record, Subject};

/// The guard is sent once and used by nobody; the lock only makes it `Sync`.
pub(crate) struct Ftlog(Mutex<LoggerGuard>);

impl Subject for Ftlog {
    const ABOUT: About = About::new(
        "ftlog",
        "ftlog 0.2, feature tsc, bounded queue of 100000 records that blocks, UTC, FileAppender",
    );

    type Handle<'a> = ();

    fn open(place: &Place) -> anyhow::Result<Self> {
        let builder = ::ftlog::builder().max_log_level(LevelFilter::Info).bounded(100_000, true);
        let guard = builder.utc().root(FileAppender::new(&place.file)).try_init();
        let guard = guard.map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self(Mutex::new(guard)))
    }

    fn handle(&self) -> anyhow::Result<()> {
        Ok(())
    }

    #[inline(always)]
    fn log((): &mut (), record: Record, _: u64) {
        let Record { producer, number, price } = record;
        ::ftlog::info!("order {} qty {} px {}", producer, number, price);
    }

    fn close(self) -> anyhow::Result<u64> {
        drop(self.0);
        Ok(0)
    }
}
