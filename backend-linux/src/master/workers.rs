//! The workers that a master knows, and the evidence of their life.

use std::collections::HashMap;
use std::ffi::OsString;

use embassy_time::Instant;
use millpond_core::frame::Body;
use millpond_core::health::{Change, Evidence, Monitor, WorkerId, interval};
use millpond_core::ring::ProducerState;
use millpond_core::storage::Storage;
use millpond_std::collector::Ending;
use millpond_std::{Account, Level, monotonic_ns};

use crate::identity::ProcessIdentity;
use crate::owner::{OwnerState, OwnerWord};
use crate::ring_file::{Attached, MappedStorage, RingIdentity, RingKind};

/// Workers whose health is watched; more are drained all the same.
const WATCHED: usize = 1024;

/// A worker that has rings in the directory.
struct Worker {
    name: String,
    process: ProcessIdentity,
    /// Its keeper's owner word and memory; `None` until the keeper's file is found.
    keeper: Option<(OwnerWord, MappedStorage)>,
    keeper_ring: Option<u64>,
    open_rings: u32,
    /// The keeper's file, once its ring is drained: the evidence stays until the last ring goes.
    keeper_file: Option<OsString>,
    end: Option<Ending>,
    /// The kernel said that its process has ended.
    process_ended: bool,
    account: Account,
}

/// What follows from the end of a ring.
#[derive(Default)]
pub(super) struct Ended {
    /// Files to remove.
    pub(super) files: Vec<OsString>,
    /// The worker, if this was its last ring.
    pub(super) worker: Option<u64>,
    /// What to log about that.
    pub(super) last_words: Option<(Level, String)>,
}

/// All workers of a directory, by their random ids.
pub(super) struct Workers {
    own: ProcessIdentity,
    workers: HashMap<u64, Worker>,
    worker_of_ring: HashMap<u64, u64>,
    monitor: Box<Monitor<WATCHED>>,
    somebody_ended: bool,
}

impl Workers {
    pub(super) fn new(own: ProcessIdentity) -> Self {
        Self {
            own,
            workers: HashMap::new(),
            worker_of_ring: HashMap::new(),
            monitor: Box::new(Monitor::new()),
            somebody_ended: false,
        }
    }

    /// Takes note of a ring that was found. Returns whether it is the first of its worker.
    pub(super) fn add(&mut self, attached: &Attached) -> bool {
        let RingIdentity { ring_id, worker_id, kind, worker_name, process, .. } =
            &attached.identity;
        self.worker_of_ring.insert(*ring_id, *worker_id);
        let is_new = !self.workers.contains_key(worker_id);
        let worker = self.workers.entry(*worker_id).or_insert_with(|| Worker {
            name: worker_name.clone(),
            process: process.clone(),
            keeper: None,
            keeper_ring: None,
            open_rings: 0,
            keeper_file: None,
            end: None,
            process_ended: false,
            account: Account::default(),
        });
        worker.open_rings += 1;
        if *kind == RingKind::Keeper {
            worker.keeper = Some((attached.owner.clone(), attached.storage.clone()));
            worker.keeper_ring = Some(*ring_id);
        }
        is_new
    }

    /// Looks at the evidence for every worker; once in a pass, since there are many rings.
    pub(super) fn look(&mut self) {
        self.somebody_ended = false;
        for worker in self.workers.values_mut() {
            if worker.end.is_none() {
                worker.end = worker.look(&self.own);
            }
            self.somebody_ended |= worker.end.is_some();
        }
    }

    /// How the worker of a ring had ended at the last look, if it had. A process that is gone
    /// after its logger was shut down has no call left that waits, so that counts as died.
    pub(super) fn ending(&self, ring: u64) -> Option<Ending> {
        if !self.somebody_ended {
            return None;
        }
        let worker = self.workers.get(self.worker_of_ring.get(&ring)?)?;
        if worker.process_ended { worker.end.and(Some(Ending::Died)) } else { worker.end }
    }

