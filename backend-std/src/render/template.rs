//! Templates: text with placeholders, as the macros normalise it.

use super::spec::Spec;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Placeholder { argument: u32, spec: Spec },
}

/// The parts of `template`. Each placeholder has the number of its argument, and `{{` is a brace.
/// Braces that make no sense are text.
pub(super) fn parse(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(((argument, spec), behind)) = placeholder(rest) {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Placeholder { argument, spec });
            rest = behind;
        } else {
            text.push_str(&rest[..1]);
            let is_double = rest.starts_with("{{") || rest.starts_with("}}");
            rest = &rest[if is_double { 2 } else { 1 }..];
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// The placeholder at the head of `text`, and what follows it.
fn placeholder(text: &str) -> Option<((u32, Spec), &str)> {
    let inside = text.strip_prefix('{')?;
    let end = inside.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = inside.split_at(end);
    let argument = digits.parse().ok()?;
    let (spec, rest) = match rest.strip_prefix(':') {
        Some(spec) => Spec::parse(spec)?,
        None => (Spec::plain(super::spec::Style::Display), rest.strip_prefix('}')?),
    };
    Some(((argument, spec), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::spec::{Align, Format, Style};
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn plain(argument: u32) -> Part {
        Part::Placeholder { argument, spec: Spec::plain(Style::Display) }
    }

    fn spec(spec: &str) -> Option<Spec> {
        match &parse(&format!("{{0:{spec}}}"))[..] {
            [Part::Placeholder { argument: 0, spec }] => Some(*spec),
            _ => None,
        }
    }

    #[test]
    fn text_and_placeholders() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("a{0}b{12}"), [text("a"), plain(0), text("b"), plain(12)]);
        assert_eq!(parse("{{0}} {{{1}}}"), [text("{0} {"), plain(1), text("}")]);
    }

    #[test]
    fn what_makes_no_sense_is_text() {
        for template in [
            "{",
            "}",
            "{}",
            "{x}",
            "{0",
            "{0:",
            "{0:y}",
            "{0:5",
            "{-1}",
            "{0:99999}",
            "{0:.*}",
            "{99999999999}",
            "ü{ü}ü",
            "{0 }",
            "{0:1$",
            "{0:.}5",
            "{0?}",
        ] {
            let shown = parse(template);
            if template == "{0:.}5" {
                assert_eq!(shown, [plain(0), text("5")], "as std has it");
            } else {
                assert_eq!(shown, [text(template)]);
            }
        }
    }

    #[test]
    fn specs() {
        let display = Format::plain(Style::Display);
        let wide = |width| Format { width, ..display };
        let fixed = |format| Some(Spec { format, ..Spec::plain(Style::Display) });
        assert_eq!(spec(""), fixed(display));
        assert_eq!(spec("8"), fixed(wide(8)));
        assert_eq!(spec("08"), fixed(Format { zero: true, ..wide(8) }));
        assert_eq!(spec("0"), fixed(Format { zero: true, ..display }));
        let right = Format { align: Some(Align::Right), ..wide(8) };
        assert_eq!(spec(">8.2"), fixed(Format { precision: Some(2), ..right }));
        assert_eq!(
            spec("🦀^+#010X?"),
            fixed(Format {
                style: Style::DebugUpperHex,
                fill: '🦀',
                align: Some(Align::Center),
                plus: true,
                alternate: true,
                zero: true,
                ..wide(10)
            })
        );
        assert_eq!(spec("}<5"), fixed(Format { fill: '}', align: Some(Align::Left), ..wide(5) }));
        assert_eq!(parse("{0:}<"), [plain(0), text("<")]);
        let from =
            Spec { width_from: Some(1), precision_from: Some(2), ..Spec::plain(Style::LowerExp) };
        assert_eq!(spec("1$.2$e"), Some(from));
        let first = Spec { width_from: Some(0), ..Spec::plain(Style::Display) };
        assert_eq!(spec("0$"), Some(first));
        assert_eq!(spec("-"), fixed(display));
    }

    proptest! {
        #[test]
        fn no_template_panics(template in any::<String>()) {
            let _ = parse(&template);
        }

        #[test]
        fn no_template_of_telling_characters_panics(template in "[{}:$#0-9.<^>+xX?eü ]{0,16}") {
            let _ = parse(&template);
        }
    }
}
