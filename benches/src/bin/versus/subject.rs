//! What is measured: a common face of all loggers.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::child::{self, Control};
use crate::place::Place;
use crate::subjects::ALL;
use crate::task::{Outcome, Task};

/// What a log call says: `order {producer} qty {number} px {price}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Record {
    /// Which thread logs, counted over all processes.
    pub(crate) producer: i32,
    /// Counted through by the thread, so that a loss shows.
    pub(crate) number: u64,
    pub(crate) price: f64,
}

impl Record {
    #[inline(always)]
    pub(crate) fn new(producer: i32, number: u64) -> Self {
        // Quarters, which are exact: what is read back can be compared.
        Self { producer, number, price: 100.0 + (number & 0xfff) as f64 * 0.25 }
    }
}

/// A logger, or something to compare loggers with.
pub(crate) trait Subject: Sized + Sync {
    /// What is to be known before it runs.
    const ABOUT: About;

    /// What a thread logs through.
    type Handle<'a>
    where
        Self: 'a;

    /// Starts it.
    fn open(place: &Place) -> anyhow::Result<Self>;

    /// Called by each thread that logs.
    fn handle(&self) -> anyhow::Result<Self::Handle<'_>>;

    /// The call that is measured. `stamp` is the time now if [`About::stamped`] says so.
    fn log(handle: &mut Self::Handle<'_>, record: Record, stamp: u64);

    /// Returns once all is in the file, or with the collector; how many records were dropped.
    fn close(self) -> anyhow::Result<u64>;

    /// The process that writes the file, where [`Files::Collected`] says that there is one: calls
    /// [`Control::ready`] when producers may come, returns when all is in the file.
    fn collect(_: &Place, _: Control) -> anyhow::Result<u64> {
        bail!("{} needs no collector", Self::ABOUT.name)
    }

    /// What is in a file, as lines; for those that do not write text.
    fn read_back(file: &Path) -> anyhow::Result<Vec<u8>> {
        std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
    }
}

/// What is to be known of a subject before it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// Version and settings, for the report.
    pub(crate) settings: &'static str,
    pub(crate) files: Files,
    /// Whether the caller brings the stamp.
    pub(crate) stamped: bool,
    /// Whether several threads may log.
    pub(crate) threads: bool,
    /// Whether its latency is that of its twin's, and not measured.
    pub(crate) no_latency: bool,
}

impl About {
    /// What most loggers are like: in the process, a file for each process.
    pub(crate) const fn new(name: &'static str, settings: &'static str) -> Self {
        let files = Files::Own;
        Self { name, settings, files, stamped: false, threads: true, no_latency: false }
    }
}

/// What several processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// Each process writes a file of its own: nothing else is documented.
    Own,
    /// All append to one file, which is documented to work.
    Shared,
    /// A process collects from all and writes one file.
    Collected,
    /// Nothing is written: a limit, for the table of latencies.
    None,
}

/// A subject in the list of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) about: About,
    /// Runs a task in a child process.
    pub(crate) run: fn(&Task) -> anyhow::Result<Outcome>,
    /// [`Subject::read_back`]
    pub(crate) read_back: fn(&Path) -> anyhow::Result<Vec<u8>>,
}

impl Entry {
    pub(crate) const fn of<S: Subject>() -> Self {
        Self { about: S::ABOUT, run: child::run::<S>, read_back: S::read_back }
    }
}

/// Whether a subject of this name is Millpond.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with("millpond")
}

/// Whether a subject of this name is a limit of the machine.
pub(crate) fn is_limit(name: &str) -> bool {
    named(name).is_ok_and(|entry| entry.about.files == Files::None)
}

pub(crate) fn named(name: &str) -> anyhow::Result<&'static Entry> {
    match ALL.iter().find(|entry| entry.about.name == name) {
        Some(entry) => Ok(entry),
        None => {
            let all: Vec<&str> = ALL.iter().map(|entry| entry.about.name).collect();
            bail!("there is no subject {name:?}; there are {}", all.join(", "))
        }
    }
}

/// The subjects of these names, in the order of the list; all of them if there are no names.
pub(crate) fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Entry>> {
    for name in names {
        ensure!(!name.is_empty(), "--subjects: a name is empty");
        named(name)?;
    }
    let wanted =
        |entry: &&Entry| names.is_empty() || names.iter().any(|name| name == entry.about.name);
    Ok(ALL.iter().filter(wanted).collect())
}
