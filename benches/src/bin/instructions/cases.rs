//! The calls that are counted.

use std::hint::black_box;

use anyhow::bail;
use millpond_std::standard::{Logger, LoggerConfig, Producer};
use millpond_std::{Level, debug, info, info_at};

/// All cases but `nothing`, which is subtracted from each.
pub(crate) const NAMES: [&str; 10] = [
    "producer",
    "producer, no argument",
    "producer, 1 argument",
    "producer, 8 arguments",
    "producer, text argument",
    "producer, own stamp",
    "producer, text of 64 bytes",
    "producer, disabled level",
    "logger",
    "logger, disabled level",
];

const TEXT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a call logs: made anew for each, so that the compiler knows nothing about it.
struct Order {
    id: i32,
    quantity: u64,
    price: f64,
}

/// Makes calls of a case.
pub(crate) fn run(case: &str, count: u64) -> anyhow::Result<()> {
    // So large that the ring is not full and nobody needs to be woken before all is counted.
    let config = LoggerConfig { buffer_size: 8 << 20, ..LoggerConfig::default() };
    let log = Logger::new("counted", config, vec![])?;
    let mut producer = log.producer()?;
    producer.never_wake();
    let fast = &mut producer;
    let text = TEXT;
    match case {
        "nothing" => measured(fast, count, |_, _| {}),
        "producer" => measured(fast, count, |fast, Order { id, quantity, price }| {
            info!(fast, "order {} qty {} px {}", id, quantity, price);
        }),
        "producer, no argument" => measured(fast, count, |fast, _| {
            info!(fast, "order");
        }),
        "producer, 1 argument" => measured(fast, count, |fast, order| {
            info!(fast, "order {}", order.quantity);
        }),
        "producer, 8 arguments" => measured(fast, count, |fast, Order { id, quantity, price }| {
            info!(
                fast,
                "{} {} {} {} {} {} {} {}", id, quantity, price, id, quantity, price, id, quantity
            );
        }),
        "producer, text argument" => measured(fast, count, |fast, order| {
            info!(fast, "order {} of {}", order.quantity, black_box("somebody"));
        }),
        "producer, own stamp" => measured(fast, count, |fast, Order { id, quantity, price }| {
            info_at!(fast, quantity, "order {} qty {} px {}", id, quantity, price);
        }),
        "producer, text of 64 bytes" => measured(fast, count, |fast, _| {
            fast.info(black_box(text));
        }),
        "producer, disabled level" => {
            measured(fast, count, |fast, Order { id, quantity, price }| {
                debug!(fast, "order {} qty {} px {}", id, quantity, price);
            })
        }
        "logger" => measured(&mut &log, count, |log, Order { id, quantity, price }| {
            info!(log, "order {} qty {} px {}", id, quantity, price);
        }),
        "logger, disabled level" => {
            measured(&mut &log, count, |log, Order { id, quantity, price }| {
                debug!(log, "order {} qty {} px {}", id, quantity, price);
            })
        }
        unknown => bail!("there is no case {unknown:?}"),
    }
    log.shutdown()?;
    Ok(())
}

/// The loop whose instructions are counted.
#[inline(never)]
fn measured<T>(log: &mut T, count: u64, mut call: impl FnMut(&mut T, Order)) {
    // The first call of a call site does more; it is the same in every run.
    for i in 0..count {
        call(log, Order { id: black_box(i as i32), quantity: black_box(i), price: black_box(1.5) });
    }
}

/// Functions whose sizes differ by a hundred calls, for `size`.
#[inline(never)]
pub(crate) fn sized_1(fast: &mut Producer, log: &Logger) {
    let (id, quantity, price) = black_box((1_i32, 2_u64, 3.5_f64));
    info!(fast, "order {} qty {} px {}", id, quantity, price);
    info!(log, "order {} qty {} px {}", id, quantity, price);
}

macro_rules! ten_times {
    ($($call:tt)*) => {
        $($call)* $($call)* $($call)* $($call)* $($call)*
        $($call)* $($call)* $($call)* $($call)* $($call)*
    };
}

/// As [`sized_1`], with a hundred more calls of the producer.
#[inline(never)]
pub(crate) fn sized_producer(fast: &mut Producer, log: &Logger) {
    let (id, quantity, price) = black_box((1_i32, 2_u64, 3.5_f64));
    info!(fast, "order {} qty {} px {}", id, quantity, price);
    info!(log, "order {} qty {} px {}", id, quantity, price);
    ten_times!(ten_times!(info!(fast, "order {} qty {} px {}", id, quantity, price);););
}

/// As [`sized_1`], with a hundred more calls of the logger.
#[inline(never)]
pub(crate) fn sized_logger(fast: &mut Producer, log: &Logger) {
    let (id, quantity, price) = black_box((1_i32, 2_u64, 3.5_f64));
    info!(fast, "order {} qty {} px {}", id, quantity, price);
    info!(log, "order {} qty {} px {}", id, quantity, price);
    ten_times!(ten_times!(info!(log, "order {} qty {} px {}", id, quantity, price);););
}

/// Keeps the functions above in the program.
pub(crate) fn sized() -> [fn(&mut Producer, &Logger); 3] {
    black_box([sized_1, sized_producer, sized_logger])
}

const _: () = assert!(Level::Info as u8 > Level::Debug as u8, "DEBUG is off by default");
