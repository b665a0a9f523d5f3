//! What happens when a ring is full.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a log call does when its ring has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overflow {
    /// The record is dropped and counted by its level; a line in the log says how many are
    /// missing, where they are missing. The call takes nanoseconds. The default of the advanced
    /// logger.
    Drop,
    /// The call waits for room, and drops the record as above if there is none in time. Once a
    /// call has waited in vain, later calls do not wait until there was room again, so a
    /// stuck collector costs one time-out and not one for each call. The default of the standard
    /// logger, with ten seconds. A handler that logs never waits, since it might wait for itself.
    Block {
        /// How long a call waits at most.
        timeout: Duration,
    },
}

impl Overflow {
    /// Waits for ever: nothing is dropped, and a program whose collector is stuck is stuck too.
    pub const WAIT: Overflow = Overflow::Block { timeout: Duration::MAX };
}
