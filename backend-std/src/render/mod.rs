//! Event records as text: what a call site says, with the arguments of one call.
//!
//! What a call site says stays the same, so it is taken apart once, when its definition arrives:
//! [`Definition::new`] parses the template, walks the signature and makes a list of steps of them.
//! [`Definition::write_message`] runs down that list.

mod arguments;
mod definition;
pub(crate) mod digits;
mod float;
pub(crate) mod literal;
mod nested;
mod number;
pub(crate) mod out;
mod pad;
mod program;
mod run;
mod spec;
mod template;
mod text;
mod value;

pub use definition::Definition;

#[cfg(test)]
mod tests;
