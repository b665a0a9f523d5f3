//! What is captured and rendered later is what `format!` makes at once.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use millpond::info;

use crate::support::Log;

/// Logs and formats the same, and compares.
macro_rules! same {
    ($($format:tt)*) => {{
        let log = Log::new();
        info!(log.logger, $($format)*);
        assert_eq!(log.messages(), [format!($($format)*)]);
    }};
}

#[test]
fn templates_without_arguments() {
    same!("");
    same!("nothing");
    same!("{{}} and {{0}} and }}{{");
    same!("tab\t quote \" newline\n unicode \u{20ac}");
    same!(r#"raw " \n {{x}}"#);
}

#[test]
fn positions() {
    same!("{} {} {}", 1, "two", '3');
    same!("{0} {1:?} {0:#x} {}", 10, "two");
    same!("{1} {0} {}", 1, 2);
}

#[test]
fn names_and_captures() {
    let (id, px, name) = (7, 101.256, "alice");
    same!("{id} {px:>10.3} {name:?} {id:04}");
    same!("{a} {b} {id} {}", 1, a = 2, b = "3");
    same!("{name:*^11}|{name:<9}|{name:>9}|{name:.2}|{name:€>8.3}|");
    let größe = 3;
    same!("{größe} {größe:?}");
}

#[test]
fn widths_and_precisions() {
    let (w, p, x) = (9, 2, 2.34567);
    same!("{:w$}|{:w$.p$}|{x:w$.p$}|", 1, 2.5);
    same!("{:1$}|{:.*}|", 7, 5, 1.23456);
    same!("{:>1$.3$}|{2}", 1.5, 8, 2, 3);
    same!("{x:.*} {0}", 3);
    same!("{:0$}|{:00$}|{0:1$}", 4, 5);
    same!("{:08.3}|{:+}|{:<08}|{:^9.1e}|", 1.5, 2, 3, 12345.6);
    same!("{:w$} {:p$}", "a", "b", w = 4, p = 6);
}

#[test]
fn numbers() {
    same!("{} {} {} {} {}", i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN);
    same!("{} {} {} {} {}", u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX);
    same!("{} {} {}", isize::MIN, usize::MAX, NonZeroU16::MAX);
    same!("{:x} {:#X} {:o} {:#010b} {:e} {:E}", 255, 255, 8, 5, 1500, 2.5e10);
    same!("{:x} {:b}", -1_i8, -2_i64);
    same!("{:#x?} {:02X?} {:?}", 255, 10, -0.0);
    same!("{} {} {:?} {} {}", 1.0_f32, 0.1_f32, 1e100, f64::NAN, f64::NEG_INFINITY);
    same!("{} {:?} {:5}|", true, false, true);
}

#[test]
fn texts() {
    let (boxed, shared, counted): (Box<str>, Arc<str>, Rc<str>) =
        ("a".into(), "b".into(), "c".into());
    same!("{} {boxed} {shared} {counted} {}", String::from("s"), Cow::from("cow"));
    same!("{:?} {:?} {:5}|{:?}", "q\"uote\n", 'x', 'y', '\'');
    same!("{}", &&&"deep");
}

#[test]
fn other_types() {
    let some = Some(5);
    let none: Option<&str> = None;
    same!("{:?} {none:?} {:#?}", some, Some("x"));
    same!("{:?} {:?}", Duration::from_millis(1500), Duration::from_nanos(1));
    same!("{} {} {}", Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, IpAddr::from([10, 0, 0, 1]));
    same!("{:?} {:?} {:?}", b"bytes", vec![1_u8, 2], &[3_u8][..]);
    same!("{:?}", std::thread::current().id());
    let mut number = 4;
    let changeable = &mut number;
    same!("{changeable} {}", changeable);
}

#[test]
fn many_arguments() {
    same!("{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, 8);
    same!("{}{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, "h", 9);
    same!(
        "{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{a}",
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        a = 9
    );
}
