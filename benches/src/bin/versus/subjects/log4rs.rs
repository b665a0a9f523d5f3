//! `log4rs`, which writes in the calling thread.

use ::log4rs::append::file::FileAppender;
use ::log4rs::config::{Appender, Config, Root};
use ::log4rs::encode::pattern::PatternEncoder;
use log::LevelFilter;

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct Log4rs;

impl Subject for Log4rs {
    const ABOUT: About = About::new(
        "log4rs",
        "log4rs 1.4, FileAppender with the pattern {d(%Y-%m-%dT%H:%M:%S%.6f)(utc)} {l} {t} - {m}{n}; \
         it has no queue and flushes after each line",
    );

    type Handle<'a> = ();

    fn open(place: &Place) -> anyhow::Result<Self> {
        let pattern = "{d(%Y-%m-%dT%H:%M:%S%.6f)(utc)} {l} {t} - {m}{n}";
        let encoder = Box::new(PatternEncoder::new(pattern));
        let appender = FileAppender::builder().encoder(encoder).build(&place.file)?;
        let appender = Appender::builder().build("file", Box::new(appender));
        let root = Root::builder().appender("file").build(LevelFilter::Info);
        ::log4rs::init_config(Config::builder().appender(appender).build(root)?)?;
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
