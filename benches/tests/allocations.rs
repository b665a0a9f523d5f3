//! No log call allocates, whatever it captures, once its call site is known to its ring.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use millpond_benches::allocator::{Counting, allocations};
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Capture, debug, error, info, info_at, native_ticks};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Capture, Debug)]
#[capture(crate = millpond_std)]
struct Order<'a> {
    id: u64,
    venue: &'a str,
    kind: Kind,
    note: Option<String>,
}

#[derive(Capture, Debug)]
#[capture(crate = millpond_std)]
enum Kind {
    Market,
    Limit { price: f64, until: Duration },
}

/// Has a `Display` of its own and is not captured.
struct Route(Vec<&'static str>);

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|hop| write!(f, "/{hop}"))
    }
}

/// Makes a call often. The first time may allocate: the call site gets its number then, and a
/// thread its ring.
fn check(through: &str, what: &str, mut call: impl FnMut()) {
    call();
    let before = allocations();
    for _ in 0..100 {
        call();
    }
    assert_eq!(allocations() - before, 0, "{what} through {through}");
}

fn logger() -> Logger {
    // No call has to wait for room: that is no call like any other.
    let config = LoggerConfig { buffer_size: 32 << 20, ..LoggerConfig::default() };
    Logger::new("app", config, vec![]).expect("a logger")
}

/// What was checked was logged: some thirty calls, a hundred times each.
fn check_report(logger: &Logger) {
    let report = logger.shutdown().expect("an end");
    assert!(report.total.attempted > 2500, "{report}");
    assert_eq!(report.total.total_dropped(), 0, "{report}");
}

/// Checks calls with each of these arguments.
macro_rules! check_each {
    ($through:literal, $log:expr, $($what:literal: ($($call:tt)*);)+) => {
        $(check($through, $what, || info!($log, $($call)*));)+
    };
}

/// Checks all kinds of arguments, for what `$log` is.
macro_rules! check_all {
    ($through:literal, $log:expr) => {
        let (text, string) = ("somebody", String::from("somebody else"));
        let long = "x".repeat(100_000);
        let bytes = vec![0_u8, 0xff, 7];
        let v6 = Ipv6Addr::LOCALHOST;
        let order = Order { id: 7, venue: "xetra", kind: Kind::Market, note: None };
        let kind = Kind::Limit { price: 1.5, until: Duration::from_secs(3) };
        let limit = Order { id: 8, venue: &string, kind, note: Some(string.clone()) };
        let ports = BTreeMap::from([(1, "one"), (2, "two")]);
        let (counted, shared) = (Rc::new(7), Arc::<str>::from(text));
        let route = Route(vec!["lon", "fra"]);
        check_each! { $through, $log,
            "nothing": ("the market is open");
            "signed integers": ("{} {} {} {} {} {}", -1_i8, -2_i16, -3_i32, -4_i64, -5_i128, -6_isize);
            "unsigned integers": ("{} {} {} {} {} {}", 1_u8, 2_u16, 3_u32, 4_u64, 5_u128, 6_usize);
            "numbers that are not zero": ("{}", NonZero::new(7_u32).expect("not zero"));
            "floats": ("{} {:>9.2}", 1.5_f32, f64::NAN);
            "bool and char": ("{} {}", true, 'ß');
            "&str": ("{text}");
            "String": ("{string} {}", &string);
            "Cow": ("{}", Cow::Borrowed(text));
            "a text that is cut": ("{long}");
            "bytes": ("{:?} {:?} {:?}", &bytes[..], bytes, [1_u8, 2]);
            "Option": ("{:?} {:?} {:?}", Some(7_u64), None::<f64>, Some(text));
            "Duration": ("{:?}", Duration::from_millis(1500));
            "addresses": ("{} {v6} {}", Ipv4Addr::LOCALHOST, IpAddr::V6(v6));
            "the thread's id": ("{:?}", std::thread::current().id());
            "pointers": ("{} {counted} {shared}", &&7);
            "a derived struct": ("{order:?} {limit:#?}");
            "by Debug": ("{} {}", ?ports, ?bytes);
            "by Display": ("{}", %route);
            "a long text by Display": ("{}", %long);
            "eight arguments": ("{} {} {} {} {} {} {} {}", 1, 2.5, text, true, 5_u64, 'c', 7_i8, 8);
            "twelve arguments": ("{} {} {} {} {} {} {} {} {} {} {} {}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
            "fields": ("order {id}", id = 7, venue = text, ports = ?ports);
            "a target": (target: "net::gate", "packet {}", 7);
            "one of three": (every: 3, "packet {}", 7);
            "once a minute": (once_per: Duration::from_secs(60), "packet {}", 7);
        }
        check($through, "own stamp", || info_at!($log, native_ticks(), "order {}", 7));
        check($through, "an urgent level", || error!($log, "order {} of {text}", 7));
        check($through, "a disabled level", || debug!($log, "order {} of {}", 7, ?ports));
        check($through, "a text", || $log.info(&string));
        check($through, "a text and bytes", || $log.info_with(text, &bytes));
    };
}

#[test]
fn no_call_through_a_producer_allocates() {
    let logger = logger();
    let mut producer = logger.producer().expect("a producer");
    check_all!("Producer", producer);
    check_report(&logger);
}

#[test]
fn no_call_through_a_logger_allocates() {
    let logger = logger();
    let log = &logger;
    check_all!("&Logger", log);
    check_report(&logger);
}
