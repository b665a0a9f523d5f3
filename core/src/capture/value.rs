//! What an argument was, read back from its bytes.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use super::code;
use super::signature::VariantKind;
use super::text::WAS_CUT;

/// How deep types may be nested: options in options, structs in structs.
pub const MAX_DEPTH: u32 = 16;

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `bool`.
    Bool(bool),
    /// `char`.
    Char(char),
    /// A signed integer of so many bits.
    Signed(i128, u32),
    /// An unsigned integer of so many bits.
    Unsigned(u128, u32),
    /// `f32`.
    F32(f32),
    /// `f64`.
    F64(f64),
    /// Text, promised to be UTF-8; how long it was if it was cut.
    Text(&'a [u8], Option<u32>),
    /// Text that was formatted when it was logged; how long it was if it was cut.
    Formatted(&'a [u8], Option<u32>),
    /// Bytes; how many there were if they were cut.
    Bytes(&'a [u8], Option<u32>),
    /// `Duration`.
    Duration(Duration),
    /// An IP address.
    Ip(IpAddr),
    /// The number in a `ThreadId`.
    Thread(u64),
    /// `None`.
    None,
    /// `Some`; [`Composite::fields`] has one field, the content.
    Some(Composite<'a>),
    /// A user's struct, or a variant of a user's enum.
    Composite(Composite<'a>),
}

/// A value that is made of others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Composite<'a> {
    /// Its name, promised to be UTF-8: of an enum the variant's.
    pub name: &'a [u8],
    /// What its fields look like.
    pub kind: VariantKind,
    count: u32,
    depth: u32,
    signature: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Composite<'a> {
    /// Its fields, in order, with their names (empty if they have none).
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            left: self.count,
            named: self.kind == VariantKind::Named,
            reader: Reader { signature: self.signature, payload: self.payload, depth: self.depth },
        }
    }
}

/// The fields of a [`Composite`]. It was checked as a whole before, so none is missing.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    left: u32,
    named: bool,
    reader: Reader<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = if self.named { self.reader.name().ok()? } else { &[] };
        Some((name, self.reader.value().ok()?))
    }
}

/// Why an argument cannot be read. Those after it cannot be read either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// The signature has a code that this version does not know.
    UnknownCode(u8),
    /// The signature ends in the middle of a type.
    Signature,
    /// The payload ends before the argument does.
    Payload,
    /// The bytes are no value of the type.
    Invalid {
        /// The type's code.
        code: u8,
    },
    /// Types are nested more than [`MAX_DEPTH`] deep.
    TooDeep,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueError::UnknownCode(code) => {
                write!(f, "type code {code:#04x} is of a newer version or no type code")
            }
            ValueError::Signature => f.write_str("the signature ends in the middle of a type"),
            ValueError::Payload => f.write_str("the record ends in the middle of an argument"),
            ValueError::Invalid { code } => {
                write!(f, "the bytes are no value of the type `{}`", code.escape_ascii())
            }
            ValueError::TooDeep => write!(f, "types are nested more than {MAX_DEPTH} deep"),
        }
    }
}

impl core::error::Error for ValueError {}

/// The arguments of a record, in order.
///
/// ```
/// use millpond_core::capture::{Value, Values};
///
/// let mut values = Values::new(b"Ib", &[42, 0, 0, 0, 1]);
/// assert_eq!(values.next(), Some(Ok(Value::Unsigned(42, 32))));
/// assert_eq!(values.next(), Some(Ok(Value::Bool(true))));
/// assert_eq!(values.next(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Values<'a> {
    reader: Reader<'a>,
}

impl<'a> Values<'a> {
    /// The arguments that `payload` holds if their types are those of `signature`. What follows the
    /// last one is ignored.
    pub fn new(signature: &'a [u8], payload: &'a [u8]) -> Self {
        Self { reader: Reader { signature, payload, depth: 0 } }
    }

    /// The part of the signature and of the payload that was not read yet.
    pub fn rest(&self) -> (&'a [u8], &'a [u8]) {
        (self.reader.signature, self.reader.payload)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Value<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.signature.is_empty() {
            return None;
        }
        let value = self.reader.value();
        if value.is_err() {
            self.reader.signature = &[];
        }
        Some(value)
    }
}

