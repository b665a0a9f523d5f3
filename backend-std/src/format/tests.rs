use millpond_core::Level;
use millpond_core::callsite::CallSite;
use proptest::prelude::*;

use super::escape::is_harmful;
use super::*;
use crate::testing::{Item, events, records};

const NOON: i64 = 1_795_348_800_123_456_789;

fn lines(pattern: &str, items: &[Item<'_>]) -> String {
    let mut out = Vec::new();
    LineFormat::new(pattern).unwrap().write_lines(&records(items), &mut TimeText::new(), &mut out);
    String::from_utf8(out).unwrap()
}

fn message(message: &(impl AsRef<[u8]> + ?Sized)) -> Item<'_> {
    Item::new(Level::Info, "app", message, NOON)
}

#[test]
fn the_default_line() {
    let shown = lines(LineFormat::DEFAULT_PATTERN, &[message("booted")]);
    assert_eq!(shown, "2026-11-22T12:00:00.123456Z [INFO] app - booted\n");
}

#[test]
fn every_placeholder_is_filled() {
    let pattern = "%(process)d %(thread)s %(levelname)s %(name)s %(asctime)s 100%%: %(message)s";
    let named = Item { process: u32::MAX, thread_name: "io\n1", ..message("x") };
    let numbered = Item { thread: u64::MAX, level: Level::Warning, name: "a\u{9b}b", ..named };
    let numbered = Item { thread_name: "", ..numbered };
    assert_eq!(
        lines(pattern, &[named, numbered]),
        "4294967295 io\\n1 INFO app 2026-11-22T12:00:00.123456Z 100%: x\n\
         4294967295 18446744073709551615 WARNING a\\u{9b}b 2026-11-22T12:00:00.123456Z 100%: x\n"
    );
}

#[test]
fn what_was_cut_and_what_lies_beside_is_told() {
    let cut = Item { original_length: Some(70_000), ..message("begin") };
    let beside = Item { bytes: Some(b"\x00\xff\"\n\\ok"), ..message("failed") };
    let both = Item { original_length: Some(8), bytes: Some(b""), ..message("") };
    assert_eq!(
        lines("%(message)s|", &[cut, beside, both]),
        "begin [truncated, 70000 bytes]|\n\
         failed b\"\\x00\\xff\\\"\\n\\\\ok\"|\n \
         [truncated, 8 bytes] b\"\"|\n"
    );
}

const SITE: CallSite<'static> = CallSite {
    number: 2,
    level: Level::Warning,
    line: 77,
    target: b"shop::\x1borders",
    file: b"shop/src/orders.rs",
    template: b"order {0}: {1}",
    signature: b"Is",
    fields: b"",
};

