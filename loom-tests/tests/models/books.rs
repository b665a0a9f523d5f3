//! The books balance: whoever has seen a record also sees it counted, and every loss before it.

use loom::thread;
use millpond_core::Level;
use millpond_core::storage::Storage;
use millpond_loom_tests::{insert, look, outcomes, ring};

use crate::{CAPACITY, SHORT, set};

#[test]
fn one_record_at_most_is_counted_and_not_yet_seen() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || insert(&mut producer, SHORT));
        let seen = look(&mut consumer).len();
        let attempted = consumer.storage().producer_line().attempted();
        writer.join().unwrap();
        (seen, attempted)
    });
    assert_eq!(reached, set([(0, 0), (0, 1), (1, 1)]));
}

#[test]
fn a_loss_is_counted_before_the_record_after_it_is_seen() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            producer.drop_record(Level::Info, 10);
            insert(&mut producer, SHORT);
        });
        let frames = look(&mut consumer).len();
        let line = consumer.storage().producer_line();
        let books = (line.attempted(), line.dropped()[Level::Info.index()], line.dropped_bytes());
        writer.join().unwrap();
        (frames == 2).then_some(books)
    });
    assert_eq!(reached, set([None, Some((2, 1, 10))]));
}
