//! When arguments are evaluated, how often, in which order, and where `?` leads.

use std::cell::{Cell, RefCell};

use millpond::{Level, debug, error, info};

use crate::support::Log;

#[test]
fn arguments_are_evaluated_once_and_in_order() {
    let log = Log::new();
    let seen = RefCell::new(Vec::new());
    let see = |number: u32| {
        seen.borrow_mut().push(number);
        number
    };
    info!(log.logger, "{1} {0} {b} {0:?} {a}", see(1), see(2), a = see(3), b = ?see(4));
    assert_eq!(*seen.borrow(), [1, 2, 3, 4]);
    assert_eq!(log.messages(), ["2 1 4 1 3"]);
}

#[test]
fn nothing_is_evaluated_if_the_level_is_disabled() {
    let log = Log::with_level(Level::Warning);
    let count = Cell::new(0);
    let counted = || count.replace(count.get() + 1);
    info!(log.logger, "{}", counted());
    debug!(log.logger, "", x = counted());
    info!(log.logger, every: counted(), "");
    assert_eq!(count.get(), 0);
    error!(log.logger, "{}", counted());
    assert_eq!((count.get(), log.messages().len()), (1, 1));
}

#[test]
fn question_marks_and_returns_leave_the_function_around() {
    fn failing(log: &Log, text: &str) -> Result<u32, std::num::ParseIntError> {
        info!(log.logger, "parsed {}", text.parse::<u32>()?);
        info!(log.logger, "twice {}", if text.len() > 2 { return Ok(0) } else { 2 });
        Ok(1)
    }
    let log = Log::new();
    assert_eq!(failing(&log, "12"), Ok(1));
    assert_eq!(failing(&log, "123"), Ok(0));
    assert!(failing(&log, "x").is_err());
    for number in 0..3 {
        info!(log.logger, "loop {}", if number == 1 { continue } else { number });
    }
    let messages = ["parsed 12", "twice 2", "parsed 123", "loop 0", "loop 2"];
    assert_eq!(log.messages(), messages);
}

#[test]
fn temporaries_live_as_long_as_the_call() {
    let log = Log::new();
    let lock = std::sync::Mutex::new(String::from("guarded"));
    info!(log.logger, "{} {}", lock.lock().unwrap().as_str(), String::from("temporary").trim());
    info!(log.logger, "{} {}", %lock.lock().unwrap(), ?Some(String::from("x")).as_deref());
    assert_eq!(log.messages(), ["guarded temporary", r#"guarded Some("x")"#]);
}

#[test]
fn arguments_may_log_themselves() {
    let log = Log::new();
    let inner = |number: u32| {
        info!(log.logger, "inner {number}");
        number
    };
    info!(log.logger, "outer {} {}", inner(1), inner(2));
    let mut fast = log.logger.producer().unwrap();
    info!(fast, "outer {}", {
        info!(fast, "inner {}", 3);
        3
    });
    drop(fast);
    let mut messages = log.messages();
    messages.sort_unstable();
    assert_eq!(messages, ["inner 1", "inner 2", "inner 3", "outer 1 2", "outer 3"]);
}

#[test]
fn futures_may_be_awaited() {
    use std::future::ready;
    use std::pin::pin;
    use std::task::{Context, Waker};

    async fn logs(log: &Log) {
        info!(log.logger, "{} {}", ready(1).await, ?ready(2).await);
    }
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let log = Log::new();
    {
        let mut future = pin!(is_send(logs(&log)));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
    assert_eq!(log.messages(), ["1 2"]);
}

#[test]
fn one_call_site_may_log_several_types() {
    fn generic<T: millpond::Capture + std::fmt::Debug>(log: &Log, value: T) {
        info!(log.logger, "got {:?}", value);
    }
    fn constant<const N: usize>(log: &Log) {
        info!(log.logger, "{N} {}", N * 2);
    }
    let log = Log::new();
    for _ in 0..2 {
        generic(&log, 1_u8);
        generic(&log, "text");
        generic(&log, Some(1.5));
        generic(&log, 'c');
        generic(&log, [1_u8, 2]);
        generic(&log, true);
    }
    constant::<3>(&log);
    let once = ["got 1", "got \"text\"", "got Some(1.5)", "got 'c'", "got [1, 2]", "got true"];
    let messages = log.messages();
    assert_eq!(messages[..6], once);
    assert_eq!(messages[6..12], once);
    assert_eq!(messages[12], "3 6");
}
