//! "Performance features": binary serialization, batched operations, zero-copy messaging.

use std::time::Duration;

use millpond::advanced::{LoggerConfig, WorkerLogger};
use millpond::core::frame::{Flags, Frame, HEADER, Header, Kind};
use millpond::core::ring::{Claim, Entry, StaticRing};
use millpond::core::{Batch, Level};
use millpond::{Overflow, standard};

use super::support::{PATIENCE, Place, keep, master};

/// The snippet: time, level, length and then the message, each at a fixed place.
#[test]
fn binary_serialization() {
    let message = b"filled";
    let header = Header {
        length: (HEADER + message.len()) as u32,
        kind: Kind::Text as u8,
        level: Level::Error as u8,
        flags: Flags::NONE,
        ticks: 0x0102_0304_0506_0708,
        sequence: 9,
        site: 0,
    };
    let mut buffer = header.to_bytes().to_vec();
    buffer.extend(message);
    buffer.resize(buffer.len().next_multiple_of(8), 0);
    assert_eq!(buffer[0..4], 30u32.to_le_bytes()); // length
    assert_eq!(buffer[5], Level::Error as u8);
    assert_eq!(buffer[8..16], 0x0102_0304_0506_0708u64.to_le_bytes()); // timestamp
    assert_eq!(&buffer[24..30], message);

    let (frame, taken) = Frame::decode(&buffer).unwrap();
    assert_eq!((frame.header, frame.payload, taken), (header, &message[..], buffer.len()));
}

/// "Master: processes all available messages in single `consume_all()` call".
#[test]
fn one_consume_all_takes_all_that_is_available() {
    let mut ring = StaticRing::<4096, 0>::new();
    let (mut producer, mut consumer) = ring.split();
    for number in 0..50u64 {
        producer.try_insert_text(Level::Info, number, number.to_string().as_bytes()).unwrap();
    }
    let mut batch = Batch::<4096>::new();
    let drained = consumer.consume_all(&mut batch).unwrap();
    assert!(!drained.more && consumer.is_drained());
    let ticks: Vec<_> = batch.frames().map(|frame| frame.unwrap().header.ticks).collect();
    assert_eq!(ticks, (0..50).collect::<Vec<u64>>());
}

/// "Workers: collect logs locally": many records published with one store.
#[test]
fn a_producer_batch_is_published_at_once() {
    let mut ring = StaticRing::<4096, 0>::new();
    let (mut producer, consumer) = ring.split();
    let mut collected = producer.batch(1024, u64::MAX);
    for number in 0..10u64 {
        let fill = |claim: &mut Claim<'_, _>| {
            claim.put(b"collected");
        };
        collected.try_insert(Entry::text(Level::Info, number), 9, fill).unwrap();
    }
    assert!(consumer.is_drained(), "not sent yet");
    drop(collected);
    assert!(!consumer.is_drained());
}

/// "Send batches every 1s (configurable)".
#[test]
fn the_interval_is_one_second_and_configurable() {
    assert_eq!(LoggerConfig::default().flush_interval, Duration::from_secs(1));
    assert_eq!(standard::LoggerConfig::default().flush_interval, Duration::from_secs(1));

    let place = Place::new();
    let flush_interval = Duration::from_millis(5);
    let (quick, seen) = master(&LoggerConfig { flush_interval, ..place.config() });
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    worker.info("comes by itself");
    seen.wait_for("comes by itself");
    quick.shutdown().unwrap();

    // With an hour, only what asks for it comes: an error does.
    let flush_interval = Duration::from_secs(3600);
    let (slow, seen) = master(&LoggerConfig { flush_interval, ..place.config() });
    worker.info("waits");
    worker.error("does not wait");
    seen.wait_for("does not wait");
    assert_eq!(seen.of("w"), ["waits", "does not wait"]);
    slow.shutdown().unwrap();
}

/// "Memory: dynamic buffer growth prevents pre-allocation waste": rings come one by one, with the
/// threads that need them, and are handed on.
#[test]
fn memory_grows_with_the_threads_that_log() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    let rings = || place.rings("r-").len();
    assert_eq!(rings(), 0);
    for threads in [1, 3, 2] {
        let barrier = std::sync::Barrier::new(threads);
        std::thread::scope(|scope| {
            let run = || {
                worker.info("x");
                barrier.wait();
            };
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            // A scope alone does not wait for what a thread does at its very end.
            running.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }
    assert_eq!(rings(), 3, "as many as there were threads at a time");
}

/// A message that is larger than the whole buffer arrives where a call may wait.
#[test]
fn a_message_larger_than_the_buffer_arrives() {
    let (seen, handler) = keep();
    let config = standard::LoggerConfig { buffer_size: 8192, ..Default::default() };
    let logger = standard::Logger::new("app", config, vec![handler]).unwrap();
    let message = "0123456789".repeat(100_000);
    logger.info(&message);
    logger.shutdown().unwrap();
    assert_eq!(seen.of("app"), [message]);
}

/// "MPSC pattern: multiple producers to single consumer": many rings, one collector, and the order
/// of each producer holds.
#[test]
fn multiple_producers_to_a_single_consumer() {
    const EACH: usize = 2000;
    let place = Place::new();
    let (master, seen) = master(&place.config());
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut producer = worker.producer().unwrap();
            scope.spawn(move || {
                (0..EACH).for_each(|number| producer.info(&format!("{thread} {number}")));
            });
        }
    });
    worker.flush(PATIENCE).unwrap();
    let all = seen.of("w");
    assert_eq!(all.len(), 4 * EACH);
    for thread in 0..4 {
        let prefix = format!("{thread} ");
        let numbers = all.iter().filter_map(|line| line.strip_prefix(&prefix));
        assert!(
            numbers.map(|number| number.parse::<usize>().unwrap()).eq(0..EACH),
            "thread {thread}"
        );
    }
    master.shutdown().unwrap();
}

/// "Bounded backlog with backpressure semantics".
#[test]
fn bounded_backlog_with_backpressure() {
    const RECORDS: usize = 20_000;
    let place = Place::new();
    let config = LoggerConfig { buffer_size: 4096, overflow: Overflow::WAIT, ..place.config() };
    let worker = WorkerLogger::new(config, "w").unwrap();
    worker.info("makes the ring");
    let length = || std::fs::metadata(&place.rings("r-")[0]).unwrap().len();
    let bound = length();
    let feeder = {
        let worker = worker.clone();
        std::thread::spawn(move || {
            (0..RECORDS).for_each(|number| worker.info(&number.to_string()));
        })
    };
    // Far more than fits, and nobody drains yet: it waits until somebody does.
    let (master, seen) = master(&place.config());
    feeder.join().unwrap();
    worker.flush(PATIENCE).unwrap();
    assert_eq!(length(), bound);
    assert_eq!(seen.of("w").len(), 1 + RECORDS);
    assert_eq!(master.shutdown().unwrap().total.total_dropped(), 0);
}
