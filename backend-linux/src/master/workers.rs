//! The workers that a master knows, and the evidence of their life.

use std::collections::HashMap;

use embassy_time::Instant;
use millpond_core::frame::Body;
use millpond_core::health::{Change, Evidence, Monitor, WorkerId, interval};
use millpond_core::ring::ProducerState;
use millpond_core::storage::Storage;
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
    open_rings: u32,
    end: Option<End>,
    account: Account,
}

/// How a worker ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Orderly,
    Died,
}

/// All workers of a directory, by their random ids.
pub(super) struct Workers {
    own: ProcessIdentity,
    workers: HashMap<u64, Worker>,
    worker_of_ring: HashMap<u64, u64>,
    monitor: Box<Monitor<WATCHED>>,
}

impl Workers {
    pub(super) fn new(own: ProcessIdentity) -> Self {
        Self {
            own,
            workers: HashMap::new(),
            worker_of_ring: HashMap::new(),
            monitor: Box::new(Monitor::new()),
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
            open_rings: 0,
            end: None,
            account: Account::default(),
        });
        worker.open_rings += 1;
        if *kind == RingKind::Keeper {
            worker.keeper = Some((attached.owner.clone(), attached.storage.clone()));
        }
        is_new
    }

    /// Whether the worker of a ring has ended: nothing more will be written.
    pub(super) fn has_ended(&mut self, ring: u64) -> bool {
        let Some(worker) = self.worker_of_ring.get(&ring) else { return false };
        let Some(worker) = self.workers.get_mut(worker) else { return false };
        if worker.end.is_none() {
            worker.end = worker.look(&self.own);
        }
        worker.end.is_some()
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

    /// A ring was removed. If it was the last of its worker, returns what to log about that.
    pub(super) fn ring_ended(&mut self, ring: u64, account: &Account) -> Option<(Level, String)> {
        let id = self.worker_of_ring.remove(&ring)?;
        let worker = self.workers.get_mut(&id)?;
        worker.open_rings = worker.open_rings.saturating_sub(1);
        worker.account.merge(account);
        if worker.open_rings > 0 {
            return None;
        }
        let worker = self.workers.remove(&id)?;
        self.monitor.died(WorkerId(id));
        let account = worker.account;
        (worker.end == Some(End::Died)).then(|| {
            let text = format!(
                "Worker {} is dead: pid {}, {} delivered, {} dropped",
                worker.name,
                worker.process.pid,
                account.delivered,
                account.total_dropped(),
            );
            (Level::Warning, text)
        })
    }

    /// Whether a process's pid means the same process to us.
    pub(super) fn sees(&self, process: &ProcessIdentity) -> bool {
        self.own.sees_pids_of(process)
    }

    pub(super) fn is_unknown(&self, worker: u64) -> bool {
        !self.workers.contains_key(&worker)
    }
}

impl Worker {
    /// What the kernel says of it: never a guess from time.
    fn look(&self, own: &ProcessIdentity) -> Option<End> {
        match &self.keeper {
            Some((owner, storage)) => {
                let closed = storage.producer_line().state() == ProducerState::Closed;
                match owner.state() {
                    OwnerState::Died => Some(if closed { End::Orderly } else { End::Died }),
                    OwnerState::Held { .. } => closed.then_some(End::Orderly),
                    // Released without closing the ring first: no worker of ours does that.
                    OwnerState::Unheld => closed.then_some(End::Orderly),
                }
            }
            // A keeper's file comes before any other of its worker and goes with the last, so
            // somebody has removed it. What is left is the process.
            None => {
                let same_boot = self.process.boot_id == own.boot_id;
                let gone = own.sees_pids_of(&self.process) && !self.process.is_running();
                (!same_boot || gone).then_some(End::Died)
            }
        }
    }
}

fn now() -> Instant {
    Instant::from_micros(monotonic_ns() / 1_000)
}
