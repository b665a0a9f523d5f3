//! Arguments that are made of others.

use super::{Argument, Shape, Signature, Sink, code};

impl<T: Argument> Argument for Option<T> {
    const SHAPE: Shape = Shape::EMPTY.hashed_with(b"O").hashed_with(&T::SHAPE.bytes());
    const FIXED: u32 = 1 + T::FIXED;
    const TEXTS: u32 = T::TEXTS;
    const IS_FORMATTED: bool = T::IS_FORMATTED;

    fn describe(signature: &mut Signature) {
        signature.code(code::OPTION);
        T::describe(signature);
    }

    #[inline(always)]
    fn length(self) -> u32 {
        self.map_or(1, |value| value.length().saturating_add(1))
    }

    #[inline(always)]
    fn put<S: Sink>(self, sink: &mut S) {
        sink.put(&[self.is_some() as u8]);
        if let Some(value) = self {
            value.put(sink);
        }
    }
}

macro_rules! group {
    ($($name:ident $field:tt),*) => {
        impl<$($name: Argument),*> Argument for ($($name,)*) {
            const SHAPE: Shape = Shape::of_list(&[$($name::SHAPE),*]);
            const FIXED: u32 = 0 $(+ $name::FIXED)*;
            const TEXTS: u32 = 0 $(+ $name::TEXTS)*;
            const IS_FORMATTED: bool = false $(|| $name::IS_FORMATTED)*;

            fn describe(_signature: &mut Signature) {
                $($name::describe(_signature);)*
            }

            #[inline(always)]
            fn length(self) -> u32 {
                0u32 $(.saturating_add(self.$field.length()))*
            }

            #[inline(always)]
            fn put<S: Sink>(self, _sink: &mut S) {
                $(self.$field.put(_sink);)*
            }
        }
    };
}

group!();
group!(A 0);
group!(A 0, B 1);
group!(A 0, B 1, C 2);
group!(A 0, B 1, C 2, D 3);
group!(A 0, B 1, C 2, D 3, E 4);
group!(A 0, B 1, C 2, D 3, E 4, F 5);
group!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
group!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
