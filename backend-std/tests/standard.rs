//! The standard logger from end to end, on real threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Handler, HandlerError, Level, Overflow, Records};

type Lines = Arc<Mutex<Vec<(Level, String, Option<Vec<u8>>)>>>;

/// Keeps what it gets.
struct Keep {
    lines: Lines,
    delay: Duration,
}

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        std::thread::sleep(self.delay);
        let mut lines = self.lines.lock().unwrap();
        for record in records {
            let bytes = record.bytes().map(<[u8]>::to_vec);
            lines.push((record.level(), record.message().to_owned(), bytes));
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn keep(delay: Duration) -> (Lines, Box<dyn Handler>) {
    let lines = Lines::default();
    (Arc::clone(&lines), Box::new(Keep { lines, delay }))
}

fn texts(lines: &Lines) -> Vec<String> {
    lines.lock().unwrap().iter().map(|(_, text, _)| text.clone()).collect()
}

#[test]
fn records_arrive_in_order_with_level_and_bytes() {
    let (lines, handler) = keep(Duration::ZERO);
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler]).unwrap();
    logger.info("one");
    logger.debug("below the level");
    logger.error_with("two", b"\x00\xff");
    logger.flush(Duration::from_secs(10)).unwrap();
    let expected = vec![
        (Level::Info, "one".to_owned(), None),
        (Level::Error, "two".to_owned(), Some(vec![0, 255])),
    ];
    assert_eq!(*lines.lock().unwrap(), expected);
    let report = logger.shutdown().unwrap();
    assert_eq!((report.total.attempted, report.total.delivered), (2, 2));
    assert_eq!(logger.shutdown().unwrap(), report, "shutdown may be repeated");
    logger.info("too late");
    assert_eq!(logger.report().unwrap().refused, 1);
}

#[test]
fn threads_that_wait_lose_nothing_and_keep_their_order() {
    const THREADS: usize = 8;
    const EACH: usize = 20_000;
    let (lines, handler) = keep(Duration::ZERO);
    let config = LoggerConfig { buffer_size: 4096, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let logger = &logger;
            scope.spawn(move || {
                for number in 0..EACH {
                    logger.info(&format!("{thread} {number}"));
                }
            });
        }
    });
    let report = logger.shutdown().unwrap();
    assert_eq!(report.total.delivered, (THREADS * EACH) as u64);
    assert!(report.total.is_balanced(0), "{report}");
    let mut next = [0; THREADS];
    for text in texts(&lines) {
        let (thread, number) = text.split_once(' ').unwrap();
        let (thread, number): (usize, usize) = (thread.parse().unwrap(), number.parse().unwrap());
        assert_eq!(number, next[thread], "thread {thread} out of order");
        next[thread] += 1;
    }
    assert_eq!(next, [EACH; THREADS]);
}

#[test]
fn what_is_dropped_is_counted_and_shown() {
    let (lines, handler) = keep(Duration::from_millis(20));
    let config =
        LoggerConfig { buffer_size: 4096, overflow: Overflow::Drop, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    for number in 0..20_000 {
        logger.info(&number.to_string());
    }
    let report = logger.shutdown().unwrap();
    assert!(report.total.total_dropped() > 0);
    assert_eq!(report.total.attempted, 20_000);
    assert!(report.total.is_balanced(0), "{report:?}");
    let told: u64 = texts(&lines)
        .iter()
        .filter(|text| text.contains(" records lost "))
        .map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(told, report.total.total_dropped());
    let delivered = texts(&lines).iter().filter(|text| !text.contains("lost")).count();
    assert_eq!(delivered as u64, report.total.delivered);
}

#[test]
fn long_messages_are_put_together_again() {
    let (lines, handler) = keep(Duration::ZERO);
    let config = LoggerConfig { buffer_size: 64 * 1024, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    let long: String = (0..300_000).map(|i| format!("{i} ")).collect();
    logger.info("before");
    logger.info(&long);
    logger.info("after");
    let report = logger.shutdown().unwrap();
    assert_eq!(texts(&lines), ["before".to_owned(), long, "after".to_owned()]);
    assert_eq!(report.total.attempted, 3);
}

#[test]
fn a_handler_that_panics_or_fails_costs_only_its_own_deliveries() {
    struct Bad(u32);
    impl Handler for Bad {
        fn name(&self) -> &str {
            "bad"
        }
        fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
            self.0 += 1;
            if self.0 == 1 { std::panic::resume_unwind(Box::new("boom")) } else { Err("no".into()) }
        }
    }
    let (lines, handler) = keep(Duration::ZERO);
    let logger =
        Logger::new("app", LoggerConfig::default(), vec![Box::new(Bad(0)), handler]).unwrap();
    logger.info("1");
    logger.flush(Duration::from_secs(10)).unwrap();
    logger.info("2");
    let report = logger.shutdown().unwrap();
    assert_eq!(texts(&lines), ["1", "2"]);
    let bad = report.handlers.iter().find(|handler| handler.name == "bad").unwrap();
    assert_eq!((bad.delivered, bad.failed, bad.stuck), (0, 2, false));
}

#[test]
fn short_lived_threads_hand_their_rings_on() {
    let (lines, handler) = keep(Duration::ZERO);
    let config = LoggerConfig { max_rings: 2, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    for number in 0..100 {
        let logger = logger.clone();
        std::thread::spawn(move || logger.info(&number.to_string())).join().unwrap();
    }
    let report = logger.shutdown().unwrap();
    assert_eq!(lines.lock().unwrap().len(), 100);
    assert_eq!(report.workers[0].rings, 1);
}

#[test]
fn dropping_the_last_handle_delivers() {
    let (lines, handler) = keep(Duration::ZERO);
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler]).unwrap();
    let mut producer = logger.producer().unwrap();
    producer.warning("from a producer");
    drop(producer);
    drop(logger);
    assert_eq!(texts(&lines), ["from a producer"]);
}

/// Each gap puts a line of the collector's own into the batch that is being filled, and a flush
/// does not wait for those that come after it.
#[test]
fn a_flush_ends_while_records_go_on_being_dropped() {
    let (_, handler) = keep(Duration::from_millis(2));
    let config =
        LoggerConfig { buffer_size: 4096, overflow: Overflow::Drop, ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                (0..100).for_each(|_| logger.info("again and again"));
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        for _ in 0..5 {
            assert_eq!(logger.flush(Duration::from_secs(20)), Ok(()));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(logger.shutdown().unwrap().total.total_dropped() > 0);
}