/// The types of a signature, each as the part of the signature that describes it: what
/// [`Values::new`] reads one argument by.
///
/// ```
/// use millpond_core::capture::Types;
///
/// let types: Result<Vec<_>, _> = Types::new(b"IOOsb").collect();
/// assert_eq!(types, Ok(vec![&b"I"[..], b"OOs", b"b"]));
/// ```
#[derive(Clone, Debug)]
pub struct Types<'a> {
    signature: &'a [u8],
}

impl<'a> Types<'a> {
    /// The types of `signature`.
    pub fn new(signature: &'a [u8]) -> Self {
        Self { signature }
    }

    /// The part of the signature that was not read yet. After an error it begins with the type that
    /// is none.
    pub fn rest(&self) -> &'a [u8] {
        self.signature
    }
}

impl<'a> Iterator for Types<'a> {
    type Item = Result<&'a [u8], ValueError>;

    /// The next type. An error comes back each time: what follows it cannot be told apart.
    fn next(&mut self) -> Option<Self::Item> {
        if self.signature.is_empty() {
            return None;
        }
        let mut reader = Reader { signature: self.signature, payload: &[], depth: 0 };
        Some(reader.skip_type().map(|()| {
            let (this, rest) =
                self.signature.split_at(self.signature.len() - reader.signature.len());
            self.signature = rest;
            this
        }))
    }
}

