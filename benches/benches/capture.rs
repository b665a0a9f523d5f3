//! What a call of `info!` costs by its arguments and by what it is given to. The ring is emptied
//! between rows of calls, outside of the time. `figures` measures the distribution.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{debug, info, info_at};

/// Calls in a row. The longest records fill less than half of a ring of 1 MiB, so that no call
/// has to wait or to wake anybody.
const ROW: u64 = 4000;
const PATIENCE: Duration = Duration::from_secs(10);

/// What a call logs: made anew for each, so that the compiler knows nothing about it.
struct Order {
    id: i32,
    quantity: u64,
    price: f64,
    trader: &'static str,
}

/// Calls of one kind into what `log` is.
struct Calls<'a, 'c> {
    group: BenchmarkGroup<'c, WallTime>,
    logger: &'a Logger,
}

impl Calls<'_, '_> {
    fn measure<L>(&mut self, name: &str, log: &mut L, mut call: impl FnMut(&mut L, Order)) {
        self.group.bench_function(name, |b| {
            b.iter_custom(|times| {
                let (mut total, mut left) = (Duration::ZERO, times);
                while left > 0 {
                    let row = left.min(ROW);
                    let start = Instant::now();
                    for number in 0..row {
                        let order = Order {
                            id: black_box(number as i32),
                            quantity: black_box(number),
                            price: black_box(1.5),
                            trader: black_box("somebody"),
                        };
                        call(log, order);
                    }
                    total += start.elapsed();
                    left -= row;
                    self.logger.flush(PATIENCE).expect("an empty ring");
                }
                total
            });
        });
    }
}

fn capture(c: &mut Criterion) {
    // Without handlers: the caller's own work.
    let logger = Logger::new("app", LoggerConfig::default(), vec![]).expect("a logger");
    let mut producer = logger.producer().expect("a producer");
    let (fast, shared) = (&mut producer, &mut &logger);
    let mut group = c.benchmark_group("capture");
    // Flushing takes longer than what is measured.
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    let mut calls = Calls { group, logger: &logger };

    calls.measure("producer, 0 arguments", fast, |log, _| info!(log, "the market is open"));
    calls.measure("producer, 1 argument", fast, |log, Order { quantity, .. }| {
        info!(log, "order {quantity} filled");
    });
    calls.measure("producer, 3 arguments", fast, |log, Order { id, quantity, price, .. }| {
        info!(log, "order {id} qty {quantity} px {price}");
    });
    calls.measure("producer, 8 arguments", fast, |log, Order { id, quantity, price, .. }| {
        info!(log, "{id} {quantity} {price} {} {} {} {} {}", id, quantity, price, id, quantity);
    });
    calls.measure("producer, a text", fast, |log, Order { trader, .. }| {
        info!(log, "{trader} logged in");
    });
    calls.measure("producer, formatted by ?", fast, |log, Order { quantity, .. }| {
        info!(log, "order {} filled", ?quantity);
    });
    calls.measure("producer, own stamp", fast, |log, Order { id, quantity, price, .. }| {
        info_at!(log, quantity, "order {id} qty {quantity} px {price}");
    });
    calls.measure("producer, disabled level", fast, |log, Order { id, quantity, price, .. }| {
        debug!(log, "order {id} qty {quantity} px {price}");
    });

    calls.measure("logger, 0 arguments", shared, |log, _| info!(log, "the market is open"));
    calls.measure("logger, 3 arguments", shared, |log, Order { id, quantity, price, .. }| {
        info!(log, "order {id} qty {quantity} px {price}");
    });
    calls.measure("logger, 8 arguments", shared, |log, Order { id, quantity, price, .. }| {
        info!(log, "{id} {quantity} {price} {} {} {} {} {}", id, quantity, price, id, quantity);
    });
    calls.measure("logger, a text", shared, |log, Order { trader, .. }| {
        info!(log, "{trader} logged in");
    });
    calls.measure("logger, own stamp", shared, |log, Order { id, quantity, price, .. }| {
        info_at!(log, quantity, "order {id} qty {quantity} px {price}");
    });
    calls.measure("logger, disabled level", shared, |log, Order { id, quantity, price, .. }| {
        debug!(log, "order {id} qty {quantity} px {price}");
    });
    calls.group.finish();
    // What was not dropped is what was measured.
    let report = logger.report().expect("a report");
    assert_eq!(report.total.total_dropped(), 0, "{report}");
}

criterion_group!(benches, capture);
criterion_main!(benches);
