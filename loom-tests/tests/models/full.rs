//! Bytes that are unread, being read or not yet released are never overwritten: tracked memory
//! would report the race. Bytes that are released are found.

use loom::thread;
use millpond_core::Batch;
use millpond_core::ring::PushError;
use millpond_loom_tests::{insert, look, outcomes, ring, try_insert};

use crate::{CAPACITY, LONG, STARTS, set};

/// Of the long frames that fill a ring.
const FRAME: u32 = 64;
const FRAMES: usize = (CAPACITY / FRAME) as usize;

#[test]
fn a_full_ring_takes_a_record_once_all_is_released() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0u32.wrapping_sub(FRAME));
        for _ in 0..FRAMES {
            insert(&mut producer, LONG);
        }
        let writer = thread::spawn(move || try_insert(&mut producer, LONG));
        assert_eq!(look(&mut consumer).len(), FRAMES);
        consumer.release(consumer.position());
        let inserted = writer.join().unwrap();
        assert!(matches!(inserted, Ok(()) | Err(PushError::Full { free: 0 })));
        assert_eq!(look(&mut consumer).len(), inserted.is_ok() as usize);
        inserted.is_ok()
    });
    assert_eq!(reached, set([false, true]));
}

#[test]
fn what_is_read_but_not_released_stays() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        for _ in 0..FRAMES {
            insert(&mut producer, LONG);
        }
        let writer = thread::spawn(move || {
            let first = try_insert(&mut producer, LONG).is_ok();
            let second = try_insert(&mut producer, LONG).is_ok();
            first as u32 + second as u32
        });
        // One frame at a time: while the first is overwritten, the second is being read.
        for _ in 0..2 {
            let mut batch = Batch::<{ FRAME as usize }>::new();
            assert!(consumer.consume_all(&mut batch).expect("an honest producer").more);
            consumer.release(consumer.position());
        }
        let inserted = writer.join().unwrap();
        assert_eq!(look(&mut consumer).len() as u32, FRAMES as u32 - 2 + inserted);
        inserted
    });
    assert_eq!(reached, set([0, 1, 2]));
}

#[test]
fn padding_waits_for_room_too() {
    for start in STARTS {
        let reached = outcomes(move || {
            let (mut producer, mut consumer) = ring(CAPACITY, start);
            let mut filled = 0;
            while try_insert(&mut producer, LONG).is_ok() {
                filled += 1;
            }
            let writer = thread::spawn(move || try_insert(&mut producer, LONG).is_ok());
            assert_eq!(look(&mut consumer).len(), filled);
            consumer.release(consumer.position());
            let inserted = writer.join().unwrap();
            assert_eq!(look(&mut consumer).len(), inserted as usize);
            inserted
        });
        assert_eq!(reached, set([false, true]), "from position {start}");
    }
}
