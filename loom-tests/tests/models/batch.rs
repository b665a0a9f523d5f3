//! The frames of a batch are seen together.

use loom::thread;
use millpond_core::Level;
use millpond_core::ring::Entry;
use millpond_loom_tests::{look, outcomes, ring};

use crate::{CAPACITY, LONG, SHORT, STARTS, set, texts};

/// Writes the texts in one batch that publishes by itself after `most` bytes.
fn reached(start: u32, most: u32, written: &'static [&'static str]) -> Vec<Vec<String>> {
    let reached = outcomes(move || {
        let (mut producer, mut consumer) = ring(CAPACITY, start);
        let writer = thread::spawn(move || {
            let mut batch = producer.batch(most, u64::MAX);
            for text in written {
                let entry = Entry::text(Level::Error, 0);
                let inserted = batch.try_insert(entry, text.len() as u32, |claim| {
                    claim.put(text.as_bytes());
                });
                inserted.expect("the model leaves room");
            }
        });
        let early = look(&mut consumer);
        writer.join().unwrap();
        let late = look(&mut consumer);
        assert_eq!([early.clone(), late].concat(), texts(written));
        early
    });
    reached.into_iter().collect()
}

#[test]
fn a_batch_is_seen_at_once_when_it_ends() {
    for start in STARTS {
        assert_eq!(reached(start, 1000, &[SHORT, LONG]), [texts(&[]), texts(&[SHORT, LONG])]);
    }
}

#[test]
fn a_full_batch_is_seen_before_it_ends() {
    let legal = set([texts(&[]), texts(&[SHORT, "2"]), texts(&[SHORT, "2", "3"])]);
    assert_eq!(set([reached(0, 64, &[SHORT, "2", "3"])]), set([legal.into_iter().collect()]));
}
