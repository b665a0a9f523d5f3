//! `fast_log`.

use ::fast_log::Config;

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct FastLog;

impl Subject for FastLog {
    const ABOUT: About = About::new(
        "fast_log",
        "fast_log 1.7, file appender, chan_len 1000000, which is that of its own benchmarks",
    );

    type Handle<'a> = ();

    fn open(place: &Place) -> anyhow::Result<Self> {
        let config = Config::new().file(place.file_text()?).chan_len(Some(1_000_000));
        ::fast_log::init(config).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self)
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
        log::logger().flush();
        Ok(0)
    }
}
