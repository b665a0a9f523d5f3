//! What the collector promises whatever producers and handlers do.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use millpond_core::frame::Flags;
use millpond_std::collector::FlushError;
use millpond_std::standard::{Logger, LoggerConfig, ShutdownError};
use millpond_std::{Handler, HandlerError, Level, Overflow, Records, SystemClock};

const PATIENCE: Duration = Duration::from_secs(20);
/// Too short for a handler that waits for us.
const SHORT: Duration = Duration::from_millis(50);

/// Nothing is handed out before a flush asks for it.
fn lazy() -> LoggerConfig {
    LoggerConfig { flush_interval: Duration::from_secs(3600), ..LoggerConfig::default() }
}

/// What a record was, and whether it is flagged as late.
type Seen = Arc<Mutex<Vec<(String, bool)>>>;

/// Keeps what it gets. If it has a gate, each push waits there first.
struct Keep {
    name: &'static str,
    durable: bool,
    seen: Seen,
    gate: Option<Receiver<()>>,
}

impl Handler for Keep {
    fn name(&self) -> &str {
        self.name
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv(); // fails once the gate is dropped: open for ever
        }
        let seen =
            records.iter().map(|r| (r.message().to_owned(), r.flags().contains(Flags::LATE)));
        self.seen.lock().unwrap().extend(seen);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        self.durable
    }
}

fn keep() -> (Seen, Box<dyn Handler>) {
    let seen = Seen::default();
    (Arc::clone(&seen), Box::new(Keep { name: "keep", durable: true, seen, gate: None }))
}

fn gated(name: &'static str, durable: bool) -> (Seen, Sender<()>, Box<dyn Handler>) {
    let (seen, (open, gate)) = (Seen::default(), channel());
    let handler = Keep { name, durable, seen: Arc::clone(&seen), gate: Some(gate) };
    (seen, open, Box::new(handler))
}

fn texts(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().iter().map(|(text, _)| text.clone()).collect()
}

#[test]
fn lying_stamps_wedge_nothing_and_are_flagged() {
    let (seen, handler) = keep();
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler]).unwrap();
    let mut producer = logger.producer().unwrap();
    let now = SystemClock::detect().now();
    producer.info("honest");
    producer.text_at(Level::Info, u64::MAX, "from the end of time");
    producer.text_at(Level::Info, now - 1, "before the one before");
    producer.text_at(Level::Info, 0, "from the beginning of time");
    producer.text_at(Level::Info, u64::MAX / 2, "from the far future");
    logger.flush(PATIENCE).unwrap();
    producer.info("honest again");
    logger.flush(PATIENCE).unwrap();
    let expected = [
        ("honest", false),
        ("from the end of time", true),
        ("before the one before", true),
        ("from the beginning of time", true),
        ("from the far future", true),
        ("honest again", false),
    ];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(text, late)| (text.to_owned(), late)));
    assert!(logger.shutdown().unwrap().total.is_balanced(0));
}

#[test]
fn a_record_that_comes_after_later_ones_were_handed_out_is_flagged() {
    let (seen, handler) = keep();
    let logger = Logger::new("app", lazy(), vec![handler]).unwrap();
    let before = SystemClock::detect().now();
    logger.info("first");
    logger.flush(PATIENCE).unwrap();
    // Of another ring, so that only what was handed out tells that it is late.
    logger.producer().unwrap().text_at(Level::Info, before, "second, stamped before");
    logger.flush(PATIENCE).unwrap();
    let expected = [("first".to_owned(), false), ("second, stamped before".to_owned(), true)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn the_records_of_two_threads_come_out_in_the_order_of_time() {
    const TURNS: usize = 1000;
    let (seen, handler) = keep();
    let logger = Logger::new("app", lazy(), vec![handler]).unwrap();
    let (to_odd, from_even) = channel();
    let (to_even, from_odd) = channel();
    to_even.send(0).unwrap();
    std::thread::scope(|scope| {
        for (turns, next) in [(from_odd, to_odd), (from_even, to_even)] {
            let logger = &logger;
            scope.spawn(move || {
                while let Ok(turn) = turns.recv() {
                    logger.info(&format!("{turn}"));
                    if turn + 1 >= TURNS || next.send(turn + 1).is_err() {
                        return;
                    }
                }
            });
        }
    });
    logger.flush(PATIENCE).unwrap();
    let expected: Vec<_> = (0..TURNS).map(|turn| turn.to_string()).collect();
    assert_eq!(texts(&seen), expected);
    assert_eq!(logger.shutdown().unwrap().workers[0].rings, 2);
}

#[test]
fn flush_waits_for_durable_handlers_and_names_the_slow_one() {
    let (_, fast) = keep();
    let (seen, open, slow) = gated("slow", true);
    let logger = Logger::new("app", LoggerConfig::default(), vec![fast, slow]).unwrap();
    logger.info("one");
    let slow = FlushError::Deadline { handlers: vec!["slow".to_owned()] };
    assert_eq!(logger.flush(SHORT), Err(slow.clone()));
    assert!(texts(&seen).is_empty());
    open.send(()).unwrap();
    logger.flush(PATIENCE).unwrap();
    assert_eq!(texts(&seen), ["one"]);

    // So many batches behind that the next one cannot even be handed out.
    for number in 0..10 {
        logger.info(&number.to_string());
        assert_eq!(logger.flush(SHORT), Err(slow.clone()), "{number}");
    }
    drop(open);
    logger.flush(PATIENCE).unwrap();
    assert_eq!(texts(&seen).len(), 11);
    logger.shutdown().unwrap();
}

#[test]
fn flush_does_not_wait_for_a_handler_that_is_not_durable() {
    let (seen, handler) = keep();
    let (slowly_seen, open, chat) = gated("chat", false);
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler, chat]).unwrap();
    for number in 0..20 {
        logger.info(&number.to_string());
        logger.flush(PATIENCE).unwrap();
    }
    assert_eq!(texts(&seen).len(), 20);
    assert!(texts(&slowly_seen).is_empty());
    drop(open);
    let report = logger.shutdown().unwrap();
    let chat = report.handlers.iter().find(|handler| handler.name == "chat").unwrap();
    assert!(chat.dropped > 0, "{chat:?}");
    assert_eq!(chat.delivered + chat.dropped, 20);
    assert_eq!(texts(&slowly_seen).len() as u64, chat.delivered);
}

