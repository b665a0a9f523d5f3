//! A frame that takes the quick path is seen whole, in order, or not at all.

use loom::thread;
use millpond_core::Level;
use millpond_core::frame::Kind;
use millpond_core::ring::Quick;
use millpond_loom_tests::{look, outcomes, ring};

use crate::{CAPACITY, LONG, SHORT, set, texts};

#[test]
fn quick_records_arrive_whole_and_in_order() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        producer.resume(1000, Level::Error);
        let writer = thread::spawn(move || {
            for text in [SHORT, LONG] {
                let length = text.len() as u32;
                let quick = Quick { kind: Kind::Text, level: Level::Info, site: 0, length };
                let inserted = producer.try_insert_quick(
                    quick,
                    || 0,
                    |claim| {
                        claim.put(text.as_bytes());
                    },
                );
                assert!(inserted, "the model leaves room");
            }
        });
        let early = look(&mut consumer);
        writer.join().unwrap();
        (early, look(&mut consumer))
    });
    let legal = set([
        (texts(&[]), texts(&[SHORT, LONG])),
        (texts(&[SHORT]), texts(&[LONG])),
        (texts(&[SHORT, LONG]), texts(&[])),
    ]);
    assert_eq!(reached, legal);
}
