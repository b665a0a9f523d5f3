//! The collector: drains all rings, orders, filters, counts, and hands out batches.
//!
//! One thread does all of it, so nothing here is shared but the mailbox of commands. A pass drains
//! every ring a little and then decides whether the pending batch is due. Records are handed out
//! up to a *cut*: later ones may still be overtaken by a record that is stamped but not yet
//! published, or that lies in a ring which was not drained to its end.

mod accounts;
mod command;
mod flush;
mod index;
mod intake;
mod keys;
mod pending;
mod ring;
mod shutdown;
mod sleep;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millpond_core::Level;

use crate::clock::SystemClock;
use crate::failure::OnError;
use crate::fan_out::{FanOut, Wake};
use crate::format::LineFormat;
use crate::handler::Handler;
use crate::origin::Origin;
use crate::report::{Report, by_level, sum};
use crate::source::Source;
use crate::timeline::{LEAST_SPAN_NS, Timeline};

pub use command::{CollectorHandle, FlushError};
pub use intake::{Ending, FoundRing, RingIntake};

use accounts::Books;
use command::{Command, Mailbox};
use flush::Flush;
use index::Drain;
use pending::Pending;
use ring::Ring;

/// A batch is handed out when it has this many bytes.
const BATCH: usize = 256 * 1024;
/// While so many bytes wait to be handed out, only the ring that holds up the others is drained.
const LIMIT: usize = 4 * BATCH;
/// At most about this many bytes of one ring are drained in a pass, so that all get their turn:
/// more if few have something.
const QUOTA: u32 = 64 * 1024;
const QUOTA_OF_FEW: u32 = BATCH as u32;
/// While records flow, every so many passes the collector looks for rings that are over.
const BURY_EVERY: u32 = 16;
/// Records this young wait for others that were stamped before them and are published after.
const GRACE_NS: u64 = 1_000_000;
/// How long the collector sleeps while records flow, and how long at most.
const NAP: Duration = Duration::from_millis(1);
const SLEEP: Duration = Duration::from_millis(40);
/// How long at most once so many passes, more than a second of them, have found nothing: waking up
/// costs 90 µs on a virtual machine, most of it to fetch what the rings show into cold caches.
const DEEP_SLEEP: Duration = Duration::from_millis(120);
const QUIET: u32 = 40;
/// How long handlers may take to close at least: one that is stuck may have used up the time, and
/// the others must not be taken for stuck. Shorter than what an answer may be late.
const CLOSING: Duration = Duration::from_millis(200);

/// How a collector behaves.
#[derive(Clone, Debug)]
pub struct CollectorConfig {
    /// Records below are counted as filtered.
    pub base_level: Level,
    /// A record from this level up is handed out at once.
    pub wake_level: Level,
    /// Records are handed out this long after they were drained at the latest.
    pub flush_interval: Duration,
    /// The line format for handlers that have none of their own.
    pub format: LineFormat,
    /// Whose name the collector's own records bear.
    pub own: Source,
    /// The clock that the producers stamp with.
    pub clock: SystemClock,
    /// Who is told of handler failures.
    pub on_error: OnError,
}

