//! Call sites: what it costs to make them known to whoever reads the ring, and to look for new ones.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_core::Level;
use millpond_core::callsite::{CallSite, TableReader};
use millpond_core::ring::{Consumer, Producer};
use millpond_std::render::Definition;
use millpond_std::standard::{self, Logger, LoggerConfig};
use millpond_std::{HeapStorage, heap_ring, info};

/// Bytes of a table: as the standard logger has it.
const TABLE: usize = 64 * 1024;
/// Call sites that a program of some size uses, and that fit.
const MANY: u32 = 500;
/// Bytes that the collector has for copies of definitions.
const COPIES: usize = 16 * 1024;

fn site(number: u32) -> CallSite<'static> {
    CallSite {
        number,
        level: Level::Info,
        line: 7,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: b"order {0} qty {1} px {2}",
        signature: b"iLd",
        fields: b"",
    }
}

type Ring = (Producer<HeapStorage>, Consumer<HeapStorage>);

/// A ring whose table has so many definitions.
fn ring(definitions: u32) -> Ring {
    let (mut producer, consumer) = heap_ring(4096, TABLE);
    publish(&mut producer, definitions);
    (producer, consumer)
}

fn publish(producer: &mut Producer<HeapStorage>, definitions: u32) {
    for number in 1..=definitions {
        producer.publish_call_site(black_box(&site(number))).expect("room in the table");
    }
}

/// Polls everything that `reader` has not seen.
fn poll(reader: &mut TableReader, ring: &Ring, buffer: &mut [u8]) {
    let each = |site: CallSite<'_>| {
        black_box(site);
    };
    reader.poll(ring.1.storage(), buffer, each).expect("a table as it was written");
}

/// Per definition, into a table that is empty.
fn publishing(c: &mut Criterion) {
    let mut group = c.benchmark_group("call site");
    group.throughput(Throughput::Elements(MANY.into()));
    group.bench_function("publish", |b| {
        b.iter_custom(|times| {
            let measured = (0..times).map(|_| {
                let (mut producer, _consumer) = ring(0);
                let start = Instant::now();
                publish(&mut producer, MANY);
                start.elapsed()
            });
            measured.sum()
        });
    });
    group.finish();
}

/// What the collector does with definitions that are new, and on every pass without any.
fn polling(c: &mut Criterion) {
    let mut group = c.benchmark_group("table");
    let mut buffer = vec![0; COPIES];
    for definitions in [1, 100, MANY] {
        let ring = ring(definitions);
        group.throughput(Throughput::Elements(definitions.into()));
        group.bench_function(format!("{definitions} new"), |b| {
            b.iter(|| poll(&mut TableReader::new(), &ring, &mut buffer));
        });
    }
    let (ring, mut reader) = (ring(MANY), TableReader::new());
    poll(&mut reader, &ring, &mut buffer);
    assert_eq!(reader.known(), MANY);
    group.throughput(Throughput::Elements(1));
    group.bench_function("nothing new", |b| {
        b.iter(|| poll(black_box(&mut reader), &ring, &mut buffer));
    });
    group.bench_function("prepare a definition", |b| {
        b.iter(|| Definition::new(black_box(&site(1))));
    });
    group.finish();
}

macro_rules! ten_times {
    ($($call:tt)*) => {
        $($call)* $($call)* $($call)* $($call)* $($call)*
        $($call)* $($call)* $($call)* $($call)* $($call)*
    };
}

/// The first call in a ring publishes whatever other rings of the process have used before, so
/// that tables are all alike. This is the worst that can happen to a new thread.
fn first_call(c: &mut Criterion) {
    /// Producers of one logger, which has no more than 256 rings.
    const PRODUCERS: u64 = 200;
    let last = |log: &mut standard::Producer| {
        info!(log, "order {} qty {} px {}", black_box(1_i32), black_box(2_u64), black_box(3.5));
    };
    let mut group = c.benchmark_group("first call");
    group.sample_size(10).warm_up_time(Duration::from_millis(50));
    group.measurement_time(Duration::from_millis(100));
    group.bench_function("publishes 100 call sites", |b| {
        b.iter_custom(|times| {
            let (mut total, mut left) = (Duration::ZERO, times);
            while left > 0 {
                let config = LoggerConfig { buffer_size: 4096, ..LoggerConfig::default() };
                let logger = Logger::new("app", config, vec![]).expect("a logger");
                ten_times!(ten_times!(info!(logger, "order {} filled", black_box(1));););
                let now = left.min(PRODUCERS);
                // Kept: a ring that is handed back is handed on with its table.
                let mut producers: Vec<_> =
                    (0..now).map(|_| logger.producer().expect("a ring")).collect();
                let start = Instant::now();
                producers.iter_mut().for_each(last);
                total += start.elapsed();
                left -= now;
            }
            total
        });
    });
    group.finish();
}

criterion_group!(benches, publishing, polling, first_call);
criterion_main!(benches);
