//! `quicklog`, which is for one thread that logs; another one writes.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use quicklog_flush::Flush;

use crate::place::Place;
use crate::subject::{About, Record, Subject};

pub(crate) struct Quicklog {
    over: Arc<AtomicBool>,
    writer: JoinHandle<()>,
}

/// `quicklog`'s own `FileFlusher` opens the file for each line; its documentation says to bring a
/// flusher where that does not suit.
struct Buffered(BufWriter<File>);

impl Flush for Buffered {
    fn flush_one(&mut self, line: String) {
        let _ = self.0.write_all(line.as_bytes());
    }
}

impl Subject for Quicklog {
    const ABOUT: About = About {
        threads: false,
        ..About::new(
            "quicklog",
            "quicklog 0.1, queue of 1000000 records, a thread that flushes in a loop, a \
             flusher with a BufWriter of 64 KiB; for one thread only",
        )
    };

    type Handle<'a> = ();

    fn open(place: &Place) -> anyhow::Result<Self> {
        let file = File::create(&place.file).context("cannot make the file")?;
        ::quicklog::init!();
        ::quicklog::with_flush!(Buffered(BufWriter::with_capacity(64 << 10, file)));
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let writer = std::thread::spawn(move || {
            let mut last = false;
            while !last {
                last = is_over.load(Ordering::Acquire);
                while ::quicklog::try_flush!().is_ok() {}
                std::thread::yield_now();
            }
            // Puts the buffered flusher away, which writes the rest.
            ::quicklog::with_flush!(Nowhere);
        });
        Ok(Self { over, writer })
    }

    fn handle(&self) -> anyhow::Result<()> {
        Ok(())
    }

    #[inline(always)]
    fn log((): &mut (), record: Record, _: u64) {
        let Record { producer, number, price } = record;
        let level = ::quicklog::level::Level::Info;
        // It drops when its queue is full: here the caller waits.
        while ::quicklog::try_log!(level, "order {} qty {} px {}", producer, number, price).is_err()
        {
            std::thread::yield_now();
        }
    }

    fn close(self) -> anyhow::Result<u64> {
        self.over.store(true, Ordering::Release);
        self.writer.join().map_err(|_| anyhow!("the thread that writes panicked"))?;
        Ok(0)
    }
}

struct Nowhere;

impl Flush for Nowhere {
    fn flush_one(&mut self, _: String) {}
}
