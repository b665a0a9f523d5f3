//! Counts what a log call costs in instructions and in bytes of the program: figures that are the
//! same on every run, however noisy the machine.
//!
//! Run it by `scripts/instructions`, which builds it so that valgrind can run it.

mod baseline;
mod callgrind;
mod cases;
mod size;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};

use baseline::{Figure, Verdict};

/// Counts the instructions of a log call, and the bytes that one adds to a program.
#[derive(Parser)]
#[command(after_help = "Example: scripts/instructions --check")]
struct Arguments {
    /// Fails if a figure has grown by more than 5 % beyond the baseline.
    #[arg(long)]
    check: bool,
    /// Makes what was counted the new baseline.
    #[arg(long, conflicts_with = "check")]
    update: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// The baseline.
    #[arg(long, default_value = "benches/instructions.json", value_name = "FILE")]
    baseline: PathBuf,
    #[command(subcommand)]
    run: Option<Run>,
}

#[derive(Subcommand)]
enum Run {
    /// Makes calls, for valgrind to count.
    #[command(hide = true)]
    Calls { case: String, count: u64 },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(Run::Calls { case, count }) = arguments.run {
        cases::run(&case, count)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !cfg!(rustix_use_libc) {
        bail!("valgrind cannot run this program as it was built; use scripts/instructions");
    }
    let mut figures = Vec::new();
    for case in cases::NAMES {
        figures.push(Figure::of_instructions(case, callgrind::per_call(case)?));
    }
    figures.extend(size::per_call()?.map(|(name, bytes)| Figure::of_bytes(name, bytes)));
    if arguments.update {
        baseline::save(&arguments.baseline, &figures)?;
    }
    let verdict = baseline::compare(&arguments.baseline, figures)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&verdict)?);
    } else {
        print!("{verdict}");
    }
    let fails = arguments.check && !verdict.grown().is_empty();
    if fails {
        eprintln!(
            "instructions: {} grown by more than 5 %. Find out why; if it is worth it, run \
             scripts/instructions --update and commit the baseline.",
            Verdict::list(&verdict.grown())
        );
    }
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
