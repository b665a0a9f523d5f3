//! The expansion gets along with whatever is around it.

use crate::support::Log;

/// As in a crate where names of the prelude mean something else.
mod hostile {
    #![allow(non_camel_case_types, dead_code, non_upper_case_globals)]

    pub(super) struct Option;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Result;
    pub(super) struct u8;
    pub(super) struct u32;
    pub(super) struct str;
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod millpond {}
}

#[test]
fn names_of_the_prelude_may_mean_something_else() {
    #[allow(unused_imports, clippy::wildcard_imports)]
    use hostile::*;

    let log = Log::new();
    let x = 1;
    ::millpond::info!(log.logger, "{} {x} {}", 1, ?x, y = %x);
    ::millpond::info!(log.logger, every: 2, "{}", x);
    assert_eq!(log.messages(), ["1 1 1 y=1", "1"]);
}

#[test]
fn variables_may_have_any_name() {
    const SITE: u32 = 1;
    const RATE: u32 = 2;
    let log = Log::new();
    let (__a0, __a1, __out, __suppressed, __ticks, __receiver0) = (10, 20, 30, 40, 50, 60);
    let level = 5;
    millpond::info!(log.logger, "{SITE} {RATE} {level} {__a1} {__a0} {}", ?__out);
    millpond::info!(Log::identity(&log).logger, every: 1, "{} {}", __suppressed, __receiver0);
    millpond::info_at!(log.logger, 7, "{} {__ticks}", SITE);
    let mut messages = log.messages();
    messages.sort_unstable();
    assert_eq!(messages, ["1 2 5 20 10 30", "1 50", "40 60"]);
}

impl Log {
    fn identity(&self) -> &Self {
        self
    }
}

#[test]
fn a_call_may_come_from_a_macro_of_the_user() {
    macro_rules! wrapped {
        ($log:expr, $template:literal, $value:expr) => {
            millpond::info!($log, $template, $value, twice = $value * 2)
        };
    }
    macro_rules! captured {
        ($log:expr, $name:ident) => {{
            let $name = 5;
            millpond::info!($log, "captured {}", $name);
        }};
    }
    let log = Log::new();
    wrapped!(log.logger, "wrapped {}", 1 + 2);
    captured!(log.logger, here);
    let got = log.end();
    assert_eq!(got[0].message, "wrapped 3 twice=6");
    assert_eq!(got[0].fields, ["twice=Signed(6, 32)"]);
    assert_eq!(got[1].message, "captured 5");
}

#[test]
fn self_may_be_captured() {
    struct Id(u32);
    impl Id {
        fn log(&self, log: &Log) {
            millpond::info!(log.logger, "id {} {}", self.0, ?self.0);
        }
    }
    trait Loud: millpond::Capture + millpond::CaptureDisplay + std::fmt::Display {
        fn log(&self, log: &Log) {
            millpond::info!(log.logger, "loud {self}");
        }
    }
    impl Loud for u32 {}
    let log = Log::new();
    Id(3).log(&log);
    4_u32.log(&log);
    assert_eq!(log.messages(), ["id 3 3", "loud 4"]);
}

mod nested {
    pub(super) mod deeper {
        pub(crate) fn log(log: &crate::support::Log) {
            let inner = || millpond::info!(log.logger, "from a closure in a module");
            inner();
        }
    }
}

#[test]
fn a_call_knows_its_module() {
    let log = Log::new();
    nested::deeper::log(&log);
    assert_eq!(log.end()[0].target, concat!(module_path!(), "::nested::deeper"));
}
