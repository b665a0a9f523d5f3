//! Flushes: everything that was published before the request is handed out and acknowledged.

use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::Collector;
use super::command::FlushError;
use super::intake::RingIntake;
use super::ring::Ring;

/// A flush that somebody waits for.
pub(super) struct Flush {
    pub(super) deadline: Instant,
    pub(super) reply: SyncSender<Result<(), FlushError>>,
    /// For each ring, by its id, how far it must be handed out.
    pub(super) targets: Vec<(u64, u64)>,
    /// So many of the collector's own records must be handed out.
    pub(super) notes: u64,
    /// Once that is so: the last batch, and the number under which the handlers flush.
    pub(super) asked: Option<(u64, u64)>,
}

impl<I: RingIntake> Collector<I> {
    pub(super) fn begin_flush(
        &mut self,
        deadline: Instant,
        reply: SyncSender<Result<(), FlushError>>,
    ) {
        self.intake.look_again();
        self.adopt_rings();
        let rings = self.rings.iter().flatten().filter(|ring| !ring.is_quarantined);
        let target = |ring: &Ring<I::Storage>| {
            (ring.id, ring.consumer.position() + u64::from(ring.consumer.unread()))
        };
        let targets = rings.map(target).collect();
        let notes = self.pending.notes_added();
        self.flushes.push(Flush { deadline, reply, targets, notes, asked: None });
    }

    pub(super) fn advance_flushes(&mut self) {
        let mut flushes = std::mem::take(&mut self.flushes);
        flushes.retain_mut(|flush| {
            if flush.asked.is_none() && self.is_handed_out(flush) {
                self.flush_number += 1;
                self.fan_out.flush(self.flush_number, flush.deadline);
                flush.asked = Some((self.fan_out.handed(), self.flush_number));
            }
            if let Some((batch, number)) = flush.asked {
                let unflushed = self.fan_out.unflushed(number);
                if unflushed.is_empty() && self.fan_out.acknowledged() >= batch {
                    let _ = flush.reply.send(Ok(()));
                    return false;
                }
                if Instant::now() >= flush.deadline {
                    let _ = flush.reply.send(Err(FlushError::Deadline { handlers: unflushed }));
                    return false;
                }
            } else if Instant::now() >= flush.deadline {
                let handlers = self.fan_out.behind();
                let _ = flush.reply.send(Err(FlushError::Deadline { handlers }));
                return false;
            }
            true
        });
        self.flushes.append(&mut flushes);
    }

    pub(super) fn is_handed_out(&self, flush: &Flush) -> bool {
        let behind = |ring: &Ring<I::Storage>, target: u64| {
            let is_read = ring.consumer.position() >= target;
            !ring.is_quarantined && (!is_read || !ring.is_handed_out_to(target))
        };
        !self.pending.has_note_before(flush.notes)
            && !self.rings.iter().flatten().any(|ring| {
                flush.targets.iter().any(|(id, target)| *id == ring.id && behind(ring, *target))
            })
    }
}
