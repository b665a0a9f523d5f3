//! What stands behind the colon of a placeholder.

/// Which trait of `std::fmt` is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Display,
    Debug,
    DebugLowerHex,
    DebugUpperHex,
    LowerHex,
    UpperHex,
    Octal,
    Binary,
    LowerExp,
    UpperExp,
}

impl Style {
    /// The style of what is inside a value that only `Debug` can show.
    pub(super) fn inside(self) -> Style {
        match self {
            Style::DebugLowerHex | Style::LowerHex => Style::DebugLowerHex,
            Style::DebugUpperHex | Style::UpperHex => Style::DebugUpperHex,
            _ => Style::Debug,
        }
    }

    pub(super) fn is_debug(self) -> bool {
        matches!(self, Style::Debug | Style::DebugLowerHex | Style::DebugUpperHex)
    }
}

/// Where a value stands in its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// How a value is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) style: Style,
    pub(super) fill: char,
    pub(super) align: Option<Align>,
    pub(super) plus: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    /// Zero is as good as none.
    pub(super) width: u16,
    pub(super) precision: Option<u16>,
    /// At which length of the output lists of values stop, so that no few bytes with a great width
    /// for each become gigabytes.
    pub(super) most: usize,
}

impl Format {
    /// As `{}` has it, or `{:?}`.
    pub(super) const fn plain(style: Style) -> Format {
        Format {
            style,
            fill: ' ',
            align: None,
            plus: false,
            alternate: false,
            zero: false,
            width: 0,
            precision: None,
            most: usize::MAX,
        }
    }

    /// Whether nothing but the style is asked for. The fill does nothing without a width.
    pub(super) fn is_plain(&self) -> bool {
        let Format { plus, alternate, zero, width, precision, .. } = *self;
        !plus && !alternate && !zero && width == 0 && precision.is_none()
    }
}

/// A format of which an argument may say the width or the precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) format: Format,
    pub(super) width_from: Option<u32>,
    pub(super) precision_from: Option<u32>,
}

impl Spec {
    pub(super) const fn plain(style: Style) -> Spec {
        Spec { format: Format::plain(style), width_from: None, precision_from: None }
    }

    /// Whether no argument says more about it.
    pub(super) fn is_fixed(&self) -> bool {
        self.width_from.is_none() && self.precision_from.is_none()
    }

    /// The spec at the head of `text` up to the closing brace, and what follows the brace.
    pub(super) fn parse(text: &str) -> Option<(Spec, &str)> {
        // A closing brace before `<` may be a fill or the end: `{0:}<`.
        Self::parse_with(text, true).or_else(|| Self::parse_with(text, false))
    }

    fn parse_with(text: &str, may_fill: bool) -> Option<(Spec, &str)> {
        let mut spec = Spec::plain(Style::Display);
        let format = &mut spec.format;
        let mut cursor = Cursor(text);
        if may_fill && let Some((fill, align)) = cursor.fill_and_align() {
            (format.fill, format.align) = (fill, Some(align));
        } else {
            format.align = cursor.align();
        }
        format.plus = cursor.consume('+');
        let _no_effect = !format.plus && cursor.consume('-');
        format.alternate = cursor.consume('#');
        // `0$` is a width, not a flag and a dollar sign.
        format.zero = !cursor.0.starts_with("0$") && cursor.consume('0');
        match cursor.count()? {
            Count::Implied => {}
            Count::Is(width) => format.width = width,
            Count::Argument(argument) => spec.width_from = Some(argument),
        }
        if cursor.consume('.') {
            match cursor.count()? {
                Count::Implied => {}
                Count::Is(precision) => format.precision = Some(precision),
                Count::Argument(argument) => spec.precision_from = Some(argument),
            }
        }
        let (name, rest) = cursor.0.split_once('}')?;
        format.style = style(name)?;
        Some((spec, rest))
    }
}

fn style(name: &str) -> Option<Style> {
    Some(match name {
        "" => Style::Display,
        "?" => Style::Debug,
        "x?" => Style::DebugLowerHex,
        "X?" => Style::DebugUpperHex,
        "x" => Style::LowerHex,
        "X" => Style::UpperHex,
        "o" => Style::Octal,
        "b" => Style::Binary,
        "e" => Style::LowerExp,
        "E" => Style::UpperExp,
        _ => return None,
    })
}

fn align(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '^' => Some(Align::Center),
        '>' => Some(Align::Right),
        _ => None,
    }
}

/// A width or a precision.
enum Count {
    Implied,
    Is(u16),
    Argument(u32),
}

/// What was not read yet.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn consume(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn fill_and_align(&mut self) -> Option<(char, Align)> {
        let mut ahead = self.0.chars();
        let found = (ahead.next()?, align(ahead.next()?)?);
        self.0 = ahead.as_str();
        Some(found)
    }

    fn align(&mut self) -> Option<Align> {
        let mut ahead = self.0.chars();
        let found = align(ahead.next()?)?;
        self.0 = ahead.as_str();
        Some(found)
    }

    fn count(&mut self) -> Option<Count> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(match digits {
            "" => Count::Implied,
            digits if self.consume('$') => Count::Argument(digits.parse().ok()?),
            digits => Count::Is(digits.parse().ok()?),
        })
    }
}
