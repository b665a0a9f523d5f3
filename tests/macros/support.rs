//! A logger whose records can be looked at.

use std::sync::{Arc, Mutex};

use millpond::standard::{Logger, LoggerConfig};
use millpond::{Handler, HandlerError, Level, Records};

/// A record as a handler got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) template: String,
    pub(crate) target: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    /// `name=value`, the value as its `Debug` shows it.
    pub(crate) fields: Vec<String>,
    pub(crate) suppressed: Option<u32>,
    pub(crate) timestamp_ns: i64,
}

type Kept = Arc<Mutex<Vec<Got>>>;

struct Keep(Kept);

impl Handler for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }

    // The type of a call site has no name that users need.
    #[allow(clippy::redundant_closure_for_method_calls)]
    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        self.0.lock().unwrap().extend(records.iter().map(|record| {
            let site = record.call_site();
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            Got {
                level: record.level(),
                message: record.message().to_owned(),
                template: text(site.map(|site| site.template())),
                target: text(site.map(|site| site.target())),
                file: text(site.map(|site| site.file())),
                line: site.map_or(0, |site| site.line()),
                fields: record.fields().map(|(name, value)| format!("{name}={value:?}")).collect(),
                suppressed: record.suppressed(),
                timestamp_ns: record.timestamp_ns(),
            }
        }));
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A logger, and what it has logged.
pub(crate) struct Log {
    pub(crate) logger: Logger,
    kept: Kept,
}

impl Log {
    /// One that logs everything.
    pub(crate) fn new() -> Self {
        Self::with_level(Level::Trace)
    }

    pub(crate) fn with_level(base_level: Level) -> Self {
        let kept = Kept::default();
        let config = LoggerConfig { base_level, ..LoggerConfig::default() };
        let logger = Logger::new("app", config, vec![Box::new(Keep(Arc::clone(&kept)))]).unwrap();
        Self { logger, kept }
    }

    /// Everything that was logged. Nothing can be logged afterwards.
    pub(crate) fn end(self) -> Vec<Got> {
        let report = self.logger.shutdown().unwrap();
        let got = self.kept.lock().unwrap().clone();
        assert_eq!(report.total.attempted, report.total.delivered + report.total.total_dropped());
        assert_eq!(report.total.delivered, got.len() as u64);
        got
    }

    /// The messages of everything that was logged.
    pub(crate) fn messages(self) -> Vec<String> {
        self.end().into_iter().map(|got| got.message).collect()
    }
}
