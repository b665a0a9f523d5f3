//! The codec against an obvious second one: what is encoded decodes to itself, and on any bytes
//! both decoders say the same.
#![cfg(not(millpond_loom))]

mod naive;
mod table;

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::envelope::{Envelope, EnvelopeError, EnvelopeWriter, OVERHEAD};
use millpond_core::frame::{
    Body, Flags, Frame, Frames, Gap, HEADER, Header, Heartbeat, Kind, Stream, Text, TextPrefix,
    aligned,
};
use naive::Meaning;
use proptest::collection::vec;
use proptest::prelude::*;

fn header() -> impl Strategy<Value = Header> {
    (any::<u8>(), any::<u16>(), any::<u64>(), any::<u32>(), any::<u32>()).prop_map(
        |(level, flags, ticks, sequence, site)| Header {
            length: 0,
            kind: 0,
            level,
            flags: Flags::from_bits(flags),
            ticks,
            sequence,
            site,
        },
    )
}

fn definition() -> impl Strategy<Value = Meaning> {
    let bytes = || vec(any::<u8>(), 0..40);
    (any::<u32>(), [bytes(), bytes(), bytes(), bytes(), bytes()])
        .prop_map(|(line, strings)| Meaning::CallSite { line, strings })
}

/// What the payload of a frame of each kind means.
fn meaning() -> impl Strategy<Value = Meaning> {
    let bytes = || vec(any::<u8>(), 0..40);
    let word = || proptest::option::of(any::<u32>());
    prop_oneof![
        (bytes(), proptest::option::of(bytes()), word(), word()).prop_map(
            |(text, bytes, original_length, suppressed)| Meaning::Text {
                text,
                bytes,
                original_length,
                suppressed
            }
        ),
        (bytes(), proptest::option::of(bytes()), word()).prop_map(
            |(arguments, bytes, suppressed)| Meaning::Event { arguments, bytes, suppressed }
        ),
        definition(),
        (any::<u64>(), bytes()).prop_map(|(thread, name)| Meaning::ThreadChange { thread, name }),
        any::<(u64, u64)>().prop_map(|(next, uptime)| Meaning::Heartbeat { next, uptime }),
        Just(Meaning::Shutdown),
        any::<u64>().prop_map(Meaning::ClockAnchor),
        any::<[u64; 5]>().prop_map(Meaning::Gap),
        proptest::option::of((any::<u64>(), any::<u32>(), any::<u32>(), bytes(), bytes()))
            .prop_map(Meaning::Stream),
        Just(Meaning::Section),
    ]
}

/// A whole frame, padded, made with the crate's own writers.
fn encode(header: Header, meaning: &Meaning) -> Vec<u8> {
    let mut flags = header.flags;
    let (kind, payload) = match meaning {
        Meaning::Event { arguments, bytes, suppressed } => {
            let text = Meaning::Text {
                text: arguments.clone(),
                bytes: bytes.clone(),
                original_length: None,
                suppressed: *suppressed,
            };
            let mut bytes = encode(header, &text);
            bytes[4] = Kind::Event as u8;
            return bytes;
        }
        Meaning::Text { text, bytes, original_length, suppressed } => {
            let prefix = TextPrefix {
                original_length: *original_length,
                text_length: bytes.as_ref().map(|_| text.len() as u32),
                suppressed: *suppressed,
            };
            let all = Flags::TRUNCATED | Flags::BYTES | Flags::SUPPRESSED;
            flags = flags.without(all) | prefix.flags();
            let mut payload: Vec<u8> = prefix.words().flatten().collect();
            payload.extend_from_slice(text);
            payload.extend(bytes.iter().flatten());
            (Kind::Text, payload)
        }
        Meaning::CallSite { line, strings: [target, file, template, signature, fields] } => {
            let mut bytes = Vec::new();
            let (number, level) = (header.site, header.level());
            CallSite { number, level, line: *line, target, file, template, signature, fields }
                .encode(|part| bytes.extend_from_slice(part));
            return bytes;
        }
        Meaning::ThreadChange { thread, name } => {
            let mut payload = thread.to_le_bytes().to_vec();
            payload.extend_from_slice(name);
            (Kind::ThreadChange, payload)
        }
        Meaning::Heartbeat { next, uptime } => {
            let heartbeat = Heartbeat { next_checkin_ns: *next, uptime_ns: *uptime };
            (Kind::Heartbeat, heartbeat.to_bytes().to_vec())
        }
        Meaning::Shutdown => (Kind::Shutdown, Vec::new()),
        Meaning::ClockAnchor(wall) => (Kind::ClockAnchor, wall.to_le_bytes().to_vec()),
        Meaning::Gap(lost) => (Kind::Gap, Gap { lost: *lost }.to_bytes().to_vec()),
        Meaning::Stream(None) => (Kind::Stream, Vec::new()),
        Meaning::Stream(Some((thread, process, sites, name, thread_name))) => {
            let (thread, process, sites) = (*thread, *process, *sites);
            let stream = Stream { thread, process, sites, name, thread_name };
            (Kind::Stream, [&stream.fixed(), &name[..], thread_name].concat())
        }
        Meaning::Section => (Kind::Section, Vec::new()),
        Meaning::Envelope { .. } => unreachable!("envelopes are made by their own test"),
    };
    let length = (HEADER + payload.len()) as u32;
    let header = Header { length, kind: kind as u8, flags, ..header };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend_from_slice(&payload);
    bytes.resize(aligned(length) as usize, 0);
    bytes
}

