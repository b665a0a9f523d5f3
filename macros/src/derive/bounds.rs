//! What the parameters of a generic type must be for it to be captured.

use syn::visit::{self, Visit};
use syn::{GenericParam, Generics, Ident, Path, Type, TypePath, WherePredicate, parse_quote};

use super::shape::Shape;

/// The generics of the type with bounds as the derives of `std` add them: each type parameter is
/// `Capture`, and so is each type that is an item of a parameter (`T::Item`) in a field.
pub(super) fn with_bounds(generics: &Generics, shapes: &[Shape<'_>], root: &Path) -> Generics {
    let mut bounded = generics.clone();
    let parameters: Vec<&Ident> = generics.type_params().map(|param| &param.ident).collect();
    let mut finder = Finder { parameters: &parameters, found: Vec::new() };
    for ty in shapes.iter().flat_map(Shape::types) {
        finder.visit_type(ty);
    }
    let found = finder.found.into_iter();
    let predicates: Vec<WherePredicate> =
        found.map(|ty| parse_quote!(#ty: #root::Capture)).collect();
    for param in &mut bounded.params {
        if let GenericParam::Type(param) = param {
            param.bounds.push(parse_quote!(#root::Capture));
            param.default = None;
        }
    }
    if !predicates.is_empty() {
        bounded.make_where_clause().predicates.extend(predicates);
    }
    bounded
}

/// Finds items of parameters.
struct Finder<'a> {
    parameters: &'a [&'a Ident],
    found: Vec<&'a TypePath>,
}

impl<'a> Visit<'a> for Finder<'a> {
    fn visit_type(&mut self, ty: &'a Type) {
        if let Type::Path(path) = ty
            && let (Some(first), true) = (path.path.segments.first(), path.path.segments.len() > 1)
            && path.qself.is_none()
            && self.parameters.iter().any(|parameter| **parameter == first.ident)
        {
            self.found.push(path);
        }
        visit::visit_type(self, ty);
    }
}
