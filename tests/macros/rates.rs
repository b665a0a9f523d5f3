//! Rate control.

use std::cell::Cell;
use std::time::Duration;

use millpond::info;

use crate::support::Log;

/// Longer than any test.
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn every_so_many_calls() {
    let log = Log::new();
    for number in 0..7 {
        info!(log.logger, every: 3, "number {}", number);
    }
    let got: Vec<_> = log.end().into_iter().map(|got| (got.message, got.suppressed)).collect();
    let expected = [("number 0", None), ("number 3", Some(2)), ("number 6", Some(2))];
    assert_eq!(got, expected.map(|(message, count)| (message.to_owned(), count)));
}

#[test]
fn once_in_a_time() {
    let log = Log::new();
    for number in 0..5 {
        info!(log.logger, once_per: HOUR, target: "t", "number {number}");
    }
    assert_eq!(log.messages(), ["number 0"]);
}

#[test]
fn keys_come_in_any_order_and_limits_may_be_computed() {
    let log = Log::new();
    let mut fast = log.logger.producer().unwrap();
    let limit = u64::from(2_u8);
    let evaluated = Cell::new(0);
    for _ in 0..4 {
        info!(fast, every: limit, target: "a", "x {}", evaluated.replace(evaluated.get() + 1));
        info!(fast, target: "b", every: limit + 2, "y");
    }
    drop(fast);
    assert_eq!(evaluated.get(), 2, "what is suppressed is not evaluated");
    let mut got: Vec<_> = log.end().into_iter().map(|got| (got.target, got.message)).collect();
    got.sort_unstable();
    let expected = [("a", "x 0"), ("a", "x 1"), ("b", "y")];
    assert_eq!(got, expected.map(|(target, message)| (target.to_owned(), message.to_owned())));
}

#[test]
fn limited_calls_may_have_many_arguments() {
    let log = Log::new();
    info!(log.logger, every: 1, "{}{}{}{}{}{}{}{}{}{x}", 1, 2, 3, 4, 5, 6, 7, 8, 9, x = ?'x');
    assert_eq!(log.messages(), ["123456789'x'"]);
}
