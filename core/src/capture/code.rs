//! One byte for each type of argument.
//!
//! The codes are part of the wire format: a number never changes its meaning.

/// `bool`: one byte, 0 or 1.
pub const BOOL: u8 = b'b';
/// `char`: u32.
pub const CHAR: u8 = b'c';
/// `i8`.
pub const I8: u8 = b'a';
/// `i16`.
pub const I16: u8 = b'h';
/// `i32`.
pub const I32: u8 = b'i';
/// `i64`.
pub const I64: u8 = b'l';
/// `i128`.
pub const I128: u8 = b'q';
/// `u8`.
pub const U8: u8 = b'A';
/// `u16`.
pub const U16: u8 = b'H';
/// `u32`.
pub const U32: u8 = b'I';
/// `u64`.
pub const U64: u8 = b'L';
/// `u128`.
pub const U128: u8 = b'Q';
/// `f32`.
pub const F32: u8 = b'f';
/// `f64`.
pub const F64: u8 = b'd';
/// Text: [length](super::Value::Text), bytes.
pub const TEXT: u8 = b's';
/// Text that was made by `Display` or `Debug` when it was logged: u32 bytes that are here, u32
/// bytes that there were, bytes.
pub const FORMATTED: u8 = b'F';
/// Bytes, encoded as text is.
pub const BYTES: u8 = b'y';
/// `Duration`: u64 seconds, u32 nanoseconds.
pub const DURATION: u8 = b'D';
/// `Ipv4Addr`: four bytes, in network order.
pub const IPV4: u8 = b'4';
/// `Ipv6Addr`: sixteen bytes, in network order.
pub const IPV6: u8 = b'6';
/// `IpAddr`: one byte, 4 or 6, and sixteen bytes of which a version 4 address uses the first four.
pub const IP: u8 = b'p';
/// The number in a `ThreadId`: u64.
pub const THREAD: u8 = b't';
/// `Option`, followed by the code of its content: one byte, 0 or 1, and the content if 1.
pub const OPTION: u8 = b'O';
/// A user's struct, followed by its shape: the fields.
pub const STRUCT: u8 = b'{';
/// A user's enum, followed by the number of its variants, u16, and their shapes: the number of
/// the variant, u16, and its fields.
pub const ENUM: u8 = b'|';

/// The codes that need no more than themselves. A [`Shape`](super::Shape) counts by this order.
pub(super) const SIMPLE: &[u8; 22] = &[
    BOOL, CHAR, I8, I16, I32, I64, I128, U8, U16, U32, U64, U128, F32, F64, TEXT, FORMATTED, BYTES,
    DURATION, IPV4, IPV6, IP, THREAD,
];
