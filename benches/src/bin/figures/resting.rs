//! What a logger costs that has nothing to do, and the memory that it takes.

use std::time::{Duration, Instant};

use millpond_benches::allocator::{live_bytes, peak_bytes, reset_peak};
use millpond_benches::messages::Message;
use millpond_benches::usage::{process_time, thread_time};
use millpond_handlers::FileHandler;
use millpond_std::heap_ring;
use millpond_std::standard::{Logger, LoggerConfig};
use serde::Serialize;

use crate::Effort;
use crate::spread::Spread;

const RINGS: u32 = 64;

/// The figures of a logger with 64 rings.
#[derive(Serialize)]
pub(crate) struct Resting {
    pub(crate) rings: u32,
    /// Percent of one processor while nothing is logged.
    pub(crate) idle_percent: Spread,
    /// MiB on the heap beside the rings while nothing is logged.
    pub(crate) idle_mib: f64,
    /// The most MiB on the heap beside the rings while all rings are full again and again.
    pub(crate) busy_mib: f64,
    /// MiB of one ring, all that it comes with included.
    pub(crate) ring_mib: f64,
}

pub(crate) fn measure(effort: &Effort) -> anyhow::Result<Resting> {
    let folder = tempfile::tempdir()?;
    // As a standard logger makes them: its buffer, and 64 KiB for call sites.
    let without = live_bytes();
    let one = heap_ring(LoggerConfig::default().buffer_size, 64 * 1024);
    let ring = live_bytes() - without;
    drop(one);
    let before = live_bytes();
    let handler = FileHandler::new(folder.path().join("resting.log"))?;
    let logger = Logger::new("app", LoggerConfig::default(), vec![Box::new(handler)])?;
    let mut producers: Vec<_> = (0..RINGS).map(|_| logger.producer().unwrap()).collect();
    for producer in &mut producers {
        producer.info("here I am");
    }
    logger.flush(Duration::from_secs(10))?;
    std::thread::sleep(Duration::from_millis(200));
    let rings = ring * RINGS as usize;
    let idle_mib = mib((live_bytes() - before).saturating_sub(rings));
    let seconds = effort.idle_seconds;
    let idle_percent = Spread::of((0..5).map(|_| idle(Duration::from_millis(seconds * 200))));

    reset_peak();
    let mut message = Message::of(0);
    for round in 0..2 {
        for producer in &mut producers {
            for number in 0..16_000 {
                producer.info(message.number(round * 16_000 + number));
            }
        }
    }
    logger.flush(Duration::from_secs(60))?;
    let busy_mib = mib(peak_bytes() - before - rings);
    drop(producers);
    logger.shutdown()?;
    Ok(Resting { rings: RINGS, idle_percent, idle_mib, busy_mib, ring_mib: mib(ring) })
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// Percent of one processor that all other threads use.
fn idle(time: Duration) -> f64 {
    let (start, own, all) = (Instant::now(), thread_time(), process_time());
    std::thread::sleep(time);
    let used = (process_time() - all).saturating_sub(thread_time() - own);
    used.as_secs_f64() * 100.0 / start.elapsed().as_secs_f64()
}
