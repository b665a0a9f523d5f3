//! Headers and frames, encoded and decoded; arguments, decoded. `capture` encodes them.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::messages::Message;
use millpond_core::Batch;
use millpond_core::capture::Values;
use millpond_core::frame::{Flags, Frames, HEADER, Header, Kind};

const RECORDS: u64 = 700;

fn header() -> Header {
    let kind = Kind::Text as u8;
    Header { length: 0, kind, level: 2, flags: Flags::NONE, ticks: 7, sequence: 9, site: 0 }
}

fn headers(c: &mut Criterion) {
    let header = header();
    c.bench_function("header to bytes", |b| b.iter(|| black_box(&header).to_bytes()));
    let bytes: [u8; HEADER] = header.to_bytes();
    c.bench_function("header from bytes", |b| b.iter(|| Header::from_bytes(black_box(&bytes))));
}

fn frames(c: &mut Criterion) {
    let mut batch = Box::new(Batch::<{ 64 * 1024 }>::new());
    let message = Message::of(0);
    let mut group = c.benchmark_group("frames");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("encode", |b| {
        b.iter(|| {
            batch.clear();
            for _ in 0..RECORDS {
                let text = message.text().as_bytes();
                batch.push(black_box(header()), &[text]).expect("room");
            }
        });
    });
    let bytes = batch.as_bytes().to_vec();
    group.bench_function("decode", |b| {
        b.iter(|| {
            for frame in Frames::new(black_box(&bytes)) {
                black_box(frame.and_then(|frame| frame.body())).expect("a text frame");
            }
        });
    });
    group.finish();
}

/// What stands behind the header of an event, by its signature.
fn arguments(c: &mut Criterion) {
    let [id, quantity, price] =
        [&7_i32.to_le_bytes()[..], &7_u64.to_le_bytes(), &1.5_f64.to_le_bytes()];
    let name = [&8_u32.to_le_bytes()[..], b"somebody"].concat();
    let cases = [
        ("1 argument", "i", [id].concat()),
        ("3 arguments", "iLd", [id, quantity, price].concat()),
        (
            "8 arguments",
            "iLdiLdiL",
            [id, quantity, price, id, quantity, price, id, quantity].concat(),
        ),
        ("3 texts", "sss", name.repeat(3)),
    ];
    let mut group = c.benchmark_group("arguments from bytes");
    for (case, signature, payload) in cases {
        let run = || {
            let values = Values::new(black_box(signature.as_bytes()), black_box(&payload));
            values.inspect(|value| assert!(black_box(value).is_ok())).count()
        };
        assert_eq!(run(), signature.len());
        group.bench_function(case, |b| b.iter(run));
    }
    group.finish();
}

criterion_group!(benches, headers, frames, arguments);
criterion_main!(benches);
