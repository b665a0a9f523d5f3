//! Each form of a call: levels, keys, arguments, fields.

use millpond::{
    Level, debug, debug_at, error, error_at, info, info_at, trace, trace_at, warn, warn_at,
    warning, warning_at,
};

use crate::support::Log;

#[test]
fn each_level_has_a_macro() {
    let log = Log::new();
    let logger = &log.logger;
    trace!(logger, "a {}", 1);
    debug!(logger, "b {}", 1);
    info!(logger, "c {}", 1);
    warning!(logger, "d {}", 1);
    warn!(logger, "e {}", 1);
    error!(logger, "f {}", 1);
    let got: Vec<_> = log.end().into_iter().map(|got| (got.level, got.message)).collect();
    let expected = [
        (Level::Trace, "a 1"),
        (Level::Debug, "b 1"),
        (Level::Info, "c 1"),
        (Level::Warning, "d 1"),
        (Level::Warning, "e 1"),
        (Level::Error, "f 1"),
    ];
    assert_eq!(got, expected.map(|(level, message)| (level, message.to_owned())));
}

#[test]
fn each_level_has_a_macro_for_own_stamps() {
    let log = Log::new();
    let mut fast = log.logger.producer().unwrap();
    let now = millpond::SystemClock::detect().now();
    trace_at!(fast, now, "a");
    debug_at!(fast, now + 1, "b {}", 1);
    info_at!(fast, now + 2, target: "net", "c {x}", x = 2);
    warning_at!(log.logger, now + 3, "d {}", 1,);
    warn_at!(&log.logger, now + 4, "e");
    error_at!(fast, now + 5, "f {} {} {} {} {} {} {} {} {}", 1, 2, 3, 4, 5, 6, 7, 8, 9);
    let got = log.end();
    let mut messages: Vec<_> = got.iter().map(|got| got.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["a", "b 1", "c 2", "d 1", "e", "f 1 2 3 4 5 6 7 8 9"]);
    assert!(got.iter().any(|got| got.target == "net" && got.level == Level::Info));
}

#[test]
fn a_call_site_knows_where_it_is() {
    let log = Log::new();
    info!(log.logger, "here {}", 1);
    let line = line!() - 1;
    info!(log.logger, target: "net::gate", "there");
    let got = log.end();
    assert_eq!((got[0].target.as_str(), got[0].line), (module_path!(), line));
    assert!(got[0].file.ends_with("forms.rs"));
    assert_eq!((got[1].target.as_str(), got[1].line), ("net::gate", line + 2));
}

#[test]
fn targets_may_be_constants() {
    const TARGET: &str = concat!("net", "::", "gate");
    let log = Log::new();
    info!(log.logger, target: TARGET, "there");
    assert_eq!(log.end()[0].target, "net::gate");
}

#[test]
fn named_arguments_are_fields_and_what_the_template_shows() {
    let log = Log::new();
    let venue = "xetra";
    info!(log.logger, "{} {qty} {venue}", 1_u8, qty = 5_u16, price = 1.5, note = ?Some("x"));
    let got = &log.end()[0];
    assert_eq!(got.message, r#"1 5 xetra price=1.5 note=Some("x")"#);
    assert_eq!(got.template, "{0} {1} {4}");
    let fields = [
        "qty=Unsigned(5, 16)",
        "price=F64(1.5)",
        "note=Formatted([83, 111, 109, 101, 40, 34, 120, 34, 41], None)",
        "venue=Text([120, 101, 116, 114, 97], None)",
    ];
    assert_eq!(got.fields, fields);
}

#[test]
fn fields_may_have_the_names_of_keywords() {
    let log = Log::new();
    info!(log.logger, "{type} {r}", type = 1_u8, r#match = 2_u8, r = "z");
    let got = &log.end()[0];
    assert_eq!(got.message, "1 z match=2");
    assert_eq!(got.fields[..2], ["type=Unsigned(1, 8)", "match=Unsigned(2, 8)"]);
}

#[test]
fn a_named_argument_may_be_shown_by_its_position() {
    let log = Log::new();
    info!(log.logger, "{} {}", 1, b = 2);
    let got = &log.end()[0];
    assert_eq!((got.message.as_str(), got.fields.len()), ("1 2", 1));
}

#[test]
fn values_are_formatted_where_they_are_logged_if_they_have_to() {
    #[derive(Debug)]
    struct Foreign(#[allow(dead_code)] u8);
    impl std::fmt::Display for Foreign {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("shown")
        }
    }
    let log = Log::new();
    let foreign = Foreign(1);
    info!(log.logger, "{} {} {x}", ?foreign, %foreign, x = %foreign);
    info!(log.logger, "{:?} {:>10}|", ?foreign, %Foreign(2));
    info!(log.logger, "{} {}", ?foreign, %format_args!("{:p}", std::ptr::null::<u8>()));
    assert_eq!(
        log.messages(),
        ["Foreign(1) shown shown", "Foreign(1)      shown|", "Foreign(1) 0x0"]
    );
}

#[test]
fn commas_may_trail() {
    let log = Log::new();
    info!(log.logger, "a",);
    info!(log.logger, target: "t", "b {}", 1,);
    info!(log.logger, "c", x = 1,);
    assert_eq!(log.messages(), ["a", "b 1", "c x=1"]);
}
