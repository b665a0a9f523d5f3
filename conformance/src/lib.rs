//! One suite that every ring storage passes: a `static`, the heap, a mapping.
//!
//! The ring is compared with an obvious version of itself, a `VecDeque` of what was inserted, over
//! seeded random sequences of operations, from fresh rings and from rings whose positions are
//! about to wrap.

use std::collections::VecDeque;

use millpond_core::callsite::{CallSite, TableReader};
use millpond_core::frame::{Body, Gap, HEADER, Kind, aligned};
use millpond_core::ring::{Consumer, Entry, Producer, PushError, Quick};
use millpond_core::storage::{Area, Storage};
use millpond_core::{Batch, Level};

/// Makes a ring of at most 64 KiB whose positions stand at the given number, a multiple of 8.
pub trait Make<S: Storage>: Fn(u32) -> (Producer<S>, Consumer<S>) {}
impl<S: Storage, F: Fn(u32) -> (Producer<S>, Consumer<S>)> Make<S> for F {}

/// Runs every check.
///
/// # Panics
///
/// If the storage does not conform.
pub fn check_all<S: Storage>(make: impl Make<S>) {
    for start in [0, 0u32.wrapping_sub(4096), 0u32.wrapping_sub(8)] {
        arrives_in_order_whatever_the_interleaving(&make, start);
        quick_frames_are_like_others(&make, start);
        fills_up_and_recovers(&make, start);
        severe_records_find_room(&make, start);
        losses_are_shown_in_place(&make, start);
        batches_are_invisible_until_published(&make, start);
        a_panic_while_filling_changes_nothing(&make, start);
        the_largest_payload_fits(&make, start);
    }
    statistics_have_one_writer_each(&make);
    call_sites_are_read_back(&make);
    a_closed_ring_says_so(&make);
    a_retired_ring_says_so(&make);
}

type Intake = Batch<{ 64 * 1024 }>;

fn texts(batch: &Intake) -> Vec<Vec<u8>> {
    let records = batch.frames().map(|frame| frame.expect("whole frames"));
    records.filter(|f| f.header.kind() == Some(Kind::Text)).map(|f| f.payload.to_vec()).collect()
}

fn drain<S: Storage>(consumer: &mut Consumer<S>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let mut batch = Box::new(Intake::new());
        let drained = consumer.consume_all(&mut batch).expect("an honest producer");
        let end = batch.as_bytes().len();
        assert_eq!(drained.range, 0..end);
        if end > 0 {
            let behind = drained.position_behind(end);
            assert!(behind <= drained.position, "beyond what was read");
            assert!(drained.position - behind < u64::from(consumer.capacity()) / 4);
        }
        all.extend(texts(&batch));
        if !drained.more {
            return all;
        }
    }
}

