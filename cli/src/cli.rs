//! The command line: what there is, and what is said when it is wrong.

use std::process::ExitCode;

use clap::error::{Error, ErrorKind};
use clap::{Parser, Subcommand};

use crate::exit::{self, CODES};
use crate::{decode, demo, pipe, serve};

const EXAMPLES: &str = "\
Examples:
  millpond demo                                       # see it work
  millpond serve --path /dev/shm/app --file app.log   # a master, until Ctrl-C
  ls -R / 2>&1 | millpond pipe --path /dev/shm/app --name ls
  millpond decode app.mpa                             # an archive as text";

/// Logging through shared memory: many workers, one master, nothing lost by SIGKILL.
#[derive(Debug, Parser)]
#[command(
    name = "millpond",
    version,
    term_width = 80,
    after_help = format!("{EXAMPLES}\n\n{CODES}"),
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Pipe(pipe::Args),
    Decode(decode::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    DemoWorker(demo::WorkerArgs),
}

/// Runs the command that the arguments ask for.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    exit::code_of(&match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Pipe(args) => pipe::run(&args),
        Command::Decode(args) => decode::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::DemoWorker(args) => demo::run_worker(&args),
    })
}

/// Prints help where help was asked for, else one line.
fn refuse(error: &Error) -> ExitCode {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};

    if matches!(
        error.kind(),
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        error.exit();
    }
    exit::say(&one_line(&error.to_string()));
    ExitCode::from(2)
}

/// `error: what is wrong` and what stands below it, up to the usage.
fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().map(str::trim);
    let said = lines.take_while(|l| !l.starts_with("Usage:") && !l.starts_with("For more"));
    let said: Vec<&str> = said.filter(|line| !line.is_empty()).collect();
    format!("{}; --help shows how it is used", said.join("; ").replace(":;", ":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        use clap::CommandFactory as _;

        Cli::command().debug_assert();
    }

    #[test]
    fn what_clap_says_fits_one_line() {
        let text =
            "error: these were not provided:\n  --file <FILE>\n\nUsage: millpond\n\nFor more";
        let line = "these were not provided: --file <FILE>; --help shows how it is used";
        assert_eq!(one_line(text), line);
    }
}
