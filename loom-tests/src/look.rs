//! Writing and reading a ring in a model, in as few words as possible.

use millpond_core::ring::{Consumer, Entry, Producer, PushError};
use millpond_core::storage::{Area, Storage};
use millpond_core::{Batch, Level};

use crate::TrackedStorage;

/// The payloads of frames.
pub type Frames = Vec<String>;

/// Bytes of a batch that holds all that a model's ring can hold.
const ROOM: usize = 256;

/// Tries to insert a text record of the highest level, which may fill the whole ring.
///
/// # Errors
///
/// As `Producer::try_insert`.
pub fn try_insert(producer: &mut Producer<TrackedStorage>, text: &str) -> Result<(), PushError> {
    producer.try_insert(Entry::text(Level::Error, 0), text.len() as u32, |claim| {
        claim.put(text.as_bytes());
    })
}

/// Inserts a text record.
///
/// # Panics
///
/// If there is no room.
pub fn insert(producer: &mut Producer<TrackedStorage>, text: &str) {
    try_insert(producer, text).expect("the model leaves room");
}

/// Takes out, without releasing it, what the consumer sees now.
///
/// # Panics
///
/// If what it sees is not whole frames.
pub fn look(consumer: &mut Consumer<TrackedStorage>) -> Frames {
    assert!(consumer.storage().data().length() as usize <= ROOM);
    let mut batch = Batch::<ROOM>::new();
    let drained = consumer.consume_all(&mut batch).expect("an honest producer");
    assert!(!drained.more);
    let payload = |frame: millpond_core::frame::Frame<'_>| {
        String::from_utf8(frame.payload.to_vec()).expect("text")
    };
    batch.frames().map(|frame| payload(frame.expect("whole frames"))).collect()
}
