//! Log calls in a row, with the collector at work. `figures` measures the distribution.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use millpond_benches::messages::Message;
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Overflow, SystemClock};

fn calls(c: &mut Criterion) {
    // Without handlers and without waiting: the caller's own work.
    let config = LoggerConfig { overflow: Overflow::Drop, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![]).expect("a logger");
    let mut producer = logger.producer().unwrap();
    let message = Message::of(0);
    let text = message.text();
    let clock = SystemClock::detect();

    let mut group = c.benchmark_group("call");
    group.bench_function("clock alone", |b| b.iter(|| clock.now()));
    group.bench_function("producer", |b| b.iter(|| producer.info(black_box(text))));
    group.bench_function("producer, own stamp", |b| {
        b.iter(|| producer.text_at(millpond_std::Level::Info, 1, black_box(text)));
    });
    group.bench_function("logger", |b| b.iter(|| logger.info(black_box(text))));
    group.bench_function("logger, bytes", |b| {
        b.iter(|| logger.info_with(black_box(text), b"0123456789abcdef"));
    });
    group.bench_function("disabled", |b| b.iter(|| logger.debug(black_box(text))));
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
