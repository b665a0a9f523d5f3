//! The rings of a directory, as the collector drains them.
//!
//! # Safety
//!
//! The one unsafe block makes the consumer of a ring. The lease, which the master holds as long as
//! its collector runs, makes it the only one.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use millpond_core::doorbell::Doorbell;
use millpond_core::frame::{Body, Header};
use millpond_core::ring::{Consumer, RingFault};
use millpond_core::storage::{Area, Storage};
use millpond_std::collector::{Ending, FoundRing, RingIntake};
use millpond_std::{Account, Anchor, Level, Source, SystemClock};

use super::workers::Workers;
use crate::checkpoint::{Checkpoint, Progress, SlotHandle};
use crate::directory::{Directory, Mark};
use crate::doorbell::SharedDoorbell;
use crate::error::Error;
use crate::identity::ProcessIdentity;
use crate::lease::Lease;
use crate::ring_file::{Attached, ClockKind, MappedStorage, RingFile};
use crate::watcher::{Signal, Watched, Watcher};

/// The directory is listed this often even if nothing says that it changed.
const SCAN: Duration = Duration::from_secs(1);

/// Something to be logged by the master.
type Notice = (Level, String);

/// A directory as a collector's intake.
pub(super) struct DirectoryIntake {
    directory: Directory,
    doorbell: SharedDoorbell,
    clock: SystemClock,
    checkpoint: Checkpoint,
    watcher: Watcher,
    changed: Arc<AtomicBool>,
    scanned: Instant,
    scans: u64,
    /// Files that are drained or were refused, by name.
    known: HashMap<OsString, Entry>,
    rings: HashMap<u64, Known>,
    workers: Workers,
    /// Workers whose processes have ended, as the kernel told the watcher.
    gone: Arc<Mutex<Vec<u64>>>,
    notices: Vec<Notice>,
    /// What was said to be lost, so that it is said once.
    said: Option<Loss>,
    /// Last, so that it is given up when no ring is mapped any more.
    lease: Lease,
}

/// A file in the directory.
enum Entry {
    /// A ring that is drained.
    Ring,
    /// Something else, looked at again when it has changed. The reason is said only if it is
    /// another one than before.
    Refused { mark: Option<Mark>, why: String },
}

/// What a master cannot do without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Reading,
    LockFile,
    Directory,
}

struct Known {
    name: OsString,
    slot: Option<SlotHandle>,
    quarantined: bool,
    /// The scan after which its worker was found to have ended: one more must follow, so that a
    /// ring made at the last moment is found before its worker is given up.
    ended_at: Option<u64>,
}

