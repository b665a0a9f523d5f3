//! The collector and its handlers alone: rings that are full, drained into a file in memory, or
//! handed out to handlers that do little or nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::messages::Message;
use millpond_core::callsite::CallSite;
use millpond_core::capture::Argument as _;
use millpond_core::doorbell::Doorbell;
use millpond_core::frame::Kind;
use millpond_core::ring::{Entry, Producer};
use millpond_handlers::FileHandler;
use millpond_std::collector::{self, CollectorConfig, Ending, FoundRing, RingIntake};
use millpond_std::{
    Account, Handler, HandlerError, HeapStorage, Level, LineFormat, OnError, Records, Source,
    SystemClock, TimeText, heap_ring,
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

/// Takes everything, and may make lines of it.
#[derive(Default)]
struct Taker {
    makes_lines: bool,
    clock: TimeText,
    lines: Vec<u8>,
}

impl Handler for Taker {
    fn name(&self) -> &str {
        "taker"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        if self.makes_lines {
            self.lines.clear();
            records.format().write_lines(records, &mut self.clock, &mut self.lines);
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn takers(count: usize, makes_lines: bool) -> Vec<Box<dyn Handler>> {
    let taker = |_| -> Box<dyn Handler> { Box::new(Taker { makes_lines, ..Taker::default() }) };
    (0..count).map(taker).collect()
}

/// The call site of all events.
fn site() -> CallSite<'static> {
    CallSite {
        number: 1,
        level: Level::Info,
        line: 7,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: b"order {0} qty {1} px {2}",
        signature: b"iLd",
        fields: b"",
    }
}

/// Inserts an event as a call of `info!` does.
fn insert_event(producer: &mut Producer<HeapStorage>, ticks: u64, number: u64) {
    if producer.known_call_sites() == 0 {
        producer.publish_call_site(&site()).expect("room in the table");
    }
    let arguments = (number as i32, number, number as f64 / 100.0);
    let entry = Entry { kind: Kind::Event, site: 1, ..Entry::text(Level::Info, ticks) };
    let length = arguments.length();
    producer.try_insert(entry, length, |claim| arguments.put(claim)).expect("room in the ring");
}

/// `busy` rings with `RECORDS` texts or events between them, in turn, and `idle` empty ones.
fn rings(
    events: bool,
    busy: usize,
    idle: usize,
) -> (Vec<Producer<HeapStorage>>, Vec<FoundRing<HeapStorage>>) {
    let clock = SystemClock::detect();
    let capacity = (RECORDS as usize * 128 / busy).next_power_of_two();
    let all = (0..busy + idle).map(|at| {
        let (producer, consumer) = heap_ring(if at < busy { capacity } else { 4096 }, 1024);
        let account = Account::default();
        let id = at as u64;
        (producer, FoundRing { id, consumer, source: source(), account, birth: None })
    });
    let (mut producers, found): (Vec<_>, Vec<_>) = all.unzip();
    let mut message = Message::of(0);
    for number in 0..RECORDS {
        let producer = &mut producers[number as usize % busy];
        if events {
            insert_event(producer, clock.now(), number);
        } else {
            let text = message.number(number).as_bytes();
            producer.try_insert_text(Level::Info, clock.now(), text).expect("room");
        }
    }
    (producers, found)
}

/// The time from the start of the collector until its handlers have taken everything.
fn collect(rings: Vec<FoundRing<HeapStorage>>, handlers: Vec<Box<dyn Handler>>) -> Duration {
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
    let collector = collector::start(config, intake, handlers, Arc::new(|| {})).expect("threads");
    collector.flush(Duration::from_secs(60)).expect("everything taken");
    let took = start.elapsed();
    let total = collector.shutdown(Duration::from_secs(60)).expect("an end").total;
    assert_eq!(total.delivered, RECORDS);
    took
}

/// As [`collect`], into a file.
fn collect_into_file(folder: &Path, events: bool, busy: usize, idle: usize) -> Duration {
    let (_producers, rings) = rings(events, busy, idle);
    let path = folder.join("collect.log");
    let handler = FileHandler::new(&path).expect("a file");
    let took = collect(rings, vec![Box::new(handler)]);
    std::fs::remove_file(path).expect("the file");
    took
}

fn collectors(c: &mut Criterion) {
    let shared = Path::new("/dev/shm");
    let memory = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let folder = memory.expect("a folder");
    let mut group = c.benchmark_group("collector");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS));
    for (busy, idle, events) in [(1, 0, false), (16, 0, false), (1, 1000, false), (1, 0, true)] {
        let what = if events { ", events" } else { "" };
        group.bench_function(format!("{busy} rings and {idle} idle{what}"), |b| {
            let once = |_| collect_into_file(folder.path(), events, busy, idle);
            b.iter_custom(|times| (0..times).map(once).sum());
        });
    }
    // What several handlers share when all of them need the lines.
    for makes_lines in [false, true] {
        for handlers in [1, 3] {
            let does = if makes_lines { "make lines" } else { "do nothing" };
            group.bench_function(format!("events to {handlers} that {does}"), |b| {
                let once = |_| {
                    let (_producers, rings) = rings(true, 1, 0);
                    collect(rings, takers(handlers, makes_lines))
                };
                b.iter_custom(|times| (0..times).map(once).sum());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, collectors);
criterion_main!(benches);
