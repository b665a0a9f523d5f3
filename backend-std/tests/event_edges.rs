//! Events where something is unusual: rings that are full, given up or without a table, types that
//! are too complex, arguments that do not fit, levels that change while others change them.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use millpond_core::Batch;
use millpond_core::callsite::TableReader;
use millpond_core::doorbell::Doorbell;
use millpond_core::frame::Kind;
use millpond_core::ring::{Consumer, Producer as Ring};
use millpond_std::front::{Front, FrontConfig, Producer, RingSupply};
use millpond_std::{Capture, HeapStorage, Level, Overflow, SystemClock, heap_ring, info};

/// Rings that nobody drains but the test.
struct Supply {
    doorbell: Doorbell,
    rings: Mutex<Vec<Consumer<HeapStorage>>>,
    capacity: usize,
    table: usize,
}

impl RingSupply for Supply {
    type Storage = HeapStorage;
    type Error = Infallible;

    fn make_ring(&self) -> Result<Ring<HeapStorage>, Infallible> {
        let (producer, consumer) = heap_ring(self.capacity, self.table);
        self.rings.lock().unwrap().push(consumer);
        Ok(producer)
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wake(&self) {}
}

fn front(capacity: usize, table: usize) -> Front<Supply> {
    let config = FrontConfig {
        base_level: Level::Info,
        wake_level: Level::Error,
        overflow: Overflow::Drop,
        max_rings: 8,
        clock: SystemClock::detect(),
    };
    Front::new(
        config,
        Supply { doorbell: Doorbell::new(), rings: Mutex::default(), capacity, table },
    )
}

/// The kinds and payloads of the records in a ring.
fn records(front: &Front<Supply>, ring: usize) -> Vec<(Kind, Vec<u8>)> {
    let mut rings = front.supply().rings.lock().unwrap();
    let mut records = Vec::new();
    loop {
        let mut batch = Box::new(Batch::<{ 64 * 1024 }>::new());
        let drained = rings[ring].consume_all(&mut batch).unwrap();
        let frames = batch.frames().map(Result::unwrap);
        let frames = frames.map(|frame| (frame.header.kind().unwrap(), frame.payload.to_vec()));
        records.extend(frames.filter(|(kind, _)| kind.is_record()));
        if !drained.more {
            return records;
        }
    }
}

#[test]
fn what_is_formatted_makes_do_with_little_room() {
    let front = front(64 * 1024, 16 * 1024);
    let mut producer = front.producer().unwrap();
    info!(producer, "{}", %"known");
    // Until less is free for INFO than what is formatted may take.
    for _ in 0..54 {
        producer.text(Level::Info, &"x".repeat(1000));
    }
    info!(producer, "{}", %"short");
    let last = records(&front, 0).pop().unwrap();
    assert_eq!(last.0, Kind::Event);
    assert!(last.1.ends_with(b"short"), "{last:?}");
}

macro_rules! great_enum {
    ($name:ident: $($variant:ident)*) => {
        #[derive(Debug, Capture)]
        #[capture(crate = millpond_std)]
        enum $name { $(#[allow(dead_code)] $variant),* }
    };
}

great_enum! { Complex:
    AVariantWithALongNameWhichTakesRoomInASignatureNumberOne00000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberTwo00000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberThree000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberFour0000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberFive0000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberSix00000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberSeven000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberEight000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberNine0000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberTen00000000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberEleven00000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberTwelve00000000000000000000
    AVariantWithALongNameWhichTakesRoomInASignatureNumberThirteen000000000000000000
    Last
}

/// Nor do seventeen options in each other have a reader.
type Deep = Option<Option<Option<Option<Option<Option<Option<Option<Deep8>>>>>>>>;
type Deep8 = Option<Option<Option<Option<Option<Option<Option<Option<Option<u8>>>>>>>>>;

#[test]
fn types_that_are_too_complex_are_said_so_and_keep_no_other_call_site_out() {
    let front = front(64 * 1024, 16 * 1024);
    let mut producer = front.producer().unwrap();
    info!(producer, "before {}", 1);
    info!(producer, "complex {:?} of {}", Complex::Last, 7);
    let deep: Deep = None;
    info!(producer, "deep {:?}", deep);
    info!(producer, "after {}", 2);
    let records = records(&front, 0);
    let kinds: Vec<Kind> = records.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::Event, Kind::Text, Kind::Text, Kind::Event]);
    for (record, template) in records[1..3].iter().zip(["complex {0:?} of {1}", "deep {0:?}"]) {
        let text = format!("{template} [the types of the arguments are too complex]");
        assert_eq!(String::from_utf8_lossy(&record.1), text);
    }
}

#[test]
fn a_new_ring_gets_the_call_site_before_its_first_event() {
    fn log(producer: &mut Producer<Supply>, number: u32) {
        info!(producer, "number {}", number);
    }
    for fills in [false, true] {
        let front = front(4096, 16 * 1024);
        let mut producer = front.producer().unwrap();
        for number in 0..if fills { 200 } else { 1 } {
            log(&mut producer, number);
        }
        front.supply().rings.lock().unwrap()[0].retire();
        // The old ring is noticed when it is looked at: at the latest when it is full.
        for number in 0..200 {
            log(&mut producer, number);
        }
        assert!(records(&front, 1).iter().any(|(kind, _)| *kind == Kind::Event));
        let rings = front.supply().rings.lock().unwrap();
        let mut known = Vec::new();
        let keep = |site: millpond_core::callsite::CallSite<'_>| known.push(site.number);
        TableReader::new().poll(rings[1].storage(), &mut [0; 4096], keep).unwrap();
        assert!(!known.is_empty(), "events without a definition");
    }
}

#[test]
fn an_event_that_travels_as_text_is_split_or_cut_as_text_is() {
    let small = front(4096, 0);
    let mut producer = small.producer().unwrap();
    info!(producer, "{}", "x".repeat(1100));
    let (kind, payload) = records(&small, 0).pop().unwrap();
    assert_eq!((kind, payload.len()), (Kind::Text, 1000));
    assert_eq!(payload[..4], 1100_u32.to_le_bytes(), "the length that it had");
    let large = front(1 << 20, 0);
    let mut producer = large.producer().unwrap();
    info!(producer, "{:>65000} {}", 1, "x".repeat(1000));
    assert_eq!(records(&large, 0).len(), 2, "in two parts");
}

macro_rules! great_struct {
    ($($field:ident)*) => {
        #[derive(Debug, Default, Capture)]
        #[capture(crate = millpond_std)]
        struct Great { $($field: u128),* }
    };
}

great_struct! {
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3
    d4 d5 d6 d7 d8 d9 e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 g0 g1 g2 g3 g4 g5 g6 g7
}

#[test]
fn arguments_that_leave_no_room_for_what_is_formatted_do_no_harm() {
    let front = front(4096, 4096);
    let mut producer = front.producer().unwrap();
    info!(producer, "{:?} {}", Great::default(), %"formatted");
    info!(producer, "and {}", "on");
    assert_eq!(records(&front, 0).len(), 2);
}

#[test]
fn what_is_formatted_leaves_the_room_of_the_texts_alone() {
    let front = front(64 * 1024, 16 * 1024);
    let mut producer = front.producer().unwrap();
    info!(producer, "{} user={}", %"x".repeat(20_000), "bob");
    let (_, arguments) = records(&front, 0).pop().unwrap();
    assert!(arguments.ends_with(b"\x03\0\0\0bob"));
}

/// Whatever wins, it wins for the logger and for its producers.
#[test]
fn a_level_is_the_same_for_logger_and_producer_whoever_sets_it() {
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        let front = front(4096, 0);
        let producer = front.producer().unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for level in [Level::Info, Level::Error, Level::Info, Level::Error] {
                let (front, stop) = (&front, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        front.set_level(level);
                    }
                });
            }
            std::thread::yield_now();
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(front.is_enabled(Level::Info), producer.is_enabled(Level::Info));
        std::thread::scope(|scope| {
            scope.spawn(|| front.set_level(Level::Info));
            front.close();
        });
        assert!(!front.is_enabled(Level::Error) && !producer.is_enabled(Level::Error));
    }
}