impl DirectoryIntake {
    pub(super) fn new(
        directory: Directory,
        lease: Lease,
        doorbell: SharedDoorbell,
        wake: Arc<dyn Fn() + Send + Sync>,
        clock: SystemClock,
    ) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(&directory)?;
        let changed = Arc::new(AtomicBool::new(true));
        let gone = Arc::<Mutex<Vec<u64>>>::default();
        let watcher = Watcher::start(&directory, {
            let (changed, gone) = (Arc::clone(&changed), Arc::clone(&gone));
            move |signal| {
                if let Signal::Died { tag, .. } = signal {
                    gone.lock().unwrap_or_else(PoisonError::into_inner).push(tag);
                }
                // Release: pairs with the swap in `discover`, which looks at both after.
                changed.store(true, Ordering::Release);
                wake();
            }
        })?;
        let own = ProcessIdentity::of_this_process()?;
        Ok(Self {
            directory,
            doorbell,
            clock,
            checkpoint,
            watcher,
            changed,
            scanned: Instant::now(),
            scans: 0,
            known: HashMap::new(),
            rings: HashMap::new(),
            workers: Workers::new(own),
            gone,
            notices: Vec::new(),
            said: None,
            lease,
        })
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        [self.checkpoint.warnings(), self.watcher.warnings()].concat()
    }

    fn scan(&mut self, found: &mut Vec<FoundRing<MappedStorage>>) {
        self.scanned = Instant::now();
        self.scans += 1;
        let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        gone.into_iter().for_each(|worker| self.workers.process_ended(worker));
        let names = self.directory.list_rings();
        self.say_if_lost(names.as_ref().err());
        let Ok(names) = names else { return };
        // Names of refused files are forgotten with the files, those of rings when they end.
        self.known.retain(|name, entry| matches!(entry, Entry::Ring) || names.contains(name));
        for name in names {
            self.look_at(name, found);
        }
        if self.scans == 1 {
            self.forget_missing();
        }
    }

    /// Slots of rings whose files are gone would be taken for ever.
    fn forget_missing(&mut self) {
        let there: Vec<u64> = self.rings.keys().copied().collect();
        let missing: Vec<u64> =
            self.checkpoint.ring_ids().filter(|ring| !there.contains(ring)).collect();
        for ring in missing {
            self.checkpoint.forget(ring);
        }
    }

    /// Says once that the directory or the lock is not there any more, or cannot be read.
    fn say_if_lost(&mut self, failed: Option<&Error>) {
        let path = self.directory.path().display();
        let (loss, text) = if !self.directory.is_current() {
            let text = format!(
                "the directory `{path}` was removed or replaced: rings that were found are \
                 drained to their ends, new ones are not found; restart the master, and workers \
                 that are to log from new threads"
            );
            (Some(Loss::Directory), text)
        } else if let Some(error) = failed {
            (Some(Loss::Reading), error.to_string())
        } else if !self.lease.is_current(&self.directory) {
            let text = format!(
                "the lock file of `{path}` was removed, so a second master may start: restart \
                 this one"
            );
            (Some(Loss::LockFile), text)
        } else {
            (None, String::new())
        };
        if loss.is_some() && loss != self.said {
            self.notices.push((Level::Error, text));
        }
        self.said = loss;
    }

    /// Takes a ring that is new, and whatever was refused and has changed since.
    fn look_at(&mut self, name: OsString, found: &mut Vec<FoundRing<MappedStorage>>) {
        // Before it is opened, so that what changes in between is looked at again.
        let mark = self.directory.mark(&name);
        let said = match self.known.get(&name) {
            None => None,
            Some(Entry::Ring) => return,
            Some(Entry::Refused { mark: seen, .. }) if *seen == mark && mark.is_some() => return,
            Some(Entry::Refused { why, .. }) => Some(why.clone()),
        };
        let (why, mark) = match RingFile::attach(&self.directory, &name) {
            Ok(attached) => match self.misfit(&attached) {
                None => return found.push(self.take(name, attached)),
                Some(why) => (why, mark),
            },
            Err(error) if error.is_gone() => return,
            // Tried again whatever the file is: it was not its fault.
            Err(error) if error.is_system() => (error.to_string(), None),
            Err(error) => (error.to_string(), mark),
        };
        if said.as_ref() != Some(&why) {
            self.notices.push((Level::Warning, why.clone()));
        }
        self.known.insert(name, Entry::Refused { mark, why });
    }

    /// Why a ring is not drained, although it is one.
    fn misfit(&self, attached: &Attached) -> Option<String> {
        if self.rings.contains_key(&attached.identity.ring_id) {
            return Some(format!("ignored a second file of a ring: {}", shown(&attached.name)));
        }
        self.ticks_differ(attached)
    }

    /// Records of another clock cannot be ordered among the others.
    fn ticks_differ(&self, attached: &Attached) -> Option<String> {
        let ours = ClockKind::from(self.clock.kind());
        let theirs = attached.identity.clock;
        (theirs != ours).then(|| {
            format!(
                "ignored ring {}: its stamps are ticks of {theirs:?} and this master's of {ours:?}",
                shown(&attached.name)
            )
        })
    }

    fn take(&mut self, name: OsString, attached: Attached) -> FoundRing<MappedStorage> {
        let identity = &attached.identity;
        let ring = identity.ring_id;
        let slot = self.checkpoint.slot(ring);
        let progress = slot.as_ref().map(SlotHandle::get).unwrap_or_default();
        let position = position(&attached.storage, progress);
        if self.workers.add(&attached) {
            self.watch(&attached);
        }
        let source = Source {
            name: identity.worker_name.clone(),
            process: identity.process.pid,
            thread: u64::from(identity.tid),
            thread_name: String::new(),
        };
        let birth = Anchor {
            ticks: identity.birth.ticks,
            monotonic_ns: identity.birth.monotonic_ns,
            wall_ns: i64::try_from(identity.birth.wall_ns).unwrap_or(0),
        };
        // A ring that was drained before: its losses were reported, or will be by gap frames.
        let is_new = progress.released == 0;
        let gaps =
            if is_new { Default::default() } else { attached.storage.producer_line().dropped() };
        let Progress { delivered, filtered, quarantined, .. } = progress;
        let account = Account::of_earlier(delivered, filtered, quarantined, gaps);
        self.known.insert(name.clone(), Entry::Ring);
        let known = Known { name, slot, quarantined: false, ended_at: None };
        self.rings.insert(ring, known);
        // SAFETY: the lease makes this the only master, and `rings` the only consumer in it. The
        // position is the one that was last released, as the checkpoint remembers it.
        let consumer = unsafe { Consumer::new(attached.storage, position) };
        FoundRing { id: ring, consumer, source, account, birth: Some(birth) }
    }

    /// Asks to be woken when the process of a worker ends. Without it, the owner word still tells
    /// when it is looked at.
    fn watch(&mut self, attached: &Attached) {
        let identity = &attached.identity;
        let process = &identity.process;
        if !self.workers.sees(process) {
            return;
        }
        let watched =
            self.watcher.watch_process(process.pid, process.start_time, identity.worker_id);
        match watched {
            Err(error) => self.notices.push((Level::Debug, error.to_string())),
            // That is concluded from a pid and a time; the owner word is evidence.
            Ok(Watched::Gone | Watched::Watching) => {}
        }
    }
}