/// Bytes that look like frames, and are so more often than not.
fn nearly_frames() -> impl Strategy<Value = Vec<u8>> {
    let real = (header(), meaning()).prop_map(|(header, meaning)| encode(header, &meaning));
    let padding = (1u32..8).prop_map(|words| {
        let mut bytes = Header::padding(8 * words).to_vec();
        bytes.resize(8 * words as usize, 0xaa);
        bytes
    });
    let any_kind = (header(), 0u8..15, vec(any::<u8>(), 0..40), 0u32..80).prop_map(
        |(header, kind, payload, length)| {
            let mut bytes = Header { length, kind, ..header }.to_bytes().to_vec();
            bytes.extend_from_slice(&payload);
            bytes
        },
    );
    let piece = prop_oneof![6 => real, 1 => padding, 2 => any_kind, 1 => vec(any::<u8>(), 0..64)];
    let flips = vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3);
    (vec(piece, 0..8), flips, any::<proptest::sample::Index>(), any::<bool>()).prop_map(
        |(pieces, flips, end, cut)| {
            let mut bytes = pieces.concat();
            for (at, mask) in flips {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= mask;
                }
            }
            if cut {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            bytes
        },
    )
}

fn meaning_of(body: Body<'_>) -> Meaning {
    match body {
        Body::Text(text) => Meaning::Text {
            text: text.text.to_vec(),
            bytes: text.bytes.map(<[u8]>::to_vec),
            original_length: text.original_length,
            suppressed: text.suppressed,
        },
        Body::Event(event) => Meaning::Event {
            arguments: event.arguments.to_vec(),
            bytes: event.bytes.map(<[u8]>::to_vec),
            suppressed: event.suppressed,
        },
        Body::CallSite(site) => Meaning::CallSite {
            line: site.line,
            strings: [site.target, site.file, site.template, site.signature, site.fields]
                .map(<[u8]>::to_vec),
        },
        Body::ThreadChange(change) => {
            Meaning::ThreadChange { thread: change.thread, name: change.name.to_vec() }
        }
        Body::Heartbeat(beat) => {
            Meaning::Heartbeat { next: beat.next_checkin_ns, uptime: beat.uptime_ns }
        }
        Body::Shutdown => Meaning::Shutdown,
        Body::ClockAnchor { wall_ns } => Meaning::ClockAnchor(wall_ns),
        Body::Gap(gap) => Meaning::Gap(gap.lost),
        Body::Envelope(envelope) => Meaning::Envelope {
            version: (envelope.major, envelope.minor),
            features: (envelope.incompatible, envelope.ignorable),
            count: envelope.count,
            crc: envelope.crc,
            frames: envelope.bytes.to_vec(),
        },
        Body::Stream(stream) => Meaning::Stream(stream.map(|stream| {
            let (name, thread_name) = (stream.name.to_vec(), stream.thread_name.to_vec());
            (stream.thread, stream.process, stream.sites, name, thread_name)
        })),
        Body::Section => Meaning::Section,
        other => panic!("a body that this test does not know: {other:?}"),
    }
}

