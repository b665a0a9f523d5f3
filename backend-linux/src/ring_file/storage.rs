//! A mapped ring file as the memory of a ring.
//!
//! # Safety
//!
//! Facts that the blocks below cite:
//!
//! 1. *Kept mapped*: the areas point into the mapping that `producer` and `consumer` hold, and
//!    live in the same value.
//! 2. *Checked shape*: `new` is given offsets that `RingFile::create` chose or that
//!    `RingIdentity::decode` checked: capacity a power of two in range, table a multiple of 4096,
//!    both inside a file that is exactly as long as they say.
#![allow(unsafe_code)]

use std::sync::Arc;

use millpond_core::ring::{ConsumerLine, ProducerLine};
use millpond_core::storage::{RawArea, Storage};

use super::layout::{Offsets, OwnerArea};
use crate::mapping::{Access, Mapped, Mapping, Shared};
use crate::owner::OwnerWord;

// SAFETY: `repr(C)`, and made of `Word`s and `Counter`s alone, which are atomics.
unsafe impl Shared for ProducerLine {}
// SAFETY: as above.
unsafe impl Shared for ConsumerLine {}
// SAFETY: `repr(C)`, and made of atomics alone.
unsafe impl Shared for OwnerArea {}

/// The memory of a ring in a mapped file. A clone is the same memory, which stays mapped until
/// the last clone is dropped.
///
/// It comes from [`RingFile`](super::RingFile) for the producer's side and from
/// [`Attached`](super::Attached) for the consumer's. Each side may only write what is its own:
/// the rest is mapped read-only, and a store there is SIGSEGV. (`Producer` and `Consumer` of
/// `millpond_core::ring` keep to this by themselves.)
///
/// In a forked child the memory is absent: check that you are in the process that made it before
/// you touch it, in destructors too. Dropping it is allowed there and does nothing.
#[derive(Clone, Debug)]
pub struct MappedStorage {
    producer: Mapped<ProducerLine>,
    consumer: Mapped<ConsumerLine>,
    owner: Mapped<OwnerArea>,
    // What this process may do with the producer's side.
    access: Access,
    data: RawArea,
    table: RawArea,
}

impl MappedStorage {
    /// The whole ring in `mapping`, whose producer's side can be accessed as `access` says.
    /// `None` if it does not fit, which the checks before rule out.
    pub(super) fn new(mapping: &Arc<Mapping>, offsets: &Offsets, access: Access) -> Option<Self> {
        let area = |offset: u32, length: u32| {
            let base = mapping.at::<u8>(offset as usize, length as usize)?;
            // SAFETY: inside the mapping by the check just made, and mapped for as long as this
            // value is used (fact 1). `offset` is a multiple of 4096 (fact 2) and the mapping
            // starts at a page, so it is aligned to 8. The pages are readable, and writable for
            // the only side whose type calls `write`.
            Some(unsafe { RawArea::new(base, length) })
        };
        Some(Self {
            producer: Mapped::new(mapping, offsets.producer() as usize)?,
            consumer: Mapped::new(mapping, offsets.consumer() as usize)?,
            owner: Mapped::new(mapping, offsets.owner() as usize)?,
            access,
            data: area(offsets.data(), offsets.capacity)?,
            table: area(offsets.table(), offsets.table_length)?,
        })
    }

    /// The word that tells whether the thread that took it lives; meant for keeper rings.
    pub fn owner_word(&self) -> OwnerWord {
        OwnerWord::new(self.owner.clone(), self.access)
    }
}

// SAFETY: the same memory answers while any handle lives (fact 1); the data's length is a power of
// two in range (fact 2); a fresh ring is a fresh file, which is zeros.
unsafe impl Storage for MappedStorage {
    type Area = RawArea;

    #[inline(always)]
    fn producer_line(&self) -> &ProducerLine {
        &self.producer
    }

    #[inline(always)]
    fn consumer_line(&self) -> &ConsumerLine {
        &self.consumer
    }

    #[inline(always)]
    fn data(&self) -> &RawArea {
        &self.data
    }

    #[inline(always)]
    fn table(&self) -> &RawArea {
        &self.table
    }
}

static_assertions::assert_impl_all!(MappedStorage: Send, Sync, Clone);
