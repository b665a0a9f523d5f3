//! Arguments in an expansion.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;
use syn::visit::Visit;

use super::{empty, mixed};
use crate::input::{Argument, Mode};
use crate::template::Use;

/// What `__private::capture` is called in an expansion.
pub(super) const CAPTURE: &str = "__millpond_capture";
/// What `__private::can_display` is called in an expansion.
pub(super) const CAN_DISPLAY: &str = "__millpond_can_display";

/// An argument, and the variable that holds a reference to it.
pub(super) struct Value<'a> {
    pub(super) argument: &'a Argument,
    pub(super) uses: Use,
    /// It has the place of the end of the argument, where errors about it shall point.
    pub(super) variable: Ident,
}

/// Looks for what calls something.
struct Calls(bool);

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        use Expr::{Async, Await, Block, Call, Macro, MethodCall, TryBlock, Unsafe};
        match expr {
            Async(_) | Await(_) | Block(_) | Call(_) | Macro(_) | MethodCall(_) | TryBlock(_)
            | Unsafe(_) => self.0 = true,
            other => syn::visit::visit_expr(self, other),
        }
    }
}

impl<'a> Value<'a> {
    pub(super) fn new(number: usize, argument: &'a Argument, uses: Use) -> Self {
        let end = last_span(&argument.value);
        let variable = format_ident!("__a{number}", span = mixed().located_at(end));
        Self { argument, uses, variable }
    }

    /// Whether evaluating it may run other code than that of operators.
    pub(super) fn runs_code(&self) -> bool {
        let mut calls = Calls(false);
        calls.visit_expr(&self.argument.value);
        calls.0
    }

    /// `&value`
    pub(super) fn borrowed(&self) -> TokenStream {
        let value = &self.argument.value;
        match is_simple(value) {
            true => quote_spanned!(mixed()=> &#value),
            false => quote_spanned!(mixed()=> &(#value)),
        }
    }

    /// What stands for it in the check by `format_args!`.
    pub(super) fn checked(&self) -> TokenStream {
        match self.argument.mode {
            Mode::Captured => self.place(),
            Mode::Debug | Mode::Display => {
                let empty = empty(self.argument.value.span());
                quote!(#empty)
            }
        }
    }

    /// The value behind the variable. It is where the argument is, so rustc points there: an
    /// expression reaches from its first token to its last.
    fn place(&self) -> TokenStream {
        let variable = &self.variable;
        let start = mixed().located_at(self.argument.value.span());
        quote_spanned!(start=> *#variable)
    }

    /// The call of a function with it. If its type does not fit, rustc points at the function, so
    /// that has the place of the argument too.
    pub(super) fn passed_to(&self, function: &str) -> TokenStream {
        let function = Ident::new(function, mixed().located_at(self.argument.value.span()));
        let place = self.place();
        quote_spanned!(function.span()=> #function(&#place))
    }

    /// As an argument of the core.
    pub(super) fn captured(&self, root: &TokenTree) -> TokenStream {
        let template = match self.argument.mode {
            Mode::Captured => return self.passed_to(CAPTURE),
            Mode::Debug => "{:?}",
            Mode::Display => "{}",
        };
        let place = self.place();
        quote_spanned! {mixed()=>
            #root::__private::Formatted::new(&|__out| #root::__private::format_guarded(
                __out,
                ::core::format_args!(#template, #place),
            ))
        }
    }
}

/// The place of the last token. Several tokens have no place in common on stable Rust.
fn last_span(value: &Expr) -> Span {
    let tokens = quote!(#value).into_iter();
    tokens.last().map_or_else(Span::mixed_site, |token| token.span())
}

/// Whether `&` before it takes all of it.
fn is_simple(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Path(_)
            | Expr::Lit(_)
            | Expr::Field(_)
            | Expr::MethodCall(_)
            | Expr::Call(_)
            | Expr::Index(_)
            | Expr::Macro(_)
            | Expr::Paren(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Unary(_)
            | Expr::Await(_)
            | Expr::Try(_)
    )
}
