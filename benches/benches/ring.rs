//! The ring alone: one record in, many out, and from one thread to another.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::messages::Message;
use millpond_core::{Batch, Level};
use millpond_std::heap_ring;

const CAPACITY: usize = 1 << 20;
type Intake = Batch<{ 64 * 1024 }>;

/// One insertion into a ring that has room; draining it is not measured.
fn insert(c: &mut Criterion) {
    let (mut producer, mut consumer) = heap_ring(CAPACITY, 0);
    let mut batch = Box::new(Intake::new());
    let message = Message::of(0);
    let text = message.text().as_bytes();
    c.benchmark_group("ring").throughput(Throughput::Elements(1)).bench_function("insert", |b| {
        b.iter_custom(|times| {
            let mut total = Duration::ZERO;
            let mut left = times;
            while left > 0 {
                let now = left.min(5000);
                let start = Instant::now();
                for ticks in 0..now {
                    let _ = black_box(producer.try_insert_text(Level::Info, ticks, text));
                }
                total += start.elapsed();
                left -= now;
                while consumer.consume_all(&mut batch).is_ok_and(|drained| drained.more) {
                    batch.clear();
                }
                batch.clear();
                consumer.release(consumer.position());
            }
            total
        });
    });
}

/// Draining a ring of 64-byte texts into a batch, per record.
fn drain(c: &mut Criterion) {
    const RECORDS: u64 = 700; // fill one batch
    let (mut producer, mut consumer) = heap_ring(CAPACITY, 0);
    let mut batch = Box::new(Intake::new());
    let message = Message::of(0);
    let mut group = c.benchmark_group("ring");
    group.throughput(Throughput::Elements(RECORDS)).bench_function("drain", |b| {
        b.iter_custom(|times| {
            let mut total = Duration::ZERO;
            for _ in 0..times {
                for ticks in 0..RECORDS {
                    let text = message.text().as_bytes();
                    producer.try_insert_text(Level::Info, ticks, text).expect("room");
                }
                let start = Instant::now();
                black_box(consumer.consume_all(&mut batch)).expect("an honest producer");
                consumer.release(consumer.position());
                total += start.elapsed();
                batch.clear();
            }
            total
        });
    });
}

/// From a thread that inserts without pause to one that drains without pause, per record.
fn between_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("ring");
    group.throughput(Throughput::Elements(1)).bench_function("between threads", |b| {
        b.iter_custom(|times| {
            let (mut producer, mut consumer) = heap_ring(CAPACITY, 0);
            let start = Instant::now();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    let message = Message::of(0);
                    for ticks in 0..times {
                        let text = message.text().as_bytes();
                        while producer.try_insert_text(Level::Info, ticks, text).is_err() {
                            std::thread::yield_now();
                        }
                    }
                    producer.close();
                });
                let mut batch = Box::new(Intake::new());
                while !consumer.is_finished() {
                    consumer.consume_all(&mut batch).expect("an honest producer");
                    consumer.release(consumer.position());
                    if batch.is_empty() {
                        std::thread::yield_now();
                    }
                    batch.clear();
                }
            });
            start.elapsed()
        });
    });
}

criterion_group!(benches, insert, drain, between_threads);
criterion_main!(benches);
