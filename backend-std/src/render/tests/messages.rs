//! Whole messages.

use std::time::Duration;

use millpond_core::Level;
use millpond_core::capture::{Formatted, Sink, ThreadNumber};

use super::encode::{Payload, definition, message, named, payload, shown, signature};

#[test]
fn the_accessors_say_what_was_defined() {
    let definition = definition(b"a {0}\xff", b"Is", b"x\0y\0");
    assert_eq!(
        (definition.number(), definition.level(), definition.line()),
        (3, Level::Warning, 9)
    );
    assert_eq!((definition.target(), definition.file()), ("shop::\u{fffd}", "src/shop.rs"));
    assert_eq!(definition.template(), "a {0}\u{fffd}");
    assert_eq!(definition.field_names().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(definition.signature(), b"Is");
}

#[test]
fn arguments_in_order_and_in_any_order() {
    let arguments = (7_i32, "seven", 1.5_f64);
    assert_eq!(message("order {0} qty {1} px {2}.", arguments), "order 7 qty seven px 1.5.");
    assert_eq!(message("{2} {0} {1} {2:?} {1:?}", arguments), "1.5 7 seven 1.5 \"seven\"");
    assert_eq!(message("no placeholder", ()), "no placeholder");
    assert_eq!(message("{0}{1}", ("", "")), "");
    let long = "long text ".repeat(10);
    assert_eq!(message(&format!("{long}{{0}}{long}"), 5_u8), format!("{long}5{long}"));
}

#[test]
fn widths_and_precisions_may_be_arguments() {
    assert_eq!(message("{0:1$.2$}|", (1.25, 8_u64, 1_u64)), format!("{:8.1}|", 1.25));
    assert_eq!(message("{1:0$}|", (5_u64, "text")), "text |");
    assert_eq!(message("{0:1$}", (5, u64::MAX)).len(), 65_535, "as wide as std can");
    assert_eq!(message("{0:1$}|{0:.1$}", (5, -7_i32)), "5|5", "no width");
    assert_eq!(message("{0:9$}", 5), "5");
}

#[test]
fn named_arguments_without_a_placeholder_are_appended() {
    let arguments = (1_u8, "x y", 2.0, Some(3_u8), 'c');
    assert_eq!(named("a {0}.", "s\0f\0o\0c\0", arguments), "a 1. s=\"x y\" f=2 o=Some(3) c=c");
    assert_eq!(named("a {1}", "s\0f\0o\0c\0", arguments), "a x y f=2 o=Some(3) c=c");
    assert_eq!(named("{0:1$.2$}", "w\0p\0z\0", (1.25, 5_u64, 1_u64, 0_u8)), "  1.2 z=0");
    assert_eq!(named("", "a\0b\0c\0", (1, 2)), " a=1 b=2", "more names than arguments");
}

#[test]
fn what_was_formatted_is_text_that_is_not_quoted_again() {
    let write = |out: &mut dyn std::fmt::Write| write!(out, "5 \"km\"");
    let length = Formatted::new(&write);
    assert_eq!(
        message("{0}|{0:?}|{0:#?}|{0:>8}|{0:.1}|{0:9?}", length),
        "5 \"km\"|5 \"km\"|5 \"km\"|  5 \"km\"|5|5 \"km\""
    );
    assert_eq!(named("far", "km\0", length), "far km=5 \"km\"");
}

#[test]
fn threads_and_durations() {
    assert_eq!(
        message("{0:?} {0} {0:4?}", ThreadNumber(7)),
        "ThreadId(7) ThreadId(7) ThreadId(   7)"
    );
    assert_eq!(message("{0:#?}", ThreadNumber(7)), "ThreadId(\n    7,\n)");
    assert_eq!(message("{0} {0:.1?}", Duration::from_micros(1_234)), "1.234ms 1.2ms");
}

#[test]
fn what_was_cut_is_told() {
    let mut cut = Payload::default();
    cut.put(&(3 | 1_u32 << 31).to_le_bytes());
    cut.put(&70_000_u32.to_le_bytes());
    cut.put(b"abc");
    let mut formatted = Payload::default();
    formatted.put(&[2, 0, 0, 0, 9, 0, 0, 0, b'h', b'i']);
    let all = [&cut.0[..], &cut.0, &formatted.0].concat();
    let definition = definition(b"{0}, {0:?}, {1:?}, {2}.", b"syF", b"");
    assert_eq!(
        shown(&definition, &all),
        "abc [truncated, 70000 bytes], \"abc\" [truncated, 70000 bytes], \
         [97, 98, 99] [truncated, 70000 bytes], hi [truncated, 9 bytes]."
    );
}

#[test]
fn a_warm_buffer_stays_where_it_is() {
    let definition =
        definition(b"order {0} at {2:>9.2} {1:#?}", &signature::<(&str, Option<u64>, f64)>(), b"");
    let payload = payload(("a \"b\" ü", Some(5_u64), 1e300));
    let mut out = Vec::new();
    definition.write_message(&payload, &mut out);
    out.clear();
    let (place, capacity) = (out.as_ptr(), out.capacity());
    definition.write_message(&payload, &mut out);
    assert_eq!((out.as_ptr(), out.capacity()), (place, capacity));
}

#[test]
fn many_arguments_in_any_order() {
    let template = (0..300).rev().map(|at| format!("{{{at}}} ")).collect::<String>();
    let all: Vec<u8> = (0..300_u32).flat_map(|at| payload(&at.to_string()[..])).collect();
    let definition = definition(template.as_bytes(), &b"s".repeat(300), b"");
    let expected = (0..300).rev().map(|at| format!("{at} ")).collect::<String>();
    assert_eq!(shown(&definition, &all), expected);
}
