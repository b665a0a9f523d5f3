//! The macros `trace!` to `error!` and `#[derive(Capture)]`, as users write them: what they accept,
//! what they evaluate, and what a handler gets.
//!
//! The lints that users may have denied say nothing about the expansions.
#![deny(warnings, clippy::all, clippy::pedantic, unused_qualifications, unused_results)]
// What is tested is what may be written, not what should be.
#![allow(clippy::items_after_statements, named_arguments_used_positionally)]

mod compile_fail;
mod derive;
mod evaluation;
mod failures;
mod forms;
mod hygiene;
mod messages;
mod rates;
mod receivers;
mod support;
