//! `millpond demo`: a master and real worker processes, some of them killed, and the books.

mod check;
mod crew;
mod judge;
mod latency;
mod message;
mod notes;
mod outcome;
mod place;
mod run;
mod show;
mod tally;
mod worker;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;

use crate::exit::{CODES, Exit, Usage};

pub(crate) use worker::WorkerArgs;

const HELP: &str = "\
Examples:
  millpond demo
  millpond demo --workers 8 --threads 2 --kill 3 --records 100000
  millpond demo --drop             # what it looks like when rings overflow
  millpond demo --json | jq .balanced

Each worker is a process with its own threads, each of which logs numbered
records of 64 bytes through a Producer, as fast as it can, and notes in a page
outside its ring the last number whose call has returned. The log is read back:
each thread's numbers must be there from 1 to that number (one more at most: the
call that was in progress), in order, and every count must agree.

Every call is timed, by reading the clock before and after it, so the figures
contain one of these two readings, and the waiting for room in a full ring.

What is undelivered at a kill: calls that had returned, less lines that were in
the file when SIGKILL had been sent. A worker that is to be killed is killed around
the middle of its records; it logs on until it is.";

const MORE_CODES: &str = "\
  129, 130, 143  SIGHUP, SIGINT or SIGTERM ended it; nothing of it is left";

/// Start a master and workers, kill some of them, and check that nothing is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{HELP}\n\n{CODES}\n{MORE_CODES}"))]
pub(crate) struct Args {
    /// Worker processes
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=256))]
    workers: u16,

    /// Records that each worker logs, all its threads together
    #[arg(long, default_value_t = 250_000, value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    records: u64,

    /// Threads of each worker
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    threads: u16,

    /// The log, a new or empty file [default: a new file in the directory for temporary files]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Workers that are killed by SIGKILL while they log
    #[arg(long, default_value_t = 1)]
    kill: u16,

    /// Drop records that find no room, instead of waiting
    #[arg(long)]
    drop: bool,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,

    /// Where workers and master meet [default: a new directory in /dev/shm]
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,
}

/// Runs the demo.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.kill > args.workers {
        let (kill, workers) = (args.kill, args.workers);
        let text =
            format!("--kill {kill} is more than there are: give 0 to {workers}, or more --workers");
        return Err(Usage(text).into());
    }
    let outcome = run::run(args)?;
    show::print(&outcome, args.json)?;
    Ok(if outcome.balanced { Exit::Complete } else { Exit::Missing })
}

/// Runs one of its workers.
pub(crate) fn run_worker(args: &WorkerArgs) -> anyhow::Result<Exit> {
    worker::work(args).map(|()| Exit::Complete)
}
