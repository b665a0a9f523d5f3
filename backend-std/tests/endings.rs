//! What the end of a logger leaves behind: no call that nobody counted, and no memory.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use millpond_core::doorbell::Doorbell;
use millpond_core::ring::{Consumer, Producer as Ring};
use millpond_std::collector::{self, CollectorConfig, Ending, FoundRing, RingIntake};
use millpond_std::front::{Front, FrontConfig, RingSupply};
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{
    Account, Handler, HandlerError, HeapStorage, Level, LineFormat, OnError, Overflow, Records,
    Source, SystemClock, heap_ring,
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

/// A durable handler that does nothing until its gate is opened.
struct Gated {
    gate: Receiver<()>,
    seen: Arc<AtomicU64>,
}

impl Handler for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let _ = self.gate.recv(); // fails once the gate is dropped: open for ever
        self.seen.fetch_add(records.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// Each of some threads fills a ring of its own, which nobody empties, and waits for room. Then
/// the logger is shut down, and only then is there room.
#[test]
fn a_call_that_waits_for_room_at_shutdown_is_delivered_or_counted() {
    const THREADS: usize = 8;
    const BUFFER: usize = 4096;
    let text = "x".repeat(600);
    // A thread that has begun so many calls waits, or will do so in the next.
    let fit = {
        let (mut ring, _consumer) = heap_ring(BUFFER, 0);
        let insert = || ring.try_insert_text(Level::Info, 1, text.as_bytes());
        std::iter::repeat_with(insert).take_while(Result::is_ok).count() as u64
    };
    let (open, gate) = channel();
    let seen = Arc::new(AtomicU64::new(0));
    let config = LoggerConfig {
        buffer_size: BUFFER,
        overflow: Overflow::WAIT,
        shutdown_timeout: PATIENCE,
        ..LoggerConfig::default()
    };
    let handler = Gated { gate, seen: Arc::clone(&seen) };
    let logger = Logger::new("app", config, vec![Box::new(handler)]).unwrap();
    let begun: [AtomicU64; THREADS] = Default::default();
    let report = std::thread::scope(|scope| {
        for begun in &begun {
            let (logger, text) = (&logger, &text);
            scope.spawn(move || {
                while logger.is_running() {
                    begun.fetch_add(1, Ordering::Relaxed);
                    logger.info(text);
                }
            });
        }
        for begun in &begun {
            eventually("a thread waits", || begun.load(Ordering::Relaxed) >= fit);
        }
        let shutdown = scope.spawn(|| logger.shutdown().unwrap());
        eventually("the logger is closed", || logger.level().is_none());
        drop(open);
        shutdown.join().unwrap()
    });
    let logged: u64 = begun.iter().map(|begun| begun.load(Ordering::Relaxed)).sum();
    let refused = logger.report().unwrap().refused; // by now, all calls have ended
    assert_eq!(logged, report.total.attempted + refused, "{report}");
    assert!(report.total.is_balanced(0), "{report:?}");
    assert_eq!(seen.load(Ordering::Relaxed), report.total.delivered);
}

/// One ring that the test writes, of a logger that ends in good order.
struct OneRing {
    ring: Option<FoundRing<HeapStorage>>,
    doorbell: Doorbell,
    is_ending: bool,
    /// Passes of the collector since its end began.
    passes: Arc<AtomicU64>,
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
        self.is_ending.then_some(Ending::Orderly)
    }

    fn collector_ends(&mut self) {
        self.is_ending = true;
    }

    fn tick(&mut self, _: &mut dyn FnMut(Level, String)) {
        self.passes.fetch_add(u64::from(self.is_ending), Ordering::Relaxed);
    }
}

/// The same with a call that is slow: there is room long before it looks.
#[test]
fn shutdown_waits_for_a_call_that_waits_for_room() {
    let (mut producer, consumer) = heap_ring(4096, 0);
    let own = Source { name: "app".to_owned(), process: 1, thread: 1, thread_name: String::new() };
    let account = Account::default();
    let ring = FoundRing { id: 1, consumer, source: own.clone(), account, birth: None };
    let passes = Arc::new(AtomicU64::new(0));
    let intake = OneRing {
        ring: Some(ring),
        doorbell: Doorbell::new(),
        is_ending: false,
        passes: Arc::clone(&passes),
    };
    let clock = SystemClock::detect();
    let config = CollectorConfig {
        base_level: Level::Trace,
        wake_level: Level::Error,
        flush_interval: Duration::from_millis(1),
        format: LineFormat::default(),
        own,
        clock,
        on_error: OnError::default(),
    };
    let (seen, (open, gate)) = (Arc::default(), channel());
    drop(open);
    let handlers: Vec<Box<dyn Handler>> = vec![Box::new(Gated { gate, seen: Arc::clone(&seen) })];
    let handle = collector::start(config, intake, handlers, Arc::new(|| {})).unwrap();
    producer.try_insert_text(Level::Info, clock.now(), b"before").unwrap();
    producer.set_in_call(Some(clock.now()));
    let report = std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| handle.shutdown(PATIENCE).unwrap());
        eventually("many passes with nothing to do but wait", || {
            assert!(!shutdown.is_finished(), "nobody waits for the call");
            passes.load(Ordering::Relaxed) > 50
        });
        producer.try_insert_text(Level::Info, clock.now(), b"at last").unwrap();
        producer.set_in_call(None);
        shutdown.join().unwrap()
    });
    assert_eq!((report.total.attempted, report.total.delivered), (2, 2));
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

