//! Arguments as bytes: what was written is read back, and nothing that was not written panics.

use std::fmt::{self, Debug};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use millpond_core::capture::{
    Argument, Cut, Formatted, Signature, Sink, ThreadNumber, Types, Value, ValueError, Values, code,
};
use proptest::prelude::*;

/// Takes everything.
#[derive(Default)]
struct Payload(Vec<u8>);

impl Sink for Payload {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn put_formatted(&mut self, write: &dyn Fn(&mut dyn fmt::Write) -> fmt::Result) {
        let mut text = String::new();
        write(&mut text).unwrap();
        let length = (text.len() as u32).to_le_bytes();
        self.0.extend([length, length].as_flattened());
        self.0.extend(text.as_bytes());
    }
}

fn signature<A: Argument>() -> Vec<u8> {
    let mut signature = Signature::new();
    A::describe(&mut signature);
    signature.as_bytes().unwrap().to_vec()
}

/// Writes a value, checks what its type promised, and reads it back.
#[track_caller]
fn check<A: Argument>(argument: A, expected: &[Value<'_>]) {
    let signature = signature::<A>();
    let mut payload = Payload::default();
    argument.put(&mut payload);
    let payload = payload.0;
    if !A::IS_FORMATTED {
        assert_eq!(argument.length() as usize, payload.len());
        let contents: usize = expected.iter().map(content).sum();
        assert!(payload.len() <= A::FIXED as usize + contents);
    }
    let values: Result<Vec<_>, _> = Values::new(&signature, &payload).collect();
    // A NaN is not equal to itself.
    assert_eq!(format!("{:?}", values.unwrap()), format!("{expected:?}"));

    // The types lead through the payload one by one.
    let mut rest = &payload[..];
    for this in Types::new(&signature) {
        let mut values = Values::new(this.unwrap(), rest);
        values.next().unwrap().unwrap();
        assert_eq!(values.next(), None);
        rest = values.rest().1;
    }
    assert!(rest.is_empty());

    // What is shorter is an error, and what is longer is not looked at.
    for length in 0..payload.len() {
        let values: Result<Vec<_>, _> = Values::new(&signature, &payload[..length]).collect();
        assert_eq!(values, Err(ValueError::Payload));
    }
    let longer = [&payload[..], &[1, 2, 3]].concat();
    let mut values = Values::new(&signature, &longer);
    assert_eq!(values.by_ref().count(), expected.len());
    assert_eq!(values.rest().1, [1, 2, 3]);
}

fn content(value: &Value<'_>) -> usize {
    match value {
        Value::Text(bytes, _) | Value::Bytes(bytes, _) | Value::Formatted(bytes, _) => bytes.len(),
        Value::Some(composite) => composite.fields().map(|(_, value)| content(&value)).sum(),
        _ => 0,
    }
}

/// The one value of an `Option` that is there.
fn inside<A: Argument>(argument: A, look: impl FnOnce(Value<'_>)) {
    let signature = signature::<Option<A>>();
    let mut payload = Payload::default();
    Some(argument).put(&mut payload);
    match Values::new(&signature, &payload.0).next() {
        Some(Ok(Value::Some(composite))) => {
            assert_eq!(composite.name, b"Some");
            let fields: Vec<_> = composite.fields().collect();
            assert_eq!(fields.len(), 1);
            assert!(fields[0].0.is_empty());
            look(fields[0].1);
        }
        other => panic!("{other:?}"),
    }
    check(None::<A>, &[Value::None]);
}

proptest! {
    #[test]
    fn numbers(bits in any::<u128>(), wide in any::<f64>(), short in any::<f32>()) {
        check(bits as u8, &[Value::Unsigned((bits as u8).into(), 8)]);
        check(bits as u16, &[Value::Unsigned((bits as u16).into(), 16)]);
        check(bits as u32, &[Value::Unsigned((bits as u32).into(), 32)]);
        check(bits as u64, &[Value::Unsigned((bits as u64).into(), 64)]);
        check(bits, &[Value::Unsigned(bits, 128)]);
        check(bits as i8, &[Value::Signed((bits as i8).into(), 8)]);
        check(bits as i16, &[Value::Signed((bits as i16).into(), 16)]);
        check(bits as i32, &[Value::Signed((bits as i32).into(), 32)]);
        check(bits as i64, &[Value::Signed((bits as i64).into(), 64)]);
        check(bits as i128, &[Value::Signed(bits as i128, 128)]);
        check(wide, &[Value::F64(wide)]);
        check(short, &[Value::F32(short)]);
        check(ThreadNumber(bits as u64), &[Value::Thread(bits as u64)]);
    }

    #[test]
    fn others(
        text in any::<String>(),
        bytes in any::<Vec<u8>>(),
        c in any::<char>(),
        truth in any::<bool>(),
        seconds in any::<u64>(),
        nanoseconds in 0..1_000_000_000_u32,
        octets in any::<[u8; 4]>(),
        segments in any::<[u16; 8]>(),
    ) {
        check(&text[..], &[Value::Text(text.as_bytes(), None)]);
        check(&bytes[..], &[Value::Bytes(&bytes, None)]);
        check(c, &[Value::Char(c)]);
        check(truth, &[Value::Bool(truth)]);
        let duration = Duration::new(seconds, nanoseconds);
        check(duration, &[Value::Duration(duration)]);
        let (four, six) = (Ipv4Addr::from(octets), Ipv6Addr::from(segments));
        check(four, &[Value::Ip(four.into())]);
        check(six, &[Value::Ip(six.into())]);
        check(IpAddr::V4(four), &[Value::Ip(four.into())]);
        check(IpAddr::V6(six), &[Value::Ip(six.into())]);
        let write = |out: &mut dyn fmt::Write| out.write_str(&text);
        check(Formatted::new(&write), &[Value::Formatted(text.as_bytes(), None)]);
        inside(&text[..], |value| assert_eq!(value, Value::Text(text.as_bytes(), None)));
        inside(Some(c), |value| match value {
            Value::Some(some) => assert_eq!(some.fields().next(), Some((&[][..], Value::Char(c)))),
            other => panic!("{other:?}"),
        });
    }

    #[test]
    fn several_arguments_follow_one_another(a in any::<i16>(), b in any::<String>(), c in any::<u64>()) {
        let expected = [
            Value::Signed(a.into(), 16),
            Value::Text(b.as_bytes(), None),
            Value::None,
            Value::Unsigned(c.into(), 64),
        ];
        check((a, &b[..], None::<u8>, c), &expected);
        check(((a, (&b[..],)), (), (None::<u8>, c)), &expected);
    }

    #[test]
    fn what_has_no_room_is_cut_between_characters(
        text in any::<String>(),
        other in any::<Vec<u8>>(),
        room in 0..64_usize,
    ) {
        let mut bytes = heapless::Vec::<u8, 256>::new();
        (7_u32, &text[..], &other[..]).put(&mut Cut::new(&mut bytes, room, 0));
        let values: Vec<_> = Values::new(b"Isy", &bytes).collect::<Result<_, _>>().unwrap();
        let [Value::Unsigned(7, 32), Value::Text(kept, was), Value::Bytes(second, had)] = values[..] else {
            panic!("{values:?}");
        };
        prop_assert!(text.as_bytes().starts_with(kept) && std::str::from_utf8(kept).is_ok());
        prop_assert_eq!(was, (kept.len() < text.len()).then_some(text.len() as u32));
        prop_assert!(kept.len() + 4 > room.min(text.len()));
        let left = room - text.len().min(room);
        prop_assert_eq!(second, &other[..other.len().min(left)]);
        prop_assert_eq!(had, (second.len() < other.len()).then_some(other.len() as u32));
    }

    #[test]
    fn what_is_formatted_is_cut_and_counted(
        parts in prop::collection::vec(any::<String>(), 0..6),
        room in 0..64_usize,
    ) {
        let write = |out: &mut dyn fmt::Write| parts.iter().try_for_each(|part| out.write_str(part));
        let mut bytes = heapless::Vec::<u8, 256>::new();
        Formatted::new(&write).put(&mut Cut::new(&mut bytes, 0, room));
        let whole = parts.concat();
        match Values::new(b"F", &bytes).next() {
            Some(Ok(Value::Formatted(kept, was))) => {
                prop_assert!(whole.as_bytes().starts_with(kept) && kept.len() <= room);
                prop_assert!(std::str::from_utf8(kept).is_ok());
                prop_assert_eq!(was, (kept.len() < whole.len()).then_some(whole.len() as u32));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn any_signature() -> impl Strategy<Value = Vec<u8>> {
    let code = prop::sample::select(&b"bcahilqAHILQfdsFyD46ptOOO{{||\x00\x01\x02\x03a~"[..]);
    prop_oneof![prop::collection::vec(code, 0..40), any::<Vec<u8>>()]
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..200)
}

/// Looks at every value that there is.
fn walk(value: &Value<'_>, depth: u32) {
    assert!(depth <= millpond_core::capture::MAX_DEPTH);
    if let Value::Some(composite) | Value::Composite(composite) = value {
        composite.fields().for_each(|(_, value)| walk(&value, depth + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_signature_and_no_payload_panics(signature in any_signature(), payload in any_payload()) {
        let values: Vec<_> = Values::new(&signature, &payload).collect();
        let errors = values.iter().filter(|value| value.is_err()).count();
        prop_assert!(errors == 0 || (errors == 1 && values.last().unwrap().is_err()));
        values.iter().flatten().for_each(|value| walk(value, 0));

        // Types are found whether or not there are values, and in the same places.
        let mut types = Types::new(&signature);
        let found: Vec<_> = types.by_ref().map_while(Result::ok).collect();
        prop_assert_eq!([&found.concat()[..], types.rest()].concat(), &signature[..]);
        prop_assert!(values.iter().flatten().count() <= found.len());
    }
}

fn error(signature: &[u8], payload: &[u8]) -> ValueError {
    Values::new(signature, payload).find_map(Result::err).unwrap()
}

#[test]
fn what_is_no_value_is_an_error() {
    let invalid = |code| ValueError::Invalid { code };
    assert_eq!(error(b"b", &[2]), invalid(code::BOOL));
    assert_eq!(error(b"c", &0xd800_u32.to_le_bytes()), invalid(code::CHAR));
    assert_eq!(error(b"Ob", &[7, 1]), invalid(code::OPTION));
    assert_eq!(error(b"p", &[5; 17]), invalid(code::IP));
    let nanoseconds = [[0; 4], [0; 4], 1_000_000_000_u32.to_le_bytes()];
    assert_eq!(error(b"D", nanoseconds.as_flattened()), invalid(code::DURATION));
    assert_eq!(error(b"|\x01\x00\x01a\x00\x00", &[1, 0]), invalid(code::ENUM));
    assert_eq!(error(b"I~", &[0; 9]), ValueError::UnknownCode(b'~'));
    assert_eq!(error(b"{", &[]), ValueError::Signature);
    assert_eq!(error(b"{\x01a\x03\x00", &[]), ValueError::Signature, "no kind of fields");
    assert_eq!(error(b"s", &[0xff, 0xff, 0xff, 0x7f]), ValueError::Payload);
    let deep = [&[b'O'; 17][..], b"b"].concat();
    assert_eq!(error(&deep, &[1; 18]), ValueError::TooDeep);
    let endless = [b'O'; 60_000];
    assert_eq!(error(&endless, &[1; 60_000]), ValueError::TooDeep);
}

#[test]
fn an_error_of_a_type_comes_back() {
    let mut types = Types::new(b"I~I");
    assert_eq!(types.next(), Some(Ok(&b"I"[..])));
    for _ in 0..3 {
        assert_eq!(types.next(), Some(Err(ValueError::UnknownCode(b'~'))));
        assert_eq!(types.rest(), b"~I");
    }
}

#[test]
fn a_long_text_needs_no_more_than_its_length_says() {
    fn promised<A: Argument + Debug>(argument: A) -> (u32, u32, u32) {
        (A::FIXED, A::TEXTS, argument.length())
    }
    assert_eq!(promised(("ab", Some(7_u16), &[1_u8][..])), (11, 2, 14));
}
