//! A ring as a file: made complete by a worker, checked and mapped by the master.
//!
//! The worker that makes it writes the producer's page, the table and the data; the master that
//! drains it writes the consumer's page. Each side maps what it does not write read-only, so a
//! stray store ends the process that made it and not the ring.
//!
//! ```text
//!            identity    producer    consumer    table       data
//!  worker    read        write       read        write       write
//!  master    read        read        write       read        read
//! ```

mod attach;
mod create;
mod identity_page;
mod layout;
mod storage;

pub use attach::{AttachError, Attached};
pub use create::{RingFile, RingSpec};
pub use identity_page::{
    BirthAnchor, ClockKind, MAX_PROCESS_NAME, MAX_WORKER_NAME, RingIdentity, RingKind,
};
pub use layout::{MAX_TABLE_LENGTH, TABLE_UNIT};
pub use storage::MappedStorage;

pub(crate) use layout::OwnerArea;
