//! What worker threads note outside their rings, so that their log can be checked against it.
//!
//! A file of words that the demo and its workers map. Each word has one writer, except the first,
//! which only the demo writes.
//!
//! # Safety
//!
//! The one unsafe block makes a reference to a word of the mapping. Everybody accesses the words
//! atomically, and the file keeps its length as long as it is mapped: it lies in a directory that
//! only this user may enter, and nobody here truncates it.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use memmap2::{MmapOptions, MmapRaw};

/// Bytes between two words: writers do not disturb each other.
const STRIDE: usize = 128;

/// The shared words: whether to start, which worker is ready, and the last number of each thread
/// whose call returned.
#[derive(Debug)]
pub(crate) struct Notes {
    words: MmapRaw,
    workers: usize,
    threads: usize,
}

impl Notes {
    /// Makes the file.
    pub(crate) fn create(path: &Path, workers: usize, threads: usize) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(path);
        let mut file = file.with_context(|| format!("cannot make {}", path.display()))?;
        // Written and not just made long: a page that finds no room later is a SIGBUS.
        let zeros = vec![0; length(workers, threads)];
        file.write_all(&zeros).with_context(|| format!("no room for {}", path.display()))?;
        Self::map(&file, path, workers, threads)
    }

    /// Opens the file that the demo made.
    pub(crate) fn open(path: &Path, workers: usize, threads: usize) -> anyhow::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let found = file.metadata().map_or(0, |metadata| metadata.len());
        ensure!(found == length(workers, threads) as u64, "{} is of no demo", path.display());
        Self::map(&file, path, workers, threads)
    }

    fn map(
        file: &std::fs::File,
        path: &Path,
        workers: usize,
        threads: usize,
    ) -> anyhow::Result<Self> {
        let words = MmapOptions::new().len(length(workers, threads)).map_raw(file);
        let words = words.with_context(|| format!("cannot map {}", path.display()))?;
        Ok(Self { words, workers, threads })
    }

    /// Set once all workers are to begin.
    pub(crate) fn start(&self) -> &AtomicU64 {
        self.word(0)
    }

    /// Set once this worker could begin.
    pub(crate) fn ready(&self, worker: usize) -> &AtomicU64 {
        assert!(worker < self.workers);
        self.word(1 + worker)
    }

    /// The last number of this thread whose call returned.
    pub(crate) fn returned(&self, worker: usize, thread: usize) -> &AtomicU64 {
        assert!(worker < self.workers && thread < self.threads);
        self.word(1 + self.workers + worker * self.threads + thread)
    }

    /// The last numbers of all threads of a worker.
    pub(crate) fn of_worker(&self, worker: usize) -> Vec<u64> {
        let threads = 0..self.threads;
        threads.map(|thread| self.returned(worker, thread).load(Ordering::Acquire)).collect()
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * STRIDE <= self.words.len());
        let word = self.words.as_mut_ptr().wrapping_add(index * STRIDE).cast::<AtomicU64>();
        // SAFETY: within the mapping by the assertion, aligned since the stride and pages are,
        // valid for as long as `self`; accessed atomically by all (module rules).
        unsafe { &*word }
    }
}

fn length(workers: usize, threads: usize) -> usize {
    STRIDE * (1 + workers + workers * threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mappings_of_a_file_share_their_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        let demo = Notes::create(&path, 2, 3).unwrap();
        let worker = Notes::open(&path, 2, 3).unwrap();
        demo.start().store(1, Ordering::Release);
        worker.ready(1).store(2, Ordering::Release);
        for thread in 0..3 {
            worker.returned(1, thread).store(10 + thread as u64, Ordering::Release);
        }
        assert_eq!(worker.start().load(Ordering::Acquire), 1);
        assert_eq!(demo.ready(1).load(Ordering::Acquire), 2);
        assert_eq!((demo.of_worker(0), demo.of_worker(1)), (vec![0; 3], vec![10, 11, 12]));
        assert!(Notes::open(&path, 2, 2).is_err());
        assert!(Notes::create(&path, 2, 3).is_err());
    }
}
