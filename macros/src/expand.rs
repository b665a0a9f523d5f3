//! The code that a log call becomes.
//!
//! ```text
//! info!(log, "order {id} of {}", name)
//!
//! {
//!     static SITE: Site = Site::new(Info, line, target, file, "order {1} of {0}", "id\0");
//!     if /* not compiled out */ && log.__begin(Info) {
//!         match (&name, &id) { (a0, a1) => {           // evaluated once, in order
//!             if false { format_args!("order {id} of {}", *a0, id = *a1) }  // rustc's own check
//!             log.__events().event2::<INFO, _, _>(&SITE, capture(a0), capture(a1));
//!         } }
//!     }
//! }
//! ```
//!
//! If an argument calls something, `__begin` is asked once more after it: the call may have forked,
//! and the ring is the parent's.
//!
//! The arguments are no closures, so `?`, `return` and `.await` in them are those of the function
//! around the call. Bindings are hygienic; items are not, so the statics have names of their own.

mod receiver;
mod value;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Lit, LitStr, Result};

use crate::input::{Argument, Event, Mode, Rate};
use crate::template::{Fault, Template};
use receiver::Receiver;
use value::{CAN_DISPLAY, CAPTURE, Value};

/// More arguments than that are nested: a tuple of arguments is an argument.
const MOST: usize = 8;

/// The code for a call.
pub(crate) fn expand(event: &Event) -> Result<TokenStream> {
    let names: Vec<&Ident> = event.arguments.iter().filter_map(|a| a.name.as_ref()).collect();
    let names: Vec<String> = names.iter().map(|name| name.unraw().to_string()).collect();
    let positional = event.arguments.len() - names.len();
    let template = Template::new(&event.template.value(), positional, &names);
    if template.fault.is_some() || template.implicit.iter().any(|name| !is_variable(name)) {
        return Ok(leave_to_rustc(event, &template));
    }
    if template.uses.iter().any(|uses| uses.is_pointer) {
        let message = "`{:p}` shows an address, and values are captured without theirs: \
                       use `{}` and `%format_args!(\"{:p}\", value)`";
        return Err(syn::Error::new(event.template.span(), message));
    }
    let implicit = template.implicit.iter().map(|name| Argument {
        name: Some(Ident::new(name, event.template.span())),
        mode: Mode::Captured,
        value: variable(name, event.template.span()),
    });
    let implicit: Vec<Argument> = implicit.collect();
    let arguments: Vec<Value<'_>> = event
        .arguments
        .iter()
        .chain(&implicit)
        .zip(&template.uses)
        .enumerate()
        .map(|(number, (argument, uses))| Value::new(number, argument, *uses))
        .collect();
    let fields = names.iter().chain(&template.implicit).map(|name| format!("{name}\0"));
    Ok(Call { event, arguments, template: &template.text, fields: fields.collect() }.expand())
}

/// Whether a name in a template can be that of a variable.
fn is_variable(name: &str) -> bool {
    name == "self" || syn::parse_str::<Ident>(name).is_ok()
}

fn variable(name: &str, span: Span) -> Expr {
    let name = Ident::new(name, span);
    Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: name.into() })
}

