//! Templates: which argument each placeholder shows, spelled out.
//!
//! The grammar is that of `std::fmt`. What is wrong with a template says rustc: the expansion hands
//! it to `format_args!` as well. All that matters here is to understand every template that rustc
//! accepts, and to notice when one is not understood.

/// A template, given its arguments.
#[derive(Debug, Default)]
pub(crate) struct Template {
    /// The template with an explicit number in every placeholder: positional arguments first, then
    /// the named ones, then those of `implicit`.
    pub(crate) text: String,
    /// Names that stand in the template only, in order of their first use: variables.
    pub(crate) implicit: Vec<String>,
    /// What the template does with each argument.
    pub(crate) uses: Vec<Use>,
    /// Why it is no template for these arguments.
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no template.
    Syntax,
    /// It shows an argument that is not there.
    Argument,
}

/// What a template does with an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// It is there at all.
    pub(crate) is_used: bool,
    /// It is shown by another trait than `Debug`.
    pub(crate) is_displayed: bool,
    /// It is shown by `{:p}`.
    pub(crate) is_pointer: bool,
    /// Though it has a name, it is there by its position.
    pub(crate) is_positional: bool,
}

impl Template {
    /// Reads the template of a call that has so many `positional` arguments and then the `named`.
    pub(crate) fn new(template: &str, positional: usize, named: &[String]) -> Self {
        let count = positional + named.len();
        let uses = vec![Use::default(); count];
        let mut reader = Reader {
            rest: template,
            positional,
            named,
            next: 0,
            template: Template { uses, ..Template::default() },
        };
        if reader.read().is_none() {
            reader.template.fault = Some(Fault::Syntax);
        }
        reader.template
    }
}

struct Reader<'a> {
    rest: &'a str,
    positional: usize,
    named: &'a [String],
    /// The argument of the next placeholder that does not say which.
    next: usize,
    template: Template,
}

/// `None` wherever what comes is not what the grammar wants.
impl<'a> Reader<'a> {
    fn read(&mut self) -> Option<()> {
        while let Some(at) = self.rest.find(['{', '}']) {
            let (text, rest) = self.rest.split_at(at);
            self.template.text.push_str(text);
            self.rest = rest;
            let literal = ["{{", "}}"].into_iter().find(|twice| self.eat(twice));
            match literal {
                Some(literal) => self.template.text.push_str(literal),
                None => self.placeholder()?,
            }
        }
        self.template.text.push_str(self.rest);
        Some(())
    }

    /// `'{' [argument] [':' spec] spaces '}'`
    fn placeholder(&mut self) -> Option<()> {
        self.eat("{").then_some(())?;
        let argument = self.argument().map(|name| self.resolve(name));
        let spec = if self.eat(":") { Some(self.spec()?) } else { None };
        self.rest = self.rest.trim_start();
        self.eat("}").then_some(())?;
        // After the spec: `.*` in it takes the argument before.
        let argument = argument.unwrap_or_else(|| self.take_next());
        self.write(argument, spec.unwrap_or_default());
        Some(())
    }

