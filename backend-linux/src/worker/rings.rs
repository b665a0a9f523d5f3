//! Rings in shared memory, made by threads that log.

use std::sync::Arc;

use millpond_core::doorbell::Doorbell;
use millpond_core::ring::Producer as Ring;
use millpond_std::SystemClock;
use millpond_std::fork::PerProcess;
use millpond_std::front::RingSupply;

use super::session::{Session, Settings};
use crate::config::LoggerConfig;
use crate::error::Error;
use crate::ring_file::MappedStorage;

/// Makes the rings of a worker: one session for each process, so that a forked child gets its own
/// directory handle, keeper and rings at its first call.
#[derive(Clone, Debug)]
pub struct SharedRings(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    sessions: PerProcess<Result<Session, String>>,
    /// For a child that could not start a session: nobody sleeps behind it.
    silent: Doorbell,
}

impl SharedRings {
    pub(super) fn new(
        config: &LoggerConfig,
        name: &str,
        clock: SystemClock,
    ) -> Result<Self, Error> {
        let settings = Settings::new(config, name, clock)?;
        let session = Session::start(&settings)?;
        let sessions = PerProcess::new();
        sessions.get_or_init(|| Ok(session));
        Ok(Self(Arc::new(Shared { settings, sessions, silent: Doorbell::new() })))
    }

    fn session(&self) -> Result<&Session, &str> {
        let start = || Session::start(&self.0.settings).map_err(|error| error.to_string());
        self.0.sessions.get_or_init(start).as_ref().map_err(String::as_str)
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        self.session().map(|session| session.directory().warnings().to_vec()).unwrap_or_default()
    }

    pub(super) fn has_master(&self) -> bool {
        self.session().is_ok_and(|session| crate::lease::Lease::is_held(session.directory()))
    }

    /// Ends this process's session, if it has one.
    pub(super) fn end(&self) {
        if let Some(Ok(session)) = self.0.sessions.get() {
            session.end();
        }
    }
}

impl RingSupply for SharedRings {
    type Storage = MappedStorage;
    type Error = Error;

    fn make_ring(&self) -> Result<Ring<MappedStorage>, Error> {
        match self.session() {
            Ok(session) => session.make_ring(&self.0.settings),
            Err(why) => Err(Error::without_session(self.0.settings.path(), why)),
        }
    }

    fn doorbell(&self) -> &Doorbell {
        self.session().map_or(&self.0.silent, |session| session.doorbell().doorbell())
    }

    fn wake(&self) {
        if let Ok(session) = self.session() {
            session.doorbell().wake();
        }
    }
}
