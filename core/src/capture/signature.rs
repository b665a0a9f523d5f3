//! The types of a call site's arguments, spelled out.

use super::code;

/// Bytes of the longest signature.
const MOST: usize = 1024;

/// The types of a list of arguments, each as a [code](super::code); the types that users made with
/// their names and the names of their fields.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    bytes: heapless::Vec<u8, MOST>,
    is_too_long: bool,
}

/// What the fields of a struct or variant look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VariantKind {
    /// It has none: `Stop`.
    Unit = 0,
    /// They have no names: `Move(1, 2)`.
    Tuple = 1,
    /// They have names: `Move { x: 1, y: 2 }`.
    Named = 2,
}

impl VariantKind {
    pub(super) const fn from_byte(byte: u8) -> Option<VariantKind> {
        match byte {
            0 => Some(VariantKind::Unit),
            1 => Some(VariantKind::Tuple),
            2 => Some(VariantKind::Named),
            _ => None,
        }
    }
}

impl Signature {
    /// No arguments.
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new(), is_too_long: false }
    }

    /// Appends a code.
    pub fn code(&mut self, code: u8) {
        self.extend(&[code]);
    }

    /// Begins a struct; its shape follows.
    pub fn begin_struct(&mut self) {
        self.code(code::STRUCT);
    }

    /// Begins an enum of so many variants; their shapes follow.
    pub fn begin_enum(&mut self, variants: u16) {
        self.code(code::ENUM);
        self.extend(&variants.to_le_bytes());
    }

    /// Begins a shape: a name, and fields that follow, with a [`Signature::name`] before each type
    /// if they have names.
    pub fn begin_shape(&mut self, name: &str, kind: VariantKind, fields: u8) {
        self.name(name);
        self.extend(&[kind as u8, fields]);
    }

    /// Appends a name, cut to 255 bytes.
    pub fn name(&mut self, name: &str) {
        let name = &name.as_bytes()[..super::char_boundary(name.as_bytes(), 255)];
        self.extend(&[name.len() as u8]);
        self.extend(name);
    }

    /// The signature, or `None` if it has more than 1024 bytes: such records travel as text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        (!self.is_too_long).then_some(&self.bytes)
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.bytes.extend_from_slice(bytes).is_err();
    }
}
