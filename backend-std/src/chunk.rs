//! The memory that drained frames lie in, used again and again.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use millpond_core::Batch;
use millpond_core::ring::MAX_FRAME;

/// Bytes of a chunk: the largest frame fits.
pub(crate) const CHUNK: usize = MAX_FRAME as usize;

/// How many unused chunks are kept: enough for a burst, and 2 MiB at most.
const KEPT: usize = 32;

/// A batch of drained frames that goes back to its pool when the last handler is done with it.
pub(crate) struct Chunk {
    batch: Option<Box<Batch<CHUNK>>>,
    pool: Arc<ChunkPool>,
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.batch.as_ref().map_or(&[], |batch| batch.as_bytes())
    }

    pub(crate) fn batch_mut(&mut self) -> &mut Batch<CHUNK> {
        self.batch.get_or_insert_with(Default::default)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.pool.give_back(batch);
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chunk").field(&self.bytes().len()).finish()
    }
}

/// Unused chunks.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    unused: Mutex<Vec<Box<Batch<CHUNK>>>>,
}

impl ChunkPool {
    pub(crate) fn take(self: &Arc<Self>) -> Chunk {
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = unused.pop().unwrap_or_else(|| Box::new(Batch::new()));
        Chunk { batch: Some(batch), pool: Arc::clone(self) }
    }

    fn give_back(&self, mut batch: Box<Batch<CHUNK>>) {
        batch.clear();
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.len() < KEPT {
            unused.push(batch);
        }
    }
}
