//! Why a call-site table takes no more definitions or yields none.

use core::fmt;

use crate::frame::FrameError;

/// Why a definition was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// The table has no room: the records of this call site must travel as text.
    Full {
        /// Bytes that the definition needs.
        needed: u32,
        /// Bytes that are free.
        free: u32,
    },
    /// The definition is not the next one.
    Number {
        /// The number that came.
        came: u32,
        /// The number of the next call site.
        expected: u32,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TableError::Full { needed, free } => write!(
                f,
                "call-site table is full: the definition needs {needed} bytes and {free} are free"
            ),
            TableError::Number { came, expected } => {
                write!(f, "call site {came} is not the next one: expected {expected}")
            }
        }
    }
}

impl core::error::Error for TableError {}

/// Why a call-site table cannot be read further. Its ring's event records after this point cannot
/// be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableFault {
    /// The published length is impossible: expected a multiple of 8 from `read` to `area`.
    Length {
        /// The length that came.
        came: u32,
        /// The length that was read before; it cannot shrink.
        read: u32,
        /// The length of the whole table.
        area: u32,
    },
    /// The frame after the last definition is broken.
    Frame {
        /// The number of the definition that was expected.
        number: u32,
        /// What is wrong with it.
        error: FrameError,
    },
    /// A definition out of order.
    Number {
        /// The number that came.
        came: u32,
        /// The number after that of the last definition.
        expected: u32,
    },
    /// A definition is larger than the caller's buffer.
    TooLarge {
        /// The number of the definition.
        number: u32,
        /// Bytes that it needs.
        needed: u32,
        /// Bytes that the buffer has.
        buffer: u32,
    },
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TableFault::Length { came, read, area } => write!(
                f,
                "length {came} of a call-site table is impossible: expected a multiple of 8 from \
                 {read} to {area}"
            ),
            TableFault::Frame { number, error } => {
                write!(f, "definition of call site {number} is broken: {error}")
            }
            TableFault::Number { came, expected } => write!(
                f,
                "call site {came} stands in a table out of order: expected call site {expected}"
            ),
            TableFault::TooLarge { number, needed, buffer } => write!(
                f,
                "definition of call site {number} needs {needed} bytes and the buffer has {buffer}"
            ),
        }
    }
}

impl core::error::Error for TableFault {}
