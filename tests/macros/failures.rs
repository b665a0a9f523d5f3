//! `Debug` and `Display` that panic, fail, or log themselves.

use std::fmt;

use millpond::info;
use millpond::standard::Logger;

use crate::support::Log;

struct Bomb;

impl fmt::Debug for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bo")?;
        panic!("this is part of the test");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn a_panic_in_debug_is_noted_and_goes_no_further() {
    let log = Log::new();
    info!(log.logger, "{} then {}", ?Bomb, 1);
    info!(log.logger, "and on");
    let mut fast = log.logger.producer().unwrap();
    info!(fast, "{}", ?Bomb);
    drop(fast);
    let mut messages = log.messages();
    messages.sort_unstable();
    let panicked = "Bo [formatting panicked]";
    assert_eq!(messages, [panicked, "Bo [formatting panicked] then 1", "and on"]);
}

#[test]
fn an_error_in_display_is_noted() {
    let log = Log::new();
    info!(log.logger, "{} then {}", %Bomb, 1);
    assert_eq!(log.messages(), [" [formatting failed] then 1"]);
}

struct Talkative<'a>(&'a Logger);

impl fmt::Debug for Talkative<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(self.0, "inner {}", 1);
        f.write_str("Talkative")
    }
}

#[test]
fn a_log_call_inside_debug_is_delivered_or_counted() {
    let log = Log::new();
    info!(log.logger, "first");
    info!(log.logger, "outer {}", ?Talkative(&log.logger));
    info!(log.logger, "last");
    let logger = log.logger.clone();
    let messages = log.messages();
    for message in ["first", "outer Talkative", "last"] {
        assert!(messages.iter().any(|got| got == message), "{messages:?}");
    }
    let report = logger.report().unwrap();
    let inner = messages.iter().filter(|got| *got == "inner 1").count() as u64;
    assert_eq!(report.total.attempted, 4, "{report:?}");
    assert_eq!(inner + report.total.total_dropped(), 1, "{report:?}");
}