/// For a template that is none for its arguments: rustc says why. If it has nothing to say, then
/// this version of Millpond does not know something about templates that it does.
fn leave_to_rustc(event: &Event, template: &Template) -> TokenStream {
    let root = &event.root;
    let literal = &event.template;
    let arguments = event.arguments.iter().enumerate().filter_map(|(number, argument)| {
        let uses = template.uses.get(number)?;
        let value = match argument.mode {
            Mode::Captured => &argument.value,
            Mode::Debug | Mode::Display => &empty(argument.value.span()),
        };
        match &argument.name {
            None => Some(quote!(#value)),
            Some(_) if !uses.is_used => None,
            Some(name) => Some(quote!(#name = #value)),
        }
    });
    let check = quote!(::core::format_args!(#literal #(, #arguments)*));
    // A template that cannot be read expands to nothing that has a type, others have one.
    let expected = match template.fault {
        Some(Fault::Syntax) => quote!(#root::__private::UnknownTemplate),
        _ => quote!(_),
    };
    let receiver = Receiver::new(&event.receiver);
    let place = &receiver.place;
    receiver.bind(quote_spanned! {mixed()=> {
        let _ = &#place;
        let _: #expected = #check;
    }})
}

fn empty(span: Span) -> Expr {
    let lit = Lit::Str(LitStr::new("", span));
    Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit })
}

fn mixed() -> Span {
    Span::mixed_site()
}

/// A variable of the expansion.
fn local(name: &str) -> Ident {
    Ident::new(name, mixed())
}

struct Call<'a> {
    event: &'a Event,
    arguments: Vec<Value<'a>>,
    template: &'a str,
    fields: String,
}

impl Call<'_> {
    fn expand(&self) -> TokenStream {
        let root = &self.event.root;
        let level = self.level();
        let receiver = Receiver::new(&self.event.receiver);
        let site = self.site();
        let logged = self.limited(&receiver.place);
        let place = &receiver.place;
        receiver.bind(quote_spanned! {mixed()=> {
            #site
            if const { #root::__private::allows(#level) } && #place.__begin(#level) {
                #logged
            }
        }})
    }

    fn level(&self) -> TokenStream {
        let Event { root, level, .. } = self.event;
        quote_spanned!(mixed()=> #root::Level::#level)
    }

    /// What is known now.
    fn site(&self) -> TokenStream {
        let root = &self.event.root;
        let Call { template, fields, .. } = self;
        let level = self.level();
        let target = match &self.event.target {
            Some(target) => quote!(#target),
            None => quote_spanned!(mixed()=> ::core::module_path!()),
        };
        quote_spanned! {mixed()=>
            static __MILLPOND_SITE: #root::__private::Site = #root::__private::Site::new(
                #level,
                ::core::line!(),
                #target,
                ::core::file!(),
                #template,
                #fields,
            );
        }
    }

    /// The call behind its rate control, which comes before the arguments are evaluated.
    fn limited(&self, place: &TokenStream) -> TokenStream {
        let root = &self.event.root;
        let (limiter, limit) = match &self.event.rate {
            None => return self.evaluated(place),
            Some(Rate::Every(limit)) => ("Every", limit),
            Some(Rate::OncePer(limit)) => ("OncePer", limit),
        };
        let limiter = local(limiter);
        let limiter = quote_spanned!(mixed()=> #root::__private::#limiter);
        let evaluated = self.evaluated(place);
        quote_spanned! {mixed()=>
            static __MILLPOND_RATE: #limiter = #limiter::new();
            match __MILLPOND_RATE.admit(#limit) {
                ::core::option::Option::Some(__suppressed) => { #evaluated }
                ::core::option::Option::None => {}
            }
        }
    }

    /// The call behind the evaluation of its arguments.
    fn evaluated(&self, place: &TokenStream) -> TokenStream {
        let (imports, check, log) = (self.imports(), self.check(), self.log(place));
        let mut variables: Vec<Ident> = Vec::new();
        let mut values = Vec::new();
        if let Some(ticks) = &self.event.ticks {
            variables.push(local("__ticks"));
            values.push(quote!(#ticks));
        }
        for value in &self.arguments {
            variables.push(value.variable.clone());
            values.push(value.borrowed());
        }
        if values.is_empty() {
            return quote_spanned!(mixed()=> #check #log);
        }
        quote_spanned! {mixed()=>
            match (#(#values,)*) {
                (#(#variables,)*) => { #imports #check #log }
            }
        }
    }

    /// What only rustc can check. Never runs.
    fn check(&self) -> TokenStream {
        let literal = &self.event.template;
        // An argument that the template shows by its number must keep that number.
        let keep_all = self.arguments.iter().any(|value| value.uses.is_positional);
        let arguments = self.arguments.iter().filter_map(|value| {
            let checked = value.checked();
            match &value.argument.name {
                None => Some(checked),
                Some(name) if value.uses.is_used || keep_all => {
                    Some(quote_spanned!(mixed()=> #name = #checked))
                }
                Some(_) => None,
            }
        });
        let displayed = self.displayed().map(|value| value.passed_to(CAN_DISPLAY));
        quote_spanned! {mixed()=>
            if false {
                let _ = ::core::format_args!(#literal #(, #arguments)*);
                #(#displayed;)*
            }
        }
    }

    /// The arguments that are captured and shown by another trait than `Debug`.
    fn displayed(&self) -> impl Iterator<Item = &Value<'_>> {
        self.arguments
            .iter()
            .filter(|value| value.uses.is_displayed && value.argument.mode == Mode::Captured)
    }

    /// Names for the functions that are called with a user's value. Their paths begin with
    /// `$crate`, which has a place of its own, and rustc would point at all of the macro's call.
    fn imports(&self) -> TokenStream {
        let root = &self.event.root;
        let import = |function: &str, name: &str| {
            let (function, name) = (local(function), local(name));
            quote_spanned!(mixed()=> use #root::__private::#function as #name;)
        };
        let mut modes = self.arguments.iter().map(|value| value.argument.mode);
        let is_captured = modes.any(|mode| mode == Mode::Captured);
        let capture = is_captured.then(|| import("capture", CAPTURE));
        let can_display = self.displayed().next().map(|_| import("can_display", CAN_DISPLAY));
        quote!(#capture #can_display)
    }

    fn log(&self, place: &TokenStream) -> TokenStream {
        let level = self.level();
        let captured = self.arguments.iter().map(|value| value.captured(&self.event.root));
        let captured: Vec<TokenStream> = captured.collect();
        let (method, first) = match (&self.event.ticks, &self.event.rate) {
            (Some(_), _) => ("event_at", Some(local("__ticks"))),
            (None, Some(_)) => ("event_limited", Some(local("__suppressed"))),
            (None, None) => ("event", None),
        };
        let (method, types, values) = match first {
            Some(first) => {
                let group = group(&captured);
                (local(method), vec![quote!(_)], quote_spanned!(mixed()=> #first, #group))
            }
            None if captured.len() > MOST => (local("event1"), vec![quote!(_)], group(&captured)),
            None => {
                let method = local(&format!("event{}", captured.len()));
                (method, vec![quote!(_); captured.len()], quote!(#(#captured),*))
            }
        };
        let call = quote_spanned! {mixed()=>
            #place.__events().#method::<{ #level as ::core::primitive::u8 } #(, #types)*>(&__MILLPOND_SITE, #values);
        };
        // Code that ran meanwhile may have forked, or have closed the logger.
        match self.arguments.iter().any(Value::runs_code) {
            true => quote_spanned!(mixed()=> if #place.__begin(#level) { #call }),
            false => call,
        }
    }
}

/// Arguments as one: a tuple, of tuples if they are many.
fn group(arguments: &[TokenStream]) -> TokenStream {
    if arguments.len() <= MOST {
        return quote_spanned!(mixed()=> (#(#arguments,)*));
    }
    let groups: Vec<TokenStream> = arguments.chunks(MOST).map(group).collect();
    group(&groups)
}
