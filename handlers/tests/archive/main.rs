//! `ArchiveHandler` and `ArchiveReader`: what is written is read, as lines of a `FileHandler`.

mod damage;
mod growing;
#[cfg(target_os = "linux")]
#[path = "../small_disk/mod.rs"]
mod small_disk;
mod support;
#[cfg(target_os = "linux")]
mod system;

use std::fs;
use std::io::Read;
use std::sync::Arc;

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::frame::Flags;
use millpond_handlers::{ArchiveHandler, ArchiveOptions, ArchiveReader, SkipReason, Skipped};
use millpond_std::decode::RecordsBuilder;
use millpond_std::render::Definition;
use millpond_std::testing::{Item, events, records};
use millpond_std::{Handler, LineFormat};
use proptest::collection::vec;
use proptest::prelude::*;
use support::*;

#[test]
fn it_is_durable_and_named_after_its_path_and_opening_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/app.mpa");
    let error = ArchiveHandler::options().create(false).open(&path).unwrap_err();
    assert!(error.is_missing());
    let handler = ArchiveHandler::new(&path).unwrap();
    assert!(handler.is_durable());
    assert_eq!(handler.name(), format!("archive {}", path.display()));
    assert_eq!((handler.path(), fs::read(&path).unwrap().len()), (path.as_path(), 0));
    assert!(ArchiveHandler::new(folder.path()).unwrap_err().is_not_a_file());
}

#[test]
fn every_kind_of_text_is_read_as_it_was_logged() {
    let long = "x€".repeat(100_000);
    let items = [
        Item::new(Level::Trace, "a", "", i64::MIN),
        Item::new(Level::Debug, "b", "two\nlines", -1),
        Item { bytes: Some(b"\x00\xff"), ..Item::new(Level::Info, "a", "bytes", 0) },
        Item { bytes: Some(b""), ..Item::new(Level::Info, "a", &long, 0) },
        Item { original_length: Some(900_000), ..Item::new(Level::Error, "a", &long, 1) },
        Item { process: 9, thread_name: "main", ..Item::new(Level::Error, "a", b"\xff\xfe", 2) },
        Item { thread: 0, ..Item::new(Level::Info, "", "nobody", i64::MAX) },
    ];
    check(&[records(&items), records(&items[..3]), records(&items[4..])]);
}

#[test]
fn events_are_rendered_when_they_are_read() {
    let all: Vec<_> = (0..5000).map(arguments).collect();
    let batch = events(LineFormat::default(), &site(3), &all);
    check(&[batch.clone(), batch]);
}

#[test]
fn a_definition_is_written_once() {
    let batch = events(LineFormat::default(), &site(3), &[arguments(1)]);
    let batches: Vec<_> = std::iter::repeat_n(batch, 10).collect();
    let archive = archive_of(ArchiveHandler::options(), &batches);
    let found = memchr::memmem::find_iter(&archive, b"src/orders.rs").count();
    assert_eq!(found, 1);
}

#[test]
fn everything_is_said_again_after_some_megabytes() {
    let all: Vec<_> = (0..60_000).map(arguments).collect();
    let batch = events(LineFormat::default(), &site(3), &all);
    let batches = [batch.clone(), batch.clone(), batch];
    let archive = archive_of(ArchiveHandler::options(), &batches);
    assert_eq!(memchr::memmem::find_iter(&archive, b"src/orders.rs").count(), 2);
    // Whoever has the end of it alone can read the last section.
    let last = memchr::memmem::rfind(&archive, b"src/orders.rs").unwrap();
    let decoded = decode(&archive[last - 1000..]);
    assert!(decoded.lines.ends_with(lines_of(&batches[2..]).as_str()));
    assert!(!decoded.skipped.is_empty());
}

#[test]
fn what_is_not_known_is_shown_with_its_number_and_bytes() {
    let mut builder = RecordsBuilder::new(LineFormat::default());
    let app = builder.origin(source("app", 1, 1));
    builder.define(app, &Arc::new(Definition::new(&site(8))));
    for number in [7, 8, 9, u32::MAX] {
        builder.push(app, 5, &event(number, Flags::LATE, &arguments(1))).unwrap();
    }
    let batch = builder.finish().unwrap();
    check(std::slice::from_ref(&batch));
    let decoded = decode(&archive_of(ArchiveHandler::options(), &[batch]));
    assert!(decoded.lines.contains("call site 7 is not known; raw arguments: 01 00 00 00"));
    assert!(decoded.lines.contains("call site 4294967295 is not known"));
    assert_eq!(decoded.flags, [Flags::LATE; 4]);
}

