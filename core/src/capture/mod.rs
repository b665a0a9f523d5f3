//! Arguments of log calls as raw bytes: writing them where they are logged, reading them where
//! somebody wants to know what they were.
//!
//! An event record's payload is its arguments, one after the other, without gaps and without
//! alignment, little-endian. What they are says the [signature](Signature) of the call site:
//!
//! ```text
//!  info!(log, "order {id} of {}", name, price = 1.5)
//!
//!  signature   s              I             d
//!            ┌──────┬───────┬─────────────┬──────────────┐
//!  payload   │ 3    │ A D A │ 42          │ 1.5          │
//!            │ u32  │       │ u32         │ f64          │
//!            └──────┴───────┴─────────────┴──────────────┘
//! ```
//!
//! Positional arguments come first, then the named ones, whose names the call site lists.
//! `docs/wire-format.md` has the table of [codes](code).
//!
//! The writing side is generic over what it writes into ([`Sink`]) and resolved at compile time:
//! the arguments of a call become a few stores. The reading side trusts nothing: on any bytes it
//! yields a [`Value`] or a [`ValueError`], reads inside the slices it was given, and follows types
//! that are nested at most [`MAX_DEPTH`] deep.

mod argument;
mod boundary;
pub mod code;
mod groups;
mod scalars;
mod shape;
mod signature;
mod sink;
mod text;
mod value;

pub use argument::Argument;
pub use boundary::char_boundary;
pub use scalars::ThreadNumber;
pub use shape::Shape;
pub use signature::{Signature, VariantKind};
pub use sink::{Bytes, Cut, Sink};
pub use text::{Formatted, TextOut};
pub use value::{Composite, Fields, MAX_DEPTH, Types, Value, ValueError, Values};
