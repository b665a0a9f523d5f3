//! A record as a line of JSON.

use jiff::Timestamp;
use millpond::Record;
use millpond::core::capture::{Value, VariantKind};
use millpond::core::frame::Flags;
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// Appends the object of `record` and the end of the line.
pub(super) fn write(record: &Record<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, &Line::of(record))?;
    out.push(b'\n');
    Ok(())
}

fn is_false(is: &bool) -> bool {
    !is
}

#[derive(serde::Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    name: &'a str,
    process: u32,
    thread: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    thread_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    message: &'a str,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    fields: Fields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    late: bool,
    #[serde(skip_serializing_if = "is_false")]
    repeated: bool,
}

impl<'a> Line<'a> {
    fn of(record: &Record<'a>) -> Self {
        let (source, site) = (record.source(), record.call_site());
        // An i64 of nanoseconds is always within the years of a timestamp.
        let time = Timestamp::from_nanosecond(record.timestamp_ns().into()).unwrap_or_default();
        Self {
            time: format!("{time:.9}"),
            level: record.level().name(),
            name: &source.name,
            process: source.process,
            thread: source.thread,
            thread_name: &source.thread_name,
            target: site.map(|site| site.target()),
            file: site.map(|site| site.file()),
            line: site.map(|site| site.line()),
            message: record.message(),
            fields: Fields(record.fields().collect()),
            template: site.map(|site| site.template()),
            bytes: record.bytes().map(|bytes| bytes.escape_ascii().to_string()),
            original_length: record.original_length(),
            suppressed: record.suppressed(),
            late: record.flags().contains(Flags::LATE),
            repeated: record.flags().contains(Flags::REPEATED),
        }
    }
}

/// Named arguments, in the order of the call.
struct Fields<'a>(Vec<(&'a str, Value<'a>)>);

impl Fields<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Argument(*value))))
    }
}

/// An argument. What JSON readers keep whole is a number: integers of up to 64 bits, floats that
/// are finite. All else is text.
struct Argument<'a>(Value<'a>);

impl Serialize for Argument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::Char(value) => serializer.serialize_char(value),
            Value::Signed(value, ..=64) => serializer.serialize_i64(value as i64),
            Value::Signed(value, _) => serializer.collect_str(&value),
            Value::Unsigned(value, ..=64) => serializer.serialize_u64(value as u64),
            Value::Unsigned(value, _) => serializer.collect_str(&value),
            Value::F32(value) if value.is_finite() => serializer.serialize_f32(value),
            Value::F32(value) => serializer.collect_str(&value),
            Value::F64(value) if value.is_finite() => serializer.serialize_f64(value),
            Value::F64(value) => serializer.collect_str(&value),
            Value::Text(text, _) | Value::Formatted(text, _) => {
                serializer.serialize_str(&String::from_utf8_lossy(text))
            }
            Value::Bytes(bytes, _) => serializer.collect_str(&bytes.escape_ascii()),
            Value::Duration(value) => serializer.collect_str(&format_args!("{value:?}")),
            Value::Ip(value) => serializer.collect_str(&value),
            Value::Thread(value) => serializer.serialize_u64(value),
            Value::None => serializer.serialize_none(),
            Value::Some(content) => match content.fields().next() {
                Some((_, value)) => Argument(value).serialize(serializer),
                None => serializer.serialize_none(),
            },
            Value::Composite(value) => {
                let name = String::from_utf8_lossy(value.name);
                if value.kind == VariantKind::Unit {
                    return serializer.serialize_str(&name);
                }
                let mut outer = serializer.serialize_map(Some(1))?;
                outer.serialize_entry(&name, &Content(value))?;
                outer.end()
            }
            other => serializer.collect_str(&format_args!("{other:?}")),
        }
    }
}

/// What is in a user's type.
struct Content<'a>(millpond::core::capture::Composite<'a>);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.kind == VariantKind::Named {
            let mut map = serializer.serialize_map(None)?;
            for (name, value) in self.0.fields() {
                map.serialize_entry(&String::from_utf8_lossy(name), &Argument(value))?;
            }
            return map.end();
        }
        let mut list = serializer.serialize_seq(None)?;
        for (_, value) in self.0.fields() {
            list.serialize_element(&Argument(value))?;
        }
        list.end()
    }
}
