//! `millpond decode`: archives as lines of text or JSON.

mod filter;
mod json;
mod output;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use millpond::handlers::{ArchivePiece, ArchiveReader, Skipped};
use millpond::{FormatError, LineFormat};

use crate::exit::{CODES, Exit, Usage, say};
use filter::Filter;
use output::{Closed, Output};

const HELP: &str = "\
Examples:
  millpond decode app.mpa
  millpond decode --level warning --since 2026-11-22T08:00:00Z app.mpa
  millpond decode --json app.mpa | jq 'select(.fields.order == 17)'
  millpond decode --follow --grep refused app.mpa

The lines are those that a file handler would have written. In JSON, each record
is an object on a line of its own, with its named arguments in `fields`.

What is damaged is passed over and told of on standard error, and the exit code
is 3. An end that is cut off is left out without a word: it may be written yet.";

/// Turn archives into lines of text or JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{HELP}\n\n{CODES}"))]
pub(crate) struct Args {
    /// Archives, one after the other; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How a line looks: text with placeholders such as %(asctime)s, %(levelname)s, %(name)s,
    /// %(message)s, %(process)d, %(thread)s, %(target)s, %(filename)s and %(lineno)d
    #[arg(
        long,
        value_name = "PATTERN",
        value_parser = parse_format,
        default_value = LineFormat::DEFAULT_PATTERN,
        hide_default_value = true,
        conflicts_with = "json",
    )]
    format: LineFormat,

    /// Write JSON, an object for each record
    #[arg(long)]
    json: bool,

    /// Go on when the end is reached, and wait for more
    #[arg(long)]
    follow: bool,

    #[command(flatten)]
    filter: Filter,
}

/// How often a file is looked at that may have grown.
const EVERY: Duration = Duration::from_millis(200);

fn parse_format(text: &str) -> Result<LineFormat, FormatError> {
    text.parse()
}

/// Decodes the files.
pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    if args.follow && args.files.len() > 1 {
        return Err(
            Usage("--follow goes with one FILE: several cannot be waited for".into()).into()
        );
    }
    let mut output = Output::new(args.format.clone(), args.json, args.filter.clone());
    let mut exit = Exit::Complete;
    for path in &args.files {
        let is_damaged = if path == Path::new("-") {
            let reader = ArchiveReader::new(io::stdin().lock());
            decode(path, reader, &mut output, || Ok(false))
        } else {
            let file = File::open(path)
                .with_context(|| format!("cannot open {path:?}"))
                .map_err(whole_sentence)?;
            follow(path, file, args.follow, &mut output)
        };
        match is_damaged {
            Ok(false) => {}
            Ok(true) => exit = Exit::Missing,
            // Whoever reads has seen enough.
            Err(error) if error.is::<Closed>() => return Ok(exit),
            Err(error) => return Err(error),
        }
    }
    Ok(exit)
}

fn follow(path: &Path, file: File, follow: bool, output: &mut Output) -> anyhow::Result<bool> {
    let mut seen = 0;
    let watched = file.try_clone().with_context(|| format!("cannot watch {path:?}"))?;
    let reader = ArchiveReader::new(file).growing(follow);
    decode(path, reader, output, || {
        if !follow {
            return Ok(false);
        }
        std::thread::sleep(EVERY);
        let length = watched.metadata().with_context(|| format!("cannot look at {path:?}"))?.len();
        if length < seen {
            bail!("{path:?} was cut from {seen} to {length} bytes; what follows cannot be told");
        }
        seen = length;
        Ok(true)
    })
}

/// Writes what is in an archive; `wait` waits for more at its end, if there may be more. Returns
/// whether some of it was damaged.
fn decode<R: Read>(
    path: &Path,
    mut reader: ArchiveReader<R>,
    output: &mut Output,
    mut wait: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    // Of what is no archive at all one line is enough, so this is told once there is an envelope.
    let mut untold: Vec<Skipped> = Vec::new();
    let (mut is_damaged, mut is_torn) = (false, false);
    let no_archive =
        |bytes: u64| anyhow!("{path:?} is no archive: there is no envelope in its {bytes} bytes");
    loop {
        let piece = reader.read().with_context(|| format!("cannot read {path:?}"));
        match piece.map_err(whole_sentence)? {
            Some(ArchivePiece::Records(records)) => output.write(&records)?,
            Some(ArchivePiece::Skipped(place)) => untold.push(place),
            Some(ArchivePiece::Torn(_)) => is_torn = true,
            Some(_) => {}
            None => {
                output.flush()?;
                if reader.envelopes() == 0 && reader.position() > 0 && !is_torn {
                    return Err(no_archive(reader.position()));
                }
                if !wait()? {
                    return Ok(is_damaged);
                }
            }
        }
        if reader.envelopes() > 0 || is_torn {
            is_damaged |= !untold.is_empty();
            untold.drain(..).for_each(|place| say(&format!("{path:?}: {place}")));
        }
    }
}

/// An error is one sentence here, with what the system said.
fn whole_sentence(error: anyhow::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
