//! A batch of events into an archive, and into a file of lines: the processor time of the thread of
//! the handler, so that other programs on the machine count for little.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::usage::thread_time;
use millpond_core::callsite::CallSite;
use millpond_handlers::{ArchiveHandler, FileHandler};
use millpond_std::testing::events;
use millpond_std::{Handler, Level, LineFormat, Records};

const RECORDS: u64 = 4096;

/// Three arguments, 24 bytes: a record of 48.
fn batch() -> Records {
    let site = CallSite {
        number: 1,
        level: Level::Info,
        line: 42,
        target: b"shop::orders",
        file: b"src/orders.rs",
        template: b"order {0} of {1} for {2}",
        signature: b"LLd",
        fields: b"",
    };
    let arguments: Vec<_> = (0..RECORDS)
        .map(|number| {
            let (order, customer, price) = (number, number % 97, number as f64 / 4.0);
            [order.to_le_bytes(), customer.to_le_bytes(), price.to_le_bytes()].concat()
        })
        .collect();
    events(LineFormat::default(), &site, &arguments)
}

fn push(c: &mut Criterion, what: &str, path: &Path, handler: &mut dyn Handler) {
    let batch = batch();
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("the file");
    let mut group = c.benchmark_group("push");
    let mut pushed = 0;
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function(what, |b| {
        b.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let start = thread_time();
                handler.push(black_box(&batch)).expect("room");
                took += thread_time() - start;
                pushed += 1;
                // The memory that the file is in is limited.
                if pushed % 256 == 0 {
                    file.set_len(0).expect("the file");
                }
            }
            took
        });
    });
    group.finish();
    file.set_len(0).expect("the file");
}

fn handlers(c: &mut Criterion) {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let path = folder.path().join("archive");
    let mut archive = ArchiveHandler::new(&path).expect("a file");
    push(c, "archive", &path, &mut archive);
    for level in [1, 3] {
        let options = ArchiveHandler::options().compression(level);
        push(
            c,
            &format!("archive, zstd {level}"),
            &path,
            &mut options.open(&path).expect("a file"),
        );
    }
    let path = folder.path().join("lines");
    push(c, "lines", &path, &mut FileHandler::new(&path).expect("a file"));
}

criterion_group!(benches, handlers);
criterion_main!(benches);