/// What the crate says of a run of bytes, in the terms of the naive decoder.
fn decode(bytes: &[u8]) -> (Vec<naive::Frame>, bool) {
    let mut frames = Vec::new();
    for frame in Frames::new(bytes) {
        let Ok(frame) = frame else { return (frames, false) };
        let meaning = frame.body().map(|body| body.map(meaning_of)).map_err(|_| ());
        frames.push(naive::Frame {
            header: frame.header,
            payload: frame.payload.to_vec(),
            meaning,
        });
    }
    (frames, true)
}

proptest! {
    #[test]
    fn every_kind_decodes_to_what_was_encoded(header in header(), meaning in meaning()) {
        let bytes = encode(header, &meaning);
        let (frame, taken) = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(taken, bytes.len());
        prop_assert!(taken % 8 == 0 && taken - (frame.header.length as usize) < 8);
        prop_assert_eq!(frame.header.site, header.site);
        if frame.header.kind != Kind::CallSite as u8 {
            prop_assert_eq!(frame.header.ticks, header.ticks);
            prop_assert_eq!(frame.header.sequence, header.sequence);
            prop_assert_eq!(frame.header.level, header.level);
        }
        prop_assert_eq!(frame.body().unwrap().map(meaning_of), Some(meaning));
    }

    #[test]
    fn headers_decode_to_themselves(header in header(), length: u32, kind: u8) {
        let header = Header { length, kind, ..header };
        prop_assert_eq!(Header::from_bytes(&header.to_bytes()), header);
        prop_assert_eq!(naive::header(&header.to_bytes()), header);
    }

    #[test]
    fn both_decoders_agree_on_what_looks_like_frames(bytes in nearly_frames()) {
        prop_assert_eq!(decode(&bytes), naive::frames(&bytes));
    }

    #[test]
    fn both_decoders_agree_on_any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decode(&bytes), naive::frames(&bytes));
    }

    #[test]
    fn envelopes_hold_the_frames_that_were_pushed(
        run in nearly_frames(),
        room in 0usize..700,
        ticks: u64,
        sequence: u32,
        after in vec(any::<u8>(), 0..20),
    ) {
        let mut buffer = vec![0x5a; OVERHEAD + room];
        let mut writer = EnvelopeWriter::new(&mut buffer).unwrap();
        let mut pushed = Vec::new();
        for frame in Frames::new(&run).map_while(Result::ok) {
            let free = writer.free();
            match writer.push(&frame) {
                Ok(()) => pushed.push(frame),
                Err(full) => {
                    prop_assert_eq!(full.free, free);
                    prop_assert_eq!(full.needed, aligned(frame.header.length));
                    prop_assert!(full.needed > free);
                }
            }
        }
        let mut bytes = writer.finish(ticks, sequence).to_vec();
        let length = bytes.len();
        prop_assert_eq!(naive::crc_of_envelope(&bytes), naive::word(&bytes, OVERHEAD - 4));
        bytes.extend_from_slice(&after);
        let (envelope, taken) = Envelope::open(&bytes).unwrap();
        prop_assert_eq!((taken, envelope.count as usize), (length, pushed.len()));
        let inside: Vec<_> = envelope.frames().map(Result::unwrap).collect();
        prop_assert_eq!(inside, pushed);
        let outer = Frame::decode(&bytes).unwrap().0.header;
        prop_assert_eq!((outer.ticks, outer.sequence), (ticks, sequence));
    }

    #[test]
    fn opening_agrees_with_the_naive_decoder_even_if_the_checksum_is_right(
        run in nearly_frames(),
        count in prop_oneof![4 => Just(None), 1 => (0u32..9).prop_map(Some)],
        tail in prop_oneof![9 => Just(0), 1 => 1u32..20],
        features in prop_oneof![9 => Just(0u32), 1 => any::<u32>()],
    ) {
        let (frames, whole) = naive::frames(&run);
        let count = count.unwrap_or(frames.len() as u32);
        let length = (OVERHEAD + run.len()) as u32 + tail;
        let mut bytes = Header {
            length,
            kind: Kind::Envelope as u8,
            ..Header::from_bytes(&[0; HEADER])
        }
        .to_bytes()
        .to_vec();
        bytes.extend_from_slice(b"MPND\x01\x00\x07\x00");
        for word in [features, u32::MAX, count, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&run);
        let crc = naive::crc_of_envelope(&bytes);
        bytes[OVERHEAD - 4..OVERHEAD].copy_from_slice(&crc.to_le_bytes());

        let readable = features == 0
            && tail == 0
            && run.len() % 8 == 0
            && whole
            && frames.len() == count as usize;
        let opened = Envelope::open(&bytes);
        prop_assert_eq!(opened.is_ok(), readable, "{:?}", opened);
    }

    #[test]
    fn opening_any_bytes_does_not_panic(
        mut bytes in vec(any::<u8>(), 0..120),
        length in 0u32..140,
    ) {
        prop_assert!(Envelope::open(&bytes).is_err());
        if bytes.len() >= OVERHEAD {
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            bytes[4] = Kind::Envelope as u8;
            bytes[24..30].copy_from_slice(b"MPND\x01\x00");
            bytes[32..36].fill(0);
            prop_assert!(Envelope::open(&bytes).is_err());
        }
    }
}

