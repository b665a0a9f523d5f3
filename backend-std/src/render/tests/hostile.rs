//! Definitions and payloads that keep no promise.

use millpond_core::capture::code;
use proptest::prelude::*;

use super::encode::{definition, payload, shown};

#[test]
fn a_short_payload_shows_what_is_there_and_the_rest_as_bytes() {
    let in_order = definition(b"a {0} b {1} c {2}.", b"IIs", b"");
    assert_eq!(
        shown(&in_order, &[5, 0, 0, 0, 6, 0xff]),
        "a 5 b {1} c {2}. [cannot be decoded: the record ends in the middle of an argument; raw 06 ff]"
    );
    let in_any_order = definition(b"{2} {1} {0}.", b"IIs", b"");
    assert_eq!(
        shown(&in_any_order, &[5, 0, 0, 0, 6, 0xff]),
        "{2} {1} 5. [cannot be decoded: the record ends in the middle of an argument; raw 06 ff]"
    );
    assert_eq!(
        shown(&definition(b"{0}", b"L", b""), &[]),
        "{0} [cannot be decoded: the record ends in the middle of an argument]"
    );
}

#[test]
fn at_most_64_raw_bytes_are_shown() {
    let text = shown(&definition(b"{0}", b"c", b""), &[0xff; 100]);
    let raw = [" ff"; 64].concat();
    assert_eq!(
        text,
        format!("{{0}} [cannot be decoded: the bytes are no value of the type `c`; raw{raw} ...]")
    );
}

#[test]
fn an_unknown_code_ends_what_can_be_shown() {
    let reason = "type code 0x7e is of a newer version or no type code";
    let all = [&payload((1_u8, "x"))[..], &[7, 8]].concat();
    for template in ["{0} {1} {2}", "{0} {1} {2} {3:>5}"] {
        let definition = definition(template.as_bytes(), b"As~I", b"a\0b\0");
        let tail = if template.ends_with('}') && template.contains("{3") { " {3}" } else { "" };
        assert_eq!(
            shown(&definition, &all),
            format!("1 x {{2}}{tail} [cannot be decoded: {reason}; raw 07 08]")
        );
    }
    let reversed = definition(b"{1} {0}", b"As~I", b"");
    assert_eq!(shown(&reversed, &all), format!("x 1 [cannot be decoded: {reason}; raw 07 08]"));
    let unused = definition(b"{0}", b"As~I", b"");
    assert_eq!(shown(&unused, &all), format!("1 [cannot be decoded: {reason}; raw 07 08]"));
}

#[test]
fn an_index_without_an_argument_stays() {
    assert_eq!(shown(&definition(b"{0} {7:>5}", b"A", b""), &[1]), "1 {7}");
}

#[test]
fn few_bytes_do_not_become_many() {
    let repeated = "{0}".repeat(20_000);
    let text = payload(&"x".repeat(60_000)[..]);
    let wide = "{0:65535}".repeat(7_000);
    let list = payload(&[1_u8; 60_000][..]);
    for (template, signature, payload) in
        [(&repeated[..], b"s", &text), (&wide, b"s", &text), ("{0:65535?}", b"y", &list)]
    {
        let message = shown(&definition(template.as_bytes(), signature, b""), payload);
        assert!(message.len() < 4 << 20, "{}", message.len());
    }
    let wide: String = (0..7_000).map(|at| format!("{{{at}:65535}}")).collect();
    let definition = definition(wide.as_bytes(), &[code::U8; 7_000], b"");
    let message = shown(&definition, &[1; 7_000]);
    assert!(message.len() < 4 << 20 && message.ends_with("too long]"), "{}", message.len());
}

/// A type of 63 000 bytes whose value is two, shown 21 000 times: what is walked is bounded, so this
/// ends in milliseconds and not in seconds.
#[test]
fn a_type_that_is_long_is_not_walked_again_and_again() {
    let mut signature = vec![code::ENUM];
    signature.extend(21_000_u16.to_le_bytes());
    signature.extend([0; 3].repeat(21_000));
    let template = "{0}".repeat(21_000);
    let text = shown(&definition(template.as_bytes(), &signature, b""), &[0, 0]);
    assert!(text.ends_with(" [the rest of the message is too long]"), "{text:?}");
}

fn any_template() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        "([{}]|\\{[0-4](:[<^>]?[+]?#?0?[0-9]?(\\.[0-3])?[xX]?\\??)?\\}|\\{[0-3]:[0-3]\\$\\}){0,6}"
            .prop_map(String::into_bytes),
    ]
}

fn any_signature() -> impl Strategy<Value = Vec<u8>> {
    let code = prop::sample::select(&b"bcahilqAHILQfdsFyD46ptO{|\x00\x01\x02\x03a~"[..]);
    prop_oneof![prop::collection::vec(code, 0..20), any::<Vec<u8>>()]
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => 0..4_u8, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn nothing_panics(
        template in any_template(),
        signature in any_signature(),
        fields in "[a\\x00]{0,6}",
        payload in any_payload(),
    ) {
        shown(&definition(&template, &signature, fields.as_bytes()), &payload);
    }
}
