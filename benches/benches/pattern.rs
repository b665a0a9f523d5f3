//! Line formats: a batch as lines, by what the pattern asks for. `render` has the messages.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_std::testing::{Item, events, records};
use millpond_std::{LineFormat, Records, TimeText};

/// Lines of one measurement: about a batch.
const LINES: u32 = 500;

/// Names and patterns.
const PATTERNS: [(&str, &str); 6] = [
    ("default", LineFormat::DEFAULT_PATTERN),
    ("message", "%(message)s"),
    ("time and message", "%(asctime)s %(message)s"),
    ("thread and process", "%(process)d %(thread)s %(message)s"),
    ("place in the source", "%(target)s %(filename)s:%(lineno)d %(message)s"),
    (
        "everything",
        "%(asctime)s %(levelname)s %(name)s %(process)d %(thread)s %(target)s %(pathname)s \
         %(filename)s %(lineno)d - %(message)s",
    ),
];

/// Texts of two threads, in turn, so that what lines have in common changes from one to the next.
fn texts() -> Records {
    let names = ["main", "worker"];
    let items: Vec<_> = (0..LINES as usize)
        .map(|number| Item {
            thread: 1 + number as u64 % 2,
            thread_name: names[number % 2],
            ..Item::new(Level::Info, "app", "the market is open", number as i64 * 1_000)
        })
        .collect();
    records(&items)
}

fn orders() -> Records {
    let site = CallSite {
        number: 1,
        level: Level::Info,
        line: 7,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: b"order {0} qty {1} px {2}",
        signature: b"iLd",
        fields: b"",
    };
    let arguments: Vec<_> = (0..LINES)
        .map(|number| {
            let price = 100.0 + f64::from(number) / 100.0;
            let arguments = [&number.to_le_bytes()[..], &u64::from(number).to_le_bytes()];
            [&arguments.concat()[..], &price.to_le_bytes()].concat()
        })
        .collect();
    events(LineFormat::default(), &site, &arguments)
}

fn patterns(c: &mut Criterion) {
    let mut group = c.benchmark_group("pattern");
    group.throughput(Throughput::Elements(LINES.into()));
    for (what, batch) in [("texts", texts()), ("events", orders())] {
        for (name, pattern) in PATTERNS {
            let format = LineFormat::new(pattern).expect("a pattern");
            let (mut clock, mut out) = (TimeText::new(), Vec::new());
            let mut run = || {
                out.clear();
                format.write_lines(black_box(&batch), &mut clock, &mut out);
                black_box(out.len())
            };
            assert!(run() > LINES as usize, "lines");
            group.bench_function(format!("{name}, {what}"), |b| b.iter(&mut run));
        }
    }
    group.finish();
}

criterion_group!(benches, patterns);
criterion_main!(benches);
