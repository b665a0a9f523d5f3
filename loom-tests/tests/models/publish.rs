//! A record is seen whole, in order, or not at all; also where the data ends, where padding
//! stands, and where positions wrap.

use loom::thread;
use millpond_loom_tests::{insert, look, outcomes, ring};

use crate::{CAPACITY, LONG, SHORT, STARTS, set, texts};

#[test]
fn records_arrive_whole_and_in_order() {
    for start in STARTS {
        let reached = outcomes(move || {
            let (mut producer, mut consumer) = ring(CAPACITY, start);
            let writer = thread::spawn(move || {
                insert(&mut producer, SHORT);
                insert(&mut producer, LONG);
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
        assert_eq!(reached, legal, "from position {start}");
    }
}

#[test]
fn a_second_look_goes_on_where_the_first_ended() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            insert(&mut producer, SHORT);
            insert(&mut producer, LONG);
        });
        let looks = [look(&mut consumer).len(), look(&mut consumer).len()];
        writer.join().unwrap();
        looks
    });
    assert_eq!(reached, set([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [2, 0]]));
}
