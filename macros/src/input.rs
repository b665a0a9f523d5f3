//! What was written between the parentheses of a log call.

use std::mem;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::token::Paren;
use syn::visit_mut::{self, VisitMut};
use syn::{Error, Expr, ExprLit, ExprParen, Ident, Lit, LitStr, Result, Token};

/// A log call.
pub(crate) struct Event {
    /// The path of the crate that holds everything which the call needs: `$crate`.
    pub(crate) root: TokenTree,
    /// A variant of `Level`.
    pub(crate) level: Ident,
    /// What logs it.
    pub(crate) receiver: Expr,
    /// The caller's own stamp.
    pub(crate) ticks: Option<Expr>,
    /// In place of the module's path.
    pub(crate) target: Option<Expr>,
    /// How often it is logged at most.
    pub(crate) rate: Option<Rate>,
    /// As it was written.
    pub(crate) template: LitStr,
    /// Positional arguments, and then the named ones.
    pub(crate) arguments: Vec<Argument>,
}

/// Rate control.
pub(crate) enum Rate {
    /// One call out of so many.
    Every(Expr),
    /// One call in such a time.
    OncePer(Expr),
}

/// An argument.
pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) mode: Mode,
    pub(crate) value: Expr,
}

/// How an argument gets into the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As it stands.
    Captured,
    /// `?value`: as the text that its `Debug` makes.
    Debug,
    /// `%value`: as the text that its `Display` makes.
    Display,
}

mod key {
    syn::custom_keyword!(at);
}

impl Parse for Event {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let root = input.parse()?;
        input.parse::<Token![,]>()?;
        let level = input.parse()?;
        let is_stamped = input.parse::<Option<key::at>>()?.is_some();
        input.parse::<Token![,]>()?;

        let receiver = parse_receiver(input)?;
        let ticks = if is_stamped { Some(parse_ticks(input)?) } else { None };
        let Keys { target, rate, rate_span } = Keys::parse(input)?;
        if let (Some(_), Some(span)) = (&ticks, rate_span) {
            return Err(Error::new(span, "a call with a stamp of its own has no rate control"));
        }
        let template = parse_template(input)?;
        let arguments = parse_arguments(input)?;
        Ok(Self { root, level, receiver, ticks, target, rate, template, arguments })
    }
}

fn parse_receiver(input: ParseStream<'_>) -> Result<Expr> {
    if input.is_empty() {
        return Err(input.error("expected a logger and a template: `log, \"order {id}\"`"));
    }
    let receiver = parse_value(input)?;
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &receiver {
        let message = "expected a logger before the template: `log, \"...\"`";
        return Err(Error::new(text.span(), message));
    }
    parse_comma(input, "expected `,` and a template behind the logger")?;
    Ok(receiver)
}

fn parse_ticks(input: ParseStream<'_>) -> Result<Expr> {
    let expected = "expected a stamp in ticks (u64) and then the template: `log, ticks, \"...\"`";
    if input.is_empty() || input.peek(LitStr) {
        return Err(input.error(expected));
    }
    let ticks = parse_value(input)?;
    parse_comma(input, expected)?;
    Ok(ticks)
}

/// What may stand before the template, in any order.
#[derive(Default)]
struct Keys {
    target: Option<Expr>,
    rate: Option<Rate>,
    rate_span: Option<Span>,
}

impl Keys {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut keys = Self::default();
        while input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let key: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            let value = parse_value(input)?;
            keys.set(&key, value)?;
            parse_comma(input, "expected `,` and a template")?;
        }
        Ok(keys)
    }

    fn set(&mut self, key: &Ident, value: Expr) -> Result<()> {
        let rate = match key.to_string().as_str() {
            "target" if self.target.is_none() => {
                self.target = Some(value);
                return Ok(());
            }
            "target" => return Err(Error::new(key.span(), "`target` is there already")),
            "every" => Rate::Every(value),
            "once_per" => Rate::OncePer(value),
            _ => {
                let expected = "expected `target:`, `every:`, `once_per:` or the template";
                return Err(Error::new(key.span(), expected));
            }
        };
        if self.rate.is_some() {
            let message = "one of `every` and `once_per` is enough: the call has rate control";
            return Err(Error::new(key.span(), message));
        }
        self.rate = Some(rate);
        self.rate_span = Some(key.span());
        Ok(())
    }
}

fn parse_template(input: ParseStream<'_>) -> Result<LitStr> {
    if input.peek(LitStr) {
        return input.parse();
    }
    Err(input.error("expected the template, a string literal: `\"order {id}\"`"))
}

fn parse_arguments(input: ParseStream<'_>) -> Result<Vec<Argument>> {
    let mut arguments: Vec<Argument> = Vec::new();
    while !input.is_empty() {
        parse_comma(input, "expected `,`")?;
        if input.is_empty() {
            break;
        }
        let argument: Argument = input.parse()?;
        match &argument.name {
            None if arguments.last().is_some_and(|last| last.name.is_some()) => {
                let message = "positional arguments cannot follow named arguments";
                return Err(Error::new(argument.value.span(), message));
            }
            Some(name) if arguments.iter().any(|a| a.is_named(name)) => {
                let message = format!("there is an argument named `{}` already", name.unraw());
                return Err(Error::new(name.span(), message));
            }
            _ => arguments.push(argument),
        }
    }
    Ok(arguments)
}

impl Argument {
    fn is_named(&self, name: &Ident) -> bool {
        self.name.as_ref().is_some_and(|mine| mine.unraw() == name.unraw())
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let is_named = input.peek(Ident::peek_any)
            && input.peek2(Token![=])
            && !input.peek2(Token![==])
            && !input.peek2(Token![=>]);
        let name = if is_named {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        let mode = if input.parse::<Option<Token![?]>>()?.is_some() {
            Mode::Debug
        } else if input.parse::<Option<Token![%]>>()?.is_some() {
            Mode::Display
        } else {
            Mode::Captured
        };
        if input.is_empty() {
            return Err(input.error("expected a value"));
        }
        Ok(Self { name, mode, value: parse_value(input)? })
    }
}

fn parse_value(input: ParseStream<'_>) -> Result<Expr> {
    let mut value = input.parse()?;
    Parentheses.visit_expr_mut(&mut value);
    Ok(value)
}

/// What a user's macro passed on as one expression (`$value:expr`) is kept together by a group
/// without delimiters, which rustc does not see in what a macro like this one returns. So the group
/// gets parentheses.
struct Parentheses;

impl VisitMut for Parentheses {
    fn visit_expr_mut(&mut self, value: &mut Expr) {
        visit_mut::visit_expr_mut(self, value);
        if let Expr::Group(group) = value {
            let span = group.group_token.span;
            let inner = mem::replace(&mut *group.expr, Expr::Verbatim(TokenStream::new()));
            let needs_none = matches!(inner, Expr::Path(_) | Expr::Lit(_) | Expr::Paren(_));
            *value = match needs_none {
                true => inner,
                false => Expr::Paren(ExprParen {
                    attrs: Vec::new(),
                    paren_token: Paren(span),
                    expr: Box::new(inner),
                }),
            };
        }
    }
}

fn parse_comma(input: ParseStream<'_>, expected: &str) -> Result<()> {
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        return Ok(());
    }
    Err(input.error(expected))
}
