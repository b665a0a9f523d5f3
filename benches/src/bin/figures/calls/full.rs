//! A logger whose rings are full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use millpond_benches::messages::Message;
use millpond_std::standard::{Logger, LoggerConfig, Producer};
use millpond_std::{Handler, HandlerError, Overflow, Records};

/// A handler that takes nothing until it is let go.
struct Stuck(Arc<AtomicBool>);

impl Handler for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
        while !self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A logger that drops and whose handler is stuck until it is let go.
pub(crate) fn full_logger() -> anyhow::Result<(Logger, Arc<AtomicBool>)> {
    let let_go = Arc::new(AtomicBool::new(false));
    let config = LoggerConfig {
        overflow: Overflow::Drop,
        buffer_size: 64 * 1024,
        ..LoggerConfig::default()
    };
    let stuck = Box::new(Stuck(Arc::clone(&let_go)));
    Ok((Logger::new("app", config, vec![stuck])?, let_go))
}

/// Logs until nothing moves any more.
pub(crate) fn fill(logger: &Logger, producer: &mut Producer) {
    let mut message = Message::of(5);
    let mut before = 0;
    loop {
        (0..100_000).for_each(|_| producer.info(message.number(0)));
        std::thread::sleep(Duration::from_millis(50));
        let delivered =
            logger.report().map_or(0, |r| r.total.accounted() - r.total.total_dropped());
        if delivered == before {
            return;
        }
        before = delivered;
    }
}
