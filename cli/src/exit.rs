//! How the program ends: exit codes and one-line errors.

use std::process::ExitCode;

use millpond::advanced::StartError;

/// What every help text says of exit codes.
pub(crate) const CODES: &str = "\
Exit codes:
  0  done, nothing is missing
  1  it did not work; one line on standard error says why
  2  the arguments are wrong
  3  records are missing; one line on standard error says how many";

/// The end of a command that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing is missing.
    Complete,
    /// Some records are missing.
    Missing,
}

/// A signal ended the command before its work was done.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// The signal's number.
    pub(crate) signal: i32,
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted: the workers were ended and their directory was removed")
    }
}

impl std::error::Error for Interrupted {}

/// The arguments are each possible, and not together or not here.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Reports an error, if it is one.
pub(crate) fn code_of(result: &anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(Exit::Complete) => ExitCode::SUCCESS,
        Ok(Exit::Missing) => ExitCode::from(3),
        Err(error) => {
            // Each error is a whole sentence, and its source is part of that already.
            say(&error.to_string());
            ExitCode::from(code_of_error(error))
        }
    }
}

fn code_of_error(error: &anyhow::Error) -> u8 {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        return u8::try_from(128 + interrupted.signal).unwrap_or(1);
    }
    let is_setting = matches!(error.downcast_ref(), Some(StartError::Config(_)));
    if is_setting || error.is::<Usage>() { 2 } else { 1 }
}

/// One line on standard error.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;

    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // One write, so that lines of several processes do not mix. If standard error is closed, there
    // is nobody to tell.
    let _ = std::io::stderr().write_all(format!("millpond: {words}\n").as_bytes());
}
