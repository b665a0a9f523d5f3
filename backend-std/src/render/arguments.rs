//! Where the arguments of a call site are in a payload.

use std::ops::Range;

use millpond_core::capture::{Types, Value, ValueError, Values, code};

/// The arguments of a call site, by its signature.
#[derive(Debug)]
pub(super) struct Arguments {
    signature: Box<[u8]>,
    types: Box<[Type]>,
    /// What is wrong with the signature behind the last type.
    pub(super) broken: Option<ValueError>,
}

/// The type of one argument.
#[derive(Clone, Debug)]
struct Type {
    signature: Range<usize>,
    /// Where each payload has it, if all before it have fixed lengths.
    offset: Option<usize>,
}

impl Arguments {
    pub(super) fn new(signature: &[u8]) -> Arguments {
        let mut all = Vec::new();
        let mut types = Types::new(signature);
        let (mut at, mut offset) = (0, Some(0));
        let broken = loop {
            match types.next() {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(this)) => {
                    all.push(Type { signature: at..at + this.len(), offset });
                    at += this.len();
                    offset = offset.zip(fixed_length(this)).map(|(offset, length)| offset + length);
                }
            }
        };
        Arguments { signature: signature.into(), types: all.into(), broken }
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(super) fn count(&self) -> usize {
        self.types.len()
    }

    /// The type, as a code if it is one code.
    pub(super) fn code(&self, argument: usize) -> Option<u8> {
        match self.types.get(argument).map(|found| &self.signature[found.signature.clone()]) {
            Some(&[code]) => Some(code),
            _ => None,
        }
    }

    /// Where each payload has the argument, if that is known.
    pub(super) fn offset(&self, argument: usize) -> Option<usize> {
        self.types.get(argument)?.offset
    }

    /// What it takes to read an argument, whatever comes of it: the bytes of its signature.
    pub(super) fn weight(&self, argument: usize) -> usize {
        self.types.get(argument).map_or(1, |found| found.signature.len())
    }

    /// The value of an argument at the head of `payload`, and what follows it.
    pub(super) fn read<'a>(
        &'a self,
        argument: usize,
        payload: &'a [u8],
    ) -> Result<(Value<'a>, &'a [u8]), ValueError> {
        let found = self.types.get(argument).ok_or(ValueError::Signature)?;
        let mut values = Values::new(&self.signature[found.signature.clone()], payload);
        let value = values.next().ok_or(ValueError::Signature)??;
        Ok((value, values.rest().1))
    }
}

/// The length of an argument if it has one and any bytes are a value.
fn fixed_length(signature: &[u8]) -> Option<usize> {
    Some(match *signature {
        [code::I8 | code::U8] => 1,
        [code::I16 | code::U16] => 2,
        [code::I32 | code::U32 | code::F32 | code::IPV4] => 4,
        [code::I64 | code::U64 | code::F64 | code::THREAD] => 8,
        [code::I128 | code::U128 | code::IPV6] => 16,
        _ => return None,
    })
}

/// Where the arguments of one payload are, found in one pass. Few fit without an allocation.
#[derive(Debug)]
pub(super) struct Positions<'a> {
    arguments: &'a Arguments,
    payload: &'a [u8],
    few: [u32; FEW],
    many: Vec<u32>,
    known: usize,
    error: Option<ValueError>,
}

const FEW: usize = 32;

impl<'a> Positions<'a> {
    pub(super) fn new(arguments: &'a Arguments, payload: &'a [u8]) -> Positions<'a> {
        let many =
            if arguments.count() < FEW { Vec::new() } else { vec![0; arguments.count() + 1] };
        Positions { arguments, payload, few: [0; FEW], many, known: 0, error: None }
    }

    /// The payload from an argument on, or why none is there and where it would be.
    pub(super) fn find(&mut self, argument: usize) -> Result<&'a [u8], (ValueError, &'a [u8])> {
        let offset = self.arguments.offset(argument);
        if let Some(found) = offset.and_then(|offset| self.payload.get(offset..)) {
            return Ok(found);
        }
        while self.known < argument && self.error.is_none() {
            let known = self.known;
            let from = self.places()[known] as usize;
            match self.arguments.read(known, &self.payload[from..]) {
                Ok((_, rest)) => {
                    let to = self.payload.len() - rest.len();
                    self.places()[known + 1] = to as u32;
                    self.known += 1;
                }
                Err(error) => self.error = Some(error),
            }
        }
        let at = self.known.min(argument);
        let found = &self.payload[self.places()[at] as usize..];
        match self.error {
            Some(error) if argument > self.known => Err((error, found)),
            _ => Ok(found),
        }
    }

    fn places(&mut self) -> &mut [u32] {
        if self.many.is_empty() { &mut self.few } else { &mut self.many }
    }
}
