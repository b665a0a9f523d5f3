//! Severity levels.

use core::fmt;
use core::str::FromStr;

/// How severe a record is. Levels compare by severity: `Level::Error > Level::Info`.
///
/// Parses case-insensitively; `WARN` is accepted for `WARNING`.
///
/// ```
/// use millpond_core::Level;
///
/// assert_eq!("warn".parse(), Ok(Level::Warning));
/// assert!(Level::Error > Level::Debug);
/// assert!("loud".parse::<Level>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Every step; for following one computation.
    Trace = 0,
    /// For the developer of the program.
    Debug = 1,
    /// For the operator: what the program does.
    #[default]
    Info = 2,
    /// Something is off and the program goes on.
    Warning = 3,
    /// Something failed.
    Error = 4,
}

impl Level {
    /// How many levels there are: the length of every array that is indexed by level.
    pub const COUNT: usize = 5;

    /// All levels, the least severe first.
    pub const ALL: [Level; Level::COUNT] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warning, Level::Error];

    /// The name as it stands in a log line: `WARNING`.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }

    /// The level that a frame's byte stands for, if it is one.
    pub const fn from_byte(byte: u8) -> Option<Level> {
        match byte {
            0 => Some(Level::Trace),
            1 => Some(Level::Debug),
            2 => Some(Level::Info),
            3 => Some(Level::Warning),
            4 => Some(Level::Error),
            _ => None,
        }
    }

    /// The index of this level in an array of [`Level::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("warn") {
            return Ok(Level::Warning);
        }
        Level::ALL
            .into_iter()
            .find(|level| text.eq_ignore_ascii_case(level.name()))
            .ok_or(ParseLevelError(()))
    }
}

/// The text is not the name of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLevelError(());

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a level: expected TRACE, DEBUG, INFO, WARNING (or WARN) or ERROR")
    }
}

impl core::error::Error for ParseLevelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_in_any_case() {
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert_eq!(level.name().to_ascii_lowercase().parse(), Ok(level));
            assert_eq!(Level::from_byte(level as u8), Some(level));
        }
        assert_eq!("Warn".parse(), Ok(Level::Warning));
        assert_eq!(" info ".parse(), Ok(Level::Info));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "warnin", "5", "critical", "infos"] {
            assert!(text.parse::<Level>().is_err(), "{text:?} parsed");
        }
        assert_eq!(Level::from_byte(5), None);
        assert_eq!(Level::from_byte(255), None);
    }
}