    /// `[[fill] align] [sign] ['#'] ['0'] [width] ['.' precision] type`
    fn spec(&mut self) -> Option<Spec<'a>> {
        let start = self.rest;
        let mut characters = self.rest.chars();
        let is_align = |c: Option<char>| matches!(c, Some('<' | '^' | '>'));
        if let Some(fill) = characters.next()
            && is_align(characters.next())
        {
            self.rest = &self.rest[fill.len_utf8() + 1..];
        } else if is_align(self.rest.chars().next()) {
            self.rest = &self.rest[1..];
        }
        let _sign = self.eat("+") || self.eat("-");
        self.eat("#");
        // `0$` is a width, not a zero and a nameless parameter.
        if self.rest.starts_with('0') && !self.rest.starts_with("0$") {
            self.eat("0");
        }
        let flags = &start[..start.len() - self.rest.len()];
        let width = self.count();
        let precision = if !self.eat(".") {
            None
        } else if self.eat("*") {
            Some(Some(Count::Argument(self.take_next())))
        } else {
            Some(self.count())
        };
        let kind = ["x?", "X?", "?"].into_iter().find(|kind| self.eat(kind));
        let kind = kind.or_else(|| self.word()).unwrap_or_default();
        Some(Spec { flags, width, precision, kind })
    }

    /// `integer | argument '$'`
    fn count(&mut self) -> Option<Count> {
        let start = self.rest;
        let argument = self.argument()?;
        if self.eat("$") {
            return Some(Count::Argument(self.resolve(argument)));
        }
        if let Name::Number(number) = argument {
            return Some(Count::Number(number));
        }
        // It was the type.
        self.rest = start;
        None
    }

    /// `integer | identifier`
    fn argument(&mut self) -> Option<Name<'a>> {
        let number = self.run_of(|c| c.is_ascii_digit());
        if number.is_empty() {
            return self.word().map(Name::Word);
        }
        self.rest = &self.rest[number.len()..];
        // Too large for any list of arguments, so it will be found wrong.
        Some(Name::Number(number.parse().unwrap_or(usize::MAX)))
    }

    fn word(&mut self) -> Option<&'a str> {
        let word = self.run_of(|c| c == '_' || c.is_alphanumeric());
        // What may begin an identifier in all scripts is left to syn.
        is_word(word).then_some(())?;
        self.rest = &self.rest[word.len()..];
        Some(word)
    }

    /// What comes, as long as it is such characters.
    fn run_of(&self, is_part: impl Fn(char) -> bool) -> &'a str {
        &self.rest[..self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len())]
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_next(&mut self) -> usize {
        self.next += 1;
        self.resolve(Name::Number(self.next - 1))
    }

    /// The number of an argument.
    fn resolve(&mut self, name: Name<'a>) -> usize {
        let count = self.positional + self.named.len();
        let (number, is_positional) = match name {
            Name::Number(number) if number >= count => {
                self.template.fault = Some(Fault::Argument);
                return 0;
            }
            Name::Number(number) => (number, true),
            Name::Word(name) => (self.resolve_name(name), false),
        };
        let uses = &mut self.template.uses[number];
        uses.is_used = true;
        uses.is_positional |= is_positional && number >= self.positional;
        number
    }

    fn resolve_name(&mut self, name: &str) -> usize {
        if let Some(index) = self.named.iter().position(|known| known == name) {
            return self.positional + index;
        }
        let implicit = &mut self.template.implicit;
        let index = implicit.iter().position(|known| known == name).unwrap_or_else(|| {
            implicit.push(name.to_owned());
            self.template.uses.push(Use::default());
            implicit.len() - 1
        });
        self.positional + self.named.len() + index
    }

    fn write(&mut self, argument: usize, spec: Spec<'_>) {
        let Spec { flags, width, precision, kind } = spec;
        if let Some(uses) = self.template.uses.get_mut(argument) {
            uses.is_displayed |= !kind.ends_with('?');
            uses.is_pointer |= kind == "p";
        }
        let width = width.map(|width| width.to_string()).unwrap_or_default();
        let precision = match precision {
            None => String::new(),
            Some(None) => ".".to_owned(),
            Some(Some(precision)) => format!(".{precision}"),
        };
        let spec = format!("{flags}{width}{precision}{kind}");
        let colon = if spec.is_empty() { "" } else { ":" };
        self.template.text.push_str(&format!("{{{argument}{colon}{spec}}}"));
    }
}

/// Keywords are names too: `{self}`, or `{type}` with `type = value`.
fn is_word(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_ok()
        || syn::parse_str::<syn::Ident>(&format!("r#{word}")).is_ok()
        || matches!(word, "self" | "Self" | "super" | "crate")
}

enum Name<'a> {
    Number(usize),
    Word(&'a str),
}

#[derive(Default)]
struct Spec<'a> {
    /// Fill, alignment, sign, `#`, `0`: as they were written.
    flags: &'a str,
    width: Option<Count>,
    /// There may be a point and nothing behind it.
    precision: Option<Option<Count>>,
    kind: &'a str,
}

