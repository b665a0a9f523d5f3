//! `#[derive(Capture)]`.
//!
//! A value of a user's type is captured as a reference to itself, and a reference to it is an
//! argument: its fields in a row, behind the number of the variant if it is an enum. The names of
//! the type, its variants and its fields are in the signature, once for each call site.

mod bounds;
mod shape;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Result, parse_quote};

use shape::Shape;

/// An enum counts its variants in two bytes.
const MOST_VARIANTS: usize = u16::MAX as usize;

/// The implementations for a type.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let root = root(input)?;
    let name = &input.ident;
    let (shapes, body) = match &input.data {
        Data::Struct(data) => {
            let shapes = vec![Shape::new(name, quote!(#name), &data.fields)?];
            let body = struct_body(&shapes[0], &root);
            (shapes, body)
        }
        Data::Enum(data) if data.variants.len() <= MOST_VARIANTS => {
            let variants = data.variants.iter();
            let shapes = variants.map(|variant| {
                let ident = &variant.ident;
                Shape::new(ident, quote!(#name::#ident), &variant.fields)
            });
            let shapes = shapes.collect::<Result<Vec<_>>>()?;
            let body = enum_body(&shapes, &root);
            (shapes, body)
        }
        Data::Enum(_) => {
            let message = format!("a captured enum has up to {MOST_VARIANTS} variants");
            return Err(Error::new(name.span(), message));
        }
        Data::Union(data) => {
            let message = "a union cannot be captured: it does not know which field is valid";
            return Err(Error::new(data.union_token.span, message));
        }
    };
    let generics = bounds::with_bounds(&input.generics, &shapes, &root);
    let (impl_generics, type_generics, predicates) = generics.split_for_impl();
    let mut borrowed = generics.clone();
    borrowed.params.insert(0, parse_quote!('__millpond));
    let (borrowed_generics, _, _) = borrowed.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #root::Capture for #name #type_generics #predicates {
            type Raw<'__millpond> = &'__millpond Self where Self: '__millpond;

            #[inline(always)]
            fn capture(&self) -> Self::Raw<'_> {
                self
            }
        }

        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #borrowed_generics #root::__private::Argument
            for &'__millpond #name #type_generics #predicates
        {
            #body
        }
    })
}

/// The path of the crate, as `#[capture(crate = path)]` says.
fn root(input: &DeriveInput) -> Result<Path> {
    let mut root = parse_quote!(::millpond);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("capture")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected `crate = path`"));
            }
            root = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        })?;
    }
    Ok(root)
}

fn struct_body(shape: &Shape<'_>, root: &Path) -> TokenStream {
    let parts = shape.parts(root);
    let (hashes, fixed, texts) = (&parts.hashes, &parts.fixed, &parts.texts);
    let (is_formatted, describe) = (&parts.is_formatted, &parts.describe);
    let (pattern, length, put) = (&shape.pattern, &parts.length, &parts.put);
    quote! {
        const SHAPE: #root::__private::Shape =
            #root::__private::Shape::EMPTY.hashed_with(b"{") #hashes;
        const FIXED: u32 = #fixed;
        const TEXTS: u32 = #texts;
        const IS_FORMATTED: bool = #is_formatted;

        fn describe(__signature: &mut #root::__private::Signature) {
            __signature.begin_struct();
            #describe
        }

        #[inline]
        fn length(self) -> u32 {
            let #pattern = *self;
            #length
        }

        #[inline]
        fn put<__S: #root::__private::Sink>(self, __sink: &mut __S) {
            let _ = &__sink;
            let #pattern = *self;
            #put
        }
    }
}

fn enum_body(shapes: &[Shape<'_>], root: &Path) -> TokenStream {
    let count = shapes.len() as u16;
    let numbers = 0..count;
    let patterns: Vec<&TokenStream> = shapes.iter().map(|shape| &shape.pattern).collect();
    let parts: Vec<shape::Parts> = shapes.iter().map(|shape| shape.parts(root)).collect();
    let hashes = parts.iter().map(|parts| &parts.hashes);
    let fixed = parts.iter().map(|parts| &parts.fixed);
    let texts = parts.iter().map(|parts| &parts.texts);
    let is_formatted = parts.iter().map(|parts| &parts.is_formatted);
    let describe = parts.iter().map(|parts| &parts.describe);
    let length = parts.iter().map(|parts| &parts.length);
    let put = parts.iter().map(|parts| &parts.put);
    quote! {
        const SHAPE: #root::__private::Shape =
            #root::__private::Shape::EMPTY.hashed_with(b"|") #(#hashes)*;
        const FIXED: u32 = 2 + #root::__private::greatest(&[#(#fixed),*]);
        const TEXTS: u32 = #root::__private::greatest(&[#(#texts),*]);
        const IS_FORMATTED: bool = false #(|| #is_formatted)*;

        fn describe(__signature: &mut #root::__private::Signature) {
            __signature.begin_enum(#count);
            #(#describe)*
        }

        #[inline]
        fn length(self) -> u32 {
            match *self {
                #(#patterns => (#length).saturating_add(2),)*
            }
        }

        #[inline]
        fn put<__S: #root::__private::Sink>(self, __sink: &mut __S) {
            let _ = &__sink;
            match *self {
                #(#patterns => {
                    __sink.put(&u16::to_le_bytes(#numbers));
                    #put
                })*
            }
        }
    }
}