fn events_shown(pattern: &str, texts: &[&str]) -> String {
    let arguments = texts.iter().zip(1_u32..).map(|(text, number)| {
        let length = text.len() as u32;
        [&number.to_le_bytes(), &length.to_le_bytes()[..], text.as_bytes()].concat()
    });
    let batch = events(LineFormat::default(), &SITE, &arguments.collect::<Vec<_>>());
    let mut out = Vec::new();
    let format = LineFormat::new(pattern).unwrap();
    format.write_lines(&batch, &mut TimeText::new(), &mut out);
    let mut one_by_one = Vec::new();
    for record in &batch {
        format.write_line(&record, &mut TimeText::new(), &mut one_by_one);
    }
    assert_eq!(out, one_by_one);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_event_is_rendered_and_escaped() {
    assert_eq!(
        events_shown(LineFormat::DEFAULT_PATTERN, &["plain", "two\nlines", "grün", "\u{202e}"]),
        "1970-01-01T00:00:00.000000Z [WARNING] app - order 1: plain\n\
         1970-01-01T00:00:00.000001Z [WARNING] app - order 2: two\\nlines\n\
         1970-01-01T00:00:00.000002Z [WARNING] app - order 3: grün\n\
         1970-01-01T00:00:00.000003Z [WARNING] app - order 4: \\u{202e}\n"
    );
}

#[test]
fn lines_of_any_length_are_whole() {
    let text = "0123456789".repeat(900);
    let lengths = (0..9000).step_by(61).chain(3970..4110).chain((0..300).rev());
    let texts: Vec<_> = lengths.map(|length| &text[..length]).collect();
    let shown = events_shown(LineFormat::DEFAULT_PATTERN, &texts);
    for (number, (line, text)) in shown.lines().zip(&texts).enumerate() {
        assert!(line.ends_with(&format!("app - order {}: {text}", number + 1)), "{line}");
    }
    assert_eq!(shown.lines().count(), texts.len());
}

#[test]
fn the_place_of_a_call_is_shown_and_that_of_text_is_a_dash() {
    let pattern = "%(target)s %(pathname)s %(filename)s:%(lineno)d %(message)s";
    assert_eq!(
        events_shown(pattern, &["x"]),
        "shop::\\x1borders shop/src/orders.rs orders.rs:77 order 1: x\n"
    );
    assert_eq!(lines(pattern, &[message("text")]), "- - -:- text\n");
}

#[test]
fn names_of_sources_in_turn() {
    let long = "long".repeat(20);
    let item = |name| Item::new(Level::Info, name, "m", 0);
    let items =
        [item("a"), item("a"), item(&long), item(&long), item("b\n"), item("b\n"), item("a")];
    assert_eq!(
        lines("%(name)s|%(message)s", &items),
        format!("a|m\na|m\n{long}|m\n{long}|m\nb\\n|m\nb\\n|m\na|m\n")
    );
}

#[test]
fn many_sources_and_levels_in_turn() {
    let names: Vec<_> = (0..20).map(|number| format!("worker {number}")).collect();
    let item = |at: usize| {
        let (name, level) = (&names[at % 7 * at % 20], Level::ALL[at % Level::COUNT]);
        Item::new(level, name, "done", NOON + at as i64 * 300_000_000)
    };
    let batch = records(&(0..200).map(item).collect::<Vec<_>>());
    let (format, mut clock) = (LineFormat::default(), TimeText::new());
    let (mut together, mut one_by_one) = (Vec::new(), Vec::new());
    format.write_lines(&batch, &mut clock, &mut together);
    for record in &batch {
        format.write_line(&record, &mut clock, &mut one_by_one);
    }
    assert_eq!(together, one_by_one);
}

#[test]
fn a_message_in_several_parts_is_one_line() {
    let long = "long ".repeat(50_000);
    assert_eq!(lines("%(message)s", &[message(&long)]), format!("{long}\n"));
}

#[test]
fn a_forged_line_stays_in_its_line() {
    let forged = "ok\n2026-11-22T12:00:00.000000Z [ERROR] bank - robbed\r\x1b[2K";
    let shown = lines(LineFormat::DEFAULT_PATTERN, &[message(forged)]);
    assert_eq!(shown.matches('\n').count(), 1);
    assert!(shown.ends_with("robbed\\r\\x1b[2K\n"), "{shown}");
}

#[test]
fn it_goes_through_text_and_configurations_unchanged() {
    let format: LineFormat = "%(message)s \"ü\"\t".parse().unwrap();
    assert_eq!(format.to_string().parse(), Ok(format.clone()));
    assert_eq!(format!("{format:?}"), "LineFormat(\"%(message)s \\\"ü\\\"\\t\")");
    let json = serde_json::to_string(&format).unwrap();
    assert_eq!(json, "\"%(message)s \\\"ü\\\"\\t\"");
    assert_eq!(serde_json::from_str::<LineFormat>(&json).unwrap(), format);
    let error = serde_json::from_str::<LineFormat>("\"%(nope)s\"").unwrap_err().to_string();
    assert!(error.contains("`%(nope)s` at byte 0"), "{error}");
}

#[test]
fn lines_are_appended_and_a_warm_buffer_stays_where_it_is() {
    let batch = records(&[message("first"), message("sec\nond")]);
    let (format, mut clock) = (LineFormat::default(), TimeText::new());
    let mut out = b"before\n".to_vec();
    format.write_lines(&batch, &mut clock, &mut out);
    assert!(out.starts_with(b"before\n20"));
    out.clear();
    let (place, capacity) = (out.as_ptr(), out.capacity());
    format.write_lines(&batch, &mut clock, &mut out);
    assert_eq!((out.as_ptr(), out.capacity()), (place, capacity));
}

fn any_level() -> impl Strategy<Value = Level> {
    prop::sample::select(&Level::ALL[..])
}

/// Bytes in which UTF-8, control characters and broken text are all likely.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100),
        any::<String>().prop_map(String::into_bytes),
        "[a\n\r\t\u{1b}\u{7f}-\u{a0}\u{2020}-\u{2070}]{0,40}".prop_map(String::into_bytes),
        "[ -~\t]{0,80}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn any_record_is_one_harmless_line(
        message in any_message(),
        name in any::<String>(),
        thread_name in any::<String>(),
        level in any_level(),
        timestamp_ns in any::<i64>(),
        bytes in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        original_length in any::<Option<u32>>(),
    ) {
        let item = Item {
            thread_name: &thread_name,
            bytes: bytes.as_deref(),
            original_length,
            ..Item::new(level, &name, &message, timestamp_ns)
        };
        let shown = lines("%(asctime)s %(name)s %(thread)s %(process)d %(message)s", &[item]);
        let line = shown.strip_suffix('\n').unwrap();
        prop_assert!(!line.contains(is_harmful), "{:?}", line);
    }

    #[test]
    fn plain_text_stays_as_it_is(text in "[ -~\t]{0,200}", name in "[ -~\t]{0,20}") {
        let shown = lines("%(name)s: %(message)s", &[Item::new(Level::Info, &name, &text, 0)]);
        prop_assert_eq!(shown, format!("{name}: {text}\n"));
    }

    #[test]
    fn many_records_are_as_many_lines(messages in prop::collection::vec(any_message(), 0..20)) {
        let items: Vec<_> = messages.iter().map(message).collect();
        prop_assert_eq!(lines(LineFormat::DEFAULT_PATTERN, &items).lines().count(), items.len());
    }

    #[test]
    fn any_event_is_one_harmless_line(texts in prop::collection::vec(any::<String>(), 0..20)) {
        let texts: Vec<_> = texts.iter().map(|text| &text[..]).collect();
        let shown = events_shown(LineFormat::DEFAULT_PATTERN, &texts);
        prop_assert_eq!(shown.lines().count(), texts.len());
        prop_assert!(!shown.replace('\n', "").contains(is_harmful), "{:?}", shown);
    }
}