enum Count {
    Number(usize),
    Argument(usize),
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Count::Number(number) => write!(f, "{number}"),
            Count::Argument(number) => write!(f, "{number}$"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, positional: usize, named: &[&str]) -> Template {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        Template::new(template, positional, &named)
    }

    #[track_caller]
    fn check(template: &str, positional: usize, named: &[&str], text: &str, implicit: &[&str]) {
        let got = read(template, positional, named);
        assert_eq!(got.fault, None, "{template}");
        assert_eq!((got.text.as_str(), got.implicit), (text, to_owned(implicit)));
    }

    fn to_owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_placeholder_gets_a_number() {
        check("no {{ placeholder }}", 0, &[], "no {{ placeholder }}", &[]);
        check("{} {} {0}", 2, &[], "{0} {1} {0}", &[]);
        check("{0} {1:?} {0:#x}", 2, &[], "{0} {1:?} {0:#x}", &[]);
        check("{id} {px:>10.3} {id:?}", 0, &[], "{0} {1:>10.3} {0:?}", &["id", "px"]);
        check("{} {b} {c} {a}", 1, &["a", "b"], "{0} {2} {3} {1}", &["c"]);
        check("{x:w$.p$}", 0, &["p"], "{1:2$.0$}", &["x", "w"]);
    }

    #[test]
    fn width_and_precision_are_arguments() {
        check("{:1$.2$}", 3, &[], "{0:1$.2$}", &[]);
        check("{:.*}", 2, &[], "{1:.0$}", &[]);
        check("{} {:>8.*} {}", 4, &[], "{0} {2:>8.1$} {3}", &[]);
        check("{x:.*}", 1, &[], "{1:.0$}", &["x"]);
        check("{:0$}", 1, &[], "{0:0$}", &[]);
        check("{:00$}", 1, &[], "{0:00$}", &[]);
        check("{:+08.3}", 1, &[], "{0:+08.3}", &[]);
        check("{:x$}", 1, &["x"], "{0:1$}", &[]);
        check("{:x}", 1, &[], "{0:x}", &[]);
        check("{:#?} {:02X?} {:5x?}", 3, &[], "{0:#?} {1:02X?} {2:5x?}", &[]);
        check("{:1.}", 1, &[], "{0:1.}", &[]);
    }

    #[test]
    fn braces_and_spaces_are_where_rustc_takes_them() {
        check("{:*^9} {:<<9} {:€>3}", 3, &[], "{0:*^9} {1:<<9} {2:€>3}", &[]);
        check("{:}>3}", 1, &[], "{0:}>3}", &[]);
        check("{ } {0 } {0:? }", 1, &[], "{0} {0} {0:?}", &[]);
        check("{größe} {_x} {self}", 0, &[], "{0} {1} {2}", &["größe", "_x", "self"]);
        check("{type}", 0, &["type"], "{0}", &[]);
    }

    #[test]
    fn what_is_used_and_how_is_told() {
        let got = read("{} {1:?} {:w$} {c}", 2, &["a", "c"]);
        let used = Use { is_used: true, ..Use::default() };
        let shown = Use { is_displayed: true, ..used };
        assert_eq!(got.uses, [shown, shown, Use::default(), shown, used]);
        let got = read("{} {:p}", 1, &["a"]);
        assert_eq!(got.uses, [shown, Use { is_pointer: true, is_positional: true, ..shown }]);
    }

    #[test]
    fn what_rustc_refuses_is_wrong() {
        for template in ["{", "}", "{0", "{:", "{!}", "{ 0}", "{:?:}", "{a.b}", "{r#a}", "{} {:"] {
            assert_eq!(read(template, 1, &[]).fault, Some(Fault::Syntax), "{template}");
        }
        for template in ["{} {}", "{1}", "{:.*}", "{99999999999999999999}", "{0:1$}"] {
            assert_eq!(read(template, 1, &[]).fault, Some(Fault::Argument), "{template}");
        }
    }
}
