//! Patterns: what a line consists of.

use millpond_core::Level;
use thiserror::Error;

use super::escape::is_harmful;
use crate::render::literal::Literal;

/// The placeholders, for error messages.
const KNOWN: &str = "%(asctime)s %(levelname)s %(name)s %(message)s %(process)d %(thread)s %(target)s %(pathname)s %(filename)s %(lineno)d and %% for a percent sign";

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Literal text and names of levels, such as ` [INFO] `: what it is for each level.
    Fixed(Box<[Literal; Level::COUNT]>),
    Time,
    Name,
    Message,
    Process,
    Thread,
    Target,
    Path,
    File,
    Line,
}

/// Why a pattern is not a line format. Positions are bytes, counted from zero.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No placeholder is called this.
    #[error(
        "line format: `{placeholder}` at byte {position} is not a placeholder; expected one of {KNOWN}"
    )]
    Unknown {
        /// The placeholder as it stands in the pattern.
        placeholder: String,
        /// Where its percent sign is.
        position: usize,
    },
    /// A placeholder starts and does not end.
    #[error(
        "line format: the placeholder that starts at byte {position} does not end; expected one of {KNOWN}"
    )]
    Unfinished {
        /// Where its percent sign is.
        position: usize,
    },
    /// A percent sign starts nothing.
    #[error(
        "line format: the percent sign at byte {position} starts no placeholder; write %% for a percent sign, or one of {KNOWN}"
    )]
    LonePercent {
        /// Where it is.
        position: usize,
    },
    /// A character stands in the pattern that could break a line or drive a terminal.
    #[error(
        "line format: {character:?} at byte {position} is a control character; leave it out (a tab is allowed, the line's end is added)"
    )]
    Control {
        /// The character.
        character: char,
        /// Where it is.
        position: usize,
    },
    /// Lines would not show their messages.
    #[error(
        "line format: there is no %(message)s in {pattern:?}; add it where the message belongs"
    )]
    NoMessage {
        /// The pattern.
        pattern: String,
    },
}

/// The parts of the lines that `pattern` describes.
pub(super) fn parse(pattern: &str) -> Result<Box<[Piece]>, FormatError> {
    if let Some((position, character)) = pattern.char_indices().find(|&(_, c)| is_harmful(c)) {
        return Err(FormatError::Control { character, position });
    }
    let mut pieces = Pieces::default();
    let mut position = 0;
    while let Some(found) = pattern[position..].find('%') {
        pieces.literal(&pattern[position..position + found]);
        position += found;
        let rest = &pattern[position..];
        if rest.starts_with("%%") {
            pieces.literal("%");
            position += 2;
        } else {
            let placeholder = placeholder(rest, position)?;
            match placeholder {
                "%(asctime)s" => pieces.add(Piece::Time),
                "%(levelname)s" => pieces.level(),
                "%(name)s" => pieces.add(Piece::Name),
                "%(message)s" => pieces.add(Piece::Message),
                "%(process)d" => pieces.add(Piece::Process),
                "%(thread)s" => pieces.add(Piece::Thread),
                "%(target)s" => pieces.add(Piece::Target),
                "%(pathname)s" => pieces.add(Piece::Path),
                "%(filename)s" => pieces.add(Piece::File),
                "%(lineno)d" => pieces.add(Piece::Line),
                other => {
                    return Err(FormatError::Unknown { placeholder: other.to_owned(), position });
                }
            }
            position += placeholder.len();
        }
    }
    pieces.literal(&pattern[position..]);
    pieces.finish(pattern)
}

/// The placeholder at the head of `rest`, with the width that Python would allow before its last
/// letter.
fn placeholder(rest: &str, position: usize) -> Result<&str, FormatError> {
    if !rest.starts_with("%(") {
        return Err(FormatError::LonePercent { position });
    }
    let unfinished = FormatError::Unfinished { position };
    let Some(closing) = rest.find(')') else { return Err(unfinished) };
    let width = |c: char| c.is_ascii_digit() || "-+ #.".contains(c);
    let conversion = rest[closing + 1..].char_indices().find(|&(_, c)| !width(c));
    let Some((at, letter)) = conversion else { return Err(unfinished) };
    Ok(&rest[..closing + 1 + at + letter.len_utf8()])
}

#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    fixed: [String; Level::COUNT],
}

impl Pieces {
    fn literal(&mut self, text: &str) {
        self.fixed.iter_mut().for_each(|fixed| fixed.push_str(text));
    }

    fn level(&mut self) {
        for (fixed, level) in self.fixed.iter_mut().zip(Level::ALL) {
            fixed.push_str(level.name());
        }
    }

    fn add(&mut self, piece: Piece) {
        self.end_fixed();
        self.done.push(piece);
    }

    fn end_fixed(&mut self) {
        let fixed = std::mem::take(&mut self.fixed);
        if !fixed[0].is_empty() {
            self.done.push(Piece::Fixed(Box::new(fixed.map(|text| Literal::new(&text)))));
        }
    }

