//! Making one message.

use std::io::Write as _;

use millpond_core::capture::{Value, ValueError};

use super::arguments::Positions;
use super::out::{Out, Window};
use super::program::{Plain, Program, Step};
use super::spec::{Format, Spec};
use super::value::write_value;
use super::{float, number};
use crate::format::may_stay;

/// The longest message, beside what its arguments may make of it: a small record cannot become
/// gigabytes by great widths or by placeholders that repeat one argument.
const MOST: usize = 1 << 20;
/// Bytes of a message for each byte of its arguments; `\u{10ffff}` has ten for four.
const MOST_EACH: usize = 16;

/// Bytes of signatures that are walked for one message: a type may be long and its values short, and
/// a hostile template may show one again and again.
const MOST_WALKED: usize = 1 << 20;

/// Bytes that are shown of what cannot be decoded.
const RAW: usize = 64;

/// Why an argument is not there, and the bytes where it should be.
type Missing<'a> = (ValueError, &'a [u8]);

impl Program {
    pub(super) fn run(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.room + payload.len());
        let most = out.len() + MOST + payload.len().saturating_mul(MOST_EACH);
        if !self.is_in_order {
            return self.run_by_position(payload, most, out);
        }
        // Each step begins where the one before it ended.
        let mut rest = payload;
        let mut walked = 0;
        for step in &self.steps {
            step.before.append(out);
            match self.show(step, rest, most, out) {
                Ok(behind) => rest = behind,
                // The steps are in order, so the number of the argument is that of the step.
                Err(error) => {
                    return self.finish_without(step.argument as usize, (error, rest), out);
                }
            }
            if step.plain == Plain::No {
                walked += self.arguments.weight(step.argument as usize);
                if out.len() > most || walked > MOST_WALKED {
                    return stop(out);
                }
            }
        }
        self.end.append(out);
        if self.arguments.broken.is_some() {
            self.write_broken(payload, out);
        }
    }

    /// Appends a message of which it is known that it does no harm to a line. False if that is not
    /// known or something is missing; then what was appended is good for nothing.
    #[inline]
    pub(super) fn run_simply(&self, payload: &[u8], out: &mut Window) -> bool {
        if !self.is_simple {
            return false;
        }
        let mut rest = payload;
        for step in &self.steps {
            step.before.append(out);
            let behind = match step.plain {
                Plain::Text => {
                    whole_text(rest).filter(|(text, _)| may_stay(text)).map(|(text, behind)| {
                        out.text(text);
                        behind
                    })
                }
                number => show_number(number, rest, out),
            };
            match behind {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        self.end.append(out);
        true
    }

    /// Appends the argument of `step`, which is at the head of `payload`, and returns what follows
    /// it.
    #[inline(always)]
    fn show<'a>(
        &'a self,
        step: &Step,
        payload: &'a [u8],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<&'a [u8], ValueError> {
        match step.plain {
            Plain::Text => match whole_text(payload) {
                Some((text, rest)) => {
                    out.extend_from_slice(text);
                    Ok(rest)
                }
                None => self.show_value(step, &step.spec.format, payload, most, out),
            },
            Plain::No => self.show_value(step, &step.spec.format, payload, most, out),
            number => show_number(number, payload, out).ok_or(ValueError::Payload),
        }
    }

    fn show_value<'a>(
        &'a self,
        step: &Step,
        format: &Format,
        payload: &'a [u8],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<&'a [u8], ValueError> {
        let (value, rest) = self.arguments.read(step.argument as usize, payload)?;
        write_value(&value, &Format { most, ..*format }, out);
        Ok(rest)
    }

    /// Steps in any order, with widths and precisions that are arguments.
    fn run_by_position(&self, payload: &[u8], most: usize, out: &mut Vec<u8>) {
        let mut positions = Positions::new(&self.arguments, payload);
        let mut missing = None;
        let mut walked = 0;
        for step in &self.steps {
            step.before.append(out);
            let shown = positions.find(step.argument as usize).and_then(|at| {
                let shown = if step.spec.is_fixed() {
                    self.show(step, at, most, out)
                } else {
                    let format = self.resolve(&step.spec, &mut positions);
                    self.show_value(step, &format, at, most, out)
                };
                shown.map_err(|error| (error, at))
            });
            if let Err(error) = shown {
                write_number(step.argument, out);
                missing.get_or_insert(error);
            }
            walked += self.arguments.weight(step.argument as usize);
            if out.len() > most || walked > MOST_WALKED {
                return stop(out);
            }
        }
        self.end.append(out);
        match missing {
            Some(missing) => write_missing(missing, out),
            None if self.arguments.broken.is_some() => self.write_broken(payload, out),
            None => {}
        }
    }

    /// The format with the width and the precision that the arguments say.
    fn resolve<'a>(&'a self, spec: &Spec, positions: &mut Positions<'a>) -> Format {
        let mut number = |argument: u32| {
            let at = positions.find(argument as usize).ok()?;
            match self.arguments.read(argument as usize, at).ok()?.0 {
                Value::Unsigned(number, _) => Some(u16::try_from(number).unwrap_or(u16::MAX)),
                _ => None,
            }
        };
        let mut format = spec.format;
        if let Some(from) = spec.width_from {
            format.width = number(from).unwrap_or(0);
        }
        if let Some(from) = spec.precision_from {
            format.precision = number(from);
        }
        format
    }

    /// The rest of a message from the `first` step on, whose argument is missing as are all behind
    /// it.
    #[cold]
    fn finish_without(&self, first: usize, missing: Missing<'_>, out: &mut Vec<u8>) {
        for (at, step) in self.steps.iter().enumerate().skip(first) {
            if at > first {
                step.before.append(out);
            }
            write_number(step.argument, out);
        }
        self.end.append(out);
        write_missing(missing, out);
    }

    /// Says what is wrong with the signature, and what the payload has from there on.
    #[cold]
    fn write_broken(&self, payload: &[u8], out: &mut Vec<u8>) {
        let Some(error) = self.arguments.broken else { return };
        match Positions::new(&self.arguments, payload).find(self.arguments.count()) {
            Ok(rest) => write_missing((error, rest), out),
            Err(missing) => write_missing(missing, out),
        }
    }
}

