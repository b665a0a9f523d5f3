//! What is measured, a file for each.

mod archive;
mod collected;
mod datagram;
mod fast_log;
mod flexi;
mod ftlog;
mod iceoryx;
pub(crate) mod limits;
mod log4rs;
mod ours;
mod pipe;
mod quicklog;
mod slog;
mod spdlog;
mod tracing;

use crate::subject::Entry;

/// All of them.
pub(crate) const ALL: &[Entry] = &[
    Entry::of::<ours::ByProducer>(),
    Entry::of::<ours::Stamped>(),
    Entry::of::<ours::ByWorker>(),
    Entry::of::<ours::ByLogger>(),
    Entry::of::<archive::ToArchive>(),
    Entry::of::<tracing::Tracing>(),
    Entry::of::<ftlog::Ftlog>(),
    Entry::of::<quicklog::Quicklog>(),
    Entry::of::<flexi::Buffered>(),
    Entry::of::<flexi::Async>(),
    Entry::of::<slog::Slog>(),
    Entry::of::<fast_log::FastLog>(),
    Entry::of::<log4rs::Log4rs>(),
    Entry::of::<spdlog::Spdlog>(),
    Entry::of::<iceoryx::Iceoryx>(),
    Entry::of::<datagram::Datagram>(),
    Entry::of::<pipe::Pipe>(),
    Entry::of::<limits::Clock>(),
    Entry::of::<limits::Copy64>(),
];