#[test]
fn flipping_any_bit_of_an_envelope_is_detected() {
    let frames = [
        encode(
            Header::from_bytes(&[1; HEADER]),
            &Meaning::Event { arguments: b"arguments".to_vec(), bytes: None, suppressed: None },
        ),
        encode(Header::from_bytes(&[2; HEADER]), &Meaning::Gap([1, 2, 3, 4, 5])),
        encode(Header::from_bytes(&[3; HEADER]), &Meaning::Shutdown),
    ]
    .concat();
    let mut buffer = [0; 512];
    let mut writer = EnvelopeWriter::new(&mut buffer).unwrap();
    for frame in Frames::new(&frames) {
        writer.push(&frame.unwrap()).unwrap();
    }
    let mut bytes = writer.finish(u64::MAX / 3, 9).to_vec();
    assert_eq!(Envelope::open(&bytes).unwrap().0.count, 3);
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = Envelope::open(&bytes).expect_err("a flipped bit was not noticed");
        assert!(!matches!(error, EnvelopeError::Frame(_)), "bit {bit}: {error}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(Envelope::open(&bytes).is_ok());
}

#[test]
fn text_prefixes_in_all_combinations() {
    let word = |set: usize, value: u32| (set != 0).then_some(value);
    for set in 0..8usize {
        for others in [Flags::NONE, Flags::CONTINUES, Flags::from_bits(0xffc0 | 0b1110)] {
            let prefix = TextPrefix {
                original_length: word(set & 1, 0x0102_0304),
                text_length: word(set & 2, 4),
                suppressed: word(set & 4, u32::MAX),
            };
            let flags = prefix.flags() | others;
            let mut payload: Vec<u8> = prefix.words().flatten().collect();
            assert_eq!(payload.len(), 4 * set.count_ones() as usize);
            assert_eq!(payload.len(), flags.prefix_length());
            payload.extend_from_slice(b"textbytes");
            let (text, bytes) = match prefix.text_length {
                Some(_) => (&b"text"[..], Some(&b"bytes"[..])),
                None => (&b"textbytes"[..], None),
            };
            let Text { text: came, bytes: beside, original_length, suppressed } =
                Text::decode(flags, &payload).unwrap();
            assert_eq!((came, beside), (text, bytes));
            assert_eq!(original_length, prefix.original_length);
            assert_eq!(suppressed, prefix.suppressed);
            let least = flags.prefix_length() + if set & 2 != 0 { 4 } else { 0 };
            for length in 0..payload.len() {
                assert_eq!(Text::decode(flags, &payload[..length]).is_ok(), length >= least);
            }
        }
    }
}

#[test]
fn an_unknown_kind_is_skipped_and_an_unknown_level_is_an_error() {
    let mut run = Vec::new();
    for kind in [13, 255, Kind::Shutdown as u8] {
        let header = Header { length: 29, kind, level: 5, ..Header::from_bytes(&[0; HEADER]) };
        run.extend_from_slice(&header.to_bytes());
        run.extend_from_slice(&[0xee; 8]);
    }
    let frames: Vec<_> = Frames::new(&run).map(Result::unwrap).collect();
    assert_eq!(frames.len(), 3);
    assert_eq!((frames[0].body(), frames[1].body()), (Ok(None), Ok(None)));
    assert_eq!(frames[2].body(), Ok(Some(Body::Shutdown)));
    assert_eq!(frames[0].header.level(), Level::Error);
}
