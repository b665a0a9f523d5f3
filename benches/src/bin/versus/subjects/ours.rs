//! Millpond, through each of its entry points.

use millpond_handlers::FileHandler;
use millpond_linux::{LoggerConfig as AdvancedConfig, MasterLogger, WorkerLogger};
use millpond_std::standard::{Logger, LoggerConfig, Producer};
use millpond_std::{Handler, Overflow, info_at};

use crate::child::Control;
use crate::place::Place;
use crate::subject::{About, Files, Record, Subject};

/// The log call, in one place.
macro_rules! order {
    ($logger:expr, $record:expr) => {{
        let Record { producer, number, price } = $record;
        millpond_std::info!($logger, "order {} qty {} px {}", producer, number, price);
    }};
}

/// The same with the caller's stamp.
macro_rules! order_at {
    ($logger:expr, $stamp:expr, $record:expr) => {{
        let Record { producer, number, price } = $record;
        info_at!($logger, $stamp, "order {} qty {} px {}", producer, number, price);
    }};
}

pub(super) use order;

pub(super) fn start(handler: Box<dyn Handler>) -> anyhow::Result<Logger> {
    let config = LoggerConfig { overflow: Overflow::WAIT, ..LoggerConfig::default() };
    Ok(Logger::new("app", config, vec![handler])?)
}

fn file(place: &Place) -> anyhow::Result<Box<dyn Handler>> {
    Ok(Box::new(FileHandler::new(&place.file)?))
}

pub(super) fn stop(logger: &Logger) -> anyhow::Result<u64> {
    Ok(logger.shutdown()?.total.total_dropped())
}

/// A `Producer` for each thread.
pub(crate) struct ByProducer(Logger);

impl Subject for ByProducer {
    const ABOUT: About = About {
        files: Files::Shared,
        ..About::new(
            "millpond-producer",
            "info!(producer, ..), rings of 1 MiB, Overflow::WAIT, FileHandler",
        )
    };

    type Handle<'a> = Producer;

    fn open(place: &Place) -> anyhow::Result<Self> {
        start(file(place)?).map(Self)
    }

    fn handle(&self) -> anyhow::Result<Producer> {
        Ok(self.0.producer()?)
    }

    #[inline(always)]
    fn log(producer: &mut Producer, record: Record, _: u64) {
        order!(producer, record);
    }

    fn close(self) -> anyhow::Result<u64> {
        stop(&self.0)
    }
}

/// A `Producer` for each thread; the caller has read the clock already.
pub(crate) struct Stamped(Logger);

impl Subject for Stamped {
    const ABOUT: About = About {
        stamped: true,
        files: Files::Shared,
        ..About::new(
            "millpond-stamped",
            "info_at!(producer, stamp, ..), rings of 1 MiB, Overflow::WAIT, FileHandler",
        )
    };

    type Handle<'a> = Producer;

    fn open(place: &Place) -> anyhow::Result<Self> {
        start(file(place)?).map(Self)
    }

    fn handle(&self) -> anyhow::Result<Producer> {
        Ok(self.0.producer()?)
    }

    #[inline(always)]
    fn log(producer: &mut Producer, record: Record, stamp: u64) {
        order_at!(producer, stamp, record);
    }

    fn close(self) -> anyhow::Result<u64> {
        stop(&self.0)
    }
}

/// `&Logger`, which finds the ring of the calling thread.
pub(crate) struct ByLogger(Logger);

impl Subject for ByLogger {
    const ABOUT: About = About {
        files: Files::Shared,
        ..About::new(
            "millpond-logger",
            "info!(&Logger, ..), rings of 1 MiB, Overflow::WAIT, FileHandler",
        )
    };

    type Handle<'a> = &'a Logger;

    fn open(place: &Place) -> anyhow::Result<Self> {
        start(file(place)?).map(Self)
    }

    fn handle(&self) -> anyhow::Result<&Logger> {
        Ok(&self.0)
    }

    #[inline(always)]
    fn log(logger: &mut &Logger, record: Record, _: u64) {
        order!(logger, record);
    }

    fn close(self) -> anyhow::Result<u64> {
        stop(&self.0)
    }
}

/// `&WorkerLogger`: rings in shared memory, a master in another process.
pub(crate) struct ByWorker(WorkerLogger);

fn advanced(place: &Place) -> AdvancedConfig {
    AdvancedConfig {
        path: format!("ipc://{}", place.other("rings").display()),
        overflow: Overflow::WAIT,
        ..AdvancedConfig::default()
    }
}

impl Subject for ByWorker {
    const ABOUT: About = About {
        files: Files::Collected,
        ..About::new(
            "millpond-worker",
            "info!(&WorkerLogger, ..), rings of 1 MiB in shared memory, Overflow::WAIT; MasterLogger with a \
             FileHandler in another process",
        )
    };

    type Handle<'a> = &'a WorkerLogger;

    fn open(place: &Place) -> anyhow::Result<Self> {
        Ok(Self(WorkerLogger::new(advanced(place), "app")?))
    }

    fn handle(&self) -> anyhow::Result<&WorkerLogger> {
        Ok(&self.0)
    }

    #[inline(always)]
    fn log(worker: &mut &WorkerLogger, record: Record, _: u64) {
        order!(worker, record);
    }

    fn close(self) -> anyhow::Result<u64> {
        self.0.shutdown();
        Ok(0)
    }

    fn collect(place: &Place, control: Control) -> anyhow::Result<u64> {
        let master = MasterLogger::new(advanced(place), vec![file(place)?])?;
        control.ready()?;
        control.wait_for_end()?;
        Ok(master.shutdown()?.total.total_dropped())
    }
}
