//! The macros behind Millpond's `info!` and its siblings, and `#[derive(Capture)]`.
//!
//! Users do not depend on this crate: `millpond` re-exports what they need.
//!
//! ```text
//! info!(log, "order {id}", px = 1.5)          backend-std/src/macros.rs adds crate and level
//!   └► event!($crate, Info, log, "order {id}", px = 1.5)
//!        input      what was written: receiver, keys, template, arguments
//!        template   the template with every placeholder numbered, and who uses what
//!        expand     a static with what is known now, and the call with what is not
//! ```

mod derive;
mod expand;
mod input;
mod template;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// What `info!` and its siblings forward to: `event!($crate, Info, ...)`, or
/// `event!($crate, Info at, ...)` if a stamp follows the receiver.
#[doc(hidden)]
#[proc_macro]
pub fn event(input: TokenStream) -> TokenStream {
    let event = parse_macro_input!(input as input::Event);
    expand::expand(&event).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct or an enum something that log calls capture as it stands: its fields are copied
/// into the record, and formatted as by `#[derive(Debug)]` only when somebody wants to read it.
///
/// Each field's type must be `Capture`. If the crate `millpond` has another name where this is
/// used, say so: `#[capture(crate = path::to::millpond)]`.
#[proc_macro_derive(Capture, attributes(capture))]
pub fn derive_capture(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as syn::DeriveInput);
    derive::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
