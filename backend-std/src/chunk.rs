//! The memory of batches, used again and again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millpond_core::Batch;
use millpond_core::ring::MAX_FRAME;

use crate::records::Place;

/// Bytes of a chunk: the largest frame fits.
pub(crate) const CHUNK: usize = MAX_FRAME as usize;

/// How many unused chunks are kept: enough for a burst, and 2 MiB at most.
const KEPT: usize = 32;

/// How many unused lists are kept, and how long they may be: about 1 MiB each.
const KEPT_LISTS: usize = 4;
const LONGEST_LIST: usize = 1 << 15;

/// A batch of drained frames that goes back to its pool when the last handler is done with it.
pub(crate) struct Chunk {
    batch: Option<Box<Batch<CHUNK>>>,
    pool: Arc<ChunkPool>,
}

impl Chunk {
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.batch.as_ref().map_or(&[], |batch| batch.as_bytes())
    }

    pub(crate) fn batch_mut(&mut self) -> &mut Batch<CHUNK> {
        self.batch.get_or_insert_with(Default::default)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(mut batch) = self.batch.take() {
            batch.clear();
            let mut unused = self.pool.unused();
            if unused.chunks.len() < KEPT {
                unused.chunks.push(batch);
            }
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chunk").field(&self.bytes().len()).finish()
    }
}

/// Unused memory. Batches come and go thousands of times a second, and lists of this size would
/// come from the operating system and go back to it each time.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool(Mutex<Unused>);

#[derive(Debug, Default)]
struct Unused {
    chunks: Vec<Box<Batch<CHUNK>>>,
    lists: Vec<Vec<Place>>,
}

impl ChunkPool {
    pub(crate) fn take(self: &Arc<Self>) -> Chunk {
        let batch = self.unused().chunks.pop().unwrap_or_default();
        Chunk { batch: Some(batch), pool: Arc::clone(self) }
    }

    /// An empty list.
    pub(crate) fn take_list(&self) -> Vec<Place> {
        self.unused().lists.pop().unwrap_or_default()
    }

    pub(crate) fn give_back_list(&self, mut list: Vec<Place>) {
        list.clear();
        let mut unused = self.unused();
        if unused.lists.len() < KEPT_LISTS && (1..=LONGEST_LIST).contains(&list.capacity()) {
            unused.lists.push(list);
        }
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
