//! One ring as the collector sees it.

use std::sync::Arc;

use millpond_core::Level;
use millpond_core::callsite::TableReader;
use millpond_core::ring::Consumer;
use millpond_core::storage::Storage;

use super::intake::FoundRing;
use crate::origin::Origin;
use crate::report::Account;

/// A ring and how far its records have got.
pub(super) struct Ring<S: Storage> {
    pub(super) id: u64,
    pub(super) consumer: Consumer<S>,
    pub(super) origin: Arc<Origin>,
    pub(super) table: TableReader,
    /// It was said that the table cannot be read.
    pub(super) has_bad_table: bool,
    pub(super) account: Account,
    /// Records that wait in the pending batch.
    pub(super) waiting: u32,
    /// Of these, records of the batch that is just being handed out.
    pub(super) taken: u32,
    /// Batches under way that hold records of this ring.
    pub(super) under_way: u32,
    /// Up to here records were handed out.
    pub(super) handed: u64,
    /// Up to here the handlers are done.
    pub(super) done: u64,
    /// The producer will write no more.
    pub(super) is_over: bool,
    pub(super) is_quarantined: bool,
    /// It was said that something of it cannot be understood.
    pub(super) has_left_out: bool,
    /// The key of the last record, below which no later one may fall.
    pub(super) last_key: u64,
    pub(super) last_ticks: u64,
    /// The key that a record had at least that was not there when the ring was last seen empty.
    empty_until: u64,
    pub(super) parts: Option<PartsOfMessage>,
    flush_requests: u32,
    /// A flush was asked for, and this is how far it goes.
    flush_to: Option<u64>,
    /// Records that every durable handler has acknowledged.
    acknowledged: u64,
    /// The account when the ring was last released to where it was read.
    settled: Account,
}

/// The parts so far of a message that came in several frames.
pub(super) struct PartsOfMessage {
    pub(super) sequence: u32,
    /// Where in the ring the first part starts.
    pub(super) start: u64,
    pub(super) has_beginning: bool,
    pub(super) text: Vec<u8>,
}

impl<S: Storage> Ring<S> {
    pub(super) fn new(found: FoundRing<S>) -> Self {
        let flush_requests = found.consumer.storage().producer_line().flush_requests();
        // Whoever asked before this collector came still waits.
        let flush_to = found.consumer.position() + u64::from(found.consumer.unread());
        Self {
            id: found.id,
            handed: found.consumer.released(),
            done: found.consumer.released(),
            consumer: found.consumer,
            origin: Origin::new(found.source),
            table: TableReader::new(),
            has_bad_table: false,
            account: found.account,
            waiting: 0,
            taken: 0,
            under_way: 0,
            is_over: false,
            is_quarantined: false,
            has_left_out: false,
            last_key: 0,
            last_ticks: 0,
            empty_until: 0,
            parts: None,
            flush_requests,
            flush_to: Some(flush_to),
            acknowledged: found.account.delivered,
            settled: found.account,
        }
    }

    /// Whether a flush was asked for and not yet answered.
    pub(super) fn wants_flush(&mut self) -> bool {
        let requests = self.consumer.storage().producer_line().flush_requests();
        if requests != self.flush_requests {
            self.flush_requests = requests;
            self.flush_to = Some(self.consumer.position() + u64::from(self.consumer.unread()));
        }
        self.flush_to.is_some()
    }

    /// Every durable handler has acknowledged a batch with `taken` records of this ring.
    pub(super) fn acknowledge(&mut self, end: u64, taken: u32) {
        self.under_way -= 1;
        self.done = end;
        self.acknowledged += u64::from(taken);
    }

    /// Releases what nobody needs any longer; `note` is told the position first, so that whoever
    /// keeps it never stands behind the ring. Also notices that a flush is complete.
    pub(super) fn release(&mut self, note: impl FnOnce(u64, &Account)) {
        let mut until = self.done;
        let is_settled = self.waiting == 0 && self.under_way == 0;
        if is_settled {
            until = self.consumer.position();
        }
        if let Some(parts) = &self.parts {
            // Parts are kept in the ring as long as they leave room for the rest, unless the rest
            // will not come: the producer has given the message up.
            let kept = self.consumer.position() - parts.start;
            let will_end = self.unreported_losses() == [0; Level::COUNT];
            if will_end && kept < u64::from(self.consumer.capacity() / 2) {
                until = until.min(parts.start);
            }
        }
        if until > self.consumer.released() {
            if is_settled {
                self.settled = self.account;
            }
            note(until, &Account { delivered: self.acknowledged, ..self.settled });
            self.consumer.release(until);
        }
        self.flush_to.take_if(|target| *target <= self.consumer.released());
    }

    /// Whether a call waits for room right now.
    pub(super) fn is_awaited(&self) -> bool {
        self.consumer.storage().producer_line().in_call_since().is_some()
    }

    /// The account at the end of the ring. Of a quarantined one, what lay behind the fault was
    /// never seen, so this one term is what is left of the others.
    pub(super) fn final_account(&self) -> Account {
        let mut account = self.account_now();
        if self.is_quarantined {
            let unseen = account.attempted.saturating_sub(account.accounted());
            account.quarantined = account.quarantined.saturating_add(unseen);
        }
        account
    }

    /// The ring was empty when records that are in time had this key.
    pub(super) fn seen_empty(&mut self, key_ns: u64) {
        self.empty_until = key_ns;
    }

    /// No record that is still in the ring has a lower key, unless it is late.
    pub(super) fn safe_key(&self) -> u64 {
        self.last_key.max(self.empty_until)
    }

    /// Whether everything before `position` was handed out.
    pub(super) fn is_handed_out_to(&self, position: u64) -> bool {
        self.waiting == 0 || self.handed >= position
    }

    /// Whether the producer needs room soon.
    pub(super) fn is_short_of_room(&self) -> bool {
        self.consumer.used() > self.consumer.capacity() / 2
    }

    /// The account with what the producer has counted.
    pub(super) fn account_now(&self) -> Account {
        let line = self.consumer.storage().producer_line();
        Account { attempted: line.attempted(), dropped: line.dropped(), ..self.account }
    }

    /// Dropped records that no gap frame has reported, since no frame followed them.
    pub(super) fn unreported_losses(&self) -> [u64; Level::COUNT] {
        let dropped = self.consumer.storage().producer_line().dropped();
        std::array::from_fn(|i| dropped[i].saturating_sub(self.account.gaps[i]))
    }
}
