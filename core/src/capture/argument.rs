//! What can be an argument.

use super::{Shape, Signature, Sink};

/// A value that is written into a record as it stands.
///
/// `millpond_std::Capture` turns what users log (a `String`, a reference to a reference) into one
/// of these. Tuples are groups: their arguments in a row, which is how a call with several
/// arguments is one `Argument`.
///
/// An implementation is a promise about bytes that another process will read by the signature
/// alone: `put` writes what `describe` says, nothing else. If one breaks it, its own record is shown
/// wrong or as unreadable; nothing worse happens.
pub trait Argument: Copy {
    /// Its type, as a number: two types that describe themselves differently differ here.
    const SHAPE: Shape;

    /// The most bytes that a value takes beside the contents of texts and byte strings.
    const FIXED: u32;

    /// How many texts and byte strings it has at most. Each may take 4 bytes more when it is cut.
    const TEXTS: u32;

    /// Whether its length is known only when it has been written.
    const IS_FORMATTED: bool;

    /// Appends its type to a signature.
    fn describe(signature: &mut Signature);

    /// Bytes that [`Argument::put`] writes if nothing is cut; of what is formatted, those beside
    /// the text.
    fn length(self) -> u32;

    /// Writes it.
    fn put<S: Sink>(self, sink: &mut S);
}
