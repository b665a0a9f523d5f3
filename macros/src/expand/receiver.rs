//! What logs, in an expansion.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;

use super::mixed;

/// What logs, as an expression that may stand twice.
pub(super) struct Receiver {
    pub(super) place: TokenStream,
    /// What is evaluated before, with the variables that hold it.
    bound: Vec<(Ident, TokenStream)>,
}

impl Receiver {
    pub(super) fn new(receiver: &Expr) -> Self {
        let mut bound = Vec::new();
        let place = Self::place(receiver, &mut bound);
        Self { place, bound }
    }

    /// Keeps what names a place and evaluates the rest once.
    fn place(receiver: &Expr, bound: &mut Vec<(Ident, TokenStream)>) -> TokenStream {
        match receiver {
            Expr::Path(path) => quote!(#path),
            // Method calls make the references that they need themselves.
            Expr::Reference(reference) => Self::place(&reference.expr, bound),
            Expr::Paren(paren) => Self::place(&paren.expr, bound),
            Expr::Group(group) => Self::place(&group.expr, bound),
            Expr::Field(field) => {
                let base = Self::place(&field.base, bound);
                let (dot, member) = (&field.dot_token, &field.member);
                quote!(#base #dot #member)
            }
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => {
                let base = Self::place(&unary.expr, bound);
                quote_spanned!(mixed()=> (*#base))
            }
            Expr::Index(index) => {
                let base = Self::place(&index.expr, bound);
                let index = match &*index.index {
                    index @ (Expr::Lit(_) | Expr::Path(_)) => quote!(#index),
                    index => Self::bind_once(index, bound),
                };
                quote_spanned!(mixed()=> #base[#index])
            }
            other => Self::bind_once(other, bound),
        }
    }

    fn bind_once(value: &Expr, bound: &mut Vec<(Ident, TokenStream)>) -> TokenStream {
        let variable = format_ident!("__receiver{}", bound.len(), span = mixed());
        bound.push((variable.clone(), quote!(#value)));
        quote!(#variable)
    }

    /// `body` behind the evaluation of what is bound. A `match` keeps what the value may borrow.
    pub(super) fn bind(&self, body: TokenStream) -> TokenStream {
        self.bound.iter().rev().fold(body, |body, (variable, value)| {
            quote_spanned! {mixed()=>
                match #value { #[allow(unused_mut)] mut #variable => #body }
            }
        })
    }
}
