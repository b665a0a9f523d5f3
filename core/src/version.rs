//! The version of everything that one side writes and another reads: envelopes and ring files.
//!
//! ```text
//!  layout major   u16   another meaning of what was there before; readers must know it
//!  layout minor   u16   something was added that old readers skip without harm
//!  incompatible   u32   feature bits that a reader must know, else it refuses
//!  ignorable      u32   feature bits that a reader may not know and still reads rightly
//! ```
//!
//! So a new reader takes what an older one wrote, and an old reader refuses only what it would
//! misread. `docs/wire-format.md` says when which of them is raised.

use core::fmt;

/// The major version that this crate writes.
pub const LAYOUT_MAJOR: u16 = 1;
/// The oldest major version that this crate reads.
pub const LAYOUT_MAJOR_OLDEST: u16 = 1;
/// The minor version that this crate writes. Any other is readable.
pub const LAYOUT_MINOR: u16 = 0;
/// The incompatible feature bits that this crate understands.
pub const INCOMPATIBLE_KNOWN: u32 = 0;

static_assertions::const_assert!(LAYOUT_MAJOR_OLDEST <= LAYOUT_MAJOR);
// Zeroed memory must never pass for a version.
static_assertions::const_assert!(LAYOUT_MAJOR_OLDEST > 0);

/// Whether this crate can read what was written with this major version and these incompatible
/// feature bits. Minor version and ignorable bits need no check: they never forbid reading.
///
/// # Errors
///
/// [`VersionError::Major`] for a major version that is too new or too old, else
/// [`VersionError::Incompatible`] for a feature bit that this crate does not know.
///
/// ```
/// use millpond_core::version::{self, LAYOUT_MAJOR, VersionError};
///
/// assert_eq!(version::check(LAYOUT_MAJOR, 0), Ok(()));
/// let refused = version::check(LAYOUT_MAJOR, 1 << 31).unwrap_err();
/// assert_eq!(refused, VersionError::Incompatible { came: 1 << 31, unknown: 1 << 31 });
/// ```
pub const fn check(major: u16, incompatible: u32) -> Result<(), VersionError> {
    if major < LAYOUT_MAJOR_OLDEST || major > LAYOUT_MAJOR {
        return Err(VersionError::Major { came: major });
    }
    let unknown = incompatible & !INCOMPATIBLE_KNOWN;
    if unknown != 0 {
        return Err(VersionError::Incompatible { came: incompatible, unknown });
    }
    Ok(())
}

/// Why a version cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionError {
    /// The major version is none of [`LAYOUT_MAJOR_OLDEST`] to [`LAYOUT_MAJOR`].
    Major {
        /// The major version that came.
        came: u16,
    },
    /// A feature is in use without which the rest would be misread.
    Incompatible {
        /// All incompatible feature bits that came.
        came: u32,
        /// Those of them that this crate does not know.
        unknown: u32,
    },
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            VersionError::Major { came } => write!(
                f,
                "layout version {came} cannot be read: expected {LAYOUT_MAJOR_OLDEST} to \
                 {LAYOUT_MAJOR}"
            ),
            VersionError::Incompatible { came, unknown } => write!(
                f,
                "incompatible feature bits {unknown:#x} are unknown: {came:#x} came, expected \
                 none but {INCOMPATIBLE_KNOWN:#x}"
            ),
        }
    }
}

impl core::error::Error for VersionError {}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn exactly_the_known_majors_pass() {
        for major in 0..=u16::MAX {
            let expected = (LAYOUT_MAJOR_OLDEST..=LAYOUT_MAJOR).contains(&major);
            assert_eq!(check(major, INCOMPATIBLE_KNOWN).is_ok(), expected, "major {major}");
        }
    }

    #[test]
    fn each_unknown_incompatible_bit_is_named() {
        for bit in (0..32).map(|shift| 1u32 << shift) {
            let expected = match bit & !INCOMPATIBLE_KNOWN {
                0 => Ok(()),
                unknown => Err(VersionError::Incompatible { came: bit, unknown }),
            };
            assert_eq!(check(LAYOUT_MAJOR, bit), expected);
        }
    }

    #[test]
    fn errors_say_what_came_and_what_was_expected() {
        let major = check(7, 0).unwrap_err().to_string();
        assert_eq!(major, "layout version 7 cannot be read: expected 1 to 1");
        let bits = check(1, 6).unwrap_err().to_string();
        assert_eq!(
            bits,
            "incompatible feature bits 0x6 are unknown: 0x6 came, expected none but 0x0"
        );
    }
}
