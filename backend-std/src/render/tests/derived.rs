//! Users' structs and enums, against derived `Debug`.

use millpond_core::capture::{Argument, Shape, Signature, Sink, VariantKind};
use proptest::prelude::*;

use super::encode::message;
use super::specs::{by_debug, check};

#[derive(Clone, Copy, Debug)]
struct Order<'a> {
    id: u32,
    note: &'a str,
    price: Option<f64>,
    side: Side,
    raw: &'a [u8],
    place: Point,
    mark: Mark,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Buy,
    Limit(i16, f32),
    Stop { at: char, inner: Option<Point> },
}

#[derive(Clone, Copy, Debug)]
struct Point(i32, bool);

#[derive(Clone, Copy, Debug)]
struct Mark;

macro_rules! argument {
    ($type:ty, $describe:expr, $put:expr) => {
        impl Argument for $type {
            // Only logging needs these.
            const SHAPE: Shape = Shape::EMPTY;
            const FIXED: u32 = 0;
            const TEXTS: u32 = 0;
            const IS_FORMATTED: bool = false;

            fn describe(signature: &mut Signature) {
                let describe: fn(&mut Signature) = $describe;
                describe(signature);
            }

            fn length(self) -> u32 {
                0
            }

            fn put<S: Sink>(self, sink: &mut S) {
                let put: fn(Self, &mut S) = $put;
                put(self, sink);
            }
        }
    };
}

argument!(
    Order<'_>,
    |signature| {
        signature.begin_struct();
        signature.begin_shape("Order", VariantKind::Named, 7);
        signature.name("id");
        u32::describe(signature);
        signature.name("note");
        <&str>::describe(signature);
        signature.name("price");
        <Option<f64>>::describe(signature);
        signature.name("side");
        Side::describe(signature);
        signature.name("raw");
        <&[u8]>::describe(signature);
        signature.name("place");
        Point::describe(signature);
        signature.name("mark");
        Mark::describe(signature);
    },
    |this, sink| {
        (this.id, this.note, this.price, this.side, this.raw, this.place, this.mark).put(sink);
    }
);

argument!(
    Side,
    |signature| {
        signature.begin_enum(3);
        signature.begin_shape("Buy", VariantKind::Unit, 0);
        signature.begin_shape("Limit", VariantKind::Tuple, 2);
        <(i16, f32)>::describe(signature);
        signature.begin_shape("Stop", VariantKind::Named, 2);
        signature.name("at");
        char::describe(signature);
        signature.name("inner");
        <Option<Point>>::describe(signature);
    },
    |this, sink| {
        match this {
            Side::Buy => sink.put(&[0, 0]),
            Side::Limit(a, b) => {
                sink.put(&[1, 0]);
                (a, b).put(sink);
            }
            Side::Stop { at, inner } => {
                sink.put(&[2, 0]);
                (at, inner).put(sink);
            }
        }
    }
);

argument!(
    Point,
    |signature| {
        signature.begin_struct();
        signature.begin_shape("Point", VariantKind::Tuple, 2);
        <(i32, bool)>::describe(signature);
    },
    |this, sink| (this.0, this.1).put(sink)
);

argument!(
    Mark,
    |signature| {
        signature.begin_struct();
        signature.begin_shape("Mark", VariantKind::Unit, 0);
    },
    |_, _| {}
);

fn any_point() -> impl Strategy<Value = Point> {
    any::<(i32, bool)>().prop_map(|(a, b)| Point(a, b))
}

fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![
        Just(Side::Buy),
        any::<(i16, f32)>().prop_map(|(a, b)| Side::Limit(a, b)),
        (any::<char>(), prop::option::of(any_point()))
            .prop_map(|(at, inner)| Side::Stop { at, inner }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn structs_and_enums_are_as_derived_debug_has_them(
        id in any::<u32>(),
        note in any::<String>(),
        price in any::<Option<f64>>(),
        side in any_side(),
        raw in prop::collection::vec(any::<u8>(), 0..4),
        place in any_point(),
        w in 0..20_usize,
        p in 0..6_usize,
    ) {
        let order = Order { id, note: &note, price, side, raw: &raw, place, mark: Mark };
        let mut expected = Vec::new();
        by_debug(&order, w, p, &mut expected);
        check(order, w, p, expected);
        prop_assert_eq!(message("{0:?}", (Some(order), 7)), format!("{:?}", Some(order)));
        prop_assert_eq!(message("{0:#?}", (Some(order), 7)), format!("{:#?}", Some(order)));
    }
}

#[test]
fn a_fill_that_is_a_line_break_is_indented_as_std_does_it() {
    let value = Some(Point(5, true));
    assert_eq!(message("{0:\n>#4?}", value), format!("{value:\n>#4?}"));
    assert_eq!(message("{0:\n<#4?}", value), format!("{value:\n<#4?}"));
}

#[test]
fn what_only_debug_can_show_is_shown_by_debug() {
    assert_eq!(
        message("{0} {0:x} {0:5}", Some(Point(10, true))),
        "Some(Point(10, true)) Some(Point(a, true)) Some(Point(   10, true ))"
    );
}
