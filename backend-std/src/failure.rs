//! Reporting what goes wrong in handlers, never through the log itself.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Something that a handler did wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HandlerFailure {
    /// The handler's name.
    pub handler: String,
    /// The call that failed: `push`, `tick`, `flush` or `close`.
    pub call: &'static str,
    /// What the handler said, or what it panicked with.
    pub reason: String,
    /// How many records it concerns.
    pub records: u64,
}

impl fmt::Display for HandlerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handler {} failed in {}: {}", self.handler, self.call, self.reason)?;
        if self.records > 0 {
            write!(f, " ({} records)", self.records)?;
        }
        Ok(())
    }
}

/// Who is told of handler failures. Called on the handler's thread.
#[derive(Clone)]
pub struct OnError(Arc<dyn Fn(&HandlerFailure) + Send + Sync>);

impl OnError {
    /// Calls `callback` for every failure.
    pub fn new(callback: impl Fn(&HandlerFailure) + Send + Sync + 'static) -> Self {
        Self(Arc::new(callback))
    }

    pub(crate) fn report(&self, failure: &HandlerFailure) {
        (self.0)(failure);
    }
}

impl Default for OnError {
    /// Standard error, at most one line a second for each handler.
    fn default() -> Self {
        let limits: Mutex<HashMap<String, (Instant, u64)>> = Mutex::default();
        Self::new(move |failure| {
            let mut limits = limits.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let (last, suppressed) = match limits.get_mut(&failure.handler) {
                Some(limit) if now.duration_since(limit.0) < Duration::from_secs(1) => {
                    limit.1 += 1;
                    return;
                }
                Some(limit) => (&mut limit.0, &mut limit.1),
                None => {
                    eprintln!("millpond: {failure}");
                    limits.insert(failure.handler.clone(), (now, 0));
                    return;
                }
            };
            *last = now;
            match std::mem::take(suppressed) {
                0 => eprintln!("millpond: {failure}"),
                more => eprintln!("millpond: {failure} (and {more} more like it)"),
            }
        })
    }
}

impl fmt::Debug for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnError(..)")
    }
}
