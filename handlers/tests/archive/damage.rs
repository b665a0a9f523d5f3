//! Archives that are cut, damaged, or something else altogether.

use millpond_std::testing::events;
use millpond_std::{LineFormat, Records};
use proptest::prelude::*;

use super::*;

/// Batches, each of which is one envelope.
fn batches() -> Vec<Records> {
    let (some, more) = ([arguments(1), arguments(2)], [arguments(3)]);
    let event = |arguments: &[Vec<u8>]| events(LineFormat::default(), &site(1), arguments);
    vec![event(&some), texts(&["one", "two"]), event(&more), texts(&["last"])]
}

/// The lines of each batch, and where its envelope ends.
fn parts(options: &ArchiveOptions, batches: &[Records]) -> (Vec<u8>, Vec<(usize, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let mut handler = options.clone().open(&path).unwrap();
    let parts = batches.iter().map(|batch| {
        handler.push(batch).unwrap();
        (fs::metadata(&path).unwrap().len() as usize, lines_of(std::slice::from_ref(batch)))
    });
    let parts: Vec<_> = parts.collect();
    (fs::read(&path).unwrap(), parts)
}

/// The lines of those parts of which `is_whole` holds from its start to its end.
fn whole(parts: &[(usize, String)], is_whole: impl Fn(usize, usize) -> bool) -> String {
    let starts = std::iter::once(0).chain(parts.iter().map(|(end, _)| *end));
    let ranges = starts.zip(parts).filter(|(start, (end, _))| is_whole(*start, *end));
    ranges.map(|(_, (_, lines))| lines.as_str()).collect()
}

/// Without what needs a definition that is not there: those lines are shown, but not as they were.
fn without_unknown(lines: &str) -> String {
    let known = |line: &&str| !line.contains("is not known") && !line.contains(" ? ");
    lines.split_inclusive('\n').filter(known).collect()
}

#[test]
fn torn_at_any_byte_what_is_complete_is_read() {
    for (way, options) in ways() {
        let (archive, parts) = parts(&options, &batches());
        for length in 0..archive.len() {
            let decoded = decode(&archive[..length]);
            let expected = whole(&parts, |_, end| end <= length);
            assert!(decoded.lines.starts_with(&expected), "{way} of {length}: {decoded:?}");
            assert!(way == "zstd" || decoded.lines == expected, "{way} of {length}");
            assert_eq!(decoded.skipped, [], "{way} of {length}");
            let is_torn = !parts.iter().any(|(end, _)| *end == length) && length > 0;
            assert_eq!(decoded.torn.is_some(), is_torn, "{way} of {length}");
        }
    }
}

#[test]
fn torn_at_any_byte_and_gone_on_with_what_follows_is_read() {
    for (way, options) in ways() {
        let (archive, parts) = parts(&options, &batches());
        let again = archive_of(options, &[texts(&["again"])]);
        for length in 0..archive.len() {
            let decoded = decode(&[&archive[..length], &again].concat());
            let expected = whole(&parts, |_, end| end <= length);
            assert!(decoded.lines.starts_with(&expected), "{way} of {length}");
            assert!(decoded.lines.ends_with(&lines_of(&[texts(&["again"])])), "{way} of {length}");
            assert_eq!(decoded.torn, None, "{way} of {length}");
            let is_torn = !parts.iter().any(|(end, _)| *end == length) && length > 0;
            assert_eq!(decoded.skipped.len(), usize::from(is_torn), "{way} of {length}");
        }
    }
}

#[test]
fn cut_at_the_front_the_rest_is_read() {
    for (way, options) in ways() {
        let (archive, parts) = parts(&options, &batches());
        for start in 1..archive.len() {
            let decoded = decode(&archive[start..]);
            let expected = whole(&parts, |from, _| from >= start);
            // The definitions were in the front.
            assert_eq!(decoded.records, expected.lines().count(), "{way} from {start}");
        }
    }
}

#[test]
fn no_flipped_bit_makes_a_wrong_record() {
    for (way, options) in ways() {
        let (mut archive, parts) = parts(&options, &batches());
        let all = whole(&parts, |_, _| true);
        // Three bits of each byte, others in the next.
        for bit in (0..archive.len() * 8).step_by(3) {
            let at = bit / 8;
            archive[at] ^= 1 << (bit % 8);
            let decoded = decode(&archive);
            archive[at] ^= 1 << (bit % 8);
            let left = whole(&parts, |start, end| at < start || at >= end);
            let known = without_unknown(&decoded.lines);
            // A bit of a zstd frame may mean nothing.
            let is_harmless = way == "zstd" && decoded.lines == all;
            if is_harmless {
                continue;
            }
            assert!(decoded.skipped.len() + usize::from(decoded.torn.is_some()) >= 1, "bit {bit}");
            assert_eq!(decoded.records, left.lines().count(), "{way}, bit {bit}: {decoded:?}");
            for line in known.lines() {
                assert!(left.contains(line), "{way}, bit {bit}: {line}");
            }
        }
    }
}

#[test]
fn garbage_between_envelopes_is_passed_over() {
    let garbage = [&b"MPND"[..], b"\x28\xb5\x2f\xfd", &[0; 100], b"text\n", &[10; 64]];
    for (way, options) in ways() {
        let (archive, parts) = parts(&options, &batches());
        for garbage in garbage {
            let mut mixed = garbage.to_vec();
            let mut start = 0;
            for (end, _) in &parts {
                mixed.extend_from_slice(&archive[start..*end]);
                mixed.extend_from_slice(garbage);
                start = *end;
            }
            let decoded = decode(&mixed);
            assert_eq!(decoded.lines, whole(&parts, |_, _| true), "{way}: {garbage:?}");
            let told: u64 = decoded.skipped.iter().chain(&decoded.torn).map(|s| s.bytes).sum();
            assert_eq!(told as usize, garbage.len() * (parts.len() + 1), "{way}: {garbage:?}");
        }
    }
}

#[test]
fn what_is_logged_may_look_like_an_archive() {
    let inner = archive_of(ArchiveHandler::options(), &batches());
    let item = Item { bytes: Some(&inner), ..Item::new(Level::Info, "app", &inner, 0) };
    check(&[records(&[item]), texts(&["after"])]);
}

#[test]
fn a_length_that_is_a_lie_costs_nothing() {
    let (archive, parts) = parts(&ArchiveHandler::options(), &batches());
    for length in [0u32, 8, 48, 56, 1 << 20, 96 << 20, 97 << 20, u32::MAX, u32::MAX - 7] {
        let mut archive = archive.clone();
        archive[..4].copy_from_slice(&length.to_le_bytes());
        let decoded = decode(&archive);
        assert_eq!(decoded.records, whole(&parts, |start, _| start > 0).lines().count());
        assert_eq!((decoded.skipped.len(), decoded.torn), (1, None), "{length}");
        assert_eq!(decoded.skipped[0].bytes as usize, parts[0].0);
    }
}

#[cfg(feature = "zstd")]
#[test]
fn a_frame_that_fills_the_memory_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 200 << 20], 1).unwrap();
    let decoded = decode(&bomb);
    assert_eq!(decoded.skipped.len(), 1);
    assert_eq!(decoded.skipped[0].reason, SkipReason::Compressed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Nothing panics, and every byte is either read or told of.
    #[test]
    fn any_bytes_are_read_to_their_end(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            (0usize..2, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>())
                .prop_map(|(way, start, end, mask)| {
                    let (_, options) = ways().swap_remove(way % ways().len());
                    let mut archive = archive_of(options, &batches());
                    let at = start.index(archive.len());
                    archive[at] ^= mask;
                    archive.truncate(end.index(archive.len()) + 1);
                    archive
                }),
        ], 0..6),
        step in 1usize..5000,
    ) {
        let bytes = pieces.concat();
        let mut reader = ArchiveReader::new(Slow(&bytes, step));
        let decoded = read_on(&mut reader);
        prop_assert_eq!(reader.position(), bytes.len() as u64);
        prop_assert_eq!(decoded.lines, decode(&bytes).lines);
        prop_assert!(reader.envelopes() > 0 || decoded.records == 0);
    }
}

/// Hands out so many bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}
