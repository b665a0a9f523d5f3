//! The table reader on memory that anybody may have written.
//!
//! # Safety
//!
//! One thread; the area checks every access itself, and the published length is put into its
//! place before the line is shared.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use millpond_core::callsite::{TableFault, TableReader};
use millpond_core::frame::Header;
use millpond_core::ring::{ConsumerLine, ProducerLine};
use millpond_core::storage::{Area, Storage};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::naive::{self, Meaning};
use crate::{definition, encode, nearly_frames};

/// Bytes on the heap that can only be read, and only inside and aligned.
struct Checked(Vec<u8>);

// SAFETY: (1) nothing changes the vector. (2) `read` copies just the bytes named, or panics.
// (3) nobody writes.
unsafe impl Area for Checked {
    fn length(&self) -> u32 {
        self.0.len() as u32
    }

    unsafe fn write(&self, _offset: usize, _bytes: &[u8]) {
        panic!("a reader wrote to the table");
    }

    unsafe fn read(&self, offset: usize, into: &mut [MaybeUninit<u8>]) {
        assert!(offset.is_multiple_of(8) && into.len().is_multiple_of(8), "unaligned read");
        let from = &self.0[offset..][..into.len()];
        for (place, byte) in into.iter_mut().zip(from) {
            place.write(*byte);
        }
    }
}

/// A ring of which only the table is ever looked at.
struct Hostile {
    producer: Box<ProducerLine>,
    consumer: ConsumerLine,
    data: Checked,
    table: Checked,
}

/// Where the drawing in `ring/lines.rs` has the published length.
const TABLE_LENGTH_AT: usize = 28;

impl Hostile {
    fn new(mut table: Vec<u8>, published: u32) -> Self {
        table.resize(table.len().next_multiple_of(8), 0);
        let mut producer = Box::new(ProducerLine::new());
        // SAFETY: the line has 256 bytes, any of which may be any value, and `&mut` means that
        // nobody else looks at it now.
        unsafe {
            std::ptr::from_mut(&mut *producer)
                .byte_add(TABLE_LENGTH_AT)
                .cast::<u32>()
                .write(published);
        }
        let data = Checked(vec![0; 4096]);
        Self { producer, consumer: ConsumerLine::new(), data, table: Checked(table) }
    }
}

// SAFETY: everything is owned and never replaced; the data has 4096 bytes.
unsafe impl Storage for Hostile {
    type Area = Checked;

    fn producer_line(&self) -> &ProducerLine {
        &self.producer
    }

    fn consumer_line(&self) -> &ConsumerLine {
        &self.consumer
    }

    fn data(&self) -> &Checked {
        &self.data
    }

    fn table(&self) -> &Checked {
        &self.table
    }
}

type Definition = (u32, u32, [Vec<u8>; 5]);

fn read(
    reader: &mut TableReader,
    ring: &Hostile,
    buffer: usize,
) -> (Vec<Definition>, Result<(), TableFault>) {
    let mut seen = Vec::new();
    let result = reader.poll(ring, &mut vec![0; buffer], |site| {
        let strings = [site.target, site.file, site.template, site.signature, site.fields];
        seen.push((site.number, site.line, strings.map(<[u8]>::to_vec)));
    });
    (seen, result)
}

/// What the naive decoder finds in the published part, and whether that is a table.
fn naive_read(ring: &Hostile, published: u32) -> (Vec<Definition>, bool) {
    let Some(bytes) = ring.table.0.get(..published as usize) else { return (Vec::new(), false) };
    if !published.is_multiple_of(8) {
        return (Vec::new(), false);
    }
    let (frames, whole) = naive::frames(bytes);
    let mut seen = Vec::new();
    for frame in frames {
        if frame.header.kind != 4 {
            continue;
        }
        let Ok(Some(Meaning::CallSite { line, strings })) = frame.meaning else {
            return (seen, false);
        };
        if frame.header.site as usize != seen.len() + 1 {
            return (seen, false);
        }
        seen.push((frame.header.site, line, strings));
    }
    (seen, whole)
}

/// Definitions with the right numbers, and now and then something else among them.
fn nearly_table() -> impl Strategy<Value = Vec<u8>> {
    let wrong = prop_oneof![19 => Just(None), 1 => nearly_frames().prop_map(Some)];
    vec((definition(), wrong), 0..6).prop_map(|pieces| {
        let mut bytes = Vec::new();
        for (i, (definition, wrong)) in pieces.into_iter().enumerate() {
            let header = Header { site: i as u32 + 1, ..Header::from_bytes(&[0; 24]) };
            bytes.extend(encode(header, &definition));
            bytes.extend(wrong.into_iter().flatten());
        }
        bytes
    })
}

proptest! {
    #[test]
    fn the_reader_agrees_with_the_naive_decoder(
        table in prop_oneof![4 => nearly_table(), 1 => nearly_frames()],
        published in prop_oneof![3 => Just(None), 1 => any::<u32>().prop_map(Some)],
        words in 0u32..100,
    ) {
        let mut published = published.unwrap_or(table.len() as u32);
        if published > 100_000 && words < 50 {
            published = 8 * words;
        }
        let ring = Hostile::new(table, published);
        let expected = naive_read(&ring, published);
        let mut reader = TableReader::new();
        let (seen, result) = read(&mut reader, &ring, ring.table.0.len().max(8));
        prop_assert_eq!(seen.len(), reader.known() as usize);
        prop_assert_eq!((seen, result.is_ok()), expected);
        prop_assert_eq!(read(&mut reader, &ring, 4096), (Vec::new(), result));
    }

    #[test]
    fn any_buffer_sees_the_same_or_says_that_it_is_too_small(
        table in prop_oneof![4 => nearly_table(), 1 => nearly_frames()],
        buffer in 0usize..400,
    ) {
        let published = table.len().next_multiple_of(8) as u32;
        let ring = Hostile::new(table, published);
        let (expected, whole) = naive_read(&ring, published);
        let mut reader = TableReader::new();
        let (mut seen, result) = read(&mut reader, &ring, buffer);
        if let Err(TableFault::TooLarge { number, needed, buffer: had }) = result {
            prop_assert_eq!(number as usize, seen.len() + 1);
            prop_assert!(needed as usize > buffer && had as usize <= buffer);
            let (more, result) = read(&mut reader, &ring, ring.table.0.len().max(8));
            seen.extend(more);
            prop_assert_eq!(result.is_ok(), whole);
        } else {
            prop_assert_eq!(result.is_ok(), whole);
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn any_bytes_and_any_length_do_not_panic(
        table in vec(any::<u8>(), 0..200),
        published: u32,
        buffer in 0usize..100,
    ) {
        for published in [published, published % 256, (published % 256) & !7] {
            let ring = Hostile::new(table.clone(), published);
            let _ = read(&mut TableReader::new(), &ring, buffer);
        }
    }
}

#[test]
fn the_published_length_stands_where_the_test_puts_it() {
    // The field is private, so its place is checked through what a reader says of it.
    const { assert!(TABLE_LENGTH_AT + 4 <= size_of::<ProducerLine>()) };
    let ring = Hostile::new(vec![0; 64], 72);
    let fault = TableFault::Length { came: 72, read: 0, area: 64 };
    assert_eq!(read(&mut TableReader::new(), &ring, 64).1, Err(fault));
}
