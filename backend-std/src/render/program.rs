//! What has to be done for each record of a call site.

use millpond_core::capture::code;

use super::arguments::Arguments;
use super::literal::Literal;
use super::spec::{Format, Spec, Style};
use super::template::{self, Part};

/// Bytes that a number takes, as a first guess.
const NUMBER: usize = 24;

/// A template and a signature, taken apart.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) arguments: Arguments,
    pub(super) steps: Box<[Step]>,
    pub(super) end: Literal,
    /// Whether the first step needs the first argument, the second one the second, and so on.
    pub(super) is_in_order: bool,
    /// Whether all is plain, and nothing but texts among the arguments can do harm to a line.
    pub(super) is_simple: bool,
    /// Bytes beside the payload that a message takes, as a first guess.
    pub(super) room: usize,
}

/// A text and the argument behind it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) before: Literal,
    pub(super) argument: u32,
    pub(super) plain: Plain,
    pub(super) spec: Spec,
}

/// The arguments that need no [`Value`](millpond_core::capture::Value): those of common types that
/// are shown as `{}`, or as something that comes to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Text,
    /// Any other.
    No,
}

impl Program {
    pub(super) fn new(template: &str, signature: &[u8], names: &[Box<str>]) -> Program {
        let arguments = Arguments::new(signature);
        let mut builder = Builder::new(&arguments);
        for part in template::parse(template) {
            match part {
                Part::Text(text) => builder.text.push_str(&text),
                Part::Placeholder { argument, spec } => builder.placeholder(argument, spec),
            }
        }
        // Which are the last arguments is known only if all are.
        if arguments.broken.is_none() {
            builder.unused(names);
        }
        let Builder { text, steps, .. } = builder;
        let end = Literal::new(&text);
        let is_in_order = steps.iter().enumerate().all(|(at, step)| step.has_only(at));
        let literals = steps.iter().map(|step| step.before.len()).sum::<usize>() + end.len();
        let all_are_plain = steps.iter().all(|step| step.plain != Plain::No);
        let are_harmless = steps.iter().all(|step| step.before.is_harmless()) && end.is_harmless();
        Program {
            is_in_order,
            is_simple: is_in_order && all_are_plain && are_harmless && arguments.broken.is_none(),
            room: literals + steps.len() * NUMBER + Literal::SLACK,
            arguments,
            steps: steps.into(),
            end,
        }
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.arguments.signature()
    }
}

impl Step {
    /// Whether it needs this argument and no other.
    fn has_only(&self, argument: usize) -> bool {
        self.argument as usize == argument && self.spec.is_fixed()
    }
}

struct Builder<'a> {
    arguments: &'a Arguments,
    is_used: Vec<bool>,
    text: String,
    steps: Vec<Step>,
}

impl<'a> Builder<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let is_used = vec![false; arguments.count()];
        Builder { arguments, is_used, text: String::new(), steps: Vec::new() }
    }

    fn placeholder(&mut self, argument: u32, mut spec: Spec) {
        if argument as usize >= self.arguments.count() {
            return self.text.push_str(&format!("{{{argument}}}"));
        }
        // A width without its argument is none.
        for from in [&mut spec.width_from, &mut spec.precision_from] {
            *from = from.filter(|from| (*from as usize) < self.arguments.count());
        }
        for used in [Some(argument), spec.width_from, spec.precision_from].into_iter().flatten() {
            self.is_used[used as usize] = true;
        }
        self.step(argument, spec);
    }

    /// Appends the named arguments that no placeholder uses.
    fn unused(&mut self, names: &[Box<str>]) {
        let first = self.arguments.count().saturating_sub(names.len());
        for (argument, name) in (first..self.arguments.count()).zip(names) {
            if !self.is_used[argument] {
                self.text.push_str(&format!(" {name}="));
                let is_text = self.arguments.code(argument) == Some(code::TEXT);
                let style = if is_text { Style::Debug } else { Style::Display };
                self.step(argument as u32, Spec::plain(style));
            }
        }
    }

    fn step(&mut self, argument: u32, spec: Spec) {
        let before = Literal::new(&std::mem::take(&mut self.text));
        let plain = plain(self.arguments.code(argument as usize), &spec);
        self.steps.push(Step { before, argument, plain, spec });
    }
}

fn plain(code: Option<u8>, spec: &Spec) -> Plain {
    // `#` makes no difference to what is one word and shown as decimal.
    let format = Format { alternate: false, ..spec.format };
    let is_display = format.style == Style::Display;
    if !spec.is_fixed() || !format.is_plain() || !(is_display || format.style == Style::Debug) {
        return Plain::No;
    }
    match code {
        Some(code::I8) => Plain::I8,
        Some(code::I16) => Plain::I16,
        Some(code::I32) => Plain::I32,
        Some(code::I64) => Plain::I64,
        Some(code::U8) => Plain::U8,
        Some(code::U16) => Plain::U16,
        Some(code::U32) => Plain::U32,
        Some(code::U64) => Plain::U64,
        Some(code::F32) if is_display => Plain::F32,
        Some(code::F64) if is_display => Plain::F64,
        Some(code::TEXT) if is_display => Plain::Text,
        _ => Plain::No,
    }
}
