//! What runs on handler threads, and what their acknowledgement is good for.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use millpond_core::doorbell::Doorbell;
use millpond_std::collector::{self, CollectorConfig, Ending, FoundRing, RingIntake};
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{
    Account, Handler, HandlerError, HeapStorage, Level, LineFormat, OnError, Records, Source,
    SystemClock, heap_ring,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Repeats `look` until it is true.
fn eventually(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::yield_now();
    }
}

/// Each batch takes longer than a tick's interval, and the next one is already there.
#[test]
fn a_handler_is_ticked_between_batches_that_come_without_a_pause() {
    const INTERVAL: Duration = Duration::from_millis(1);
    struct Ticked {
        gate: Receiver<()>,
        ticks: u64,
        /// How many ticks there had been at each batch.
        at_batches: Arc<Mutex<Vec<u64>>>,
    }
    impl Handler for Ticked {
        fn name(&self) -> &str {
            "ticked"
        }
        fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
            self.at_batches.lock().unwrap().push(self.ticks);
            let _ = self.gate.recv(); // fails once the gate is dropped: open for ever
            let start = Instant::now();
            while start.elapsed() <= INTERVAL {
                std::thread::yield_now();
            }
            Ok(())
        }
        fn tick_interval(&self) -> Option<Duration> {
            Some(INTERVAL)
        }
        fn tick(&mut self, _: Instant) -> Result<(), HandlerError> {
            self.ticks += 1;
            Ok(())
        }
    }
    let at_batches = Arc::<Mutex<Vec<u64>>>::default();
    let (open, gate) = channel();
    let handler = Ticked { gate, ticks: 0, at_batches: Arc::clone(&at_batches) };
    let config =
        LoggerConfig { flush_interval: Duration::from_secs(3600), ..LoggerConfig::default() };
    let logger = Logger::new("app", config, vec![Box::new(handler)]).unwrap();
    for number in 0..4 {
        logger.info(&number.to_string());
        // Hands a batch out, and does not wait for a handler that is not durable.
        logger.flush(PATIENCE).unwrap();
    }
    drop(open);
    logger.shutdown().unwrap();
    let at_batches = at_batches.lock().unwrap();
    assert_eq!(at_batches.len(), 4);
    assert!(at_batches.is_sorted_by(|before, after| before < after), "{at_batches:?}");
}

/// One ring that the test writes, and what the collector says of it.
struct OneRing {
    ring: Option<FoundRing<HeapStorage>>,
    doorbell: Doorbell,
    released: Arc<Mutex<Vec<(u64, Account)>>>,
}

impl RingIntake for OneRing {
    type Storage = HeapStorage;

    fn discover(&mut self, found: &mut Vec<FoundRing<HeapStorage>>) {
        found.extend(self.ring.take());
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wait(&mut self, timeout: Duration) {
        std::thread::park_timeout(timeout);
    }

    fn ending(&mut self, _: u64) -> Option<Ending> {
        None
    }

    fn released(&mut self, _: u64, position: u64, account: &Account) {
        self.released.lock().unwrap().push((position, *account));
    }
}

/// A durable handler that finishes one batch for each permit.
struct Gated(Receiver<()>);

impl Handler for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
        let _ = self.0.recv(); // fails once the gate is dropped: open for ever
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A master that starts anew reads on from the position and counts on from the account, so both
/// must be of the same moment, however many batches were handed out meanwhile.
#[test]
fn a_released_position_is_told_with_the_records_acknowledged_up_to_it() {
    const RECORD: u64 = 32; // a header and eight bytes
    const EARLIER: u64 = 100;
    const BATCHES: u64 = 4; // as many as a handler may lag behind
    let (mut producer, consumer) = heap_ring(1 << 16, 0);
    let source =
        Source { name: "app".to_owned(), process: 1, thread: 1, thread_name: String::new() };
    let account = Account::of_earlier(EARLIER, 0, 0, [0; Level::COUNT]);
    let ring = FoundRing { id: 1, consumer, source: source.clone(), account, birth: None };
    let released = Arc::<Mutex<Vec<(u64, Account)>>>::default();
    let intake =
        OneRing { ring: Some(ring), doorbell: Doorbell::new(), released: Arc::clone(&released) };
    let clock = SystemClock::detect();
    let config = CollectorConfig {
        base_level: Level::Trace,
        wake_level: Level::Error,
        flush_interval: Duration::from_millis(1),
        format: LineFormat::default(),
        own: source,
        clock,
        on_error: OnError::default(),
    };
    let (permit, gate) = channel();
    // Nobody wakes the collector; it looks by itself.
    let handlers: Vec<Box<dyn Handler>> = vec![Box::new(Gated(gate))];
    let handle = collector::start(config, intake, handlers, Arc::new(|| {})).unwrap();
    for number in 1..=BATCHES {
        producer.try_insert_text(Level::Info, clock.now(), b"12345678").unwrap();
        eventually("it is handed out", || {
            handle.report().is_some_and(|report| report.total.delivered == EARLIER + number)
        });
    }
    assert!(released.lock().unwrap().is_empty(), "nothing was acknowledged");
    for number in 1..=BATCHES {
        permit.send(()).unwrap();
        eventually("it is released", || released.lock().unwrap().len() as u64 == number);
        let (position, account) = *released.lock().unwrap().last().unwrap();
        assert_eq!((position, account.delivered), (number * RECORD, EARLIER + number));
    }
    handle.shutdown(PATIENCE).unwrap();
}