#[derive(Clone, Debug)]
struct Reader<'a> {
    signature: &'a [u8],
    payload: &'a [u8],
    depth: u32,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value<'a>, ValueError> {
        let code = self.code()?;
        Ok(match code {
            code::BOOL => match self.array()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return Err(ValueError::Invalid { code }),
            },
            code::CHAR => {
                let number = u32::from_le_bytes(self.array()?);
                Value::Char(char::from_u32(number).ok_or(ValueError::Invalid { code })?)
            }
            code::I8 => Value::Signed(i8::from_le_bytes(self.array()?).into(), 8),
            code::I16 => Value::Signed(i16::from_le_bytes(self.array()?).into(), 16),
            code::I32 => Value::Signed(i32::from_le_bytes(self.array()?).into(), 32),
            code::I64 => Value::Signed(i64::from_le_bytes(self.array()?).into(), 64),
            code::I128 => Value::Signed(i128::from_le_bytes(self.array()?), 128),
            code::U8 => Value::Unsigned(u8::from_le_bytes(self.array()?).into(), 8),
            code::U16 => Value::Unsigned(u16::from_le_bytes(self.array()?).into(), 16),
            code::U32 => Value::Unsigned(u32::from_le_bytes(self.array()?).into(), 32),
            code::U64 => Value::Unsigned(u64::from_le_bytes(self.array()?).into(), 64),
            code::U128 => Value::Unsigned(u128::from_le_bytes(self.array()?), 128),
            code::F32 => Value::F32(f32::from_le_bytes(self.array()?)),
            code::F64 => Value::F64(f64::from_le_bytes(self.array()?)),
            code::TEXT => {
                let (text, original) = self.content()?;
                Value::Text(text, original)
            }
            code::BYTES => {
                let (bytes, original) = self.content()?;
                Value::Bytes(bytes, original)
            }
            code::FORMATTED => {
                let kept = u32::from_le_bytes(self.array()?);
                let whole = u32::from_le_bytes(self.array()?);
                let text = self.take(kept)?;
                Value::Formatted(text, (whole > kept).then_some(whole))
            }
            code::DURATION => {
                let seconds = u64::from_le_bytes(self.array()?);
                let nanoseconds = u32::from_le_bytes(self.array()?);
                if nanoseconds >= 1_000_000_000 {
                    return Err(ValueError::Invalid { code });
                }
                Value::Duration(Duration::new(seconds, nanoseconds))
            }
            code::IPV4 => Value::Ip(Ipv4Addr::from(self.array::<4>()?).into()),
            code::IPV6 => Value::Ip(Ipv6Addr::from(self.array::<16>()?).into()),
            code::IP => {
                let [version] = self.array()?;
                let bytes = self.array::<16>()?;
                let [a, b, c, d, ..] = bytes;
                match version {
                    4 => Value::Ip(Ipv4Addr::from([a, b, c, d]).into()),
                    6 => Value::Ip(Ipv6Addr::from(bytes).into()),
                    _ => return Err(ValueError::Invalid { code }),
                }
            }
            code::THREAD => Value::Thread(u64::from_le_bytes(self.array()?)),
            code::OPTION => match self.array()? {
                [0] => {
                    self.deeper(Self::skip_type)?;
                    Value::None
                }
                [1] => Value::Some(self.composite(b"Some", VariantKind::Tuple, 1)?),
                _ => return Err(ValueError::Invalid { code }),
            },
            code::STRUCT => Value::Composite(self.shaped()?),
            code::ENUM => self.variant()?,
            unknown => return Err(ValueError::UnknownCode(unknown)),
        })
    }

    fn variant(&mut self) -> Result<Value<'a>, ValueError> {
        let count = self.signature_u16()?;
        let chosen = u16::from_le_bytes(self.array()?);
        let mut value = None;
        for number in 0..count {
            if number == chosen {
                value = Some(Value::Composite(self.shaped()?));
            } else {
                self.deeper(Self::skip_shape)?;
            }
        }
        value.ok_or(ValueError::Invalid { code: code::ENUM })
    }

    /// The value of the struct or variant whose shape is next.
    fn shaped(&mut self) -> Result<Composite<'a>, ValueError> {
        let name = self.name()?;
        let (kind, count) = self.kind()?;
        self.composite(name, kind, count)
    }

    /// A value with `count` fields, all of which are there.
    fn composite(
        &mut self,
        name: &'a [u8],
        kind: VariantKind,
        count: u32,
    ) -> Result<Composite<'a>, ValueError> {
        let (signature, payload) = (self.signature, self.payload);
        let depth = self.depth + 1;
        self.deeper(|reader| {
            for _ in 0..count {
                if kind == VariantKind::Named {
                    reader.name()?;
                }
                reader.value()?;
            }
            Ok(())
        })?;
        Ok(Composite { name, kind, count, depth, signature, payload })
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        if self.depth == MAX_DEPTH {
            return Err(ValueError::TooDeep);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn skip_type(&mut self) -> Result<(), ValueError> {
        match self.code()? {
            code::OPTION => self.deeper(Self::skip_type),
            code::STRUCT => self.deeper(Self::skip_shape),
            code::ENUM => {
                for _ in 0..self.signature_u16()? {
                    self.deeper(Self::skip_shape)?;
                }
                Ok(())
            }
            code if code::SIMPLE.contains(&code) => Ok(()),
            unknown => Err(ValueError::UnknownCode(unknown)),
        }
    }

    fn skip_shape(&mut self) -> Result<(), ValueError> {
        self.name()?;
        let (kind, count) = self.kind()?;
        for _ in 0..count {
            if kind == VariantKind::Named {
                self.name()?;
            }
            self.skip_type()?;
        }
        Ok(())
    }

    fn kind(&mut self) -> Result<(VariantKind, u32), ValueError> {
        let (kind, count) = (self.code()?, self.code()?);
        Ok((VariantKind::from_byte(kind).ok_or(ValueError::Signature)?, count.into()))
    }

    fn code(&mut self) -> Result<u8, ValueError> {
        let (code, rest) = self.signature.split_first().ok_or(ValueError::Signature)?;
        self.signature = rest;
        Ok(*code)
    }

    fn signature_u16(&mut self) -> Result<u16, ValueError> {
        Ok(u16::from_le_bytes([self.code()?, self.code()?]))
    }

    fn name(&mut self) -> Result<&'a [u8], ValueError> {
        let length = self.code()?.into();
        let (name, rest) = self.signature.split_at_checked(length).ok_or(ValueError::Signature)?;
        self.signature = rest;
        Ok(name)
    }

    fn content(&mut self) -> Result<(&'a [u8], Option<u32>), ValueError> {
        let length = u32::from_le_bytes(self.array()?);
        if length & WAS_CUT == 0 {
            return Ok((self.take(length)?, None));
        }
        let original = u32::from_le_bytes(self.array()?);
        Ok((self.take(length & !WAS_CUT)?, Some(original)))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let (bytes, rest) = self.payload.split_first_chunk().ok_or(ValueError::Payload)?;
        self.payload = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8], ValueError> {
        let (bytes, rest) =
            self.payload.split_at_checked(length as usize).ok_or(ValueError::Payload)?;
        self.payload = rest;
        Ok(bytes)
    }
}
