//! `#[derive(Capture)]`.

use std::fmt::Debug;

use millpond::{Capture, info};

use crate::support::Log;

/// Logs a value, and compares what is shown with what `format!` makes of it.
#[track_caller]
fn same<T: Capture + Debug>(values: &[T]) {
    let log = Log::new();
    let mut expected = Vec::new();
    for value in values {
        info!(log.logger, "{:?} and {value:#?}", value);
        expected.push(format!("{value:?} and {value:#?}"));
    }
    assert_eq!(log.messages(), expected);
}

#[derive(Capture, Clone, Debug)]
struct Order<'a> {
    id: u64,
    venue: &'a str,
    r#type: Kind,
    note: Option<String>,
}

#[derive(Capture, Clone, Debug)]
enum Kind {
    Market,
    Limit { price: f64, post: bool },
    Stop(f64, Box<Order2>),
}

#[derive(Capture, Clone, Debug)]
struct Order2(u8, char);

#[derive(Capture, Clone, Copy, Debug)]
struct Unit;

#[derive(Capture, Clone, Copy, Debug)]
struct Empty {}

#[test]
fn structs_and_enums() {
    let order = |kind, note: Option<&str>| Order {
        id: 7,
        venue: "xetra",
        r#type: kind,
        note: note.map(str::to_owned),
    };
    same(&[
        order(Kind::Market, None),
        order(Kind::Limit { price: 101.5, post: true }, Some("first\n\"second\"")),
        order(Kind::Stop(1.0, Box::new(Order2(1, 'x'))), Some("")),
    ]);
    same(&[Kind::Market, Kind::Limit { price: 0.1, post: false }]);
    same(&[Unit]);
    same(&[Empty {}]);
    same(&[Order2(0, '\'')]);
    same(&[Some(Unit), None]);
}

#[derive(Capture, Debug)]
struct Generic<'a, T: Clone, const N: usize>
where
    T: Debug,
{
    value: T,
    reference: &'a T,
    list: [u8; N],
    more: Option<&'a Generic2<T>>,
}

#[derive(Capture, Debug)]
struct Generic2<T = u8>(T);

trait Book {
    type Side;
}

#[derive(Debug)]
struct Real;

impl Book for Real {
    type Side = u8;
}

#[derive(Capture, Debug)]
struct Top<B: Book> {
    side: B::Side,
    other: Option<B::Side>,
}

impl Capture for Real {
    type Raw<'a> = u8;

    fn capture(&self) -> u8 {
        0
    }
}

#[test]
fn generic_types() {
    let more = Generic2("y");
    same(&[Generic { value: "x", reference: &"z", list: [1, 2], more: Some(&more) }]);
    same(&[Generic { value: 5, reference: &6, list: [], more: None }]);
    same(&[Top::<Real> { side: 1, other: Some(2) }]);
}

#[derive(Capture, Debug)]
enum Unsettled<T> {
    Left(T),
    #[allow(dead_code)]
    Right,
}

#[test]
fn one_generic_call_site_shows_each_type_as_its_own() {
    fn log<T: Capture + Debug>(log: &Log, value: &T) {
        info!(log.logger, "{value:?}");
    }
    let logs = Log::new();
    for _ in 0..2 {
        log(&logs, &Unit);
        log(&logs, &Empty {});
        log(&logs, &Order2(1, 'a'));
        log(&logs, &Unsettled::Left(1_u8));
        log(&logs, &Unsettled::Left("a"));
        log(&logs, &Generic2('b'));
    }
    let once = ["Unit", "Empty", "Order2(1, 'a')", "Left(1)", "Left(\"a\")", "Generic2('b')"];
    assert_eq!(logs.messages(), [once, once].concat());
}

#[test]
fn a_crate_may_have_another_name() {
    mod renamed {
        pub(crate) use millpond as pond;
    }
    #[derive(Capture, Debug)]
    #[capture(crate = renamed::pond)]
    #[allow(dead_code)]
    struct Renamed(u8);
    same(&[Renamed(3)]);
}

#[test]
fn a_derived_value_may_be_a_field_and_formatted() {
    let log = Log::new();
    info!(log.logger, "{kind:?} {}", ?Unit, kind = Kind::Market, unit = Unit);
    let got = &log.end()[0];
    assert_eq!((got.message.as_str(), got.fields.len()), ("Market Unit unit=Unit", 2));
}
