//! What log calls capture, and as what.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use millpond_core::capture::{Argument, ThreadNumber};

/// A value that a log call copies into the record as it stands, to be formatted when somebody reads
/// it: numbers, text, bytes, what wraps them, and what derives it.
///
/// Anything else is formatted where it is logged: write `?value` (by `Debug`) or `%value` (by
/// `Display`).
///
/// ```
/// use millpond_std::Capture;
///
/// #[derive(Capture, Debug)]
/// # #[capture(crate = millpond_std)]
/// struct Order<'a> {
///     id: u64,
///     venue: &'a str,
///     kind: Kind,
/// }
///
/// #[derive(Capture, Debug)]
/// # #[capture(crate = millpond_std)]
/// enum Kind {
///     Market,
///     Limit { price: f64 },
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured by a log call",
    label = "this has to be formatted by the log call",
    note = "format it with `?value` (Debug) or `%value` (Display), or derive `Capture` for it"
)]
pub trait Capture {
    /// What is written into the record.
    type Raw<'a>: Argument
    where
        Self: 'a;

    /// The value as an argument.
    fn capture(&self) -> Self::Raw<'_>;
}

/// A captured value that a template may show by `{}`, `{:x}`, `{:e}` and so on. What derives
/// [`Capture`] may be shown by `{:?}` only: its `Display` is in this program, and the record may be
/// read by another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown by `{{}}` when it is captured by a log call",
    label = "`{{}}` needs `%` before the value",
    note = "format it with `%value` (Display) or `?value` (Debug), or show it by `{{:?}}`"
)]
pub trait CaptureDisplay {}

/// Captured by value.
macro_rules! by_value {
    ($($type:ty => $raw:ty, $value:ident => $captured:expr;)+) => {$(
        impl Capture for $type {
            type Raw<'a> = $raw;

            #[inline(always)]
            fn capture(&self) -> $raw {
                let $value = *self;
                $captured
            }
        }
    )+};
}

macro_rules! as_they_are {
    ($($type:ty)+) => {$(
        by_value! { $type => $type, it => it; }
        impl CaptureDisplay for $type {}
    )+};
}

as_they_are! { i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bool char }
as_they_are! { Ipv4Addr Ipv6Addr IpAddr }

#[cfg(target_pointer_width = "64")]
by_value! {
    isize => i64, it => it as i64;
    usize => u64, it => it as u64;
}
#[cfg(not(target_pointer_width = "64"))]
by_value! {
    isize => i32, it => it as i32;
    usize => u32, it => it as u32;
}
impl CaptureDisplay for isize {}
impl CaptureDisplay for usize {}

by_value! {
    Duration => Duration, it => it;
    ThreadId => ThreadNumber, it => thread_number(it);
}

macro_rules! non_zero {
    ($($type:ty)+) => {$(
        impl Capture for NonZero<$type> {
            type Raw<'a> = <$type as Capture>::Raw<'a>;

            #[inline(always)]
            fn capture(&self) -> Self::Raw<'_> {
                self.get().capture()
            }
        }
        impl CaptureDisplay for NonZero<$type> {}
    )+};
}

non_zero! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

/// Captured as what they hold.
macro_rules! borrowed {
    ($($({$($generics:tt)*})? $type:ty => $raw:ty;)+) => {$(
        impl $(<$($generics)*>)? Capture for $type {
            type Raw<'a> = &'a $raw where Self: 'a;

            #[inline(always)]
            fn capture(&self) -> &$raw {
                self
            }
        }
    )+};
}

borrowed! {
    str => str;
    String => str;
    Cow<'_, str> => str;
    [u8] => [u8];
    Vec<u8> => [u8];
    {const N: usize} [u8; N] => [u8];
}
impl CaptureDisplay for str {}
impl CaptureDisplay for String {}
impl CaptureDisplay for Cow<'_, str> {}

