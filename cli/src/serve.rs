//! `millpond serve`: a master until it is told to end.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use millpond::advanced::{LoggerConfig, MasterLogger, StartError};
use millpond::handlers::{ArchiveHandler, FileHandler};
use millpond::{FormatError, Handler, Level, LineFormat, Report, ShutdownError};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::{CODES, Exit, say};

const HELP: &str = "\
Examples:
  millpond serve --path /dev/shm/app --file app.log
  millpond serve --file app.log --level debug --stdout
  millpond serve --archive app.mpa     (millpond decode app.mpa reads it)

Workers may start before it and go on after it: what they log waits in DIR for
the next master. A second master for the same DIR is refused.";

/// Drain the workers of a directory into a file, until SIGINT or SIGTERM.
///
/// Says one line on standard error when it is ready, and at the end one with what became of
/// the records.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{HELP}\n\n{CODES}"))]
pub(crate) struct Args {
    /// Where workers and master meet: a directory in memory, made if it is missing
    /// [default: $XDG_RUNTIME_DIR/millpond, else /dev/shm/millpond-UID]
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,

    /// The log file; it is appended to, and made with its folders if it is missing
    #[arg(long, value_name = "FILE", required_unless_present = "archive")]
    file: Option<PathBuf>,

    /// Keep the records as they are in this archive, for `millpond decode`; instead of the log
    /// file or beside it
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,

    /// Leave out records below this level: trace, debug, info, warning or error
    #[arg(long, default_value = "info")]
    level: Level,

    /// How a line looks
    #[arg(
        long,
        value_parser = parse_format,
        default_value = LineFormat::DEFAULT_PATTERN,
        hide_default_value = true,
        long_help = "How a line looks: text with %(asctime)s, %(levelname)s, %(name)s, \
            %(message)s, %(process)d and %(thread)s in it \
            [default: %(asctime)s [%(levelname)s] %(name)s - %(message)s]",
    )]
    format: LineFormat,

    /// Write the lines to standard output as well
    #[arg(long)]
    stdout: bool,
}

fn parse_format(text: &str) -> Result<LineFormat, FormatError> {
    text.parse()
}

/// Runs the master.
pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    // Before there is anything to be ended in good order.
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let config = LoggerConfig {
        path: args.path.unwrap_or_default(),
        base_level: args.level,
        str_format: args.format.as_str().to_owned(),
        do_stdout: args.stdout,
        ..LoggerConfig::default()
    };
    let directory = config.directory().map_err(StartError::from)?;
    let mut handlers: Vec<Box<dyn Handler>> = Vec::new();
    if let Some(path) = &args.file {
        handlers.push(Box::new(FileHandler::new(path)?));
    }
    if let Some(path) = &args.archive {
        handlers.push(Box::new(ArchiveHandler::new(path)?));
    }
    let master = MasterLogger::new(config, handlers)?;
    for warning in master.warnings() {
        say(warning);
    }
    let files = args.file.iter().chain(&args.archive).map(|path| path.display().to_string());
    say(&format!(
        "serving {} into {} as process {}",
        directory.display(),
        files.collect::<Vec<_>>().join(" and "),
        std::process::id()
    ));
    let _ = signals.forever().next();
    let (report, problem) = match master.shutdown() {
        Ok(report) => (report, None),
        Err(ShutdownError::Stuck { handlers, report }) => {
            (*report, Some(format!("; still writing: {}", handlers.join(", "))))
        }
        Err(error) => return Err(error.into()),
    };
    say(&format!("ended: {}{}", account(&report), problem.as_deref().unwrap_or("")));
    let undelivered = report.handlers.iter().map(|h| h.failed + h.dropped).sum::<u64>();
    let is_complete = problem.is_none() && undelivered + report.total.quarantined == 0;
    Ok(if is_complete { Exit::Complete } else { Exit::Missing })
}

fn account(report: &Report) -> String {
    let workers = report.workers.iter().filter(|w| w.name != millpond::advanced::MASTER).count();
    let plural = if workers == 1 { "" } else { "s" };
    format!("{workers} worker{plural}, {report}")
}
