//! `millpond pipe`: logs the lines of its standard input as a worker.

mod lines;
mod reader;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::builder::NonEmptyStringValueParser;
use millpond::advanced::{LoggerConfig, StartError, WorkerLogger};
use millpond::{FlushError, Level, Overflow};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::{CODES, Exit, say};
use reader::{Progress, Reader};

const HELP: &str = "\
Examples:
  ls -R / 2>&1 | millpond pipe --path /dev/shm/app --name ls
  journalctl -f | millpond pipe --path /dev/shm/app --name journal --level debug

Each line is a record, an empty one too, and what comes after the last newline.
Only the newline itself is left out; other control characters, a carriage
return among them, and bytes that are not UTF-8 arrive escaped in the file, as
\\r or \\xff. A line of more than 32 MiB becomes several records.

It waits for room and never drops. Without a master the records stay in DIR for
the next one. SIGINT or SIGTERM: what has been read and what already waits in
the input (up to 1 MiB) is logged, then it ends with exit code 0.";

/// Log each line of standard input, as a worker.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{HELP}\n\n{CODES}"))]
pub(crate) struct Args {
    /// Where workers and master meet: a directory in memory, made if it is missing
    /// [default: $XDG_RUNTIME_DIR/millpond, else /dev/shm/millpond-UID]
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,

    /// The worker's name in the log, 1 to 128 bytes; need not be unique
    #[arg(long, value_name = "NAME")]
    name: String,

    /// The level of the lines: trace, debug, info, warning or error; a master leaves out what is
    /// below its own
    #[arg(long, default_value = "info")]
    level: Level,
}

/// How long the end waits for the master to deliver.
const FLUSH: Duration = Duration::from_secs(10);
/// How long a call that waits for room may go on waiting after a signal.
const GRACE: Duration = Duration::from_secs(2);
/// A call that waits for room this long is told of.
const TELL_AFTER: Duration = Duration::from_secs(2);

/// What the main thread waits for.
enum Event {
    Signal,
    Ended(io::Result<()>),
}

/// Runs the worker.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let config = LoggerConfig {
        path: args.path.clone().unwrap_or_default(),
        base_level: Level::Trace,
        overflow: Overflow::WAIT,
        ..LoggerConfig::default()
    };
    let directory = config.directory().map_err(StartError::from)?;
    let worker = WorkerLogger::new(config, &args.name)?;
    worker.warnings().iter().for_each(|warning| say(warning));
    let producer = worker.producer()?;

    let (stop, stopper) = io::pipe().context("cannot make a pipe")?;
    let progress = Arc::new(Progress::default());
    let (events, happened) = channel();
    let reader = Reader { producer, level: args.level, progress: Arc::clone(&progress), stop };
    let ended = events.clone();
    std::thread::spawn(move || drop(ended.send(Event::Ended(reader.run()))));
    std::thread::spawn(move || {
        signals.forever().for_each(|_| drop(events.send(Event::Signal)));
    });

    let logged = wait_for_end(&happened, stopper, &progress, &directory);
    let lines = progress.logged();
    let Some(read) = logged else {
        say(&format!(
            "ended while waiting for room in {}: {lines} lines are logged, the line in progress \
             and what follows it are not",
            directory.display()
        ));
        // Not shut down: a call is inside. The master sees that this worker died, which is so.
        std::mem::forget(worker);
        return Ok(Exit::Missing);
    };
    tell_of_flush(worker.flush(FLUSH), lines, &directory);
    worker.shutdown();
    let refused = worker.refused();
    read.map_err(|error| anyhow!("cannot read the standard input after {lines} lines: {error}"))?;
    if refused > 0 {
        say(&format!("{refused} of {lines} lines are lost: no ring could be made for them"));
        return Ok(Exit::Missing);
    }
    Ok(Exit::Complete)
}

/// Waits until everything is logged. `None` if it was told to end and the call in progress does
/// not.
fn wait_for_end(
    happened: &Receiver<Event>,
    stopper: io::PipeWriter,
    progress: &Progress,
    directory: &Path,
) -> Option<io::Result<()>> {
    let mut stopper = Some(stopper);
    let mut deadline = None;
    let mut seen = (progress.logged(), Instant::now());
    let mut told = false;
    loop {
        match happened.recv_timeout(Duration::from_millis(200)) {
            Ok(Event::Ended(result)) => return Some(result),
            Ok(Event::Signal) => {
                stopper.take();
                deadline.get_or_insert_with(|| Instant::now() + GRACE);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // The reader's thread has panicked, and said so.
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        let logged = progress.logged();
        if logged != seen.0 || !progress.is_logging() {
            seen = (logged, Instant::now());
        }
        if deadline.is_some_and(|at| Instant::now() >= at) && seen.1.elapsed() >= GRACE {
            return None;
        }
        if !told && seen.1.elapsed() >= TELL_AFTER {
            told = true;
            say(&format!(
                "waiting for room: is there a master for {0}? Start one with millpond serve \
                 --path {0} --file FILE",
                directory.display()
            ));
        }
    }
}

/// Says where the lines are, if not with the master.
fn tell_of_flush(flushed: Result<(), FlushError>, lines: u64, directory: &Path) {
    let directory = directory.display();
    match flushed {
        Ok(()) => {}
        Err(_) if lines == 0 => {}
        Err(FlushError::NoMaster) => say(&format!(
            "there is no master: what of {lines} lines was not delivered waits in {directory} for \
             the next one"
        )),
        Err(_) => say(&format!(
            "the master is slow: what of {lines} lines is not delivered yet waits in {directory}"
        )),
    }
}