#[test]
fn processes_with_one_number_and_other_call_sites_are_told_apart() {
    let mut builder = RecordsBuilder::new(LineFormat::default());
    let other = CallSite { template: b"{0} of another", ..site(1) };
    let origins = [(Some(site(1)), 1), (Some(other), 2), (None, 3), (Some(site(1)), 4)];
    let origins = origins.map(|(site, thread)| {
        let origin = builder.origin(source("app", 1, thread));
        site.iter().for_each(|site| builder.define(origin, &Arc::new(Definition::new(site))));
        origin
    });
    for round in 0..3 {
        for origin in origins {
            builder.push(origin, round, &event(1, Flags::NONE, &arguments(round as u32))).unwrap();
        }
    }
    check(&[builder.finish().unwrap()]);
}

#[test]
fn a_longer_definition_than_an_envelope_finds_its_place() {
    let long = vec![b'x'; 60_000];
    let site = CallSite { target: &long, file: &long, ..site(1) };
    check(&[texts(&["before"]), events(LineFormat::default(), &site, &[arguments(1)])]);
}

#[test]
fn archives_may_be_joined_and_interleaved() {
    let folder = tempfile::tempdir().unwrap();
    for (way, options) in ways() {
        let path = folder.path().join(way);
        let mut handlers = [0, 1].map(|_| options.clone().open(&path).unwrap());
        let batches: Vec<_> = (0..10u32)
            .map(|at| events(LineFormat::default(), &site(1 + at % 2), &[arguments(at)]))
            .collect();
        for (at, batch) in batches.iter().enumerate() {
            handlers[at % 2].push(batch).unwrap();
        }
        let twice = fs::read(&path).unwrap().repeat(2);
        let decoded = decode(&twice);
        assert_eq!(decoded.lines, lines_of(&batches).repeat(2), "{way}");
        assert!(decoded.skipped.is_empty());
    }
}

#[test]
fn what_is_no_archive_has_no_envelopes() {
    for text in [&b"2026 [INFO] app - hello\n"[..], &[0; 100_000], b"MPND", b"\x28\xb5\x2f"] {
        let mut reader = ArchiveReader::new(text);
        let decoded = read_on(&mut reader);
        assert_eq!((reader.envelopes(), decoded.records), (0, 0));
        let told: u64 = decoded.skipped.iter().chain(&decoded.torn).map(|place| place.bytes).sum();
        assert_eq!((told, reader.position()), (text.len() as u64, text.len() as u64));
    }
    assert!(ArchiveReader::new(&b""[..]).read().unwrap().is_none());
}

/// Level, name, message, time, bytes and thread of an item, owned.
type Owned = (u8, u8, Vec<u8>, i64, Option<Vec<u8>>, u8);

fn items() -> impl Strategy<Value = Vec<Owned>> {
    let message = prop_oneof![
        20 => vec(any::<u8>(), 0..60),
        20 => "[a-zäö \n€]{0,30}".prop_map(String::into_bytes),
        1 => (60_000usize..70_000).prop_map(|length| vec![b'y'; length]),
    ];
    let bytes = proptest::option::of(vec(any::<u8>(), 0..20));
    vec((0u8..5, 0u8..3, message, any::<i64>(), bytes, 0u8..3), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_archive_makes_the_lines_of_a_file(batches in vec(items(), 1..5)) {
        let batches: Vec<_> = batches.iter().map(|batch| {
            let items: Vec<_> = batch.iter().map(|(level, name, text, time, bytes, thread)| Item {
                bytes: bytes.as_deref(),
                thread: u64::from(*thread),
                process: u32::from(thread / 2),
                thread_name: ["", "one", "t\n"][usize::from(*thread)],
                ..Item::new(
                    Level::from_byte(*level).unwrap(),
                    ["app", "b", "\x1b"][usize::from(*name)],
                    text,
                    *time,
                )
            }).collect();
            records(&items)
        }).collect();
        check(&batches);
    }
}

#[test]
fn reasons_are_sentences() {
    let skipped = Skipped { offset: 3, bytes: 4, reason: SkipReason::Cut };
    assert_eq!(skipped.to_string(), "4 bytes at offset 3 are passed over: its end is missing");
}