/// Starts a collector on a thread of its own. `wake` makes its intake's wait end.
///
/// # Errors
///
/// If a thread cannot be started.
pub fn start<I: RingIntake>(
    config: CollectorConfig,
    intake: I,
    handlers: Vec<Box<dyn Handler>>,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> std::io::Result<CollectorHandle> {
    let fan_out = FanOut::start(handlers, &config.on_error, &wake)?;
    let mailbox = Arc::new(Mailbox::new(config.base_level));
    let handle = CollectorHandle { mailbox: Arc::clone(&mailbox), wake: Wake::clone(&wake) };
    let collector = Collector {
        timeline: Timeline::new(config.clock),
        own: Origin::new(config.own.clone()),
        format: Arc::new(config.format.clone()),
        config,
        intake,
        mailbox,
        fan_out,
        rings: Vec::new(),
        found: Vec::new(),
        pending: Pending::new(),
        pending_since: None,
        under_way: VecDeque::new(),
        is_settled: false,
        handed_key: 0,
        urgent: None,
        buffer: Vec::new(),
        busy: Vec::new(),
        passes: 0,
        books: Books::default(),
        flushes: Vec::new(),
        flush_number: 0,
        sleep: NAP,
        quiet_passes: 0,
    };
    std::thread::Builder::new()
        .name("millpond-collect".to_owned())
        .spawn(move || collector.run())?;
    Ok(handle)
}

struct Collector<I: RingIntake> {
    config: CollectorConfig,
    intake: I,
    mailbox: Arc<Mailbox>,
    fan_out: FanOut,
    timeline: Timeline,
    own: Arc<Origin>,
    format: Arc<LineFormat>,
    /// Slots, since records and batches refer to rings by number.
    rings: Vec<Option<Ring<I::Storage>>>,
    found: Vec<FoundRing<I::Storage>>,
    pending: Pending,
    pending_since: Option<Instant>,
    under_way: VecDeque<Batch>,
    /// Nothing waits and nothing is under way, and every ring was released since.
    is_settled: bool,
    handed_key: u64,
    /// The newest pending record at `wake_level`.
    urgent: Option<u64>,
    /// Memory for definitions of call sites.
    buffer: Vec<u8>,
    /// Rings that have something, by the key from which on it may be. Kept for its memory.
    busy: Vec<(u64, u32)>,
    passes: u32,
    books: Books,
    flushes: Vec<Flush>,
    flush_number: u64,
    sleep: Duration,
    quiet_passes: u32,
}

/// A batch that handlers are working on.
struct Batch {
    number: u64,
    /// For each ring in it, how far it may be released afterwards, and how many records it has.
    ends: Vec<(u32, u64, u32)>,
}

/// What a pass over the rings found.
#[derive(Default)]
struct Pass {
    bytes: u64,
    /// Records up to here are complete.
    cut: u64,
    short_of_room: bool,
    flush_wanted: bool,
    /// Some ring has more than was drained.
    more: bool,
}

impl<I: RingIntake> Collector<I> {
    fn run(mut self) {
        // Until the rate of the clock is known, old records could not be dated.
        std::thread::sleep(Duration::from_nanos(LEAST_SPAN_NS));
        self.timeline.refresh();
        loop {
            for command in self.mailbox.take() {
                match command {
                    Command::Flush(deadline, reply) => self.begin_flush(deadline, reply),
                    Command::Report(reply) => drop(reply.send(self.report(false))),
                    Command::Shutdown(deadline, reply) => return self.shut_down(deadline, &reply),
                }
            }
            let pass = self.step();
            self.advance_flushes();
            self.rest(&pass);
        }
    }

    /// One pass over everything.
    fn step(&mut self) -> Pass {
        self.adopt_rings();
        let pass = self.drain_rings();
        self.speak();
        self.hand_out_if_due(&pass);
        if pass.bytes > 0 || pass.flush_wanted || !self.is_settled {
            self.release();
        }
        // Asks about every ring that is idle, so not after each of the short passes of a busy time.
        self.passes = self.passes.wrapping_add(1);
        if pass.bytes == 0 || !self.flushes.is_empty() || self.passes.is_multiple_of(BURY_EVERY) {
            self.bury();
        }
        pass
    }

    fn adopt_rings(&mut self) {
        self.intake.discover(&mut self.found);
        for found in self.found.drain(..) {
            if let Some(birth) = found.birth {
                self.timeline.learn(birth);
            }
            let ring = Some(Ring::new(found));
            match self.rings.iter_mut().find(|slot| slot.is_none()) {
                Some(slot) => *slot = ring,
                None => self.rings.push(ring),
            }
        }
    }

    fn drain_rings(&mut self) -> Pass {
        // Each time, so that the time of this pass and of the stamps in it is never reckoned from a
        // reading that is older than one sleep.
        self.timeline.refresh();
        let start = self.timeline.monotonic_ns(self.config.clock.now());
        let mut pass = Pass { cut: u64::MAX, ..Pass::default() };
        self.busy.clear();
        for (slot, ring) in self.rings.iter_mut().enumerate() {
            let Some(ring) = ring else { continue };
            pass.flush_wanted |= ring.wants_flush();
            pass.short_of_room |= ring.waiting > 0 && ring.is_short_of_room();
            if ring.is_quarantined {
                continue;
            }
            if ring.consumer.unread() == 0 {
                ring.seen_empty(start.saturating_sub(GRACE_NS));
            } else {
                self.busy.push((ring.safe_key(), slot as u32));
            }
        }
        // The ring that holds up the others first.
        self.busy.sort_unstable();
        let quota = (LIMIT / 2 / self.busy.len().max(1)) as u32;
        let quota = quota.clamp(QUOTA, QUOTA_OF_FEW);
        let has_room = self.fan_out.has_room();
        for at in 0..self.busy.len() {
            let (_, slot) = self.busy[at];
            // What cannot be handed out must not grow without bound. The first ring goes on all
            // the same: as long as it is not drained, the cut does not move.
            let may_drain = self.pending.bytes() < LIMIT || (at == 0 && has_room);
            self.drain_ring(slot, quota, may_drain, &mut pass);
        }
        let grace = if pass.short_of_room { 0 } else { GRACE_NS };
        pass.cut = pass.cut.min(start.saturating_sub(grace));
        pass
    }

    fn drain_ring(&mut self, slot: u32, quota: u32, may_drain: bool, pass: &mut Pass) {
        let Some(Some(ring)) = self.rings.get_mut(slot as usize) else { return };
        let mut lent = Drain {
            pending: &mut self.pending,
            intake: &mut self.intake,
            timeline: &self.timeline,
            own: &self.own,
            buffer: &mut self.buffer,
            base_level: self.mailbox.base_level(),
            wake_level: self.config.wake_level,
            handed_key: self.handed_key,
            urgent: &mut self.urgent,
        };
        if may_drain {
            match ring.drain(slot, quota, &mut lent) {
                Ok(bytes) => pass.bytes += bytes,
                Err(fault) => {
                    ring.is_quarantined = true;
                    ring.consumer.retire();
                    self.intake.quarantine(ring.id, &fault);
                    let text =
                        format!("quarantined a ring of {}: {fault}", ring.origin.source.name);
                    let now = self.timeline.monotonic_ns(self.config.clock.now());
                    self.pending.note(now, Level::Error, &self.own, &text);
                }
            }
        }
        pass.short_of_room |= ring.is_short_of_room();
        if ring.consumer.unread() > 0 && !ring.is_quarantined {
            pass.more = true;
            pass.cut = pass.cut.min(ring.safe_key());
        }
    }

    /// Logs what the intake has to say under the collector's own name.
    fn speak(&mut self) {
        let now = self.timeline.monotonic_ns(self.config.clock.now());
        let (pending, own) = (&mut self.pending, &self.own);
        self.intake.tick(&mut |level, text| pending.note(now, level, own, &text));
    }

    fn hand_out_if_due(&mut self, pass: &Pass) {
        if self.pending.is_empty() {
            self.pending_since = None;
            self.urgent = None;
            return;
        }
        let since = *self.pending_since.get_or_insert_with(Instant::now);
        let flushing = self.flushes.iter().any(|flush| flush.asked.is_none());
        let due = self.urgent.is_some()
            || flushing
            || pass.flush_wanted
            || pass.short_of_room
            || self.pending.bytes() >= BATCH
            || since.elapsed() >= self.config.flush_interval;
        if due && self.fan_out.has_room() {
            let cut = match flushing || pass.flush_wanted {
                // What is left in a ring may be older than what was drained from another.
                true if !pass.more => u64::MAX,
                _ => pass.cut,
            };
            self.hand_out(cut);
        }
    }

    fn hand_out(&mut self, cut: u64) {
        let offset = self.timeline.wall_offset_ns();
        let Some(records) =
            self.pending.take_until(cut, offset, &self.format, self.fan_out.is_shared())
        else {
            return;
        };
        let number = self.fan_out.handed() + 1;
        let mut touched: Vec<u32> = Vec::new();
        // Records of one ring often follow one another.
        for run in records.places().chunk_by(|place, next| place.ring == next.ring) {
            let Some(last) = run.last() else { continue };
            self.handed_key = self.handed_key.max(last.key_ns);
            if let Some(Some(ring)) = self.rings.get_mut(last.ring as usize) {
                if ring.taken == 0 {
                    touched.push(last.ring);
                }
                ring.taken += run.len() as u32;
                ring.handed = last.ring_end;
            }
        }
        let mut ends = Vec::with_capacity(touched.len());
        for slot in touched {
            if let Some(Some(ring)) = self.rings.get_mut(slot as usize) {
                let taken = std::mem::take(&mut ring.taken);
                ring.waiting -= taken;
                ring.account.in_ring -= u64::from(taken);
                ring.account.delivered += u64::from(taken);
                ring.under_way += 1;
                ends.push((slot, ring.handed, taken));
            }
        }
        self.fan_out.push(&records);
        self.under_way.push_back(Batch { number, ends });
        self.is_settled = false;
        self.pending_since = (!self.pending.is_empty()).then(Instant::now);
        self.urgent.take_if(|key| *key <= cut);
    }

    /// Releases what every durable handler has acknowledged.
    fn release(&mut self) {
        let acknowledged = self.fan_out.acknowledged();
        while let Some(batch) = self.under_way.pop_front_if(|batch| batch.number <= acknowledged) {
            for (slot, end, taken) in batch.ends {
                if let Some(Some(ring)) = self.rings.get_mut(slot as usize) {
                    ring.acknowledge(end, taken);
                }
            }
        }
        self.is_settled = self.pending.is_empty() && self.under_way.is_empty();
        for ring in self.rings.iter_mut().flatten() {
            let id = ring.id;
            ring.release(|position, account| self.intake.released(id, position, account));
        }
    }

    /// Removes rings whose owners are gone and whose records are delivered.
    fn bury(&mut self) {
        for slot in &mut self.rings {
            let Some(ring) = slot else { continue };
            let is_read = ring.is_quarantined || ring.consumer.unread() == 0;
            if !is_read {
                ring.is_over = false;
            } else if !ring.is_over {
                let ending = match ring.consumer.is_finished() {
                    true => Some(Ending::Orderly),
                    false => self.intake.ending(ring.id),
                };
                // A living thread that waits for room will still write its record.
                ring.is_over = match ending {
                    Some(Ending::Died) => true,
                    Some(Ending::Orderly) => !ring.is_awaited(),
                    None => false,
                };
                // Looked at only now: for an idle ring it is one more line of memory to fetch.
                let lost = if ring.is_over { ring.unreported_losses() } else { Default::default() };
                if sum(&lost) > 0 {
                    let now = self.timeline.monotonic_ns(self.config.clock.now());
                    let text =
                        format!("{} records lost at the end: {}", sum(&lost), by_level(&lost));
                    self.pending.note(now, Level::Warning, &ring.origin, &text);
                    ring.account.gaps = ring.account_now().dropped;
                }
            } else if ring.waiting == 0 && ring.under_way == 0 {
                // Found over in an earlier pass, and still empty: nothing came after the evidence.
                let account = ring.final_account();
                ring.consumer.retire();
                self.books.close(&ring.origin.source, &account);
                self.intake.ended(ring.id, &account);
                *slot = None;
            }
        }
    }

    fn report(&self, closing: bool) -> Report {
        let open =
            self.rings.iter().flatten().map(|ring| (&ring.origin.source, ring.account_now()));
        self.books.report(open, &self.fan_out, closing)
    }
}