fn arrives_in_order_whatever_the_interleaving<S: Storage>(make: &impl Make<S>, start: u32) {
    for seed in 1..=20 {
        let (mut producer, mut consumer) = make(start);
        let mut random = Random(seed);
        let mut model: VecDeque<Vec<u8>> = VecDeque::new();
        let mut next = 0u64;
        for _ in 0..2_000 {
            match random.below(8) {
                0..5 => {
                    let length = random.below(producer.max_payload() / 4) as usize;
                    let mut text = next.to_le_bytes().repeat(length / 8 + 1);
                    text.truncate(length.max(8));
                    match producer.try_insert_text(Level::Error, next, &text) {
                        Ok(()) => {
                            model.push_back(text);
                            next += 1;
                        }
                        Err(PushError::Full { free }) => {
                            let need = aligned((HEADER + text.len()) as u32);
                            let worst = need + producer.capacity() / 4;
                            assert!(free < worst, "{free} bytes are free and {need} do not fit");
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                5..7 => {
                    let mut batch = Box::new(Intake::new());
                    consumer.consume_all(&mut batch).expect("an honest producer");
                    for text in texts(&batch) {
                        assert_eq!(Some(text), model.pop_front());
                    }
                }
                _ => consumer.release(consumer.position()),
            }
        }
        for text in drain(&mut consumer) {
            assert_eq!(Some(text), model.pop_front());
        }
        assert!(model.is_empty(), "records were lost");
        assert_eq!(consumer.storage().producer_line().attempted(), next);
    }
}

/// Frames by both paths, losses and drains in any order: all arrive, numbered through, and what is
/// refused changes nothing.
fn quick_frames_are_like_others<S: Storage>(make: &impl Make<S>, start: u32) {
    for seed in 1..=20 {
        let (mut producer, mut consumer) = make(start);
        let mut random = Random(seed);
        let mut model: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let (mut attempted, mut quick) = (0, 0);
        for _ in 0..4_000 {
            let text = vec![attempted as u8; random.below(300) as usize];
            let length = text.len() as u32;
            let inserted = match random.below(10) {
                0..6 => {
                    let form = Quick { kind: Kind::Text, level: Level::Trace, site: 0, length };
                    let before = producer.position();
                    let inserted = producer.try_insert_quick(
                        form,
                        || attempted,
                        |claim| {
                            claim.put(&text);
                        },
                    );
                    quick += u64::from(inserted);
                    let taken = aligned(HEADER as u32 + length) * u32::from(inserted);
                    assert_eq!(producer.position(), before.wrapping_add(taken));
                    inserted
                }
                6 => {
                    let inserted = producer.try_insert_text(Level::Trace, attempted, &text);
                    let ahead = random.below(2 * producer.capacity());
                    let quiet_below =
                        [Level::Debug, Level::Trace][usize::from(random.below(9) == 0)];
                    producer.resume(producer.position().wrapping_add(ahead), quiet_below);
                    inserted.is_ok()
                }
                7 => {
                    producer.drop_record(Level::Trace, 1);
                    attempted += 1;
                    false
                }
                _ => {
                    let mut batch = Box::new(Intake::new());
                    consumer.consume_all(&mut batch).expect("an honest producer");
                    check_texts(&batch, &mut model);
                    consumer.release(consumer.position());
                    false
                }
            };
            if inserted {
                model.push_back((attempted, text));
                attempted += 1;
            }
        }
        let mut batch = Box::new(Intake::new());
        while consumer.consume_all(&mut batch).expect("an honest producer").more {
            check_texts(&batch, &mut model);
            batch.clear();
        }
        check_texts(&batch, &mut model);
        assert!(model.is_empty(), "records were lost");
        assert!(quick > 500, "the quick path was taken {quick} times");
        assert_eq!(consumer.storage().producer_line().attempted(), attempted);
    }
}

/// Compares the text records of a batch, with their sequence numbers, with what was inserted.
fn check_texts(batch: &Intake, model: &mut VecDeque<(u64, Vec<u8>)>) {
    for frame in batch.frames().map(|frame| frame.expect("whole frames")) {
        if frame.header.kind() == Some(Kind::Text) {
            let sequence = u64::from(frame.header.sequence);
            assert_eq!(frame.header.ticks, sequence);
            assert_eq!(Some((sequence, frame.payload.to_vec())), model.pop_front());
        }
    }
}

fn fills_up_and_recovers<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, mut consumer) = make(start);
    let text = [b'x'; 40];
    let mut inserted = 0;
    while producer.try_insert_text(Level::Error, 0, &text).is_ok() {
        inserted += 1;
    }
    let left = producer.capacity() - consumer.used();
    assert!(left < 64, "{left} bytes are left, enough for one more");

    assert_eq!(drain(&mut consumer).len() as u32, inserted);
    let full = producer.try_insert_text(Level::Error, 0, &text);
    assert_eq!(full, Err(PushError::Full { free: left }), "read is not yet released");

    consumer.release(consumer.position());
    assert_eq!(producer.try_insert_text(Level::Error, 0, &text), Ok(()));
    assert_eq!(drain(&mut consumer), [text]);
}

fn severe_records_find_room<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, _consumer) = make(start);
    let capacity = producer.capacity();
    let mut filled = [0; Level::COUNT];
    for level in Level::ALL {
        while producer.try_insert_text(level, 0, &[0; 8]).is_ok() {}
        filled[level.index()] = producer.used();
    }
    let (mut producer, _consumer) = make(start);
    while producer.try_insert_text(Level::Debug, 0, &[0; 8]).is_ok() {}
    producer.drop_record(Level::Debug, 8);
    let after_a_loss = producer.try_insert_text(Level::Error, 0, &[0; 8]);
    assert_eq!(after_a_loss, Ok(()), "a loss must not cost the reserve");

    let low = capacity / 4 * 3;
    for (filled, limit) in filled.into_iter().zip([low, low, capacity / 8 * 7, capacity, capacity])
    {
        assert!(filled <= limit && limit - filled < 32, "filled {filled} of {limit}");
    }
}

