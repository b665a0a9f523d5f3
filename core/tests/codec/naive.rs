//! The obvious decoder: a cursor over a vector, written from `docs/wire-format.md` alone.

use millpond_core::frame::{Flags, Header};

/// What a payload means, owned.
/// Thread, process, stream number and the two names.
pub(crate) type StreamParts = (u64, u32, u32, Vec<u8>, Vec<u8>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    Text {
        text: Vec<u8>,
        bytes: Option<Vec<u8>>,
        original_length: Option<u32>,
        suppressed: Option<u32>,
    },
    Event {
        arguments: Vec<u8>,
        bytes: Option<Vec<u8>>,
        suppressed: Option<u32>,
    },
    CallSite {
        line: u32,
        strings: [Vec<u8>; 5],
    },
    ThreadChange {
        thread: u64,
        name: Vec<u8>,
    },
    Heartbeat {
        next: u64,
        uptime: u64,
    },
    Shutdown,
    ClockAnchor(u64),
    Gap([u64; 5]),
    Stream(Option<StreamParts>),
    Section,
    Envelope {
        version: (u16, u16),
        features: (u32, u32),
        count: u32,
        crc: u32,
        frames: Vec<u8>,
    },
}

/// A frame, owned: `Err` if its payload is broken, `Ok(None)` if its kind is unknown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) meaning: Result<Option<Meaning>, ()>,
}

/// Takes bytes off the front of a vector.
struct Cursor(Vec<u8>);

impl Cursor {
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, ()> {
        if self.0.len() < length {
            return Err(());
        }
        let rest = self.0.split_off(length);
        Ok(std::mem::replace(&mut self.0, rest))
    }

    fn number(&mut self, length: usize) -> Result<u64, ()> {
        let mut number = 0;
        for (place, byte) in self.bytes(length)?.into_iter().enumerate() {
            number += u64::from(byte) * 256u64.pow(place as u32);
        }
        Ok(number)
    }

    fn word(&mut self) -> Result<u32, ()> {
        Ok(self.number(4)? as u32)
    }

    fn word_if(&mut self, set: bool) -> Result<Option<u32>, ()> {
        if set { Ok(Some(self.word()?)) } else { Ok(None) }
    }
}

/// The word at an offset.
pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    Cursor(bytes[at..].to_vec()).word().unwrap()
}

pub(crate) fn header(bytes: &[u8]) -> Header {
    let mut bytes = Cursor(bytes.to_vec());
    Header {
        length: bytes.word().unwrap(),
        kind: bytes.number(1).unwrap() as u8,
        level: bytes.number(1).unwrap() as u8,
        flags: Flags::from_bits(bytes.number(2).unwrap() as u16),
        ticks: bytes.number(8).unwrap(),
        sequence: bytes.word().unwrap(),
        site: bytes.word().unwrap(),
    }
}

fn meaning(header: &Header, payload: &[u8]) -> Result<Option<Meaning>, ()> {
    let mut payload = Cursor(payload.to_vec());
    Ok(Some(match header.kind {
        kind @ (2 | 3) => {
            let bits = header.flags.bits();
            let original_length = payload.word_if(bits % 2 == 1)?;
            let text_length = payload.word_if(bits / 16 % 2 == 1)?;
            let suppressed = payload.word_if(bits / 32 % 2 == 1)?;
            let (text, bytes) = match text_length {
                Some(length) => (payload.bytes(length as usize)?, Some(payload.0)),
                None => (payload.0, None),
            };
            match kind {
                2 => Meaning::Text { text, bytes, original_length, suppressed },
                _ => Meaning::Event { arguments: text, bytes, suppressed },
            }
        }
        4 => {
            let line = payload.word()?;
            let mut lengths = [0; 5];
            for length in &mut lengths {
                *length = payload.number(2)? as usize;
            }
            payload.bytes(2)?;
            let mut strings: [Vec<u8>; 5] = Default::default();
            for (string, length) in strings.iter_mut().zip(lengths) {
                *string = payload.bytes(length)?;
            }
            Meaning::CallSite { line, strings }
        }
        5 => Meaning::ThreadChange { thread: payload.number(8)?, name: payload.0 },
        6 => Meaning::Heartbeat { next: payload.number(8)?, uptime: payload.number(8)? },
        7 => Meaning::Shutdown,
        8 => Meaning::ClockAnchor(payload.number(8)?),
        9 => {
            let mut lost = [0; 5];
            for level in &mut lost {
                *level = payload.number(8)?;
            }
            Meaning::Gap(lost)
        }
        10 => {
            payload.word()?;
            Meaning::Envelope {
                version: (payload.number(2)? as u16, payload.number(2)? as u16),
                features: (payload.word()?, payload.word()?),
                count: payload.word()?,
                crc: payload.word()?,
                frames: payload.0,
            }
        }
        11 if payload.0.is_empty() => Meaning::Stream(None),
        11 => {
            let (thread, process, sites) = (payload.number(8)?, payload.word()?, payload.word()?);
            let (name, thread_name) = (payload.number(2)? as usize, payload.number(2)? as usize);
            payload.word()?;
            let (name, thread_name) = (payload.bytes(name)?, payload.bytes(thread_name)?);
            Meaning::Stream(Some((thread, process, sites, name, thread_name)))
        }
        12 => Meaning::Section,
        _ => return Ok(None),
    }))
}

/// The frames of a run without the padding, and whether the run is whole.
pub(crate) fn frames(run: &[u8]) -> (Vec<Frame>, bool) {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < run.len() {
        if run.len() - at < 8 {
            return (frames, false);
        }
        let length = word(run, at) as usize;
        let is_padding = run[at + 4] == 1;
        let least = if is_padding { 8 } else { 24 };
        if length < least || length > run.len() - at {
            return (frames, false);
        }
        if !is_padding {
            let header = header(&run[at..]);
            let payload = run[at + 24..at + length].to_vec();
            let meaning = meaning(&header, &payload);
            frames.push(Frame { header, payload, meaning });
        }
        at += length.div_ceil(8) * 8;
    }
    (frames, true)
}

/// CRC-32/ISO-HDLC bit by bit, with zero in the place of the checksum.
pub(crate) fn crc_of_envelope(envelope: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for (at, byte) in envelope.iter().enumerate() {
        let byte = if (44..48).contains(&at) { 0 } else { *byte };
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc % 2 == 1 { (crc / 2) ^ 0xedb8_8320 } else { crc / 2 };
        }
    }
    !crc
}
