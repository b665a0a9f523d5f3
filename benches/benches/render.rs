//! Event records as text: messages alone, and whole lines.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::allocator::{Counting, allocations};
use millpond_benches::messages::Message;
use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_std::render::Definition;
use millpond_std::testing::{Item, events, records};
use millpond_std::{LineFormat, Records, TimeText};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Lines of one measurement: about a batch.
const LINES: u32 = 500;

/// What is measured: its name, the template, the signature.
const MESSAGES: [(&str, &str, &str); 8] = [
    ("0 arguments", "the market is open", ""),
    ("1 argument", "order {0} filled", "i"),
    ("3 arguments", "order {0} qty {1} px {2}", "iLd"),
    ("8 arguments", "{0} {1} {2} {3} {4} {5} {6} {7}", "iLdsiLds"),
    ("in another order", "px {2} qty {1} order {0}", "iLd"),
    ("text", "{0} logged in from {1}", "ss"),
    ("widths and precisions", "order {0:>8} qty {1:#06x} px {2:9.2}", "iLd"),
    ("debug", "{0:?} {1:?} {2:?}", "sOdy"),
];

fn site(template: &'static str, signature: &'static str) -> CallSite<'static> {
    CallSite {
        number: 1,
        level: Level::Info,
        line: 7,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: template.as_bytes(),
        signature: signature.as_bytes(),
        fields: b"",
    }
}

/// The arguments of the call with this number, little-endian.
fn arguments(signature: &str, number: u32) -> Vec<u8> {
    let mut payload = Vec::new();
    for code in signature.bytes() {
        match code {
            b'i' => payload.extend((number * 7919).to_le_bytes()),
            b'L' => payload.extend(u64::from(number).to_le_bytes()),
            b'd' => payload.extend((100.0 + f64::from(number) / 100.0).to_le_bytes()),
            b'O' => payload.push(1),
            _ => {
                let text = format!("name {number}");
                payload.extend((text.len() as u32).to_le_bytes());
                payload.extend(text.as_bytes());
            }
        }
    }
    payload
}

/// Fails if the second run allocates.
fn check(name: &str, mut run: impl FnMut()) {
    run();
    let before = allocations();
    run();
    assert_eq!(allocations(), before, "{name} allocates");
}

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("message");
    group.throughput(Throughput::Elements(LINES.into()));
    for (name, template, signature) in MESSAGES {
        let definition = Definition::new(&site(template, signature));
        let all: Vec<_> = (0..LINES).map(|number| arguments(signature, number)).collect();
        let mut out = Vec::new();
        let mut run = || {
            out.clear();
            for payload in black_box(&all) {
                definition.write_message(payload, &mut out);
            }
            black_box(&out);
        };
        check(name, &mut run);
        group.bench_function(name, |b| b.iter(&mut run));
    }
    group.finish();
}

fn lines(c: &mut Criterion) {
    let mut group = c.benchmark_group("line");
    group.throughput(Throughput::Elements(LINES.into()));
    let mut measure = |name: &str, batch: Records| {
        let (format, mut clock, mut out) = (LineFormat::default(), TimeText::new(), Vec::new());
        let mut run = || {
            out.clear();
            format.write_lines(black_box(&batch), &mut clock, &mut out);
            black_box(&out);
        };
        check(name, &mut run);
        group.bench_function(name, |b| b.iter(&mut run));
    };
    for (name, template, signature) in MESSAGES {
        let all: Vec<_> = (0..LINES).map(|number| arguments(signature, number)).collect();
        measure(name, events(LineFormat::default(), &site(template, signature), &all));
    }
    let text = Message::of(0);
    let items: Vec<_> = (0..LINES.into())
        .map(|number: i64| Item::new(Level::Info, "app", text.text(), number * 1_000))
        .collect();
    measure("text of 64 bytes", records(&items));
    group.finish();
}

criterion_group!(benches, messages, lines);
criterion_main!(benches);
