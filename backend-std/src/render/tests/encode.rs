//! Definitions and payloads without a logger.

use std::fmt;

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::capture::{Argument, Signature, Sink};

use crate::render::Definition;

/// The bytes of arguments.
#[derive(Default)]
pub(super) struct Payload(pub(super) Vec<u8>);

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

pub(super) fn signature<A: Argument>() -> Vec<u8> {
    let mut signature = Signature::new();
    A::describe(&mut signature);
    signature.as_bytes().unwrap().to_vec()
}

pub(super) fn payload<A: Argument>(arguments: A) -> Vec<u8> {
    let mut payload = Payload::default();
    arguments.put(&mut payload);
    payload.0
}

pub(super) fn definition(template: &[u8], signature: &[u8], fields: &[u8]) -> Definition {
    Definition::new(&CallSite {
        number: 3,
        level: Level::Warning,
        line: 9,
        target: b"shop::\xff",
        file: b"src/shop.rs",
        template,
        signature,
        fields,
    })
}

/// The message of some bytes.
pub(super) fn shown(definition: &Definition, payload: &[u8]) -> String {
    let mut out = b"before ".to_vec();
    definition.write_message(payload, &mut out);
    let message = out.strip_prefix(b"before ").unwrap();
    String::from_utf8_lossy(message).into_owned()
}

/// The message of these arguments.
pub(super) fn message<A: Argument>(template: &str, arguments: A) -> String {
    shown(&definition(template.as_bytes(), &signature::<A>(), b""), &payload(arguments))
}

/// As [`message`], with names for the last arguments.
pub(super) fn named<A: Argument>(template: &str, fields: &str, arguments: A) -> String {
    let definition = definition(template.as_bytes(), &signature::<A>(), fields.as_bytes());
    shown(&definition, &payload(arguments))
}
