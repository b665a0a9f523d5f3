//! A call site as the collector keeps it.

use millpond_core::Level;
use millpond_core::callsite::CallSite;

use super::out::Window;
use super::program::Program;

/// A call site: where it is, what it says, and how its records become text.
///
/// Made once when the definition arrives. What a foreign program wrote need not be what it promised
/// to be: text that is not UTF-8 has replacement characters in its place, and a template that makes
/// no sense is shown as it stands.
///
/// ```
/// use millpond_core::Level;
/// use millpond_core::callsite::CallSite;
/// use millpond_std::render::Definition;
///
/// let definition = Definition::new(&CallSite {
///     number: 1,
///     level: Level::Info,
///     line: 7,
///     target: b"shop::orders",
///     file: b"src/orders.rs",
///     template: b"order {0} filled",
///     signature: b"Id",
///     fields: b"price\0",
/// });
/// let mut out = Vec::new();
/// definition.write_message(&[42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], &mut out);
/// assert_eq!(out, b"order 42 filled price=1.5");
/// ```
#[derive(Debug)]
pub struct Definition {
    number: u32,
    level: Level,
    line: u32,
    target: Box<str>,
    file: Box<str>,
    template: Box<str>,
    fields: Box<[Box<str>]>,
    pub(super) program: Program,
}

impl Definition {
    /// The definition that `site` is the encoding of.
    pub fn new(site: &CallSite<'_>) -> Definition {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
        let template = text(site.template);
        let fields: Box<[_]> = site.field_names().map(text).collect();
        Definition {
            number: site.number,
            level: site.level,
            line: site.line,
            target: text(site.target),
            file: text(site.file),
            program: Program::new(&template, site.signature, &fields),
            template,
            fields,
        }
    }

    /// Its number in the process that wrote it.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The level of its records.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The line in the source file.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The module path, or what the caller said instead.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The source file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The message with its placeholders.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The names of the named arguments, which are the last ones, in order.
    pub fn field_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fields.iter().map(|name| &**name)
    }

    /// The types of the arguments.
    pub fn signature(&self) -> &[u8] {
        self.program.signature()
    }

    /// Appends the message that `payload`, the arguments of one call, makes of the template: what
    /// `format!` would have made of them. Does not allocate as long as `out` has room.
    ///
    /// Named arguments that the template does not use are appended as ` name=value`. Behind a value
    /// that was cut stands ` [truncated, N bytes]` with the length that it had. In the place of an
    /// argument that cannot be decoded stands its number in braces, and at the end the reason and
    /// the bytes: ` [cannot be decoded: REASON; raw 01 02]`.
    ///
    /// If the texts among the arguments are UTF-8, so is the message. Control characters are as
    /// they were logged: [`LineFormat`](crate::LineFormat) escapes them.
    pub fn write_message(&self, payload: &[u8], out: &mut Vec<u8>) {
        self.program.run(payload, out);
    }

    /// Appends the message of [`Definition::write_message`] if it is a simple one that a line
    /// format has nothing to escape of; false if it is not, and then what was appended is good for
    /// nothing.
    #[inline]
    pub(crate) fn write_simple(&self, payload: &[u8], out: &mut Window) -> bool {
        self.program.run_simply(payload, out)
    }
}
