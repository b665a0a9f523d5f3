//! Every spec, of values of every type.

use std::fmt::{Binary, Debug, Display, LowerExp, LowerHex, Octal, UpperExp, UpperHex};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use millpond_core::capture::Argument;
use proptest::prelude::*;

use super::encode::{definition, payload, shown, signature};

/// Specs and what `std` makes of them. In the specs, `w$` is the width and `p$` the precision.
type Expected = Vec<(&'static str, String)>;

/// All flags before a type.
macro_rules! each_spec {
    ($out:ident $value:ident $w:ident $p:ident $type:literal) => {
        each_spec!(@sign $out $value $w $p $type; "" "<" "*^" "é>" "}<");
    };
    (@sign $out:ident $value:ident $w:ident $p:ident $type:literal; $($align:literal)*) => {$(
        each_spec!(@zero $out $value $w $p $type; $align "");
        each_spec!(@zero $out $value $w $p $type; $align "+");
    )*};
    (@zero $out:ident $value:ident $w:ident $p:ident $type:literal; $align:literal $sign:literal) => {
        each_spec!(@width $out $value $w $p $type; $align $sign "");
        each_spec!(@width $out $value $w $p $type; $align $sign "#");
        each_spec!(@width $out $value $w $p $type; $align $sign "0");
        each_spec!(@width $out $value $w $p $type; $align $sign "#0");
    };
    (@width $out:ident $value:ident $w:ident $p:ident $type:literal;
     $align:literal $sign:literal $zero:literal) => {
        $out.push((
            concat!($align, $sign, $zero, $type),
            format!(concat!("{0:", $align, $sign, $zero, $type, "}"), $value),
        ));
        $out.push((
            concat!($align, $sign, $zero, "w$", $type),
            format!(concat!("{0:", $align, $sign, $zero, "w$", $type, "}"), $value, w = $w),
        ));
        $out.push((
            concat!($align, $sign, $zero, ".p$", $type),
            format!(concat!("{0:", $align, $sign, $zero, ".p$", $type, "}"), $value, p = $p),
        ));
        $out.push((
            concat!($align, $sign, $zero, "w$.p$", $type),
            format!(
                concat!("{0:", $align, $sign, $zero, "w$.p$", $type, "}"),
                $value, w = $w, p = $p
            ),
        ));
    };
}

fn by_display(value: &dyn Display, w: usize, p: usize, out: &mut Expected) {
    each_spec!(out value w p "");
}

pub(super) fn by_debug(value: &dyn Debug, w: usize, p: usize, out: &mut Expected) {
    each_spec!(out value w p "?");
    each_spec!(out value w p "x?");
    each_spec!(out value w p "X?");
}

fn by_exp<T: LowerExp + UpperExp>(value: T, w: usize, p: usize, out: &mut Expected) {
    let lower: &dyn LowerExp = &value;
    each_spec!(out lower w p "e");
    let upper: &dyn UpperExp = &value;
    each_spec!(out upper w p "E");
}

fn by_digits<T: LowerHex + UpperHex + Octal + Binary>(
    value: T,
    w: usize,
    p: usize,
    out: &mut Expected,
) {
    let lower: &dyn LowerHex = &value;
    each_spec!(out lower w p "x");
    let upper: &dyn UpperHex = &value;
    each_spec!(out upper w p "X");
    let octal: &dyn Octal = &value;
    each_spec!(out octal w p "o");
    let binary: &dyn Binary = &value;
    each_spec!(out binary w p "b");
}

/// Compares what was expected with what is rendered, with numbers in the spec and with arguments.
pub(super) fn check<A: Argument>(value: A, w: usize, p: usize, expected: Expected) {
    let payload = payload((value, w as u64, p as u64));
    let signature = signature::<(A, u64, u64)>();
    for (spec, expected) in expected {
        let by_argument = spec.replace("w$", "1$").replace("p$", "2$");
        let by_number = spec.replace("w$", &w.to_string()).replace("p$", &p.to_string());
        // A zero in the place of a width is a flag.
        let specs = if w == 0 { vec![by_argument] } else { vec![by_argument, by_number] };
        for spec in specs {
            let template = format!("{{0:{spec}}}|");
            let definition = definition(template.as_bytes(), &signature, b"");
            assert_eq!(shown(&definition, &payload), format!("{expected}|"), "{template}");
        }
    }
}

fn check_both<A: Argument + Display + Debug>(value: A, w: usize, p: usize) {
    let mut expected = Vec::new();
    by_display(&value, w, p, &mut expected);
    by_debug(&value, w, p, &mut expected);
    check(value, w, p, expected);
}

fn check_debug<A: Argument + Debug>(value: A, w: usize, p: usize) {
    let mut expected = Vec::new();
    by_debug(&value, w, p, &mut expected);
    check(value, w, p, expected);
}

fn check_float<A: Argument + Display + Debug + LowerExp + UpperExp>(value: A, w: usize, p: usize) {
    let mut expected = Vec::new();
    by_exp(value, w, p, &mut expected);
    check(value, w, p, expected);
    check_both(value, w, p);
}

fn check_integer<A>(value: A, w: usize, p: usize)
where
    A: Argument + Display + Debug + LowerExp + UpperExp + LowerHex + UpperHex + Octal + Binary,
{
    let mut expected = Vec::new();
    by_digits(value, w, p, &mut expected);
    check(value, w, p, expected);
    check_float(value, w, p);
}

/// Floats of everyday size, halves of the last digit, and all others.
fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (any::<i32>(), 0..10_i32).prop_map(|(number, tens)| f64::from(number) / 10_f64.powi(tens)),
        (any::<i16>(), 0..12_i32).prop_map(|(number, twos)| f64::from(number) / 2_f64.powi(twos)),
        -1e20..1e20_f64,
        prop::sample::select(
            &[
                0.0,
                -0.0,
                1.0,
                0.1,
                0.5,
                1.5,
                2.5,
                -0.5,
                0.05,
                1e-4,
                9.9999e-5,
                1e-5,
                1e15,
                1e16,
                9_999_999_999_999_998.0,
                999_999_999.999_999_9,
                1e9,
                1e-7,
                5e-324,
                f64::MAX,
                f64::MIN_POSITIVE,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                0.999_999_999_9,
            ][..]
        ),
    ]
}

