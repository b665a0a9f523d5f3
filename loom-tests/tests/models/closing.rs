//! Either side may end. Whoever sees a ring closed sees its last record.

use loom::thread;
use millpond_core::ring::PushError;
use millpond_loom_tests::{insert, look, outcomes, ring, try_insert};

use crate::{CAPACITY, LONG, SHORT, set};

#[test]
fn a_ring_is_not_finished_before_its_last_record_is_read() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            insert(&mut producer, SHORT);
            producer.close();
        });
        let read = look(&mut consumer).len();
        let finished = consumer.is_finished();
        writer.join().unwrap();
        let late = look(&mut consumer).len();
        assert_eq!(read + late, 1);
        assert!(consumer.is_finished());
        (read, finished)
    });
    assert_eq!(reached, set([(0, false), (1, false), (1, true)]));
}

#[test]
fn a_ring_with_unread_records_is_never_finished() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            insert(&mut producer, SHORT);
            insert(&mut producer, SHORT);
            producer.close();
        });
        // Nothing is read yet, so seeing the ring closed must mean seeing its tail.
        let finished = consumer.is_finished();
        let read = look(&mut consumer).len();
        writer.join().unwrap();
        (finished, read)
    });
    assert_eq!(reached, set([(false, 0), (false, 1), (false, 2)]));
}

#[test]
fn a_full_ring_that_is_retired_says_so() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        while try_insert(&mut producer, LONG).is_ok() {}
        let writer = thread::spawn(move || try_insert(&mut producer, LONG));
        consumer.retire();
        let refused = writer.join().unwrap();
        assert!(matches!(refused, Err(PushError::Full { free: 0 } | PushError::Retired)));
        refused == Err(PushError::Retired)
    });
    assert_eq!(reached, set([false, true]));
}
