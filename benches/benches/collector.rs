//! The collector and the file handler alone: rings that are full, drained into a file in memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::messages::Message;
use millpond_core::doorbell::Doorbell;
use millpond_core::ring::Producer;
use millpond_handlers::FileHandler;
use millpond_std::collector::{self, CollectorConfig, Ending, FoundRing, RingIntake};
use millpond_std::{
    Account, HeapStorage, Level, LineFormat, OnError, Source, SystemClock, heap_ring,
};

const RECORDS: u64 = 100_000;

/// Rings that are found all at once, and a collector that never sleeps.
struct Prepared {
    rings: Vec<FoundRing<HeapStorage>>,
    doorbell: Arc<Doorbell>,
}

impl RingIntake for Prepared {
    type Storage = HeapStorage;

    fn discover(&mut self, found: &mut Vec<FoundRing<HeapStorage>>) {
        found.append(&mut self.rings);
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wait(&mut self, timeout: Duration) {
        std::thread::park_timeout(timeout.min(Duration::from_micros(100)));
    }

    fn ending(&mut self, _: u64) -> Option<Ending> {
        None
    }
}

fn source() -> Source {
    Source { name: "app".to_owned(), process: 1, thread: 1, thread_name: String::new() }
}

/// `busy` rings with `RECORDS` between them, in turn, and `idle` empty ones.
fn rings(busy: usize, idle: usize) -> (Vec<Producer<HeapStorage>>, Vec<FoundRing<HeapStorage>>) {
    let clock = SystemClock::detect();
    let capacity = (RECORDS as usize * 128 / busy).next_power_of_two();
    let all = (0..busy + idle).map(|at| {
        let (producer, consumer) = heap_ring(if at < busy { capacity } else { 4096 }, 0);
        let account = Account::default();
        let id = at as u64;
        (producer, FoundRing { id, consumer, source: source(), account, birth: None })
    });
    let (mut producers, found): (Vec<_>, Vec<_>) = all.unzip();
    let mut message = Message::of(0);
    for number in 0..RECORDS {
        let producer = &mut producers[number as usize % busy];
        let text = message.number(number).as_bytes();
        producer.try_insert_text(Level::Info, clock.now(), text).expect("room");
    }
    (producers, found)
}

/// The time from the start of the collector until everything is in the file.
fn collect(folder: &Path, busy: usize, idle: usize) -> Duration {
    let (_producers, rings) = rings(busy, idle);
    let path = folder.join("collect.log");
    let handler = FileHandler::new(&path).expect("a file");
    let config = CollectorConfig {
        base_level: Level::Trace,
        wake_level: Level::Error,
        flush_interval: Duration::from_secs(1),
        format: LineFormat::default(),
        own: source(),
        clock: SystemClock::detect(),
        on_error: OnError::default(),
    };
    let intake = Prepared { rings, doorbell: Arc::new(Doorbell::new()) };
    let start = Instant::now();
    let collector = collector::start(config, intake, vec![Box::new(handler)], Arc::new(|| {}))
        .expect("threads");
    collector.flush(Duration::from_secs(60)).expect("everything in the file");
    let took = start.elapsed();
    let report = collector.shutdown(Duration::from_secs(60)).expect("an end");
    assert_eq!(report.total.delivered, RECORDS);
    std::fs::remove_file(path).expect("the file");
    took
}

fn collectors(c: &mut Criterion) {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let mut group = c.benchmark_group("collector");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS));
    for (busy, idle) in [(1, 0), (16, 0), (1, 1000)] {
        group.bench_function(format!("{busy} rings and {idle} idle"), |b| {
            b.iter_custom(|times| (0..times).map(|_| collect(folder.path(), busy, idle)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, collectors);
criterion_main!(benches);
