//! A struct, or one variant of an enum.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, Fields, Path, Result, Type};

/// A shape counts its fields in one byte.
const MOST_FIELDS: usize = u8::MAX as usize;

/// A struct, or one variant of an enum.
pub(super) struct Shape<'a> {
    name: String,
    fields: &'a Fields,
    /// Matches it and binds its fields by reference.
    pub(super) pattern: TokenStream,
}

/// What a shape contributes to an implementation of `Argument`.
pub(super) struct Parts {
    /// `.hashed_with(...)` for everything that tells it from others.
    pub(super) hashes: TokenStream,
    pub(super) fixed: TokenStream,
    pub(super) texts: TokenStream,
    pub(super) is_formatted: TokenStream,
    pub(super) describe: TokenStream,
    pub(super) length: TokenStream,
    pub(super) put: TokenStream,
}

impl<'a> Shape<'a> {
    /// The one that is called `name` and made by `path`.
    pub(super) fn new(name: &Ident, path: TokenStream, fields: &'a Fields) -> Result<Self> {
        if fields.len() > MOST_FIELDS {
            let message = format!("what is captured has up to {MOST_FIELDS} fields");
            return Err(Error::new(name.span(), message));
        }
        let (members, bindings) = (fields.members(), bindings(fields));
        let pattern = quote!(#path { #(#members: ref #bindings),* });
        Ok(Self { name: name.unraw().to_string(), fields, pattern })
    }

    /// The types of its fields.
    pub(super) fn types(&self) -> impl Iterator<Item = &'a Type> + use<'a> {
        self.fields.iter().map(|field| &field.ty)
    }

    pub(super) fn parts(&self, root: &Path) -> Parts {
        let name = &self.name;
        let count = self.fields.len() as u8;
        let (kind_byte, kind) = match self.fields {
            Fields::Unit => (0u8, quote!(Unit)),
            Fields::Unnamed(_) => (1, quote!(Tuple)),
            Fields::Named(_) => (2, quote!(Named)),
        };
        // The names of a tuple's fields are no names.
        let names: Vec<Option<String>> = self
            .fields
            .iter()
            .map(|field| field.ident.as_ref().map(|ident| ident.unraw().to_string()))
            .collect();
        let hashed_names = names.iter().map(|name| name.as_deref().unwrap_or_default());
        let described_names = names.iter().map(|name| match name {
            Some(name) => quote!(__signature.name(#name);),
            None => quote!(),
        });
        let raw: Vec<TokenStream> = self.types().map(|ty| raw(ty, root)).collect();
        let calls = bindings(self.fields).zip(self.types()).map(|(binding, ty)| {
            let root = at(root, ty);
            let argument = quote_spanned!(ty.span()=> #root::__private::Argument);
            let captured = quote_spanned!(ty.span()=> #root::Capture::capture(#binding));
            let length = quote_spanned!(ty.span()=> #argument::length(#captured));
            (length, quote_spanned!(ty.span()=> #argument::put(#captured, __sink);))
        });
        let (length, put): (Vec<TokenStream>, Vec<TokenStream>) = calls.unzip();
        Parts {
            hashes: quote! {
                .hashed_with(#name.as_bytes())
                .hashed_with(&[#kind_byte, #count])
                #(
                    .hashed_with(#hashed_names.as_bytes())
                    .hashed_with(&#raw::SHAPE.bits().to_le_bytes())
                )*
            },
            fixed: quote!(0 #(+ #raw::FIXED)*),
            texts: quote!(0 #(+ #raw::TEXTS)*),
            is_formatted: quote!(false #(|| #raw::IS_FORMATTED)*),
            describe: quote! {
                __signature.begin_shape(#name, #root::__private::VariantKind::#kind, #count);
                #(
                    #described_names
                    #raw::describe(__signature);
                )*
            },
            length: quote!(0u32 #(.saturating_add(#length))*),
            put: quote!(#(#put)*),
        }
    }
}

/// What a field of this type is captured as, as an argument.
fn raw(ty: &Type, root: &Path) -> TokenStream {
    let root = at(root, ty);
    quote_spanned! {ty.span()=>
        <<#ty as #root::Capture>::Raw<'__millpond> as #root::__private::Argument>
    }
}

/// The path with the place of the type, where errors about the type shall point.
fn at(root: &Path, ty: &Type) -> TokenStream {
    let tokens = quote!(#root).into_iter().map(|mut token| {
        token.set_span(ty.span());
        token
    });
    tokens.collect()
}

/// A variable for each field, with the place of its type for the same reason.
fn bindings(fields: &Fields) -> impl Iterator<Item = Ident> {
    let types = fields.iter().map(|field| &field.ty).enumerate();
    types.map(|(number, ty)| format_ident!("__field{number}", span = ty.span()))
}