/// Hands the other ends of its rings to the test. If it has a door, making a ring waits there.
struct Supply {
    doorbell: Doorbell,
    rings: Mutex<Vec<Consumer<HeapStorage>>>,
    door: Option<(Sender<()>, Mutex<Receiver<()>>)>,
    /// Gone with the supply, which is gone with the last handle of the front.
    _alive: Arc<()>,
}

impl RingSupply for Supply {
    type Storage = HeapStorage;
    type Error = Infallible;

    fn make_ring(&self) -> Result<Ring<HeapStorage>, Infallible> {
        if let Some((here, go_on)) = &self.door {
            here.send(()).unwrap();
            let _ = go_on.lock().unwrap().recv(); // fails when the test drops its end
        }
        let (producer, consumer) = heap_ring(4096, 0);
        self.rings.lock().unwrap().push(consumer);
        Ok(producer)
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wake(&self) {}
}

type Door = (Sender<()>, Mutex<Receiver<()>>);

/// A front, and something that is alive as long as anything of it.
fn front(max_rings: usize, door: Option<Door>) -> (Front<Supply>, Weak<()>) {
    let config = FrontConfig {
        base_level: Level::Info,
        wake_level: Level::Error,
        overflow: Overflow::Drop,
        max_rings,
        clock: SystemClock::monotonic(),
    };
    let alive = Arc::new(());
    let weak = Arc::downgrade(&alive);
    let supply = Supply { doorbell: Doorbell::new(), rings: Mutex::default(), door, _alive: alive };
    (Front::new(config, supply), weak)
}

/// The ring leads back to the logger that holds it.
#[test]
fn a_closed_logger_lets_go_of_the_ring_that_its_threads_share() {
    let (front, alive) = front(0, None);
    front.text(Level::Info, "through the shared ring");
    assert_eq!(front.supply().rings.lock().unwrap().len(), 1);
    assert_eq!(front.unrecorded(), [0; Level::COUNT]);
    front.close();
    assert!(alive.upgrade().is_some());
    drop(front);
    assert!(alive.upgrade().is_none(), "something holds the front");
}

/// Closing does not wait for the call that has the ring, so that call must let go of it.
#[test]
fn a_logger_that_is_closed_during_a_call_lets_go_of_the_shared_ring() {
    let (here, arrived) = channel();
    let (let_go, go_on) = channel::<()>();
    let (front, alive) = front(0, Some((here, Mutex::new(go_on))));
    let call = {
        let front = front.clone();
        std::thread::spawn(move || front.text(Level::Info, "through the shared ring"))
    };
    arrived.recv().unwrap();
    front.close();
    drop(let_go);
    call.join().unwrap();
    assert_eq!(front.supply().rings.lock().unwrap().len(), 1);
    drop(front);
    assert!(alive.upgrade().is_none(), "something holds the front");
}

#[test]
fn the_rings_of_threads_are_freed_when_both_the_logger_and_the_threads_have_ended() {
    let (front, alive) = front(8, None);
    let is_closed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (logged, has_logged) = channel();
        for _ in 0..3 {
            let (front, logged, is_closed) = (front.clone(), logged.clone(), &is_closed);
            scope.spawn(move || {
                front.text(Level::Info, "through a ring of its own");
                logged.send(()).unwrap();
                drop(front);
                eventually("the front is closed", || is_closed.load(Ordering::Relaxed));
            });
        }
        (0..3).for_each(|_| has_logged.recv().unwrap());
        assert_eq!(front.supply().rings.lock().unwrap().len(), 3);
        front.close();
        drop(front);
        is_closed.store(true, Ordering::Relaxed);
    });
    // A scope ends before the destructors of its threads' variables.
    eventually("all is freed", || alive.upgrade().is_none());
}