fn any_f32() -> impl Strategy<Value = f32> {
    prop_oneof![any::<u32>().prop_map(f32::from_bits), any_f64().prop_map(|wide| wide as f32)]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,12}", "[a\"'\\\\\n\t\u{301}\u{200b}é🦀]{0,8}"]
}

fn any_ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| IpAddr::V4(octets.into())),
        any::<[u16; 8]>().prop_map(|segments| IpAddr::V6(segments.into())),
        any::<u16>().prop_map(|last| IpAddr::V6([0, 0, 0, 0, 0, 0, 0, last].into())),
    ]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        (0..100_000_000_000_u64, 0..9_u32)
            .prop_map(|(nanos, tens)| Duration::from_nanos(nanos / 10_u64.pow(tens))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn integers(bits in any::<u128>(), shift in 0..128_u32, w in 0..40_usize, p in 0..20_usize) {
        let bits = bits >> shift;
        check_integer(bits as u8, w, p);
        check_integer(bits as i8, w, p);
        check_integer(bits as u16, w, p);
        check_integer(bits as i16, w, p);
        check_integer(bits as u32, w, p);
        check_integer(bits as i32, w, p);
        check_integer(bits as u64, w, p);
        check_integer(bits as i64, w, p);
        check_integer(bits, w, p);
        check_integer(bits as i128, w, p);
    }

    #[test]
    fn floats(wide in any_f64(), short in any_f32(), w in 0..40_usize, p in 0..20_usize) {
        check_float(wide, w, p);
        check_float(short, w, p);
    }

    #[test]
    fn text(text in any_text(), c in any::<char>(), w in 0..20_usize, p in 0..20_usize) {
        check_both(&text[..], w, p);
        check_both(c, w, p);
        check_both(w % 2 == 0, w, p);
    }

    #[test]
    fn others(
        ip in any_ip(),
        duration in any_duration(),
        bytes in prop::collection::vec(any::<u8>(), 0..5),
        w in 0..40_usize,
        p in 0..20_usize,
    ) {
        check_both(ip, w, p);
        match ip {
            IpAddr::V4(ip) => check_both::<Ipv4Addr>(ip, w, p),
            IpAddr::V6(ip) => check_both::<Ipv6Addr>(ip, w, p),
        }
        check_debug(duration, w, p);
        check_debug(&bytes[..], w, p);
        check_debug(Some(duration), w, p);
        check_debug(None::<u8>, w, p);
        check_debug(Some(Some(w as f64 / 7.0)), w, p);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn plain_floats_and_those_with_few_digits(wide in any_f64(), short in any_f32(), p in 0..12_usize) {
        use super::encode::message;
        prop_assert_eq!(message("{0} {0:?}", wide), format!("{wide} {wide:?}"));
        prop_assert_eq!(message("{0} {0:?}", short), format!("{short} {short:?}"));
        prop_assert_eq!(message("{0:.1$}", (wide, p as u64)), format!("{wide:.p$}"));
        prop_assert_eq!(message("{0:.1$}", (short, p as u64)), format!("{short:.p$}"));
    }
}