/// Appends the number at the head of `payload`, if it is there, and returns what follows it.
#[inline(always)]
fn show_number<'a>(plain: Plain, payload: &'a [u8], out: &mut impl Out) -> Option<&'a [u8]> {
    macro_rules! number {
        ($type:ty) => {{
            let (bytes, rest) = payload.split_first_chunk()?;
            (<$type>::from_le_bytes(*bytes), rest)
        }};
    }
    macro_rules! signed {
        ($type:ty) => {{
            let (number, rest) = number!($type);
            (number < 0, number.unsigned_abs().into(), rest)
        }};
    }
    macro_rules! unsigned {
        ($type:ty) => {{
            let (number, rest) = number!($type);
            (false, number.into(), rest)
        }};
    }
    let (is_negative, magnitude, rest): (bool, u64, _) = match plain {
        Plain::I8 => signed!(i8),
        Plain::I16 => signed!(i16),
        Plain::I32 => signed!(i32),
        Plain::I64 => signed!(i64),
        Plain::U8 => unsigned!(u8),
        Plain::U16 => unsigned!(u16),
        Plain::U32 => unsigned!(u32),
        Plain::U64 => unsigned!(u64),
        Plain::F32 => {
            let (number, rest) = number!(f32);
            float::write_plain_f32(number, out);
            return Some(rest);
        }
        Plain::F64 => {
            let (number, rest) = number!(f64);
            float::write_plain(number, out);
            return Some(rest);
        }
        Plain::Text | Plain::No => return None,
    };
    if is_negative {
        out.block([b'-'], 1);
    }
    number::write_plain(magnitude, out);
    Some(rest)
}

/// The text at the head of `payload`, if it was not cut, and what follows it.
#[inline]
fn whole_text(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = payload.split_first_chunk()?;
    // The length of one that was cut has its highest bit set, and so much is never there.
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// An argument that is not there.
fn write_number(argument: u32, out: &mut Vec<u8>) {
    out.push(b'{');
    number::write_plain(argument.into(), out);
    out.push(b'}');
}

#[cold]
fn write_missing((error, rest): Missing<'_>, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, " [cannot be decoded: {error}");
    if !rest.is_empty() {
        out.extend_from_slice(b"; raw");
    }
    for byte in rest.iter().take(RAW) {
        let _ = write!(out, " {byte:02x}");
    }
    out.extend_from_slice(if rest.len() > RAW { b" ...]" } else { b"]" });
}

#[cold]
fn stop(out: &mut Vec<u8>) {
    out.extend_from_slice(b" [the rest of the message is too long]");
}
