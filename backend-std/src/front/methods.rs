//! `trace` to `error`, the same for every logger.

/// Writes the level methods of a type that has `text(level, message)` and
/// `text_with(level, message, bytes)`: `level_methods!(shared)` for `&self`,
/// `level_methods!(unique)` for `&mut self`.
#[doc(hidden)]
#[macro_export]
macro_rules! level_methods {
    (@$receiver:ident $name:ident, $with:ident, $level:ident, $shown:literal) => {
        $crate::level_methods!(
            @@$receiver $name, text, $level, (message: &str),
            concat!("Logs a message at ", $shown, ".")
        );
        $crate::level_methods!(
            @@$receiver $with, text_with, $level, (message: &str, bytes: &[u8]),
            concat!("Logs a message at ", $shown, " with bytes beside it, which handlers show ",
                "escaped or keep as they are.")
        );
    };
    (@@shared $name:ident, $call:ident, $level:ident, ($($arg:ident: $type:ty),+), $doc:expr) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(&self, $($arg: $type),+) {
            self.$call($crate::Level::$level, $($arg),+);
        }
    };
    (@@unique $name:ident, $call:ident, $level:ident, ($($arg:ident: $type:ty),+), $doc:expr) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(&mut self, $($arg: $type),+) {
            self.$call($crate::Level::$level, $($arg),+);
        }
    };
    ($receiver:ident) => {
        $crate::level_methods!(@$receiver trace, trace_with, Trace, "TRACE");
        $crate::level_methods!(@$receiver debug, debug_with, Debug, "DEBUG");
        $crate::level_methods!(@$receiver info, info_with, Info, "INFO");
        $crate::level_methods!(@$receiver warning, warning_with, Warning, "WARNING");
        $crate::level_methods!(@$receiver error, error_with, Error, "ERROR");
    };
}

impl<P: super::RingSupply> super::Producer<P> {
    level_methods!(unique);
}
