//! The collector over rings that the test fills itself.
#![allow(unsafe_code)] // one test scribbles over a ring, as a faulty process would

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use millpond_core::doorbell::Doorbell;
use millpond_core::frame::{Flags, Kind};
use millpond_core::ring::{Entry, Producer};
use millpond_core::storage::{Area, Storage};
use millpond_std::collector::{
    self, CollectorConfig, CollectorHandle, Ending, FoundRing, RingIntake,
};
use millpond_std::{
    Account, Handler, HandlerError, HeapStorage, Level, LineFormat, OnError, Records, Report,
    Source, SystemClock, heap_ring, monotonic_ns,
};

/// Rings that are found all at once.
struct Prepared {
    rings: Vec<FoundRing<HeapStorage>>,
    doorbell: Arc<Doorbell>,
}

impl RingIntake for Prepared {
    type Storage = HeapStorage;

    fn discover(&mut self, found: &mut Vec<FoundRing<HeapStorage>>) {
        found.append(&mut self.rings);
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wait(&mut self, timeout: Duration) {
        std::thread::sleep(timeout.min(Duration::from_millis(1)));
    }

    fn ending(&mut self, _: u64) -> Option<Ending> {
        None
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    timestamp_ns: i64,
    is_late: bool,
    text: String,
}

#[derive(Default)]
struct Kept {
    lines: Vec<Line>,
    batches: usize,
}

struct Keep {
    kept: Arc<Mutex<Kept>>,
    delay: Duration,
}

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        std::thread::sleep(self.delay);
        let mut kept = self.kept.lock().unwrap();
        kept.batches += 1;
        kept.lines.extend(records.iter().map(|record| Line {
            timestamp_ns: record.timestamp_ns(),
            is_late: record.flags().contains(Flags::LATE),
            text: record.message().to_owned(),
        }));
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn source(name: &str) -> Source {
    Source { name: name.to_owned(), process: 1, thread: 1, thread_name: String::new() }
}

/// A ring of a mebibyte times `size`, for the intake and for the test.
fn ring(id: u64, size: usize) -> (Producer<HeapStorage>, FoundRing<HeapStorage>) {
    let (producer, consumer) = heap_ring(size << 20, 0);
    let source = source(&format!("ring {id}"));
    (producer, FoundRing { id, consumer, source, account: Account::default(), birth: None })
}

struct Running {
    collector: CollectorHandle,
    kept: Arc<Mutex<Kept>>,
}

fn start(rings: Vec<FoundRing<HeapStorage>>, delay: Duration, flush_interval: Duration) -> Running {
    let kept = Arc::<Mutex<Kept>>::default();
    let handler = Box::new(Keep { kept: Arc::clone(&kept), delay });
    let config = CollectorConfig {
        base_level: Level::Trace,
        wake_level: Level::Error,
        flush_interval,
        format: LineFormat::default(),
        own: source("collector"),
        clock: SystemClock::monotonic(),
        on_error: OnError::default(),
    };
    let intake = Prepared { rings, doorbell: Arc::new(Doorbell::new()) };
    let collector = collector::start(config, intake, vec![handler], Arc::new(|| {})).unwrap();
    Running { collector, kept }
}

impl Running {
    fn finish(self) -> (Report, Kept) {
        self.collector.flush(Duration::from_secs(60)).unwrap();
        let report = self.collector.shutdown(Duration::from_secs(60)).unwrap();
        let kept = std::mem::take(&mut *self.kept.lock().unwrap());
        (report, kept)
    }
}

fn insert(ring: &mut Producer<HeapStorage>, level: Level, ticks: u64, text: &str) {
    ring.try_insert_text(level, ticks, text.as_bytes()).unwrap();
}

/// One ring has ten times as many records for the same time as the other, so equal amounts of
/// bytes from both reach differently far; and the handler is slow, so the collector has to stop
/// draining now and then.
#[test]
fn a_backlog_is_handed_out_in_order() {
    const COUNT: u64 = 30_000;
    let (mut dense, found_dense) = ring(1, 8);
    let (mut sparse, found_sparse) = ring(2, 8);
    let start_ns = monotonic_ns() - 10_000_000_000;
    let filling = "x".repeat(100);
    for number in 0..COUNT {
        let ticks = start_ns + number * 1000;
        insert(&mut dense, Level::Info, ticks, &format!("dense {number} {filling}"));
        if number % 10 == 0 {
            let text = format!("sparse {number} {filling}{filling}{filling}{filling}{filling}");
            insert(&mut sparse, Level::Info, ticks + 1, &text);
        }
    }
    let running =
        start(vec![found_dense, found_sparse], Duration::from_millis(25), Duration::from_secs(1));
    let (report, kept) = running.finish();
    assert_eq!(report.total.delivered, COUNT + COUNT / 10);
    let late = kept.lines.iter().filter(|line| line.is_late).count();
    assert_eq!(late, 0, "records that came after later ones");
    let number = |line: &Line| line.text.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    let order: Vec<u64> = kept.lines.iter().map(number).collect();
    assert!(order.is_sorted(), "in the order of their stamps");
}

#[test]
fn an_error_hurries_itself_and_not_all_that_follows() {
    let (mut producer, found) = ring(1, 8);
    let running = start(vec![found], Duration::ZERO, Duration::from_secs(20));
    insert(&mut producer, Level::Error, monotonic_ns(), "boom");
    let begin = Instant::now();
    let mut count = 1;
    while begin.elapsed() < Duration::from_millis(300) {
        insert(&mut producer, Level::Info, monotonic_ns(), "calm");
        count += 1;
        let pause = Instant::now();
        while pause.elapsed() < Duration::from_micros(20) {
            std::hint::spin_loop();
        }
    }
    let first = running.kept.lock().unwrap().lines.first().map(|line| line.text.clone());
    assert_eq!(first.as_deref(), Some("boom"), "handed out long before the interval");
    let (report, kept) = running.finish();
    assert_eq!(report.total.delivered, count);
    assert!(kept.batches < 6, "{} batches", kept.batches);
}

#[test]
fn what_stands_before_a_fault_is_delivered() {
    let (mut producer, found) = ring(1, 1);
    let ticks = monotonic_ns();
    for text in ["one", "two", "three"] {
        insert(&mut producer, Level::Info, ticks, text);
    }
    let at = producer.position();
    insert(&mut producer, Level::Info, ticks, "four");
    // SAFETY: nobody else uses the ring now: the collector starts below, and `&mut` to the
    // producer is here. The length lies at the start of the frame.
    unsafe { producer.storage().data().write(at as usize, &3_u32.to_le_bytes()) };
    let running = start(vec![found], Duration::ZERO, Duration::from_secs(1));
    let begin = Instant::now();
    while running.kept.lock().unwrap().lines.len() < 4 && begin.elapsed() < Duration::from_secs(30)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (report, kept) = running.finish();
    let texts: Vec<&str> = kept.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts[..3], ["one", "two", "three"]);
    assert!(texts[3].starts_with("quarantined a ring of ring 1"), "{texts:?}");
    assert_eq!(report.total.delivered, 3);
}

#[test]
fn a_message_whose_beginning_is_lost_is_delivered_and_marked() {
    let (mut producer, found) = ring(1, 1);
    let part = |producer: &mut Producer<HeapStorage>, flags, text: &[u8]| {
        let entry = Entry { flags, ..Entry::text(Level::Info, monotonic_ns()) };
        let most = text.len() as u32;
        producer.try_insert(entry, most, |claim| assert_eq!(claim.put(text), text.len())).unwrap();
    };
    // What an earlier collector has left of a message of three parts, and of one of two.
    part(&mut producer, Flags::CONTINUED | Flags::CONTINUES, b"middle, ");
    part(&mut producer, Flags::CONTINUED, b"end");
    part(&mut producer, Flags::CONTINUED, b"the other end");
    part(&mut producer, Flags::CONTINUES, b"whole, ");
    part(&mut producer, Flags::CONTINUED, b"with both parts");
    let (report, kept) = start(vec![found], Duration::ZERO, Duration::from_secs(60)).finish();
    let lost = "the beginning of the next message was lost with an earlier master";
    let texts: Vec<&str> = kept.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, [lost, "middle, end", lost, "the other end", "whole, with both parts"]);
    assert_eq!((report.total.attempted, report.total.delivered), (3, 3));
}