fn losses_are_shown_in_place<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, mut consumer) = make(start);
    producer.try_insert_text(Level::Info, 0, b"before").expect("room");
    producer.drop_record(Level::Debug, 10);
    producer.drop_record(Level::Debug, 10);
    producer.drop_record(Level::Error, 5);
    producer.try_insert_text(Level::Info, 0, b"after").expect("room");
    producer.try_insert_text(Level::Info, 0, b"later").expect("room");

    let mut batch = Box::new(Intake::new());
    consumer.consume_all(&mut batch).expect("an honest producer");
    let frames: Vec<_> = batch.frames().map(|frame| frame.expect("whole")).collect();
    let kinds: Vec<_> = frames.iter().filter_map(|frame| frame.header.kind()).collect();
    assert_eq!(kinds, [Kind::Text, Kind::Gap, Kind::Text, Kind::Text]);
    let expected = Gap { lost: [0, 2, 0, 0, 1] };
    assert_eq!(frames[1].body(), Ok(Some(Body::Gap(expected))));
    let sequences: Vec<_> = frames.iter().map(|frame| frame.header.sequence).collect();
    assert_eq!(sequences, [0, 4, 4, 5], "a loss is a gap in the numbers");

    let line = consumer.storage().producer_line();
    assert_eq!((line.attempted(), line.dropped()), (6, expected.lost));
    assert_eq!(line.dropped_bytes(), 25);
}

fn batches_are_invisible_until_published<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, mut consumer) = make(start);
    let entry = Entry::text(Level::Info, 5);
    {
        let mut batch = producer.batch(100, 10);
        batch.try_insert(entry, 4, |claim| assert_eq!(claim.put(b"one!"), 4)).expect("room");
        assert!(consumer.is_drained(), "published too early");
        batch.publish();
        assert_eq!(drain(&mut consumer), [b"one!"]);

        for text in [b"2", b"3", b"4"] {
            batch.try_insert(entry, 1, |claim| assert_eq!(claim.put(text), 1)).expect("room");
        }
        assert!(consumer.is_drained(), "three frames of 32 bytes are below 100");
        batch.try_insert(entry, 1, |claim| assert_eq!(claim.put(b"5"), 1)).expect("room");
        assert_eq!(drain(&mut consumer).len(), 4, "full: 128 bytes are above 100");

        let late = Entry::text(Level::Info, 10);
        batch.try_insert(late, 1, |claim| assert_eq!(claim.put(b"6"), 1)).expect("room");
        assert_eq!(drain(&mut consumer), [b"6"], "its time was up");
        batch.try_insert(entry, 1, |claim| assert_eq!(claim.put(b"7"), 1)).expect("room");
    }
    assert_eq!(drain(&mut consumer), [b"7"], "dropped");
    assert_eq!(consumer.storage().producer_line().attempted(), 7);
}