    /// The kernel says that the process of a worker has ended.
    pub(super) fn process_ended(&mut self, worker: u64) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.process_ended = true;
        }
    }

    /// A frame of a keeper. Returns what to log.
    pub(super) fn heard(&mut self, ring: u64, body: &Body<'_>) -> Option<(Level, String)> {
        let id = *self.worker_of_ring.get(&ring)?;
        let name = &self.workers.get(&id)?.name;
        match body {
            Body::Heartbeat(heartbeat) => {
                let next = interval(heartbeat.next_checkin_ns);
                // A full monitor means that this worker's health is not watched.
                let change = self.monitor.check_in(WorkerId(id), now(), next).ok()??;
                Some((Level::Info, format!("Worker {name} {change}")))
            }
            Body::Shutdown => {
                self.monitor.shut_down(WorkerId(id));
                None
            }
            _ => None,
        }
    }

    /// Reports workers that missed their check-in.
    pub(super) fn check(&mut self, say: &mut dyn FnMut(Level, String)) {
        let now = now();
        if self.monitor.next_due().is_none_or(|due| due > now) {
            return;
        }
        let workers = &self.workers;
        let evidence = |id: WorkerId| match workers.get(&id.0).and_then(|w| w.keeper.as_ref()) {
            Some((owner, _)) if matches!(owner.state(), OwnerState::Held { .. }) => Evidence::Alive,
            _ => Evidence::Unknown,
        };
        self.monitor.check(now, evidence, |id, change: Change| {
            if let Some(worker) = workers.get(&id.0) {
                say(Level::Warning, format!("Worker {} {change}", worker.name));
            }
        });
    }

    /// A ring was drained to its end. Says which files may go now: a keeper's only with the last.
    pub(super) fn ring_ended(&mut self, ring: u64, file: OsString, account: &Account) -> Ended {
        let mut ended = Ended::default();
        let Some(id) = self.worker_of_ring.remove(&ring) else {
            ended.files.push(file);
            return ended;
        };
        let Some(worker) = self.workers.get_mut(&id) else {
            ended.files.push(file);
            return ended;
        };
        worker.open_rings = worker.open_rings.saturating_sub(1);
        worker.account.merge(account);
        if worker.keeper_ring == Some(ring) {
            worker.keeper_file = Some(file);
        } else {
            ended.files.push(file);
        }
        if worker.open_rings > 0 {
            return ended;
        }
        if let Some(worker) = self.workers.remove(&id) {
            self.monitor.died(WorkerId(id));
            ended.worker = Some(id);
            ended.last_words = worker.last_words();
            ended.files.extend(worker.keeper_file);
        }
        ended
    }

    /// Whether a process's pid means the same process to us.
    pub(super) fn sees(&self, process: &ProcessIdentity) -> bool {
        self.own.sees_pids_of(process)
    }
}

impl Worker {
    fn last_words(&self) -> Option<(Level, String)> {
        (self.end == Some(Ending::Died)).then(|| {
            let (name, pid, account) = (&self.name, self.process.pid, &self.account);
            let text = format!(
                "Worker {name} is dead: pid {pid}, {} delivered, {} dropped",
                account.delivered,
                account.total_dropped(),
            );
            (Level::Warning, text)
        })
    }

    /// What the kernel says of it: never a guess from time.
    fn look(&self, own: &ProcessIdentity) -> Option<Ending> {
        let ended = self.process_ended || self.process.boot_id != own.boot_id;
        match &self.keeper {
            Some((owner, storage)) => {
                // In this order: what is closed after the evidence is closed for good.
                let died = ended || owner.state() == OwnerState::Died;
                match storage.producer_line().state() {
                    ProducerState::Closed => Some(Ending::Orderly),
                    ProducerState::Open => died.then_some(Ending::Died),
                }
            }
            // A keeper's file comes before any other of its worker and goes with the last, so
            // somebody has removed it. What is left is the process.
            None => {
                let gone = || own.sees_pids_of(&self.process) && !self.process.is_running();
                (ended || gone()).then_some(Ending::Died)
            }
        }
    }
}

fn now() -> Instant {
    Instant::from_micros(monotonic_ns() / 1_000)
}