/// Where to go on reading: where the checkpoint says, if that fits what the ring shows.
fn position(storage: &MappedStorage, progress: Progress) -> u64 {
    let fits = |position: u64| {
        let ahead = storage.producer_line().published().wrapping_sub(position as u32);
        ahead <= storage.data().length() && position.is_multiple_of(8)
    };
    let word = storage.consumer_line().released();
    if progress.released != 0 && fits(progress.released) {
        // The producer believes the word, so what lies before it may be overwritten.
        let ahead = u64::from(word.wrapping_sub(progress.released as u32));
        let moved = progress.released.saturating_add(ahead);
        let unread = storage.producer_line().published().wrapping_sub(progress.released as u32);
        return if ahead <= u64::from(unread) { moved } else { progress.released };
    }
    // No checkpoint: the ring's own word, or its start.
    if fits(u64::from(word)) { u64::from(word) } else { 0 }
}

fn shown(name: &OsStr) -> String {
    name.to_string_lossy().escape_debug().to_string()
}

impl RingIntake for DirectoryIntake {
    type Storage = MappedStorage;

    fn discover(&mut self, found: &mut Vec<FoundRing<MappedStorage>>) {
        // Acquire: pairs with the Release in the watcher's callback.
        if self.changed.swap(false, Ordering::Acquire) || self.scanned.elapsed() >= SCAN {
            self.scan(found);
        }
    }

    /// What tells of a new ring may still be on its way.
    fn look_again(&mut self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    fn doorbell(&self) -> &Doorbell {
        self.doorbell.doorbell()
    }

    fn wait(&mut self, timeout: Duration) {
        self.doorbell.wait(timeout);
    }

    fn ending(&mut self, ring: u64) -> Option<Ending> {
        let ending = self.workers.ending(ring)?;
        let known = self.rings.get_mut(&ring)?;
        let at = *known.ended_at.get_or_insert_with(|| {
            self.changed.store(true, Ordering::Release);
            self.scans
        });
        (self.scans > at).then_some(ending)
    }

    fn heard(&mut self, ring: u64, _header: &Header, body: &Body<'_>) {
        self.notices.extend(self.workers.heard(ring, body));
    }

    fn released(&mut self, ring: u64, position: u64, account: &Account) {
        if let Some(slot) = self.rings.get_mut(&ring).and_then(|known| known.slot.as_mut()) {
            slot.set(Progress {
                released: position,
                delivered: account.delivered,
                filtered: account.filtered,
                quarantined: account.quarantined,
            });
        }
    }

    fn ended(&mut self, ring: u64, account: &Account) {
        let Some(known) = self.rings.remove(&ring) else { return };
        self.checkpoint.forget(ring);
        let mut ended = self.workers.ring_ended(ring, known.name.clone(), account);
        if known.quarantined {
            ended.files.retain(|file| *file != known.name);
            self.directory.set_aside(&known.name);
            self.known.remove(&known.name);
        }
        for file in ended.files {
            if let Err(error) = self.directory.remove(&file) {
                let (mark, why) = (self.directory.mark(&file), error.to_string());
                self.notices.push((Level::Warning, why.clone()));
                self.known.insert(file, Entry::Refused { mark, why });
            } else {
                self.known.remove(&file);
            }
        }
        if let Some(worker) = ended.worker {
            self.watcher.unwatch(worker);
        }
        self.notices.extend(ended.last_words);
    }

    fn quarantine(&mut self, ring: u64, _fault: &RingFault) {
        if let Some(known) = self.rings.get_mut(&ring) {
            known.quarantined = true;
        }
    }

    fn tick(&mut self, say: &mut dyn FnMut(Level, String)) {
        self.workers.look();
        self.workers.check(say);
        for (level, text) in self.notices.drain(..) {
            say(level, text);
        }
    }
}