impl<T: Capture> Capture for Option<T> {
    type Raw<'a>
        = Option<T::Raw<'a>>
    where
        Self: 'a;

    #[inline(always)]
    fn capture(&self) -> Self::Raw<'_> {
        self.as_ref().map(T::capture)
    }
}

/// Captured as what they point to.
macro_rules! pointers {
    ($($type:ty)+) => {$(
        impl<T: Capture + ?Sized> Capture for $type {
            type Raw<'a> = T::Raw<'a> where Self: 'a;

            #[inline(always)]
            fn capture(&self) -> Self::Raw<'_> {
                T::capture(self)
            }
        }
        impl<T: CaptureDisplay + ?Sized> CaptureDisplay for $type {}
    )+};
}

pointers! { &T &mut T Box<T> Rc<T> Arc<T> }

/// The number in a thread's id, which so far only its `Debug` tells.
fn thread_number(id: ThreadId) -> ThreadNumber {
    struct Digits(u64);

    impl Write for Digits {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for digit in text.chars().filter_map(|character| character.to_digit(10)) {
                self.0 = self.0.wrapping_mul(10).wrapping_add(digit.into());
            }
            Ok(())
        }
    }

    let mut digits = Digits(0);
    let _ = write!(digits, "{id:?}");
    ThreadNumber(digits.0)
}

/// Formats a value while it is logged. A panic of the value's `fmt` ends here: the record says so,
/// and the program that only wanted to log goes on.
pub fn format_guarded(out: &mut dyn Write, value: fmt::Arguments<'_>) -> fmt::Result {
    // What a panic leaves half done is the text, and the note says that.
    match catch_unwind(AssertUnwindSafe(|| out.write_fmt(value))) {
        Ok(done) => done,
        Err(_) => out.write_str(" [formatting panicked]"),
    }
}

/// The value as an argument.
#[inline(always)]
pub fn capture<T: Capture + ?Sized>(value: &T) -> T::Raw<'_> {
    value.capture()
}

/// Compiles if the value may be shown by `{}`.
pub fn can_display<T: CaptureDisplay + ?Sized>(_: &T) {}

/// The greatest of some numbers, 0 if there is none.
pub const fn greatest(numbers: &[u32]) -> u32 {
    let (mut greatest, mut at) = (0, 0);
    while at < numbers.len() {
        if numbers[at] > greatest {
            greatest = numbers[at];
        }
        at += 1;
    }
    greatest
}

/// What a template is not if Millpond's macros do not understand it and rustc does.
#[derive(Debug)]
pub enum UnknownTemplate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_values_are_captured_as_what_they_wrap() {
        assert_eq!((&&Box::new(Arc::new(7_u16))).capture(), 7);
        assert_eq!(String::from("text").capture(), "text");
        assert_eq!(Rc::<str>::from("text").capture(), "text");
        assert_eq!(Cow::from("text").capture(), "text");
        assert_eq!(Some(NonZero::new(7_i8).unwrap()).capture(), Some(7));
        assert_eq!(None::<&mut u8>.capture(), None);
        assert_eq!([1_u8, 2].capture(), vec![1_u8, 2].capture());
        assert_eq!(7_usize.capture() as usize, 7);
    }

    #[test]
    fn the_number_of_a_thread_is_that_of_its_id() {
        let id = std::thread::current().id();
        assert_eq!(format!("ThreadId({})", id.capture().0), format!("{id:?}"));
    }

    #[test]
    fn a_panic_while_formatting_is_noted() {
        struct Bomb;
        impl fmt::Debug for Bomb {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                panic!("boom");
            }
        }
        let mut text = String::new();
        format_guarded(&mut text, format_args!("{:?}", Bomb)).unwrap();
        assert_eq!(text, "half [formatting panicked]");
    }

    #[test]
    fn the_greatest_of_none_is_zero() {
        assert_eq!((greatest(&[]), greatest(&[3, 9, 4])), (0, 9));
    }
}
