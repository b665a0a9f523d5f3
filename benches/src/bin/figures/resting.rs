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
    /// The same of a master with 64 workers, where there are masters.
    pub(crate) master: Option<Master>,
}

/// The figures of a master with 64 workers that have logged one record each, all in one process:
/// what the workers use is counted too.
#[derive(Serialize)]
pub(crate) struct Master {
    pub(crate) workers: u32,
    pub(crate) idle_percent: Spread,
    /// MiB on the heap.
    pub(crate) idle_mib: f64,
    /// MiB of shared memory that one worker with one thread uses.
    pub(crate) worker_mib: f64,
}

#[cfg(not(target_os = "linux"))]
fn measure_master(_: &Effort) -> anyhow::Result<Option<Master>> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn measure_master(effort: &Effort) -> anyhow::Result<Option<Master>> {
    use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};

    let shared = std::path::Path::new("/dev/shm");
    if !shared.is_dir() {
        return Ok(None);
    }
    let folder = tempfile::tempdir_in(shared)?;
    let path = folder.path().join("rendezvous");
    let config = LoggerConfig { path: path.display().to_string(), ..Default::default() };
    let before = live_bytes();
    let handler = FileHandler::new(folder.path().join("resting.log"))?;
    let master = MasterLogger::new(config.clone(), vec![Box::new(handler)])?;
    let without_workers = blocks(&path)?;
    let workers = (0..RINGS).map(|number| WorkerLogger::new(config.clone(), &format!("w{number}")));
    let workers: Vec<_> = workers.collect::<Result<_, _>>()?;
    workers.iter().for_each(|worker| worker.info("here I am"));
    std::thread::sleep(Duration::from_millis(500));
    let worker_mib = mib(blocks(&path)? - without_workers) / f64::from(RINGS);
    let idle_mib = mib(live_bytes() - before);
    let slice = Duration::from_millis(effort.idle_seconds * 200);
    let idle_percent = Spread::of((0..5).map(|_| idle(slice)));
    workers.iter().for_each(WorkerLogger::shutdown);
    let report = master.shutdown()?;
    anyhow::ensure!(report.total.delivered == u64::from(RINGS), "{report}");
    Ok(Some(Master { workers: RINGS, idle_percent, idle_mib, worker_mib }))
}

/// Bytes that all files below `folder` take.
#[cfg(target_os = "linux")]
fn blocks(folder: &std::path::Path) -> std::io::Result<usize> {
    use std::os::unix::fs::MetadataExt as _;
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += metadata.blocks() as usize * 512;
        if metadata.is_dir() {
            total += blocks(&entry.path())?;
        }
    }
    Ok(total)
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
    let master = measure_master(effort)?;
    Ok(Resting { rings: RINGS, idle_percent, idle_mib, busy_mib, ring_mib: mib(ring), master })
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
