//! Which records are shown.

use jiff::Timestamp;
use millpond::{Level, Record};

/// What a record must be to be shown.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Filter {
    /// Leave out records below this level: trace, debug, info, warning or error
    #[arg(long, default_value = "trace")]
    level: Level,

    /// Only records of this logger or worker
    #[arg(long)]
    name: Option<String>,

    /// Only records with this text in their message
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,

    /// Only records from this time on, as in 2026-11-22T07:45:53.123456Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<i64>,

    /// Only records before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
}

impl Filter {
    /// Whether everything is shown.
    pub(crate) fn is_open(&self) -> bool {
        self.level == Level::Trace
            && self.name.is_none()
            && self.grep.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// Whether the record is shown. The message is made last, since that is what costs.
    pub(crate) fn shows(&self, record: &Record<'_>) -> bool {
        let time = record.timestamp_ns();
        record.level() >= self.level
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
            && self.name.as_ref().is_none_or(|name| name == record.name())
            && self.grep.as_ref().is_none_or(|text| record.message().contains(text.as_str()))
    }
}

/// Nanoseconds since the Unix epoch.
fn parse_time(text: &str) -> Result<i64, String> {
    let time: Timestamp =
        text.parse().map_err(|_| "expected a time such as 2026-11-22T07:45:53Z".to_owned())?;
    i64::try_from(time.as_nanosecond())
        .map_err(|_| "expected a time between the years 1678 and 2262".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(parse_time("1970-01-01T01:00:00+01:00"), Ok(0));
        for wrong in ["", "yesterday", "2026-11-22", "2026-11-22T07:45:53", "3000-01-01T00:00:00Z"]
        {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