fn a_panic_while_filling_changes_nothing<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, mut consumer) = make(start);
    let attempt = std::panic::AssertUnwindSafe(|| {
        producer.try_insert(Entry::text(Level::Info, 0), 100, |claim| {
            claim.put(b"half a rec");
            // Not `panic!`, whose message would clutter the output of every run.
            std::panic::resume_unwind(Box::new(()));
        })
    });
    assert!(std::panic::catch_unwind(attempt).is_err());
    assert!(consumer.is_drained());
    producer.try_insert_text(Level::Info, 0, b"whole").expect("room");
    assert_eq!(drain(&mut consumer), [b"whole"]);
    assert_eq!(consumer.storage().producer_line().attempted(), 1);
}

fn the_largest_payload_fits<S: Storage>(make: &impl Make<S>, start: u32) {
    let (mut producer, mut consumer) = make(start);
    let max = producer.max_payload();
    let text = vec![b'm'; max as usize];
    for _ in 0..10 {
        producer.try_insert_text(Level::Trace, 0, &text).expect("an empty ring has room");
        producer.try_insert_text(Level::Trace, 0, b"shift the next").expect("room");
        assert_eq!(drain(&mut consumer).len(), 2);
        consumer.release(consumer.position());
    }
    let larger = vec![b'l'; max as usize + 1];
    let refused = producer.try_insert_text(Level::Error, 0, &larger);
    assert_eq!(refused, Err(PushError::TooLarge { max }));
}

fn statistics_have_one_writer_each<S: Storage>(make: &impl Make<S>) {
    let (mut producer, consumer) = make(0);
    producer.count_blocked(30);
    producer.count_blocked(20);
    producer.set_in_call(Some(77));
    let line = consumer.storage().producer_line();
    assert_eq!((line.blocked_ns(), line.worst_call_ns()), (50, 30));
    assert_eq!(line.in_call_since(), Some(77));
    producer.set_in_call(None);
    assert_eq!(line.in_call_since(), None);
    producer.storage().producer_line().request_flush(7);
    assert_eq!(line.flush_requests(), 7);
    assert_eq!(consumer.storage().consumer_line().epoch(), 1);
}

fn call_sites_are_read_back<S: Storage>(make: &impl Make<S>) {
    let (mut producer, consumer) = make(0);
    if consumer.storage().table().length() == 0 {
        return;
    }
    let site = |number| CallSite {
        number,
        level: Level::Warning,
        line: 7,
        target: b"suite",
        file: b"lib.rs",
        template: b"{} of {}",
        signature: &[1, 2],
        fields: b"",
    };
    let mut reader = TableReader::new();
    let mut buffer = [0; 4096];
    for number in 1..=3 {
        producer.publish_call_site(&site(number)).expect("room for three");
        let mut seen = Vec::new();
        let polled = reader.poll(consumer.storage(), &mut buffer, |found| {
            seen.push((found.number, found == site(found.number)));
        });
        assert_eq!((polled, seen), (Ok(()), vec![(number, true)]));
    }
    assert_eq!(producer.known_call_sites(), 3);
}

fn a_closed_ring_says_so<S: Storage>(make: &impl Make<S>) {
    let (mut producer, mut consumer) = make(0);
    producer.try_insert_text(Level::Info, 0, b"last").expect("room");
    assert!(!consumer.is_finished());
    producer.close();
    assert!(!consumer.is_finished(), "a record is unread");
    assert_eq!(drain(&mut consumer), [b"last"]);
    assert!(consumer.is_finished());
}

fn a_retired_ring_says_so<S: Storage>(make: &impl Make<S>) {
    let (mut producer, mut consumer) = make(0);
    consumer.retire();
    let refused = std::iter::repeat_with(|| producer.try_insert_text(Level::Error, 0, &[0; 100]))
        .find_map(Result::err);
    assert_eq!(refused, Some(PushError::Retired));
}

/// The generator of Marsaglia, *Xorshift RNGs* (2003): small, seeded, good enough to mix cases.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % bound.max(1)
    }
}