    fn finish(mut self, pattern: &str) -> Result<Box<[Piece]>, FormatError> {
        self.end_fixed();
        if !self.done.contains(&Piece::Message) {
            return Err(FormatError::NoMessage { pattern: pattern.to_owned() });
        }
        Ok(self.done.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literal(text: &str) -> Piece {
        Piece::Fixed(Box::new([(); Level::COUNT].map(|()| Literal::new(text))))
    }

    #[test]
    fn every_placeholder_is_known() {
        let pattern = "%(asctime)s%(levelname)s%(name)s%(message)s%(process)d%(thread)s\
                       %(target)s%(pathname)s%(filename)s%(lineno)d";
        let pieces = parse(pattern).unwrap();
        let levels = Piece::Fixed(Box::new(Level::ALL.map(|level| Literal::new(level.name()))));
        let all = [
            Piece::Time,
            levels,
            Piece::Name,
            Piece::Message,
            Piece::Process,
            Piece::Thread,
            Piece::Target,
            Piece::Path,
            Piece::File,
            Piece::Line,
        ];
        assert_eq!(*pieces, all);
        for placeholder in pattern.split_inclusive(['s', 'd']).filter(|p| p.starts_with('%')) {
            assert!(KNOWN.contains(&placeholder[..placeholder.len() - 1]));
        }
    }

    #[test]
    fn literal_text_is_taken_as_it_stands() {
        let pieces = parse("100%% ü\t%%(name)s )(%(message)s %%").unwrap();
        assert_eq!(*pieces, [literal("100% ü\t%(name)s )("), Piece::Message, literal(" %")]);
    }

    #[test]
    fn literal_text_and_levels_are_one_piece() {
        let pieces = parse("a%(levelname)sb%%%(levelname)s%(message)s").unwrap();
        let fixed = Level::ALL.map(|level| Literal::new(&format!("a{level}b%{level}")));
        assert_eq!(*pieces, [Piece::Fixed(Box::new(fixed)), Piece::Message]);
    }

    #[test]
    fn errors_say_what_and_where() {
        let unknown = |placeholder: &str, position| FormatError::Unknown {
            placeholder: placeholder.to_owned(),
            position,
        };
        let cases = [
            ("%(message)s %(msecs)d", unknown("%(msecs)d", 12)),
            ("ü%(levelname)-8s %(message)s", unknown("%(levelname)-8s", 2)),
            ("%(process)s %(message)s", unknown("%(process)s", 0)),
            ("%(message)ß", unknown("%(message)ß", 0)),
            ("%()s", unknown("%()s", 0)),
            ("a %(message", FormatError::Unfinished { position: 2 }),
            ("a %(message)", FormatError::Unfinished { position: 2 }),
            ("%(message)s %(name)-8", FormatError::Unfinished { position: 12 }),
            ("%(", FormatError::Unfinished { position: 0 }),
            ("%(message)s 5%", FormatError::LonePercent { position: 13 }),
            ("%s", FormatError::LonePercent { position: 0 }),
            ("%%%", FormatError::LonePercent { position: 2 }),
            ("%(message)s\n", FormatError::Control { character: '\n', position: 11 }),
            ("\u{1b}[1m%(message)s", FormatError::Control { character: '\u{1b}', position: 0 }),
            ("é\u{85}", FormatError::Control { character: '\u{85}', position: 2 }),
            ("", FormatError::NoMessage { pattern: String::new() }),
            ("%(name)s", FormatError::NoMessage { pattern: "%(name)s".to_owned() }),
            ("%%(message)s", FormatError::NoMessage { pattern: "%%(message)s".to_owned() }),
        ];
        for (pattern, error) in cases {
            assert_eq!(parse(pattern), Err(error), "{pattern:?}");
        }
    }

    #[test]
    fn an_unknown_placeholder_is_named_and_the_known_ones_are_listed() {
        let text = parse("%(msecs)d").unwrap_err().to_string();
        assert!(text.contains("`%(msecs)d` at byte 0"), "{text}");
        assert!(text.contains("%(asctime)s") && text.contains("%(thread)s"), "{text}");
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in any::<String>()) {
            let _ = parse(&pattern);
        }

        #[test]
        fn no_pattern_of_telling_characters_panics(pattern in "[%()sdanm8é\\-]{0,12}") {
            let _ = parse(&pattern);
        }

        #[test]
        fn any_literal_text_comes_back(text in "[^\\p{Cc}\u{2028}-\u{202e}\u{2066}-\u{2069}]*") {
            let pieces = parse(&format!("{}%(message)s", text.replace('%', "%%"))).unwrap();
            let expected = if text.is_empty() { vec![] } else { vec![literal(&text)] };
            prop_assert_eq!(&pieces[..pieces.len() - 1], &expected[..]);
        }
    }
}