/// What a faulty writer may say: numbers that are not in the table. The records are shown, not lost,
/// and what follows is not disturbed.
#[test]
fn an_event_of_an_unknown_call_site_is_shown_raw() {
    let (mut producer, found) = ring(1, 1);
    for site in [77, 0, u32::MAX] {
        let entry = Entry { kind: Kind::Event, site, ..Entry::text(Level::Info, monotonic_ns()) };
        let most = 2;
        producer.try_insert(entry, most, |claim| assert_eq!(claim.put(b"\x01\xab"), 2)).unwrap();
    }
    insert(&mut producer, Level::Info, monotonic_ns(), "text");
    let (report, kept) = start(vec![found], Duration::ZERO, Duration::from_secs(60)).finish();
    let texts: Vec<&str> = kept.lines.iter().map(|line| line.text.as_str()).collect();
    let unknown = |site: u32| format!("[call site {site} is not known; raw arguments: 01 ab]");
    assert_eq!(texts, [&unknown(77), &unknown(0), &unknown(u32::MAX), "text"]);
    assert_eq!((report.total.attempted, report.total.delivered), (4, 4));
}

/// A message is given up after its first part, and only events follow: they do not wait for a text
/// that would end it.
#[test]
fn a_message_that_was_given_up_does_not_hold_back_what_follows() {
    let (mut producer, found) = ring(1, 1);
    let entry = Entry { flags: Flags::CONTINUES, ..Entry::text(Level::Info, monotonic_ns()) };
    producer.try_insert(entry, 5, |claim| assert_eq!(claim.put(b"first"), 5)).unwrap();
    producer.drop_record(Level::Info, 1000);
    for _ in 0..20 {
        let entry = Entry { kind: Kind::Event, ..Entry::text(Level::Info, monotonic_ns()) };
        producer.try_insert(entry, 0, |_| {}).unwrap();
    }
    let running = start(vec![found], Duration::ZERO, Duration::from_secs(60));
    let line = producer.storage().producer_line().published();
    let begin = Instant::now();
    while producer.storage().consumer_line().released() != line {
        assert!(begin.elapsed() < Duration::from_secs(30), "never released");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (report, _) = running.finish();
    assert_eq!((report.total.attempted, report.total.delivered), (21, 20));
}
