//! Measures Millpond beside loggers of others and beside the limits of the machine, in one run.
//!
//! Each subject runs in processes of its own, since many loggers are global. In a round, every
//! subject has its turn once; the order rotates from round to round, so that a machine that is
//! busy with something else disturbs all of them alike. What was logged is read back: a fast
//! logger that loses lines is shown as one that loses lines.

mod child;
mod instructions;
mod latency;
mod machine;
mod place;
mod plots;
mod report;
mod rounds;
mod run;
mod spread;
mod subject;
mod subjects;
mod tables;
mod task;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};

use report::Report;
use rounds::Effort;

const EXAMPLE: &str = "\
Example:
  versus --quick --json versus.json --plots plots
  versus --only throughput --subjects millpond-producer,ftlog --rounds 7
  versus --from versus.json --plots plots     draw again what was measured before

Exit code 1: something failed, or a line of ours is missing.";

/// Measures Millpond beside other loggers: latency, throughput, several processes.
#[derive(Parser)]
#[command(after_help = EXAMPLE)]
struct Options {
    /// Three short rounds, in less than two minutes: for a first impression.
    #[arg(long)]
    quick: bool,
    /// Write all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw latency, throughput and processes into this folder, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Measure only these tables.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Table>,
    /// Measure only these subjects.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    subjects: Vec<String>,
    /// How many rounds [default: 5, with --quick 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Where the log files are written [default: /dev/shm, else the temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Count the instructions of a call too; builds once more, for valgrind.
    #[arg(long)]
    instructions: bool,
    /// Measure nothing: show and draw the figures of this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "instructions"])]
    from: Option<PathBuf>,
    /// The task of a child process, as JSON.
    #[arg(long, hide = true)]
    child: Option<String>,
}

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Nanoseconds of a call.
    Latency,
    /// Records per second from the threads of one process.
    Throughput,
    /// Records per second from four processes.
    Processes,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match &options.child {
        Some(task) => child::main(task).map(|()| true),
        None => parent(&options),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("versus: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, shows, draws. Returns whether ours lost nothing.
fn parent(options: &Options) -> anyhow::Result<bool> {
    let report = match &options.from {
        Some(file) => read(file)?,
        None => measure(options)?,
    };
    tables::print(&report);
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &options.plots {
        plots::draw(&report, folder)?;
    }
    let ours = report.errors.iter().filter(|error| subject::is_ours(&error.name));
    let failed = ours.inspect(|error| eprintln!("versus: {}: {}", error.name, error.error)).count();
    Ok(failed == 0)
}

fn read(file: &std::path::Path) -> anyhow::Result<Report> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{}: not our figures", file.display()))
}

fn measure(options: &Options) -> anyhow::Result<Report> {
    let subjects = subject::chosen(&options.subjects)?;
    ensure!(!subjects.is_empty(), "no subject is left to measure");
    let wanted = |table| options.only.is_empty() || options.only.contains(&table);
    let effort = Effort::new(options.quick, options.rounds);
    let base = place::base(options.dir.as_deref())?;
    let mut report = Report::new(&subjects);
    rounds::measure(&mut report, &subjects, &effort, &base, wanted)?;
    if options.instructions {
        instructions::count(&mut report, &subjects, &base)?;
    }
    Ok(report)
}
