//! Many frames, one publication.

use super::{Claim, Entry, Producer, PushError};
use crate::storage::Storage;

/// Frames that become visible together, with one store: when [`ProducerBatch::publish`] is called,
/// when the room or the time given to [`Producer::batch`] is used up, when the ring is full, and
/// when this is dropped.
///
/// Until then they are not safe: if the process is killed, the unpublished frames are gone, and
/// they were never counted as attempted.
#[derive(Debug)]
pub struct ProducerBatch<'a, S: Storage> {
    producer: &'a mut Producer<S>,
    most: u32,
    until: u64,
}

impl<'a, S: Storage> ProducerBatch<'a, S> {
    pub(super) fn new(producer: &'a mut Producer<S>, most: u32, until: u64) -> Self {
        Self { producer, most, until }
    }

    /// Writes one frame, and publishes if this batch has used up its room or its time.
    ///
    /// # Errors
    ///
    /// As [`Producer::try_insert`]; what was written before is published first, so that the
    /// consumer can make room.
    #[inline(always)]
    pub fn try_insert(
        &mut self,
        entry: Entry,
        most: u32,
        fill: impl FnOnce(&mut Claim<'_, S::Area>),
    ) -> Result<(), PushError> {
        let written = self.producer.write(entry, most, fill);
        if written.is_err() || self.pending() >= self.most || entry.ticks >= self.until {
            self.producer.publish();
        }
        written
    }

    /// Bytes that are written and not published.
    pub fn pending(&self) -> u32 {
        self.producer.pending()
    }

    /// Publishes what was written so far.
    pub fn publish(&mut self) {
        self.producer.publish();
    }
}

impl<S: Storage> Drop for ProducerBatch<'_, S> {
    fn drop(&mut self) {
        self.producer.publish();
    }
}