#[test]
fn shutdown_returns_and_names_a_handler_that_is_stuck() {
    for durable in [true, false] {
        let (seen, handler) = keep();
        let (_, open, stuck) = gated("stuck", durable);
        let shutdown_timeout = Duration::from_millis(300);
        let config = LoggerConfig { shutdown_timeout, ..LoggerConfig::default() };
        let logger = Logger::new("app", config, vec![handler, stuck]).unwrap();
        logger.info("one");
        while texts(&seen).is_empty() {
            let _ = logger.flush(SHORT);
        }
        // The gate stays shut: that this returns at all is what is tested.
        let (handlers, report) = match logger.shutdown() {
            Err(ShutdownError::Stuck { handlers, report }) => (handlers, report),
            other => panic!("nobody was stuck: {other:?}"),
        };
        assert_eq!(handlers, ["stuck"]);
        assert!(report.handlers.iter().any(|handler| handler.name == "stuck" && handler.stuck));
        assert_eq!(texts(&seen), ["one"], "the other handler got it");
        drop(open);
    }
}

#[test]
fn a_handler_that_panics_gets_the_next_batch() {
    struct Panics(Seen);
    impl Handler for Panics {
        fn name(&self) -> &str {
            "panics"
        }
        fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
            for record in records {
                self.0.lock().unwrap().push((record.message().to_owned(), false));
                if record.message() == "bad" {
                    std::panic::resume_unwind(Box::new("no such luck"));
                }
            }
            Ok(())
        }
        fn is_durable(&self) -> bool {
            true
        }
    }
    let seen = Seen::default();
    let handler = Box::new(Panics(Arc::clone(&seen)));
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler]).unwrap();
    for text in ["good", "bad", "good again"] {
        logger.info(text);
        logger.flush(PATIENCE).unwrap();
    }
    assert_eq!(seen.lock().unwrap().len(), 3);
    let report = logger.shutdown().unwrap();
    assert_eq!((report.handlers[0].delivered, report.handlers[0].failed), (2, 1));
}

/// The ring is small, the policy is to wait for ever, and the handler that would make room logs
/// more than fits.
#[test]
fn a_handler_that_logs_does_not_wait_for_itself() {
    struct Talks(Arc<OnceLock<Logger>>);
    impl Handler for Talks {
        fn name(&self) -> &str {
            "talks"
        }
        fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
            for _ in records.iter().filter(|record| record.message() == "from outside") {
                for number in 0..1000 {
                    self.0.get().unwrap().info(&format!("from inside {number}"));
                }
            }
            Ok(())
        }
        fn is_durable(&self) -> bool {
            true
        }
    }
    let itself = Arc::new(OnceLock::new());
    let (seen, handler) = keep();
    let config =
        LoggerConfig { buffer_size: 4096, overflow: Overflow::WAIT, ..LoggerConfig::default() };
    let talks = Box::new(Talks(Arc::clone(&itself)));
    let logger = Logger::new("app", config, vec![talks, handler]).unwrap();
    itself.set(logger.clone()).unwrap();
    for _ in 0..3 {
        logger.info("from outside");
        logger.flush(PATIENCE).unwrap();
    }
    logger.flush(PATIENCE).unwrap();
    let report = logger.shutdown().unwrap();
    assert!(report.total.total_dropped() > 0, "{report}");
    assert!(report.total.is_balanced(0), "{report:?}");
    assert_eq!(texts(&seen).iter().filter(|text| *text == "from outside").count(), 3);
    assert!(texts(&seen).iter().any(|text| text == "from inside 0"));
}
